// The stages of attention that are small matrix products, for any instruction set that has such products: up
// to six rows of coefficients times some vectors of 16, one fma per output and step, in order. For the scores
// a step is a dimension of the head and a vector is a tile of 16 keys; for the values a step is a position and
// a vector is 16 dimensions. Each key and value is converted once for six queries, and pages are the outer
// loop, so that a page is read once from memory for all queries.
#ifndef CORVID_ATTENTION_SETS_H
#define CORVID_ATTENTION_SETS_H

#include "attention.h"

#include <string.h>

enum { most_rows = 6 };

/// c[row][16 v + lane] += sum over steps of a[row][step] * b[step * step_width + v * vector_width + lane].
typedef struct product {
    ptrdiff_t steps, step_width, vector_width;  // widths in elements of b
    const float *a[most_rows];
    const char *b;
    float *c[most_rows];
    int from_zero;         // c starts from 0 instead of what is there
    ptrdiff_t lanes;       // of b and c which exist, for the kernels of a part of a vector
    const char *ahead;     // what will be read next, to be asked of memory early
    ptrdiff_t ahead_step;  // in bytes
} product;

typedef void (*kernel)(const product *);

/// The small products of an instruction set: [type][rows - 1][vectors: 4, 2, 1, part of 1]; the first are
/// null if it has no product of so many vectors.
typedef kernel kernel_table[2][most_rows][4];

/// The place in a row of the table of the widest product with at most so many vectors; 3 if there are none.
CK_INLINE int widest(const kernel *form, ptrdiff_t vectors) {
    if (vectors >= 4 && form[0]) return 0;
    if (vectors >= 2 && form[1]) return 1;
    return vectors >= 1 ? 2 : 3;
}

CK_INLINE ptrdiff_t vectors_of(int which) { return which == 0 ? 4 : which == 1 ? 2 : 1; }

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
CK_INLINE void multiply_page(const kernel_table kernels, const ck_attention_block *block,
                             const query_set *set, ck_range positions, const char *next) {
    const ck_attention *a = block->task;
    ptrdiff_t width = a->head_width, tile_bytes = 16 * width * element_bytes(a);
    const char *page = a->key_pages[positions.from / CK_PAGE_POSITIONS];
    ptrdiff_t rows = set->queries.to - set->queries.from;
    product p = {.steps = width, .step_width = 16, .vector_width = 16 * width, .from_zero = 1};
    for (ptrdiff_t r = 0; r < rows; r++) p.a[r] = ck_query(a, set->queries.from + r);
    const kernel *form = kernels[a->keys_are_f32 != 0][rows - 1];
    ptrdiff_t tile = positions.from / 16, last = (positions.to + 15) / 16;
    while (tile < last) {
        int which = widest(form, last - tile);
        ptrdiff_t count = vectors_of(which);
        p.b = page + tile % (CK_PAGE_POSITIONS / 16) * tile_bytes;
        p.ahead = !next ? p.b : tile + count < last ? p.b + count * tile_bytes : next;
        p.ahead_step = count * 16 * element_bytes(a);
        for (ptrdiff_t r = 0; r < rows; r++) p.c[r] = ck_score(block, set->queries.from + r, tile * 16);
        form[which](&p);
        tile += count;
    }
}

CK_INLINE void multiply_keys(const kernel_table kernels, const ck_attention_block *block,
                             ck_range positions) {
    const ck_attention *a = block->task;
    ptrdiff_t sets = number_of_sets(block), first = positions.from / CK_PAGE_POSITIONS;
    for (ptrdiff_t page = first; page * CK_PAGE_POSITIONS < positions.to; page++) {
        ck_range here = ck_common(page_positions(page), positions);
        const char *next = here.to == positions.to ? a->value_pages[first] : a->key_pages[page + 1];
        for (ptrdiff_t s = 0; s < sets; s++) {
            query_set set = set_of_queries(block, s, sets);
            ck_range seen = ck_common(set.any, here);
            if (seen.from < seen.to) multiply_page(kernels, block, &set, seen, s == 0 ? next : 0);
        }
    }
}

// MARK: Values

/// Adds the weighted values at some positions of one page to some dimensions of the outputs of some queries.
CK_INLINE void add_values(const kernel_table kernels, const ck_attention_block *block, ck_range queries,
                          ck_range positions, ck_range dimensions, const char *next) {
    const ck_attention *a = block->task;
    ptrdiff_t size = element_bytes(a), row_bytes = a->head_width * size;
    // About 8 KiB at a time, while the next are on their way.
    ptrdiff_t chunk = next ? ck_greatest(8192 / row_bytes, 1) : CK_PAGE_POSITIONS;
    product p = {.step_width = a->head_width, .vector_width = 16, .ahead_step = row_bytes};
    p.lanes = a->head_width % 16;
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
            int which = widest(form, (dimensions.to - d) / 16);
            p.b = values + d * size;
            p.ahead = ahead + d * size;
            for (ptrdiff_t r = 0; r < rows; r++) p.c[r] = ck_output(a, queries.from + r) + d;
            form[which](&p);
            d += 16 * vectors_of(which);
        }
    }
}

/// The same for what each row of a set sees of `positions`.
CK_INLINE void add_values_by_row(const kernel_table kernels, const ck_attention_block *block,
                                 ck_range queries, ck_range positions, ck_range dimensions) {
    const ck_attention *a = block->task;
    for (ptrdiff_t i = queries.from, after; i < queries.to; i = after) {
        after = ck_least((i / a->group + 1) * a->group, queries.to);
        ck_range seen = ck_common(ck_visible(a, i), positions);
        if (seen.from < seen.to) add_values(kernels, block, (ck_range){i, after}, seen, dimensions, 0);
    }
}

/// The same for a whole set. What not all of its queries see is added row by row, in order of position, so
/// that no query meets a value which it does not see.
CK_INLINE void add_values_of_page(const kernel_table kernels, const ck_attention_block *block,
                                  const query_set *set, ck_range page, ck_range dimensions,
                                  const char *next) {
    ck_range all = set->all;
    if (all.from >= all.to) all = (ck_range){set->any.to, set->any.to};
    ck_range before = ck_common(page, (ck_range){set->any.from, all.from});
    ck_range after = ck_common(page, (ck_range){all.to, set->any.to});
    add_values_by_row(kernels, block, set->queries, before, dimensions);
    ck_range shared = ck_common(page, all);
    if (shared.from < shared.to) add_values(kernels, block, set->queries, shared, dimensions, next);
    add_values_by_row(kernels, block, set->queries, after, dimensions);
}

/// The sums of weighted values for some dimensions, not yet divided.
CK_INLINE void sum_values(const kernel_table kernels, const ck_attention_block *block, ck_range dimensions) {
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
            add_values_of_page(kernels, block, &set, here, dimensions, s == 0 ? next : 0);
        }
    }
}

#endif
