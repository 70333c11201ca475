#include "corvid_kernels.h"

#include <stdatomic.h>

#if defined(__x86_64__)
#include <cpuid.h>

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

static int detect_avx_vnni(void) {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax >> 4 & 1) && detect() != CK_ISA_PORTABLE;
}
#else
static ck_isa_level detect(void) { return CK_ISA_PORTABLE; }
static int detect_bf16(void) { return 0; }
static int detect_avx_vnni(void) { return 0; }
#endif

// The global state of the kernels; -1 until first asked.
static _Atomic int level_in_use = -1;
static _Thread_local int level_of_thread = -1;
static _Atomic int avx_vnni_in_use = -1;

ck_isa_level ck_isa_detect(void) { return detect(); }

ck_isa_level ck_isa(void) {
    if (level_of_thread >= 0) return (ck_isa_level)level_of_thread;
    int level = atomic_load_explicit(&level_in_use, memory_order_relaxed);
    if (level < 0) {
        level = (int)detect();
        atomic_store_explicit(&level_in_use, level, memory_order_relaxed);
    }
    return (ck_isa_level)level;
}

static int available(ck_isa_level level) {
    int best = (int)detect();
    int wanted = (int)level < 0 ? 0 : (int)level;
    return wanted < best ? wanted : best;
}

ck_isa_level ck_isa_set(ck_isa_level level) {
    int chosen = available(level);
    atomic_store_explicit(&level_in_use, chosen, memory_order_relaxed);
    return (ck_isa_level)chosen;
}

ck_isa_level ck_isa_set_for_thread(ck_isa_level level) {
    level_of_thread = available(level);
    return (ck_isa_level)level_of_thread;
}

void ck_isa_unset_for_thread(void) { level_of_thread = -1; }

int ck_has_bf16(void) { return ck_isa() == CK_ISA_AVX512 && detect_bf16(); }

int ck_has_avx_vnni(void) {
    if (ck_isa() != CK_ISA_AVX2) return 0;
    int used = atomic_load_explicit(&avx_vnni_in_use, memory_order_relaxed);
    return used < 0 ? ck_use_avx_vnni(1) : used;
}

int ck_use_avx_vnni(int wanted) {
    int used = wanted && detect_avx_vnni();
    atomic_store_explicit(&avx_vnni_in_use, used, memory_order_relaxed);
    return used;
}
