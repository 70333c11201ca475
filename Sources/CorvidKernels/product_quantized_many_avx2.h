// Products with block-quantised weights, 256 bits, many activation rows: 16 weight rows at a time are
// unpacked in pieces, which then meet a chunk of activation rows in tiles that stay in registers. Between
// pieces the sums wait in `out`. Included once for each form, see product_avx2.h.
#include "product_quantized_avx2.h"

#if CK_X86

#pragma STDC FP_CONTRACT OFF

enum { TILE_ROWS = CK_VNNI ? 6 : 4 };

typedef struct tile_input {
    const ck_panel_block_avx2 *panel;
    ptrdiff_t blocks;               // of the piece
    const ck_piece_row *rows;       // row 0 of the tile
    float *out[CK_PANEL_GROUPS];    // the same
    ptrdiff_t out_stride;
    __m256i mask[CK_PANEL_GROUPS];
    int first_piece;
    // Weights which come next, asked for in shares between the tiles; rows of `ahead_lines` cache lines.
    const uint8_t *ahead;
    ptrdiff_t ahead_lines, ahead_rows;
} tile_input;

/// dots[r][c] += vectors from ..< to of block b.
CK_INLINE_256 void add_dots(int count, ck_type type, const ck_panel_block_avx2 *block,
                            const ck_piece_row *rows, ptrdiff_t b, int from, int to,
                            __m256i (*dots)[CK_PANEL_GROUPS]) {
    int in_16_bits = !CK_VNNI && type != CK_Q8_0;
    __m256i sums[TILE_ROWS][CK_PANEL_GROUPS];
#pragma clang loop unroll(full)
    for (int g = from; g < to; g++) {
        const __m256i *u = (const __m256i *)(const void *)block->u[g];
        __m256i u0 = _mm256_load_si256(u), u1 = _mm256_load_si256(u + 1);
#pragma clang loop unroll(full)
        for (int r = 0; r < count; r++) {
            __m256i four = ck_broadcast4(&rows[r].q[b][4 * g]);
            if (!in_16_bits) {
                dots[r][0] = ck_add_dots8(dots[r][0], u0, four);
                dots[r][1] = ck_add_dots8(dots[r][1], u1, four);
                continue;
            }
            __m256i first = _mm256_maddubs_epi16(u0, four), second = _mm256_maddubs_epi16(u1, four);
            sums[r][0] = g == from ? first : _mm256_add_epi16(sums[r][0], first);
            sums[r][1] = g == from ? second : _mm256_add_epi16(sums[r][1], second);
        }
    }
    if (!in_16_bits) return;
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) {
        for (int c = 0; c < CK_PANEL_GROUPS; c++) {
            __m256i wide = _mm256_madd_epi16(sums[r][c], _mm256_set1_epi16(1));
            dots[r][c] = _mm256_add_epi32(dots[r][c], wide);
        }
    }
}

/// Adds the piece to `count` rows x 2 groups of outputs.
CK_INLINE_256 void tile(int count, ck_type type, const tile_input *t) {
    int halves = type == CK_Q6_K, minima = ck_has_minima(type);
    int vectors = halves ? 4 : 8;
    int step = CK_VNNI || type == CK_Q8_0 ? vectors : ck_vectors_in_16_bits(type);
    __m256 y[TILE_ROWS][CK_PANEL_GROUPS];
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) {
        for (int c = 0; c < CK_PANEL_GROUPS; c++) {
            y[r][c] = t->first_piece ? _mm256_setzero_ps()
                                     : _mm256_maskload_ps(t->out[c] + r * t->out_stride, t->mask[c]);
        }
    }
    const ck_piece_row *rows = t->rows;
    const ck_panel_block_avx2 *block = t->panel;
    for (ptrdiff_t b = 0; b < t->blocks; b++, block++) {
#pragma clang loop unroll(full)
        for (int half = 0; half < (halves ? 2 : 1); half++) {
            __m256i dots[TILE_ROWS][CK_PANEL_GROUPS];
#pragma clang loop unroll(full)
            for (int r = 0; r < count; r++) {
                int32_t start = ck_offset(type) == 0 ? 0 : rows[r].start[halves ? 2 * b + half : b];
                for (int c = 0; c < CK_PANEL_GROUPS; c++) dots[r][c] = _mm256_set1_epi32(start);
            }
#pragma clang loop unroll(full)
            for (int g = vectors * half; g < vectors * (half + 1); g += step) {
                add_dots(count, type, block, rows, b, g, g + step, dots);
            }
#pragma clang loop unroll(full)
            for (int c = 0; c < CK_PANEL_GROUPS; c++) {
                __m256 scale = _mm256_load_ps(half == 0 ? block->scale[c] : block->second[c]);
#pragma clang loop unroll(full)
                for (int r = 0; r < count; r++) {
                    __m256 factor = _mm256_mul_ps(scale, _mm256_broadcast_ss(&rows[r].d[b]));
                    y[r][c] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots[r][c]), factor, y[r][c]);
                }
            }
        }
        if (minima) {
#pragma clang loop unroll(full)
            for (int c = 0; c < CK_PANEL_GROUPS; c++) {
                __m256 minimum = _mm256_load_ps(block->second[c]);
#pragma clang loop unroll(full)
                for (int r = 0; r < count; r++) {
                    y[r][c] = _mm256_fmadd_ps(minimum, _mm256_broadcast_ss(&rows[r].d_sum[b]), y[r][c]);
                }
            }
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) {
        for (int c = 0; c < CK_PANEL_GROUPS; c++) {
            _mm256_maskstore_ps(t->out[c] + r * t->out_stride, t->mask[c], y[r][c]);
        }
    }
}

CK_INLINE_256 void tile_of(int count, ck_type type, const tile_input *t) {
    switch (count) {
    case 1: tile(1, type, t); return;
    case 2: tile(2, type, t); return;
    case 3: tile(3, type, t); return;
    case 4: tile(4, type, t); return;
#if CK_VNNI
    case 5: tile(5, type, t); return;
    case 6: tile(6, type, t); return;
#endif
    default: return;
    }
}

// Types that differ in nothing here share a form.
CK_256 static void tile_minima(int count, const tile_input *t) { tile_of(count, CK_Q4_1, t); }
CK_256 static void tile_five_minima(int count, const tile_input *t) { tile_of(count, CK_Q5_1, t); }
CK_256 static void tile_four(int count, const tile_input *t) { tile_of(count, CK_Q4_0, t); }
CK_256 static void tile_five(int count, const tile_input *t) { tile_of(count, CK_Q5_0, t); }
CK_256 static void tile_eight(int count, const tile_input *t) { tile_of(count, CK_Q8_0, t); }
CK_256 static void tile_halves(int count, const tile_input *t) { tile_of(count, CK_Q6_K, t); }

static void choose_tile(ck_type type, int count, const tile_input *t) {
    switch (type) {
    case CK_Q4_0: tile_four(count, t); return;
    case CK_Q4_1: case CK_Q4_K: tile_minima(count, t); return;
    case CK_Q5_0: tile_five(count, t); return;
    case CK_Q5_1: case CK_Q5_K: tile_five_minima(count, t); return;
    case CK_Q8_0: tile_eight(count, t); return;
    case CK_Q6_K: tile_halves(count, t); return;
    default: return;
    }
}

/// Unpacks blocks b ..< b + blocks of 8 weight rows into group c of the panel.
CK_INLINE_256 void unpack_type(ck_type type, const uint8_t *rows, ptrdiff_t stride, ptrdiff_t b,
                               ptrdiff_t blocks, int c, ck_panel_block_avx2 *panel) {
    ptrdiff_t in_block = ck_pieces_in_block(type), bytes = ck_bytes_in_block(type);
    ck_group_block block;
    rows += b / in_block * bytes;
    for (ptrdiff_t i = 0; i < blocks; i++) {
        ck_load_block(type, rows, stride, (int)(i % in_block), &block);
        if (i % in_block == in_block - 1) rows += bytes;
        for (int g = 0; g < 8; g++) _mm256_store_si256((__m256i *)(void *)panel[i].u[g][c], block.u[g]);
        _mm256_store_ps(panel[i].scale[c], block.scale[0]);
        if (ck_has_minima(type)) _mm256_store_ps(panel[i].second[c], block.minimum);
        if (type == CK_Q6_K) _mm256_store_ps(panel[i].second[c], block.scale[1]);
    }
}

CK_256 static void unpack(ck_type type, const uint8_t *rows, ptrdiff_t stride, ptrdiff_t b, ptrdiff_t blocks,
                          int c, ck_panel_block_avx2 *panel) {
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
CK_256 static void unpack_panel(const ck_product *p, ptrdiff_t j, ptrdiff_t b, ptrdiff_t blocks,
                                ck_product_scratch *scratch, tile_input *t) {
    ck_panel_block_avx2 *panel = (ck_panel_block_avx2 *)(void *)scratch->panel;
    for (int c = 0; c < CK_PANEL_GROUPS; c++) {
        ptrdiff_t wanted = j + c * CK_GROUP_AVX2, left = p->outputs - wanted;
        if (p->outputs < CK_GROUP_AVX2) {
            ptrdiff_t stride = ck_copy_weights(p, CK_GROUP_AVX2, b, blocks, scratch->weights);
            unpack(p->type, scratch->weights, stride, 0, blocks, c, panel);
            t->out[c] = p->out;
            t->mask[c] = ck_first_lanes(c == 0 ? p->outputs : 0);
        } else {
            // The last group ends at the last output; what it shares with the one before is not its own.
            ptrdiff_t first = left >= CK_GROUP_AVX2 ? wanted : p->outputs - CK_GROUP_AVX2;
            unpack(p->type, p->weights + first * p->row_bytes, p->row_bytes, b, blocks, c, panel);
            t->out[c] = p->out + first;
            __m256i shared = ck_first_lanes(CK_GROUP_AVX2 - (left < 0 ? 0 : left));
            t->mask[c] = _mm256_andnot_si256(shared, _mm256_set1_epi32(-1));
        }
    }
}

/// The weights that come next are blocks b ..< b + blocks of the two groups from j.
static void plan_prefetch(const ck_product *p, ptrdiff_t j, ptrdiff_t b, ptrdiff_t blocks, tile_input *t) {
    ptrdiff_t in_block = ck_pieces_in_block(p->type), bytes = ck_bytes_in_block(p->type);
    ptrdiff_t left = p->outputs - j, most = CK_PANEL_GROUPS * CK_GROUP_AVX2;
    t->ahead_rows = left < 0 ? 0 : left < most ? left : most;
    t->ahead = t->ahead_rows > 0 ? p->weights + j * p->row_bytes + b / in_block * bytes : p->weights;
    t->ahead_lines = (blocks / in_block * bytes + 63) / 64 + 1;
}

/// Asks for the next `rows` rows of the weights that come next.
CK_INLINE_256 void prefetch_rows(ptrdiff_t rows, ptrdiff_t stride, tile_input *t) {
    for (ptrdiff_t i = 0; i < rows && t->ahead_rows > 0; i++, t->ahead_rows--, t->ahead += stride) {
        for (ptrdiff_t line = 0; line < t->ahead_lines; line++) {
            _mm_prefetch((const char *)((uintptr_t)t->ahead + 64 * (uintptr_t)line), _MM_HINT_T1);
        }
    }
}

/// Adds the piece of t's panel to `rows` rows of outputs, in tiles of nearly equal height.
CK_256 static void all_tiles(const ck_product *p, ptrdiff_t rows, tile_input *t) {
    ptrdiff_t share = t->ahead_rows * TILE_ROWS / rows + 1;
    while (rows > 0) {
        ptrdiff_t tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
        int count = (int)((rows + tiles - 1) / tiles);
        prefetch_rows(share, p->row_bytes, t);
        choose_tile(p->type, count, t);
        for (int c = 0; c < CK_PANEL_GROUPS; c++) t->out[c] += count * t->out_stride;
        t->rows += count;
        rows -= count;
    }
}

CK_256 void CK_256_NAME(ck_product_many)(const ck_product *p, ck_product_scratch *scratch) {
    ck_product_cut cut = ck_cut_product(p->type, p->rows, p->k);
    ptrdiff_t all_blocks = p->k / 32, width = CK_PANEL_GROUPS * CK_GROUP_AVX2;
    tile_input t;
    t.panel = (const ck_panel_block_avx2 *)(const void *)scratch->panel;
    t.out_stride = p->out_stride;
    for (ptrdiff_t first = 0; first < p->rows; first += cut.chunk_rows) {
        ptrdiff_t rows = p->rows - first < cut.chunk_rows ? p->rows - first : cut.chunk_rows;
        for (ptrdiff_t piece = 0; piece < cut.pieces; piece++) {
            ptrdiff_t b = piece * cut.piece_blocks, left = all_blocks - b;
            ptrdiff_t blocks = left < cut.piece_blocks ? left : cut.piece_blocks;
            ck_piece_row *to = scratch->rows + piece * rows;
            for (ptrdiff_t r = 0; r < rows; r++) {
                ck_prepare_row(p, ck_offset(p->type), first + r, b, blocks, to + r);
            }
        }
        for (ptrdiff_t j = 0; j < p->outputs; j += width) {
            for (ptrdiff_t piece = 0; piece < cut.pieces; piece++) {
                ptrdiff_t b = piece * cut.piece_blocks, left = all_blocks - b;
                t.blocks = left < cut.piece_blocks ? left : cut.piece_blocks;
                t.first_piece = piece == 0;
                t.rows = scratch->rows + piece * rows;
                unpack_panel(p, j, b, t.blocks, scratch, &t);
                plan_prefetch(p, piece + 1 < cut.pieces ? j : j + width,
                              piece + 1 < cut.pieces ? b + cut.piece_blocks : 0, cut.piece_blocks, &t);
                for (int c = 0; c < CK_PANEL_GROUPS; c++) t.out[c] += first * p->out_stride;
                all_tiles(p, rows, &t);
            }
        }
    }
}

#endif
