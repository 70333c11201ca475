// What the forms of the float products share: how they are cut into blocks, and the work on one block.
//
// All forms work on units of four bytes: an f32 number, or a pair of neighbouring bf16 numbers.
#ifndef CORVID_PRODUCT_FLOAT_H
#define CORVID_PRODUCT_FLOAT_H

#include "corvid_kernels.h"
#include "targets.h"

enum {
    ck_panel_lanes = 16,           // outputs side by side
    ck_piece = 256,                // most units of one output in a panel: 16 KiB
    ck_group_outputs = 64,         // packed at one time at most
    ck_block_outputs = 512,       // which meet a piece of the activations while it stays in a cache
    ck_block_rows = 264,           // a quarter of a second-level cache of 1 MiB for a piece of them
    ck_row_units = ck_piece + 16,  // between rows of activations, so that they fall upon different lines
};

typedef struct ck_float_product {
    const ck_float_weights *weights;
    int pairs;              // activations are bf16, weights are used as bf16, in pairs
    ptrdiff_t rows, outputs, k;
    ptrdiff_t piece;        // units of an output that are worked on at one time
    const float *x;         // as ck_arrange_rows leaves them
    float *out;
    ptrdiff_t out_stride;   // floats
} ck_float_product;

/// Stored rows that are packed next, for which memory is asked in time.
typedef struct ck_rows_ahead {
    const char *bytes;
    ptrdiff_t rows, stride;
    ptrdiff_t step;  // bytes of 16 units
} ck_rows_ahead;

/// The work on a block of rows and outputs for an instruction set.
typedef struct ck_float_form {
    ptrdiff_t tile_rows;      // most rows of a tile
    ptrdiff_t tile_panels;    // most panels of a tile, 1 or 2
    ptrdiff_t group_outputs;  // packed at one time
    ptrdiff_t few_rows;       // most rows of `few`
    /// panel[i][lane] = the unit from + i of output j + lane, for all `outputs` in groups of 16 lanes.
    /// `rows` has room for 16 * ck_piece units.
    void (*pack)(const ck_float_product *p, ptrdiff_t j, ptrdiff_t outputs, ptrdiff_t from, ptrdiff_t length,
                 float *panels, float *rows);
    /// sums[r][lane] = chain over i of x[r][i] * panel[i][lane], on top of what is there unless `fresh`; for
    /// some panels, each 16 * ck_piece units behind the other, and their sums, `sums_stride` floats apart.
    void (*tile)(ptrdiff_t rows, ptrdiff_t panels, ptrdiff_t length, const float *x, const float *panel,
                 float *sums, ptrdiff_t sums_stride, int fresh, const ck_rows_ahead *ahead);
    /// All of a product of at most few_rows rows, whose weights stream from memory; null if there is no such
    /// form. `rows` as above.
    void (*few)(const ck_float_product *p, float *rows);
    /// The same for weights that are stored by columns.
    void (*few_by_columns)(const ck_float_product *p, float *rows);
} ck_float_form;

extern const ck_float_form ck_float_form_plain, ck_bf16_form_plain;
#if CK_X86
extern const ck_float_form ck_float_form_avx2, ck_float_form_avx512, ck_bf16_form_avx512;
/// Of f32 units; the bits are those of any instruction set.
void ck_float_few_by_columns_avx2(const ck_float_product *p, float *rows);
#endif

CK_INLINE ptrdiff_t ck_lesser(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/// Where row r of piece n lies among the arranged activations of `rows` rows.
CK_INLINE ptrdiff_t ck_place_of(ptrdiff_t rows, ptrdiff_t n, ptrdiff_t r) {
    return (n * rows + r) * ck_row_units;
}

/// Numbers in a unit.
CK_INLINE ptrdiff_t ck_in_unit(const ck_float_product *p) { return p->pairs ? 2 : 1; }

/// Units of an output.
CK_INLINE ptrdiff_t ck_units(const ck_float_product *p) { return (p->k + p->pairs) / ck_in_unit(p); }

/// Units in a piece, so that the last one is about as long as the others. Blocks of weights divide a piece,
/// too: they have 256 weights only where k is a multiple of that, and else at most 32.
CK_INLINE ptrdiff_t ck_piece_of(int pairs, ptrdiff_t k) {
    if (k % 256 == 0) return ck_piece;
    ptrdiff_t units = (k + pairs) / (1 + pairs), pieces = (units + ck_piece - 1) / ck_piece;
    return ((units + pieces - 1) / pieces + 31) / 32 * 32;
}

/// Whether the weights can be read where they lie.
CK_INLINE int ck_is_direct(const ck_float_product *p) {
    const ck_float_weights *w = p->weights;
    if (p->pairs) return w->type == CK_BF16;
    return (w->type == CK_F32 && w->rounding == CK_F32) || (w->type == CK_F16 && w->rounding != CK_BF16)
        || (w->type == CK_BF16 && w->rounding != CK_F16);
}

/// out = weights from ..< from + n of a stored row, decoded and rounded, as f32 or, for pairs, bf16; `from`
/// is a multiple of the block.
void ck_decode_weights(const ck_float_product *p, ptrdiff_t row, ptrdiff_t from, ptrdiff_t n, void *out);

/// Where the units from `from` on of 16 outputs lie, the last output in place of those beyond `count`: as
/// stored, or decoded into `rows`. Returns their type.
ck_type ck_find_rows(const ck_float_product *p, ptrdiff_t j, ptrdiff_t count, ptrdiff_t from,
                     ptrdiff_t length, float *rows, const char *row[ck_panel_lanes]);

#endif
