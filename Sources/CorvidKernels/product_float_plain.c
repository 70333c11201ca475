// The plain forms of the float products: their definition.
#include "fused.h"
#include "half.h"
#include "product_float.h"

#pragma STDC FP_CONTRACT OFF

enum { lanes = ck_panel_lanes, piece = ck_piece };

/// `out` has room for one more number than there is if k is odd.
static void decode_row(const ck_float_product *p, ptrdiff_t row, ptrdiff_t from, ptrdiff_t n, float *out) {
    ck_decode_weights(p, row, from, n, out);
    if (p->pairs && n % 2 != 0) memset((char *)out + n * (ptrdiff_t)sizeof(uint16_t), 0, sizeof(uint16_t));
}

static void pack_columns(const ck_float_product *p, ptrdiff_t j, ptrdiff_t outputs, ptrdiff_t from,
                         ptrdiff_t length, float *panels, float *rows) {
    for (ptrdiff_t i = 0; i < length; i++) {
        for (ptrdiff_t n = 0; n < ck_in_unit(p); n++) {
            ptrdiff_t input = (from + i) * ck_in_unit(p) + n;
            if (input < p->k) ck_decode_weights(p, input, j, outputs, rows);
            else memset(rows, 0, (size_t)outputs * sizeof(uint16_t));
            for (ptrdiff_t o = 0; o < outputs; o++) {
                float *place = panels + o / lanes * lanes * piece + i * lanes + o % lanes;
                if (p->pairs) memcpy((char *)place + 2 * n, (const char *)rows + 2 * o, 2);
                else *place = rows[o];
            }
        }
    }
}

static void pack(const ck_float_product *p, ptrdiff_t j, ptrdiff_t outputs, ptrdiff_t from, ptrdiff_t length,
                 float *panels, float *rows) {
    if (p->weights->by_columns) {
        pack_columns(p, j, outputs, from, length, panels, rows);
        return;
    }
    ptrdiff_t first = from * ck_in_unit(p), numbers = ck_lesser(length * ck_in_unit(p), p->k - first);
    for (ptrdiff_t output = 0; output < outputs; output++) {
        decode_row(p, j + output, first, numbers, rows);
        float *panel = panels + output / lanes * lanes * piece + output % lanes;
        for (ptrdiff_t i = 0; i < length; i++) panel[i * lanes] = rows[i];
    }
}

static void tile_floats(ptrdiff_t rows, ptrdiff_t panels, ptrdiff_t length, const float *restrict x,
                        const float *restrict panel, float *restrict sums, ptrdiff_t sums_stride, int fresh,
                        const ck_rows_ahead *ahead) {
    (void)panels, (void)sums_stride, (void)ahead;
    for (ptrdiff_t r = 0; r < rows; r++) {
        float sum[lanes] = {0};
        if (!fresh) memcpy(sum, sums + r * lanes, sizeof sum);
        for (ptrdiff_t i = 0; i < length; i++) {
            float value = x[r * ck_row_units + i];
            for (int lane = 0; lane < lanes; lane++)
                sum[lane] = ck_fused(value, panel[i * lanes + lane], sum[lane]);
        }
        memcpy(sums + r * lanes, sum, sizeof sum);
    }
}

/// 0 with the sign of x in place of a subnormal number.
CK_INLINE float flushed(float x) {
    uint32_t bits = ck_bits(x);
    return ck_from_bits((bits & 0x7f800000u) == 0 ? bits & 0x80000000u : bits);
}

CK_INLINE float low_half(uint32_t pair) { return flushed(ck_from_bits(pair << 16)); }
CK_INLINE float high_half(uint32_t pair) { return flushed(ck_from_bits(pair & 0xffff0000u)); }

static void tile_pairs(ptrdiff_t rows, ptrdiff_t panels, ptrdiff_t length, const float *restrict x,
                       const float *restrict panel, float *restrict sums, ptrdiff_t sums_stride, int fresh,
                       const ck_rows_ahead *ahead) {
    (void)panels, (void)sums_stride, (void)ahead;
    for (ptrdiff_t r = 0; r < rows; r++) {
        float sum[lanes] = {0};
        if (!fresh) memcpy(sum, sums + r * lanes, sizeof sum);
        for (ptrdiff_t i = 0; i < length; i++) {
            uint32_t value = ck_bits(x[r * ck_row_units + i]);
            for (int lane = 0; lane < lanes; lane++) {
                uint32_t weight = ck_bits(panel[i * lanes + lane]);
                float part = flushed(ck_fused(high_half(value), high_half(weight), sum[lane]));
                sum[lane] = flushed(ck_fused(low_half(value), low_half(weight), part));
            }
        }
        memcpy(sums + r * lanes, sum, sizeof sum);
    }
}

enum { tile_rows = 6 };

const ck_float_form ck_float_form_plain = {
    tile_rows, 1, ck_group_outputs, 0, pack, tile_floats, NULL, NULL,
};
const ck_float_form ck_bf16_form_plain = {
    tile_rows, 1, ck_group_outputs, 0, pack, tile_pairs, NULL, NULL,
};
