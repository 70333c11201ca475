// The stages of attention on AVX-512. The queries of a block are taken in sets of at most six, which share
// one small matrix product; pages are the outer loop, so that a page is read once from memory for all sets.

#include "attention.h"

#include "attention_product_avx512.h"
#include "exponential.h"

#pragma STDC FP_CONTRACT OFF

#if CK_X86

/// Consecutive queries of a block, at most six, and what they see.
typedef struct query_set {
    ck_range queries;
    ck_range any;  // seen by at least one of them
    ck_range all;  // seen by every one of them; empty if from >= to
} query_set;

CK_INLINE ptrdiff_t number_of_sets(const ck_attention_block *block) {
    return (block->queries.to - block->queries.from + most_rows - 1) / most_rows;
}

CK_INLINE query_set set_of_queries(const ck_attention_block *block, ptrdiff_t index, ptrdiff_t sets) {
    ptrdiff_t start = block->queries.from, count = block->queries.to - start;
    ck_range queries = {start + count * index / sets, start + count * (index + 1) / sets};
    ck_range low = ck_visible(block->task, queries.from), high = ck_visible(block->task, queries.to - 1);
    return (query_set){queries, {low.from, high.to}, {high.from, low.to}};
}

CK_INLINE ptrdiff_t element_bytes(const ck_attention *a) { return a->keys_are_f32 ? 4 : 2; }

CK_INLINE ck_range page_positions(ptrdiff_t page) {
    return (ck_range){page * CK_PAGE_POSITIONS, (page + 1) * CK_PAGE_POSITIONS};
}

// MARK: Scores

/// The products of a set's queries with the keys at some positions of one page, in whole tiles.
/// `next` is what is read after it; null if all of this comes from a near cache.
static void multiply_page(const ck_attention_block *block, const query_set *set, ck_range positions,
                          const char *next) {
    const ck_attention *a = block->task;
    ptrdiff_t width = a->head_width, tile_bytes = 16 * width * element_bytes(a);
    const char *page = a->key_pages[positions.from / CK_PAGE_POSITIONS];
    ptrdiff_t rows = set->queries.to - set->queries.from;
    product p = {.steps = width, .step_width = 16, .vector_width = 16 * width, .from_zero = 1};
    for (ptrdiff_t r = 0; r < rows; r++) p.a[r] = ck_query(a, set->queries.from + r);
    const kernel *form = kernels[a->keys_are_f32 != 0][rows - 1];
    ptrdiff_t tile = positions.from / 16, last = (positions.to + 15) / 16;
    while (tile < last) {
        ptrdiff_t count = last - tile >= 4 ? 4 : last - tile >= 2 ? 2 : 1;
        p.b = page + tile % (CK_PAGE_POSITIONS / 16) * tile_bytes;
        p.ahead = !next ? p.b : tile + count < last ? p.b + count * tile_bytes : next;
        p.ahead_step = count * 16 * element_bytes(a);
        for (ptrdiff_t r = 0; r < rows; r++) p.c[r] = ck_score(block, set->queries.from + r, tile * 16);
        form[count == 4 ? 0 : count == 2 ? 1 : 2](&p);
        tile += count;
    }
}

static void products(const ck_attention_block *block, ck_range positions) {
    const ck_attention *a = block->task;
    ptrdiff_t sets = number_of_sets(block), first = positions.from / CK_PAGE_POSITIONS;
    for (ptrdiff_t page = first; page * CK_PAGE_POSITIONS < positions.to; page++) {
        ck_range here = ck_common(page_positions(page), positions);
        const char *next = here.to == positions.to ? a->value_pages[first] : a->key_pages[page + 1];
        for (ptrdiff_t s = 0; s < sets; s++) {
            query_set set = set_of_queries(block, s, sets);
            ck_range seen = ck_common(set.any, here);
            if (seen.from < seen.to) multiply_page(block, &set, seen, s == 0 ? next : 0);
        }
    }
}

// MARK: Softmax

CK_INLINE_AVX512 __m512 biased(__m512 product, float scale, float slope, int has_slope, ptrdiff_t distance) {
    __m512 score = _mm512_mul_ps(product, _mm512_set1_ps(scale));
    if (!has_slope) return score;
    __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i distances = _mm512_add_epi32(lanes, _mm512_set1_epi32((int)distance));
    return _mm512_fmadd_ps(_mm512_set1_ps(slope), _mm512_cvtepi32_ps(distances), score);
}

/// The lanes of the tile at a position which lie in a range that ends behind it.
CK_INLINE __mmask16 lanes_in(ck_range range, ptrdiff_t tile) {
    __mmask16 lanes = ck_mask(range.to - tile);
    return range.from <= tile ? lanes : lanes & (__mmask16)~ck_mask(range.from - tile);
}

/// Turns the products of one query, from the tile on in which the range begins, into exp(score - maximum) and
/// returns their sum. Meanwhile the lines from `ahead` to `ahead_end` are asked of memory, which is idle.
CK_INLINE_AVX512 float exponentials_of(float *scores, ck_range seen, float scale, float slope, int has_slope,
                                       const char *ahead, const char *ahead_end) {
    ptrdiff_t first = seen.from / 16 * 16, last = seen.to - 1;
    __m512 greatest = _mm512_set1_ps(-INFINITY), sum = _mm512_setzero_ps();
    for (ptrdiff_t tile = first; tile < seen.to; tile += 16) {
        __m512 score = biased(_mm512_load_ps(scores + (tile - first)), scale, slope, has_slope, tile - last);
        // A NaN leaves the maximum as it is; its own exponential is NaN.
        greatest = _mm512_mask_max_ps(greatest, lanes_in(seen, tile), score, greatest);
    }
    __m512 maximum = _mm512_set1_ps(_mm512_reduce_max_ps(greatest));
    for (ptrdiff_t tile = first; tile < seen.to; tile += 16) {
        if (ahead < ahead_end) _mm_prefetch(ahead, _MM_HINT_T1);
        ahead += 64;
        __m512 score = biased(_mm512_load_ps(scores + (tile - first)), scale, slope, has_slope, tile - last);
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
        if (a->slopes) {
            float slope = a->slopes[i % a->group];
            *sum = exponentials_of(scores, seen, a->scale, slope, 1, ahead, ahead_end);
        } else {
            *sum = exponentials_of(scores, seen, a->scale, 0, 0, ahead, ahead_end);
        }
        ahead = ck_least(ahead_end - ahead, (seen.to - seen.from) * 4) + ahead;
    }
}

// MARK: Values

/// Adds the weighted values at some positions of one page to some dimensions of the outputs of some queries.
static void add_values(const ck_attention_block *block, ck_range queries, ck_range positions,
                       ck_range dimensions, const char *next) {
    const ck_attention *a = block->task;
    ptrdiff_t size = element_bytes(a), row_bytes = a->head_width * size;
    // About 8 KiB at a time, while the next are on their way.
    ptrdiff_t chunk = next ? ck_greatest(8192 / row_bytes, 1) : CK_PAGE_POSITIONS;
    product p = {.step_width = a->head_width, .vector_width = 16, .ahead_step = row_bytes};
    p.mask = ck_mask(a->head_width % 16);
    ptrdiff_t rows = queries.to - queries.from;
    const kernel *form = kernels[a->keys_are_f32 != 0][rows - 1];
    for (ptrdiff_t position = positions.from; position < positions.to; position += p.steps) {
        p.steps = ck_least(chunk, positions.to - position);
        const char *page = a->value_pages[position / CK_PAGE_POSITIONS];
        const char *values = page + position % CK_PAGE_POSITIONS * row_bytes;
        const char *ahead = values;
        if (next) ahead = position + p.steps < positions.to ? values + p.steps * row_bytes : next;
        for (ptrdiff_t r = 0; r < rows; r++) p.a[r] = ck_score(block, queries.from + r, position);
        for (ptrdiff_t d = dimensions.from; d < dimensions.to;) {
            ptrdiff_t vectors = (dimensions.to - d) / 16;
            int which = vectors >= 4 ? 0 : vectors >= 2 ? 1 : vectors == 1 ? 2 : 3;
            p.b = values + d * size;
            p.ahead = ahead + d * size;
            for (ptrdiff_t r = 0; r < rows; r++) p.c[r] = ck_output(a, queries.from + r) + d;
            form[which](&p);
            d += which == 0 ? 64 : which == 1 ? 32 : 16;
        }
    }
}

/// The same for what each row of a set sees of `positions`.
static void add_values_by_row(const ck_attention_block *block, ck_range queries, ck_range positions,
                              ck_range dimensions) {
    const ck_attention *a = block->task;
    for (ptrdiff_t i = queries.from, after; i < queries.to; i = after) {
        after = ck_least((i / a->group + 1) * a->group, queries.to);
        ck_range seen = ck_common(ck_visible(a, i), positions);
        if (seen.from < seen.to) add_values(block, (ck_range){i, after}, seen, dimensions, 0);
    }
}

/// The same for a whole set. What not all of its queries see is added row by row, in order of position, so
/// that no query meets a value which it does not see.
static void add_values_of_page(const ck_attention_block *block, const query_set *set, ck_range page,
                               ck_range dimensions, const char *next) {
    ck_range all = set->all;
    if (all.from >= all.to) all = (ck_range){set->any.to, set->any.to};
    add_values_by_row(block, set->queries, ck_common(page, (ck_range){set->any.from, all.from}), dimensions);
    ck_range shared = ck_common(page, all);
    if (shared.from < shared.to) add_values(block, set->queries, shared, dimensions, next);
    add_values_by_row(block, set->queries, ck_common(page, (ck_range){all.to, set->any.to}), dimensions);
}

CK_AVX512 static void divide(float *x, ptrdiff_t n, float sum) {
    for (ptrdiff_t i = 0; i < n; i += 16)
        ck_store_16(x + i, n - i, _mm512_div_ps(ck_load_16(x + i, n - i), _mm512_set1_ps(sum)));
}

static void values(const ck_attention_block *block, ck_range dimensions) {
    const ck_attention *a = block->task;
    ck_range queries = block->queries, positions = block->positions;
    ptrdiff_t count = dimensions.to - dimensions.from, sets = number_of_sets(block);
    if (count <= 0) return;
    for (ptrdiff_t i = queries.from; i < queries.to; i++)
        memset(ck_output(a, i) + dimensions.from, 0, (size_t)count * sizeof(float));
    ptrdiff_t first = positions.from / CK_PAGE_POSITIONS;
    for (ptrdiff_t page = first; page * CK_PAGE_POSITIONS < positions.to; page++) {
        ck_range here = ck_common(page_positions(page), positions);
        const char *next = a->value_pages[here.to < positions.to ? page + 1 : page];
        for (ptrdiff_t s = 0; s < sets; s++) {
            query_set set = set_of_queries(block, s, sets);
            add_values_of_page(block, &set, here, dimensions, s == 0 ? next : 0);
        }
    }
    for (ptrdiff_t i = queries.from; i < queries.to; i++) {
        ck_range seen = ck_visible(a, i);
        if (seen.from < seen.to) divide(ck_output(a, i) + dimensions.from, count, *ck_sum(block, i));
    }
}

const ck_attention_form ck_attention_avx512 = {products, exponentials, values};

#endif
