// The product of f32 activations on AVX-512.
#include "targets.h"

#pragma STDC FP_CONTRACT OFF

#if CK_X86
#define TARGET CK_AVX512
#define MULTIPLY(value, weights, sum) _mm512_fmadd_ps(value, weights, sum)
#define MULTIPLY_AT(value, weights, sum) MULTIPLY(_mm512_set1_ps(*(value)), weights, sum)
#include "product_float_few_avx512.h"
#include "product_float_many_avx512.h"

// MARK: Panels

CK_AVX512 static void pack_f32(const char *const row[16], ptrdiff_t length, float *panel) {
    pack_rows(ck_f32_units, row, length, length, panel);
}
CK_AVX512 static void pack_f16(const char *const row[16], ptrdiff_t length, float *panel) {
    pack_rows(ck_f16_units, row, length, length, panel);
}
CK_AVX512 static void pack_bf16(const char *const row[16], ptrdiff_t length, float *panel) {
    pack_rows(ck_bf16_units, row, length, length, panel);
}

CK_AVX512 static void pack_columns(const ck_float_product *p, ptrdiff_t j, ptrdiff_t outputs, ptrdiff_t from,
                                   ptrdiff_t length, float *panels, float *rows) {
    for (ptrdiff_t i = 0; i < length; i++) {
        ck_decode_weights(p, from + i, j, outputs, rows);
        // Beyond the outputs lie old values, which only lanes without an output meet.
        for (ptrdiff_t o = 0; o < outputs; o += 16)
            _mm512_storeu_ps(panels + o * ck_piece + i * 16, _mm512_loadu_ps(rows + o));
    }
}

static void pack(const ck_float_product *p, ptrdiff_t j, ptrdiff_t outputs, ptrdiff_t from, ptrdiff_t length,
                 float *panels, float *rows) {
    if (p->weights->by_columns) {
        pack_columns(p, j, outputs, from, length, panels, rows);
        return;
    }
    for (ptrdiff_t o = 0; o < outputs; o += 16) {
        const char *row[16];
        ck_type type = ck_find_rows(p, j + o, ck_lesser(16, outputs - o), from, length, rows, row);
        if (type == CK_F32) pack_f32(row, length, panels + o * ck_piece);
        else if (type == CK_F16) pack_f16(row, length, panels + o * ck_piece);
        else pack_bf16(row, length, panels + o * ck_piece);
    }
}

// MARK: Few rows

CK_AVX512 static void add_f32(ptrdiff_t rows, const few_part *p) { add_rows(rows, ck_f32_units, p); }
CK_AVX512 static void add_f16(ptrdiff_t rows, const few_part *p) { add_rows(rows, ck_f16_units, p); }
CK_AVX512 static void add_bf16(ptrdiff_t rows, const few_part *p) { add_rows(rows, ck_bf16_units, p); }

static void add(ck_type type, ptrdiff_t rows, const few_part *p) {
    if (type == CK_F32) add_f32(rows, p);
    else if (type == CK_F16) add_f16(rows, p);
    else add_bf16(rows, p);
}

CK_AVX512 static void few(const ck_float_product *p, float *rows) { few_by_rows(p, rows, add); }

const ck_float_form ck_float_form_avx512 = {
    most_rows, most_panels, most_panels * 16, few_rows, pack, tile, few, ck_float_few_by_columns_avx2,
};

#endif
