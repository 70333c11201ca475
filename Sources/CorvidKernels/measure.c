// How fast this machine reads memory and multiplies: the yardsticks of the benchmarks.
#include "corvid_kernels.h"
#include "targets.h"

#if CK_X86
#include <immintrin.h>
#endif

#pragma STDC FP_CONTRACT OFF

// MARK: Reading

CK_INLINE uint64_t read_sum_loop(ptrdiff_t n, const uint64_t *words) {
    uint64_t sum = 0;
    for (ptrdiff_t i = 0; i < n; i++) sum += words[i];
    return sum;
}

#if CK_X86
CK_AVX2 static uint64_t read_sum_avx2(ptrdiff_t n, const uint64_t *words) { return read_sum_loop(n, words); }

CK_AVX512 static uint64_t read_sum_avx512(ptrdiff_t n, const uint64_t *words) {
    __m512i sums[4];
    for (int i = 0; i < 4; i++) sums[i] = _mm512_setzero_si512();
    ptrdiff_t at = 0;
    for (; at + 32 <= n; at += 32) {
        // Prefetching past the end is harmless: it never faults.
        for (int i = 0; i < 4; i++) {
            _mm_prefetch((const char *)((uintptr_t)(words + at) + 2048 + 64 * (uintptr_t)i), _MM_HINT_T0);
            sums[i] = _mm512_add_epi64(sums[i], _mm512_loadu_si512(words + at + 8 * i));
        }
    }
    __m512i sum = _mm512_add_epi64(_mm512_add_epi64(sums[0], sums[1]), _mm512_add_epi64(sums[2], sums[3]));
    return (uint64_t)_mm512_reduce_add_epi64(sum) + read_sum_loop(n - at, words + at);
}
#endif

uint64_t ck_read_sum(ptrdiff_t n, const uint64_t *words) {
#if CK_X86
    if (ck_isa() == CK_ISA_AVX512) return read_sum_avx512(n, words);
    if (ck_isa() == CK_ISA_AVX2) return read_sum_avx2(n, words);
#endif
    return read_sum_loop(n, words);
}

// MARK: Multiplying

enum { CHAINS = 64, REGISTERS = 16 };

static double fma_plain(ptrdiff_t repeats, float *sink) {
    float sums[REGISTERS];
    for (int i = 0; i < REGISTERS; i++) sums[i] = (float)i;
    for (ptrdiff_t n = 0; n < repeats; n++) {
        for (int i = 0; i < CHAINS; i++) sums[i % REGISTERS] = sums[i % REGISTERS] * 0.5f + 1.0f;
    }
    for (int i = 0; i < REGISTERS; i++) *sink += sums[i];
    return 2.0 * CHAINS * (double)repeats;
}

#if CK_X86
// The empty assembly keeps the compiler from folding the chains.
CK_AVX2 static double fma_avx2(ptrdiff_t repeats, float *sink) {
    __m256 sums[12], factor = _mm256_set1_ps(0.5f), one = _mm256_set1_ps(1.0f);
    for (int i = 0; i < 12; i++) sums[i] = _mm256_set1_ps((float)i);
    for (ptrdiff_t n = 0; n < repeats; n++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < CHAINS; i++) {
            sums[i % 12] = _mm256_fmadd_ps(sums[i % 12], factor, one);
            __asm__ volatile("" : "+x"(sums[i % 12]));
        }
    }
    for (int i = 0; i < 12; i++) *sink += _mm256_cvtss_f32(sums[i]);
    return 2.0 * 8 * CHAINS * (double)repeats;
}

CK_AVX2 static double dots_avx2(ptrdiff_t repeats, float *sink) {
    __m256i sums[12], left = _mm256_set1_epi8(1), right = _mm256_set1_epi8(2), ones = _mm256_set1_epi16(1);
    for (int i = 0; i < 12; i++) sums[i] = _mm256_set1_epi32(i);
    for (ptrdiff_t n = 0; n < repeats; n++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < CHAINS; i++) {
            __m256i pairs = _mm256_maddubs_epi16(left, right);
            __asm__ volatile("" : "+x"(pairs));
            sums[i % 12] = _mm256_add_epi32(sums[i % 12], _mm256_madd_epi16(pairs, ones));
            __asm__ volatile("" : "+x"(sums[i % 12]));
        }
    }
    for (int i = 0; i < 12; i++) *sink += (float)_mm256_extract_epi32(sums[i], 0);
    return 2.0 * 32 * CHAINS * (double)repeats;
}

CK_AVXVNNI static double dots_avxvnni(ptrdiff_t repeats, float *sink) {
    __m256i sums[12], left = _mm256_set1_epi8(1), right = _mm256_set1_epi8(2);
    for (int i = 0; i < 12; i++) sums[i] = _mm256_set1_epi32(i);
    for (ptrdiff_t n = 0; n < repeats; n++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < CHAINS; i++) {
            sums[i % 12] = _mm256_dpbusd_avx_epi32(sums[i % 12], left, right);
            __asm__ volatile("" : "+x"(sums[i % 12]));
        }
    }
    for (int i = 0; i < 12; i++) *sink += (float)_mm256_extract_epi32(sums[i], 0);
    return 2.0 * 32 * CHAINS * (double)repeats;
}

CK_AVX512 static double fma_avx512(ptrdiff_t repeats, float *sink) {
    __m512 sums[REGISTERS], factor = _mm512_set1_ps(0.5f), one = _mm512_set1_ps(1.0f);
    for (int i = 0; i < REGISTERS; i++) sums[i] = _mm512_set1_ps((float)i);
    for (ptrdiff_t n = 0; n < repeats; n++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < CHAINS; i++) {
            sums[i % REGISTERS] = _mm512_fmadd_ps(sums[i % REGISTERS], factor, one);
            __asm__ volatile("" : "+v"(sums[i % REGISTERS]));
        }
    }
    for (int i = 0; i < REGISTERS; i++) *sink += _mm512_cvtss_f32(sums[i]);
    return 2.0 * 16 * CHAINS * (double)repeats;
}

CK_AVX512 static double dots_avx512(ptrdiff_t repeats, float *sink) {
    __m512i sums[REGISTERS], left = _mm512_set1_epi8(1), right = _mm512_set1_epi8(2);
    for (int i = 0; i < REGISTERS; i++) sums[i] = _mm512_set1_epi32(i);
    for (ptrdiff_t n = 0; n < repeats; n++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < CHAINS; i++) {
            sums[i % REGISTERS] = _mm512_dpbusd_epi32(sums[i % REGISTERS], left, right);
            __asm__ volatile("" : "+v"(sums[i % REGISTERS]));
        }
    }
    for (int i = 0; i < REGISTERS; i++) *sink += (float)_mm512_cvtsi512_si32(sums[i]);
    return 2.0 * 64 * CHAINS * (double)repeats;
}

__attribute__((target("avx512f,avx512bw,avx512bf16"), min_vector_width(512))) static double bf16_dots_avx512(
    ptrdiff_t repeats, float *sink) {
    __m512 sums[REGISTERS];
    __m512bh left = (__m512bh)_mm512_set1_epi16(0x3F80), right = (__m512bh)_mm512_set1_epi16(0x3F00);
    for (int i = 0; i < REGISTERS; i++) sums[i] = _mm512_set1_ps((float)i);
    for (ptrdiff_t n = 0; n < repeats; n++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < CHAINS; i++) {
            sums[i % REGISTERS] = _mm512_dpbf16_ps(sums[i % REGISTERS], left, right);
            __asm__ volatile("" : "+v"(sums[i % REGISTERS]));
        }
    }
    for (int i = 0; i < REGISTERS; i++) *sink += _mm512_cvtss_f32(sums[i]);
    return 2.0 * 32 * CHAINS * (double)repeats;
}
#endif

double ck_peak_operations(ck_arithmetic arithmetic, ptrdiff_t repeats, float *sink) {
#if CK_X86
    if (ck_isa() == CK_ISA_AVX512) {
        if (arithmetic == CK_INT8_DOT) return dots_avx512(repeats, sink);
        if (arithmetic == CK_BF16_DOT && ck_has_bf16()) return bf16_dots_avx512(repeats, sink);
        return fma_avx512(repeats, sink);
    }
    if (ck_isa() == CK_ISA_AVX2) {
        if (arithmetic != CK_INT8_DOT) return fma_avx2(repeats, sink);
        return ck_has_avx_vnni() ? dots_avxvnni(repeats, sink) : dots_avx2(repeats, sink);
    }
#endif
    return fma_plain(repeats, sink);
}
