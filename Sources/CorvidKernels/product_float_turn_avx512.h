// 16 x 16 units of weights, turned in registers so that lanes are outputs.
#ifndef CORVID_PRODUCT_FLOAT_TURN_AVX512_H
#define CORVID_PRODUCT_FLOAT_TURN_AVX512_H

#include "product_float.h"
#include "transpose_avx512.h"

#if CK_X86
#include <immintrin.h>

/// How weights are read: f16 and bf16 as numbers that are widened, or bf16 in pairs.
typedef enum ck_layout { ck_f32_units, ck_f16_units, ck_bf16_units, ck_bf16_pairs } ck_layout;

CK_INLINE ptrdiff_t ck_unit_bytes(ck_layout l) { return l == ck_f16_units || l == ck_bf16_units ? 2 : 4; }

/// Numbers in 16 units.
CK_INLINE ptrdiff_t ck_numbers(ck_layout l) { return l == ck_bf16_pairs ? 32 : 16; }

/// 16 units of which `numbers` are present, or more; the others are 0.
CK_INLINE_AVX512 __m512 ck_load_units(ck_layout l, const char *p, ptrdiff_t numbers) {
    if (l == ck_f32_units) {
        if (numbers >= 16) return _mm512_loadu_ps(p);
        return _mm512_maskz_loadu_ps((__mmask16)((1u << numbers) - 1), p);
    }
    if (l == ck_bf16_pairs) {
        if (numbers >= 32) return _mm512_loadu_ps(p);
        return _mm512_castsi512_ps(_mm512_maskz_loadu_epi16((__mmask32)((1ull << numbers) - 1), p));
    }
    __m256i halves = numbers >= 16 ? _mm256_loadu_si256((const __m256i *)p)
                                   : _mm256_maskz_loadu_epi16((__mmask16)((1u << numbers) - 1), p);
    if (l == ck_f16_units) return _mm512_cvtph_ps(halves);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

/// v[unit][lane] = the unit of row lane, from byte `offset` on.
CK_INLINE_AVX512 void ck_load_turned(ck_layout l, const char *const row[16], ptrdiff_t offset,
                                     ptrdiff_t numbers, __m512 v[16]) {
    __m512i turned[16];
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) turned[i] = _mm512_castps_si512(ck_load_units(l, row[i] + offset, numbers));
    ck_transpose_dwords(turned);
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) v[i] = _mm512_castsi512_ps(turned[i]);
}

#endif
#endif
