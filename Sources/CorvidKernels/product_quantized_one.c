// Products with block-quantised weights, AVX-512, one activation row: memory is read strictly in order, four
// weight rows at a time, which is what its prefetchers like best. A vector holds four blocks of each of the four
// rows, block by block; the outputs then take them one after the other.
#include "product_quantized_avx512.h"

#if CK_X86

#pragma STDC FP_CONTRACT OFF

enum {
    ROWS = 4,
    UNIT = 8,                   // blocks: two vectors of four, block 2 i + j in quarter i of vector j
    LEAD_BYTES = 16 * 1024,     // how far ahead memory is asked for weights: the first-level cache holds them
};

/// The activations in the order of the vectors.
typedef struct activations {
    const int8_t *q;            // [unit, j, half of a block, i, 16]
    const float *d;             // [block]
    const int32_t *sum;
} activations;

static void arrange(const ck_product *p, int8_t *to) {
    for (ptrdiff_t b = 0; b < p->k / 32; b += UNIT) {
        for (int j = 0; j < 2; j++) {
            for (int half = 0; half < 2; half++) {
                for (int i = 0; i < UNIT / 2; i++, to += 16) memcpy(to, p->q + 32 * (b + 2 * i + j) + 16 * half, 16);
            }
        }
    }
}

/// The numbers of blocks j, j + 2, j + 4, j + 6 of eight, four times each.
CK_INLINE_AVX512 __m512 spread(__m256 eight, int j) {
    __m512i each = _mm512_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4, 6, 6, 6, 6);
    return _mm512_permutexvar_ps(_mm512_add_epi32(each, _mm512_set1_epi32(j)), _mm512_castps256_ps512(eight));
}

/// What a vector of blocks adds to the outputs: total * factor.
typedef struct terms {
    __m512 total, factor;
} terms;

CK_INLINE_AVX512 __m512i dots(const ck_group_block *block, int first, __m512i quarters, __m512i start) {
    start = _mm512_dpbusd_epi32(start, block->u[first], _mm512_shuffle_epi32(quarters, _MM_PERM_AAAA));
    start = _mm512_dpbusd_epi32(start, block->u[first + 1], _mm512_shuffle_epi32(quarters, _MM_PERM_BBBB));
    start = _mm512_dpbusd_epi32(start, block->u[first + 2], _mm512_shuffle_epi32(quarters, _MM_PERM_CCCC));
    return _mm512_dpbusd_epi32(start, block->u[first + 3], _mm512_shuffle_epi32(quarters, _MM_PERM_DDDD));
}

CK_INLINE_AVX512 terms terms_of(ck_type type, const ck_group_block *block, const activations *x, ptrdiff_t b,
                                int j) {
    __m256 d = _mm256_loadu_ps(x->d + b);
    __m256i sum = _mm256_loadu_si256((const __m256i *)(const void *)(x->sum + b));
    const int8_t *q = x->q + 32 * b + 128 * j;
    __m256i start = _mm256_sub_epi32(
        _mm256_setzero_si256(), _mm256_slli_epi32(sum, (unsigned)__builtin_ctz((unsigned)ck_zero_point(type))));
    __m512i low = _mm512_castps_si512(spread(_mm256_castsi256_ps(start), j));
    low = dots(block, 0, _mm512_loadu_si512(q), low);
    __m512i high = dots(block, 4, _mm512_loadu_si512(q + 64), _mm512_setzero_si512());
    return (terms){_mm512_cvtepi32_ps(_mm512_add_epi32(low, high)),
                   _mm512_mul_ps(block->scale[0], spread(d, j))};
}

// A macro, since the number of a quarter must be a constant.
#define ADD_QUARTER(i, of, y) \
    _mm_fmadd_ps(_mm512_extractf32x4_ps((of).total, i), _mm512_extractf32x4_ps((of).factor, i), y)

/// Outputs of four weight rows.
CK_INLINE_AVX512 __m128 four_rows(ck_type type, const ck_product *p, const uint8_t *weights,
                                  const activations *x) {
    ptrdiff_t stride = p->row_bytes, bytes = ck_bytes_in_block(type), lead = ROWS * stride;
    uintptr_t ahead = (uintptr_t)weights + (uintptr_t)(lead > LEAD_BYTES ? lead : LEAD_BYTES);
    ck_group_block block;
    __m128 y = _mm_setzero_ps();
    for (ptrdiff_t b = 0; b < p->k / 32; b += UNIT, weights += UNIT * bytes) {
        ck_group_rows pairs = {weights, weights + 2 * bytes, weights + 4 * bytes, weights + 6 * bytes, stride,
                               3 * stride};
        terms of[2];
#pragma clang loop unroll(full)
        for (ptrdiff_t line = 0; line < ROWS * UNIT * bytes; line += 64, ahead += 64) {
            _mm_prefetch((const char *)ahead, _MM_HINT_T0);
        }
#pragma clang loop unroll(full)
        for (int j = 0; j < 2; j++) {
            ck_load_block(type, &pairs, j, &block);
            of[j] = terms_of(type, &block, x, b, j);
        }
        y = ADD_QUARTER(0, of[1], ADD_QUARTER(0, of[0], y));
        y = ADD_QUARTER(1, of[1], ADD_QUARTER(1, of[0], y));
        y = ADD_QUARTER(2, of[1], ADD_QUARTER(2, of[0], y));
        y = ADD_QUARTER(3, of[1], ADD_QUARTER(3, of[0], y));
    }
    return y;
}

CK_INLINE_AVX512 void product(ck_type type, const ck_product *p, const activations *x) {
    for (ptrdiff_t at = 0; at < LEAD_BYTES; at += 64) {
        _mm_prefetch((const char *)((uintptr_t)p->weights + (uintptr_t)at), _MM_HINT_T0);
    }
    for (ptrdiff_t j = 0; j < p->outputs; j += ROWS) {
        // The last rows end with the last output and may overlap the ones before.
        ptrdiff_t first = j + ROWS <= p->outputs ? j : p->outputs - ROWS;
        _mm_storeu_ps(p->out + first, four_rows(type, p, p->weights + first * p->row_bytes, x));
    }
}

#define PRODUCT(type) \
    CK_AVX512 static void product_##type(const ck_product *p, const activations *x) { product(CK_##type, p, x); }
PRODUCT(Q4_0)
PRODUCT(Q5_0)
PRODUCT(Q8_0)

int ck_takes_one_avx512(const ck_product *p) {
    int plain = p->type == CK_Q4_0 || p->type == CK_Q5_0 || p->type == CK_Q8_0;
    return plain && p->rows == 1 && p->outputs >= ROWS && p->k % (32 * UNIT) == 0;
}

void ck_product_one_avx512(const ck_product *p, ck_product_scratch *scratch) {
    int8_t *q = (int8_t *)(void *)scratch->rows;
    arrange(p, q);
    activations x = {q, p->d, p->sum};
    switch (p->type) {
    case CK_Q4_0: product_Q4_0(p, &x); return;
    case CK_Q5_0: product_Q5_0(p, &x); return;
    case CK_Q8_0: product_Q8_0(p, &x); return;
    default: return;
    }
}

#endif
