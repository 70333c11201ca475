// Writing keys and values into the pages which attention reads.

#include "attention.h"

#include <string.h>

enum { room = 64 };

void ck_store_key(void *page, int f32, ptrdiff_t head_width, ptrdiff_t slot, const float *key) {
    ptrdiff_t start = slot / CK_TILE_POSITIONS * CK_TILE_POSITIONS * head_width + slot % CK_TILE_POSITIONS;
    if (f32) {
        float *out = (float *)page + start;
        for (ptrdiff_t d = 0; d < head_width; d++) out[d * CK_TILE_POSITIONS] = key[d];
        return;
    }
    uint16_t *out = (uint16_t *)page + start;
    for (ptrdiff_t d = 0; d < head_width; d += room) {
        uint16_t rounded[room];
        ptrdiff_t count = ck_least(room, head_width - d);
        ck_f32_to_f16(count, key + d, rounded);
        for (ptrdiff_t i = 0; i < count; i++) out[(d + i) * CK_TILE_POSITIONS] = rounded[i];
    }
}

void ck_store_value(void *page, int f32, ptrdiff_t head_width, ptrdiff_t slot, const float *value) {
    if (f32) memcpy((float *)page + slot * head_width, value, (size_t)head_width * sizeof(float));
    else ck_f32_to_f16(head_width, value, (uint16_t *)page + slot * head_width);
}
