// Loads one block of 32 weights of each of 8 weight rows, straight from the file's layout, so that lane r of
// every vector belongs to row r: eight vectors of 4 weights per row, scales and minima.
#ifndef CORVID_PRODUCT_QUANTIZED_AVX2_H
#define CORVID_PRODUCT_QUANTIZED_AVX2_H

#include "product_avx2.h"
#include "product_quantized.h"

#if CK_X86

#pragma STDC FP_CONTRACT OFF

typedef struct ck_group_block {
    __m256i u[8];       // unsigned; Q8_0 without AVX-VNNI: signed
    __m256 scale[2];    // equal but for Q6_K
    __m256 minimum;
    // K-quants: what the sub-blocks of a block share, loaded with the first of them.
    __m256i header[4], high[8], packed[8];
    __m256 d, d_minimum;
} ck_group_block;

/// What the numbers `u` of a block are greater than the weights.
CK_INLINE int ck_offset(ck_type type) { return type == CK_Q8_0 && !CK_VNNI ? 0 : ck_zero_point(type); }

/// Vectors of weights whose dots with int8 fit into 16 bits together: 2 * 127 * the greatest weight each.
CK_INLINE int ck_vectors_in_16_bits(ck_type type) {
    switch (type) {
    case CK_Q5_0: case CK_Q5_1: case CK_Q5_K: return 4;
    case CK_Q6_K: return 2;
    default: return 8;
    }
}

/// 16 bytes at `offset` of rows i and i + 4.
CK_INLINE_256 __m256i ck_two_rows(const uint8_t *rows, ptrdiff_t stride, int i, ptrdiff_t offset) {
    const uint8_t *row = rows + i * stride + offset;
    __m256i first = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)row));
    return _mm256_inserti128_si256(first, _mm_loadu_si128((const __m128i *)(row + 4 * stride)), 1);
}

/// out[g] = dword g of the 16 bytes at `offset` of each row, in the order of rows.
CK_INLINE_256 void ck_transpose(const uint8_t *rows, ptrdiff_t stride, ptrdiff_t offset, __m256i *out) {
    __m256i t0 = ck_two_rows(rows, stride, 0, offset), t1 = ck_two_rows(rows, stride, 1, offset);
    __m256i t2 = ck_two_rows(rows, stride, 2, offset), t3 = ck_two_rows(rows, stride, 3, offset);
    __m256i low01 = _mm256_unpacklo_epi32(t0, t1), low23 = _mm256_unpacklo_epi32(t2, t3);
    __m256i high01 = _mm256_unpackhi_epi32(t0, t1), high23 = _mm256_unpackhi_epi32(t2, t3);
    out[0] = _mm256_unpacklo_epi64(low01, low23);
    out[1] = _mm256_unpackhi_epi64(low01, low23);
    out[2] = _mm256_unpacklo_epi64(high01, high23);
    out[3] = _mm256_unpackhi_epi64(high01, high23);
}

/// The f16 number in the high half of each lane.
CK_INLINE_256 __m256 ck_high_halves(__m256i lanes) {
    __m256i high = _mm256_srli_epi32(lanes, 16);
    __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(high, high), 0x08);
    return _mm256_cvtph_ps(_mm256_castsi256_si128(packed));
}

CK_INLINE_256 __m256 ck_low_halves(__m256i lanes) { return ck_high_halves(_mm256_slli_epi32(lanes, 16)); }

/// 16 bytes of nibbles: the low ones are weights 0..<16, the high ones 16..<32.
CK_INLINE_256 void ck_load_nibbles(const uint8_t *rows, ptrdiff_t stride, ptrdiff_t offset, __m256i *u) {
    const __m256i nibble = _mm256_set1_epi8(15);
    __m256i packed[4];
    ck_transpose(rows, stride, offset, packed);
    for (int g = 0; g < 4; g++) {
        u[g] = _mm256_and_si256(packed[g], nibble);
        u[4 + g] = _mm256_and_si256(_mm256_srli_epi32(packed[g], 4), nibble);
    }
}

/// Adds 16 to weight i of a row where bit i of its lane is set.
CK_INLINE_256 void ck_add_fifth_bits(__m256i bits, __m256i *u) {
    const __m256i sixteen = _mm256_set1_epi8(16);
    for (int g = 0; g < 8; g++) {
        __m128i place = _mm_add_epi8(_mm_setr_epi8(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12),
                                     _mm_set1_epi8((char)(g / 2)));
        __m256i spread = _mm256_shuffle_epi8(bits, _mm256_broadcastsi128_si256(place));
        __m256i chosen = _mm256_set1_epi32(g % 2 == 0 ? 0x08040201 : (int)0x80402010u);
        __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, chosen), chosen);
        u[g] = _mm256_or_si256(u[g], _mm256_and_si256(set, sixteen));
    }
}

/// The scale and minimum of sub-block j of a Q4_K or Q5_K block from its header.
CK_INLINE_256 void ck_load_k_scales(int j, ck_group_block *out) {
    const __m256i *header = out->header;
    const __m256i six = _mm256_set1_epi32(63), four = _mm256_set1_epi32(15), top = _mm256_set1_epi32(48);
    const __m128i shift = _mm_cvtsi32_si128(8 * (j & 3));
    __m256i a = _mm256_srl_epi32(header[1], shift), b = _mm256_srl_epi32(header[2], shift);
    __m256i c = _mm256_srl_epi32(header[3], shift);
    __m256i scale, minimum;
    if (j < 4) {
        scale = _mm256_and_si256(a, six);
        minimum = _mm256_and_si256(b, six);
    } else {
        scale = _mm256_or_si256(_mm256_and_si256(c, four), _mm256_and_si256(_mm256_srli_epi32(a, 2), top));
        minimum = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi32(c, 4), four),
                                  _mm256_and_si256(_mm256_srli_epi32(b, 2), top));
    }
    out->scale[0] = out->scale[1] = _mm256_mul_ps(out->d, _mm256_cvtepi32_ps(scale));
    __m256 product = _mm256_mul_ps(out->d_minimum, _mm256_cvtepi32_ps(minimum));
    out->minimum = _mm256_xor_ps(product, _mm256_set1_ps(-0.0f));
}

/// The 32 weights of the block at `rows`; for K-quants sub-block j in 0..<8, which come in order, with `out`
/// kept from one to the next. Reads nothing outside the blocks.
CK_INLINE_256 void ck_load_block(ck_type type, const uint8_t *rows, ptrdiff_t stride, int j,
                                 ck_group_block *out) {
    const __m256i nibble = _mm256_set1_epi8(15);
    switch (type) {
    case CK_Q4_0:
    case CK_Q4_1: {
        __m256i header[4];
        ck_transpose(rows, stride, 0, header);
        ck_load_nibbles(rows, stride, type == CK_Q4_0 ? 2 : 4, out->u);
        out->scale[0] = out->scale[1] = ck_low_halves(header[0]);
        if (type == CK_Q4_1) out->minimum = ck_high_halves(header[0]);
        break;
    }
    case CK_Q5_0:
    case CK_Q5_1: {
        __m256i header[4];
        ck_transpose(rows, stride, 0, header);
        ck_load_nibbles(rows, stride, type == CK_Q5_0 ? 6 : 8, out->u);
        out->scale[0] = out->scale[1] = ck_low_halves(header[0]);
        if (type == CK_Q5_1) {
            out->minimum = ck_high_halves(header[0]);
            ck_add_fifth_bits(header[1], out->u);
        } else {
            __m256i low = _mm256_srli_epi32(header[0], 16), high = _mm256_slli_epi32(header[1], 16);
            ck_add_fifth_bits(_mm256_or_si256(low, high), out->u);
        }
        break;
    }
    case CK_Q8_0: {
        __m256i header[4];
        ck_transpose(rows, stride, 0, header);
        ck_transpose(rows, stride, 2, out->u);
        ck_transpose(rows, stride, 18, out->u + 4);
        if (CK_VNNI) {
            for (int g = 0; g < 8; g++) out->u[g] = _mm256_xor_si256(out->u[g], _mm256_set1_epi8((char)128));
        }
        out->scale[0] = out->scale[1] = ck_low_halves(header[0]);
        break;
    }
    case CK_Q4_K:
    case CK_Q5_K: {
        ptrdiff_t nibbles = (type == CK_Q4_K ? 16 : 48) + 32 * (j / 2);
        if (j == 0) {
            ck_transpose(rows, stride, 0, out->header);
            out->d = ck_low_halves(out->header[0]);
            out->d_minimum = ck_high_halves(out->header[0]);
            if (type == CK_Q5_K) {
                ck_transpose(rows, stride, 16, out->high);
                ck_transpose(rows, stride, 32, out->high + 4);
            }
        }
        ck_load_k_scales(j, out);
        if (j % 2 == 0) {
            ck_transpose(rows, stride, nibbles, out->packed);
            ck_transpose(rows, stride, nibbles + 16, out->packed + 4);
        }
        for (int g = 0; g < 8; g++) {
            __m256i both = out->packed[g];
            out->u[g] = _mm256_and_si256(j % 2 == 0 ? both : _mm256_srli_epi32(both, 4), nibble);
        }
        if (type == CK_Q5_K) {
            const __m256i bit = _mm256_set1_epi8((char)(1 << j)), sixteen = _mm256_set1_epi8(16);
            for (int g = 0; g < 8; g++) {
                __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(out->high[g], bit), bit);
                out->u[g] = _mm256_or_si256(out->u[g], _mm256_and_si256(set, sixteen));
            }
        }
        break;
    }
    case CK_Q6_K: {
        int half = j / 4, quarter = j % 4;
        const __m256i two = _mm256_set1_epi8(3);
        const __m128i shift = _mm_cvtsi32_si128(4 * (quarter >> 1));
        const __m128i high_shift = _mm_cvtsi32_si128(2 * quarter);
        if (j == 0) {
            __m256i last[4];
            ck_transpose(rows, stride, 192, out->header);
            ck_transpose(rows, stride, 194, last);
            out->d = ck_high_halves(last[3]);
        }
        if (quarter == 0) {
            ck_transpose(rows, stride, 128 + 32 * half, out->high);
            ck_transpose(rows, stride, 128 + 32 * half + 16, out->high + 4);
        }
        ck_transpose(rows, stride, 64 * half + 32 * (quarter & 1), out->u);
        ck_transpose(rows, stride, 64 * half + 32 * (quarter & 1) + 16, out->u + 4);
        for (int g = 0; g < 8; g++) {
            __m256i low = _mm256_and_si256(_mm256_srl_epi32(out->u[g], shift), nibble);
            __m256i top = _mm256_and_si256(_mm256_srl_epi32(out->high[g], high_shift), two);
            out->u[g] = _mm256_or_si256(low, _mm256_slli_epi32(top, 4));
        }
        // Two int8 scales for each sub-block.
        __m256i scales = _mm256_srl_epi32(out->header[j / 2], _mm_cvtsi32_si128(16 * (j & 1)));
        __m256i first = _mm256_srai_epi32(_mm256_slli_epi32(scales, 24), 24);
        __m256i second = _mm256_srai_epi32(_mm256_slli_epi32(scales, 16), 24);
        out->scale[0] = _mm256_mul_ps(out->d, _mm256_cvtepi32_ps(first));
        out->scale[1] = _mm256_mul_ps(out->d, _mm256_cvtepi32_ps(second));
        break;
    }
    default:
        break;
    }
}

#endif
#endif
