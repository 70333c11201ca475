// Products with block-quantised weights, AVX-512, many activation rows: 32 weight rows at a time are unpacked
// in pieces of 512 weights, which then meet all activation rows in tiles that stay in registers.
#include "product_quantized_avx512.h"

#if CK_X86

#pragma STDC FP_CONTRACT OFF

enum { TILE_ROWS = 6 };

typedef struct tile_input {
    const ck_panel_block *panel;
    ptrdiff_t blocks;                               // of the piece
    const int8_t *q;                                // first row of the tile, first block of the piece
    ptrdiff_t k;
    float d[TILE_ROWS][CK_PANEL_BLOCKS];
    float d_sum[TILE_ROWS][CK_PANEL_BLOCKS];        // d * float(sum)
    int32_t start[TILE_ROWS][2 * CK_PANEL_BLOCKS];  // -zero point * sum; two per block for Q6_K
    float *out[CK_PANEL_GROUPS];                    // row 0 of the tile
    ptrdiff_t out_stride;
    __mmask16 mask;
    int first_piece;
} tile_input;

CK_INLINE_AVX512 __m512i broadcast4(const int8_t *q) {
    int32_t four;
    memcpy(&four, q, sizeof four);
    return _mm512_set1_epi32(four);
}

/// Adds the piece to `count` rows x 2 groups of outputs.
CK_INLINE_AVX512 void tile(int count, int zero_point, int minima, int halves, const tile_input *t) {
    __m512 y[TILE_ROWS][CK_PANEL_GROUPS];
    for (int r = 0; r < count; r++) {
        for (int c = 0; c < CK_PANEL_GROUPS; c++) {
            y[r][c] = t->first_piece ? _mm512_setzero_ps()
                                     : _mm512_maskz_loadu_ps(t->mask, t->out[c] + r * t->out_stride);
        }
    }
    const int8_t *q = t->q;
    const ck_panel_block *block = t->panel;
    for (ptrdiff_t b = 0; b < t->blocks; b++, block++, q += 32) {
#pragma clang loop unroll(full)
        for (int half = 0; half < (halves ? 2 : 1); half++) {
            __m512i dots[TILE_ROWS][CK_PANEL_GROUPS];
            for (int r = 0; r < count; r++) {
                for (int c = 0; c < CK_PANEL_GROUPS; c++) {
                    dots[r][c] = zero_point == 0 ? _mm512_setzero_si512()
                                                 : _mm512_set1_epi32(t->start[r][halves ? 2 * b + half : b]);
                }
            }
#pragma clang loop unroll(full)
            for (int g = halves ? 4 * half : 0; g < (halves ? 4 * half + 4 : 8); g++) {
                __m512i u0 = _mm512_load_si512(block->u[g][0]), u1 = _mm512_load_si512(block->u[g][1]);
#pragma clang loop unroll(full)
                for (int r = 0; r < count; r++) {
                    __m512i four = broadcast4(q + r * t->k + 4 * g);
                    dots[r][0] = _mm512_dpbusd_epi32(dots[r][0], u0, four);
                    dots[r][1] = _mm512_dpbusd_epi32(dots[r][1], u1, four);
                }
            }
#pragma clang loop unroll(full)
            for (int c = 0; c < CK_PANEL_GROUPS; c++) {
                __m512 scale = _mm512_load_ps(half == 0 ? block->scale[c] : block->second[c]);
#pragma clang loop unroll(full)
                for (int r = 0; r < count; r++) {
                    __m512 factor = _mm512_mul_ps(scale, _mm512_set1_ps(t->d[r][b]));
                    y[r][c] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots[r][c]), factor, y[r][c]);
                }
            }
        }
        if (minima) {
#pragma clang loop unroll(full)
            for (int c = 0; c < CK_PANEL_GROUPS; c++) {
                __m512 minimum = _mm512_load_ps(block->second[c]);
#pragma clang loop unroll(full)
                for (int r = 0; r < count; r++) {
                    y[r][c] = _mm512_fmadd_ps(minimum, _mm512_set1_ps(t->d_sum[r][b]), y[r][c]);
                }
            }
        }
    }
    for (int r = 0; r < count; r++) {
        for (int c = 0; c < CK_PANEL_GROUPS; c++) {
            _mm512_mask_storeu_ps(t->out[c] + r * t->out_stride, t->mask, y[r][c]);
        }
    }
}

CK_INLINE_AVX512 void tile_of(int count, int zero_point, int minima, int halves, const tile_input *t) {
    switch (count) {
    case 1: tile(1, zero_point, minima, halves, t); return;
    case 2: tile(2, zero_point, minima, halves, t); return;
    case 3: tile(3, zero_point, minima, halves, t); return;
    case 4: tile(4, zero_point, minima, halves, t); return;
    case 5: tile(5, zero_point, minima, halves, t); return;
    default: tile(TILE_ROWS, zero_point, minima, halves, t); return;
    }
}

CK_AVX512 static void tile_unsigned(int count, const tile_input *t) { tile_of(count, 0, 1, 0, t); }
CK_AVX512 static void tile_signed(int count, const tile_input *t) { tile_of(count, 1, 0, 0, t); }
CK_AVX512 static void tile_halves(int count, const tile_input *t) { tile_of(count, 1, 0, 1, t); }

/// The rows' part of a tile's input, for `count` rows from row r and `blocks` blocks from block b.
CK_INLINE_AVX512 void prepare(const ck_product *p, const int32_t *halves, int count, ptrdiff_t r, ptrdiff_t b,
                              ptrdiff_t blocks, tile_input *t) {
    const __mmask16 mask = (__mmask16)((1u << blocks) - 1);
    const __m128i shift = _mm_cvtsi32_si128(__builtin_ctz((unsigned)ck_zero_point(p->type) | 1u << 30));
    for (int i = 0; i < count; i++) {
        ptrdiff_t at = (r + i) * (p->k / 32) + b;
        __m512 d = _mm512_maskz_loadu_ps(mask, p->d + at);
        __m512i sum = _mm512_maskz_loadu_epi32(mask, p->sum + at);
        _mm512_storeu_ps(t->d[i], d);
        _mm512_storeu_ps(t->d_sum[i], _mm512_mul_ps(d, _mm512_cvtepi32_ps(sum)));
        if (p->type == CK_Q6_K) {
            memcpy(t->start[i], halves + 2 * at, (size_t)blocks * 2 * sizeof(int32_t));
        } else {
            __m512i start = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_sll_epi32(sum, shift));
            _mm512_storeu_si512(t->start[i], start);
        }
    }
}

/// Unpacks blocks b ..< b + blocks of 16 weight rows into group c of the panel.
CK_INLINE_AVX512 void unpack_type(ck_type type, const uint8_t *rows, ptrdiff_t stride, ptrdiff_t b,
                                  ptrdiff_t blocks, int c, ck_panel_block *panel) {
    ptrdiff_t in_block = ck_pieces_in_block(type), bytes = ck_bytes_in_block(type);
    ck_group_rows at = ck_rows_at(rows + b / in_block * bytes, stride);
    for (ptrdiff_t i = 0; i < blocks; i++) {
        ck_group_block block;
        ck_load_block(type, &at, (int)(i % in_block), &block);
        if (i % in_block == in_block - 1) ck_advance(&at, bytes);
        for (int g = 0; g < 8; g++) _mm512_store_si512(panel[i].u[g][c], block.u[g]);
        _mm512_store_ps(panel[i].scale[c], block.scale[0]);
        if (ck_has_minima(type)) _mm512_store_ps(panel[i].second[c], block.minimum);
        if (type == CK_Q6_K) _mm512_store_ps(panel[i].second[c], block.scale[1]);
    }
}

CK_AVX512 static void unpack(ck_type type, const uint8_t *rows, ptrdiff_t stride, ptrdiff_t b,
                             ptrdiff_t blocks, int c, ck_panel_block *panel) {
    switch (type) {
    case CK_Q4_0: unpack_type(CK_Q4_0, rows, stride, b, blocks, c, panel); return;
    case CK_Q4_1: unpack_type(CK_Q4_1, rows, stride, b, blocks, c, panel); return;
    case CK_Q5_0: unpack_type(CK_Q5_0, rows, stride, b, blocks, c, panel); return;
    case CK_Q5_1: unpack_type(CK_Q5_1, rows, stride, b, blocks, c, panel); return;
    case CK_Q8_0: unpack_type(CK_Q8_0, rows, stride, b, blocks, c, panel); return;
    case CK_Q4_K: unpack_type(CK_Q4_K, rows, stride, b, blocks, c, panel); return;
    case CK_Q5_K: unpack_type(CK_Q5_K, rows, stride, b, blocks, c, panel); return;
    case CK_Q6_K: unpack_type(CK_Q6_K, rows, stride, b, blocks, c, panel); return;
    default: return;
    }
}

/// Copies blocks b ..< b + blocks of fewer than 16 weight rows, the last one repeated; returns bytes per row.
static ptrdiff_t copy_rows(const ck_product *p, ptrdiff_t b, ptrdiff_t blocks, uint8_t *copy) {
    ptrdiff_t in_block = ck_pieces_in_block(p->type), bytes = ck_bytes_in_block(p->type);
    ptrdiff_t start = b / in_block * bytes, length = blocks / in_block * bytes;
    for (ptrdiff_t i = 0; i < CK_GROUP; i++) {
        ptrdiff_t row = i < p->outputs ? i : p->outputs - 1;
        memcpy(copy + i * length, p->weights + row * p->row_bytes + start, (size_t)length);
    }
    return length;
}

CK_AVX512 void ck_product_many_avx512(const ck_product *p, ck_product_scratch *scratch) {
    ptrdiff_t all_blocks = p->k / 32;
    int narrow = p->outputs < CK_GROUP;
    tile_input t;
    t.panel = scratch->panel;
    t.k = p->k;
    t.out_stride = p->out_stride;
    t.mask = narrow ? (__mmask16)((1u << p->outputs) - 1) : 0xffff;
    for (ptrdiff_t j = 0; j < p->outputs; j += CK_PANEL_GROUPS * CK_GROUP) {
        // Groups end at the last output and may overlap: they hold the same values at every time.
        ptrdiff_t first[CK_PANEL_GROUPS];
        for (int c = 0; c < CK_PANEL_GROUPS; c++) {
            ptrdiff_t wanted = j + c * CK_GROUP;
            first[c] = narrow ? 0 : wanted + CK_GROUP <= p->outputs ? wanted : p->outputs - CK_GROUP;
        }
        for (ptrdiff_t b = 0; b < all_blocks; b += CK_PANEL_BLOCKS) {
            ptrdiff_t blocks = all_blocks - b < CK_PANEL_BLOCKS ? all_blocks - b : CK_PANEL_BLOCKS;
            for (int c = 0; c < CK_PANEL_GROUPS; c++) {
                if (narrow) {
                    ptrdiff_t stride = copy_rows(p, b, blocks, scratch->rows);
                    unpack(p->type, scratch->rows, stride, 0, blocks, c, scratch->panel);
                } else {
                    unpack(p->type, p->weights + first[c] * p->row_bytes, p->row_bytes, b, blocks, c,
                           scratch->panel);
                }
            }
            t.blocks = blocks;
            t.first_piece = b == 0;
            for (ptrdiff_t r = 0; r < p->rows;) {
                // Tiles of nearly equal height: 7 rows are 4 + 3.
                ptrdiff_t left = p->rows - r, tiles = (left + TILE_ROWS - 1) / TILE_ROWS;
                int count = (int)((left + tiles - 1) / tiles);
                prepare(p, scratch->halves, count, r, b, blocks, &t);
                t.q = p->q + r * p->k + 32 * b;
                for (int c = 0; c < CK_PANEL_GROUPS; c++) t.out[c] = p->out + r * p->out_stride + first[c];
                if (p->type == CK_Q6_K) tile_halves(count, &t);
                else if (ck_has_minima(p->type)) tile_unsigned(count, &t);
                else tile_signed(count, &t);
                r += count;
            }
        }
    }
}

#endif
