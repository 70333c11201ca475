// Products with block-quantised weights: the plain loop, which is the definition, and the choice of a form.
#include "product_quantized.h"

#pragma STDC FP_CONTRACT OFF

// MARK: Plain loop

CK_INLINE int32_t dot(int zero_point, int count, const uint8_t *restrict u, const int8_t *restrict q) {
    int32_t sum = 0;
    for (int i = 0; i < count; i++) sum += ((int32_t)u[i] - zero_point) * (int32_t)q[i];
    return sum;
}

CK_INLINE void product_type(ck_type type, const ck_product *p) {
    ptrdiff_t blocks = p->k / 32;
    int zero_point = ck_zero_point(type);
    for (ptrdiff_t j = 0; j < p->outputs; j++) {
        const uint8_t *weights = p->weights + j * p->row_bytes;
        float *out = p->out + j;
        for (ptrdiff_t r = 0; r < p->rows; r++) out[r * p->out_stride] = 0;
        for (ptrdiff_t b = 0; b < blocks; b++) {
            ck_block block;
            ck_decode_block(type, weights, b, &block);
            for (ptrdiff_t r = 0; r < p->rows; r++) {
                const int8_t *q = p->q + r * p->k + 32 * b;
                float d = p->d[r * blocks + b], y = out[r * p->out_stride];
                int width = type == CK_Q6_K ? 16 : 32;
                for (int i = 0; i < 32; i += width) {
                    float sum = (float)dot(zero_point, width, block.u + i, q + i);
                    y = __builtin_fmaf(sum, block.scale[i / 16] * d, y);
                }
                if (ck_has_minima(type)) {
                    y = __builtin_fmaf(block.minimum, d * (float)p->sum[r * blocks + b], y);
                }
                out[r * p->out_stride] = y;
            }
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

#if CK_X86
// The same loop, in the vectors that the compiler makes of it.
CK_AVX2 static void product_avx2(const ck_product *p) { product_loop(p); }
#endif

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
        if (rows <= CK_FEW_ROWS && outputs >= CK_GROUP) ck_product_few_avx512(&product, scratch);
        else ck_product_many_avx512(&product, scratch);
        return;
    }
    if (ck_isa() == CK_ISA_AVX2) {
        product_avx2(&product);
        return;
    }
#endif
    product_plain(&product);
}
