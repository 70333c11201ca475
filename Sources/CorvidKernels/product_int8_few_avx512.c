// Row-scaled int8 products, AVX-512, few activation rows: the weights stream from memory once, row after row.
#include "product_int8.h"

#if CK_X86
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF

enum { LEAD_BYTES = 4096 };

/// sums[i] = the vector of partial sums of one weight row, as unsigned (w + 128), with activation row i.
CK_INLINE_AVX512 void weight_row(int count, const int8_t *restrict w, const int8_t *restrict q, ptrdiff_t k,
                                 __m512i *restrict sums) {
    const __m512i flip = _mm512_set1_epi8((char)128);
    __m512i even[CK_INT8_FEW_ROWS], odd[CK_INT8_FEW_ROWS];
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) even[r] = odd[r] = _mm512_setzero_si512();
    ptrdiff_t i = 0;
    for (; i + 128 <= k; i += 128) {
        // Prefetching past the end is harmless: it never faults.
        uintptr_t ahead = (uintptr_t)(w + i) + LEAD_BYTES;
        _mm_prefetch((const char *)ahead, _MM_HINT_T0);
        _mm_prefetch((const char *)(ahead + 64), _MM_HINT_T0);
        __m512i u0 = _mm512_xor_si512(_mm512_loadu_si512(w + i), flip);
        __m512i u1 = _mm512_xor_si512(_mm512_loadu_si512(w + i + 64), flip);
#pragma clang loop unroll(full)
        for (int r = 0; r < count; r++) {
            even[r] = _mm512_dpbusd_epi32(even[r], u0, _mm512_loadu_si512(q + r * k + i));
            odd[r] = _mm512_dpbusd_epi32(odd[r], u1, _mm512_loadu_si512(q + r * k + i + 64));
        }
    }
    for (; i < k; i += 64) {
        __mmask64 mask = k - i >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << (k - i)) - 1;
        __m512i u = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, w + i), flip);
#pragma clang loop unroll(full)
        for (int r = 0; r < count; r++) {
            even[r] = _mm512_dpbusd_epi32(even[r], u, _mm512_maskz_loadu_epi8(mask, q + r * k + i));
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) sums[r] = _mm512_add_epi32(even[r], odd[r]);
}

/// The sums of the lanes of four vectors.
CK_INLINE_AVX512 __m128i sum_lanes(__m512i a, __m512i b, __m512i c, __m512i d) {
    __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

CK_INLINE_AVX512 void product(int count, const ck_int8_product *p) {
    for (ptrdiff_t j = 0; j < p->outputs; j += 4) {
        ptrdiff_t width = p->outputs - j < 4 ? p->outputs - j : 4;
        __mmask8 mask = (__mmask8)((1u << width) - 1);
        __m512i sums[4][CK_INT8_FEW_ROWS];
        for (ptrdiff_t c = 0; c < 4; c++) {
            ptrdiff_t row = j + (c < width ? c : width - 1);
            weight_row(count, p->weights + row * p->k, p->q, p->k, sums[c]);
        }
        __m128 scale = _mm_maskz_loadu_ps(mask, p->scales + j);
        for (int r = 0; r < count; r++) {
            __m128i sum = sum_lanes(sums[0][r], sums[1][r], sums[2][r], sums[3][r]);
            sum = _mm_sub_epi32(sum, _mm_slli_epi32(_mm_set1_epi32(p->sum[r]), 7));
            __m128 y = _mm_mul_ps(_mm_cvtepi32_ps(sum), _mm_mul_ps(scale, _mm_set1_ps(p->d[r])));
            _mm_mask_storeu_ps(p->out + r * p->out_stride + j, mask, y);
        }
    }
}

CK_AVX512 void ck_int8_few_avx512(const ck_int8_product *p) {
    switch (p->rows) {
    case 1: product(1, p); return;
    case 2: product(2, p); return;
    case 3: product(3, p); return;
    case 4: product(4, p); return;
    case 5: product(5, p); return;
    case 6: product(6, p); return;
    case 7: product(7, p); return;
    default: product(CK_INT8_FEW_ROWS, p); return;
    }
}

#endif
