// The product of bf16 activations and weights, in pairs, on AVX-512 BF16.
#include "targets.h"

#pragma STDC FP_CONTRACT OFF

#if CK_X86
#define TARGET                                                                            \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16"), \
                   min_vector_width(512)))
#define MULTIPLY(value, weights, sum) _mm512_dpbf16_ps(sum, (__m512bh)(value), (__m512bh)(weights))
#define MULTIPLY_AT(value, weights, sum) multiply_at(value, weights, sum)
#include <immintrin.h>

CK_INLINE TARGET __m512 multiply_at(const float *value, __m512 weights, __m512 sum) {
    // Compilers load and broadcast the pair first, for which there are no registers.
    __asm__("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(weights), "m"(*value));
    return sum;
}

#include "product_float_few_avx512.h"
#include "product_float_many_avx512.h"

// MARK: Panels

/// Pairs of two stored rows of 16 outputs and more.
CK_AVX512 static void pack_columns(const ck_float_product *p, ptrdiff_t j, ptrdiff_t outputs, ptrdiff_t from,
                                   ptrdiff_t length, float *panels, float *rows) {
    char *first = (char *)rows, *second = first + 2 * ck_group_outputs;
    for (ptrdiff_t i = 0; i < length; i++) {
        ptrdiff_t input = 2 * (from + i);
        ck_decode_weights(p, input, j, outputs, first);
        if (input + 1 < p->k) ck_decode_weights(p, input + 1, j, outputs, second);
        else memset(second, 0, 2 * ck_group_outputs);
        // Beyond the outputs lie old values, which only lanes without an output meet.
        for (ptrdiff_t o = 0; o < outputs; o += 16) {
            __m512i low = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(first + 2 * o)));
            __m512i high = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(second + 2 * o)));
            _mm512_storeu_si512(panels + o * ck_piece + i * 16,
                                _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
        }
    }
}

CK_AVX512 static void pack_pairs(const char *const row[16], ptrdiff_t length, ptrdiff_t numbers,
                                 float *panel) {
    pack_rows(ck_bf16_pairs, row, length, numbers, panel);
}

static void pack(const ck_float_product *p, ptrdiff_t j, ptrdiff_t outputs, ptrdiff_t from, ptrdiff_t length,
                 float *panels, float *rows) {
    if (p->weights->by_columns) {
        pack_columns(p, j, outputs, from, length, panels, rows);
        return;
    }
    ptrdiff_t numbers = ck_lesser(2 * length, p->k - 2 * from);
    for (ptrdiff_t o = 0; o < outputs; o += 16) {
        const char *row[16];
        ck_find_rows(p, j + o, ck_lesser(16, outputs - o), from, length, rows, row);
        pack_pairs(row, length, numbers, panels + o * ck_piece);
    }
}

// MARK: Few rows

TARGET static void add(ck_type type, ptrdiff_t rows, const few_part *p) {
    (void)type;
    add_rows(rows, ck_bf16_pairs, p);
}

CK_AVX512 static void few(const ck_float_product *p, float *rows) { few_by_rows(p, rows, add); }

const ck_float_form ck_bf16_form_avx512 = {
    most_rows, most_panels, most_panels * 16, few_rows, pack, tile, few, NULL,
};

#endif
