// Products with block-quantised weights, AVX2 with AVX-VNNI, few activation rows.
#define CK_VNNI 1
#include "product_quantized_few_avx2.h"
