// Loads one block of 32 weights of each of 16 weight rows, straight from the file's layout, so that lane r of
// every vector belongs to row r: eight vectors of 4 unsigned weights per row, scales and minima.
#ifndef CORVID_PRODUCT_QUANTIZED_AVX512_H
#define CORVID_PRODUCT_QUANTIZED_AVX512_H

#include "product_quantized.h"

#if CK_X86
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF

enum { CK_ALONE = -1 };

/// Blocks of 32 that a loop takes at one time, so that the compiler knows which of a pair or a block each one
/// is; of Q4_K and Q5_K two share bytes, and more of them would not fit into registers.
CK_INLINE ptrdiff_t ck_unit(ck_type type) { return type == CK_Q6_K ? 8 : 2; }

typedef struct ck_group_block {
    __m512i u[8];
    __m512 scale[2];    // equal but for Q6_K
    __m512 minimum;
    // Plain types: the dwords of a pair of blocks, each loaded with the block in which its 16 bytes begin.
    __m512i pair[17];
    // K-quants: what the sub-blocks of a block share, loaded with the first of them.
    __m512i header[4], high[8], packed[8];
    __m512 d, d_minimum;
} ck_group_block;

/// Where a block (of 32 weights, for K-quants of 256) of each row of a group begins.
typedef struct ck_group_rows {
    const uint8_t *row0, *row4, *row8, *row12;
    ptrdiff_t stride, stride3;
} ck_group_rows;

CK_INLINE_AVX512 ck_group_rows ck_rows_at(const uint8_t *first, ptrdiff_t stride) {
    return (ck_group_rows){
        first, first + 4 * stride, first + 8 * stride, first + 12 * stride, stride, 3 * stride};
}

CK_INLINE_AVX512 void ck_advance(ck_group_rows *rows, ptrdiff_t bytes) {
    rows->row0 += bytes;
    rows->row4 += bytes;
    rows->row8 += bytes;
    rows->row12 += bytes;
    // Keeps the compiler from replacing the four pointers by sixteen, which do not fit into registers.
    __asm__("" : "+r"(rows->row0), "+r"(rows->row4), "+r"(rows->row8), "+r"(rows->row12));
}

/// 16 bytes at `offset` of rows i, i + 4, i + 8, i + 12, one per 128-bit lane.
CK_INLINE_AVX512 __m512i ck_four_rows(const ck_group_rows *rows, int i, ptrdiff_t offset) {
    offset += i == 3 ? rows->stride3 : i * rows->stride;
    __m512i four = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(rows->row0 + offset)));
    four = _mm512_inserti32x4(four, _mm_loadu_si128((const __m128i *)(rows->row4 + offset)), 1);
    four = _mm512_inserti32x4(four, _mm_loadu_si128((const __m128i *)(rows->row8 + offset)), 2);
    return _mm512_inserti32x4(four, _mm_loadu_si128((const __m128i *)(rows->row12 + offset)), 3);
}

/// out[g] = dword g of the 16 bytes at `offset` of each row, in the order of rows.
CK_INLINE_AVX512 void ck_transpose(const ck_group_rows *rows, ptrdiff_t offset, __m512i *out) {
    __m512i t0 = ck_four_rows(rows, 0, offset), t1 = ck_four_rows(rows, 1, offset);
    __m512i t2 = ck_four_rows(rows, 2, offset), t3 = ck_four_rows(rows, 3, offset);
    __m512i low01 = _mm512_unpacklo_epi32(t0, t1), low23 = _mm512_unpacklo_epi32(t2, t3);
    __m512i high01 = _mm512_unpackhi_epi32(t0, t1), high23 = _mm512_unpackhi_epi32(t2, t3);
    out[0] = _mm512_unpacklo_epi64(low01, low23);
    out[1] = _mm512_unpackhi_epi64(low01, low23);
    out[2] = _mm512_unpacklo_epi64(high01, high23);
    out[3] = _mm512_unpackhi_epi64(high01, high23);
}

/// The f16 number in the low half of each lane.
CK_INLINE_AVX512 __m512 ck_low_halves(__m512i lanes) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(lanes)); }

CK_INLINE_AVX512 __m512 ck_high_halves(__m512i lanes) { return ck_low_halves(_mm512_srli_epi32(lanes, 16)); }

/// Loads those dwords of the pair of blocks at `rows` whose column of 16 bytes begins in block j in 0..<2. The
/// last column ends with the pair and may overlap the one before it.
CK_INLINE_AVX512 void ck_load_pair(const ck_group_rows *rows, ptrdiff_t bytes, int j, ck_group_block *out) {
#pragma clang loop unroll(full)
    for (ptrdiff_t at = 0; at < 2 * bytes; at += 16) {
        if (at / bytes == j) {
            ptrdiff_t column = at < 2 * bytes - 16 ? at : 2 * bytes - 16;
            ck_transpose(rows, column, out->pair + column / 4);
        }
    }
}

/// out[i] = dword i of the 16 bytes at `offset` of a block: of block j in 0..<2 of the pair, or, if j is
/// CK_ALONE, of the block at `rows`.
CK_INLINE_AVX512 void ck_read(ck_type type, const ck_group_rows *rows, int j, ptrdiff_t offset,
                              const ck_group_block *block, __m512i *out) {
    if (j == CK_ALONE) {
        ck_transpose(rows, offset, out);
        return;
    }
    ptrdiff_t first = j * ck_bytes_in_block(type) + offset;
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        const __m512i *dword = block->pair + first / 4 + i;
        // Half of the blocks begin in the middle of a dword.
        out[i] = first % 4 == 0 ? dword[0]
                                : _mm512_rol_epi32(_mm512_mask_blend_epi16(0x55555555, dword[0], dword[1]), 16);
    }
}

/// 16 bytes of nibbles: the low ones are weights 0..<16, the high ones 16..<32.
CK_INLINE_AVX512 void ck_split_nibbles(const __m512i *packed, __m512i *u) {
    const __m512i nibble = _mm512_set1_epi8(15);
    for (int g = 0; g < 4; g++) {
        u[g] = _mm512_and_si512(packed[g], nibble);
        u[4 + g] = _mm512_and_si512(_mm512_srli_epi32(packed[g], 4), nibble);
    }
}

/// Adds 16 to weight i of a row where bit i of its lane is set.
CK_INLINE_AVX512 void ck_add_fifth_bits(__m512i bits, __m512i *u) {
    const __m512i sixteen = _mm512_set1_epi8(16);
    for (int g = 0; g < 8; g++) {
        __m512i spread = _mm512_shuffle_epi8(
            bits, _mm512_broadcast_i32x4(_mm_add_epi8(
                      _mm_setr_epi8(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12),
                      _mm_set1_epi8((char)(g / 2)))));
        __m512i chosen = _mm512_set1_epi32(g % 2 == 0 ? 0x08040201 : (int)0x80402010u);
        u[g] = _mm512_mask_add_epi8(u[g], _mm512_test_epi8_mask(spread, chosen), u[g], sixteen);
    }
}

/// The scale and minimum of sub-block j of a Q4_K or Q5_K block from its header.
CK_INLINE_AVX512 void ck_load_k_scales(int j, ck_group_block *out) {
    const __m512i *header = out->header;
    const __m512i six = _mm512_set1_epi32(63), four = _mm512_set1_epi32(15), top = _mm512_set1_epi32(48);
    const __m128i shift = _mm_cvtsi32_si128(8 * (j & 3));
    __m512i a = _mm512_srl_epi32(header[1], shift), b = _mm512_srl_epi32(header[2], shift);
    __m512i c = _mm512_srl_epi32(header[3], shift);
    __m512i scale, minimum;
    if (j < 4) {
        scale = _mm512_and_si512(a, six);
        minimum = _mm512_and_si512(b, six);
    } else {
        scale = _mm512_or_si512(_mm512_and_si512(c, four), _mm512_and_si512(_mm512_srli_epi32(a, 2), top));
        minimum = _mm512_or_si512(_mm512_and_si512(_mm512_srli_epi32(c, 4), four),
                                  _mm512_and_si512(_mm512_srli_epi32(b, 2), top));
    }
    out->scale[0] = out->scale[1] = _mm512_mul_ps(out->d, _mm512_cvtepi32_ps(scale));
    __m512 product = _mm512_mul_ps(out->d_minimum, _mm512_cvtepi32_ps(minimum));
    out->minimum = _mm512_xor_ps(product, _mm512_set1_ps(-0.0f));
}

/// The 32 weights of a block. Plain types: of block j in 0..<2 of the pair at `rows`, in order, or CK_ALONE.
/// K-quants: sub-block j in 0..<8 of the block at `rows`, in order. `out` is kept from one to the next. Reads
/// nothing outside the blocks.
CK_INLINE_AVX512 void ck_load_block(ck_type type, const ck_group_rows *rows, int j, ck_group_block *out) {
    __m512i header[4], packed[4];
    if (ck_pieces_in_block(type) == 1 && j != CK_ALONE) ck_load_pair(rows, ck_bytes_in_block(type), j, out);
    switch (type) {
    case CK_Q4_0:
    case CK_Q4_1:
        ck_read(type, rows, j, 0, out, header);
        ck_read(type, rows, j, type == CK_Q4_0 ? 2 : 4, out, packed);
        ck_split_nibbles(packed, out->u);
        out->scale[0] = out->scale[1] = ck_low_halves(header[0]);
        if (type == CK_Q4_1) out->minimum = ck_high_halves(header[0]);
        break;
    case CK_Q5_0:
    case CK_Q5_1: {
        __m512i bits[4];
        ck_read(type, rows, j, 0, out, header);
        ck_read(type, rows, j, type == CK_Q5_0 ? 2 : 4, out, bits);
        ck_read(type, rows, j, type == CK_Q5_0 ? 6 : 8, out, packed);
        ck_split_nibbles(packed, out->u);
        ck_add_fifth_bits(bits[0], out->u);
        out->scale[0] = out->scale[1] = ck_low_halves(header[0]);
        if (type == CK_Q5_1) out->minimum = ck_high_halves(header[0]);
        break;
    }
    case CK_Q8_0: {
        const __m512i sign = _mm512_set1_epi8((char)128);
        ck_read(type, rows, j, 0, out, header);
        ck_read(type, rows, j, 2, out, out->u);
        ck_read(type, rows, j, 18, out, out->u + 4);
        for (int g = 0; g < 8; g++) out->u[g] = _mm512_xor_si512(out->u[g], sign);
        out->scale[0] = out->scale[1] = ck_low_halves(header[0]);
        break;
    }
    case CK_Q4_K:
    case CK_Q5_K: {
        ptrdiff_t nibbles = (type == CK_Q4_K ? 16 : 48) + 32 * (j / 2);
        const __m512i nibble = _mm512_set1_epi8(15), sixteen = _mm512_set1_epi8(16);
        if (j == 0) {
            ck_transpose(rows, 0, out->header);
            out->d = ck_low_halves(out->header[0]);
            out->d_minimum = ck_high_halves(out->header[0]);
            if (type == CK_Q5_K) {
                ck_transpose(rows, 16, out->high);
                ck_transpose(rows, 32, out->high + 4);
            }
        }
        ck_load_k_scales(j, out);
        if (j % 2 == 0) {
            ck_transpose(rows, nibbles, out->packed);
            ck_transpose(rows, nibbles + 16, out->packed + 4);
        }
        for (int g = 0; g < 8; g++) {
            __m512i both = out->packed[g];
            out->u[g] = _mm512_and_si512(j % 2 == 0 ? both : _mm512_srli_epi32(both, 4), nibble);
        }
        if (type == CK_Q5_K) {
            const __m512i bit = _mm512_set1_epi8((char)(1 << j));
            for (int g = 0; g < 8; g++) {
                __mmask64 set = _mm512_test_epi8_mask(out->high[g], bit);
                out->u[g] = _mm512_mask_add_epi8(out->u[g], set, out->u[g], sixteen);
            }
        }
        break;
    }
    case CK_Q6_K: {
        int half = j / 4, quarter = j % 4;
        const __m512i nibble = _mm512_set1_epi8(15), two = _mm512_set1_epi8(3);
        const __m128i shift = _mm_cvtsi32_si128(4 * (quarter >> 1));
        const __m128i high_shift = _mm_cvtsi32_si128(2 * quarter);
        if (j == 0) {
            __m512i last[4];
            ck_transpose(rows, 192, out->header);
            ck_transpose(rows, 194, last);
            out->d = ck_high_halves(last[3]);
        }
        if (quarter == 0) {
            ck_transpose(rows, 128 + 32 * half, out->high);
            ck_transpose(rows, 128 + 32 * half + 16, out->high + 4);
        }
        ck_transpose(rows, 64 * half + 32 * (quarter & 1), out->u);
        ck_transpose(rows, 64 * half + 32 * (quarter & 1) + 16, out->u + 4);
        for (int g = 0; g < 8; g++) {
            __m512i low = _mm512_and_si512(_mm512_srl_epi32(out->u[g], shift), nibble);
            __m512i top = _mm512_and_si512(_mm512_srl_epi32(out->high[g], high_shift), two);
            out->u[g] = _mm512_or_si512(low, _mm512_slli_epi32(top, 4));
        }
        // Two int8 scales for each sub-block.
        __m512i scales = _mm512_srl_epi32(out->header[j / 2], _mm_cvtsi32_si128(16 * (j & 1)));
        __m512i first = _mm512_srai_epi32(_mm512_slli_epi32(scales, 24), 24);
        __m512i second = _mm512_srai_epi32(_mm512_slli_epi32(scales, 16), 24);
        out->scale[0] = _mm512_mul_ps(out->d, _mm512_cvtepi32_ps(first));
        out->scale[1] = _mm512_mul_ps(out->d, _mm512_cvtepi32_ps(second));
        break;
    }
    default:
        break;
    }
}

#endif
#endif
