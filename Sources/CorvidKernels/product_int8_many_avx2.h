// Row-scaled int8 products, 256 bits, many activation rows: up to 64 weight rows at a time are laid side by
// side in pieces of 512 weights, which then meet the activation rows in tiles that stay in registers.
// Included once for each form, see product_avx2.h.
#include "product_avx2.h"
#include "product_int8.h"

#if CK_X86

#pragma STDC FP_CONTRACT OFF

enum {
    LANES = 8,
    GROUPS = 2,                     // of a tile
    TILE_OUTPUTS = GROUPS * LANES,
    TILE_ROWS = CK_VNNI ? 6 : 4,
    LINE = 32,
};

typedef struct tile_input {
    const uint8_t *panel;       // [fours, groups, LANES, 4], as `ck_add_dots8` wants its left numbers
    ptrdiff_t fours;            // of the piece
    const int8_t *q;            // row 0 of the tile, [rows, CK_INT8_PIECE_STRIDE]
    int32_t *sums;              // [rows, CK_INT8_BLOCK_OUTPUTS]
    const int32_t *row_sum;     // of the activations
    const float *d;
    const float *scales;
    float *out;
    ptrdiff_t out_stride;
    ptrdiff_t width;            // outputs of the tile
    int first_piece, last_piece;
} tile_input;

CK_INLINE_256 void store(const tile_input *t, int r, int c, __m256i sum) {
    if (!t->last_piece) {
        int32_t *to = t->sums + r * CK_INT8_BLOCK_OUTPUTS + c * LANES;
        _mm256_store_si256((__m256i *)(void *)to, sum);
        return;
    }
    __m256i mask = ck_first_lanes(t->width - c * LANES);
    __m256 scale = _mm256_maskload_ps(t->scales + c * LANES, mask);
    __m256 y = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_mul_ps(scale, _mm256_set1_ps(t->d[r])));
    _mm256_maskstore_ps(t->out + r * t->out_stride + c * LANES, mask, y);
}

/// Adds the piece to `count` rows x `groups` groups of outputs.
CK_INLINE_256 void tile(int count, int groups, const tile_input *t) {
    __m256i sums[TILE_ROWS][GROUPS];
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) {
        for (int c = 0; c < groups; c++) {
            const int32_t *from = t->sums + r * CK_INT8_BLOCK_OUTPUTS + c * LANES;
            sums[r][c] = !t->first_piece ? _mm256_load_si256((const __m256i *)(const void *)from)
                : CK_VNNI ? _mm256_slli_epi32(_mm256_set1_epi32(-t->row_sum[r]), 7)
                          : _mm256_setzero_si256();
        }
    }
    const __m256i *panel = (const __m256i *)(const void *)t->panel;
    const int8_t *q = t->q;
    for (ptrdiff_t g = 0; g < t->fours; g++, panel += groups, q += 4) {
        __m256i u[GROUPS];
        for (int c = 0; c < groups; c++) u[c] = _mm256_load_si256(panel + c);
#pragma clang loop unroll(full)
        for (int r = 0; r < count; r++) {
            __m256i four = ck_broadcast4(q + r * CK_INT8_PIECE_STRIDE);
            for (int c = 0; c < groups; c++) sums[r][c] = ck_add_dots8(sums[r][c], u[c], four);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) {
        for (int c = 0; c < groups; c++) store(t, r, c, sums[r][c]);
    }
}

CK_INLINE_256 void tile_of(int count, int groups, const tile_input *t) {
    switch (count) {
    case 1: tile(1, groups, t); return;
    case 2: tile(2, groups, t); return;
    case 3: tile(3, groups, t); return;
    case 4: tile(4, groups, t); return;
#if CK_VNNI
    case 5: tile(5, groups, t); return;
    case 6: tile(6, groups, t); return;
#endif
    default: return;
    }
}

CK_256 static void tile_1(int count, const tile_input *t) { tile_of(count, 1, t); }
CK_256 static void tile_2(int count, const tile_input *t) { tile_of(count, 2, t); }

/// Lays 32 weights of each of 8 rows side by side. Line g of the result goes to to + g * stride.
CK_INLINE_256 void transpose(const int8_t *const *rows, ptrdiff_t at, ptrdiff_t lines, uint8_t *to,
                             ptrdiff_t stride) {
    const __m256i flip = CK_VNNI ? _mm256_set1_epi8((char)128) : _mm256_setzero_si256();
    __m256i a[LANES], b[LANES];
#pragma clang loop unroll(full)
    for (int i = 0; i < LANES; i++) {
        a[i] = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(const void *)(rows[i] + at)), flip);
    }
    // b[4 i + n]: dword n of each half line, of rows 4 i ..< 4 i + 4.
#pragma clang loop unroll(full)
    for (int i = 0; i < LANES; i += 4) {
        __m256i low01 = _mm256_unpacklo_epi32(a[i], a[i + 1]);
        __m256i low23 = _mm256_unpacklo_epi32(a[i + 2], a[i + 3]);
        __m256i high01 = _mm256_unpackhi_epi32(a[i], a[i + 1]);
        __m256i high23 = _mm256_unpackhi_epi32(a[i + 2], a[i + 3]);
        b[i] = _mm256_unpacklo_epi64(low01, low23);
        b[i + 1] = _mm256_unpackhi_epi64(low01, low23);
        b[i + 2] = _mm256_unpacklo_epi64(high01, high23);
        b[i + 3] = _mm256_unpackhi_epi64(high01, high23);
    }
#pragma clang loop unroll(full)
    for (int n = 0; n < 4; n++) {
        a[n] = _mm256_permute2x128_si256(b[n], b[4 + n], 0x20);
        a[4 + n] = _mm256_permute2x128_si256(b[n], b[4 + n], 0x31);
    }
    if (lines == LANES) {
#pragma clang loop unroll(full)
        for (int g = 0; g < LANES; g++) _mm256_store_si256((__m256i *)(void *)(to + g * stride), a[g]);
    } else {
        for (ptrdiff_t g = 0; g < lines; g++) _mm256_store_si256((__m256i *)(void *)(to + g * stride), a[g]);
    }
}

/// Unpacks weights i ..< i + length of the rows j ..< j + width (the last one repeated) into a tile's panel.
CK_256 static void unpack(const ck_int8_product *p, ptrdiff_t j, ptrdiff_t width, ptrdiff_t i,
                          ptrdiff_t length, uint8_t *panel) {
    ptrdiff_t groups = (width + LANES - 1) / LANES;
    for (ptrdiff_t c = 0; c < groups; c++) {
        const int8_t *rows[LANES];
        for (ptrdiff_t lane = 0; lane < LANES; lane++) {
            ptrdiff_t row = c * LANES + lane < width ? c * LANES + lane : width - 1;
            rows[lane] = p->weights + (j + row) * p->k + i;
        }
        ptrdiff_t at = 0;
        for (; at + LINE <= length; at += LINE) {
            transpose(rows, at, LANES, panel + (at / 4 * groups + c) * LINE, groups * LINE);
        }
        if (at < length) {
            int8_t copies[LANES][LINE] = {{0}};
            for (ptrdiff_t lane = 0; lane < LANES; lane++) {
                memcpy(copies[lane], rows[lane] + at, (size_t)(length - at));
                rows[lane] = copies[lane];
            }
            transpose(rows, 0, (length - at + 3) / 4, panel + (at / 4 * groups + c) * LINE, groups * LINE);
        }
    }
}

/// Asks for `rows` rows of `length` bytes.
CK_INLINE_256 void prefetch_rows(const int8_t *first, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t length) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        for (ptrdiff_t at = 0; at < length; at += 64) {
            _mm_prefetch((const char *)((uintptr_t)first + (uintptr_t)(r * stride + at)), _MM_HINT_T1);
        }
    }
}

/// The piece of all tiles' panels, `panel_bytes` apart, with all rows of the chunk, for `width` outputs,
/// while the weights that come after it are asked for.
CK_256 static void all_tiles(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t panel_bytes, ck_int8_next next,
                             ptrdiff_t k, tile_input t) {
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
        for (ptrdiff_t j = 0; j < width; j += TILE_OUTPUTS) {
            tile_input one = t;
            one.panel += j / TILE_OUTPUTS * panel_bytes;
            one.sums += j;
            one.scales += j;
            one.out += j;
            one.width = width - j;
            if (one.width > LANES) tile_2(count, &one);
            else tile_1(count, &one);
        }
        t.q += count * CK_INT8_PIECE_STRIDE;
        t.sums += count * CK_INT8_BLOCK_OUTPUTS;
        t.row_sum += count;
        t.d += count;
        t.out += count * t.out_stride;
        rows -= count;
    }
}

void CK_256_NAME(ck_int8_many)(const ck_int8_product *p, ck_int8_scratch *scratch) {
    const ptrdiff_t panel_bytes = TILE_OUTPUTS * CK_INT8_PIECE;
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
                    for (ptrdiff_t at = 0; at < width; at += TILE_OUTPUTS) {
                        ptrdiff_t outputs = width - at < TILE_OUTPUTS ? width - at : TILE_OUTPUTS;
                        uint8_t *panel = scratch->panel + at / TILE_OUTPUTS * panel_bytes;
                        unpack(p, j + at, outputs, i, length, panel);
                    }
                    tile_input t = {
                        .panel = scratch->panel, .fours = (length + 3) / 4, .q = scratch->q,
                        .sums = scratch->sums + (j - block), .row_sum = p->sum + first, .d = p->d + first,
                        .scales = p->scales + j, .out = p->out + first * p->out_stride + j,
                        .out_stride = p->out_stride,
                        .first_piece = i == 0, .last_piece = i + CK_INT8_PIECE >= k,
                    };
                    all_tiles(rows, width, panel_bytes, ck_int8_after(p, block, end, j, width, i), k, t);
                }
            }
        }
    }
}

#endif
