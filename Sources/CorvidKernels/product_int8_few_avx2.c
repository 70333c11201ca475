// Row-scaled int8 products, AVX2, few activation rows.
#define CK_VNNI 0
#include "product_int8_few_avx2.h"
