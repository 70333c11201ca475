// Row-scaled int8 products, AVX2 with AVX-VNNI, few activation rows.
#define CK_VNNI 1
#include "product_int8_few_avx2.h"
