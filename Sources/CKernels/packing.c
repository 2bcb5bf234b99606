// Packing of filters that change: a step keeps them as float32 `[taps][depth][channels]`.
#include "packing.h"

#include "cwinograd.h"

#include <stdlib.h>

#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

/// Vectors of 16 channels in a slab.
static int32_t vectors_of(int32_t channels, int32_t slab_vectors, int32_t slab) {
    const int32_t left = (channels + 15) / 16 - slab * slab_vectors;
    return left < slab_vectors ? left : slab_vectors;
}

CLONES static void pack_plain(const ck_filter_part *part, ck_type type) {
    const int64_t row_step = part->transposed ? 1 : part->stride, column_step = part->transposed ? part->stride : 1;
    const int32_t depth = type == CK_BFLOAT16 ? (part->depth + 1) / 2 * 2 : part->depth;
    for (int32_t k = 0; k < depth; k++) {
        for (int32_t o = 0; o < part->width; o++) {
            const bool exists = k < part->depth && o < part->channels;
            const float value = exists ? part->filter[k * row_step + o * column_step] : 0;
            if (type == CK_BFLOAT16) {
                ((uint16_t *)part->out)[((int64_t)(k / 2) * part->width + o) * 2 + k % 2] =
                    ck_bfloat16_of_float(value);
            } else {
                ((float *)part->out)[(int64_t)k * part->width + o] = value;
            }
        }
    }
}

/// Rows that are packed for all slabs before the next: what follows in memory is then read in one go.
#define ROWS 32

static void pack_part(const ck_filter_part *part, const ck_convolution *c) {
    if (c->in_type == CK_BFLOAT16 && c->instructions >= CK_AVX512_BF16) {
        ck_pack_filter_pairs(part);
    } else if (c->in_type == CK_FLOAT32 && c->instructions >= CK_AVX512) {
        ck_pack_filter_rows(part);
    } else {
        pack_plain(part, c->in_type);
    }
}

void ck_pack_taps(const ck_convolution *c, const int32_t *taps, bool transposed, const float *filter,
                  int32_t depth, int32_t channels, int32_t first_slab, int32_t end_slab, void *packed) {
    const int64_t size = c->in_type == CK_BFLOAT16 ? 2 : 4;
    const int64_t length = c->in_type == CK_BFLOAT16 ? (c->depth + 1) / 2 * 2 : c->depth;
    const int32_t count = c->taps_high * c->taps_wide, rows = transposed ? c->depth : ROWS;
    for (int32_t tap = 0; tap < count; tap++) {
        const float *matrix = filter + (int64_t)taps[tap] * depth * channels;
        for (int32_t k = 0; k < c->depth; k += rows) {
            for (int32_t slab = first_slab; slab < end_slab; slab++) {
                const int64_t channel = (int64_t)slab * 16 * c->slab_vectors, left = c->out_channels - channel;
                const int32_t width = 16 * vectors_of(c->out_channels, c->slab_vectors, slab);
                const ck_filter_part part = {
                    .filter = matrix + (transposed ? channel * channels : (int64_t)k * channels + channel),
                    .stride = channels, .transposed = transposed,
                    .channels = (int32_t)(left < width ? left : width), .width = width,
                    .depth = c->depth - k < rows ? c->depth - k : rows,
                    .out = (char *)packed + (length * count * channel + (tap * length + k) * width) * size,
                };
                pack_part(&part, c);
            }
        }
    }
}

void ck_winograd_pack_taps(const ck_winograd *w, bool transposed, const float *filter, int32_t first_slab,
                           int32_t end_slab, void *packed) {
    const ck_convolution *c = &w->convolution;
    const int64_t size = c->in_type == CK_BFLOAT16 ? 2 : 4, padded = (c->depth + 31) / 32 * 32;
    const int64_t stride = transposed ? c->depth : c->out_channels;
    for (int32_t slab = first_slab; slab < end_slab; slab++) {
        const int64_t channel = (int64_t)slab * 64, left = c->out_channels - channel;
        const int32_t width = 16 * vectors_of(c->out_channels, 4, slab);
        ck_winograd_part part = {
            .stride = stride, .transposed = transposed, .channels = (int32_t)(left < width ? left : width),
            .width = width, .depth = c->depth, .type = c->in_type,
            .out = (char *)packed + 16 * padded * channel * size, .position_stride = padded * width,
        };
        for (int32_t tap = 0; tap < 9; tap++) {
            const int64_t start = (int64_t)(transposed ? 8 - tap : tap) * c->depth * c->out_channels;
            part.taps[tap] = filter + start + (transposed ? channel * stride : channel);
        }
        ck_pack_winograd_part(&part);
    }
}

/// Elements of a tile of `ck_move_filter`: reads and writes each stay within few cache lines.
#define MOVED 16

void ck_move_filter(const float *filter, bool back, int32_t channels, int32_t depth, int32_t taps, int64_t first,
                    int64_t end, float *out) {
    for (int64_t start = first; start < end; start += MOVED) {
        const int64_t stop = end - start < MOVED ? end : start + MOVED;
        for (int32_t k = 0; k < depth; k++) {
            for (int32_t tap = 0; tap < taps; tap++) {
                const int64_t inner = ((int64_t)tap * depth + k) * channels;
                for (int64_t o = start; o < stop; o++) {
                    const int64_t outer = (o * depth + k) * taps + tap;
                    if (back) { out[outer] = filter[inner + o]; } else { out[inner + o] = filter[outer]; }
                }
            }
        }
    }
}
