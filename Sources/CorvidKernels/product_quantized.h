// Inside of the quantised products: what the forms for instruction sets share.
#ifndef CORVID_PRODUCT_QUANTIZED_H
#define CORVID_PRODUCT_QUANTIZED_H

#include "blocks.h"
#include "corvid_kernels.h"

/// The arguments of `ck_product_quantized`.
typedef struct ck_product {
    ck_type type;
    ptrdiff_t rows, outputs, k;
    const uint8_t *weights;
    ptrdiff_t row_bytes;        // of one weight row
    const int8_t *q;            // [rows, k]
    const float *d;             // [rows, k / 32]
    const int32_t *sum;         // [rows, k / 32]
    float *out;
    ptrdiff_t out_stride;
} ck_product;

// Lanes of the AVX-512 forms are 16 weight rows, a group.
enum {
    CK_GROUP = 16,
    CK_FEW_ROWS = 8,            // up to so many activation rows the vector form is the faster one
    CK_PANEL_GROUPS = 2,        // groups that the matrix form works on at one time
    CK_PIECE_BLOCKS = 24,       // blocks of 32 weights that it unpacks at one time, at most
    CK_CHUNK_ROWS = 256,        // activation rows that meet an unpacked panel: at most so many, fewer if k is
    CK_CHUNK_BYTES = 768 * 1024,// large, so that they stay in the second-level cache,
    CK_CHUNK_LEAST_ROWS = 64,   // but so many at least, so that unpacking stays cheap
};

/// One block of 32 weights of each row of a panel, ready for u8 x s8 dots.
typedef struct ck_panel_block {
    uint8_t u[8][CK_PANEL_GROUPS][CK_GROUP][4];     // weights 4 g ..< 4 (g + 1) of each row
    float scale[CK_PANEL_GROUPS][CK_GROUP];
    float second[CK_PANEL_GROUPS][CK_GROUP];        // the minimum; for Q6_K the scale of the second half
} ck_panel_block;

/// One piece of an activation row, with what its blocks contribute besides the dots.
typedef struct ck_piece_row {
    int8_t q[CK_PIECE_BLOCKS][32];
    float d[CK_PIECE_BLOCKS];
    float d_sum[CK_PIECE_BLOCKS];       // d * float(sum)
    int32_t start[2 * CK_PIECE_BLOCKS]; // -zero point * sum; for Q6_K of each half
} ck_piece_row;

/// Scratch of the AVX-512 forms, 64-byte aligned.
typedef struct ck_product_scratch {
    ck_panel_block panel[CK_PIECE_BLOCKS];
    uint8_t weights[CK_GROUP * CK_PIECE_BLOCKS * 34];   // copies where there are fewer rows than a group
    ck_piece_row rows[];    // [pieces, rows of a chunk]; the vector form keeps the sums of halves here
} ck_product_scratch;

/// How k is cut into pieces and the rows into chunks, both of nearly equal size.
typedef struct ck_product_cut {
    ptrdiff_t pieces, piece_blocks, chunks, chunk_rows;
} ck_product_cut;

static inline ck_product_cut ck_cut_product(ck_type type, ptrdiff_t rows, ptrdiff_t k) {
    ptrdiff_t blocks = k / 32, in_block = ck_pieces_in_block(type);
    ck_product_cut cut = {0, 0, 0, 0};
    if (blocks <= 0 || rows <= 0) return cut;
    cut.pieces = (blocks + CK_PIECE_BLOCKS - 1) / CK_PIECE_BLOCKS;
    cut.piece_blocks = (blocks / in_block + cut.pieces - 1) / cut.pieces * in_block;
    ptrdiff_t most = CK_CHUNK_BYTES / (cut.pieces * (ptrdiff_t)sizeof(ck_piece_row));
    most = most > CK_CHUNK_ROWS ? CK_CHUNK_ROWS : most < CK_CHUNK_LEAST_ROWS ? CK_CHUNK_LEAST_ROWS : most;
    cut.chunks = (rows + most - 1) / most;
    cut.chunk_rows = (rows + cut.chunks - 1) / cut.chunks;
    return cut;
}

#if CK_X86
/// At least one group of outputs, few activation rows.
void ck_product_few_avx512(const ck_product *product, ck_product_scratch *scratch);
/// Any sizes.
void ck_product_many_avx512(const ck_product *product, ck_product_scratch *scratch);
#endif

#endif
