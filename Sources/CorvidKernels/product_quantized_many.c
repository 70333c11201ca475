// Products with block-quantised weights, AVX-512, many activation rows: 32 weight rows at a time are unpacked
// in pieces of up to 768 weights, which then meet a chunk of activation rows in tiles that stay in registers.
// Between pieces the sums wait in `out`.
#include "product_quantized_avx512.h"

#if CK_X86

#pragma STDC FP_CONTRACT OFF

enum { TILE_ROWS = 6 };

typedef struct tile_input {
    const ck_panel_block *panel;
    ptrdiff_t blocks;               // of the piece
    const ck_piece_row *rows;       // row 0 of the tile
    float *out[CK_PANEL_GROUPS];    // the same
    ptrdiff_t out_stride;
    __mmask16 mask[CK_PANEL_GROUPS];
    int first_piece;
    // Weights which come next, asked for in shares between the tiles; rows of `ahead_lines` cache lines.
    const uint8_t *ahead;
    ptrdiff_t ahead_lines, ahead_rows;
} tile_input;

CK_INLINE_AVX512 __m512i broadcast4(const int8_t *q) {
    int32_t four;
    memcpy(&four, q, sizeof four);
    return _mm512_set1_epi32(four);
}

/// Adds the piece to `count` rows x 2 groups of outputs.
CK_INLINE_AVX512 void tile(int count, int zero_point, int minima, int halves, const tile_input *t) {
    __m512 y[TILE_ROWS][CK_PANEL_GROUPS];
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) {
        for (int c = 0; c < CK_PANEL_GROUPS; c++) {
            y[r][c] = t->first_piece ? _mm512_setzero_ps()
                                     : _mm512_maskz_loadu_ps(t->mask[c], t->out[c] + r * t->out_stride);
        }
    }
    const ck_piece_row *rows = t->rows;
    const ck_panel_block *block = t->panel;
    for (ptrdiff_t b = 0; b < t->blocks; b++, block++) {
#pragma clang loop unroll(full)
        for (int half = 0; half < (halves ? 2 : 1); half++) {
            __m512i dots[TILE_ROWS][CK_PANEL_GROUPS];
#pragma clang loop unroll(full)
            for (int r = 0; r < count; r++) {
                for (int c = 0; c < CK_PANEL_GROUPS; c++) {
                    int32_t start = zero_point == 0 ? 0 : rows[r].start[halves ? 2 * b + half : b];
                    dots[r][c] = _mm512_set1_epi32(start);
                }
            }
#pragma clang loop unroll(full)
            for (int g = halves ? 4 * half : 0; g < (halves ? 4 * half + 4 : 8); g++) {
                __m512i u0 = _mm512_load_si512(block->u[g][0]), u1 = _mm512_load_si512(block->u[g][1]);
#pragma clang loop unroll(full)
                for (int r = 0; r < count; r++) {
                    __m512i four = broadcast4(&rows[r].q[b][4 * g]);
                    dots[r][0] = _mm512_dpbusd_epi32(dots[r][0], u0, four);
                    dots[r][1] = _mm512_dpbusd_epi32(dots[r][1], u1, four);
                }
            }
#pragma clang loop unroll(full)
            for (int c = 0; c < CK_PANEL_GROUPS; c++) {
                __m512 scale = _mm512_load_ps(half == 0 ? block->scale[c] : block->second[c]);
#pragma clang loop unroll(full)
                for (int r = 0; r < count; r++) {
                    __m512 factor = _mm512_mul_ps(scale, _mm512_set1_ps(rows[r].d[b]));
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
                    y[r][c] = _mm512_fmadd_ps(minimum, _mm512_set1_ps(rows[r].d_sum[b]), y[r][c]);
                }
            }
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) {
        for (int c = 0; c < CK_PANEL_GROUPS; c++) {
            _mm512_mask_storeu_ps(t->out[c] + r * t->out_stride, t->mask[c], y[r][c]);
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

/// Lays a block into group c of the panel.
CK_INLINE_AVX512 void store_block(ck_type type, const ck_group_block *block, int c, ck_panel_block *panel) {
    for (int g = 0; g < 8; g++) _mm512_store_si512(panel->u[g][c], block->u[g]);
    _mm512_store_ps(panel->scale[c], block->scale[0]);
    if (ck_has_minima(type)) _mm512_store_ps(panel->second[c], block->minimum);
    if (type == CK_Q6_K) _mm512_store_ps(panel->second[c], block->scale[1]);
}

/// Unpacks blocks b ..< b + blocks of 16 weight rows into group c of the panel.
CK_INLINE_AVX512 void unpack_type(ck_type type, const uint8_t *rows, ptrdiff_t stride, ptrdiff_t b,
                                  ptrdiff_t blocks, int c, ck_panel_block *panel) {
    ptrdiff_t in_block = ck_pieces_in_block(type), bytes = ck_bytes_in_block(type), unit = ck_unit(type);
    ck_group_rows at = ck_rows_at(rows + b / in_block * bytes, stride);
    ck_group_block block;
    ptrdiff_t i = 0;
    for (; i + unit <= blocks; i += unit) {
#pragma clang loop unroll(full)
        for (ptrdiff_t n = 0; n < unit; n++) {
            int j = (int)(unit >= in_block ? n : i / unit % (in_block / unit) * unit + n);
            ck_load_block(type, &at, j, &block);
            if (unit >= in_block ? n == unit - 1 : j == in_block - 1) {
                ck_advance(&at, unit >= in_block ? unit / in_block * bytes : bytes);
            }
            store_block(type, &block, c, panel + i + n);
        }
    }
    if (i < blocks) {
        ck_load_block(type, &at, CK_ALONE, &block);
        store_block(type, &block, c, panel + i);
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

/// Unpacks the two groups of outputs from j and says where their sums go.
static void unpack_panel(const ck_product *p, ptrdiff_t j, ptrdiff_t b, ptrdiff_t blocks,
                         ck_product_scratch *scratch, tile_input *t) {
    for (int c = 0; c < CK_PANEL_GROUPS; c++) {
        ptrdiff_t wanted = j + c * CK_GROUP, left = p->outputs - wanted;
        if (p->outputs < CK_GROUP) {
            ptrdiff_t stride = ck_copy_weights(p, CK_GROUP, b, blocks, scratch->weights);
            unpack(p->type, scratch->weights, stride, 0, blocks, c, scratch->panel);
            t->out[c] = p->out;
            t->mask[c] = c == 0 ? (__mmask16)((1u << p->outputs) - 1) : 0;
        } else {
            // The last group ends at the last output; what it shares with the one before is not its own.
            ptrdiff_t first = left >= CK_GROUP ? wanted : p->outputs - CK_GROUP;
            unpack(p->type, p->weights + first * p->row_bytes, p->row_bytes, b, blocks, c, scratch->panel);
            t->out[c] = p->out + first;
            t->mask[c] = left >= CK_GROUP ? 0xffff : left <= 0 ? 0 : (__mmask16)(0xffff0000u >> left);
        }
    }
}

/// The weights that come next are blocks b ..< b + blocks of the two groups from j.
static void plan_prefetch(const ck_product *p, ptrdiff_t j, ptrdiff_t b, ptrdiff_t blocks, tile_input *t) {
    ptrdiff_t in_block = ck_pieces_in_block(p->type), bytes = ck_bytes_in_block(p->type);
    ptrdiff_t left = p->outputs - j;
    t->ahead_rows = left < 0 ? 0 : left < CK_PANEL_GROUPS * CK_GROUP ? left : CK_PANEL_GROUPS * CK_GROUP;
    t->ahead = t->ahead_rows > 0 ? p->weights + j * p->row_bytes + b / in_block * bytes : p->weights;
    t->ahead_lines = (blocks / in_block * bytes + 63) / 64 + 1;
}

/// Asks for the next `rows` rows of the weights that come next.
CK_INLINE_AVX512 void prefetch_rows(ptrdiff_t rows, ptrdiff_t stride, tile_input *t) {
    for (ptrdiff_t i = 0; i < rows && t->ahead_rows > 0; i++, t->ahead_rows--, t->ahead += stride) {
        for (ptrdiff_t line = 0; line < t->ahead_lines; line++) {
            _mm_prefetch((const char *)((uintptr_t)t->ahead + 64 * (uintptr_t)line), _MM_HINT_T1);
        }
    }
}

/// Adds the piece of t's panel to `rows` rows of outputs, in tiles of nearly equal height.
CK_AVX512 static void all_tiles(const ck_product *p, ptrdiff_t rows, tile_input *t) {
    ptrdiff_t share = t->ahead_rows * TILE_ROWS / rows + 1;
    while (rows > 0) {
        ptrdiff_t tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
        int count = (int)((rows + tiles - 1) / tiles);
        prefetch_rows(share, p->row_bytes, t);
        if (p->type == CK_Q6_K) tile_halves(count, t);
        else if (ck_has_minima(p->type)) tile_unsigned(count, t);
        else tile_signed(count, t);
        for (int c = 0; c < CK_PANEL_GROUPS; c++) t->out[c] += count * t->out_stride;
        t->rows += count;
        rows -= count;
    }
}

void ck_product_many_avx512(const ck_product *p, ck_product_scratch *scratch) {
    ck_product_cut cut = ck_cut_product(p->type, p->rows, p->k);
    ptrdiff_t all_blocks = p->k / 32;
    tile_input t;
    t.panel = scratch->panel;
    t.out_stride = p->out_stride;
    for (ptrdiff_t first = 0; first < p->rows; first += cut.chunk_rows) {
        ptrdiff_t rows = p->rows - first < cut.chunk_rows ? p->rows - first : cut.chunk_rows;
        for (ptrdiff_t piece = 0; piece < cut.pieces; piece++) {
            ptrdiff_t b = piece * cut.piece_blocks, left = all_blocks - b;
            ptrdiff_t blocks = left < cut.piece_blocks ? left : cut.piece_blocks;
            ck_piece_row *to = scratch->rows + piece * rows;
            for (ptrdiff_t r = 0; r < rows; r++) {
                ck_prepare_row(p, ck_zero_point(p->type), first + r, b, blocks, to + r);
            }
        }
        for (ptrdiff_t j = 0; j < p->outputs; j += CK_PANEL_GROUPS * CK_GROUP) {
            for (ptrdiff_t piece = 0; piece < cut.pieces; piece++) {
                ptrdiff_t b = piece * cut.piece_blocks, left = all_blocks - b;
                t.blocks = left < cut.piece_blocks ? left : cut.piece_blocks;
                t.first_piece = piece == 0;
                t.rows = scratch->rows + piece * rows;
                unpack_panel(p, j, b, t.blocks, scratch, &t);
                plan_prefetch(p, piece + 1 < cut.pieces ? j : j + CK_PANEL_GROUPS * CK_GROUP,
                              piece + 1 < cut.pieces ? b + cut.piece_blocks : 0, cut.piece_blocks, &t);
                for (int c = 0; c < CK_PANEL_GROUPS; c++) t.out[c] += first * p->out_stride;
                all_tiles(p, rows, &t);
            }
        }
    }
}

#endif
