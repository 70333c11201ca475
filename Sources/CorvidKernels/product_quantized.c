// Products with block-quantised weights: the plain loop, which is the definition, and the choice of a form.
#include "fused.h"
#include "product_quantized.h"

#pragma STDC FP_CONTRACT OFF

// MARK: Plain loop

CK_INLINE int32_t dot(int zero_point, int count, const uint8_t *restrict u, const int8_t *restrict q) {
    int32_t sum = 0;
    for (int i = 0; i < count; i++) sum += ((int32_t)u[i] - zero_point) * (int32_t)q[i];
    return sum;
}

/// Rows whose sums are kept at one time, so that the compiler makes vectors of them.
enum { PLAIN_ROWS = 64 };

CK_INLINE void add_block(ck_type type, const ck_product *p, const ck_block *block, ptrdiff_t first,
                         ptrdiff_t rows, ptrdiff_t b, float *restrict y) {
    ptrdiff_t blocks = p->k / 32;
    int zero_point = ck_zero_point(type), width = type == CK_Q6_K ? 16 : 32;
    float dots[PLAIN_ROWS], d[PLAIN_ROWS], sums[PLAIN_ROWS];
    for (ptrdiff_t r = 0; r < rows; r++) {
        d[r] = p->d[(first + r) * blocks + b];
        sums[r] = (float)p->sum[(first + r) * blocks + b];
    }
    for (int i = 0; i < 32; i += width) {
        const int8_t *q = p->q + first * p->k + 32 * b + i;
        for (ptrdiff_t r = 0; r < rows; r++) {
            dots[r] = (float)dot(zero_point, width, block->u + i, q + r * p->k);
        }
        float scale = block->scale[i / 16];
        for (ptrdiff_t r = 0; r < rows; r++) y[r] = ck_fused(dots[r], scale * d[r], y[r]);
    }
    if (ck_has_minima(type)) {
        for (ptrdiff_t r = 0; r < rows; r++) y[r] = ck_fused(block->minimum, d[r] * sums[r], y[r]);
    }
}

CK_INLINE void product_type(ck_type type, const ck_product *p) {
    for (ptrdiff_t j = 0; j < p->outputs; j++) {
        for (ptrdiff_t first = 0; first < p->rows; first += PLAIN_ROWS) {
            ptrdiff_t rows = p->rows - first < PLAIN_ROWS ? p->rows - first : PLAIN_ROWS;
            float y[PLAIN_ROWS] = {0};
            for (ptrdiff_t b = 0; b < p->k / 32; b++) {
                ck_block block;
                ck_decode_block(type, p->weights + j * p->row_bytes, b, &block);
                add_block(type, p, &block, first, rows, b, y);
            }
            for (ptrdiff_t r = 0; r < rows; r++) p->out[(first + r) * p->out_stride + j] = y[r];
        }
    }
}

CK_INLINE void product_loop(const ck_product *p) {
    switch (p->type) {
    case CK_Q4_0: product_type(CK_Q4_0, p); return;
    case CK_Q4_1: product_type(CK_Q4_1, p); return;
    case CK_Q5_0: product_type(CK_Q5_0, p); return;
    case CK_Q5_1: product_type(CK_Q5_1, p); return;
    case CK_Q8_0: product_type(CK_Q8_0, p); return;
    case CK_Q4_K: product_type(CK_Q4_K, p); return;
    case CK_Q5_K: product_type(CK_Q5_K, p); return;
    case CK_Q6_K: product_type(CK_Q6_K, p); return;
    default: return;
    }
}

static void product_plain(const ck_product *p) { product_loop(p); }

// MARK: Choice

static ptrdiff_t row_bytes(ck_type type, ptrdiff_t k) {
    return ck_is_quantised(type) ? k / ck_block_size(type) * ck_block_bytes(type) : 0;
}

void ck_product_quantized_plain(ck_type type, ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k,
                                const void *weights, const int8_t *q, const float *d, const int32_t *sum,
                                float *out, ptrdiff_t out_stride) {
    ck_product product = {type, rows, outputs, k, weights, row_bytes(type, k), q, d, sum, out, out_stride};
    product_plain(&product);
}

ptrdiff_t ck_product_scratch_bytes(ck_type type, ptrdiff_t rows, ptrdiff_t k) {
    // Never less for more rows or a greater k, so that one scratch serves all smaller products.
    ptrdiff_t row = ck_cut_product(type, 1, k).pieces * (ptrdiff_t)sizeof(ck_piece_row);
    ptrdiff_t most = CK_CHUNK_LEAST_ROWS * row > CK_CHUNK_BYTES ? CK_CHUNK_LEAST_ROWS * row : CK_CHUNK_BYTES;
    ptrdiff_t piece_rows = (rows < CK_CHUNK_ROWS ? rows : CK_CHUNK_ROWS) * row;
    piece_rows = piece_rows < most ? piece_rows : most;
    ptrdiff_t halves = CK_FEW_ROWS * (k / 16) * (ptrdiff_t)sizeof(int32_t);
    return (ptrdiff_t)sizeof(ck_product_scratch) + (piece_rows > halves ? piece_rows : halves);
}

void ck_product_quantized(ck_type type, ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k, const void *weights,
                          const int8_t *q, const float *d, const int32_t *sum, float *out,
                          ptrdiff_t out_stride, void *scratch) {
    ck_product product = {type, rows, outputs, k, weights, row_bytes(type, k), q, d, sum, out, out_stride};
#if CK_X86
    if (ck_isa() == CK_ISA_AVX512 && ck_is_quantised(type) && k > 0) {
        if (ck_takes_one_avx512(&product)) ck_product_one_avx512(&product, scratch);
        else if (rows <= CK_FEW_ROWS && outputs >= CK_GROUP) ck_product_few_avx512(&product, scratch);
        else ck_product_many_avx512(&product, scratch);
        return;
    }
    if (ck_isa() == CK_ISA_AVX2 && ck_is_quantised(type) && k > 0) {
        int few = rows <= CK_FEW_ROWS && outputs >= CK_GROUP_AVX2;
        if (ck_has_avx_vnni()) {
            if (few) ck_product_few_avxvnni(&product, scratch);
            else ck_product_many_avxvnni(&product, scratch);
        } else {
            if (few) ck_product_few_avx2(&product, scratch);
            else ck_product_many_avx2(&product, scratch);
        }
        return;
    }
#endif
    product_plain(&product);
}
