// The same tiles in plain C, for machines without AVX-512 and as the kernels' own check.
#include "convolution.h"

#include <string.h>

#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

CK_INLINE float element(const void *values, ck_type type, int64_t place) {
    return type == CK_BFLOAT16 ? ck_float_of_bfloat16(((const uint16_t *)values)[place])
                               : ((const float *)values)[place];
}

/// Adds `x` times a row of filters to a row of sums.
CK_INLINE void accumulate(float *restrict sums, const float *restrict filters, float x, int32_t width) {
    for (int32_t i = 0; i < width; i++) { sums[i] += filters[i] * x; }
}

CLONES void ck_plain_tile(const ck_tile *tile, int32_t vectors, int32_t pixels, ck_type in_type) {
    float sums[CK_MOST_PIXELS][64];
    float filters[64];
    const int32_t width = 16 * vectors;
    for (int32_t p = 0; p < pixels; p++) { memcpy(sums[p], tile->bias, (size_t)width * sizeof(float)); }
    for (int32_t tap = 0; tap < tile->taps; tap++) {
        for (int32_t k = 0; k < tile->depth; k++) {
            if (in_type == CK_FLOAT32) {
                const float *row = (const float *)tile->filter + ((int64_t)tap * tile->depth + k) * width;
                memcpy(filters, row, (size_t)width * sizeof(float));
            } else {
                int64_t pair = (int64_t)tap * ((tile->depth + 1) / 2) + k / 2;
                const uint16_t *row = (const uint16_t *)tile->filter + pair * 2 * width + k % 2;
                for (int32_t i = 0; i < width; i++) { filters[i] = ck_float_of_bfloat16(row[2 * i]); }
            }
            for (int32_t p = 0; p < pixels; p++) {
                accumulate(sums[p], filters, element(tile->addresses[tap * pixels + p], in_type, k), width);
            }
        }
    }
    const int32_t channels = tile->channels < width ? tile->channels : width;
    for (int32_t p = 0; p < pixels; p++) {
        for (int32_t c = 0; c < channels; c++) {
            int64_t place = p * tile->out_stride + c;
            float sum = sums[p][c];
            if (tile->residual) { sum += element(tile->residual, tile->out_type, place); }
            if (tile->relu && sum < 0) { sum = 0; }
            if (tile->out_type == CK_BFLOAT16) {
                ((uint16_t *)tile->out)[place] = ck_bfloat16_of_float(sum);
            } else {
                ((float *)tile->out)[place] = sum;
            }
        }
    }
}
