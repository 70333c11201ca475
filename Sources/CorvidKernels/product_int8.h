// Inside of the row-scaled int8 products: what the forms for instruction sets share.
#ifndef CORVID_PRODUCT_INT8_H
#define CORVID_PRODUCT_INT8_H

#include <string.h>

#include "corvid_kernels.h"
#include "targets.h"

/// The arguments of `ck_product_int8`.
typedef struct ck_int8_product {
    ptrdiff_t rows, outputs, k;
    const int8_t *weights;      // [outputs, k]
    const float *scales;        // [outputs]
    const int8_t *q;            // [rows, k]
    const float *d;             // [rows]
    const int32_t *sum;         // [rows]
    float *out;
    ptrdiff_t out_stride;
} ck_int8_product;

enum {
    CK_INT8_LARGEST_K = 132104,     // 128 * 127 * k stays below 2^31
    CK_INT8_FEW_ROWS = 8,           // up to so many activation rows the vector forms are the faster ones
    CK_INT8_CHUNK_ROWS = 256,       // activation rows that meet an unpacked panel, at most
    CK_INT8_PANEL_OUTPUTS = 64,     // weight rows of a panel
    CK_INT8_PIECE = 512,            // of k: a panel's piece stays in the first-level cache
    CK_INT8_BLOCK_OUTPUTS = 256,    // outputs that meet a piece of the activations before the next one comes
    CK_INT8_PIECE_STRIDE = CK_INT8_PIECE + 64,      // not a power of two: rows spread over the cache's sets
};

/// Scratch of the matrix forms, 64-byte aligned.
typedef struct ck_int8_scratch {
    uint8_t panel[CK_INT8_PANEL_OUTPUTS * CK_INT8_PIECE];
    int32_t sums[CK_INT8_CHUNK_ROWS * CK_INT8_BLOCK_OUTPUTS];   // between pieces; row after row
    int8_t q[];                         // [rows of a chunk, CK_INT8_PIECE_STRIDE]
} ck_int8_scratch;

/// The chunks of rows, of nearly equal size.
static inline ptrdiff_t ck_int8_chunk_rows(ptrdiff_t rows) {
    ptrdiff_t chunks = (rows + CK_INT8_CHUNK_ROWS - 1) / CK_INT8_CHUNK_ROWS;
    return chunks > 0 ? (rows + chunks - 1) / chunks : 0;
}

/// Copies numbers i ..< i + length of rows first ..< first + rows, filled up with zeros to a multiple of 4.
static inline void ck_int8_copy_piece(const ck_int8_product *p, ptrdiff_t first, ptrdiff_t rows, ptrdiff_t i,
                                      ptrdiff_t length, int8_t *to) {
    for (ptrdiff_t r = 0; r < rows; r++, to += CK_INT8_PIECE_STRIDE) {
        memcpy(to, p->q + (first + r) * p->k + i, (size_t)length);
        for (ptrdiff_t at = length; at % 4 != 0; at++) to[at] = 0;
    }
}

/// The panel after the one of outputs j ..< j + width in the piece from i: in the order of the loops, the
/// next one of the block, the first of the block in the next piece, the first of the next block.
typedef struct ck_int8_next {
    const int8_t *weights;
    ptrdiff_t rows;
} ck_int8_next;

static inline ck_int8_next ck_int8_after(const ck_int8_product *p, ptrdiff_t block, ptrdiff_t block_end,
                                         ptrdiff_t j, ptrdiff_t width, ptrdiff_t i) {
    ptrdiff_t row = j + width, end = block_end;
    if (row >= block_end) {
        i += CK_INT8_PIECE;
        row = block;
    }
    if (i >= p->k) {
        i = 0;
        row = block_end;
        end = p->outputs;
    }
    ck_int8_next next = {p->weights, end - row < CK_INT8_PANEL_OUTPUTS ? end - row : CK_INT8_PANEL_OUTPUTS};
    if (next.rows > 0) next.weights += row * p->k + i;
    return next;
}

#if CK_X86
// All of them: at least one row and output, 0 < k <= CK_INT8_LARGEST_K.

/// At most CK_INT8_FEW_ROWS rows.
void ck_int8_few_avx512(const ck_int8_product *product);
void ck_int8_few_avx2(const ck_int8_product *product);
void ck_int8_few_avxvnni(const ck_int8_product *product);
/// Any number of rows.
void ck_int8_many_avx512(const ck_int8_product *product, ck_int8_scratch *scratch);
void ck_int8_many_avx2(const ck_int8_product *product, ck_int8_scratch *scratch);
void ck_int8_many_avxvnni(const ck_int8_product *product, ck_int8_scratch *scratch);
#endif

#endif
