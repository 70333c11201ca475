// Row-scaled int8 products: the plain loop, which is the definition, and the choice of a form.
#include "product_int8.h"

#pragma STDC FP_CONTRACT OFF

// MARK: Plain loop

CK_INLINE int64_t dot(ptrdiff_t k, const int8_t *restrict w, const int8_t *restrict q) {
    int64_t total = 0;
    for (ptrdiff_t start = 0; start < k; start += 65536) {
        ptrdiff_t end = k - start < 65536 ? k : start + 65536;
        int32_t sum = 0;
        for (ptrdiff_t i = start; i < end; i++) sum += (int32_t)w[i] * (int32_t)q[i];
        total += sum;
    }
    return total;
}

CK_INLINE void product_loop(const ck_int8_product *p) {
    for (ptrdiff_t j = 0; j < p->outputs; j++) {
        for (ptrdiff_t r = 0; r < p->rows; r++) {
            float sum = (float)dot(p->k, p->weights + j * p->k, p->q + r * p->k);
            p->out[r * p->out_stride + j] = sum * (p->scales[j] * p->d[r]);
        }
    }
}

static void product_plain(const ck_int8_product *p) { product_loop(p); }

// MARK: Choice

void ck_product_int8_plain(ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k, const int8_t *weights,
                           const float *scales, const int8_t *q, const float *d, float *out,
                           ptrdiff_t out_stride) {
    ck_int8_product product = {rows, outputs, k, weights, scales, q, d, 0, out, out_stride};
    product_plain(&product);
}

ptrdiff_t ck_product_int8_scratch_bytes(ptrdiff_t rows, ptrdiff_t k) {
    (void)k;
    ptrdiff_t chunk = rows < CK_INT8_CHUNK_ROWS ? rows : CK_INT8_CHUNK_ROWS;
    return (ptrdiff_t)sizeof(ck_int8_scratch) + chunk * CK_INT8_PIECE_STRIDE;
}

void ck_product_int8(ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k, const int8_t *weights,
                     const float *scales, const int8_t *q, const float *d, const int32_t *sum, float *out,
                     ptrdiff_t out_stride, void *scratch) {
    ck_int8_product product = {rows, outputs, k, weights, scales, q, d, sum, out, out_stride};
    if (rows <= 0 || outputs <= 0) return;
#if CK_X86
    if (ck_isa() != CK_ISA_PORTABLE && k > 0 && k <= CK_INT8_LARGEST_K) {
        int few = rows <= CK_INT8_FEW_ROWS;
        if (ck_isa() == CK_ISA_AVX512) {
            if (few) ck_int8_few_avx512(&product);
            else ck_int8_many_avx512(&product, scratch);
        } else if (ck_has_avx_vnni()) {
            if (few) ck_int8_few_avxvnni(&product);
            else ck_int8_many_avxvnni(&product, scratch);
        } else {
            if (few) ck_int8_few_avx2(&product);
            else ck_int8_many_avx2(&product, scratch);
        }
        return;
    }
#endif
    product_plain(&product);
}
