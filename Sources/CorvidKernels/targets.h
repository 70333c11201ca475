// Function attributes for the instruction sets, so that the package needs no compiler flags.
#ifndef CORVID_TARGETS_H
#define CORVID_TARGETS_H

#define CK_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
#define CK_X86 1
#define CK_AVX2 __attribute__((target("avx2,fma,f16c")))
#define CK_AVXVNNI __attribute__((target("avx2,fma,f16c,avxvnni")))
#define CK_AVX512 \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"), min_vector_width(512)))
#define CK_INLINE_AVX512 CK_INLINE CK_AVX512
#else
#define CK_X86 0
#endif

#endif
