// Many rows of a float product on AVX-512: panels of turned weights, and the tiles that stay in registers.
//
// A template: the file that includes it defines TARGET, the attribute of its functions, and MULTIPLY(value,
// weights, sum).
#include "product_float_turn_avx512.h"

#if CK_X86

enum {
    most_rows = 12,  // 24 sums of 16 lanes in 32 registers
    most_panels = 2,
};

// MARK: Panels

/// panel[i][lane] = unit i of row lane; `numbers` are present in each row, of at most `length` units.
CK_INLINE_AVX512 void pack_rows(ck_layout l, const char *const row[16], ptrdiff_t length, ptrdiff_t numbers,
                                float *panel) {
    ptrdiff_t i = 0;
    __m512 v[16];
    for (; (i / 16 + 1) * ck_numbers(l) <= numbers; i += 16) {
        ck_load_turned(l, row, i * ck_unit_bytes(l), ck_numbers(l), v);
#pragma clang loop unroll(full)
        for (int s = 0; s < 16; s++) _mm512_storeu_ps(panel + (i + s) * 16, v[s]);
    }
    if (i >= length) return;
    ck_load_turned(l, row, i * ck_unit_bytes(l), numbers - i / 16 * ck_numbers(l), v);
    for (ptrdiff_t s = 0; s < length - i; s++) _mm512_storeu_ps(panel + (i + s) * 16, v[s]);
}

// MARK: Tiles

/// One of the rows ahead takes a line of 64 bytes for each 16 units, or less.
CK_INLINE_AVX512 void ask(const ck_rows_ahead *ahead, ptrdiff_t i) {
    const char *bytes = ahead->bytes + i / 16 * ahead->step;
    for (ptrdiff_t r = 0; r < ahead->rows; r++) _mm_prefetch(bytes + r * ahead->stride, _MM_HINT_T1);
}

CK_INLINE TARGET void add_units(const int rows, const int panels, ptrdiff_t from, ptrdiff_t to,
                                const float *restrict x, const float *restrict panel,
                                __m512 sum[most_rows][most_panels]) {
#pragma clang loop unroll_count(4)
    for (ptrdiff_t i = from; i < to; i++) {
        __m512 weights[most_panels];
#pragma clang loop unroll(full)
        for (int n = 0; n < panels; n++)
            weights[n] = _mm512_loadu_ps(panel + n * 16 * ck_piece + i * 16);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            __m512 value = _mm512_set1_ps(x[r * ck_row_units + i]);
#pragma clang loop unroll(full)
            for (int n = 0; n < panels; n++) sum[r][n] = MULTIPLY(value, weights[n], sum[r][n]);
        }
    }
}

CK_INLINE TARGET void tile_of(const int rows, const int panels, ptrdiff_t length, const float *restrict x,
                              const float *restrict panel, float *restrict sums, ptrdiff_t sums_stride,
                              int fresh, const ck_rows_ahead *ahead) {
    __m512 sum[most_rows][most_panels];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int n = 0; n < panels; n++)
            sum[r][n] = fresh ? _mm512_setzero_ps() : _mm512_loadu_ps(sums + n * sums_stride + r * 16);
    }
    ptrdiff_t i = 0;
    for (; i + 16 <= length; i += 16) {
        ask(ahead, i);
        // The next tile's activations may still be in the third-level cache.
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) _mm_prefetch(x + (rows + r) * ck_row_units + i, _MM_HINT_T0);
        add_units(rows, panels, i, i + 16, x, panel, sum);
    }
    if (i < length) add_units(rows, panels, i, length, x, panel, sum);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int n = 0; n < panels; n++) _mm512_storeu_ps(sums + n * sums_stride + r * 16, sum[r][n]);
    }
}

#define CASE(rows) \
    case rows: tile_of(rows, panels, length, x, panel, sums, sums_stride, fresh, ahead); return;

CK_INLINE TARGET void tile_rows(ptrdiff_t rows, const int panels, ptrdiff_t length, const float *x,
                                const float *panel, float *sums, ptrdiff_t sums_stride, int fresh,
                                const ck_rows_ahead *ahead) {
    switch (rows) {
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
    }
}
#undef CASE

TARGET static void tile(ptrdiff_t rows, ptrdiff_t panels, ptrdiff_t length, const float *x,
                        const float *panel, float *sums, ptrdiff_t sums_stride, int fresh,
                        const ck_rows_ahead *ahead) {
    if (panels == 1) tile_rows(rows, 1, length, x, panel, sums, sums_stride, fresh, ahead);
    else tile_rows(rows, most_panels, length, x, panel, sums, sums_stride, fresh, ahead);
}

#endif
