// The small matrix products of attention on AVX-512, of up to four vectors.
#ifndef CORVID_ATTENTION_PRODUCT_AVX512_H
#define CORVID_ATTENTION_PRODUCT_AVX512_H

#include "attention_sets.h"
#include "lanes.h"

#include <stdint.h>

#if CK_X86

enum { most_vectors = 4 };

CK_INLINE_AVX512 __m512 load_vector(int f32, int masked, __mmask16 mask, const char *b, ptrdiff_t offset) {
    if (f32) {
        const float *p = (const float *)b + offset;
        return masked ? _mm512_maskz_loadu_ps(mask, p) : _mm512_loadu_ps(p);
    }
    const uint16_t *p = (const uint16_t *)b + offset;
    __m256i halves = masked ? _mm256_maskz_loadu_epi16(mask, p) : _mm256_loadu_si256((const __m256i *)p);
    return _mm512_cvtph_ps(halves);
}

CK_INLINE_AVX512 void multiply(const int rows, const int vectors, const int f32, const int masked,
                               const product *p) {
    __m512 sum[most_rows][most_vectors];
    const float *a[most_rows];
    const ptrdiff_t steps = p->steps, step_width = p->step_width, vector_width = p->vector_width;
    const ptrdiff_t ahead_step = p->ahead_step;
    const __mmask16 mask = ck_mask(p->lanes);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        a[r] = p->a[r];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            if (p->from_zero) sum[r][v] = _mm512_setzero_ps();
            else if (masked) sum[r][v] = _mm512_maskz_loadu_ps(mask, p->c[r] + 16 * v);
            else sum[r][v] = _mm512_loadu_ps(p->c[r] + 16 * v);
        }
    }
    const char *b = p->b, *ahead = p->ahead;
    for (ptrdiff_t i = 0; i < steps; i++) {
#pragma clang loop unroll(full)
        for (int line = 0; line < vectors * (f32 ? 64 : 32); line += 64)
            _mm_prefetch(ahead + line, _MM_HINT_T0);
        ahead += ahead_step;
        __m512 vector[most_vectors];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) vector[v] = load_vector(f32, masked, mask, b, v * vector_width);
        b += step_width * (f32 ? 4 : 2);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            __m512 coefficient = _mm512_set1_ps(a[r][i]);
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) sum[r][v] = _mm512_fmadd_ps(coefficient, vector[v], sum[r][v]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            if (masked) _mm512_mask_storeu_ps(p->c[r] + 16 * v, mask, sum[r][v]);
            else _mm512_storeu_ps(p->c[r] + 16 * v, sum[r][v]);
        }
    }
}

#define KERNEL(rows, width, vectors, f32, masked)                               \
    CK_AVX512 static void multiply_##rows##_##width##_##f32(const product *p) { \
        multiply(rows, vectors, f32, masked, p);                                \
    }
#define KERNELS(rows, f32)                                                               \
    KERNEL(rows, 4, 4, f32, 0) KERNEL(rows, 2, 2, f32, 0) KERNEL(rows, 1, 1, f32, 0)      \
    KERNEL(rows, part, 1, f32, 1)
#define NAMES(rows, f32)                                                             \
    {multiply_##rows##_4_##f32, multiply_##rows##_2_##f32, multiply_##rows##_1_##f32, \
     multiply_##rows##_part_##f32}

KERNELS(1, 0) KERNELS(2, 0) KERNELS(3, 0) KERNELS(4, 0) KERNELS(5, 0) KERNELS(6, 0)
KERNELS(1, 1) KERNELS(2, 1) KERNELS(3, 1) KERNELS(4, 1) KERNELS(5, 1) KERNELS(6, 1)

static const kernel_table kernels = {
    {NAMES(1, 0), NAMES(2, 0), NAMES(3, 0), NAMES(4, 0), NAMES(5, 0), NAMES(6, 0)},
    {NAMES(1, 1), NAMES(2, 1), NAMES(3, 1), NAMES(4, 1), NAMES(5, 1), NAMES(6, 1)},
};

#endif
#endif
