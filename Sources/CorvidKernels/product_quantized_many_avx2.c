// Products with block-quantised weights, AVX2, many activation rows.
#define CK_VNNI 0
#include "product_quantized_many_avx2.h"
