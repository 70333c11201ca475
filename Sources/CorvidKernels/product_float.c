// The product whose weights are used as floats: one chain of fma per output, in the order of the inputs, so
// that its bits do not depend on how many rows or outputs are computed together.
//
// 16 outputs are laid side by side in panels of 256 weights each, so that lanes are outputs. A block of rows
// and outputs stays in the second-level cache; the sums between pieces wait in scratch memory.
#include "product_float.h"

#include "fused.h"

#pragma STDC FP_CONTRACT OFF

enum { lanes = ck_panel_lanes, piece = ck_piece };

// MARK: Weights as floats

void ck_decode_weights(const ck_float_weights *w, ptrdiff_t row, ptrdiff_t from, ptrdiff_t n, float *out) {
    ptrdiff_t size = ck_block_size(w->type);
    if (size == 0) return;
    const char *stored = (const char *)w->bytes + row * w->stride + from / size * ck_block_bytes(w->type);
    ck_dequantize(w->type, n, stored, out);
    if (w->rounding == w->type || w->rounding == CK_F32) return;
    uint16_t rounded[64];
    for (ptrdiff_t i = 0; i < n; i += 64) {
        ptrdiff_t count = ck_lesser(64, n - i);
        if (w->rounding == CK_F16) {
            ck_f32_to_f16(count, out + i, rounded);
            ck_f16_to_f32(count, rounded, out + i);
        } else {
            ck_f32_to_bf16(count, out + i, rounded);
            ck_bf16_to_f32(count, rounded, out + i);
        }
    }
}

// MARK: Plain form

static void pack_plain(const ck_float_weights *w, ptrdiff_t j, ptrdiff_t outputs, ptrdiff_t from,
                       ptrdiff_t length, float *panels, float *rows) {
    if (w->by_columns) {
        for (ptrdiff_t i = 0; i < length; i++) {
            ck_decode_weights(w, from + i, j, outputs, rows);
            for (ptrdiff_t p = 0; p < outputs; p += lanes)
                memcpy(panels + p * piece + i * lanes, rows + p,
                       (size_t)ck_lesser(lanes, outputs - p) * sizeof(float));
        }
        return;
    }
    for (ptrdiff_t output = 0; output < outputs; output++) {
        ck_decode_weights(w, j + output, from, length, rows);
        float *panel = panels + output / lanes * lanes * piece + output % lanes;
        for (ptrdiff_t i = 0; i < length; i++) panel[i * lanes] = rows[i];
    }
}

static void tile_plain(ptrdiff_t rows, ptrdiff_t length, const float *restrict x,
                       const float *restrict panel, float *restrict sums, int fresh) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        float sum[lanes] = {0};
        if (!fresh) memcpy(sum, sums + r * lanes, sizeof sum);
        for (ptrdiff_t i = 0; i < length; i++) {
            float value = x[r * ck_row_floats + i];
            for (int lane = 0; lane < lanes; lane++)
                sum[lane] = ck_fused(value, panel[i * lanes + lane], sum[lane]);
        }
        memcpy(sums + r * lanes, sum, sizeof sum);
    }
}

static const ck_float_form plain = {pack_plain, tile_plain};

// MARK: Blocks

typedef struct scratch_memory {
    float x[ck_block_rows * ck_row_floats];
    float panels[ck_group_outputs * ck_piece];
    float rows[lanes * ck_piece];
    float sums[ck_block_outputs * ck_block_rows];
} scratch_memory;

ptrdiff_t ck_product_float_scratch_bytes(void) { return (ptrdiff_t)sizeof(scratch_memory); }

/// The part of a product for which activations are copied once.
typedef struct product_block {
    const ck_float_form *form;
    const ck_float_weights *weights;
    ptrdiff_t first_output, outputs, rows, k;
    const float *x;
    ptrdiff_t x_stride;
    float *out;
    ptrdiff_t out_stride;
} product_block;

/// Stored weights that are packed next, which memory is asked for in time.
typedef struct area {
    const char *bytes;
    ptrdiff_t rows, stride, lines;  // lines of 64 bytes in each row
} area;

/// What the panel in the place of `output` is made of in the next group, which may be that of the next piece.
static area next_area(const product_block *b, ptrdiff_t output, ptrdiff_t from) {
    const ck_float_weights *w = b->weights;
    output += ck_group_outputs;
    if (output >= b->outputs) {
        output %= ck_group_outputs;
        from += piece;
    }
    if (output >= b->outputs || from >= b->k) return (area){0};
    ptrdiff_t size = ck_block_size(w->type), bytes = ck_block_bytes(w->type), j = b->first_output + output;
    ptrdiff_t wide = ck_lesser(lanes, b->outputs - output), deep = ck_lesser(piece, b->k - from);
    ptrdiff_t row = w->by_columns ? from : j, column = w->by_columns ? j : from;
    ptrdiff_t row_bytes = (w->by_columns ? wide : deep) / size * bytes;
    return (area){
        .bytes = (const char *)w->bytes + row * w->stride + column / size * bytes,
        .rows = w->by_columns ? deep : wide,
        .stride = w->stride,
        .lines = (row_bytes + 63) / 64,
    };
}

/// Adds a piece of the inputs to the sums of one panel, in sets of nearly equal numbers of rows.
static void add_panel(const product_block *b, ptrdiff_t length, const float *x, const float *panel,
                      float *sums, int fresh, area next) {
    ptrdiff_t sets = (b->rows + ck_tile_rows - 1) / ck_tile_rows, asked = 0;
    for (ptrdiff_t s = 0; s < sets; s++) {
        ptrdiff_t first = b->rows * s / sets, last = b->rows * (s + 1) / sets;
        b->form->tile(last - first, length, x + first * ck_row_floats, panel, sums + first * lanes, fresh);
        for (; asked < next.rows * (s + 1) / sets; asked++)
            for (ptrdiff_t line = 0; line < next.lines; line++)
                __builtin_prefetch(next.bytes + asked * next.stride + line * 64, 0, 2);
    }
}

static void multiply_block(const product_block *b, scratch_memory *m) {
    // With k = 0 one empty piece writes the zeros.
    for (ptrdiff_t from = 0; from == 0 || from < b->k; from += piece) {
        ptrdiff_t length = ck_lesser(piece, b->k - from);
        for (ptrdiff_t r = 0; r < b->rows; r++)
            memcpy(m->x + r * ck_row_floats, b->x + r * b->x_stride + from, (size_t)length * sizeof(float));
        for (ptrdiff_t p = 0; p < b->outputs; p += lanes) {
            ptrdiff_t in_group = p % ck_group_outputs;
            if (in_group == 0)
                b->form->pack(b->weights, b->first_output + p, ck_lesser(ck_group_outputs, b->outputs - p),
                              from, length, m->panels, m->rows);
            float *sums = m->sums + p * b->rows;
            add_panel(b, length, m->x, m->panels + in_group * piece, sums, from == 0, next_area(b, p, from));
            if (from + length < b->k) continue;
            size_t bytes = (size_t)ck_lesser(lanes, b->outputs - p) * sizeof(float);
            for (ptrdiff_t r = 0; r < b->rows; r++)
                memcpy(b->out + r * b->out_stride + p, sums + r * lanes, bytes);
        }
    }
}

void ck_product_float(const ck_float_weights *w, ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k,
                      const float *x, ptrdiff_t x_stride, float *out, ptrdiff_t out_stride, void *scratch) {
    if (rows <= 0 || outputs <= 0 || ck_block_size(w->type) == 0) return;
    scratch_memory *m = scratch;
    const ck_float_form *form = &plain;
#if CK_X86
    if (ck_isa() >= CK_ISA_AVX2) {
        if (rows <= ck_tile_rows) {
            ck_product_float_few_avx2(w, rows, outputs, k, x, x_stride, out, out_stride, m->rows);
            return;
        }
        form = &ck_float_form_avx2;
    }
#endif
    ptrdiff_t blocks = (rows + ck_block_rows - 1) / ck_block_rows;
    for (ptrdiff_t j = 0; j < outputs; j += ck_block_outputs) {
        for (ptrdiff_t n = 0; n < blocks; n++) {
            ptrdiff_t first = rows * n / blocks, last = rows * (n + 1) / blocks;
            product_block b = {
                form, w, j, ck_lesser(ck_block_outputs, outputs - j), last - first, k,
                x + first * x_stride, x_stride, out + first * out_stride + j, out_stride,
            };
            multiply_block(&b, m);
        }
    }
}
