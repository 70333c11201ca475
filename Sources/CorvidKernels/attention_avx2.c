// The stages of attention on AVX2: a vector of 16 is two registers.

#include "attention_sets.h"
#include "exponential.h"

#pragma STDC FP_CONTRACT OFF

#if CK_X86

// MARK: Small products

/// 8 of the lanes of a vector, from `first` on; lanes at and beyond `count` are 0.
CK_INLINE_AVX2 __m256 load_part(int f32, const char *b, ptrdiff_t first, ptrdiff_t count) {
    if (f32) return ck_load_8((const float *)b + first, count - first);
    uint16_t halves[8] = {0};
    ptrdiff_t present = ck_least(ck_greatest(count - first, 0), 8);
    memcpy(halves, b + first * 2, (size_t)present * sizeof(uint16_t));
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)halves));
}

CK_INLINE_AVX2 __m256 load_whole(int f32, const char *b, ptrdiff_t offset) {
    if (f32) return _mm256_loadu_ps((const float *)b + offset);
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)((const uint16_t *)b + offset)));
}

CK_INLINE_AVX2 void multiply(const int rows, const int vectors, const int f32, const int partial,
                             const product *p) {
    __m256 sum[most_rows][4];
    const float *a[most_rows];
    const ptrdiff_t steps = p->steps, step_bytes = p->step_width * (f32 ? 4 : 2), lanes = p->lanes;
    const ptrdiff_t ahead_step = p->ahead_step, vector_width = p->vector_width;
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        a[r] = p->a[r];
#pragma clang loop unroll(full)
        for (int v = 0; v < 2 * vectors; v++) {
            if (p->from_zero) sum[r][v] = _mm256_setzero_ps();
            else if (partial) sum[r][v] = ck_load_8(p->c[r] + 8 * v, lanes - 8 * v);
            else sum[r][v] = _mm256_loadu_ps(p->c[r] + 8 * v);
        }
    }
    const char *b = p->b, *ahead = p->ahead;
    for (ptrdiff_t i = 0; i < steps; i++) {
#pragma clang loop unroll(full)
        for (int line = 0; line < vectors * (f32 ? 64 : 32); line += 64)
            _mm_prefetch(ahead + line, _MM_HINT_T0);
        ahead += ahead_step;
        __m256 vector[4];
#pragma clang loop unroll(full)
        for (int v = 0; v < 2 * vectors; v++) {
            if (partial) vector[v] = load_part(f32, b, 8 * v, lanes);
            else vector[v] = load_whole(f32, b, v / 2 * vector_width + v % 2 * 8);
        }
        b += step_bytes;
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            __m256 coefficient = _mm256_broadcast_ss(a[r] + i);
#pragma clang loop unroll(full)
            for (int v = 0; v < 2 * vectors; v++)
                sum[r][v] = _mm256_fmadd_ps(coefficient, vector[v], sum[r][v]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < 2 * vectors; v++) {
            if (partial) ck_store_8(p->c[r] + 8 * v, lanes - 8 * v, sum[r][v]);
            else _mm256_storeu_ps(p->c[r] + 8 * v, sum[r][v]);
        }
    }
}

#define KERNEL(rows, width, vectors, f32, partial)                             \
    CK_AVX2 static void multiply_##rows##_##width##_##f32(const product *p) { \
        multiply(rows, vectors, f32, partial, p);                              \
    }
#define KERNELS(rows, f32) KERNEL(rows, 1, 1, f32, 0) KERNEL(rows, part, 1, f32, 1)
#define WIDE_KERNELS(rows, f32) KERNEL(rows, 2, 2, f32, 0) KERNELS(rows, f32)
#define NAMES(rows, f32) {0, 0, multiply_##rows##_1_##f32, multiply_##rows##_part_##f32}
#define WIDE_NAMES(rows, f32) \
    {0, multiply_##rows##_2_##f32, multiply_##rows##_1_##f32, multiply_##rows##_part_##f32}

WIDE_KERNELS(1, 0) WIDE_KERNELS(2, 0) KERNELS(3, 0) KERNELS(4, 0) KERNELS(5, 0) KERNELS(6, 0)
WIDE_KERNELS(1, 1) WIDE_KERNELS(2, 1) KERNELS(3, 1) KERNELS(4, 1) KERNELS(5, 1) KERNELS(6, 1)

static const kernel_table kernels = {
    {WIDE_NAMES(1, 0), WIDE_NAMES(2, 0), NAMES(3, 0), NAMES(4, 0), NAMES(5, 0), NAMES(6, 0)},
    {WIDE_NAMES(1, 1), WIDE_NAMES(2, 1), NAMES(3, 1), NAMES(4, 1), NAMES(5, 1), NAMES(6, 1)},
};

static void products(const ck_attention_block *block, ck_range positions) {
    multiply_keys(kernels, block, positions);
}

// MARK: Softmax

/// The scores of 8 positions, of which the first lies at some distance from the last position seen.
CK_INLINE_AVX2 __m256 biased(__m256 product, float scale, const ck_bias *bias, const float *table,
                             ptrdiff_t distance) {
    __m256 score = _mm256_mul_ps(product, _mm256_set1_ps(scale));
    if (bias->table) return _mm256_add_ps(score, _mm256_loadu_ps(table));
    if (!bias->slope) return score;
    __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i distances = _mm256_add_epi32(lanes, _mm256_set1_epi32((int)distance));
    return _mm256_fmadd_ps(_mm256_set1_ps(*bias->slope), _mm256_cvtepi32_ps(distances), score);
}

/// All bits of the lanes which lie in a range, for the 8 positions from `first` on.
CK_INLINE_AVX2 __m256 lanes_in(ck_range range, ptrdiff_t first) {
    __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    ptrdiff_t from = ck_least(ck_greatest(range.from - first, 0), 8);
    ptrdiff_t to = ck_least(ck_greatest(range.to - first, 0), 8);
    __m256i below = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)from), lanes);
    __m256i inside = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)to), lanes);
    return _mm256_castsi256_ps(_mm256_andnot_si256(below, inside));
}

CK_INLINE_AVX2 float greatest_of(__m256 x) {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/// Turns the products of one query, from the tile on in which the range begins, into exp(score - maximum) and
/// returns their sum.
CK_INLINE_AVX2 float exponentials_of(float *scores, ck_range seen, float scale, const ck_bias *bias) {
    ptrdiff_t first = seen.from / 16 * 16, last = seen.to - 1;
    const __m256 lowest = _mm256_set1_ps(-INFINITY);
    __m256 greatest[2] = {lowest, lowest}, sum[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    for (ptrdiff_t tile = first; tile < seen.to; tile += 16) {
        const float *table = bias->table ? ck_bias_at(bias, tile) : 0;
        for (int v = 0; v < 2; v++) {
            ptrdiff_t position = tile + 8 * v;
            float *place = scores + (position - first);
            const float *biases = table ? table + 8 * v : 0;
            __m256 score = biased(_mm256_loadu_ps(place), scale, bias, biases, position - last);
            _mm256_storeu_ps(place, score);
            // A NaN leaves the maximum as it is; its own exponential is NaN.
            score = _mm256_blendv_ps(lowest, score, lanes_in(seen, position));
            greatest[v] = _mm256_max_ps(score, greatest[v]);
        }
    }
    __m256 maximum = _mm256_set1_ps(greatest_of(_mm256_max_ps(greatest[0], greatest[1])));
    for (ptrdiff_t tile = first; tile < seen.to; tile += 16) {
        for (int v = 0; v < 2; v++) {
            float *place = scores + (tile + 8 * v - first);
            __m256 e = ck_exp_8_bounded(_mm256_sub_ps(_mm256_loadu_ps(place), maximum));
            e = _mm256_and_ps(e, lanes_in(seen, tile + 8 * v));
            _mm256_storeu_ps(place, e);
            sum[v] = _mm256_add_ps(sum[v], e);
        }
    }
    return ck_join_8(sum[0], sum[1]);
}

CK_AVX2 static void exponentials(const ck_attention_block *block, ck_range queries) {
    const ck_attention *a = block->task;
    for (ptrdiff_t i = queries.from; i < queries.to; i++) {
        ck_range seen = ck_visible(a, i);
        if (seen.from >= seen.to) continue;
        float *scores = ck_score(block, i, seen.from / 16 * 16), *sum = ck_sum(block, i);
        // One loop for each kind of bias.
        ck_bias bias = ck_bias_of(a, i), slope = {.slope = bias.slope}, none = {0};
        if (bias.table) *sum = exponentials_of(scores, seen, a->scale, &bias);
        else if (bias.slope) *sum = exponentials_of(scores, seen, a->scale, &slope);
        else *sum = exponentials_of(scores, seen, a->scale, &none);
    }
}

// MARK: Values

CK_AVX2 static void divide(float *x, ptrdiff_t n, float sum) {
    for (ptrdiff_t i = 0; i < n; i++) x[i] /= sum;
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

const ck_attention_form ck_attention_avx2 = {products, exponentials, values};

#endif
