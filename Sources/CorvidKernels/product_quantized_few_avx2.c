// Products with block-quantised weights, AVX2, few activation rows.
#define CK_VNNI 0
#include "product_quantized_few_avx2.h"
