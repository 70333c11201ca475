// The blocks of the quantised types, decoded 32 weights at a time: the plain definition that dequantisation
// and products share.
#ifndef CORVID_BLOCKS_H
#define CORVID_BLOCKS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "corvid_kernels.h"
#include "half.h"

#pragma STDC FP_CONTRACT OFF

/// 32 weights: w_i = scale[i / 16] * (u_i - zero point of the type) + minimum.
/// The two scales differ for Q6_K only; the minimum is used if the type has minima only.
typedef struct ck_block {
    uint8_t u[32];
    float scale[2];
    float minimum;
} ck_block;

CK_INLINE int ck_is_quantised(ck_type type) {
    switch (type) {
    case CK_Q4_0: case CK_Q4_1: case CK_Q5_0: case CK_Q5_1: case CK_Q8_0:
    case CK_Q4_K: case CK_Q5_K: case CK_Q6_K: return 1;
    default: return 0;
    }
}

/// Bytes of one block and the number of 32-weight blocks in it, known to the compiler where the type is.
CK_INLINE ptrdiff_t ck_bytes_in_block(ck_type type) {
    return type == CK_Q4_0 ? 18 : type == CK_Q4_1 ? 20 : type == CK_Q5_0 ? 22 : type == CK_Q5_1 ? 24
        : type == CK_Q8_0 ? 34 : type == CK_Q4_K ? 144 : type == CK_Q5_K ? 176 : type == CK_Q6_K ? 210 : 0;
}

CK_INLINE ptrdiff_t ck_pieces_in_block(ck_type type) {
    return type == CK_Q4_K || type == CK_Q5_K || type == CK_Q6_K ? 8 : 1;
}

/// Sub-blocks which share bytes: loops over them are unrolled by so many.
CK_INLINE ptrdiff_t ck_pieces_together(ck_type type) {
    return type == CK_Q4_K || type == CK_Q5_K ? 2 : 1;
}

CK_INLINE int ck_zero_point(ck_type type) {
    return type == CK_Q4_0 ? 8 : type == CK_Q5_0 ? 16 : type == CK_Q6_K ? 32 : type == CK_Q8_0 ? 128 : 0;
}

CK_INLINE int ck_has_minima(ck_type type) {
    return type == CK_Q4_1 || type == CK_Q5_1 || type == CK_Q4_K || type == CK_Q5_K;
}

CK_INLINE float ck_load_half(const uint8_t *bytes) {
    uint16_t half;
    memcpy(&half, bytes, sizeof half);
    return ck_half_to_float(half);
}

/// The 6-bit scale and minimum of sub-block j in 0..<8 of a Q4_K or Q5_K block.
CK_INLINE void ck_k_scale(const uint8_t *packed, ptrdiff_t j, int *scale, int *minimum) {
    if (j < 4) {
        *scale = packed[j] & 63;
        *minimum = packed[j + 4] & 63;
    } else {
        *scale = (packed[j + 4] & 15) | ((packed[j - 4] >> 6) << 4);
        *minimum = (packed[j + 4] >> 4) | ((packed[j] >> 6) << 4);
    }
}

/// Weights 32 * b ..< 32 * (b + 1) of a row.
CK_INLINE void ck_decode_block(ck_type type, const uint8_t *restrict row, ptrdiff_t b,
                               ck_block *restrict out) {
    out->minimum = 0;
    switch (type) {
    case CK_Q4_0: {
        const uint8_t *block = row + 18 * b;
        out->scale[0] = out->scale[1] = ck_load_half(block);
        for (int i = 0; i < 16; i++) {
            out->u[i] = block[2 + i] & 15;
            out->u[16 + i] = block[2 + i] >> 4;
        }
        break;
    }
    case CK_Q4_1: {
        const uint8_t *block = row + 20 * b;
        out->scale[0] = out->scale[1] = ck_load_half(block);
        out->minimum = ck_load_half(block + 2);
        for (int i = 0; i < 16; i++) {
            out->u[i] = block[4 + i] & 15;
            out->u[16 + i] = block[4 + i] >> 4;
        }
        break;
    }
    case CK_Q5_0:
    case CK_Q5_1: {
        const uint8_t *block = row + (type == CK_Q5_0 ? 22 : 24) * b;
        const uint8_t *high_bits = block + (type == CK_Q5_0 ? 2 : 4), *low_bits = high_bits + 4;
        uint32_t high;
        memcpy(&high, high_bits, sizeof high);
        out->scale[0] = out->scale[1] = ck_load_half(block);
        if (type == CK_Q5_1) out->minimum = ck_load_half(block + 2);
        for (int i = 0; i < 16; i++) {
            out->u[i] = (uint8_t)((low_bits[i] & 15) | (((high >> i) & 1) << 4));
            out->u[16 + i] = (uint8_t)((low_bits[i] >> 4) | (((high >> (16 + i)) & 1) << 4));
        }
        break;
    }
    case CK_Q8_0: {
        const uint8_t *block = row + 34 * b;
        out->scale[0] = out->scale[1] = ck_load_half(block);
        for (int i = 0; i < 32; i++) out->u[i] = block[2 + i] ^ 128;
        break;
    }
    case CK_Q4_K:
    case CK_Q5_K: {
        const uint8_t *block = row + (type == CK_Q4_K ? 144 : 176) * (b / 8);
        ptrdiff_t j = b % 8;
        const uint8_t *high_bits = block + 16;
        const uint8_t *low_bits = block + (type == CK_Q4_K ? 16 : 48) + 32 * (j / 2);
        int scale, minimum, shift = 4 * (int)(j & 1);
        ck_k_scale(block + 4, j, &scale, &minimum);
        out->scale[0] = out->scale[1] = ck_load_half(block) * (float)scale;
        out->minimum = -(ck_load_half(block + 2) * (float)minimum);
        for (int i = 0; i < 32; i++) {
            int low = (low_bits[i] >> shift) & 15;
            out->u[i] = (uint8_t)(type == CK_Q4_K ? low : low | (((high_bits[i] >> j) & 1) << 4));
        }
        break;
    }
    case CK_Q6_K: {
        const uint8_t *block = row + 210 * (b / 8);
        ptrdiff_t half = (b % 8) / 4, quarter = b % 4;
        const uint8_t *low_bits = block + 64 * half + 32 * (quarter & 1);
        const uint8_t *high_bits = block + 128 + 32 * half;
        const uint8_t *scales = block + 192 + 8 * half + 2 * quarter;
        int shift = 4 * (int)(quarter >> 1), high_shift = 2 * (int)quarter;
        float d = ck_load_half(block + 208);
        out->scale[0] = d * (float)(int8_t)scales[0];
        out->scale[1] = d * (float)(int8_t)scales[1];
        for (int i = 0; i < 32; i++) {
            out->u[i] = (uint8_t)(((low_bits[i] >> shift) & 15) | (((high_bits[i] >> high_shift) & 3) << 4));
        }
        break;
    }
    default:
        memset(out, 0, sizeof *out);
    }
}

#endif
