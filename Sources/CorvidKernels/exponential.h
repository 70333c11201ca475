// exp(x) for one value, for 8 and for 16, by one sequence of operations, so that all give the same bits.
//
// x = n ln 2 + r with |r| <= ln(2) / 2, exp(x) = 2^n exp(r); ln 2 in two parts so that r is exact to the last
// place; exp(r) = 1 + r + r^2 p(r), p the polynomial of degree 4 with the least greatest error of exp(r),
// relative 3.1e-9 (found by linear programming).
#ifndef CORVID_EXPONENTIAL_H
#define CORVID_EXPONENTIAL_H

#include "fused.h"
#include "lanes.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define CK_EXP_LOWEST -87.3365f         // just above ln 2^-126: below it the result is 0
#define CK_EXP_HIGHEST 0x1.62e42ep+6f   // 88.72283: above it the result is infinite
#define CK_LOG2_E 0x1.715476p+0f
#define CK_ROUNDER 0x1.8p+23f           // adding it rounds to an integer, kept in the low bits
#define CK_LN2_HIGH 0x1.62e400p-1f      // 15 bits, so that n times it is exact
#define CK_LN2_LOW 0x1.7f7d1cp-20f
#define CK_EXP_2 0x1.fffffcp-2f
#define CK_EXP_3 0x1.555492p-3f
#define CK_EXP_4 0x1.5558f0p-5f
#define CK_EXP_5 0x1.1239dcp-7f
#define CK_EXP_6 0x1.6a25b0p-10f

CK_INLINE float ck_exp_1(float x) {
    float rounded = ck_fused(x, CK_LOG2_E, CK_ROUNDER);
    float n = rounded - CK_ROUNDER;
    float r = ck_fused(n, -CK_LN2_HIGH, x);
    r = ck_fused(n, -CK_LN2_LOW, r);
    float p = ck_fused(CK_EXP_6, r, CK_EXP_5);
    p = ck_fused(p, r, CK_EXP_4);
    p = ck_fused(p, r, CK_EXP_3);
    p = ck_fused(p, r, CK_EXP_2);
    p = ck_fused(p, r * r, r) + 1.0f;
    uint32_t power, value;
    memcpy(&power, &rounded, 4);
    memcpy(&value, &p, 4);
    value += power << 23;
    memcpy(&p, &value, 4);
    p = x < CK_EXP_LOWEST ? 0.0f : p;
    p = x > CK_EXP_HIGHEST ? INFINITY : p;
    return x == x ? p : x;
}

#if CK_X86
/// The same for 8 values none of which is above CK_EXP_HIGHEST.
CK_INLINE_AVX2 __m256 ck_exp_8_bounded(__m256 x) {
    __m256 rounder = _mm256_set1_ps(CK_ROUNDER);
    __m256 rounded = _mm256_fmadd_ps(x, _mm256_set1_ps(CK_LOG2_E), rounder);
    __m256 n = _mm256_sub_ps(rounded, rounder);
    __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(-CK_LN2_HIGH), x);
    r = _mm256_fmadd_ps(n, _mm256_set1_ps(-CK_LN2_LOW), r);
    __m256 p = _mm256_fmadd_ps(_mm256_set1_ps(CK_EXP_6), r, _mm256_set1_ps(CK_EXP_5));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(CK_EXP_4));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(CK_EXP_3));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(CK_EXP_2));
    p = _mm256_add_ps(_mm256_fmadd_ps(p, _mm256_mul_ps(r, r), r), _mm256_set1_ps(1.0f));
    __m256i power = _mm256_slli_epi32(_mm256_castps_si256(rounded), 23);
    p = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), power));
    p = _mm256_and_ps(p, _mm256_cmp_ps(x, _mm256_set1_ps(CK_EXP_LOWEST), _CMP_NLT_UQ));
    return _mm256_blendv_ps(p, x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}

CK_INLINE_AVX2 __m256 ck_exp_8(__m256 x) {
    __m256 infinite = _mm256_cmp_ps(x, _mm256_set1_ps(CK_EXP_HIGHEST), _CMP_GT_OQ);
    return _mm256_blendv_ps(ck_exp_8_bounded(x), _mm256_set1_ps(INFINITY), infinite);
}

/// The same for 16 values none of which is above CK_EXP_HIGHEST.
CK_INLINE_AVX512 __m512 ck_exp_16_bounded(__m512 x) {
    __m512 rounder = _mm512_set1_ps(CK_ROUNDER);
    __m512 rounded = _mm512_fmadd_ps(x, _mm512_set1_ps(CK_LOG2_E), rounder);
    __m512 n = _mm512_sub_ps(rounded, rounder);
    __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-CK_LN2_HIGH), x);
    r = _mm512_fmadd_ps(n, _mm512_set1_ps(-CK_LN2_LOW), r);
    __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(CK_EXP_6), r, _mm512_set1_ps(CK_EXP_5));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(CK_EXP_4));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(CK_EXP_3));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(CK_EXP_2));
    p = _mm512_add_ps(_mm512_fmadd_ps(p, _mm512_mul_ps(r, r), r), _mm512_set1_ps(1.0f));
    // "Not less than" is true for NaN, which the arithmetic carries through.
    __mmask16 kept = _mm512_cmp_ps_mask(x, _mm512_set1_ps(CK_EXP_LOWEST), _CMP_NLT_UQ);
    return _mm512_maskz_scalef_ps(kept, p, n);
}

CK_INLINE_AVX512 __m512 ck_exp_16(__m512 x) {
    __mmask16 infinite = _mm512_cmp_ps_mask(x, _mm512_set1_ps(CK_EXP_HIGHEST), _CMP_GT_OQ);
    return _mm512_mask_mov_ps(ck_exp_16_bounded(x), infinite, _mm512_set1_ps(INFINITY));
}
#endif

#endif
