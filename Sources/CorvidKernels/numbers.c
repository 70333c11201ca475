// Conversions between f32, f16 and bf16.
#include "corvid_kernels.h"
#include "half.h"

#if CK_X86
#include <immintrin.h>
#endif

#pragma STDC FP_CONTRACT OFF

// MARK: Plain loops

CK_INLINE void f32_to_f16_loop(ptrdiff_t n, const float *restrict x, uint16_t *restrict out) {
    for (ptrdiff_t i = 0; i < n; i++) out[i] = ck_float_to_half(x[i]);
}

CK_INLINE void f16_to_f32_loop(ptrdiff_t n, const uint16_t *restrict x, float *restrict out) {
    for (ptrdiff_t i = 0; i < n; i++) out[i] = ck_half_to_float(x[i]);
}

CK_INLINE void f32_to_bf16_loop(ptrdiff_t n, const float *restrict x, uint16_t *restrict out) {
    for (ptrdiff_t i = 0; i < n; i++) out[i] = ck_float_to_bfloat(x[i]);
}

CK_INLINE void bf16_to_f32_loop(ptrdiff_t n, const uint16_t *restrict x, float *restrict out) {
    for (ptrdiff_t i = 0; i < n; i++) out[i] = ck_bfloat_to_float(x[i]);
}

// MARK: AVX2 and AVX-512

#if CK_X86
CK_AVX2 static void f32_to_f16_avx2(ptrdiff_t n, const float *restrict x, uint16_t *restrict out) {
    ptrdiff_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m128i half = _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        _mm_storeu_si128((__m128i *)(out + i), half);
    }
    f32_to_f16_loop(n - i, x + i, out + i);
}

CK_AVX2 static void f16_to_f32_avx2(ptrdiff_t n, const uint16_t *restrict x, float *restrict out) {
    ptrdiff_t i = 0;
    for (; i + 8 <= n; i += 8) {
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(x + i))));
    }
    f16_to_f32_loop(n - i, x + i, out + i);
}

CK_AVX2 static void f32_to_bf16_avx2(ptrdiff_t n, const float *restrict x, uint16_t *restrict out) {
    const __m256i one = _mm256_set1_epi32(1), half = _mm256_set1_epi32(0x7fff);
    const __m256i quiet = _mm256_set1_epi32(0x400000);
    ptrdiff_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m256i rounded[2];
        for (int v = 0; v < 2; v++) {
            __m256 value = _mm256_loadu_ps(x + i + 8 * v);
            __m256i bits = _mm256_castps_si256(value);
            __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), one);
            __m256i number = _mm256_add_epi32(bits, _mm256_add_epi32(half, odd));
            __m256 nan = _mm256_cmp_ps(value, value, _CMP_UNORD_Q);
            __m256 quieted = _mm256_castsi256_ps(_mm256_or_si256(bits, quiet));
            __m256 chosen = _mm256_blendv_ps(_mm256_castsi256_ps(number), quieted, nan);
            rounded[v] = _mm256_srli_epi32(_mm256_castps_si256(chosen), 16);
        }
        __m256i halves = _mm256_packus_epi32(rounded[0], rounded[1]);
        _mm256_storeu_si256((__m256i *)(out + i), _mm256_permute4x64_epi64(halves, 0xd8));
    }
    f32_to_bf16_loop(n - i, x + i, out + i);
}

CK_AVX2 static void bf16_to_f32_avx2(ptrdiff_t n, const uint16_t *restrict x, float *restrict out) {
    bf16_to_f32_loop(n, x, out);
}

CK_AVX512 static void f32_to_f16_avx512(ptrdiff_t n, const float *restrict x, uint16_t *restrict out) {
    for (ptrdiff_t i = 0; i < n; i += 16) {
        __mmask16 mask = n - i >= 16 ? 0xffff : (__mmask16)((1u << (n - i)) - 1);
        __m512 value = _mm512_maskz_loadu_ps(mask, x + i);
        __m256i half = _mm512_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        _mm256_mask_storeu_epi16(out + i, mask, half);
    }
}

CK_AVX512 static void f16_to_f32_avx512(ptrdiff_t n, const uint16_t *restrict x, float *restrict out) {
    for (ptrdiff_t i = 0; i < n; i += 16) {
        __mmask16 mask = n - i >= 16 ? 0xffff : (__mmask16)((1u << (n - i)) - 1);
        _mm512_mask_storeu_ps(out + i, mask, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, x + i)));
    }
}

CK_AVX512 static void f32_to_bf16_avx512(ptrdiff_t n, const float *restrict x, uint16_t *restrict out) {
    f32_to_bf16_loop(n, x, out);
}

CK_AVX512 static void bf16_to_f32_avx512(ptrdiff_t n, const uint16_t *restrict x, float *restrict out) {
    bf16_to_f32_loop(n, x, out);
}
#endif

// MARK: Choice

#if CK_X86
#define CHOOSE(name, ...) \
    switch (ck_isa()) { \
    case CK_ISA_AVX512: name##_avx512(__VA_ARGS__); return; \
    case CK_ISA_AVX2: name##_avx2(__VA_ARGS__); return; \
    default: name##_loop(__VA_ARGS__); \
    }
#else
#define CHOOSE(name, ...) name##_loop(__VA_ARGS__);
#endif

void ck_f32_to_f16(ptrdiff_t n, const float *x, uint16_t *out) { CHOOSE(f32_to_f16, n, x, out) }
void ck_f16_to_f32(ptrdiff_t n, const uint16_t *x, float *out) { CHOOSE(f16_to_f32, n, x, out) }
void ck_f32_to_bf16(ptrdiff_t n, const float *x, uint16_t *out) { CHOOSE(f32_to_bf16, n, x, out) }
void ck_bf16_to_f32(ptrdiff_t n, const uint16_t *x, float *out) { CHOOSE(bf16_to_f32, n, x, out) }
