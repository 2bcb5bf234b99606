#ifndef RESNET_CKERNELS_H
#define RESNET_CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ckernels_resample.h"

// Compute kernels of the CPU back end. Activations are dense, channels innermost ([N][H][W][C]).
// Callers guarantee that every pointer covers what its geometry says; `Native/Kernels` checks that.

/// What an element is.
typedef enum { CK_FLOAT32 = 0, CK_BFLOAT16 = 1 } ck_type;

/// Which instructions the convolution kernels may use.
typedef enum { CK_PLAIN = 0, CK_AVX512 = 1, CK_AVX512_BF16 = 2 } ck_instructions;

/// The widest instruction set of this machine that the kernels know.
ck_instructions ck_best_instructions(void);
/// Whether this machine has AMX with bfloat16, which only oneDNN uses.
bool ck_has_tiles(void);

// MARK: Convolution

/// One convolution over a batch. Extents in elements, strides in elements of the input.
typedef struct {
    int32_t images, in_height, in_width, out_height, out_width;
    /// Input elements that one tap of the filter covers: the channels, or filter width times channels where
    /// the rows are padded in memory and a whole filter row is one tap.
    int32_t depth;
    int32_t out_channels;
    int32_t taps_high, taps_wide;
    int32_t stride_high, stride_wide;
    int32_t pad_top, pad_left;
    /// Input elements between columns, rows and images.
    int64_t column_stride, row_stride, image_stride;
    ck_type in_type, out_type;
    bool relu;
    /// Vectors of 16 output channels that are computed together: 2 or 4.
    int32_t slab_vectors;
    /// Output pixels in one unit of work.
    int32_t unit_pixels;
    /// Whether consecutive units share filters (for filters beyond the cache) rather than pixels.
    bool filters_first;
    ck_instructions instructions;
} ck_convolution;

/// Bytes of a packed filter.
size_t ck_filter_bytes(const ck_convolution *convolution);

/// Packs float32 filters `[O][I][h][w]`, whose `I` is `depth / fold`, where `fold` filter columns make one tap.
/// Packs the slabs `first_slab ..< end_slab` only, so that threads can share the work.
void ck_pack_filter(const ck_convolution *convolution, int32_t fold, const float *filter,
                    int32_t first_slab, int32_t end_slab, void *packed);

/// Slabs of the filter, each `16 * slab_vectors` output channels, the last maybe fewer.
int32_t ck_slab_count(const ck_convolution *convolution);

/// Units of work that threads may do in any order.
int32_t ck_convolution_units(const ck_convolution *convolution);

/// Does one unit. `bias` has `out_channels` rounded up to 16 elements; `zeros` at least `depth` zero elements;
/// `residual` is NULL or shaped and typed as `out`.
void ck_convolve_unit(const ck_convolution *convolution, int32_t unit, const void *input,
                      const void *packed, const float *bias, const void *residual,
                      const void *zeros, void *out);

// MARK: Other operations, each over rows `first ..< end` of what it says

/// Turns pixels into numbers by a table of 256 values a channel, between `pad` zero columns on either side.
/// Rows are rows of all images. `table` is `[channels][256]` of `type`.
void ck_look_up_pixels(const uint8_t *pixels, const void *table, ck_type type, int64_t first, int64_t end,
                       int32_t width, int32_t channels, int32_t pad_left, int32_t pad_right, void *out);

/// A maximum under a window; rows are output rows of all images. Padding never wins.
typedef struct {
    int32_t in_height, in_width, out_height, out_width, channels;
    int32_t window_high, window_wide, stride_high, stride_wide, pad_top, pad_left;
    ck_type type;
} ck_pooling;
void ck_max_pool(const ck_pooling *pooling, const void *input, int64_t first, int64_t end, void *out);

/// Means over `pixels` positions; rows are images.
void ck_average(const void *input, ck_type type, int64_t first, int64_t end, int32_t pixels,
                int32_t channels, void *out);

/// Probabilities along rows of `count`; float32 out.
void ck_softmax(const void *input, ck_type type, int64_t first, int64_t end, int32_t count, float *out);

/// out = maximum(a, 0); rows are elements.
void ck_relu(const void *a, ck_type type, int64_t first, int64_t end, void *out);

/// out = a + b; rows are elements.
void ck_add(const void *a, const void *b, ck_type type, int64_t first, int64_t end, void *out);

/// out = a * scale + shift, per channel; rows are pixels.
void ck_scale_shift(const void *a, ck_type type, const float *scale, const float *shift, int64_t first,
                    int64_t end, int32_t channels, void *out);

/// Changes the element type; rows are elements.
void ck_cast(const void *a, ck_type from, ck_type to, int64_t first, int64_t end, void *out);

/// `[N][C][P]` to `[N][P][C]`; rows are images. `size` is bytes of an element, 1, 2 or 4.
void ck_channels_last(const void *a, int32_t size, int64_t first, int64_t end, int32_t channels,
                      int32_t pixels, void *out);

/// `[N][P][C]` to `[N][C][P]`; rows are images.
void ck_channels_first(const void *a, int32_t size, int64_t first, int64_t end, int32_t channels,
                       int32_t pixels, void *out);

#endif
