// Row-scaled int8 products, AVX2 with AVX-VNNI, many activation rows.
#define CK_VNNI 1
#include "product_int8_many_avx2.h"
