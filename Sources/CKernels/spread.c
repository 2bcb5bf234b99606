// Puts the phases of a strided input gradient together.
#include "convolution.h"
#include "ctraining.h"

#include <string.h>

#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

CLONES static void add_bfloat16(const uint16_t *a, const uint16_t *b, int64_t count, uint16_t *out) {
    for (int64_t i = 0; i < count; i++) {
        out[i] = ck_bfloat16_of_float(ck_float_of_bfloat16(a[i]) + ck_float_of_bfloat16(b[i]));
    }
}

CLONES static void add_float32(const float *a, const float *b, int64_t count, float *out) {
    for (int64_t i = 0; i < count; i++) { out[i] = a[i] + b[i]; }
}

/// out = a + b, either of which may be NULL.
static void add(const char *a, const char *b, ck_type type, int64_t count, char *out) {
    const size_t size = type == CK_BFLOAT16 ? 2 : 4;
    if (a && b) {
        if (type == CK_BFLOAT16) {
            add_bfloat16((const uint16_t *)a, (const uint16_t *)b, count, (uint16_t *)out);
        } else {
            add_float32((const float *)a, (const float *)b, count, (float *)out);
        }
    } else if (!a && !b) {
        memset(out, 0, (size_t)count * size);
    } else if (out != (a ? a : b)) {
        memcpy(out, a ? a : b, (size_t)count * size);
    }
}

void ck_spread(const ck_spreading *s, const void *const *phases, const void *residual, int64_t first, int64_t end,
               void *out) {
    const int64_t pixel = (int64_t)s->channels * (s->type == CK_BFLOAT16 ? 2 : 4), row = s->width * pixel;
    for (int64_t y = first; y < end; y++) {
        const int64_t image = y / s->height, i = y % s->height / s->high, a = y % s->height % s->high;
        const int64_t rows = (s->height - a + s->high - 1) / s->high;
        const char *other = residual ? (const char *)residual + y * row : NULL;
        const void *const *of_row = phases + a * s->wide;
        bool empty = true;
        for (int32_t b = 0; b < s->wide; b++) { empty = empty && !of_row[b]; }
        if (empty) {
            add(NULL, other, s->type, (int64_t)s->width * s->channels, (char *)out + y * row);
            continue;
        }
        for (int32_t x = 0; x < s->width; x++) {
            const int32_t b = x % s->wide;
            const int64_t columns = (s->width - b + s->wide - 1) / s->wide;
            const int64_t place = ((image * rows + i) * columns + x / s->wide) * pixel;
            add(of_row[b] ? (const char *)of_row[b] + place : NULL, other ? other + x * pixel : NULL, s->type,
                s->channels, (char *)out + y * row + x * pixel);
        }
    }
}
