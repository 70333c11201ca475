// Weights as numbers: the sizes of the blocks of each type, and their exact values.
#include "blocks.h"
#include "corvid_kernels.h"

#pragma STDC FP_CONTRACT OFF

ptrdiff_t ck_block_size(ck_type type) {
    switch (type) {
    case CK_F32: case CK_F16: case CK_BF16: return 1;
    default: return ck_is_quantised(type) ? 32 * ck_pieces_in_block(type) : 0;
    }
}

ptrdiff_t ck_block_bytes(ck_type type) {
    switch (type) {
    case CK_F32: return 4;
    case CK_F16: case CK_BF16: return 2;
    default: return ck_bytes_in_block(type);
    }
}

// Product and sum are rounded one after the other, as ggml does.
CK_INLINE void dequantize_blocks(ck_type type, ptrdiff_t n, const uint8_t *restrict row,
                                 float *restrict out) {
    for (ptrdiff_t b = 0; b < n / 32; b++) {
        ck_block block;
        ck_decode_block(type, row, b, &block);
        for (int i = 0; i < 32; i++) {
            float value = block.scale[i / 16] * (float)((int)block.u[i] - ck_zero_point(type));
            out[32 * b + i] = ck_has_minima(type) ? value + block.minimum : value;
        }
    }
}

CK_INLINE void dequantize_loop(ck_type type, ptrdiff_t n, const uint8_t *restrict row, float *restrict out) {
    switch (type) {
    case CK_Q4_0: dequantize_blocks(CK_Q4_0, n, row, out); return;
    case CK_Q4_1: dequantize_blocks(CK_Q4_1, n, row, out); return;
    case CK_Q5_0: dequantize_blocks(CK_Q5_0, n, row, out); return;
    case CK_Q5_1: dequantize_blocks(CK_Q5_1, n, row, out); return;
    case CK_Q8_0: dequantize_blocks(CK_Q8_0, n, row, out); return;
    case CK_Q4_K: dequantize_blocks(CK_Q4_K, n, row, out); return;
    case CK_Q5_K: dequantize_blocks(CK_Q5_K, n, row, out); return;
    case CK_Q6_K: dequantize_blocks(CK_Q6_K, n, row, out); return;
    default: return;
    }
}

static void dequantize_plain(ck_type type, ptrdiff_t n, const uint8_t *row, float *out) {
    dequantize_loop(type, n, row, out);
}

#if CK_X86
// The same loop, in the vectors that the compiler makes of it.
CK_AVX2 static void dequantize_avx2(ck_type type, ptrdiff_t n, const uint8_t *row, float *out) {
    dequantize_loop(type, n, row, out);
}
#endif

// f16 and bf16 rows start anywhere in a file, hence the copies into an aligned piece.
enum { PIECE = 256 };

void ck_dequantize(ck_type type, ptrdiff_t n, const void *row, float *out) {
    const uint8_t *bytes = row;
    if (n <= 0) return;
    if (type == CK_F32) {
        memcpy(out, row, (size_t)n * sizeof(float));
    } else if (type == CK_F16 || type == CK_BF16) {
        uint16_t piece[PIECE];
        for (ptrdiff_t i = 0; i < n; i += PIECE) {
            ptrdiff_t count = n - i < PIECE ? n - i : PIECE;
            memcpy(piece, bytes + 2 * i, (size_t)count * sizeof(uint16_t));
            if (type == CK_F16) ck_f16_to_f32(count, piece, out + i);
            else ck_bf16_to_f32(count, piece, out + i);
        }
    } else {
#if CK_X86
        if (ck_isa() >= CK_ISA_AVX2) {
            dequantize_avx2(type, n, bytes, out);
            return;
        }
#endif
        dequantize_plain(type, n, bytes, out);
    }
}

void ck_dequantize_bf16(ck_type type, ptrdiff_t n, const void *row, uint16_t *out) {
    const uint8_t *bytes = row;
    if (n <= 0) return;
    if (type == CK_BF16) {
        memcpy(out, row, (size_t)n * sizeof(uint16_t));
        return;
    }
    ptrdiff_t block_size = ck_block_size(type), block_bytes = ck_block_bytes(type);
    if (block_size == 0) return;
    float piece[PIECE];
    for (ptrdiff_t i = 0; i < n; i += PIECE) {
        ptrdiff_t count = n - i < PIECE ? n - i : PIECE;
        ck_dequantize(type, count, bytes + i / block_size * block_bytes, piece);
        ck_f32_to_bf16(count, piece, out + i);
    }
}
