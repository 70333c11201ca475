// The f32 product whose bits do not depend on how many rows or outputs are computed together.
#include "corvid_kernels.h"
#include "targets.h"

#pragma STDC FP_CONTRACT OFF

// 16 weight rows are laid side by side in pieces of 128 weights, so that lanes are outputs; the partial sums
// between pieces wait in `out`. The order of each output's sum is that of the plain definition.
enum { LANES = 16, PIECE = 128, TILE_ROWS = 4 };

CK_INLINE void tile(int count, ptrdiff_t length, const float *restrict x, ptrdiff_t x_stride,
                    const float *restrict panel, ptrdiff_t width, float *restrict out, ptrdiff_t out_stride,
                    int first_piece) {
    float y[TILE_ROWS][LANES];
    for (int r = 0; r < count; r++) {
        for (ptrdiff_t j = 0; j < LANES; j++) {
            y[r][j] = first_piece || j >= width ? 0 : out[r * out_stride + j];
        }
    }
    for (ptrdiff_t i = 0; i < length; i++) {
        for (int r = 0; r < count; r++) {
            float value = x[r * x_stride + i];
            for (int j = 0; j < LANES; j++) y[r][j] = __builtin_fmaf(value, panel[i * LANES + j], y[r][j]);
        }
    }
    for (int r = 0; r < count; r++) {
        for (ptrdiff_t j = 0; j < width; j++) out[r * out_stride + j] = y[r][j];
    }
}

CK_INLINE void product_loop(ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k, const float *restrict x,
                            ptrdiff_t x_stride, const float *restrict w, ptrdiff_t w_stride,
                            float *restrict out, ptrdiff_t out_stride) {
    _Alignas(64) float panel[PIECE * LANES];
    for (ptrdiff_t j = 0; j < outputs; j += LANES) {
        ptrdiff_t width = outputs - j < LANES ? outputs - j : LANES;
        // With k = 0 one empty piece writes the zeros.
        for (ptrdiff_t start = 0; start == 0 || start < k; start += PIECE) {
            ptrdiff_t length = k - start < PIECE ? k - start : PIECE;
            for (ptrdiff_t lane = 0; lane < LANES; lane++) {
                const float *row = w + (j + (lane < width ? lane : width - 1)) * w_stride + start;
                for (ptrdiff_t i = 0; i < length; i++) panel[i * LANES + lane] = row[i];
            }
            ptrdiff_t r = 0;
            for (; r + TILE_ROWS <= rows; r += TILE_ROWS) {
                tile(TILE_ROWS, length, x + r * x_stride + start, x_stride, panel, width,
                     out + r * out_stride + j, out_stride, start == 0);
            }
            for (; r < rows; r++) {
                tile(1, length, x + r * x_stride + start, x_stride, panel, width, out + r * out_stride + j,
                     out_stride, start == 0);
            }
        }
    }
}

static void product_plain(ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k, const float *x, ptrdiff_t x_stride,
                          const float *w, ptrdiff_t w_stride, float *out, ptrdiff_t out_stride) {
    product_loop(rows, outputs, k, x, x_stride, w, w_stride, out, out_stride);
}

#if CK_X86
CK_AVX2 static void product_avx2(ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k, const float *x,
                                 ptrdiff_t x_stride, const float *w, ptrdiff_t w_stride, float *out,
                                 ptrdiff_t out_stride) {
    product_loop(rows, outputs, k, x, x_stride, w, w_stride, out, out_stride);
}

CK_AVX512 static void product_avx512(ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k, const float *x,
                                     ptrdiff_t x_stride, const float *w, ptrdiff_t w_stride, float *out,
                                     ptrdiff_t out_stride) {
    product_loop(rows, outputs, k, x, x_stride, w, w_stride, out, out_stride);
}
#endif

void ck_product_f32(ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k, const float *x, ptrdiff_t x_stride,
                    const float *w, ptrdiff_t w_stride, float *out, ptrdiff_t out_stride) {
#if CK_X86
    if (ck_isa() == CK_ISA_AVX512) {
        product_avx512(rows, outputs, k, x, x_stride, w, w_stride, out, out_stride);
        return;
    }
    if (ck_isa() == CK_ISA_AVX2) {
        product_avx2(rows, outputs, k, x, x_stride, w, w_stride, out, out_stride);
        return;
    }
#endif
    product_plain(rows, outputs, k, x, x_stride, w, w_stride, out, out_stride);
}
