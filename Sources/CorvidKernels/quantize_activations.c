// Activations rounded to int8, in blocks of 32 or row by row.
#include "corvid_kernels.h"
#include "half.h"

#if CK_X86
#include <immintrin.h>
#endif

#pragma STDC FP_CONTRACT OFF

// The block's greatest magnitude is compared as an integer, which orders NaN and infinity above all numbers.
// A magnitude whose 127 / max overflows (below about 3.8e-37) counts as zero.

CK_INLINE void quantize_loop(ptrdiff_t blocks, const float *restrict x, int8_t *restrict q, float *restrict d,
                             int32_t *restrict sum) {
    for (ptrdiff_t b = 0; b < blocks; b++, x += 32, q += 32) {
        uint32_t greatest = 0;
        for (int i = 0; i < 32; i++) {
            uint32_t magnitude = ck_bits(x[i]) & 0x7fffffffu;
            greatest = magnitude > greatest ? magnitude : greatest;
        }
        float maximum = ck_from_bits(greatest), inverse = 127.0f / maximum;
        if (greatest >= 0x7f800000u || ck_bits(inverse) >= 0x7f800000u) {
            d[b] = greatest >= 0x7f800000u ? ck_from_bits(0x7fc00000u) : 0.0f;
            memset(q, 0, 32);
            sum[b] = 0;
            continue;
        }
        int32_t total = 0;
        for (int i = 0; i < 32; i++) {
            // Adding 1.5 * 2^23 rounds to an integer, ties to even, and leaves it in the low bits.
            uint32_t rounded = ck_bits(x[i] * inverse + 12582912.0f);
            int32_t value = (int32_t)(rounded - 0x4b400000u);
            q[i] = (int8_t)value;
            total += value;
        }
        d[b] = maximum / 127.0f;
        sum[b] = total;
    }
}

static void quantize_plain(ptrdiff_t blocks, const float *x, int8_t *q, float *d, int32_t *sum) {
    quantize_loop(blocks, x, q, d, sum);
}

#if CK_X86
CK_AVX2 static void quantize_avx2(ptrdiff_t blocks, const float *x, int8_t *q, float *d, int32_t *sum) {
    quantize_loop(blocks, x, q, d, sum);
}

CK_AVX512 static void quantize_avx512(ptrdiff_t blocks, const float *restrict x, int8_t *restrict q,
                                      float *restrict d, int32_t *restrict sum) {
    const __m512i magnitude_bits = _mm512_set1_epi32(0x7fffffff);
    for (ptrdiff_t b = 0; b < blocks; b++, x += 32, q += 32) {
        __m512 x0 = _mm512_loadu_ps(x), x1 = _mm512_loadu_ps(x + 16);
        __m512i wide = _mm512_max_epu32(_mm512_and_epi32(_mm512_castps_si512(x0), magnitude_bits),
                                        _mm512_and_epi32(_mm512_castps_si512(x1), magnitude_bits));
        __m256i eight = _mm256_max_epu32(_mm512_castsi512_si256(wide), _mm512_extracti64x4_epi64(wide, 1));
        __m128i four = _mm_max_epu32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
        four = _mm_max_epu32(four, _mm_shuffle_epi32(four, 0x4e));
        four = _mm_max_epu32(four, _mm_shuffle_epi32(four, 0xb1));
        __m128 maximum = _mm_castsi128_ps(four);
        __m128 inverse = _mm_div_ps(_mm_set1_ps(127.0f), maximum);
        // The comparisons are false for NaN: a maximum of inf or NaN is not below inf.
        const __m128 infinity = _mm_set1_ps(__builtin_inff());
        int finite = _mm_movemask_ps(_mm_cmplt_ps(maximum, infinity)) & 1;
        int large = _mm_movemask_ps(_mm_cmplt_ps(inverse, infinity)) & 1;
        __mmask16 keep = finite && large ? 0xffff : 0;
        __m512 factor = _mm512_broadcastss_ps(inverse);
        __m512i q0 = _mm512_maskz_cvtps_epi32(keep, _mm512_mul_ps(x0, factor));
        __m512i q1 = _mm512_maskz_cvtps_epi32(keep, _mm512_mul_ps(x1, factor));
        _mm_storeu_si128((__m128i *)q, _mm512_cvtepi32_epi8(q0));
        _mm_storeu_si128((__m128i *)(q + 16), _mm512_cvtepi32_epi8(q1));
        __m512i both = _mm512_add_epi32(q0, q1);
        __m256i sum8 = _mm256_add_epi32(_mm512_castsi512_si256(both), _mm512_extracti64x4_epi64(both, 1));
        __m128i sum4 = _mm_add_epi32(_mm256_castsi256_si128(sum8), _mm256_extracti128_si256(sum8, 1));
        sum4 = _mm_add_epi32(sum4, _mm_shuffle_epi32(sum4, 0x4e));
        sum4 = _mm_add_epi32(sum4, _mm_shuffle_epi32(sum4, 0xb1));
        sum[b] = _mm_cvtsi128_si32(sum4);
        float scale = _mm_cvtss_f32(_mm_div_ss(maximum, _mm_set_ss(127.0f)));
        d[b] = finite ? (large ? scale : 0.0f) : ck_from_bits(0x7fc00000u);
    }
}
#endif

void ck_quantize_activations(ptrdiff_t rows, ptrdiff_t k, const float *x, ptrdiff_t x_stride, int8_t *q,
                             float *d, int32_t *sum) {
    ptrdiff_t blocks = k / 32;
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *row = x + r * x_stride;
        int8_t *row_q = q + r * k;
        float *row_d = d + r * blocks;
        int32_t *row_sum = sum + r * blocks;
#if CK_X86
        if (ck_isa() == CK_ISA_AVX512) {
            quantize_avx512(blocks, row, row_q, row_d, row_sum);
            continue;
        }
        if (ck_isa() == CK_ISA_AVX2) {
            quantize_avx2(blocks, row, row_q, row_d, row_sum);
            continue;
        }
#endif
        quantize_plain(blocks, row, row_q, row_d, row_sum);
    }
}

// MARK: Whole rows

CK_INLINE void quantize_row_loop(ptrdiff_t k, const float *restrict x, int8_t *restrict q, float *restrict d,
                                 int32_t *restrict sum) {
    int32_t greatest = 0;
    for (ptrdiff_t i = 0; i < k; i++) {
        int32_t magnitude = (int32_t)(ck_bits(x[i]) & 0x7fffffffu);
        greatest = magnitude > greatest ? magnitude : greatest;
    }
    float maximum = ck_from_bits((uint32_t)greatest), inverse = 127.0f / maximum;
    if (greatest >= 0x7f800000 || ck_bits(inverse) >= 0x7f800000u) {
        *d = greatest >= 0x7f800000 ? ck_from_bits(0x7fc00000u) : 0.0f;
        if (k > 0) memset(q, 0, (size_t)k);
        *sum = 0;
        return;
    }
    uint32_t total = 0;
    for (ptrdiff_t i = 0; i < k; i++) {
        uint32_t value = ck_bits(x[i] * inverse + 12582912.0f) - 0x4b400000u;
        q[i] = (int8_t)(uint8_t)value;
        total += value;
    }
    *d = maximum / 127.0f;
    *sum = (int32_t)total;
}

static void quantize_row_plain(ptrdiff_t k, const float *x, int8_t *q, float *d, int32_t *sum) {
    quantize_row_loop(k, x, q, d, sum);
}

#if CK_X86
CK_AVX2 static void quantize_row_avx2(ptrdiff_t k, const float *x, int8_t *q, float *d, int32_t *sum) {
    quantize_row_loop(k, x, q, d, sum);
}

CK_AVX512 static void quantize_row_avx512(ptrdiff_t k, const float *x, int8_t *q, float *d, int32_t *sum) {
    quantize_row_loop(k, x, q, d, sum);
}
#endif

void ck_quantize_rows(ptrdiff_t rows, ptrdiff_t k, const float *x, ptrdiff_t x_stride, int8_t *q, float *d,
                      int32_t *sum) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *row = x + r * x_stride;
#if CK_X86
        if (ck_isa() == CK_ISA_AVX512) {
            quantize_row_avx512(k, row, q + r * k, d + r, sum + r);
            continue;
        }
        if (ck_isa() == CK_ISA_AVX2) {
            quantize_row_avx2(k, row, q + r * k, d + r, sum + r);
            continue;
        }
#endif
        quantize_row_plain(k, row, q + r * k, d + r, sum + r);
    }
}
