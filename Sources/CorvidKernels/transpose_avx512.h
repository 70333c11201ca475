// 16 x 16 dwords turned in registers, so that lanes become rows.
#ifndef CORVID_TRANSPOSE_AVX512_H
#define CORVID_TRANSPOSE_AVX512_H

#include "targets.h"

#if CK_X86
#include <immintrin.h>

/// a[i][j] and a[j][i] change places.
CK_INLINE_AVX512 void ck_transpose_dwords(__m512i a[16]) {
    __m512i b[16];
    // b[4 i + n]: dword n of each quarter, of rows 4 i ..< 4 i + 4.
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i += 4) {
        __m512i low01 = _mm512_unpacklo_epi32(a[i], a[i + 1]);
        __m512i low23 = _mm512_unpacklo_epi32(a[i + 2], a[i + 3]);
        __m512i high01 = _mm512_unpackhi_epi32(a[i], a[i + 1]);
        __m512i high23 = _mm512_unpackhi_epi32(a[i + 2], a[i + 3]);
        b[i] = _mm512_unpacklo_epi64(low01, low23);
        b[i + 1] = _mm512_unpackhi_epi64(low01, low23);
        b[i + 2] = _mm512_unpacklo_epi64(high01, high23);
        b[i + 3] = _mm512_unpackhi_epi64(high01, high23);
    }
    // Row 4 m + n takes quarter m of b[n], b[4 + n], b[8 + n], b[12 + n].
#pragma clang loop unroll(full)
    for (int n = 0; n < 4; n++) {
        __m512i first = _mm512_shuffle_i32x4(b[n], b[4 + n], 0x44);
        __m512i second = _mm512_shuffle_i32x4(b[n], b[4 + n], 0xee);
        __m512i third = _mm512_shuffle_i32x4(b[8 + n], b[12 + n], 0x44);
        __m512i fourth = _mm512_shuffle_i32x4(b[8 + n], b[12 + n], 0xee);
        a[n] = _mm512_shuffle_i32x4(first, third, 0x88);
        a[4 + n] = _mm512_shuffle_i32x4(first, third, 0xdd);
        a[8 + n] = _mm512_shuffle_i32x4(second, fourth, 0x88);
        a[12 + n] = _mm512_shuffle_i32x4(second, fourth, 0xdd);
    }
}

#endif
#endif
