#include "corvid_kernels.h"

void ck_prefetch(const void *bytes, ptrdiff_t count) {
    for (ptrdiff_t at = 0; at < count; at += 64) {
        __builtin_prefetch((const char *)bytes + at, 0, 2);
    }
}
