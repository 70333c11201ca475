// Products with block-quantised weights, AVX2 with AVX-VNNI, many activation rows.
#define CK_VNNI 1
#include "product_quantized_many_avx2.h"
