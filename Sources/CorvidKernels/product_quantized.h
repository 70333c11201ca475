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
    CK_PANEL_GROUPS = 2,        // groups that the matrix form works on at one time
    CK_PANEL_BLOCKS = 16,       // blocks of 32 weights that it unpacks at one time
    CK_FEW_ROWS = 4,            // up to so many activation rows the vector form is the faster one
};

/// One block of 32 weights of each row of a panel, ready for u8 x s8 dots.
typedef struct ck_panel_block {
    uint8_t u[8][CK_PANEL_GROUPS][CK_GROUP][4];     // weights 4 g ..< 4 (g + 1) of each row
    float scale[CK_PANEL_GROUPS][CK_GROUP];
    float second[CK_PANEL_GROUPS][CK_GROUP];        // the minimum; for Q6_K the scale of the second half
} ck_panel_block;

/// Scratch of the AVX-512 forms, 64-byte aligned.
typedef struct ck_product_scratch {
    ck_panel_block panel[CK_PANEL_BLOCKS];
    uint8_t rows[CK_GROUP * CK_PANEL_BLOCKS * 34];  // copied weight rows where there are fewer than a group
    int32_t halves[];                               // Q6_K: -32 * sums of 16 activations, [rows, k / 16]
} ck_product_scratch;

#if CK_X86
/// At least one group of outputs, few activation rows.
void ck_product_few_avx512(const ck_product *product, const int32_t *halves);
/// Any sizes.
void ck_product_many_avx512(const ck_product *product, ck_product_scratch *scratch);
#endif

#endif
