// Attention over paged keys and values: how the work is cut into blocks of queries, and into stages.

#include "attention.h"

enum {
    most_queries = 48,
    least_queries = 6,
    scores_in_cache = 128 * 1024,  // floats; half of a second-level cache of 1 MiB
};

static const ck_attention_form *form_in_use(void) {
#if CK_X86
    ck_isa_level level = ck_isa();
    if (level == CK_ISA_AVX512) return &ck_attention_avx512;
    if (level == CK_ISA_AVX2) return &ck_attention_avx2;
#endif
    return &ck_attention_plain;
}

static ptrdiff_t number_of_queries(const ck_attention *a) { return ck_greatest(a->rows * a->group, 0); }

/// Floats between the scores of two queries, when so many rows are worked on at one time. It is an odd number
/// of cache lines, so that the scores of one position do not all fall upon the same lines of the first cache.
static ptrdiff_t score_stride(const ck_attention *a, ptrdiff_t rows) {
    ptrdiff_t keys = ck_greatest(a->key_count, 0);
    if (a->window > 0 && a->window < keys) keys = ck_least(keys, a->window + rows);
    return (((keys + 15) / 16 + 1) | 1) * 16;
}

/// The block of some queries with its scores and sums in `scratch`.
static ck_attention_block block_of(const ck_attention *a, ck_range queries, ptrdiff_t stride,
                                   float *scratch) {
    ck_attention_block block = {.task = a, .queries = queries, .stride = stride};
    block.positions.from = ck_visible(a, queries.from).from / 16 * 16;
    block.positions.to = ck_visible(a, queries.to - 1).to;
    block.scores = (float *)(((uintptr_t)scratch + 63) & ~(uintptr_t)63);
    block.sums = block.scores + (queries.to - queries.from) * stride;
    return block;
}

static ptrdiff_t floats_of_block(ptrdiff_t queries, ptrdiff_t stride) { return 16 + queries * (stride + 1); }

// MARK: Whole

typedef struct plan {
    ptrdiff_t queries, stride;
} plan;

static plan plan_of(const ck_attention *a) {
    ptrdiff_t rows = ck_least(a->rows, most_queries / ck_greatest(a->group, 1) + 2);
    ptrdiff_t stride = score_stride(a, rows), queries = scores_in_cache / stride;
    queries = ck_least(ck_greatest(queries / least_queries * least_queries, least_queries), most_queries);
    return (plan){ck_least(queries, number_of_queries(a)), stride};
}

ptrdiff_t ck_attend_scratch_floats(const ck_attention *a) {
    plan p = plan_of(a);
    return floats_of_block(p.queries, p.stride);
}

void ck_attend(const ck_attention *a, float *scratch) {
    const ck_attention_form *form = form_in_use();
    plan p = plan_of(a);
    ptrdiff_t queries = number_of_queries(a);
    for (ptrdiff_t first = 0; first < queries; first += p.queries) {
        ck_range some = {first, ck_least(first + p.queries, queries)};
        ck_attention_block block = block_of(a, some, p.stride, scratch);
        form->products(&block, block.positions);
        form->exponentials(&block, block.queries);
        form->values(&block, (ck_range){0, a->head_width});
    }
}

// MARK: Stages

static ck_attention_block whole_block(const ck_attention *a, float *scratch) {
    return block_of(a, (ck_range){0, number_of_queries(a)}, score_stride(a, a->rows), scratch);
}

ptrdiff_t ck_attend_stages_scratch_floats(const ck_attention *a) {
    return floats_of_block(number_of_queries(a), score_stride(a, a->rows));
}

void ck_attend_products(const ck_attention *a, ptrdiff_t from, ptrdiff_t to, float *scratch) {
    if (number_of_queries(a) == 0) return;
    ck_attention_block block = whole_block(a, scratch);
    form_in_use()->products(&block, ck_common((ck_range){from, to}, block.positions));
}

void ck_attend_exponentials(const ck_attention *a, ptrdiff_t from, ptrdiff_t to, float *scratch) {
    if (number_of_queries(a) == 0) return;
    ck_attention_block block = whole_block(a, scratch);
    form_in_use()->exponentials(&block, ck_common((ck_range){from, to}, block.queries));
}

void ck_attend_values(const ck_attention *a, ptrdiff_t from, ptrdiff_t to, float *scratch) {
    if (number_of_queries(a) == 0) return;
    ck_attention_block block = whole_block(a, scratch);
    form_in_use()->values(&block, ck_common((ck_range){from, to}, (ck_range){0, a->head_width}));
}

float *ck_attend_weights(const ck_attention *a, ptrdiff_t query, ptrdiff_t *from, ptrdiff_t *to, float **sum,
                         float *scratch) {
    ck_attention_block block = whole_block(a, scratch);
    ck_range seen = ck_visible(a, query);
    *from = seen.from;
    *to = seen.to;
    *sum = ck_sum(&block, query);
    return ck_score(&block, query, seen.from);
}
