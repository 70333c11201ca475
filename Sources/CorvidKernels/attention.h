// What the forms of attention share: the queries which are worked on at one time, and what each of them sees.
#ifndef CORVID_ATTENTION_H
#define CORVID_ATTENTION_H

#include "corvid_kernels.h"
#include "targets.h"

/// from ..< to of positions, queries or dimensions.
typedef struct ck_range {
    ptrdiff_t from, to;
} ck_range;

/// Some consecutive queries; query i is row i / group, head i % group.
typedef struct ck_attention_block {
    const ck_attention *task;
    ck_range queries;
    ck_range positions;  // no query sees a position outside; begins at a multiple of 16
    ptrdiff_t stride;    // floats between the scores of two queries
    float *scores;       // [queries, stride], 64-byte aligned, from the first position on
    float *sums;         // [queries]
} ck_attention_block;

/// The stages of attention for an instruction set.
typedef struct ck_attention_form {
    /// scores = q . k at some positions, which begin at a multiple of 16.
    void (*products)(const ck_attention_block *block, ck_range positions);
    /// scores = exp(scale * scores + bias - maximum) and sums, for some queries.
    void (*exponentials)(const ck_attention_block *block, ck_range queries);
    /// out = scores . v / sums for some dimensions of all queries; they begin at a multiple of 16.
    void (*values)(const ck_attention_block *block, ck_range dimensions);
} ck_attention_form;

extern const ck_attention_form ck_attention_plain;
#if CK_X86
extern const ck_attention_form ck_attention_avx2, ck_attention_avx512;
#endif

CK_INLINE ptrdiff_t ck_least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
CK_INLINE ptrdiff_t ck_greatest(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }
CK_INLINE ck_range ck_common(ck_range a, ck_range b) {
    return (ck_range){ck_greatest(a.from, b.from), ck_least(a.to, b.to)};
}

/// The positions which a query sees. Neither end ever falls from one query to the next.
CK_INLINE ck_range ck_visible(const ck_attention *a, ptrdiff_t query) {
    ptrdiff_t to = ck_greatest(a->key_count, 0);
    if (a->causal) to = ck_least(to, ck_greatest(a->first_position + query / a->group + 1, 0));
    return (ck_range){a->window > 0 && to > a->window ? to - a->window : 0, to};
}

/// What is added to the scores of one query.
typedef struct ck_bias {
    const float *slope;  // null, or one number
    const float *table;  // null, or the head's values
    ptrdiff_t origin;    // position of the table's first value
    ptrdiff_t last;      // index of the table's last 16 values
} ck_bias;

CK_INLINE ck_bias ck_bias_of(const ck_attention *a, ptrdiff_t query) {
    ptrdiff_t row = query / a->group, head = query % a->group;
    if (!a->biases) return (ck_bias){.slope = a->slopes ? a->slopes + head : 0};
    return (ck_bias){.table = a->biases + head * a->bias_count,
                     .origin = a->first_position + row + a->first_bias,
                     .last = a->bias_count - 16};
}

/// The table's values for 16 neighbouring positions.
CK_INLINE const float *ck_bias_at(const ck_bias *bias, ptrdiff_t position) {
    return bias->table + ck_least(ck_greatest(position - bias->origin, 0), bias->last);
}

CK_INLINE const float *ck_query(const ck_attention *a, ptrdiff_t query) {
    return a->query + query / a->group * a->query_stride + query % a->group * a->head_width;
}

CK_INLINE float *ck_output(const ck_attention *a, ptrdiff_t query) {
    return a->out + query / a->group * a->out_stride + query % a->group * a->head_width;
}

/// The score (later its exponential) of a query of the block at a position.
CK_INLINE float *ck_score(const ck_attention_block *block, ptrdiff_t query, ptrdiff_t position) {
    return block->scores + (query - block->queries.from) * block->stride + (position - block->positions.from);
}

CK_INLINE float *ck_sum(const ck_attention_block *block, ptrdiff_t query) {
    return block->sums + (query - block->queries.from);
}

#endif
