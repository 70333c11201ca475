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

// Lanes are weight rows: 16 in the AVX-512 forms, 8 in the AVX2 forms, a group.
enum {
    CK_GROUP = 16,
    CK_GROUP_AVX2 = 8,
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

/// The same of the AVX2 forms.
typedef struct ck_panel_block_avx2 {
    uint8_t u[8][CK_PANEL_GROUPS][CK_GROUP_AVX2][4];
    float scale[CK_PANEL_GROUPS][CK_GROUP_AVX2];
    float second[CK_PANEL_GROUPS][CK_GROUP_AVX2];
} ck_panel_block_avx2;

/// One piece of an activation row, with what its blocks contribute besides the dots.
typedef struct ck_piece_row {
    int8_t q[CK_PIECE_BLOCKS][32];
    float d[CK_PIECE_BLOCKS];
    float d_sum[CK_PIECE_BLOCKS];       // d * float(sum)
    int32_t start[2 * CK_PIECE_BLOCKS]; // -zero point * sum; for Q6_K of each half
} ck_piece_row;

/// Scratch of the forms, 64-byte aligned.
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

/// Blocks b ..< b + blocks of activation row r. Dots begin at -zero_point * sum.
static inline void ck_prepare_row(const ck_product *p, int zero_point, ptrdiff_t r, ptrdiff_t b,
                                  ptrdiff_t blocks, ck_piece_row *row) {
    ptrdiff_t at = r * (p->k / 32) + b;
    memcpy(row->q, p->q + 32 * at, (size_t)blocks * 32);
    for (ptrdiff_t i = 0; i < blocks; i++) {
        row->d[i] = p->d[at + i];
        row->d_sum[i] = p->d[at + i] * (float)p->sum[at + i];
    }
    if (p->type != CK_Q6_K) {
        for (ptrdiff_t i = 0; i < blocks; i++) row->start[i] = -zero_point * p->sum[at + i];
        return;
    }
    for (ptrdiff_t i = 0; i < blocks; i++) {
        int32_t first = 0;
        for (int l = 0; l < 16; l++) first += row->q[i][l];
        row->start[2 * i] = -zero_point * first;
        row->start[2 * i + 1] = -zero_point * (p->sum[at + i] - first);
    }
}

/// Copies blocks b ..< b + blocks of fewer weight rows than `group`, the last one repeated; returns bytes per
/// row.
static inline ptrdiff_t ck_copy_weights(const ck_product *p, ptrdiff_t group, ptrdiff_t b, ptrdiff_t blocks,
                                        uint8_t *copy) {
    ptrdiff_t in_block = ck_pieces_in_block(p->type), bytes = ck_bytes_in_block(p->type);
    ptrdiff_t start = b / in_block * bytes, length = blocks / in_block * bytes;
    for (ptrdiff_t i = 0; i < group; i++) {
        ptrdiff_t row = i < p->outputs ? i : p->outputs - 1;
        memcpy(copy + i * length, p->weights + row * p->row_bytes + start, (size_t)length);
    }
    return length;
}

/// halves[2 b + h] = -32 * the sum of half h of activation block b.
static inline void ck_sum_halves(const ck_product *p, int32_t *restrict halves) {
    for (ptrdiff_t i = 0; i < p->rows * (p->k / 16); i++) {
        int32_t sum = 0;
        for (int l = 0; l < 16; l++) sum += p->q[16 * i + l];
        halves[i] = -32 * sum;
    }
}

#if CK_X86
// The vector forms (few) take a whole group of outputs at least and CK_FEW_ROWS activation rows at most, the
// matrix forms (many) any sizes.
void ck_product_few_avx512(const ck_product *product, ck_product_scratch *scratch);
/// Whether the form for one activation row takes the product.
int ck_takes_one_avx512(const ck_product *product);
void ck_product_one_avx512(const ck_product *product, ck_product_scratch *scratch);
void ck_product_many_avx512(const ck_product *product, ck_product_scratch *scratch);
void ck_product_few_avx2(const ck_product *product, ck_product_scratch *scratch);
void ck_product_many_avx2(const ck_product *product, ck_product_scratch *scratch);
void ck_product_few_avxvnni(const ck_product *product, ck_product_scratch *scratch);
void ck_product_many_avxvnni(const ck_product *product, ck_product_scratch *scratch);
#endif

#endif
