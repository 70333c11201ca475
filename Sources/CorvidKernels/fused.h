// One fused multiply-add in portable arithmetic, for processors which have no instruction for it.
#ifndef CORVID_FUSED_H
#define CORVID_FUSED_H

#include <stdint.h>
#include <string.h>

#include "targets.h"

#pragma STDC FP_CONTRACT OFF

/// a * b + c rounded once: the bits of fmaf, which may be a call to a slow library function. Which NaN comes
/// out is left open.
CK_INLINE float ck_fused(float a, float b, float c) {
#if defined(__FMA__) || defined(__aarch64__)
    return __builtin_fmaf(a, b, c);
#else
    // The product is exact in double. The sum is rounded to odd: if it is not exact, its last bit is set, so
    // that the second rounding sees on which side of a tie the exact number lies (Boldo and Melquiond, 2008).
    double product = (double)a * (double)b, other = (double)c, sum = product + other;
    double part = sum - product, error = (product - (sum - part)) + (other - part);
    const uint64_t infinity = (uint64_t)0x7ff << 52;
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    // One step towards the exact number if that is needed; a sum of zero is always exact.
    uint64_t needed = (uint64_t)(error != 0) & ~bits & (uint64_t)((bits & infinity) != infinity);
    uint64_t step = (error > 0) == (sum > 0) ? 1u : ~(uint64_t)0;
    bits += step & (0 - (needed & 1));
    memcpy(&sum, &bits, sizeof sum);
    return (float)sum;
#endif
}

#endif
