// Row-scaled int8 products, 256 bits, few activation rows: the weights stream from memory once, row after
// row. Included once for each form, see product_avx2.h.
#include "product_avx2.h"
#include "product_int8.h"

#if CK_X86

#pragma STDC FP_CONTRACT OFF

enum { LEAD_BYTES = 4096 };

/// The weights as the dots want them: unsigned, weight + 128, with AVX-VNNI, else as they are.
CK_INLINE_256 __m256i weights_at(const int8_t *w) {
    __m256i weights = _mm256_loadu_si256((const __m256i *)(const void *)w);
    return CK_VNNI ? _mm256_xor_si256(weights, _mm256_set1_epi8((char)128)) : weights;
}

CK_INLINE_256 __m256i numbers_at(const int8_t *q) {
    return _mm256_loadu_si256((const __m256i *)(const void *)q);
}

/// sums[r] = the vector of partial sums of one weight row with activation row r. `tails` are the last k mod
/// 32 numbers of each activation row, filled up with zeros.
CK_INLINE_256 void weight_row(int count, const int8_t *restrict w, const int8_t *restrict q, ptrdiff_t k,
                              const int8_t (*restrict tails)[32], __m256i *restrict sums) {
    __m256i even[CK_INT8_FEW_ROWS], odd[CK_INT8_FEW_ROWS];
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) even[r] = odd[r] = _mm256_setzero_si256();
    ptrdiff_t i = 0;
    for (; i + 64 <= k; i += 64) {
        // Prefetching past the end is harmless: it never faults.
        _mm_prefetch((const char *)((uintptr_t)(w + i) + LEAD_BYTES), _MM_HINT_T0);
        __m256i first = weights_at(w + i), second = weights_at(w + i + 32);
#pragma clang loop unroll(full)
        for (int r = 0; r < count; r++) {
            even[r] = ck_add_dots8(even[r], first, numbers_at(q + r * k + i));
            odd[r] = ck_add_dots8(odd[r], second, numbers_at(q + r * k + i + 32));
        }
    }
    if (i + 32 <= k) {
        __m256i first = weights_at(w + i);
#pragma clang loop unroll(full)
        for (int r = 0; r < count; r++) even[r] = ck_add_dots8(even[r], first, numbers_at(q + r * k + i));
        i += 32;
    }
    if (i < k) {
        int8_t last[32] = {0};
        memcpy(last, w + i, (size_t)(k - i));
        __m256i first = weights_at(last);
#pragma clang loop unroll(full)
        for (int r = 0; r < count; r++) even[r] = ck_add_dots8(even[r], first, numbers_at(tails[r]));
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) sums[r] = _mm256_add_epi32(even[r], odd[r]);
}

/// The sums of the lanes of four vectors.
CK_INLINE_256 __m128i sum_lanes(__m256i a, __m256i b, __m256i c, __m256i d) {
    __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    return _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
}

CK_INLINE_256 void product(int count, const ck_int8_product *p) {
    int8_t tails[CK_INT8_FEW_ROWS][32] = {{0}};
    ptrdiff_t tail = p->k % 32;
    for (int r = 0; r < count; r++) memcpy(tails[r], p->q + (r + 1) * p->k - tail, (size_t)tail);
    for (ptrdiff_t j = 0; j < p->outputs; j += 4) {
        ptrdiff_t width = p->outputs - j < 4 ? p->outputs - j : 4;
        __m128i mask = _mm256_castsi256_si128(ck_first_lanes(width));
        __m256i sums[4][CK_INT8_FEW_ROWS];
        for (ptrdiff_t c = 0; c < 4; c++) {
            ptrdiff_t row = j + (c < width ? c : width - 1);
            weight_row(count, p->weights + row * p->k, p->q, p->k, tails, sums[c]);
        }
        __m128 scale = _mm_maskload_ps(p->scales + j, mask);
        for (int r = 0; r < count; r++) {
            __m128i sum = sum_lanes(sums[0][r], sums[1][r], sums[2][r], sums[3][r]);
            if (CK_VNNI) sum = _mm_sub_epi32(sum, _mm_slli_epi32(_mm_set1_epi32(p->sum[r]), 7));
            __m128 y = _mm_mul_ps(_mm_cvtepi32_ps(sum), _mm_mul_ps(scale, _mm_set1_ps(p->d[r])));
            _mm_maskstore_ps(p->out + r * p->out_stride + j, mask, y);
        }
    }
}

CK_256 void CK_256_NAME(ck_int8_few)(const ck_int8_product *p) {
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
