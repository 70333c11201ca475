// One f16 or bf16 number at a time, in portable arithmetic with the bits of the processor's instructions.
#ifndef CORVID_HALF_H
#define CORVID_HALF_H

#include <stdint.h>
#include <string.h>

#include "targets.h"

CK_INLINE uint32_t ck_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

CK_INLINE float ck_from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/// Exact; a signalling NaN becomes quiet.
CK_INLINE float ck_half_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = (half >> 10) & 31u, fraction = half & 1023u;
    uint32_t subnormal = ck_bits((float)(int32_t)fraction * 0x1p-24f);
    uint32_t normal = ((exponent + 112u) << 23) | (fraction << 13);
    uint32_t special = 0x7f800000u | (fraction << 13) | (fraction != 0 ? 0x400000u : 0u);
    return ck_from_bits(sign | (exponent == 0 ? subnormal : exponent == 31 ? special : normal));
}

/// Nearest, ties to even; a NaN keeps its sign and the top of its payload and becomes quiet.
CK_INLINE uint16_t ck_float_to_half(float x) {
    uint32_t bits = ck_bits(x), sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
    // Below 2^-14 the addition of 1/2 leaves the rounded multiple of 2^-24 in the low bits.
    uint32_t subnormal = ck_bits(ck_from_bits(magnitude) + 0.5f) - 0x3f000000u;
    uint32_t normal = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
    uint32_t nan = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
    uint32_t half = magnitude < 0x38800000u ? subnormal : normal;
    half = magnitude >= 0x477ff000u ? 0x7c00u : half;
    half = magnitude > 0x7f800000u ? nan : half;
    return (uint16_t)(sign | half);
}

CK_INLINE float ck_bfloat_to_float(uint16_t bfloat) { return ck_from_bits((uint32_t)bfloat << 16); }

/// Nearest, ties to even; a NaN keeps its sign and the top of its payload and becomes quiet.
CK_INLINE uint16_t ck_float_to_bfloat(float x) {
    uint32_t bits = ck_bits(x);
    uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    uint32_t nan = (bits >> 16) | 0x40u;
    return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
}

#endif
