// The stages of attention on AVX-512.

#include "attention.h"

#include "attention_product_avx512.h"
#include "exponential.h"

#pragma STDC FP_CONTRACT OFF

#if CK_X86

static void products(const ck_attention_block *block, ck_range positions) {
    multiply_keys(kernels, block, positions);
}

// MARK: Softmax

/// The scores of the tile at a position, which lies at some distance from the last position seen.
CK_INLINE_AVX512 __m512 biased(__m512 product, float scale, const ck_bias *bias, ptrdiff_t tile,
                               ptrdiff_t distance) {
    __m512 score = _mm512_mul_ps(product, _mm512_set1_ps(scale));
    if (bias->table) return _mm512_add_ps(score, _mm512_loadu_ps(ck_bias_at(bias, tile)));
    if (!bias->slope) return score;
    __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i distances = _mm512_add_epi32(lanes, _mm512_set1_epi32((int)distance));
    return _mm512_fmadd_ps(_mm512_set1_ps(*bias->slope), _mm512_cvtepi32_ps(distances), score);
}

/// The lanes of the tile at a position which lie in a range that ends behind it.
CK_INLINE __mmask16 lanes_in(ck_range range, ptrdiff_t tile) {
    __mmask16 lanes = ck_mask(range.to - tile);
    return range.from <= tile ? lanes : lanes & (__mmask16)~ck_mask(range.from - tile);
}

/// Turns the products of one query, from the tile on in which the range begins, into exp(score - maximum) and
/// returns their sum. Meanwhile the lines from `ahead` to `ahead_end` are asked of memory, which is idle.
CK_INLINE_AVX512 float exponentials_of(float *scores, ck_range seen, float scale, const ck_bias *bias,
                                       const char *ahead, const char *ahead_end) {
    ptrdiff_t first = seen.from / 16 * 16, last = seen.to - 1;
    __m512 greatest = _mm512_set1_ps(-INFINITY), sum = _mm512_setzero_ps();
    for (ptrdiff_t tile = first; tile < seen.to; tile += 16) {
        __m512 score = biased(_mm512_load_ps(scores + (tile - first)), scale, bias, tile, tile - last);
        // A NaN leaves the maximum as it is; its own exponential is NaN.
        greatest = _mm512_mask_max_ps(greatest, lanes_in(seen, tile), score, greatest);
    }
    __m512 maximum = _mm512_set1_ps(_mm512_reduce_max_ps(greatest));
    for (ptrdiff_t tile = first; tile < seen.to; tile += 16) {
        if (ahead < ahead_end) _mm_prefetch(ahead, _MM_HINT_T1);
        ahead += 64;
        __m512 score = biased(_mm512_load_ps(scores + (tile - first)), scale, bias, tile, tile - last);
        __m512 e = ck_exp_16_bounded(_mm512_sub_ps(score, maximum));
        e = _mm512_maskz_mov_ps(lanes_in(seen, tile), e);
        _mm512_store_ps(scores + (tile - first), e);
        sum = _mm512_add_ps(sum, e);
    }
    return ck_join_16(sum);
}

CK_AVX512 static void exponentials(const ck_attention_block *block, ck_range queries) {
    const ck_attention *a = block->task;
    if (block->positions.from >= block->positions.to) return;
    ptrdiff_t row_bytes = a->head_width * element_bytes(a), slot = block->positions.from % CK_PAGE_POSITIONS;
    const char *page = a->value_pages[block->positions.from / CK_PAGE_POSITIONS];
    const char *ahead = page + slot * row_bytes, *ahead_end = page + CK_PAGE_POSITIONS * row_bytes;
    for (ptrdiff_t i = queries.from; i < queries.to; i++) {
        ck_range seen = ck_visible(a, i);
        if (seen.from >= seen.to) continue;
        float *scores = ck_score(block, i, seen.from / 16 * 16), *sum = ck_sum(block, i);
        // One loop for each kind of bias.
        ck_bias bias = ck_bias_of(a, i), slope = {.slope = bias.slope}, none = {0};
        if (bias.table) *sum = exponentials_of(scores, seen, a->scale, &bias, ahead, ahead_end);
        else if (bias.slope) *sum = exponentials_of(scores, seen, a->scale, &slope, ahead, ahead_end);
        else *sum = exponentials_of(scores, seen, a->scale, &none, ahead, ahead_end);
        ahead = ck_least(ahead_end - ahead, (seen.to - seen.from) * 4) + ahead;
    }
}

// MARK: Values

CK_AVX512 static void divide(float *x, ptrdiff_t n, float sum) {
    for (ptrdiff_t i = 0; i < n; i += 16)
        ck_store_16(x + i, n - i, _mm512_div_ps(ck_load_16(x + i, n - i), _mm512_set1_ps(sum)));
}

static void values(const ck_attention_block *block, ck_range dimensions) {
    const ck_attention *a = block->task;
    ptrdiff_t count = dimensions.to - dimensions.from;
    if (count <= 0) return;
    sum_values(kernels, block, dimensions);
    for (ptrdiff_t i = block->queries.from; i < block->queries.to; i++) {
        ck_range seen = ck_visible(a, i);
        if (seen.from < seen.to) divide(ck_output(a, i) + dimensions.from, count, *ck_sum(block, i));
    }
}

const ck_attention_form ck_attention_avx512 = {products, exponentials, values};

#endif
