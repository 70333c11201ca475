// Rotary position embedding of one head, in place.
//
// For each pair (a, b): a' = a cos - b sin, b' = b cos + a sin; the product with sin is rounded, then one
// fma adds the other.

#include "corvid_kernels.h"
#include "fused.h"
#include "lanes.h"

#pragma STDC FP_CONTRACT OFF

static void rotate(int interleaved, ptrdiff_t pairs, const float *cosine, const float *sine, float *head) {
    for (ptrdiff_t i = 0; i < pairs; i++) {
        float *first = interleaved ? head + 2 * i : head + i;
        float *second = interleaved ? head + 2 * i + 1 : head + i + pairs;
        float a = *first, b = *second;
        *first = ck_fused(a, cosine[i], -(b * sine[i]));
        *second = ck_fused(b, cosine[i], a * sine[i]);
    }
}

#if CK_X86
CK_AVX2 static void rotate_interleaved_avx2(ptrdiff_t pairs, const float *cosine, const float *sine,
                                            float *head) {
    const __m256i twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
    for (ptrdiff_t i = 0; i < pairs; i += 4) {
        ptrdiff_t count = 2 * (pairs - i);
        __m256 c = _mm256_permutevar8x32_ps(ck_load_8(cosine + i, pairs - i < 4 ? pairs - i : 4), twice);
        __m256 s = _mm256_permutevar8x32_ps(ck_load_8(sine + i, pairs - i < 4 ? pairs - i : 4), twice);
        __m256 x = ck_load_8(head + 2 * i, count);
        __m256 other = _mm256_mul_ps(_mm256_permute_ps(x, 0xb1), s);
        ck_store_8(head + 2 * i, count, _mm256_fmaddsub_ps(x, c, other));
    }
}

CK_AVX2 static void rotate_halves_avx2(ptrdiff_t pairs, const float *cosine, const float *sine, float *head) {
    for (ptrdiff_t i = 0; i < pairs; i += 8) {
        ptrdiff_t count = pairs - i;
        __m256 c = ck_load_8(cosine + i, count), s = ck_load_8(sine + i, count);
        __m256 a = ck_load_8(head + i, count), b = ck_load_8(head + pairs + i, count);
        ck_store_8(head + i, count, _mm256_fmsub_ps(a, c, _mm256_mul_ps(b, s)));
        ck_store_8(head + pairs + i, count, _mm256_fmadd_ps(b, c, _mm256_mul_ps(a, s)));
    }
}

CK_AVX512 static void rotate_interleaved_avx512(ptrdiff_t pairs, const float *cosine, const float *sine,
                                                float *head) {
    const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    for (ptrdiff_t i = 0; i < pairs; i += 8) {
        __mmask8 angles = (__mmask8)ck_mask(pairs - i);
        ptrdiff_t count = 2 * (pairs - i);
        __m512 c = _mm512_castps256_ps512(_mm256_maskz_loadu_ps(angles, cosine + i));
        __m512 s = _mm512_castps256_ps512(_mm256_maskz_loadu_ps(angles, sine + i));
        __m512 x = ck_load_16(head + 2 * i, count);
        __m512 other = _mm512_mul_ps(_mm512_permute_ps(x, 0xb1), _mm512_permutexvar_ps(twice, s));
        x = _mm512_fmaddsub_ps(x, _mm512_permutexvar_ps(twice, c), other);
        ck_store_16(head + 2 * i, count, x);
    }
}

CK_AVX512 static void rotate_halves_avx512(ptrdiff_t pairs, const float *cosine, const float *sine,
                                           float *head) {
    for (ptrdiff_t i = 0; i < pairs; i += 16) {
        ptrdiff_t count = pairs - i;
        __m512 c = ck_load_16(cosine + i, count), s = ck_load_16(sine + i, count);
        __m512 a = ck_load_16(head + i, count), b = ck_load_16(head + pairs + i, count);
        ck_store_16(head + i, count, _mm512_fmsub_ps(a, c, _mm512_mul_ps(b, s)));
        ck_store_16(head + pairs + i, count, _mm512_fmadd_ps(b, c, _mm512_mul_ps(a, s)));
    }
}
#endif

void ck_rotate(int interleaved, ptrdiff_t pairs, const float *cosine, const float *sine, float *head) {
#if CK_X86
    ck_isa_level level = ck_isa();
    if (level == CK_ISA_AVX512) {
        if (interleaved) return rotate_interleaved_avx512(pairs, cosine, sine, head);
        return rotate_halves_avx512(pairs, cosine, sine, head);
    }
    if (level == CK_ISA_AVX2) {
        if (interleaved) return rotate_interleaved_avx2(pairs, cosine, sine, head);
        return rotate_halves_avx2(pairs, cosine, sine, head);
    }
#endif
    rotate(interleaved, pairs, cosine, sine, head);
}
