// The float product on AVX2: 8 x 8 weights are turned in registers, so that lanes are outputs.
#include "lanes.h"
#include "product_float.h"

#include <string.h>

#if CK_X86

#pragma STDC FP_CONTRACT OFF

enum {
    lanes = ck_panel_lanes,
    piece = ck_piece,
    most_rows = 6,  // 12 sums of 8 lanes in 16 registers
};

CK_INLINE ptrdiff_t bytes_of(ck_type type) { return type == CK_F32 ? 4 : 2; }

CK_INLINE_AVX2 __m256 load_8(ck_type type, const char *p) {
    if (type == CK_F32) return _mm256_loadu_ps((const float *)p);
    __m128i halves = _mm_loadu_si128((const __m128i *)p);
    if (type == CK_F16) return _mm256_cvtph_ps(halves);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}

/// v[s][lane] = the weight s of row lane.
CK_INLINE_AVX2 void load_turned(ck_type type, const char *const row[8], ptrdiff_t offset, __m256 v[8]) {
    __m256 pair[8], four[8];
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        // Rows i and i + 4 share a register, so that no 128-bit half has to move later.
        __m256 low0, high0;
        if (type == CK_F32) {
            const float *a = (const float *)(row[i] + offset), *b = (const float *)(row[i + 4] + offset);
            low0 = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(a)), _mm_loadu_ps(b), 1);
            high0 = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(a + 4)), _mm_loadu_ps(b + 4), 1);
        } else {
            __m256 a = load_8(type, row[i] + offset), b = load_8(type, row[i + 4] + offset);
            low0 = _mm256_permute2f128_ps(a, b, 0x20);
            high0 = _mm256_permute2f128_ps(a, b, 0x31);
        }
        pair[i] = low0;
        pair[i + 4] = high0;
    }
#pragma clang loop unroll(full)
    for (int half = 0; half < 8; half += 4) {
        four[half] = _mm256_unpacklo_ps(pair[half], pair[half + 1]);
        four[half + 1] = _mm256_unpackhi_ps(pair[half], pair[half + 1]);
        four[half + 2] = _mm256_unpacklo_ps(pair[half + 2], pair[half + 3]);
        four[half + 3] = _mm256_unpackhi_ps(pair[half + 2], pair[half + 3]);
        v[half] = _mm256_shuffle_ps(four[half], four[half + 2], 0x44);
        v[half + 1] = _mm256_shuffle_ps(four[half], four[half + 2], 0xee);
        v[half + 2] = _mm256_shuffle_ps(four[half + 1], four[half + 3], 0x44);
        v[half + 3] = _mm256_shuffle_ps(four[half + 1], four[half + 3], 0xee);
    }
}

// MARK: Many rows

CK_INLINE_AVX2 void pack_rows(ck_type type, const char *const row[lanes], ptrdiff_t length, float *panel) {
    char rest[lanes][32] = {{0}};
    const char *rest_rows[lanes];
    ptrdiff_t whole = length / 8 * 8, bytes = bytes_of(type);
    for (int lane = 0; lane < lanes && whole < length; lane++) {
        memcpy(rest[lane], row[lane] + whole * bytes, (size_t)((length - whole) * bytes));
        rest_rows[lane] = rest[lane];
    }
    for (ptrdiff_t i = 0; i < length; i += 8) {
        const char *const *rows = i < whole ? row : rest_rows;
        ptrdiff_t offset = i < whole ? i * bytes : 0;
#pragma clang loop unroll(full)
        for (int half = 0; half < 2; half++) {
            __m256 v[8];
            load_turned(type, rows + 8 * half, offset, v);
            for (int s = 0; s < 8; s++) _mm256_storeu_ps(panel + (i + s) * lanes + 8 * half, v[s]);
        }
    }
}

CK_AVX2 static void pack_f32(const char *const row[lanes], ptrdiff_t length, float *panel) {
    pack_rows(CK_F32, row, length, panel);
}
CK_AVX2 static void pack_f16(const char *const row[lanes], ptrdiff_t length, float *panel) {
    pack_rows(CK_F16, row, length, panel);
}
CK_AVX2 static void pack_bf16(const char *const row[lanes], ptrdiff_t length, float *panel) {
    pack_rows(CK_BF16, row, length, panel);
}

CK_AVX2 static void pack(const ck_float_product *p, ptrdiff_t j, ptrdiff_t outputs, ptrdiff_t from,
                         ptrdiff_t length, float *panels, float *rows) {
    if (p->weights->by_columns) {
        for (ptrdiff_t i = 0; i < length; i++) {
            ck_decode_weights(p, from + i, j, outputs, rows);
            for (ptrdiff_t o = 0; o < outputs; o += lanes) {
                // Beyond the outputs lie old values, which only lanes without an output meet.
                float *panel = panels + o * piece + i * lanes;
                _mm256_storeu_ps(panel, _mm256_loadu_ps(rows + o));
                _mm256_storeu_ps(panel + 8, _mm256_loadu_ps(rows + o + 8));
            }
        }
        return;
    }
    for (ptrdiff_t o = 0; o < outputs; o += lanes) {
        const char *row[lanes];
        ck_type type = ck_find_rows(p, j + o, ck_lesser(lanes, outputs - o), from, length, rows, row);
        if (type == CK_F32) pack_f32(row, length, panels + o * piece);
        else if (type == CK_F16) pack_f16(row, length, panels + o * piece);
        else pack_bf16(row, length, panels + o * piece);
    }
}

CK_INLINE_AVX2 void tile_of(const int rows, ptrdiff_t length, const float *restrict x,
                            const float *restrict panel, float *restrict sums, int fresh) {
    __m256 sum[most_rows][2];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < 2; v++)
            sum[r][v] = fresh ? _mm256_setzero_ps() : _mm256_loadu_ps(sums + r * lanes + 8 * v);
    }
#pragma clang loop unroll_count(2)
    for (ptrdiff_t i = 0; i < length; i++) {
        __m256 low = _mm256_loadu_ps(panel + i * lanes), high = _mm256_loadu_ps(panel + i * lanes + 8);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            __m256 value = _mm256_broadcast_ss(x + r * ck_row_units + i);
            sum[r][0] = _mm256_fmadd_ps(value, low, sum[r][0]);
            sum[r][1] = _mm256_fmadd_ps(value, high, sum[r][1]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < 2; v++) _mm256_storeu_ps(sums + r * lanes + 8 * v, sum[r][v]);
    }
}

CK_AVX2 static void tile(ptrdiff_t rows, ptrdiff_t panels, ptrdiff_t length, const float *x,
                         const float *panel, float *sums, ptrdiff_t sums_stride, int fresh,
                         const ck_rows_ahead *ahead) {
    (void)panels, (void)sums_stride;
    for (ptrdiff_t r = 0; r < ahead->rows; r++) {
        for (ptrdiff_t at = 0; at < length * ahead->step / 16; at += 64)
            _mm_prefetch(ahead->bytes + r * ahead->stride + at, _MM_HINT_T1);
    }
    switch (rows) {
    case 1: tile_of(1, length, x, panel, sums, fresh); return;
    case 2: tile_of(2, length, x, panel, sums, fresh); return;
    case 3: tile_of(3, length, x, panel, sums, fresh); return;
    case 4: tile_of(4, length, x, panel, sums, fresh); return;
    case 5: tile_of(5, length, x, panel, sums, fresh); return;
    case 6: tile_of(6, length, x, panel, sums, fresh); return;
    }
}

// MARK: Few rows

/// Some weights of 16 outputs and the activations which they meet.
typedef struct stream {
    const char *row[lanes];
    ptrdiff_t length;
    ptrdiff_t end, next;  // bytes to the end of these rows, and from there to where the next are read
    const float *x;  // one piece of each row
    float (*sums)[lanes];
} stream;

enum { ahead = 512, part = 64 };  // bytes in each of 16 rows; weights of each

/// Asks memory for the line of each row which lies `ahead` of weight i, once in 64 bytes.
CK_INLINE_AVX2 void ask_ahead(const stream *s, ptrdiff_t bytes, ptrdiff_t i) {
    if (i * bytes % 64 != 0 || s->end == 0) return;
    ptrdiff_t at = i * bytes + ahead;
    if (at >= s->end) at += s->next;
    for (int lane = 0; lane < lanes; lane++) _mm_prefetch(s->row[lane] + at, _MM_HINT_T0);
}

/// Adds weights from ..< to, a multiple of 8, to the sums of one or two rows, without a panel.
CK_INLINE_AVX2 void add_turned(const int rows, ck_type type, const stream *s, ptrdiff_t from, ptrdiff_t to) {
    const float *x = s->x;
    __m256 sum[2][2];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < 2; v++) sum[r][v] = _mm256_loadu_ps(s->sums[r] + 8 * v);
    }
    for (ptrdiff_t i = from; i < to; i += 8) {
        ask_ahead(s, bytes_of(type), i);
#pragma clang loop unroll(full)
        for (int v = 0; v < 2; v++) {
            __m256 w[8];
            load_turned(type, s->row + 8 * v, i * bytes_of(type), w);
#pragma clang loop unroll(full)
            for (int step = 0; step < 8; step++) {
#pragma clang loop unroll(full)
                for (int r = 0; r < rows; r++) {
                    __m256 value = _mm256_broadcast_ss(x + r * ck_row_units + i + step);
                    sum[r][v] = _mm256_fmadd_ps(value, w[step], sum[r][v]);
                }
            }
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < 2; v++) _mm256_storeu_ps(s->sums[r] + 8 * v, sum[r][v]);
    }
}

CK_INLINE_AVX2 void add_stream(const int rows, ck_type type, const stream *s) {
    ptrdiff_t bytes = bytes_of(type);
    float panel[part * lanes];
    for (ptrdiff_t i = 0; i < s->length; i += part) {
        ptrdiff_t length = ck_lesser(part, s->length - i);
        if (rows <= 2 && length == part) {
            add_turned(rows, type, s, i, i + part);
        } else {
            for (ptrdiff_t line = 0; line < length; line += 64 / bytes) ask_ahead(s, bytes, i + line);
            const char *row[lanes];
            for (int lane = 0; lane < lanes; lane++) row[lane] = s->row[lane] + i * bytes;
            pack_rows(type, row, length, panel);
            tile_of(rows, length, s->x + i, panel, s->sums[0], 0);
        }
    }
}

typedef void (*stream_kernel)(const stream *);

#define KERNEL(rows, type) \
    CK_AVX2 static void add_##rows##_##type(const stream *s) { add_stream(rows, type, s); }
#define KERNELS(type)                                                                        \
    KERNEL(1, type) KERNEL(2, type) KERNEL(3, type) KERNEL(4, type) KERNEL(5, type) KERNEL(6, type)
#define NAMES(type) {add_1_##type, add_2_##type, add_3_##type, add_4_##type, add_5_##type, add_6_##type}

KERNELS(CK_F32) KERNELS(CK_F16) KERNELS(CK_BF16)
static const stream_kernel kernels[3][most_rows] = {NAMES(CK_F32), NAMES(CK_F16), NAMES(CK_BF16)};

static void few(const ck_float_product *p, float *rows) {
    const ck_float_weights *w = p->weights;
    int direct = ck_is_direct(p);
    for (ptrdiff_t j = 0; j < p->outputs; j += lanes) {
        ptrdiff_t count = ck_lesser(lanes, p->outputs - j);
        float sums[most_rows][lanes] = {{0}};
        stream s = {.sums = sums};
        for (ptrdiff_t from = 0; from < p->k; from += p->piece) {
            s.length = ck_lesser(p->piece, p->k - from);
            ck_type type = ck_find_rows(p, j, count, from, s.length, rows, s.row);
            s.end = direct ? (p->k - from) * bytes_of(type) : 0;
            s.next = direct ? lanes * w->stride - p->k * bytes_of(type) : 0;
            s.x = p->x + ck_place_of(p->rows, from / p->piece, 0);
            kernels[type == CK_F32 ? 0 : type == CK_F16 ? 1 : 2][p->rows - 1](&s);
        }
        for (ptrdiff_t r = 0; r < p->rows; r++)
            memcpy(p->out + r * p->out_stride + j, sums[r], (size_t)count * sizeof(float));
    }
}

// MARK: Few rows, stored by columns

enum { wide = 512, steps = 8 };  // `steps` rows of `wide` outputs fit into `rows`

/// sums[o] = fma chain over i of value[i] * weights[i][o], on top of what is there.
CK_INLINE_AVX2 void add_columns(ptrdiff_t count, ptrdiff_t inputs, const float *restrict value,
                                const char *const weights[steps], float *restrict sums) {
    ptrdiff_t o = 0;
    for (; o + 8 <= count; o += 8) {
        __m256 sum = _mm256_loadu_ps(sums + o);
#pragma clang loop unroll(full)
        for (int i = 0; i < inputs; i++)
            sum = _mm256_fmadd_ps(_mm256_broadcast_ss(value + i), load_8(CK_F32, weights[i] + 4 * o), sum);
        _mm256_storeu_ps(sums + o, sum);
    }
    for (; o < count; o++) {
        for (int i = 0; i < inputs; i++) {
            float weight;
            memcpy(&weight, weights[i] + 4 * o, sizeof weight);
            sums[o] = __builtin_fmaf(value[i], weight, sums[o]);
        }
    }
}

/// Some inputs at a time add to many outputs, whose sums stay in the first-level cache.
CK_AVX2 static void few_by_columns(const ck_float_product *p, float *rows) {
    const ck_float_weights *w = p->weights;
    int is_f32 = w->type == CK_F32 && w->rounding == CK_F32;
    ptrdiff_t bytes = ck_block_bytes(w->type);
    for (ptrdiff_t j = 0; j < p->outputs; j += wide) {
        ptrdiff_t count = ck_lesser(wide, p->outputs - j);
        for (ptrdiff_t r = 0; r < p->rows; r++)
            memset(p->out + r * p->out_stride + j, 0, (size_t)count * sizeof(float));
        for (ptrdiff_t from = 0; from < p->k; from += steps) {
            ptrdiff_t inputs = ck_lesser(steps, p->k - from);
            const char *weights[steps];
            for (ptrdiff_t i = 0; i < inputs; i++) {
                const char *stored = (const char *)w->bytes + (from + i) * w->stride + j * bytes;
                for (ptrdiff_t line = 0; line < count * bytes; line += 64)
                    _mm_prefetch(stored + steps * w->stride + line, _MM_HINT_T0);
                weights[i] = is_f32 ? stored : (const char *)(rows + i * wide);
                if (!is_f32) ck_decode_weights(p, from + i, j, count, rows + i * wide);
            }
            for (ptrdiff_t r = 0; r < p->rows; r++) {
                const float *value = p->x + ck_place_of(p->rows, from / p->piece, r) + from % p->piece;
                float *sums = p->out + r * p->out_stride + j;
                if (inputs == steps) add_columns(count, steps, value, weights, sums);
                else add_columns(count, inputs, value, weights, sums);
            }
        }
    }
}

void ck_float_few_by_columns_avx2(const ck_float_product *p, float *rows) { few_by_columns(p, rows); }

const ck_float_form ck_float_form_avx2 = {
    most_rows, 1, ck_group_outputs, most_rows, pack, tile, few, few_by_columns,
};

#endif
