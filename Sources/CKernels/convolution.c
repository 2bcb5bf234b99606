// Walks a convolution tile by tile: which pixels, which taps, which filters.
#include "convolution.h"

#include <string.h>

static int32_t slab_channels(const ck_convolution *c) { return 16 * c->slab_vectors; }

static int64_t pixel_count(const ck_convolution *c) {
    return (int64_t)c->images * c->out_height * c->out_width;
}

int32_t ck_slab_count(const ck_convolution *c) {
    return (c->out_channels + slab_channels(c) - 1) / slab_channels(c);
}

/// Vectors of 16 channels in a slab.
static int32_t vectors_of(const ck_convolution *c, int32_t slab) {
    int32_t left = (c->out_channels + 15) / 16 - slab * c->slab_vectors;
    return left < c->slab_vectors ? left : c->slab_vectors;
}

/// Filter elements for one output channel, padding of odd depths included.
static int64_t filter_length(const ck_convolution *c) {
    int64_t depth = c->in_type == CK_BFLOAT16 ? (c->depth + 1) / 2 * 2 : c->depth;
    return depth * c->taps_high * c->taps_wide;
}

static size_t element_size(ck_type type) { return type == CK_BFLOAT16 ? 2 : 4; }

size_t ck_filter_bytes(const ck_convolution *c) {
    return (size_t)filter_length(c) * (size_t)((c->out_channels + 15) / 16 * 16) * element_size(c->in_type);
}

void ck_pack_filter(const ck_convolution *c, int32_t fold, const float *filter, int32_t first_slab,
                    int32_t end_slab, void *packed) {
    const int32_t channels = c->depth / fold;
    const int32_t high = c->taps_high, wide = c->taps_wide * fold;
    const int64_t outer = (int64_t)channels * high * wide;
    for (int32_t slab = first_slab; slab < end_slab; slab++) {
        const int32_t width = 16 * vectors_of(c, slab);
        int64_t start = filter_length(c) * slab * slab_channels(c);
        for (int32_t row = 0; row < high; row++) {
            for (int32_t column = 0; column < c->taps_wide; column++) {
                int64_t tap = (int64_t)row * c->taps_wide + column;
                for (int32_t k = 0; k < c->depth; k++) {
                    int32_t channel = k % channels, s = column * fold + k / channels;
                    const float *from = filter + (int64_t)slab * slab_channels(c) * outer
                        + ((int64_t)channel * high + row) * wide + s;
                    int32_t valid = c->out_channels - slab * slab_channels(c);
                    if (valid > width) { valid = width; }
                    if (c->in_type == CK_BFLOAT16) {
                        int64_t pair = tap * ((c->depth + 1) / 2) + k / 2;
                        uint16_t *to = (uint16_t *)packed + start + pair * 2 * width + k % 2;
                        for (int32_t o = 0; o < valid; o++) {
                            to[2 * o] = ck_bfloat16_of_float(from[o * outer]);
                        }
                    } else {
                        float *to = (float *)packed + start + (tap * c->depth + k) * width;
                        for (int32_t o = 0; o < valid; o++) { to[o] = from[o * outer]; }
                    }
                }
            }
        }
    }
}

int32_t ck_convolution_units(const ck_convolution *c) {
    int64_t blocks = (pixel_count(c) + c->unit_pixels - 1) / c->unit_pixels;
    return (int32_t)(c->filters_first ? blocks * ck_slab_count(c) : blocks);
}

/// An output pixel, walked in order.
typedef struct { int32_t column, row, image; } place;

CK_INLINE void advance(const ck_convolution *c, place *at) {
    if (++at->column == c->out_width) {
        at->column = 0;
        if (++at->row == c->out_height) {
            at->row = 0;
            at->image++;
        }
    }
}

#define MOST_TAPS 64

/// Fills `[taps][pixels]` addresses for taps `first ..< end` of the pixels that start at `at`.
CK_INLINE void find_inputs(const ck_convolution *c, place at, int32_t pixels, int32_t first, int32_t end,
                           const char *input, size_t size, const void *zeros, const void **addresses) {
    for (int32_t p = 0; p < pixels; p++) {
        int32_t top = at.row * c->stride_high - c->pad_top;
        int32_t left = at.column * c->stride_wide - c->pad_left;
        const char *corner = input
            + ((int64_t)at.image * c->image_stride + (int64_t)top * c->row_stride
               + (int64_t)left * c->column_stride) * (int64_t)size;
        int32_t tap_row = first / c->taps_wide, tap_column = first % c->taps_wide;
        for (int32_t tap = first; tap < end; tap++) {
            bool inside = (uint32_t)(top + tap_row) < (uint32_t)c->in_height
                && (uint32_t)(left + tap_column) < (uint32_t)c->in_width;
            const char *address = corner
                + (tap_row * c->row_stride + tap_column * c->column_stride) * (int64_t)size;
            addresses[(tap - first) * pixels + p] = inside ? address : zeros;
            if (++tap_column == c->taps_wide) {
                tap_column = 0;
                tap_row++;
            }
        }
        advance(c, &at);
    }
}

static void run_tile(const ck_convolution *c, const ck_tile *tile, int32_t vectors, int32_t pixels) {
    if (c->in_type == CK_BFLOAT16 && c->instructions >= CK_AVX512_BF16) {
        ck_tile_kernel_avx512_bfloat16(vectors, pixels)(tile);
    } else if (c->in_type == CK_FLOAT32 && c->instructions >= CK_AVX512) {
        ck_tile_kernel_avx512_float32(vectors, pixels)(tile);
    } else {
        ck_plain_tile(tile, vectors, pixels, c->in_type);
    }
}

void ck_convolve_unit(const ck_convolution *c, int32_t unit, const void *input, const void *packed,
                      const float *bias, const void *residual, const void *zeros, void *out) {
    const int32_t taps = c->taps_high * c->taps_wide;
    const int64_t all = pixel_count(c);
    const int64_t blocks = (all + c->unit_pixels - 1) / c->unit_pixels;
    const int32_t first_slab = c->filters_first ? (int32_t)(unit / blocks) : 0;
    const int32_t end_slab = c->filters_first ? first_slab + 1 : ck_slab_count(c);
    const int64_t first = (c->filters_first ? unit % blocks : unit) * c->unit_pixels;
    const int64_t count = all - first < c->unit_pixels ? all - first : c->unit_pixels;
    const size_t in_size = element_size(c->in_type), out_size = element_size(c->out_type);
    const void *addresses[MOST_TAPS * CK_MOST_PIXELS];

    for (int32_t slab = first_slab; slab < end_slab; slab++) {
        const int32_t vectors = vectors_of(c, slab);
        const int32_t most = ck_tile_pixels(vectors);
        const int32_t tiles = (int32_t)((count + most - 1) / most);
        const int64_t channel = (int64_t)slab * slab_channels(c);
        ck_tile tile = {
            .addresses = addresses,
            .taps = taps,
            .depth = c->depth,
            .filter = (const char *)packed + (size_t)filter_length(c) * (size_t)channel * in_size,
            .bias = bias + channel,
            .out_stride = c->out_channels,
            .channels = c->out_channels - (int32_t)channel,
            .out_type = c->out_type,
            .relu = c->relu,
        };
        place at = {
            .column = (int32_t)(first % c->out_width),
            .row = (int32_t)(first / c->out_width % c->out_height),
            .image = (int32_t)(first / c->out_width / c->out_height),
        };
        int64_t pixel = first;
        for (int32_t t = 0; t < tiles; t++) {
            // Tiles as equal as can be, so that none is left with a pixel or two.
            int32_t pixels = (int32_t)((first + count - pixel + (tiles - t) - 1) / (tiles - t));
            size_t place_out = ((size_t)pixel * (size_t)c->out_channels + (size_t)channel) * out_size;
            find_inputs(c, at, pixels, 0, taps, input, in_size, zeros, addresses);
            tile.residual = residual ? (const char *)residual + place_out : NULL;
            tile.out = (char *)out + place_out;
            run_tile(c, &tile, vectors, pixels);
            for (int32_t p = 0; p < pixels; p++) { advance(c, &at); }
            pixel += pixels;
        }
    }
}
