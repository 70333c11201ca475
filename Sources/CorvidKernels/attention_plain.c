// The plain form of attention, its definition.

#include "attention.h"

#include "exponential.h"

#pragma STDC FP_CONTRACT OFF

enum { tile = CK_TILE_POSITIONS, room = 64 };

/// Elements offset ..< offset + count of a page as floats, converted into `converted` if need be.
CK_INLINE const float *as_floats(const ck_attention *a, const void *page, ptrdiff_t offset, ptrdiff_t count,
                                 float *converted) {
    if (a->keys_are_f32) return (const float *)page + offset;
    ck_f16_to_f32(count, (const uint16_t *)page + offset, converted);
    return converted;
}

// MARK: Scores

/// Dimensions `part` of the products of all queries with the tile at `position`.
CK_INLINE void multiply_tile(const ck_attention_block *block, ptrdiff_t position, ck_range part) {
    const ck_attention *a = block->task;
    float converted[room * tile];
    ptrdiff_t start = position % CK_PAGE_POSITIONS * a->head_width + part.from * tile;
    const float *keys = as_floats(a, a->key_pages[position / CK_PAGE_POSITIONS], start,
                                  (part.to - part.from) * tile, converted);
    for (ptrdiff_t i = block->queries.from; i < block->queries.to; i++) {
        ck_range seen = ck_common(ck_visible(a, i), (ck_range){position, position + tile});
        if (seen.from >= seen.to) continue;
        const float *query = ck_query(a, i);
        float *scores = ck_score(block, i, position), sum[tile] = {0};
        if (part.from > 0) memcpy(sum, scores, sizeof sum);
        for (ptrdiff_t d = part.from; d < part.to; d++) {
            const float *key = keys + (d - part.from) * tile;
            for (int i = 0; i < tile; i++) sum[i] = ck_fused(query[d], key[i], sum[i]);
        }
        memcpy(scores, sum, sizeof sum);
    }
}

static void products(const ck_attention_block *block, ck_range positions) {
    ptrdiff_t width = block->task->head_width;
    for (ptrdiff_t p = positions.from; p < positions.to; p += tile)
        for (ptrdiff_t d = 0; d < width; d += room)
            multiply_tile(block, p, (ck_range){d, ck_least(d + room, width)});
}

// MARK: Softmax

CK_INLINE void exponentials_of_query(const ck_attention_block *block, ptrdiff_t query) {
    const ck_attention *a = block->task;
    ck_bias bias = ck_bias_of(a, query);
    ck_range seen = ck_visible(a, query);
    float greatest[tile], sum[tile] = {0};
    for (int lane = 0; lane < tile; lane++) greatest[lane] = -INFINITY;
    for (ptrdiff_t start = seen.from / tile * tile; start < seen.to; start += tile) {
        float *scores = ck_score(block, query, start);
        const float *biases = bias.table ? ck_bias_at(&bias, start) : 0;
        for (int lane = 0; lane < tile; lane++) {
            ptrdiff_t position = start + lane;
            float score = scores[lane] * a->scale, distance = (float)(int32_t)(position - (seen.to - 1));
            if (bias.slope) score = ck_fused(*bias.slope, distance, score);
            if (biases) score += biases[lane];
            scores[lane] = score;
            int counts = position >= seen.from && position < seen.to && score > greatest[lane];
            greatest[lane] = counts ? score : greatest[lane];
        }
    }
    float maximum = -INFINITY;
    for (int lane = 0; lane < tile; lane++) maximum = greatest[lane] > maximum ? greatest[lane] : maximum;
    for (ptrdiff_t start = seen.from / tile * tile; start < seen.to; start += tile) {
        float *scores = ck_score(block, query, start);
        for (int lane = 0; lane < tile; lane++) {
            ptrdiff_t position = start + lane;
            float e = ck_exp_1(scores[lane] - maximum);
            e = position >= seen.from && position < seen.to ? e : 0.0f;
            scores[lane] = e;
            sum[lane] += e;
        }
    }
    *ck_sum(block, query) = ck_join(sum);
}

static void exponentials(const ck_attention_block *block, ck_range queries) {
    for (ptrdiff_t i = queries.from; i < queries.to; i++) exponentials_of_query(block, i);
}

// MARK: Values

/// Adds dimensions `part` of the weighted values of the tile at `position` to the outputs of all queries.
CK_INLINE void add_tile(const ck_attention_block *block, ptrdiff_t position, ck_range part) {
    const ck_attention *a = block->task;
    ptrdiff_t width = a->head_width, count = part.to - part.from;
    const void *page = a->value_pages[position / CK_PAGE_POSITIONS];
    float converted[tile * room];
    const float *values[tile];
    ptrdiff_t present = ck_least(tile, block->positions.to - position);
    for (ptrdiff_t j = 0; j < present; j++) {
        ptrdiff_t start = (position + j) % CK_PAGE_POSITIONS * width + part.from;
        values[j] = as_floats(a, page, start, count, converted + j * room);
    }
    for (ptrdiff_t i = block->queries.from; i < block->queries.to; i++) {
        ck_range seen = ck_common(ck_visible(a, i), (ck_range){position, position + tile});
        float *out = ck_output(a, i) + part.from;
        for (ptrdiff_t j = seen.from; j < seen.to; j++) {
            float weight = *ck_score(block, i, j);
            const float *value = values[j - position];
            for (ptrdiff_t d = 0; d < count; d++) out[d] = ck_fused(weight, value[d], out[d]);
        }
    }
}

static void values(const ck_attention_block *block, ck_range dimensions) {
    const ck_attention *a = block->task;
    for (ptrdiff_t i = block->queries.from; i < block->queries.to; i++)
        for (ptrdiff_t d = dimensions.from; d < dimensions.to; d++) ck_output(a, i)[d] = 0;
    for (ptrdiff_t p = block->positions.from; p < block->positions.to; p += tile)
        for (ptrdiff_t d = dimensions.from; d < dimensions.to; d += room)
            add_tile(block, p, (ck_range){d, ck_least(d + room, dimensions.to)});
    for (ptrdiff_t i = block->queries.from; i < block->queries.to; i++) {
        ck_range seen = ck_visible(a, i);
        if (seen.from >= seen.to) continue;
        float sum = *ck_sum(block, i), *out = ck_output(a, i);
        for (ptrdiff_t d = dimensions.from; d < dimensions.to; d++) out[d] /= sum;
    }
}

const ck_attention_form ck_attention_plain = {products, exponentials, values};
