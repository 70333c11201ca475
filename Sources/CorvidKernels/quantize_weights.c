// Weights rounded to the stored types, with the bits of ggml's reference quantisers.
//
// The K-quants search scales for each sub-block, with sums in the order of its weights. The sub-blocks of one
// block are independent, so they are the lanes of the vectors: loops over `lane` are innermost.
#include "blocks.h"
#include "corvid_kernels.h"

#pragma STDC FP_CONTRACT OFF

enum { LANES = 16 };

CK_INLINE uint16_t store_half(uint8_t *out, float x) {
    uint16_t half = ck_float_to_half(x);
    memcpy(out, &half, sizeof half);
    return half;
}

CK_INLINE int half_is_finite(uint16_t half) { return (half & 0x7c00u) != 0x7c00u; }

/// Nearest integer, ties to even, in 23 bits: what the low bits of the sum with 1.5 * 2^23 say, also for sums
/// that are too large to say anything.
CK_INLINE int32_t nearest(float x) {
    return (int32_t)(ck_bits(x + 12582912.0f) & 0x007fffffu) - 0x00400000;
}

CK_INLINE int32_t limited(int32_t value, int32_t least, int32_t most) {
    value = value < least ? least : value;
    return value > most ? most : value;
}

/// 1 / d, or 0 where d is 0 or its inverse is infinite: all weights are too small to be told from 0 then.
CK_INLINE float inverse_of(float d) {
    float inverse = 1.0f / d;
    return (ck_bits(inverse) & 0x7f800000u) == 0x7f800000u ? 0.0f : inverse;
}

// MARK: Blocks of 32

/// The value of greatest magnitude, the first of equal ones.
CK_INLINE float extreme(const float *restrict x) {
    uint32_t greatest = 0, place = 31;
    for (int i = 0; i < 32; i++) {
        uint32_t magnitude = ck_bits(x[i]) & 0x7fffffffu;
        greatest = magnitude > greatest ? magnitude : greatest;
    }
    for (uint32_t i = 0; i < 32; i++) {
        uint32_t here = (ck_bits(x[i]) & 0x7fffffffu) == greatest ? i : 31;
        place = here < place ? here : place;
    }
    return x[place];
}

CK_INLINE void pack_low_bits(const uint8_t *restrict q, uint8_t *restrict out) {
    for (int i = 0; i < 16; i++) out[i] = (uint8_t)((q[i] & 15) | (q[16 + i] << 4));
}

CK_INLINE void pack_high_bits(const uint8_t *restrict q, uint8_t *restrict out) {
    uint32_t high = 0;
    for (int i = 0; i < 32; i++) high |= (uint32_t)(q[i] >> 4) << i;
    memcpy(out, &high, sizeof high);
}

/// Q4_0, Q5_0: the value of greatest magnitude becomes the least integer.
CK_INLINE int quantize_signed(int bits, const float *restrict x, uint8_t *restrict out) {
    const float half = (float)(1 << (bits - 1));
    float d = extreme(x) / -half, inverse = inverse_of(d);
    uint8_t q[32];
    for (int i = 0; i < 32; i++) {
        q[i] = (uint8_t)limited((int32_t)(x[i] * inverse + (half + 0.5f)), 0, (1 << bits) - 1);
    }
    uint16_t scale = store_half(out, d);
    if (bits == 5) pack_high_bits(q, out + 2);
    pack_low_bits(q, out + (bits == 5 ? 6 : 2));
    return half_is_finite(scale);
}

/// Q4_1, Q5_1: the least value becomes 0.
CK_INLINE int quantize_from_minimum(int bits, const float *restrict x, uint8_t *restrict out) {
    float least = x[0], most = x[0];
    for (int i = 1; i < 32; i++) {
        least = x[i] < least ? x[i] : least;
        most = x[i] > most ? x[i] : most;
    }
    float d = (most - least) / (float)((1 << bits) - 1), inverse = inverse_of(d);
    uint8_t q[32];
    for (int i = 0; i < 32; i++) {
        q[i] = (uint8_t)limited((int32_t)((x[i] - least) * inverse + 0.5f), 0, (1 << bits) - 1);
    }
    uint16_t scale = store_half(out, d), minimum = store_half(out + 2, least);
    if (bits == 5) pack_high_bits(q, out + 4);
    pack_low_bits(q, out + (bits == 5 ? 8 : 4));
    return half_is_finite(scale) && half_is_finite(minimum);
}

/// Q8_0, ties away from zero.
CK_INLINE int quantize_q8_0(const float *restrict x, uint8_t *restrict out) {
    uint32_t greatest = 0;
    for (int i = 0; i < 32; i++) {
        uint32_t magnitude = ck_bits(x[i]) & 0x7fffffffu;
        greatest = magnitude > greatest ? magnitude : greatest;
    }
    float d = ck_from_bits(greatest) / 127.0f, inverse = inverse_of(d);
    for (int i = 0; i < 32; i++) {
        float value = x[i] * inverse;
        int32_t whole = (int32_t)value;
        float rest = value - (float)whole;
        whole += (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
        out[2 + i] = (uint8_t)(int8_t)whole;
    }
    return half_is_finite(store_half(out, d));
}

// MARK: K-quants

/// out[i][lane] = weight i of sub-block `lane`; lanes without a sub-block are 0.
CK_INLINE void spread(int lanes, int count, const float *restrict x, float (*restrict out)[LANES]) {
    for (int i = 0; i < count; i++) {
        for (int lane = 0; lane < lanes; lane++) out[i][lane] = x[lane * count + i];
    }
}

/// What the search found for each sub-block.
typedef struct ck_sub_blocks {
    float scale[LANES], minimum[LANES];     // minimum: what is taken off, at least 0
    float inverse[LANES], origin[LANES];    // integers of the search: nearest(inverse * (x - origin))
    uint32_t is_flat[LANES];                // all bits set if all integers are 0
} ck_sub_blocks;

/// Q4_K, Q5_K: scales and minima that leave the least error, weighted by sqrt(mean x^2) + |x|, among
/// `candidates` scales with their best minima.
CK_INLINE void search_minimum(int lanes, int most_integer, float first_step, int candidates,
                              float (*restrict x)[LANES], ck_sub_blocks *restrict found) {
    float least[LANES], most[LANES], squares[LANES], mean[LANES], sum_w[LANES], sum_x[LANES], error[LANES];
    float weight[32][LANES];
    for (int lane = 0; lane < lanes; lane++) squares[lane] = 0;
    for (int i = 0; i < 32; i++) {
        for (int lane = 0; lane < lanes; lane++) squares[lane] += x[i][lane] * x[i][lane];
    }
    for (int lane = 0; lane < lanes; lane++) mean[lane] = __builtin_sqrtf(squares[lane] / 32);
    for (int lane = 0; lane < lanes; lane++) {
        least[lane] = most[lane] = x[0][lane];
        weight[0][lane] = mean[lane] + __builtin_fabsf(x[0][lane]);
        sum_w[lane] = weight[0][lane];
        sum_x[lane] = sum_w[lane] * x[0][lane];
    }
    for (int i = 1; i < 32; i++) {
        for (int lane = 0; lane < lanes; lane++) {
            float value = x[i][lane], w = mean[lane] + __builtin_fabsf(value);
            least[lane] = value < least[lane] ? value : least[lane];
            most[lane] = value > most[lane] ? value : most[lane];
            weight[i][lane] = w;
            sum_w[lane] += w;
            sum_x[lane] += w * value;
        }
    }
    for (int lane = 0; lane < lanes; lane++) {
        least[lane] = least[lane] > 0 ? 0 : least[lane];
        found->is_flat[lane] = most[lane] == least[lane] ? ~0u : 0;
        found->minimum[lane] = least[lane];
        found->origin[lane] = least[lane];
        found->inverse[lane] = (float)most_integer / (most[lane] - least[lane]);
        found->scale[lane] = 1 / found->inverse[lane];
        error[lane] = 0;
    }
    for (int i = 0; i < 32; i++) {
        for (int lane = 0; lane < lanes; lane++) {
            float value = x[i][lane];
            int32_t l = limited(nearest(found->inverse[lane] * (value - least[lane])), 0, most_integer);
            float difference = found->scale[lane] * (float)l + least[lane] - value;
            difference = difference * difference;
            error[lane] += weight[i][lane] * difference;
        }
    }
    for (int step = 0; step < candidates; step++) {
        float wanted = first_step + 0.1f * (float)step + (float)most_integer;
        float inverse[LANES], origin[LANES], sum_l[LANES], sum_l2[LANES], sum_xl[LANES];
        float scale[LANES], minimum[LANES], determinant[LANES], here[LANES], integers[32][LANES];
        for (int lane = 0; lane < lanes; lane++) {
            // A minimum that was taken before is what this candidate begins with.
            origin[lane] = found->minimum[lane];
            inverse[lane] = wanted / (most[lane] - origin[lane]);
            sum_l[lane] = sum_l2[lane] = sum_xl[lane] = here[lane] = 0;
        }
        for (int i = 0; i < 32; i++) {
            for (int lane = 0; lane < lanes; lane++) {
                float value = x[i][lane], w = weight[i][lane];
                float l = (float)limited(nearest(inverse[lane] * (value - origin[lane])), 0, most_integer);
                integers[i][lane] = l;
                float wl = w * l;
                sum_l[lane] += wl;
                sum_l2[lane] += wl * l;
                sum_xl[lane] += wl * value;
            }
        }
        for (int lane = 0; lane < lanes; lane++) {
            float d = sum_w[lane] * sum_l2[lane] - sum_l[lane] * sum_l[lane];
            float best_scale = (sum_w[lane] * sum_xl[lane] - sum_x[lane] * sum_l[lane]) / d;
            float best_minimum = (sum_l2[lane] * sum_x[lane] - sum_l[lane] * sum_xl[lane]) / d;
            int is_positive = best_minimum > 0;
            determinant[lane] = d;
            minimum[lane] = is_positive ? 0 : best_minimum;
            scale[lane] = is_positive ? sum_xl[lane] / sum_l2[lane] : best_scale;
        }
        for (int i = 0; i < 32; i++) {
            for (int lane = 0; lane < lanes; lane++) {
                float difference = scale[lane] * integers[i][lane] + minimum[lane] - x[i][lane];
                difference = difference * difference;
                here[lane] += weight[i][lane] * difference;
            }
        }
        for (int lane = 0; lane < lanes; lane++) {
            int is_better = (determinant[lane] > 0) & (here[lane] < error[lane]);
            error[lane] = is_better ? here[lane] : error[lane];
            found->scale[lane] = is_better ? scale[lane] : found->scale[lane];
            found->minimum[lane] = is_better ? minimum[lane] : found->minimum[lane];
            found->inverse[lane] = is_better ? inverse[lane] : found->inverse[lane];
            found->origin[lane] = is_better ? origin[lane] : found->origin[lane];
        }
    }
    for (int lane = 0; lane < lanes; lane++) {
        // A flat sub-block keeps the minimum that it began with.
        int is_flat = found->is_flat[lane] != 0;
        found->minimum[lane] = is_flat ? -least[lane] : -found->minimum[lane];
        found->scale[lane] = is_flat ? 0 : found->scale[lane];
    }
}

/// The 6-bit scales and minima of eight sub-blocks, as `ck_k_scale` reads them.
CK_INLINE void pack_k_scales(const ck_sub_blocks *restrict found, float inverse_scale, float inverse_minimum,
                             uint8_t *restrict packed) {
    for (int j = 0; j < 8; j++) {
        uint8_t scale = (uint8_t)nearest(inverse_scale * found->scale[j]);
        uint8_t minimum = (uint8_t)nearest(inverse_minimum * found->minimum[j]);
        scale = scale > 63 ? 63 : scale;
        minimum = minimum > 63 ? 63 : minimum;
        if (j < 4) {
            packed[j] = scale;
            packed[j + 4] = minimum;
        } else {
            packed[j + 4] = (uint8_t)((scale & 15) | (minimum & 15) << 4);
            packed[j - 4] |= (uint8_t)((scale >> 4) << 6);
            packed[j] |= (uint8_t)((minimum >> 4) << 6);
        }
    }
}

/// Q4_K, Q5_K: 8 sub-blocks of 32.
CK_INLINE int quantize_k_minima(int bits, const float *restrict x, uint8_t *restrict out) {
    const int most_integer = (1 << bits) - 1;
    float values[32][LANES];
    ck_sub_blocks found;
    spread(8, 32, x, values);
    search_minimum(8, most_integer, bits == 4 ? -1.0f : -0.5f, bits == 4 ? 21 : 16, values, &found);
    float most_scale = 0, most_minimum = 0;
    for (int j = 0; j < 8; j++) {
        most_scale = found.scale[j] > most_scale ? found.scale[j] : most_scale;
        most_minimum = found.minimum[j] > most_minimum ? found.minimum[j] : most_minimum;
    }
    uint16_t half_d = store_half(out, most_scale / 63.0f);
    uint16_t half_minimum = store_half(out + 2, most_minimum / 63.0f);
    pack_k_scales(&found, most_scale > 0 ? 63.0f / most_scale : 0, most_minimum > 0 ? 63.0f / most_minimum : 0,
                  out + 4);
    uint8_t q[256];
    for (int j = 0; j < 8; j++) {
        int packed_scale, packed_minimum;
        ck_k_scale(out + 4, j, &packed_scale, &packed_minimum);
        float d = ck_half_to_float(half_d) * (float)packed_scale;
        float minimum = ck_half_to_float(half_minimum) * (float)packed_minimum;
        for (int i = 0; i < 32; i++) {
            float value = x[32 * j + i];
            // Without a scale the integers have no effect; they stay those of the search.
            int32_t searched = found.is_flat[j] ? 0 : nearest(found.inverse[j] * (value - found.origin[j]));
            int32_t l = d != 0 ? nearest((value + minimum) / d) : searched;
            q[32 * j + i] = (uint8_t)limited(l, 0, most_integer);
        }
    }
    uint8_t *low = out + (bits == 4 ? 16 : 48);
    for (int c = 0; c < 4; c++) {
        for (int i = 0; i < 32; i++) {
            low[32 * c + i] = (uint8_t)((q[64 * c + i] & 15) | (q[64 * c + 32 + i] & 15) << 4);
        }
    }
    if (bits == 5) {
        for (int i = 0; i < 32; i++) {
            uint32_t high = 0;
            for (int j = 0; j < 8; j++) high |= (uint32_t)(q[32 * j + i] >> 4) << j;
            out[16 + i] = (uint8_t)high;
        }
    }
    return half_is_finite(half_d) && half_is_finite(half_minimum);
}

/// Q6_K: scales of 16 sub-blocks of 16 that leave the least error, weighted by x^2.
CK_INLINE void search_scale(float (*restrict x)[LANES], ck_sub_blocks *restrict found) {
    float extremes[LANES], magnitude[LANES], sum_lx[LANES], sum_l2[LANES], best[LANES];
    for (int lane = 0; lane < LANES; lane++) extremes[lane] = magnitude[lane] = 0;
    for (int i = 0; i < 16; i++) {
        for (int lane = 0; lane < LANES; lane++) {
            float value = x[i][lane], size = __builtin_fabsf(value);
            extremes[lane] = size > magnitude[lane] ? value : extremes[lane];
            magnitude[lane] = size > magnitude[lane] ? size : magnitude[lane];
        }
    }
    for (int lane = 0; lane < LANES; lane++) found->is_flat[lane] = magnitude[lane] < 1e-15f ? ~0u : 0;
    // The first candidate is the plain one; it counts whatever it gives.
    for (int candidate = 0; candidate < 19; candidate++) {
        int step = candidate == 0 ? 0 : candidate <= 9 ? candidate - 10 : candidate - 9;
        float wanted = step == 0 ? -32.0f : -(32.0f + 0.1f * (float)step), inverse[LANES];
        for (int lane = 0; lane < LANES; lane++) {
            inverse[lane] = wanted / extremes[lane];
            sum_lx[lane] = sum_l2[lane] = 0;
        }
        for (int i = 0; i < 16; i++) {
            for (int lane = 0; lane < LANES; lane++) {
                float value = x[i][lane], w = value * value;
                float l = (float)limited(nearest(inverse[lane] * value), -32, 31);
                sum_lx[lane] += w * value * l;
                sum_l2[lane] += w * l * l;
            }
        }
        for (int lane = 0; lane < LANES; lane++) {
            float scale = sum_l2[lane] != 0 ? sum_lx[lane] / sum_l2[lane] : 0.0f;
            int is_better =
                (sum_l2[lane] > 0) & (sum_lx[lane] * sum_lx[lane] > best[lane] * sum_l2[lane]);
            is_better = candidate == 0 ? 1 : is_better;
            found->scale[lane] = is_better ? scale : found->scale[lane];
            found->inverse[lane] = is_better ? inverse[lane] : found->inverse[lane];
            best[lane] = is_better ? scale * sum_lx[lane] : best[lane];
        }
    }
    for (int lane = 0; lane < LANES; lane++) found->scale[lane] = found->is_flat[lane] ? 0 : found->scale[lane];
}

CK_INLINE int quantize_q6_k(const float *restrict x, uint8_t *restrict out) {
    float values[16][LANES];
    ck_sub_blocks found;
    spread(LANES, 16, x, values);
    search_scale(values, &found);
    float greatest = 0, extreme_scale = 0;
    int are_finite = 1;
    for (int j = 0; j < 16; j++) {
        // Weights whose squares overflow leave no number.
        are_finite &= (ck_bits(found.scale[j]) & 0x7f800000u) != 0x7f800000u;
        float size = __builtin_fabsf(found.scale[j]);
        extreme_scale = size > greatest ? found.scale[j] : extreme_scale;
        greatest = size > greatest ? size : greatest;
    }
    if (!are_finite) return 0;
    if (greatest < 1e-15f) {
        memset(out, 0, 210);
        return 1;
    }
    float inverse = -128.0f / extreme_scale;
    uint16_t half_d = store_half(out + 208, 1 / inverse);
    uint8_t q[256];
    for (int j = 0; j < 16; j++) {
        int32_t scale = nearest(inverse * found.scale[j]);
        int8_t stored = (int8_t)(scale > 127 ? 127 : scale);
        out[192 + j] = (uint8_t)stored;
        float d = ck_half_to_float(half_d) * (float)stored;
        for (int i = 0; i < 16; i++) {
            float value = x[16 * j + i];
            int32_t searched = limited(nearest(found.inverse[j] * value), -32, 31) + 32;
            searched = found.is_flat[j] ? 0 : searched;
            q[16 * j + i] = (uint8_t)(d != 0 ? limited(nearest(value / d), -32, 31) + 32 : searched);
        }
    }
    for (int half = 0; half < 2; half++) {
        const uint8_t *part = q + 128 * half;
        uint8_t *low = out + 64 * half, *high = out + 128 + 32 * half;
        for (int i = 0; i < 32; i++) {
            low[i] = (uint8_t)((part[i] & 15) | (part[i + 64] & 15) << 4);
            low[i + 32] = (uint8_t)((part[i + 32] & 15) | (part[i + 96] & 15) << 4);
            high[i] = (uint8_t)(part[i] >> 4 | (part[i + 32] >> 4) << 2 | (part[i + 64] >> 4) << 4
                                | (part[i + 96] >> 4) << 6);
        }
    }
    return half_is_finite(half_d);
}

// MARK: Rows

CK_INLINE int all_are_finite(ptrdiff_t n, const float *restrict x) {
    uint32_t greatest = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        uint32_t magnitude = ck_bits(x[i]) & 0x7fffffffu;
        greatest = magnitude > greatest ? magnitude : greatest;
    }
    return greatest < 0x7f800000u;
}

CK_INLINE int quantize_block(ck_type type, const float *restrict x, uint8_t *restrict out) {
    switch (type) {
    case CK_Q4_0: return quantize_signed(4, x, out);
    case CK_Q5_0: return quantize_signed(5, x, out);
    case CK_Q4_1: return quantize_from_minimum(4, x, out);
    case CK_Q5_1: return quantize_from_minimum(5, x, out);
    case CK_Q8_0: return quantize_q8_0(x, out);
    case CK_Q4_K: return quantize_k_minima(4, x, out);
    case CK_Q5_K: return quantize_k_minima(5, x, out);
    case CK_Q6_K: return quantize_q6_k(x, out);
    default: return 0;
    }
}

CK_INLINE ck_quantize_result quantize_blocks(ck_type type, ptrdiff_t n, const float *restrict x,
                                             uint8_t *restrict out) {
    ptrdiff_t size = 32 * ck_pieces_in_block(type), bytes = ck_bytes_in_block(type);
    int fits = 1;
    for (ptrdiff_t i = 0; i < n; i += size, out += bytes) fits &= quantize_block(type, x + i, out);
    return fits ? CK_QUANTIZED : CK_TOO_LARGE;
}

CK_INLINE ck_quantize_result quantize_loop(ck_type type, ptrdiff_t n, const float *restrict x,
                                           uint8_t *restrict out) {
    if (!all_are_finite(n, x)) return CK_NOT_FINITE;
    switch (type) {
    case CK_Q4_0: return quantize_blocks(CK_Q4_0, n, x, out);
    case CK_Q4_1: return quantize_blocks(CK_Q4_1, n, x, out);
    case CK_Q5_0: return quantize_blocks(CK_Q5_0, n, x, out);
    case CK_Q5_1: return quantize_blocks(CK_Q5_1, n, x, out);
    case CK_Q8_0: return quantize_blocks(CK_Q8_0, n, x, out);
    case CK_Q4_K: return quantize_blocks(CK_Q4_K, n, x, out);
    case CK_Q5_K: return quantize_blocks(CK_Q5_K, n, x, out);
    case CK_Q6_K: return quantize_blocks(CK_Q6_K, n, x, out);
    default: return CK_QUANTIZED;
    }
}

CK_INLINE ck_quantize_result quantize_row_int8_loop(ptrdiff_t n, const float *restrict x, int8_t *restrict q,
                                                    float *restrict scale) {
    uint32_t greatest = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        uint32_t magnitude = ck_bits(x[i]) & 0x7fffffffu;
        greatest = magnitude > greatest ? magnitude : greatest;
    }
    if (greatest >= 0x7f800000u) return CK_NOT_FINITE;
    float most = ck_from_bits(greatest), inverse = 127.0f / most;
    int is_zero = ck_bits(inverse) >= 0x7f800000u;
    *scale = is_zero ? 0 : most / 127.0f;
    if (is_zero) inverse = 0;
    for (ptrdiff_t i = 0; i < n; i++) q[i] = (int8_t)nearest(x[i] * inverse);
    return CK_QUANTIZED;
}

CK_INLINE void dequantize_row_int8_loop(ptrdiff_t n, const int8_t *restrict q, float scale,
                                        float *restrict out) {
    for (ptrdiff_t i = 0; i < n; i++) out[i] = scale * (float)q[i];
}

static ck_quantize_result quantize_plain(ck_type type, ptrdiff_t n, const float *x, uint8_t *out) {
    return quantize_loop(type, n, x, out);
}

static ck_quantize_result quantize_row_int8_plain(ptrdiff_t n, const float *x, int8_t *q, float *scale) {
    return quantize_row_int8_loop(n, x, q, scale);
}

static void dequantize_row_int8_plain(ptrdiff_t n, const int8_t *q, float scale, float *out) {
    dequantize_row_int8_loop(n, q, scale, out);
}

#if CK_X86
// The same loops, in the vectors that the compiler makes of them.
CK_AVX2 static ck_quantize_result quantize_avx2(ck_type type, ptrdiff_t n, const float *x, uint8_t *out) {
    return quantize_loop(type, n, x, out);
}

CK_AVX512 static ck_quantize_result quantize_avx512(ck_type type, ptrdiff_t n, const float *x, uint8_t *out) {
    return quantize_loop(type, n, x, out);
}

CK_AVX2 static ck_quantize_result quantize_row_int8_avx2(ptrdiff_t n, const float *x, int8_t *q,
                                                         float *scale) {
    return quantize_row_int8_loop(n, x, q, scale);
}

CK_AVX2 static void dequantize_row_int8_avx2(ptrdiff_t n, const int8_t *q, float scale, float *out) {
    dequantize_row_int8_loop(n, q, scale, out);
}
#endif

// MARK: Choice

static ck_quantize_result quantize_plain_number(ck_type type, ptrdiff_t n, const float *x, void *out) {
    if (!all_are_finite(n, x)) return CK_NOT_FINITE;
    if (type == CK_F32) {
        memcpy(out, x, (size_t)n * sizeof(float));
        return CK_QUANTIZED;
    }
    uint16_t *narrow = out;
    uint16_t exponent = type == CK_F16 ? 0x7c00 : 0x7f80;
    if (type == CK_F16) ck_f32_to_f16(n, x, narrow);
    else ck_f32_to_bf16(n, x, narrow);
    int fits = 1;
    for (ptrdiff_t i = 0; i < n; i++) fits &= (narrow[i] & exponent) != exponent;
    return fits ? CK_QUANTIZED : CK_TOO_LARGE;
}

ck_quantize_result ck_quantize_weights(ck_type type, ptrdiff_t n, const float *x, void *out) {
    if (n <= 0) return CK_QUANTIZED;
    if (type == CK_F32 || type == CK_F16 || type == CK_BF16) return quantize_plain_number(type, n, x, out);
#if CK_X86
    if (ck_isa() == CK_ISA_AVX512) return quantize_avx512(type, n, x, out);
    if (ck_isa() >= CK_ISA_AVX2) return quantize_avx2(type, n, x, out);
#endif
    return quantize_plain(type, n, x, out);
}

ck_quantize_result ck_quantize_row_int8(ptrdiff_t n, const float *x, int8_t *q, float *scale) {
#if CK_X86
    if (ck_isa() >= CK_ISA_AVX2) return quantize_row_int8_avx2(n, x, q, scale);
#endif
    return quantize_row_int8_plain(n, x, q, scale);
}

void ck_dequantize_row_int8(ptrdiff_t n, const int8_t *q, float scale, float *out) {
#if CK_X86
    if (ck_isa() >= CK_ISA_AVX2) {
        dequantize_row_int8_avx2(n, q, scale, out);
        return;
    }
#endif
    dequantize_row_int8_plain(n, q, scale, out);
}
