#include "corvid_kernels.h"

#include <stdatomic.h>

#if defined(__x86_64__)
static ck_isa_level detect(void) {
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    int avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512vnni");
    // Every processor with AVX2 and FMA also has F16C.
    return avx2 ? (avx512 ? CK_ISA_AVX512 : CK_ISA_AVX2) : CK_ISA_PORTABLE;
}

static int detect_bf16(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512bf16") != 0;
}
#else
static ck_isa_level detect(void) { return CK_ISA_PORTABLE; }
static int detect_bf16(void) { return 0; }
#endif

// The one piece of global state of the kernels; -1 until first asked.
static _Atomic int level_in_use = -1;

ck_isa_level ck_isa_detect(void) { return detect(); }

ck_isa_level ck_isa(void) {
    int level = atomic_load_explicit(&level_in_use, memory_order_relaxed);
    if (level < 0) {
        level = (int)detect();
        atomic_store_explicit(&level_in_use, level, memory_order_relaxed);
    }
    return (ck_isa_level)level;
}

ck_isa_level ck_isa_set(ck_isa_level level) {
    int best = (int)detect();
    int wanted = (int)level < 0 ? 0 : (int)level;
    int chosen = wanted < best ? wanted : best;
    atomic_store_explicit(&level_in_use, chosen, memory_order_relaxed);
    return (ck_isa_level)chosen;
}

int ck_has_bf16(void) { return ck_isa() == CK_ISA_AVX512 && detect_bf16(); }
