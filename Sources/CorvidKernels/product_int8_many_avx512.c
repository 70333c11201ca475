// Row-scaled int8 products, AVX-512, many activation rows: up to 64 weight rows at a time are laid side by
// side in pieces of 512 weights, which then meet the activation rows in tiles that stay in registers.
#include "product_int8.h"
#include "transpose_avx512.h"

#if CK_X86
#include <immintrin.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

enum {
    LANES = 16,
    GROUPS = CK_INT8_PANEL_OUTPUTS / LANES,
    TILE_ROWS = 6,
    LINE = 64,
};

typedef struct tile_input {
    const uint8_t *panel;       // [fours, groups, LANES, 4], weights + 128
    ptrdiff_t fours;            // of the piece
    const int8_t *q;            // row 0 of the tile, [rows, CK_INT8_PIECE_STRIDE]
    int32_t *sums;              // [rows, CK_INT8_BLOCK_OUTPUTS]
    const int32_t *row_sum;     // of the activations
    const float *d;
    const float *scales;
    float *out;
    ptrdiff_t out_stride;
    __mmask16 last_mask;        // of the last group
    int first_piece, last_piece;
} tile_input;

CK_INLINE_AVX512 __m512i broadcast4(const int8_t *q) {
    int32_t four;
    memcpy(&four, q, sizeof four);
    return _mm512_set1_epi32(four);
}

/// Adds the piece to `count` rows x `groups` groups of outputs.
CK_INLINE_AVX512 void tile(int count, int groups, const tile_input *t) {
    __m512i sums[TILE_ROWS][GROUPS];
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) {
#pragma clang loop unroll(full)
        for (int c = 0; c < groups; c++) {
            sums[r][c] = t->first_piece
                ? _mm512_slli_epi32(_mm512_set1_epi32(-t->row_sum[r]), 7)
                : _mm512_load_si512(t->sums + r * CK_INT8_BLOCK_OUTPUTS + c * LANES);
        }
    }
    const uint8_t *panel = t->panel;
    const int8_t *q = t->q;
    for (ptrdiff_t g = 0; g < t->fours; g++, panel += groups * LINE, q += 4) {
        __m512i u[GROUPS];
#pragma clang loop unroll(full)
        for (int c = 0; c < groups; c++) u[c] = _mm512_load_si512(panel + c * LINE);
#pragma clang loop unroll(full)
        for (int r = 0; r < count; r++) {
            __m512i four = broadcast4(q + r * CK_INT8_PIECE_STRIDE);
#pragma clang loop unroll(full)
            for (int c = 0; c < groups; c++) sums[r][c] = _mm512_dpbusd_epi32(sums[r][c], u[c], four);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) {
#pragma clang loop unroll(full)
        for (int c = 0; c < groups; c++) {
            if (!t->last_piece) {
                _mm512_store_si512(t->sums + r * CK_INT8_BLOCK_OUTPUTS + c * LANES, sums[r][c]);
                continue;
            }
            __mmask16 mask = c == groups - 1 ? t->last_mask : 0xffff;
            __m512 scale = _mm512_maskz_loadu_ps(mask, t->scales + c * LANES);
            __m512 factor = _mm512_mul_ps(scale, _mm512_set1_ps(t->d[r]));
            _mm512_mask_storeu_ps(t->out + r * t->out_stride + c * LANES, mask,
                                  _mm512_mul_ps(_mm512_cvtepi32_ps(sums[r][c]), factor));
        }
    }
}

CK_INLINE_AVX512 void tile_of(int count, int groups, const tile_input *t) {
    switch (count) {
    case 1: tile(1, groups, t); return;
    case 2: tile(2, groups, t); return;
    case 3: tile(3, groups, t); return;
    case 4: tile(4, groups, t); return;
    case 5: tile(5, groups, t); return;
    default: tile(TILE_ROWS, groups, t); return;
    }
}

CK_AVX512 static void tile_1(int count, const tile_input *t) { tile_of(count, 1, t); }
CK_AVX512 static void tile_2(int count, const tile_input *t) { tile_of(count, 2, t); }
CK_AVX512 static void tile_3(int count, const tile_input *t) { tile_of(count, 3, t); }
CK_AVX512 static void tile_4(int count, const tile_input *t) { tile_of(count, 4, t); }

/// Lays 64 weights of each of 16 rows side by side, as unsigned numbers; `mask` says which of the 64 exist.
/// Line g of the result goes to to + g * stride.
CK_INLINE_AVX512 void transpose(const int8_t *const *rows, ptrdiff_t at, __mmask64 mask, ptrdiff_t lines,
                                uint8_t *to, ptrdiff_t stride) {
    const __m512i flip = _mm512_set1_epi8((char)128);
    __m512i a[LANES];
#pragma clang loop unroll(full)
    for (int i = 0; i < LANES; i++) {
        a[i] = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, rows[i] + at), flip);
    }
    ck_transpose_dwords(a);
    if (lines == LANES) {
#pragma clang loop unroll(full)
        for (int g = 0; g < LANES; g++) _mm512_store_si512(to + g * stride, a[g]);
    } else {
        for (ptrdiff_t g = 0; g < lines; g++) _mm512_store_si512(to + g * stride, a[g]);
    }
}

/// Unpacks weights i ..< i + length of the rows j ..< j + width (the last one repeated).
CK_AVX512 static void unpack(const ck_int8_product *p, ptrdiff_t j, ptrdiff_t width, ptrdiff_t i,
                             ptrdiff_t length, uint8_t *panel) {
    ptrdiff_t groups = (width + LANES - 1) / LANES;
    for (ptrdiff_t c = 0; c < groups; c++) {
        const int8_t *rows[LANES];
        for (ptrdiff_t lane = 0; lane < LANES; lane++) {
            ptrdiff_t row = c * LANES + lane < width ? c * LANES + lane : width - 1;
            rows[lane] = p->weights + (j + row) * p->k + i;
        }
        for (ptrdiff_t at = 0; at < length; at += LINE) {
            ptrdiff_t left = length - at;
            __mmask64 mask = left >= LINE ? ~(__mmask64)0 : ((__mmask64)1 << left) - 1;
            ptrdiff_t lines = left >= LINE ? LANES : (left + 3) / 4;
            transpose(rows, at, mask, lines, panel + (at / 4 * groups + c) * LINE, groups * LINE);
        }
    }
}

/// Asks for `rows` rows of `length` bytes.
CK_INLINE_AVX512 void prefetch_rows(const int8_t *first, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t length) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        for (ptrdiff_t at = 0; at < length; at += LINE) {
            _mm_prefetch((const char *)((uintptr_t)first + (uintptr_t)(r * stride + at)), _MM_HINT_T1);
        }
    }
}

/// The piece of the panel with all rows of the chunk, while the weights that come after it are asked for.
CK_AVX512 static void all_tiles(ptrdiff_t rows, ptrdiff_t groups, ck_int8_next next, ptrdiff_t k,
                                tile_input t) {
    ptrdiff_t share = next.rows * TILE_ROWS / rows + 1;
    while (rows > 0) {
        ptrdiff_t tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
        int count = (int)((rows + tiles - 1) / tiles);
        share = share < next.rows ? share : next.rows;
        if (share > 0) {
            prefetch_rows(next.weights, k, share, CK_INT8_PIECE < k ? CK_INT8_PIECE : k);
            next.weights += share * k;
            next.rows -= share;
        }
        switch (groups) {
        case 1: tile_1(count, &t); break;
        case 2: tile_2(count, &t); break;
        case 3: tile_3(count, &t); break;
        default: tile_4(count, &t); break;
        }
        t.q += count * CK_INT8_PIECE_STRIDE;
        t.sums += count * CK_INT8_BLOCK_OUTPUTS;
        t.row_sum += count;
        t.d += count;
        t.out += count * t.out_stride;
        rows -= count;
    }
}

void ck_int8_many_avx512(const ck_int8_product *p, ck_int8_scratch *scratch) {
    ptrdiff_t chunk_rows = ck_int8_chunk_rows(p->rows), k = p->k;
    for (ptrdiff_t first = 0; first < p->rows; first += chunk_rows) {
        ptrdiff_t rows = p->rows - first < chunk_rows ? p->rows - first : chunk_rows;
        for (ptrdiff_t block = 0; block < p->outputs; block += CK_INT8_BLOCK_OUTPUTS) {
            ptrdiff_t rest = p->outputs - block;
            ptrdiff_t end = rest < CK_INT8_BLOCK_OUTPUTS ? p->outputs : block + CK_INT8_BLOCK_OUTPUTS;
            for (ptrdiff_t i = 0; i < k; i += CK_INT8_PIECE) {
                ptrdiff_t length = k - i < CK_INT8_PIECE ? k - i : CK_INT8_PIECE;
                ck_int8_copy_piece(p, first, rows, i, length, scratch->q);
                for (ptrdiff_t j = block; j < end; j += CK_INT8_PANEL_OUTPUTS) {
                    ptrdiff_t width = end - j < CK_INT8_PANEL_OUTPUTS ? end - j : CK_INT8_PANEL_OUTPUTS;
                    ptrdiff_t groups = (width + LANES - 1) / LANES;
                    unpack(p, j, width, i, length, scratch->panel);
                    tile_input t = {
                        .panel = scratch->panel, .fours = (length + 3) / 4, .q = scratch->q,
                        .sums = scratch->sums + (j - block), .row_sum = p->sum + first, .d = p->d + first,
                        .scales = p->scales + j, .out = p->out + first * p->out_stride + j,
                        .out_stride = p->out_stride,
                        .last_mask = (__mmask16)(0xffffu >> (groups * LANES - width)),
                        .first_piece = i == 0, .last_piece = i + CK_INT8_PIECE >= k,
                    };
                    all_tiles(rows, groups, ck_int8_after(p, block, end, j, width, i), k, t);
                }
            }
        }
    }
}

#endif
