// Sum, scaling, and the logarithm of a sum of exponentials.

#include "corvid_kernels.h"
#include "lanes.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

// MARK: Sum and scaling

CK_INLINE void add(ptrdiff_t n, const float *a, const float *b, float *out) {
    for (ptrdiff_t i = 0; i < n; i++) out[i] = a[i] + b[i];
}

CK_INLINE void scale(ptrdiff_t n, const float *a, float factor, float *out) {
    for (ptrdiff_t i = 0; i < n; i++) out[i] = a[i] * factor;
}

#if CK_X86
CK_AVX512 static void add_avx512(ptrdiff_t n, const float *a, const float *b, float *out) {
    add(n, a, b, out);
}

CK_AVX512 static void scale_avx512(ptrdiff_t n, const float *a, float factor, float *out) {
    scale(n, a, factor, out);
}
#endif

void ck_add(ptrdiff_t n, const float *a, const float *b, float *out) {
#if CK_X86
    if (ck_isa() == CK_ISA_AVX512) return add_avx512(n, a, b, out);
#endif
    add(n, a, b, out);
}

void ck_scale(ptrdiff_t n, const float *a, float factor, float *out) {
#if CK_X86
    if (ck_isa() == CK_ISA_AVX512) return scale_avx512(n, a, factor, out);
#endif
    scale(n, a, factor, out);
}

// MARK: Logarithm of a sum of exponentials

// exp in double for x <= 0: x = n ln 2 + r, Taylor's polynomial of degree 12 in r (|r| <= ln(2) / 2: the rest
// is below 2e-16). 0 below -700.
#define LOWEST -700.0
#define LOG2_E 0x1.71547652b82fep+0
#define ROUNDER 0x1.8p+52
#define LN2_HIGH 0x1.62e42fefa0000p-1
#define LN2_LOW 0x1.cf79abc9e3b39p-40
static const double inverse_factorials[13] = {
    1.0,         1.0,          1.0 / 2,       1.0 / 6,        1.0 / 24,        1.0 / 120,       1.0 / 720,
    1.0 / 5040,  1.0 / 40320,  1.0 / 362880,  1.0 / 3628800,  1.0 / 39916800,  1.0 / 479001600,
};

CK_INLINE double exp_1(double x) {
    double rounded = __builtin_fma(x, LOG2_E, ROUNDER);
    double n = rounded - ROUNDER;
    double r = __builtin_fma(n, -LN2_HIGH, x);
    r = __builtin_fma(n, -LN2_LOW, r);
    double p = inverse_factorials[12];
    for (int i = 11; i >= 0; i--) p = __builtin_fma(p, r, inverse_factorials[i]);
    uint64_t power, value;
    memcpy(&power, &rounded, 8);
    memcpy(&value, &p, 8);
    value += power << 52;
    memcpy(&p, &value, 8);
    return x < LOWEST ? 0 : x == x ? p : x;
}

CK_INLINE float greatest(ptrdiff_t n, const float *x) {
    float lanes[16];
    for (int lane = 0; lane < 16; lane++) lanes[lane] = -INFINITY;
    for (ptrdiff_t i = 0; i + 16 <= n; i += 16)
        for (int lane = 0; lane < 16; lane++)
            lanes[lane] = x[i + lane] > lanes[lane] ? x[i + lane] : lanes[lane];
    for (ptrdiff_t i = n / 16 * 16; i < n; i++) lanes[0] = x[i] > lanes[0] ? x[i] : lanes[0];
    for (int lane = 1; lane < 16; lane++) lanes[0] = lanes[lane] > lanes[0] ? lanes[lane] : lanes[0];
    return lanes[0];
}

/// sum of exp(x - maximum) in 16 partial sums, joined as a tree.
CK_INLINE double exponential_sum(ptrdiff_t n, const float *x, double maximum) {
    double lanes[16] = {0};
    for (ptrdiff_t i = 0; i + 16 <= n; i += 16)
        for (int lane = 0; lane < 16; lane++) lanes[lane] += exp_1((double)x[i + lane] - maximum);
    for (ptrdiff_t i = n / 16 * 16; i < n; i++) lanes[i % 16] += exp_1((double)x[i] - maximum);
    for (int half = 8; half > 0; half /= 2)
        for (int lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half];
    return lanes[0];
}

typedef struct extent {
    float maximum;
    double sum;
} extent;

CK_INLINE extent measure(ptrdiff_t n, const float *x) {
    float maximum = greatest(n, x);
    if (isinf(maximum)) {
        // The difference of two infinities would be NaN; here only a NaN among the inputs is.
        for (ptrdiff_t i = 0; i < n; i++)
            if (isnan(x[i])) return (extent){x[i], 1};
        return (extent){maximum, 1};
    }
    return (extent){maximum, exponential_sum(n, x, (double)maximum)};
}

static extent measure_plain(ptrdiff_t n, const float *x) { return measure(n, x); }
#if CK_X86
CK_AVX2 static extent measure_avx2(ptrdiff_t n, const float *x) { return measure(n, x); }
CK_AVX512 static extent measure_avx512(ptrdiff_t n, const float *x) { return measure(n, x); }
#endif

double ck_log_sum_exp(ptrdiff_t n, const float *x) {
    extent (*form)(ptrdiff_t, const float *) = measure_plain;
#if CK_X86
    if (ck_isa() == CK_ISA_AVX2) form = measure_avx2;
    if (ck_isa() == CK_ISA_AVX512) form = measure_avx512;
#endif
    extent e = form(n, x);
    return (double)e.maximum + log(e.sum);
}
