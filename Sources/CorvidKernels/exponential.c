#include "exponential.h"

#include "corvid_kernels.h"

#pragma STDC FP_CONTRACT OFF

static void exponentials(ptrdiff_t n, const float *x, float *out) {
    for (ptrdiff_t i = 0; i < n; i++) out[i] = ck_exp_1(x[i]);
}

#if CK_X86
CK_AVX2 static void exponentials_avx2(ptrdiff_t n, const float *x, float *out) {
    for (ptrdiff_t i = 0; i < n; i += 8) ck_store_8(out + i, n - i, ck_exp_8(ck_load_8(x + i, n - i)));
}

CK_AVX512 static void exponentials_avx512(ptrdiff_t n, const float *x, float *out) {
    for (ptrdiff_t i = 0; i < n; i += 16) ck_store_16(out + i, n - i, ck_exp_16(ck_load_16(x + i, n - i)));
}
#endif

void ck_exp(ptrdiff_t n, const float *x, float *out) {
#if CK_X86
    ck_isa_level level = ck_isa();
    if (level == CK_ISA_AVX512) return exponentials_avx512(n, x, out);
    if (level == CK_ISA_AVX2) return exponentials_avx2(n, x, out);
#endif
    exponentials(n, x, out);
}
