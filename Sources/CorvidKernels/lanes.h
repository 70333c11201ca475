// Sums in 16 partial sums, and how they are joined: lanes i and i + 8, then 4, 2, 1.
#ifndef CORVID_LANES_H
#define CORVID_LANES_H

#include "targets.h"

#include <stddef.h>

#if CK_X86
#include <immintrin.h>
#endif

CK_INLINE float ck_join(const float lanes[16]) {
    float sum[8];
    for (int i = 0; i < 8; i++) sum[i] = lanes[i] + lanes[i + 8];
    for (int i = 0; i < 4; i++) sum[i] += sum[i + 4];
    for (int i = 0; i < 2; i++) sum[i] += sum[i + 2];
    return sum[0] + sum[1];
}

#if CK_X86
#ifndef CK_INLINE_AVX2
#define CK_INLINE_AVX2 CK_INLINE CK_AVX2
#endif

/// The same for lanes 0 ..< 8 and 8 ..< 16.
CK_INLINE_AVX2 float ck_join_8(__m256 low, __m256 high) {
    __m256 eight = _mm256_add_ps(low, high);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/// All bits of the first `count` of 8 lanes.
CK_INLINE_AVX2 __m256i ck_mask_8(ptrdiff_t count) {
    int lanes = count >= 8 ? 8 : count > 0 ? (int)count : 0;
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/// 8 values, or zeros beyond the first `count`, which may be 0 or less.
CK_INLINE_AVX2 __m256 ck_load_8(const float *x, ptrdiff_t count) {
    return count >= 8 ? _mm256_loadu_ps(x) : _mm256_maskload_ps(x, ck_mask_8(count));
}

CK_INLINE_AVX2 void ck_store_8(float *x, ptrdiff_t count, __m256 values) {
    if (count >= 8) _mm256_storeu_ps(x, values);
    else _mm256_maskstore_ps(x, ck_mask_8(count), values);
}

CK_INLINE_AVX512 float ck_join_16(__m512 lanes) {
    __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(lanes), _mm512_extractf32x8_ps(lanes, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/// The mask of the first `count` lanes, all 16 if there are more.
CK_INLINE __mmask16 ck_mask(ptrdiff_t count) {
    return count >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << count) - 1);
}

/// 16 values, or zeros beyond the first `count`.
CK_INLINE_AVX512 __m512 ck_load_16(const float *x, ptrdiff_t count) {
    return count >= 16 ? _mm512_loadu_ps(x) : _mm512_maskz_loadu_ps(ck_mask(count), x);
}

CK_INLINE_AVX512 void ck_store_16(float *x, ptrdiff_t count, __m512 values) {
    if (count >= 16) _mm512_storeu_ps(x, values);
    else _mm512_mask_storeu_ps(x, ck_mask(count), values);
}
#endif

#endif
