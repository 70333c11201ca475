// LayerNorm and RMSNorm of one row.

#include "corvid_kernels.h"
#include "lanes.h"

#include <math.h>

#pragma STDC FP_CONTRACT OFF

// MARK: Plain forms

/// 1 / sqrt(total / n + eps).
CK_INLINE float inverse_deviation(float total, ptrdiff_t n, float eps) {
    return 1.0f / sqrtf(total / (float)n + eps);
}

CK_INLINE void layer_norm(ptrdiff_t n, const float *x, const float *weight, const float *bias, float eps,
                          float *out) {
    float lanes[16] = {0};
    ptrdiff_t whole = n / 16 * 16;
    for (ptrdiff_t i = 0; i < whole; i += 16)
        for (int lane = 0; lane < 16; lane++) lanes[lane] += x[i + lane];
    for (ptrdiff_t i = whole; i < n; i++) lanes[i - whole] += x[i];
    float mean = ck_join(lanes) / (float)n;
    for (int lane = 0; lane < 16; lane++) lanes[lane] = 0;
    for (ptrdiff_t i = 0; i < whole; i += 16) {
        for (int lane = 0; lane < 16; lane++) {
            float centred = x[i + lane] - mean;
            lanes[lane] = __builtin_fmaf(centred, centred, lanes[lane]);
        }
    }
    for (ptrdiff_t i = whole; i < n; i++) {
        float centred = x[i] - mean;
        lanes[i - whole] = __builtin_fmaf(centred, centred, lanes[i - whole]);
    }
    float factor = inverse_deviation(ck_join(lanes), n, eps);
    for (ptrdiff_t i = 0; i < n; i++) {
        float y = (x[i] - mean) * factor;
        if (weight) y *= weight[i];
        if (bias) y += bias[i];
        out[i] = y;
    }
}

CK_INLINE void rms_norm(ptrdiff_t n, const float *x, const float *weight, float eps, float *out) {
    float lanes[16] = {0};
    ptrdiff_t whole = n / 16 * 16;
    for (ptrdiff_t i = 0; i < whole; i += 16)
        for (int lane = 0; lane < 16; lane++)
            lanes[lane] = __builtin_fmaf(x[i + lane], x[i + lane], lanes[lane]);
    for (ptrdiff_t i = whole; i < n; i++) lanes[i - whole] = __builtin_fmaf(x[i], x[i], lanes[i - whole]);
    float factor = inverse_deviation(ck_join(lanes), n, eps);
    for (ptrdiff_t i = 0; i < n; i++) {
        float y = x[i] * factor;
        out[i] = weight ? y * weight[i] : y;
    }
}

// MARK: Instruction sets

#if CK_X86
CK_AVX2 static void layer_norm_avx2(ptrdiff_t n, const float *x, const float *weight, const float *bias,
                                    float eps, float *out) {
    layer_norm(n, x, weight, bias, eps, out);
}

CK_AVX2 static void rms_norm_avx2(ptrdiff_t n, const float *x, const float *weight, float eps, float *out) {
    rms_norm(n, x, weight, eps, out);
}

CK_AVX512 static void layer_norm_avx512(ptrdiff_t n, const float *x, const float *weight, const float *bias,
                                        float eps, float *out) {
    __m512 total = _mm512_setzero_ps(), squares = _mm512_setzero_ps();
    for (ptrdiff_t i = 0; i < n; i += 16)
        total = _mm512_add_ps(total, ck_load_16(x + i, n - i));
    __m512 mean = _mm512_set1_ps(ck_join_16(total) / (float)n);
    for (ptrdiff_t i = 0; i < n; i += 16) {
        __m512 centred = _mm512_maskz_sub_ps(ck_mask(n - i), ck_load_16(x + i, n - i), mean);
        squares = _mm512_fmadd_ps(centred, centred, squares);
    }
    __m512 factor = _mm512_set1_ps(inverse_deviation(ck_join_16(squares), n, eps));
    for (ptrdiff_t i = 0; i < n; i += 16) {
        __m512 y = _mm512_mul_ps(_mm512_sub_ps(ck_load_16(x + i, n - i), mean), factor);
        if (weight) y = _mm512_mul_ps(y, ck_load_16(weight + i, n - i));
        if (bias) y = _mm512_add_ps(y, ck_load_16(bias + i, n - i));
        ck_store_16(out + i, n - i, y);
    }
}

CK_AVX512 static void rms_norm_avx512(ptrdiff_t n, const float *x, const float *weight, float eps,
                                      float *out) {
    __m512 squares = _mm512_setzero_ps();
    for (ptrdiff_t i = 0; i < n; i += 16) {
        __m512 value = ck_load_16(x + i, n - i);
        squares = _mm512_fmadd_ps(value, value, squares);
    }
    __m512 factor = _mm512_set1_ps(inverse_deviation(ck_join_16(squares), n, eps));
    for (ptrdiff_t i = 0; i < n; i += 16) {
        __m512 y = _mm512_mul_ps(ck_load_16(x + i, n - i), factor);
        if (weight) y = _mm512_mul_ps(y, ck_load_16(weight + i, n - i));
        ck_store_16(out + i, n - i, y);
    }
}
#endif

void ck_layer_norm(ptrdiff_t n, const float *x, const float *weight, const float *bias, float eps,
                   float *out) {
#if CK_X86
    ck_isa_level level = ck_isa();
    if (level == CK_ISA_AVX512) return layer_norm_avx512(n, x, weight, bias, eps, out);
    if (level == CK_ISA_AVX2) return layer_norm_avx2(n, x, weight, bias, eps, out);
#endif
    layer_norm(n, x, weight, bias, eps, out);
}

void ck_rms_norm(ptrdiff_t n, const float *x, const float *weight, float eps, float *out) {
#if CK_X86
    ck_isa_level level = ck_isa();
    if (level == CK_ISA_AVX512) return rms_norm_avx512(n, x, weight, eps, out);
    if (level == CK_ISA_AVX2) return rms_norm_avx2(n, x, weight, eps, out);
#endif
    rms_norm(n, x, weight, eps, out);
}
