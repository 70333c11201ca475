// The products whose weights are used as floats: one chain of multiply-adds per output, in the order of the
// inputs, so that its bits do not depend on how many rows or outputs are computed together.
//
// 16 outputs are laid side by side in panels of 256 units each, so that lanes are outputs. A block of
// activations stays in the second-level cache; the sums between pieces wait in scratch memory.
#include "product_float.h"

#include <string.h>

#pragma STDC FP_CONTRACT OFF

enum { lanes = ck_panel_lanes };

// MARK: Weights as they are multiplied

void ck_decode_weights(const ck_float_product *p, ptrdiff_t row, ptrdiff_t from, ptrdiff_t n, void *out) {
    const ck_float_weights *w = p->weights;
    ptrdiff_t size = ck_block_size(w->type);
    if (size == 0) return;
    const char *stored = (const char *)w->bytes + row * w->stride + from / size * ck_block_bytes(w->type);
    if (p->pairs) {
        ck_dequantize_bf16(w->type, n, stored, out);
        return;
    }
    float *values = out;
    ck_dequantize(w->type, n, stored, values);
    if (w->rounding == w->type || w->rounding == CK_F32) return;
    uint16_t rounded[64];
    for (ptrdiff_t i = 0; i < n; i += 64) {
        ptrdiff_t count = ck_lesser(64, n - i);
        if (w->rounding == CK_F16) {
            ck_f32_to_f16(count, values + i, rounded);
            ck_f16_to_f32(count, rounded, values + i);
        } else {
            ck_f32_to_bf16(count, values + i, rounded);
            ck_bf16_to_f32(count, rounded, values + i);
        }
    }
}

ck_type ck_find_rows(const ck_float_product *p, ptrdiff_t j, ptrdiff_t count, ptrdiff_t from,
                     ptrdiff_t length, float *rows, const char *row[lanes]) {
    const ck_float_weights *w = p->weights;
    int direct = ck_is_direct(p);
    ptrdiff_t first = from * ck_in_unit(p), numbers = ck_lesser(length * ck_in_unit(p), p->k - first);
    for (ptrdiff_t lane = 0; lane < lanes; lane++) {
        ptrdiff_t output = ck_lesser(lane, count - 1);
        if (direct) {
            row[lane] = (const char *)w->bytes + (j + output) * w->stride + first * ck_block_bytes(w->type);
        } else {
            if (lane == output) ck_decode_weights(p, j + output, first, numbers, rows + output * ck_piece);
            row[lane] = (const char *)(rows + output * ck_piece);
        }
    }
    return direct ? w->type : p->pairs ? CK_BF16 : CK_F32;
}

// MARK: Activations

ptrdiff_t ck_arranged_floats(int bf16, ptrdiff_t rows, ptrdiff_t k) {
    ptrdiff_t units = bf16 ? (k + 1) / 2 : k, piece = ck_piece_of(bf16 != 0, k);
    return k > 0 ? (units + piece - 1) / piece * rows * ck_row_units : 0;
}

void ck_arrange_rows(int bf16, ptrdiff_t rows, ptrdiff_t k, const float *x, ptrdiff_t x_stride,
                     ptrdiff_t first, ptrdiff_t all_rows, float *out) {
    ptrdiff_t numbers = ck_piece_of(bf16 != 0, k) * (bf16 ? 2 : 1);
    for (ptrdiff_t r = 0; r < rows; r++) {
        for (ptrdiff_t from = 0; from < k; from += numbers) {
            ptrdiff_t count = ck_lesser(numbers, k - from);
            float *place = out + ck_place_of(all_rows, from / numbers, first + r);
            if (bf16) {
                // The other half of a last pair is 0.
                if (count % 2 != 0) place[count / 2] = 0;
                ck_f32_to_bf16(count, x + r * x_stride + from, (uint16_t *)place);
            } else {
                memcpy(place, x + r * x_stride + from, (size_t)count * sizeof(float));
            }
        }
    }
}

// MARK: Blocks

typedef struct scratch_memory {
    float panels[ck_group_outputs * ck_piece];
    float rows[lanes * ck_piece];
    float sums[ck_block_outputs * ck_block_rows];
} scratch_memory;

ptrdiff_t ck_product_float_scratch_bytes(void) { return (ptrdiff_t)sizeof(scratch_memory); }

/// A part of a product: some outputs of some rows.
typedef struct product_block {
    const ck_float_form *form;
    const ck_float_product *product;
    ptrdiff_t first_output, outputs, first_row, rows;
} product_block;

static ptrdiff_t group_outputs(const product_block *b) {
    // Stored by columns, an input's weights lie side by side: the more of them at one time, the better.
    return b->product->weights->by_columns ? ck_group_outputs : b->form->group_outputs;
}

/// The stored rows of the group behind the one at `output`, which may be that of the next piece. Those of
/// matrices that are stored by columns are long, and the processor foresees them.
static ck_rows_ahead rows_ahead(const product_block *b, ptrdiff_t output, ptrdiff_t from) {
    const ck_float_product *p = b->product;
    const ck_float_weights *w = p->weights;
    output += group_outputs(b);
    if (output >= b->outputs) {
        output = 0;
        from += p->piece;
    }
    ptrdiff_t number = from * ck_in_unit(p), size = ck_block_size(w->type), bytes = ck_block_bytes(w->type);
    if (number >= p->k || w->by_columns) return (ck_rows_ahead){0};
    return (ck_rows_ahead){
        .bytes = (const char *)w->bytes + (b->first_output + output) * w->stride + number / size * bytes,
        .rows = ck_lesser(group_outputs(b), b->outputs - output),
        .stride = w->stride,
        .step = lanes * ck_in_unit(p) * bytes / size,
    };
}

/// Adds a piece of the inputs to the sums of some panels, in sets of nearly equal numbers of rows.
static void add_panels(const product_block *b, ptrdiff_t panels, ptrdiff_t length, const float *x,
                       const float *panel, float *sums, int fresh, ck_rows_ahead ahead) {
    ptrdiff_t sets = (b->rows + b->form->tile_rows - 1) / b->form->tile_rows, wanted = ahead.rows, asked = 0;
    for (ptrdiff_t s = 0; s < sets; s++) {
        ptrdiff_t first = b->rows * s / sets, last = b->rows * (s + 1) / sets;
        ahead.rows = wanted * (s + 1) / sets - asked;
        b->form->tile(last - first, panels, length, x + first * ck_row_units, panel, sums + first * lanes,
                      b->rows * lanes, fresh, &ahead);
        ahead.bytes += ahead.rows * ahead.stride;
        asked += ahead.rows;
    }
}

/// Row after row, since those of the result lie far apart.
static void write_sums(const product_block *b, const float *sums) {
    const ck_float_product *p = b->product;
    for (ptrdiff_t r = 0; r < b->rows; r++) {
        float *out = p->out + (b->first_row + r) * p->out_stride + b->first_output;
        const float *row = sums + r * lanes;
        ptrdiff_t o = 0, rest = b->outputs % lanes;
        for (; o + lanes <= b->outputs; o += lanes)
            memcpy(out + o, row + o * b->rows, lanes * sizeof(float));
        if (rest > 0) memcpy(out + o, row + o * b->rows, (size_t)rest * sizeof(float));
    }
}

static void multiply_block(const product_block *b, scratch_memory *m) {
    const ck_float_product *p = b->product;
    ptrdiff_t units = ck_units(p), group = group_outputs(b), panels;
    // With k = 0 one empty piece writes the zeros.
    for (ptrdiff_t from = 0; from == 0 || from < units; from += p->piece) {
        ptrdiff_t length = ck_lesser(p->piece, units - from);
        const float *x = p->x + ck_place_of(p->rows, from / p->piece, b->first_row);
        ck_rows_ahead ahead = {0};
        for (ptrdiff_t o = 0; o < b->outputs; o += panels * lanes) {
            ptrdiff_t in_group = o % group;
            if (in_group == 0) {
                ptrdiff_t count = ck_lesser(group, b->outputs - o);
                b->form->pack(p, b->first_output + o, count, from, length, m->panels, m->rows);
                ahead = rows_ahead(b, o, from);
            }
            panels = b->outputs - o > lanes ? b->form->tile_panels : 1;
            // Each tile of panels asks for its share of the rows that come next.
            ck_rows_ahead share = ahead;
            share.rows = ck_lesser(ahead.rows, (ahead.rows * panels * lanes + group - 1) / group);
            float *sums = m->sums + o * b->rows;
            add_panels(b, panels, length, x, m->panels + in_group * ck_piece, sums, from == 0, share);
            ahead.bytes += share.rows * ahead.stride;
        }
    }
    write_sums(b, m->sums);
}

static void multiply(const ck_float_form *form, const ck_float_product *p, scratch_memory *m) {
    if (p->rows <= 0 || p->outputs <= 0 || ck_block_size(p->weights->type) == 0) return;
    void (*few)(const ck_float_product *, float *) =
        p->weights->by_columns ? form->few_by_columns : form->few;
    if (few != NULL && p->rows <= form->few_rows) {
        few(p, m->rows);
        return;
    }
    ptrdiff_t blocks = (p->rows + ck_block_rows - 1) / ck_block_rows;
    for (ptrdiff_t j = 0; j < p->outputs; j += ck_block_outputs) {
        ptrdiff_t outputs = ck_lesser(ck_block_outputs, p->outputs - j);
        for (ptrdiff_t n = 0; n < blocks; n++) {
            ptrdiff_t first = p->rows * n / blocks, last = p->rows * (n + 1) / blocks;
            product_block b = {form, p, j, outputs, first, last - first};
            multiply_block(&b, m);
        }
    }
}

void ck_product_float(const ck_float_weights *w, ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k,
                      const float *x, float *out, ptrdiff_t out_stride, void *scratch) {
    ck_float_product p = {w, 0, rows, outputs, k, ck_piece_of(0, k), x, out, out_stride};
    const ck_float_form *form = &ck_float_form_plain;
#if CK_X86
    if (ck_isa() == CK_ISA_AVX2) form = &ck_float_form_avx2;
    if (ck_isa() == CK_ISA_AVX512) form = &ck_float_form_avx512;
#endif
    multiply(form, &p, scratch);
}

void ck_product_bf16(const ck_float_weights *w, ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k,
                     const float *x, float *out, ptrdiff_t out_stride, void *scratch) {
    ck_float_product p = {w, 1, rows, outputs, k, ck_piece_of(1, k), x, out, out_stride};
    const ck_float_form *form = &ck_bf16_form_plain;
#if CK_X86
    if (ck_has_bf16()) form = &ck_bf16_form_avx512;
#endif
    multiply(form, &p, scratch);
}
