// What the two 256-bit forms of the int8 products share. A file says with CK_VNNI whether its form has the
// dot instruction of AVX-VNNI, then includes this.
#ifndef CORVID_PRODUCT_AVX2_H
#define CORVID_PRODUCT_AVX2_H

#include <stddef.h>

#include "targets.h"

#if CK_X86
#include <immintrin.h>
#include <string.h>

#if CK_VNNI
#define CK_256 CK_AVXVNNI
#define CK_256_NAME(name) name##_avxvnni
#else
#define CK_256 CK_AVX2
#define CK_256_NAME(name) name##_avx2
#endif
#define CK_INLINE_256 CK_INLINE CK_256

CK_INLINE_256 __m256i ck_broadcast4(const int8_t *q) {
    int32_t four;
    memcpy(&four, q, sizeof four);
    return _mm256_set1_epi32(four);
}

/// sum + the dots of four int8 pairs in each lane. With AVX-VNNI the left numbers are unsigned, weights +
/// 128; else signed: their magnitudes, at most 128, times the right numbers, at most 127, do not leave 16 bits.
CK_INLINE_256 __m256i ck_add_dots8(__m256i sum, __m256i left, __m256i right) {
#if CK_VNNI
    return _mm256_dpbusd_avx_epi32(sum, left, right);
#else
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(left), _mm256_sign_epi8(right, left));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
#endif
}

/// The first `count` lanes.
CK_INLINE_256 __m256i ck_first_lanes(ptrdiff_t count) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lanes);
}

#endif
#endif
