// What the forms of the float product share: how it is cut into blocks, and the work on one block.
#ifndef CORVID_PRODUCT_FLOAT_H
#define CORVID_PRODUCT_FLOAT_H

#include "corvid_kernels.h"
#include "targets.h"

enum {
    ck_panel_lanes = 16,     // outputs side by side
    ck_tile_rows = 6,        // rows which one pass over a panel serves: 12 sums of 8 lanes in 16 registers
    ck_piece = 256,          // weights of one output in a panel: 16 KiB, half of a first-level cache
    ck_group_outputs = 64,   // packed at one time
    ck_block_outputs = 512,  // for which a block of activations is copied once
    ck_block_rows = 264,     // a quarter of a second-level cache of 1 MiB
    ck_row_floats = ck_piece + 16,  // between rows of activations, so that they fall upon different lines
};

/// The work on a block of rows and outputs for an instruction set.
typedef struct ck_float_form {
    /// panel[i][lane] = the weight from + i of output j + lane, for all `outputs` in groups of 16 lanes.
    /// `rows` has room for 16 * ck_piece floats.
    void (*pack)(const ck_float_weights *w, ptrdiff_t j, ptrdiff_t outputs, ptrdiff_t from, ptrdiff_t length,
                 float *panels, float *rows);
    /// sums[r][lane] = fma chain over i of x[r][i] * panel[i][lane], on top of what is there unless `fresh`.
    void (*tile)(ptrdiff_t rows, ptrdiff_t length, const float *x, const float *panel, float *sums,
                 int fresh);
} ck_float_form;

#if CK_X86
extern const ck_float_form ck_float_form_avx2;
/// All of a product of at most ck_tile_rows rows, whose weights stream from memory; `rows` as above.
void ck_product_float_few_avx2(const ck_float_weights *w, ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k,
                               const float *x, ptrdiff_t x_stride, float *out, ptrdiff_t out_stride,
                               float *buffer);
#endif

/// Whether the weights can be read where they lie.
CK_INLINE int ck_is_direct(const ck_float_weights *w) {
    return (w->type == CK_F32 && w->rounding == CK_F32) || (w->type == CK_F16 && w->rounding != CK_BF16)
        || (w->type == CK_BF16 && w->rounding != CK_F16);
}

/// out = weights from ..< from + n of a stored row, decoded and rounded; `from` is a multiple of the block.
void ck_decode_weights(const ck_float_weights *w, ptrdiff_t row, ptrdiff_t from, ptrdiff_t n, float *out);

CK_INLINE ptrdiff_t ck_lesser(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

#endif
