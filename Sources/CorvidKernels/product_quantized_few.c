// Products with block-quantised weights, AVX-512, few activation rows: the weights stream from memory once
// and go through registers only.
#include "product_quantized_avx512.h"

#if CK_X86

#pragma STDC FP_CONTRACT OFF

// How far ahead of the arithmetic memory is asked for weights. Long rows: so far in each row of a group, 16 KiB
// in all, which the first-level cache holds besides the rest. Short rows: at least a group of rows, in the order
// in which they lie, and at least so much.
enum { LEAD_BYTES = 1024, SHORT_ROWS_LEAD_BYTES = 18 * 1024 };

CK_INLINE_AVX512 void ask(uintptr_t at, ptrdiff_t bytes) {
#pragma clang loop unroll(full)
    for (ptrdiff_t line = 0; line < (bytes + 63) / 64; line++) {
        _mm_prefetch((const char *)(at + 64 * (uintptr_t)line), _MM_HINT_T0);
    }
}

CK_INLINE_AVX512 ptrdiff_t short_rows_lead(ptrdiff_t stride) {
    return CK_GROUP * stride > SHORT_ROWS_LEAD_BYTES ? CK_GROUP * stride : SHORT_ROWS_LEAD_BYTES;
}

/// Asks for what is used some time after block b of a group.
CK_INLINE_AVX512 void ask_ahead(ck_type type, const uint8_t *weights, ptrdiff_t stride, ptrdiff_t b) {
    ptrdiff_t in_block = ck_pieces_in_block(type), bytes = ck_bytes_in_block(type);
    if (stride < LEAD_BYTES) {
        ptrdiff_t step = CK_GROUP * bytes / in_block;
        ask((uintptr_t)weights + (uintptr_t)(short_rows_lead(stride) + b * step), step);
        return;
    }
    // Each line is asked for once: in turns of some rows for each block of 32 weights. Beyond the end of a row
    // comes the next group.
    ptrdiff_t turns = in_block > 1 ? in_block : 64 / bytes, rows = (CK_GROUP + turns - 1) / turns;
    ptrdiff_t offset = b / in_block * bytes + LEAD_BYTES;
    if (offset >= stride) offset += (CK_GROUP - 1) * stride;
    uintptr_t at = (uintptr_t)weights + (uintptr_t)(offset + b % turns * rows * stride);
#pragma clang loop unroll(full)
    for (ptrdiff_t r = 0; r < rows; r++, at += (uintptr_t)stride) ask(at, in_block > 1 ? bytes + 63 : 64);
}

/// The same for what the first group begins with.
CK_INLINE_AVX512 void ask_first(const uint8_t *weights, ptrdiff_t stride) {
    if (stride < LEAD_BYTES) {
        for (ptrdiff_t at = 0; at < SHORT_ROWS_LEAD_BYTES; at += 64) ask((uintptr_t)weights + (uintptr_t)at, 64);
        return;
    }
    for (ptrdiff_t r = 0; r < CK_GROUP; r++) {
        for (ptrdiff_t at = 0; at < LEAD_BYTES; at += 64) ask((uintptr_t)weights + (uintptr_t)(r * stride + at), 64);
    }
}

CK_INLINE_AVX512 __m512i broadcast4(const int8_t *q) {
    int32_t four;
    memcpy(&four, q, sizeof four);
    return _mm512_set1_epi32(four);
}

/// Adds block b, which is at `block`, to the outputs of `count` activation rows.
CK_INLINE_AVX512 void add_block(ck_type type, int count, const ck_product *p, const ck_group_block *block,
                                const int32_t *halves, ptrdiff_t b, __m512 *y) {
    ptrdiff_t blocks = p->k / 32;
    const unsigned shift = (unsigned)__builtin_ctz((unsigned)ck_zero_point(type) | 1u << 30);
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) {
        const int8_t *row = p->q + i * p->k + 32 * b;
        __m512 scale_d = _mm512_set1_ps(p->d[i * blocks + b]);
        __m512i low = _mm512_setzero_si512(), high = _mm512_setzero_si512();
        if (type == CK_Q6_K) {
            low = _mm512_set1_epi32(halves[2 * (i * blocks + b)]);
            high = _mm512_set1_epi32(halves[2 * (i * blocks + b) + 1]);
        } else if (ck_zero_point(type) != 0) {
            low = _mm512_sub_epi32(low, _mm512_slli_epi32(_mm512_set1_epi32(p->sum[i * blocks + b]), shift));
        }
#pragma clang loop unroll(full)
        for (int g = 0; g < 4; g++) {
            low = _mm512_dpbusd_epi32(low, block->u[g], broadcast4(row + 4 * g));
            high = _mm512_dpbusd_epi32(high, block->u[4 + g], broadcast4(row + 16 + 4 * g));
        }
        if (type == CK_Q6_K) {
            __m512 first = _mm512_mul_ps(block->scale[0], scale_d);
            __m512 second = _mm512_mul_ps(block->scale[1], scale_d);
            y[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(low), first, y[i]);
            y[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(high), second, y[i]);
        } else {
            __m512 total = _mm512_cvtepi32_ps(_mm512_add_epi32(low, high));
            y[i] = _mm512_fmadd_ps(total, _mm512_mul_ps(block->scale[0], scale_d), y[i]);
        }
        if (ck_has_minima(type)) {
            __m512 total = _mm512_cvtepi32_ps(_mm512_set1_epi32(p->sum[i * blocks + b]));
            y[i] = _mm512_fmadd_ps(block->minimum, _mm512_mul_ps(scale_d, total), y[i]);
        }
    }
}

/// Outputs of 16 weight rows and `count` activation rows.
CK_INLINE_AVX512 void group(ck_type type, int count, const ck_product *p, const uint8_t *weights,
                            const int32_t *halves, float *out) {
    ptrdiff_t blocks = p->k / 32, stride = p->row_bytes, b = 0;
    ptrdiff_t in_block = ck_pieces_in_block(type), bytes = ck_bytes_in_block(type), unit = ck_unit(type);
    ck_group_rows rows = ck_rows_at(weights, stride);
    ck_group_block block;
    __m512 y[CK_FEW_ROWS];
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) y[i] = _mm512_setzero_ps();
    for (; b + unit <= blocks; b += unit) {
#pragma clang loop unroll(full)
        for (ptrdiff_t i = 0; i < unit; i++) {
            int j = (int)(unit >= in_block ? i : b / unit % (in_block / unit) * unit + i);
            ck_load_block(type, &rows, j, &block);
            if (unit >= in_block ? i == unit - 1 : j == in_block - 1) {
                ck_advance(&rows, unit >= in_block ? unit / in_block * bytes : bytes);
            }
            ask_ahead(type, weights, stride, b + i);
            add_block(type, count, p, &block, halves, b + i, y);
        }
    }
    if (b < blocks) {
        ck_load_block(type, &rows, CK_ALONE, &block);
        add_block(type, count, p, &block, halves, b, y);
    }
    for (int i = 0; i < count; i++) _mm512_storeu_ps(out + i * p->out_stride, y[i]);
}

CK_INLINE_AVX512 void product(ck_type type, const ck_product *p, const int32_t *halves) {
    ask_first(p->weights, p->row_bytes);
    for (ptrdiff_t j = 0; j < p->outputs; j += CK_GROUP) {
        // The last group ends at the last output and may overlap the one before it.
        ptrdiff_t first = j + CK_GROUP <= p->outputs ? j : p->outputs - CK_GROUP;
        const uint8_t *weights = p->weights + first * p->row_bytes;
        float *out = p->out + first;
        switch (p->rows) {
        case 1: group(type, 1, p, weights, halves, out); break;
        case 2: group(type, 2, p, weights, halves, out); break;
        case 3: group(type, 3, p, weights, halves, out); break;
        case 4: group(type, 4, p, weights, halves, out); break;
        case 5: group(type, 5, p, weights, halves, out); break;
        case 6: group(type, 6, p, weights, halves, out); break;
        case 7: group(type, 7, p, weights, halves, out); break;
        case 8: group(type, 8, p, weights, halves, out); break;
        default: break;
        }
    }
}

#define PRODUCT(type) \
    CK_AVX512 static void product_##type(const ck_product *p, const int32_t *halves) { \
        product(CK_##type, p, halves); \
    }
PRODUCT(Q4_0)
PRODUCT(Q4_1)
PRODUCT(Q5_0)
PRODUCT(Q5_1)
PRODUCT(Q8_0)
PRODUCT(Q4_K)
PRODUCT(Q5_K)
PRODUCT(Q6_K)

void ck_product_few_avx512(const ck_product *p, ck_product_scratch *scratch) {
    int32_t *halves = (int32_t *)(void *)scratch->rows;
    if (p->type == CK_Q6_K) ck_sum_halves(p, halves);
    switch (p->type) {
    case CK_Q4_0: product_Q4_0(p, halves); return;
    case CK_Q4_1: product_Q4_1(p, halves); return;
    case CK_Q5_0: product_Q5_0(p, halves); return;
    case CK_Q5_1: product_Q5_1(p, halves); return;
    case CK_Q8_0: product_Q8_0(p, halves); return;
    case CK_Q4_K: product_Q4_K(p, halves); return;
    case CK_Q5_K: product_Q5_K(p, halves); return;
    case CK_Q6_K: product_Q6_K(p, halves); return;
    default: return;
    }
}

#endif
