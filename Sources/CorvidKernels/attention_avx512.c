// Attention on AVX-512. Scores and weighted values are the same small matrix product: up to six rows of
// coefficients times up to four vectors of 16, one fma per output and step, in order. For the scores a step is
// a dimension of the head and a vector is a tile of 16 keys; for the values a step is a position and a vector
// is 16 dimensions. Each key and value is converted once for six queries.

#include "attention.h"

#include "exponential.h"

#pragma STDC FP_CONTRACT OFF

#if CK_X86

enum { most_rows = 6, most_vectors = 4 };

/// c[row][16 v + lane] += sum over steps of a[row][step] * b[step * step_width + v * vector_width + lane].
typedef struct product {
    ptrdiff_t steps, step_width, vector_width;
    const float *a[most_rows];
    const char *b;
    float *c[most_rows];
    int from_zero;      // c starts from 0 instead of what is there
    __mmask16 mask;     // lanes of b and c which exist, for the masked kernels
    const char *ahead;  // what will be read next, to be asked of memory early
} product;

CK_INLINE_AVX512 __m512 load_vector(int f32, int masked, __mmask16 mask, const char *b, ptrdiff_t offset) {
    if (f32) {
        const float *p = (const float *)b + offset;
        return masked ? _mm512_maskz_loadu_ps(mask, p) : _mm512_loadu_ps(p);
    }
    const uint16_t *p = (const uint16_t *)b + offset;
    __m256i halves = masked ? _mm256_maskz_loadu_epi16(mask, p) : _mm256_loadu_si256((const __m256i *)p);
    return _mm512_cvtph_ps(halves);
}

CK_INLINE_AVX512 void multiply(const int rows, const int vectors, const int f32, const int masked,
                               const product *p) {
    __m512 sum[most_rows][most_vectors];
    const float *a[most_rows];
    const ptrdiff_t steps = p->steps, step_width = p->step_width, vector_width = p->vector_width;
    const __mmask16 mask = p->mask;
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        a[r] = p->a[r];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            if (p->from_zero) sum[r][v] = _mm512_setzero_ps();
            else if (masked) sum[r][v] = _mm512_maskz_loadu_ps(mask, p->c[r] + 16 * v);
            else sum[r][v] = _mm512_loadu_ps(p->c[r] + 16 * v);
        }
    }
    const char *b = p->b, *ahead = p->ahead;
    const int step_bytes = vectors * 16 * (f32 ? 4 : 2);
    for (ptrdiff_t i = 0; i < steps; i++) {
#pragma clang loop unroll(full)
        for (int line = 0; line < step_bytes; line += 64) _mm_prefetch(ahead + line, _MM_HINT_T0);
        ahead += step_bytes;
        __m512 vector[most_vectors];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) vector[v] = load_vector(f32, masked, mask, b, v * vector_width);
        b += step_width * (f32 ? 4 : 2);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            __m512 coefficient = _mm512_set1_ps(a[r][i]);
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) sum[r][v] = _mm512_fmadd_ps(coefficient, vector[v], sum[r][v]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            if (masked) _mm512_mask_storeu_ps(p->c[r] + 16 * v, mask, sum[r][v]);
            else _mm512_storeu_ps(p->c[r] + 16 * v, sum[r][v]);
        }
    }
}

typedef void (*kernel)(const product *);

#define KERNEL(rows, width, vectors, f32, masked)                                          \
    CK_AVX512 static void multiply_##rows##_##width##_##f32(const product *p) {             \
        multiply(rows, vectors, f32, masked, p);                                            \
    }
#define KERNELS(rows, f32)                                                                 \
    KERNEL(rows, 4, 4, f32, 0) KERNEL(rows, 2, 2, f32, 0) KERNEL(rows, 1, 1, f32, 0)        \
    KERNEL(rows, part, 1, f32, 1)
#define NAMES(rows, f32)                                                                   \
    {multiply_##rows##_4_##f32, multiply_##rows##_2_##f32, multiply_##rows##_1_##f32,       \
     multiply_##rows##_part_##f32}

KERNELS(1, 0) KERNELS(2, 0) KERNELS(3, 0) KERNELS(4, 0) KERNELS(5, 0) KERNELS(6, 0)
KERNELS(1, 1) KERNELS(2, 1) KERNELS(3, 1) KERNELS(4, 1) KERNELS(5, 1) KERNELS(6, 1)

/// [type][rows - 1][vectors: 4, 2, 1, 1 masked]
static const kernel kernels[2][most_rows][4] = {
    {NAMES(1, 0), NAMES(2, 0), NAMES(3, 0), NAMES(4, 0), NAMES(5, 0), NAMES(6, 0)},
    {NAMES(1, 1), NAMES(2, 1), NAMES(3, 1), NAMES(4, 1), NAMES(5, 1), NAMES(6, 1)},
};

// MARK: Scores

/// Consecutive queries of a block, at most six, and what they see together.
typedef struct query_set {
    ptrdiff_t first, count;
    ck_range any;   // seen by at least one of them
    ck_range all;   // seen by every one of them; begin >= end if there is none
} query_set;

CK_INLINE query_set set_of_queries(const ck_attention_block *block, ptrdiff_t index, ptrdiff_t sets) {
    const ck_attention *a = block->task;
    ptrdiff_t queries = block->last - block->first;
    ptrdiff_t first = block->first + queries * index / sets, last = block->first + queries * (index + 1) / sets;
    ck_range low = ck_visible(a, first / a->group), high = ck_visible(a, (last - 1) / a->group);
    return (query_set){first, last - first, {low.begin, high.end}, {high.begin, low.end}};
}

CK_INLINE ptrdiff_t number_of_sets(const ck_attention_block *block) {
    return (block->last - block->first + most_rows - 1) / most_rows;
}

CK_INLINE size_t element_bytes(const ck_attention *a) { return a->keys_are_f32 ? 4 : 2; }

/// The products of a set's queries with its keys at positions `begin ..< end` of one page, in whole tiles.
/// `next` is what is read after it, null if all of this comes from a near cache.
static void score_page(const ck_attention_block *block, const query_set *set, ptrdiff_t begin, ptrdiff_t end,
                       const char *next) {
    const ck_attention *a = block->task;
    ptrdiff_t width = a->head_width, tile_bytes = 16 * width * (ptrdiff_t)element_bytes(a);
    const char *page = a->key_pages[begin / CK_PAGE_POSITIONS];
    product p = {.steps = width, .step_width = 16, .vector_width = 16 * width, .from_zero = 1};
    for (ptrdiff_t i = 0; i < set->count; i++) p.a[i] = ck_query(a, set->first + i);
    const kernel *form = kernels[a->keys_are_f32 != 0][set->count - 1];
    ptrdiff_t tile = begin / 16, last = (end + 15) / 16;
    while (tile < last) {
        ptrdiff_t count = last - tile >= 4 ? 4 : last - tile >= 2 ? 2 : 1;
        p.b = page + tile % (CK_PAGE_POSITIONS / 16) * tile_bytes;
        p.ahead = !next ? p.b : tile + count < last ? p.b + count * tile_bytes : next;
        for (ptrdiff_t i = 0; i < set->count; i++) p.c[i] = ck_score(block, set->first + i, tile * 16);
        form[count == 4 ? 0 : count == 2 ? 1 : 2](&p);
        tile += count;
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

/// The lanes of a tile which lie in a range.
CK_INLINE __mmask16 lanes_in(ck_range range, ptrdiff_t tile) {
    __mmask16 before_end = range.end <= tile ? 0 : ck_mask(range.end - tile);
    return range.begin <= tile ? before_end : before_end & (__mmask16)~ck_mask(range.begin - tile);
}

/// Turns the products of one query, from the tile on in which the range begins, into exp(score - maximum) and
/// returns their sum.
CK_INLINE_AVX512 float exponentials(float *scores, ck_range seen, float scale, float slope, int has_slope) {
    ptrdiff_t first = seen.begin / 16 * 16, last = seen.end - 1;
    __m512 greatest = _mm512_set1_ps(-INFINITY), sum = _mm512_setzero_ps();
    for (ptrdiff_t tile = first; tile < seen.end; tile += 16) {
        __m512 score = biased(_mm512_load_ps(scores + (tile - first)), scale, slope, has_slope, tile - last);
        // A NaN leaves the maximum as it is; its own exponential is NaN.
        greatest = _mm512_mask_max_ps(greatest, lanes_in(seen, tile), score, greatest);
    }
    __m512 maximum = _mm512_set1_ps(_mm512_reduce_max_ps(greatest));
    for (ptrdiff_t tile = first; tile < seen.end; tile += 16) {
        __m512 score = biased(_mm512_load_ps(scores + (tile - first)), scale, slope, has_slope, tile - last);
        __m512 e = ck_exp_16_bounded(_mm512_sub_ps(score, maximum));
        e = _mm512_maskz_mov_ps(lanes_in(seen, tile), e);
        _mm512_store_ps(scores + (tile - first), e);
        sum = _mm512_add_ps(sum, e);
    }
    return ck_join_16(sum);
}

CK_AVX512 static float exponentials_of_query(const ck_attention_block *block, ptrdiff_t query, ck_range seen) {
    const ck_attention *a = block->task;
    float *scores = ck_score(block, query, seen.begin / 16 * 16);
    if (!a->slopes) return exponentials(scores, seen, a->scale, 0, 0);
    return exponentials(scores, seen, a->scale, a->slopes[query % a->group], 1);
}

// MARK: Values

/// Adds the weighted values at positions `begin ..< end` of one page to the outputs of some queries.
static void add_values(const ck_attention_block *block, ptrdiff_t first, ptrdiff_t count, ptrdiff_t begin,
                       ptrdiff_t end, const char *next) {
    if (begin >= end) return;
    const ck_attention *a = block->task;
    ptrdiff_t width = a->head_width, size = (ptrdiff_t)element_bytes(a);
    // About 8 KiB at a time, while the next are on their way.
    ptrdiff_t chunk = next ? ck_greatest(8192 / (width * size), 1) : CK_PAGE_POSITIONS;
    product p = {.step_width = width, .vector_width = 16, .mask = ck_mask(width % 16)};
    const kernel *form = kernels[a->keys_are_f32 != 0][count - 1];
    for (ptrdiff_t position = begin; position < end; position += p.steps) {
        p.steps = ck_least(chunk, end - position);
        const char *rows = (const char *)a->value_pages[position / CK_PAGE_POSITIONS]
            + position % CK_PAGE_POSITIONS * width * size;
        const char *ahead = !next ? rows : position + p.steps < end ? rows + p.steps * width * size : next;
        for (ptrdiff_t i = 0; i < count; i++) p.a[i] = ck_score(block, first + i, position);
        for (ptrdiff_t d = 0; d < width;) {
            ptrdiff_t vectors = (width - d) / 16;
            int which = vectors >= 4 ? 0 : vectors >= 2 ? 1 : vectors == 1 ? 2 : 3;
            ptrdiff_t lanes = which == 0 ? 64 : which == 1 ? 32 : 16;
            p.b = rows + d * size;
            p.ahead = ahead;
            for (ptrdiff_t i = 0; i < count; i++) p.c[i] = ck_output(a, first + i) + d;
            form[which](&p);
            d += lanes;
            if (next) ahead += p.steps * lanes * size;
        }
    }
}

/// The same for a whole set. What not all of its queries see is added row by row, in order of position, so
/// that no query meets a value which it does not see.
static void add_values_of_page(const ck_attention_block *block, const query_set *set, ck_range page,
                               const char *next) {
    const ck_attention *a = block->task;
    ck_range all = set->all;
    if (all.begin >= all.end) all = (ck_range){set->any.end, set->any.end};
    ptrdiff_t last = set->first + set->count, after;
    for (ptrdiff_t query = set->first; query < last; query = after) {
        ck_range seen = ck_visible(a, query / a->group);
        after = ck_least((query / a->group + 1) * a->group, last);
        add_values(block, query, after - query, ck_greatest(seen.begin, page.begin),
                   ck_least(ck_least(seen.end, all.begin), page.end), 0);
    }
    add_values(block, set->first, set->count, ck_greatest(all.begin, page.begin), ck_least(all.end, page.end),
               next);
    for (ptrdiff_t query = set->first; query < last; query = after) {
        ck_range seen = ck_visible(a, query / a->group);
        after = ck_least((query / a->group + 1) * a->group, last);
        add_values(block, query, after - query, ck_greatest(all.end, page.begin),
                   ck_least(seen.end, page.end), 0);
    }
}

CK_AVX512 static void divide(float *x, ptrdiff_t n, float sum) {
    for (ptrdiff_t i = 0; i < n; i += 16) {
        __mmask16 mask = ck_mask(n - i);
        __m512 quotient = _mm512_div_ps(_mm512_maskz_loadu_ps(mask, x + i), _mm512_set1_ps(sum));
        _mm512_mask_storeu_ps(x + i, mask, quotient);
    }
}

// MARK: The whole

static void clear(const ck_attention_block *block) {
    const ck_attention *a = block->task;
    for (ptrdiff_t query = block->first; query < block->last; query++)
        memset(ck_output(a, query), 0, (size_t)a->head_width * sizeof(float));
}

void ck_attend_block_avx512(const ck_attention_block *block) {
    const ck_attention *a = block->task;
    ptrdiff_t sets = number_of_sets(block);
    float *sums = block->tile + 16 * a->head_width;
    if (block->base >= block->end) return clear(block);
    const char *first_values = a->value_pages[block->base / CK_PAGE_POSITIONS];
    // Page by page, so that a page is read once into the near caches for all queries of the block.
    for (ptrdiff_t page = block->base / CK_PAGE_POSITIONS; page * CK_PAGE_POSITIONS < block->end; page++) {
        ck_range here = {page * CK_PAGE_POSITIONS, (page + 1) * CK_PAGE_POSITIONS};
        const char *next = here.end < block->end ? a->key_pages[page + 1] : first_values;
        for (ptrdiff_t s = 0; s < sets; s++) {
            query_set set = set_of_queries(block, s, sets);
            ptrdiff_t begin = ck_greatest(set.any.begin, here.begin), end = ck_least(set.any.end, here.end);
            if (begin < end) score_page(block, &set, begin, end, s == 0 ? next : 0);
        }
    }
    for (ptrdiff_t query = block->first; query < block->last; query++) {
        sums[query - block->first] = exponentials_of_query(block, query, ck_visible(a, query / a->group));
    }
    clear(block);
    for (ptrdiff_t page = block->base / CK_PAGE_POSITIONS; page * CK_PAGE_POSITIONS < block->end; page++) {
        ck_range here = {page * CK_PAGE_POSITIONS, (page + 1) * CK_PAGE_POSITIONS};
        const char *next = a->value_pages[here.end < block->end ? page + 1 : page];
        for (ptrdiff_t s = 0; s < sets; s++) {
            query_set set = set_of_queries(block, s, sets);
            add_values_of_page(block, &set, here, s == 0 ? next : 0);
        }
    }
    for (ptrdiff_t query = block->first; query < block->last; query++) {
        ck_range seen = ck_visible(a, query / a->group);
        if (seen.begin < seen.end) divide(ck_output(a, query), a->head_width, sums[query - block->first]);
    }
}

#endif
