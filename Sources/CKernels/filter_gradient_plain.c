// Tiles and packing of filter gradients in plain C, for machines without AVX-512, and the sums of their parts.
#include "filter_gradient.h"

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

CLONES void ck_plain_gradient_tile(const ck_gradient_tile *tile, int32_t vectors, int32_t rows) {
    float sums[CK_MOST_PIXELS][64];
    const int32_t width = 16 * vectors;
    for (int32_t r = 0; r < rows; r++) {
        for (int32_t o = 0; o < width; o++) { sums[r][o] = tile->first ? 0 : tile->sums[r * width + o]; }
    }
    for (int32_t step = 0; step < tile->steps; step++) {
        const float *g = (const float *)tile->g + (int64_t)step * CK_PANEL;
        const float *x = (const float *)tile->x + tile->offsets[step];
        for (int32_t r = 0; r < rows; r++) {
            const float factor = x[r];
            for (int32_t o = 0; o < width; o++) { sums[r][o] += g[o] * factor; }
        }
    }
    const int32_t end = tile->out ? smaller(tile->channels, width) : width;
    for (int32_t r = 0; r < rows; r++) {
        float *to = tile->out ? tile->out + r * tile->out_stride : tile->sums + r * width;
        memcpy(to, sums[r], (size_t)end * sizeof(float));
    }
}

CLONES void ck_plain_pack_pixels(const ck_operand_row *row) {
    const int32_t padded = parts_of(row->channels, 16) * 16;
    for (int32_t q = 0; q < row->count; q++) {
        const int32_t column = row->origin + q / row->step * row->stride + q % row->step;
        const bool exists = row->row && (uint32_t)column < (uint32_t)row->columns;
        for (int32_t k = 0; k < padded; k++) {
            float x = 0;
            if (exists && k < row->channels) {
                x = element(row->row, row->type, column * row->column_stride + k);
                if (row->factors) {
                    x = x * row->factors[k] + row->terms[k];
                    if (row->type == CK_BFLOAT16) { x = ck_float_of_bfloat16(ck_bfloat16_of_float(x)); }
                }
                if (row->relu && x < 0) { x = 0; }
            }
            const int64_t place = q * row->out_stride + k;
            ((float *)row->out)[place] = x;
        }
    }
}

CLONES void ck_sum_parts(const float *parts, int32_t count, int64_t size, int64_t first, int64_t end, float *out) {
    // Some elements at a time, so that sums stay in cache and each part is read in runs.
    for (int64_t start = first; start < end; start += 1024) {
        const int64_t stop = end - start < 1024 ? end : start + 1024;
        if (out != parts || count == 0) {
            for (int64_t i = start; i < stop; i++) { out[i] = count ? parts[i] : 0; }
        }
        for (int32_t part = 1; part < count; part++) {
            const float *from = parts + part * size;
            for (int64_t i = start; i < stop; i++) { out[i] += from[i]; }
        }
    }
}
