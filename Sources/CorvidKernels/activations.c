// Activation functions, alone and times a second input. All but ReLU are made of one exponential.
//
//   sigmoid(z)   = 1 / (1 + exp(-z));   x sigmoid(z) is computed as x / (1 + exp(-z))
//   gelu_tanh(x) = x sigmoid(2 u), u = sqrt(2/pi) (x + 0.044715 x^3), since 1 + tanh(u) = 2 sigmoid(2 u)
//   tanh(x)      = (1 - t) / (1 + t) with the sign of x, t = exp(-2 |x|)
//   gelu_erf(x)  = x P(x), P the normal distribution: P(-|x|) = exp(-q(|x|)), P(|x|) = 1 - P(-|x|)
//
// q is a polynomial of degree 8 for -ln(erfc(y / sqrt 2) / 2) with the least greatest error of P on 0...6,
// 9.4e-9 (found by linear programming); beyond 6 it goes on growing, so that P falls to 0.

#include "corvid_kernels.h"
#include "exponential.h"

#pragma STDC FP_CONTRACT OFF

#define TWICE_ROOT_2_OVER_PI 1.5957691f
#define CUBE_FACTOR 0.044715f
static const float normal_tail[9] = {
    0x1.62e430p-1f,  0x1.988482p-1f,  0x1.45eed6p-2f, 0x1.2a386ep-5f, -0x1.42976cp-8f,
    0x1.eddf70p-14f, 0x1.f06110p-14f, -0x1.9f3430p-16f, 0x1.cf29ecp-20f,
};

// MARK: Plain forms

CK_INLINE float times_sigmoid(float x, float z) { return x / (1.0f + ck_exp_1(-z)); }

CK_INLINE float activation_1(ck_activation f, float x) {
    switch (f) {
    case CK_RELU: return x < 0 ? 0 : x;
    case CK_GELU_ERF: {
        float y = fabsf(x), q = normal_tail[8];
        for (int i = 7; i >= 0; i--) q = ck_fused(q, y, normal_tail[i]);
        float tail = ck_exp_1(-q);
        return x * (x < 0 ? tail : 1.0f - tail);
    }
    case CK_GELU_TANH: {
        float cube = ck_fused(x * x, CUBE_FACTOR * x, x);
        return times_sigmoid(x, TWICE_ROOT_2_OVER_PI * cube);
    }
    case CK_QUICK_GELU: return times_sigmoid(x, 1.702f * x);
    case CK_SILU: return times_sigmoid(x, x);
    case CK_TANH: {
        float t = ck_exp_1(-2.0f * fabsf(x));
        return copysignf((1.0f - t) / (1.0f + t), x);
    }
    default: return x;
    }
}

/// out = f(gate) * up, or f(gate) if `up` is null.
CK_INLINE void activate(ck_activation f, ptrdiff_t n, const float *gate, const float *up, float *out) {
    // Without a branch in it, compilers make vectors of each loop.
    if (up) {
        for (ptrdiff_t i = 0; i < n; i++) out[i] = activation_1(f, gate[i]) * up[i];
    } else {
        for (ptrdiff_t i = 0; i < n; i++) out[i] = activation_1(f, gate[i]);
    }
}

// MARK: AVX2

#if CK_X86
CK_INLINE_AVX2 __m256 negated_8(__m256 x) { return _mm256_xor_ps(x, _mm256_set1_ps(-0.0f)); }

CK_INLINE_AVX2 __m256 magnitude_8(__m256 x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }

CK_INLINE_AVX2 __m256 times_sigmoid_8(__m256 x, __m256 z) {
    return _mm256_div_ps(x, _mm256_add_ps(_mm256_set1_ps(1.0f), ck_exp_8(negated_8(z))));
}

CK_INLINE_AVX2 __m256 activation_8(ck_activation f, __m256 x) {
    const __m256 one = _mm256_set1_ps(1.0f), zero = _mm256_setzero_ps();
    switch (f) {
    case CK_RELU: return _mm256_and_ps(_mm256_cmp_ps(x, zero, _CMP_NLT_UQ), x);
    case CK_GELU_ERF: {
        __m256 y = magnitude_8(x), q = _mm256_set1_ps(normal_tail[8]);
#pragma clang loop unroll(full)
        for (int i = 7; i >= 0; i--) q = _mm256_fmadd_ps(q, y, _mm256_set1_ps(normal_tail[i]));
        __m256 tail = ck_exp_8(negated_8(q)), positive = _mm256_cmp_ps(x, zero, _CMP_NLT_UQ);
        return _mm256_mul_ps(x, _mm256_blendv_ps(tail, _mm256_sub_ps(one, tail), positive));
    }
    case CK_GELU_TANH: {
        __m256 cube = _mm256_mul_ps(_mm256_set1_ps(CUBE_FACTOR), x);
        cube = _mm256_fmadd_ps(_mm256_mul_ps(x, x), cube, x);
        return times_sigmoid_8(x, _mm256_mul_ps(_mm256_set1_ps(TWICE_ROOT_2_OVER_PI), cube));
    }
    case CK_QUICK_GELU: return times_sigmoid_8(x, _mm256_mul_ps(_mm256_set1_ps(1.702f), x));
    case CK_SILU: return times_sigmoid_8(x, x);
    case CK_TANH: {
        __m256 t = ck_exp_8(_mm256_mul_ps(_mm256_set1_ps(-2.0f), magnitude_8(x)));
        __m256 y = _mm256_div_ps(_mm256_sub_ps(one, t), _mm256_add_ps(one, t));
        return _mm256_or_ps(magnitude_8(y), _mm256_and_ps(x, _mm256_set1_ps(-0.0f)));
    }
    default: return x;
    }
}

CK_INLINE_AVX2 void activate_8(ck_activation f, ptrdiff_t n, const float *gate, const float *up, float *out) {
    for (ptrdiff_t i = 0; i < n; i += 8) {
        __m256 y = activation_8(f, ck_load_8(gate + i, n - i));
        if (up) y = _mm256_mul_ps(y, ck_load_8(up + i, n - i));
        ck_store_8(out + i, n - i, y);
    }
}
#endif

// MARK: AVX-512

#if CK_X86
CK_INLINE_AVX512 __m512 negated(__m512 x) { return _mm512_xor_ps(x, _mm512_set1_ps(-0.0f)); }

CK_INLINE_AVX512 __m512 times_sigmoid_16(__m512 x, __m512 z) {
    return _mm512_div_ps(x, _mm512_add_ps(_mm512_set1_ps(1.0f), ck_exp_16(negated(z))));
}

CK_INLINE_AVX512 __m512 activation_16(ck_activation f, __m512 x) {
    const __m512 one = _mm512_set1_ps(1.0f), zero = _mm512_setzero_ps();
    switch (f) {
    case CK_RELU: return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, zero, _CMP_NLT_UQ), x);
    case CK_GELU_ERF: {
        __m512 y = _mm512_abs_ps(x), q = _mm512_set1_ps(normal_tail[8]);
#pragma clang loop unroll(full)
        for (int i = 7; i >= 0; i--) q = _mm512_fmadd_ps(q, y, _mm512_set1_ps(normal_tail[i]));
        __m512 tail = ck_exp_16(negated(q));
        __mmask16 positive = _mm512_cmp_ps_mask(x, zero, _CMP_NLT_UQ);
        return _mm512_mul_ps(x, _mm512_mask_sub_ps(tail, positive, one, tail));
    }
    case CK_GELU_TANH: {
        __m512 cube = _mm512_mul_ps(_mm512_set1_ps(CUBE_FACTOR), x);
        cube = _mm512_fmadd_ps(_mm512_mul_ps(x, x), cube, x);
        return times_sigmoid_16(x, _mm512_mul_ps(_mm512_set1_ps(TWICE_ROOT_2_OVER_PI), cube));
    }
    case CK_QUICK_GELU: return times_sigmoid_16(x, _mm512_mul_ps(_mm512_set1_ps(1.702f), x));
    case CK_SILU: return times_sigmoid_16(x, x);
    case CK_TANH: {
        __m512 t = ck_exp_16(_mm512_mul_ps(_mm512_set1_ps(-2.0f), _mm512_abs_ps(x)));
        __m512 y = _mm512_div_ps(_mm512_sub_ps(one, t), _mm512_add_ps(one, t));
        __m512 sign = _mm512_and_ps(x, _mm512_set1_ps(-0.0f));
        return _mm512_or_ps(_mm512_abs_ps(y), sign);
    }
    default: return x;
    }
}

CK_INLINE_AVX512 void activate_16(ck_activation f, ptrdiff_t n, const float *gate, const float *up,
                                  float *out) {
    for (ptrdiff_t i = 0; i < n; i += 16) {
        __m512 y = activation_16(f, ck_load_16(gate + i, n - i));
        if (up) y = _mm512_mul_ps(y, ck_load_16(up + i, n - i));
        ck_store_16(out + i, n - i, y);
    }
}
#endif

// MARK: Choice

// One loop for each function, so that the choice is made once.
#define EACH_FUNCTION(loop)                                                  \
    switch (f) {                                                             \
    case CK_IDENTITY: return loop(CK_IDENTITY, n, gate, up, out);            \
    case CK_RELU: return loop(CK_RELU, n, gate, up, out);                    \
    case CK_GELU_ERF: return loop(CK_GELU_ERF, n, gate, up, out);            \
    case CK_GELU_TANH: return loop(CK_GELU_TANH, n, gate, up, out);          \
    case CK_QUICK_GELU: return loop(CK_QUICK_GELU, n, gate, up, out);        \
    case CK_SILU: return loop(CK_SILU, n, gate, up, out);                    \
    case CK_TANH: return loop(CK_TANH, n, gate, up, out);                    \
    }

static void activate_plain(ck_activation f, ptrdiff_t n, const float *gate, const float *up, float *out) {
    EACH_FUNCTION(activate)
}

#if CK_X86
CK_AVX2 static void activate_avx2(ck_activation f, ptrdiff_t n, const float *gate, const float *up,
                                  float *out) {
    EACH_FUNCTION(activate_8)
}

CK_AVX512 static void activate_avx512(ck_activation f, ptrdiff_t n, const float *gate, const float *up,
                                      float *out) {
    EACH_FUNCTION(activate_16)
}
#endif

void ck_activate_gated(ck_activation f, ptrdiff_t n, const float *gate, const float *up, float *out) {
#if CK_X86
    ck_isa_level level = ck_isa();
    if (level == CK_ISA_AVX512) return activate_avx512(f, n, gate, up, out);
    if (level == CK_ISA_AVX2) return activate_avx2(f, n, gate, up, out);
#endif
    activate_plain(f, n, gate, up, out);
}

void ck_activate(ck_activation f, ptrdiff_t n, const float *x, float *out) {
    ck_activate_gated(f, n, x, NULL, out);
}
