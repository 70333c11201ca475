// Products with block-quantised weights, 256 bits, few activation rows: the weights stream from memory once
// and go through registers only. Included once for each form, see product_avx2.h.
#include "product_quantized_avx2.h"

#if CK_X86

#pragma STDC FP_CONTRACT OFF

// How far ahead of the arithmetic memory is asked for weights, see the AVX-512 form.
enum { LEAD_BYTES = 18 * 1024 };

/// start + the dots of vectors from ..< to of the block's weights with the numbers at q.
CK_INLINE_256 __m256i dots(ck_type type, const __m256i *u, const int8_t *q, int from, int to, __m256i start) {
    if (CK_VNNI || type == CK_Q8_0) {
#pragma clang loop unroll(full)
        for (int g = from; g < to; g++) start = ck_add_dots8(start, u[g], ck_broadcast4(q + 4 * g));
        return start;
    }
    int step = ck_vectors_in_16_bits(type) < to - from ? ck_vectors_in_16_bits(type) : to - from;
#pragma clang loop unroll(full)
    for (int first = from; first < to; first += step) {
        __m256i sum = _mm256_maddubs_epi16(u[first], ck_broadcast4(q + 4 * first));
#pragma clang loop unroll(full)
        for (int g = first + 1; g < first + step; g++) {
            sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(u[g], ck_broadcast4(q + 4 * g)));
        }
        start = _mm256_add_epi32(start, _mm256_madd_epi16(sum, _mm256_set1_epi16(1)));
    }
    return start;
}

/// Outputs of 8 weight rows and `count` activation rows.
CK_INLINE_256 void group(ck_type type, int count, const ck_product *p, const uint8_t *weights, ptrdiff_t lead,
                         const int32_t *halves, float *out) {
    ptrdiff_t blocks = p->k / 32, stride = p->row_bytes;
    ptrdiff_t in_block = ck_pieces_in_block(type), bytes = ck_bytes_in_block(type);
    ptrdiff_t step = CK_GROUP_AVX2 * bytes / in_block;
    uintptr_t end = (uintptr_t)p->weights + (uintptr_t)(p->outputs * stride);
    uintptr_t next = (uintptr_t)weights + (uintptr_t)lead;
    const uint8_t *rows = weights;
    ck_group_block block;
    __m256 y[CK_FEW_ROWS];
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) y[i] = _mm256_setzero_ps();
    for (ptrdiff_t together = 0; together < blocks; together += ck_pieces_together(type)) {
#pragma clang loop unroll(full)
        for (ptrdiff_t b = together; b < together + ck_pieces_together(type); b++) {
            ck_load_block(type, rows, stride, (int)(b % in_block), &block);
            if (b % in_block == in_block - 1) rows += bytes;
            uintptr_t ahead = next < end ? next : (uintptr_t)weights;
#pragma clang loop unroll(full)
            for (int line = 0; line < (step + 63) / 64; line++) {
                _mm_prefetch((const char *)(ahead + 64 * (uintptr_t)line), _MM_HINT_T0);
            }
            next += (uintptr_t)step;
#pragma clang loop unroll(full)
            for (int i = 0; i < count; i++) {
                const int8_t *q = p->q + i * p->k + 32 * b;
                ptrdiff_t at = i * blocks + b;
                __m256 d = _mm256_set1_ps(p->d[at]);
                if (type == CK_Q6_K) {
                    __m256i low = dots(type, block.u, q, 0, 4, _mm256_set1_epi32(halves[2 * at]));
                    __m256i high = dots(type, block.u, q, 4, 8, _mm256_set1_epi32(halves[2 * at + 1]));
                    y[i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(low), _mm256_mul_ps(block.scale[0], d), y[i]);
                    y[i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(high), _mm256_mul_ps(block.scale[1], d), y[i]);
                    continue;
                }
                __m256i start = _mm256_setzero_si256();
                if (ck_offset(type) != 0) start = _mm256_set1_epi32(-ck_offset(type) * p->sum[at]);
                __m256i low = dots(type, block.u, q, 0, CK_VNNI ? 4 : 8, start);
                if (CK_VNNI) {
                    low = _mm256_add_epi32(low, dots(type, block.u, q, 4, 8, _mm256_setzero_si256()));
                }
                y[i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(low), _mm256_mul_ps(block.scale[0], d), y[i]);
                if (ck_has_minima(type)) {
                    __m256 total = _mm256_cvtepi32_ps(_mm256_set1_epi32(p->sum[at]));
                    y[i] = _mm256_fmadd_ps(block.minimum, _mm256_mul_ps(d, total), y[i]);
                }
            }
        }
    }
    for (int i = 0; i < count; i++) _mm256_storeu_ps(out + i * p->out_stride, y[i]);
}

CK_INLINE_256 void product(ck_type type, const ck_product *p, const int32_t *halves) {
    ptrdiff_t group_bytes = CK_GROUP_AVX2 * p->row_bytes;
    ptrdiff_t lead = group_bytes > LEAD_BYTES ? group_bytes : LEAD_BYTES;
    ptrdiff_t start = p->outputs * p->row_bytes < LEAD_BYTES ? p->outputs * p->row_bytes : LEAD_BYTES;
    for (ptrdiff_t at = 0; at < start; at += 64) _mm_prefetch((const char *)(p->weights + at), _MM_HINT_T0);
    for (ptrdiff_t j = 0; j < p->outputs; j += CK_GROUP_AVX2) {
        // The last group ends at the last output and may overlap the one before it.
        ptrdiff_t first = j + CK_GROUP_AVX2 <= p->outputs ? j : p->outputs - CK_GROUP_AVX2;
        const uint8_t *weights = p->weights + first * p->row_bytes;
        float *out = p->out + first;
        switch (p->rows) {
        case 1: group(type, 1, p, weights, lead, halves, out); break;
        case 2: group(type, 2, p, weights, lead, halves, out); break;
        case 3: group(type, 3, p, weights, lead, halves, out); break;
        case 4: group(type, 4, p, weights, lead, halves, out); break;
        case 5: group(type, 5, p, weights, lead, halves, out); break;
        case 6: group(type, 6, p, weights, lead, halves, out); break;
        case 7: group(type, 7, p, weights, lead, halves, out); break;
        case 8: group(type, 8, p, weights, lead, halves, out); break;
        default: break;
        }
    }
}

#define PRODUCT(type) \
    CK_256 static void product_##type(const ck_product *p, const int32_t *halves) { \
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

void CK_256_NAME(ck_product_few)(const ck_product *p, ck_product_scratch *scratch) {
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
