// Row-scaled int8 products, AVX2, many activation rows.
#define CK_VNNI 0
#include "product_int8_many_avx2.h"
