#ifndef RESNET_CGRADIENT_H
#define RESNET_CGRADIENT_H

#include "ckernels.h"
#include "cwinograd.h"

// Gradients of convolutions, and filters that change. A step keeps filters as float32 `[taps][depth][channels]`:
// `[h][w][I][O]`, so that a filter gradient is written as its kernel computes it and packing reads whole rows.

/// The gradient of a convolution for its filter.
typedef struct {
    /// The forward convolution; both `x` and the gradient are of its `in_type`.
    ck_convolution convolution;
    /// Parts of the batch that are summed apart, then added in order; divides the images.
    int32_t groups;
    /// Output channels and depth in a unit of work.
    int32_t channel_block, depth_block;
    /// Whether `x`, after the affine, is at least 0.
    bool relu;
    /// Whether products are made in Winograd's domain: float32, 3x3 filters, stride 1, no folded rows, AVX-512.
    bool winograd;
} ck_filter_gradient;

/// Chooses groups and blocks so that there is work for several threads and partial sums stay small. Depends on the
/// geometry alone, never on the number of threads.
void ck_filter_gradient_plan(ck_filter_gradient *gradient);
int32_t ck_filter_gradient_units(const ck_filter_gradient *gradient);
/// Bytes of scratch that a unit needs.
size_t ck_filter_gradient_scratch_bytes(const ck_filter_gradient *gradient);
/// Does one unit: its part of `partials`, float32 `[groups][taps][depth][out_channels]`.
/// Where `affine` `[2][depth]` is given, x is first replaced by x * affine[0] + affine[1], rounded to the element
/// type; padding stays 0. Not where rows are folded. Scratch is best in large pages.
void ck_filter_gradient_unit(const ck_filter_gradient *gradient, int32_t unit, const void *g, const void *x,
                             const float *affine, float *partials, void *scratch);
/// out[i] = the sum of parts[p][i] over `count` parts of `size`, for i in first ..< end, in order.
void ck_sum_parts(const float *parts, int32_t count, int64_t size, int64_t first, int64_t end, float *out);

/// Packs a filter `[source taps][depth][channels]` for a convolution whose tap t is source tap `taps[t]`.
/// Where `transposed`, the convolution goes from `channels` to `depth`: it is the one of the input gradient.
/// Otherwise from `depth` to `channels`; a folded row counts as one tap of depth `fold * I`. The result is what
/// `ck_pack_filter` gives, with zeros where a channel does not exist. Packs the slabs `first_slab ..< end_slab` only.
void ck_pack_taps(const ck_convolution *convolution, const int32_t *taps, bool transposed, const float *filter,
                  int32_t depth, int32_t channels, int32_t first_slab, int32_t end_slab, void *packed);
/// Transforms and packs slabs `first_slab ..< end_slab` of filters `[3][3][depth][channels]`, as `ck_winograd_pack`.
/// Where `transposed`, for the convolution of the input gradient, from `channels` to `depth`: with the taps in the
/// opposite order. Needs the instructions that the convolution does.
void ck_winograd_pack_taps(const ck_winograd *winograd, bool transposed, const float *filter, int32_t first_slab,
                           int32_t end_slab, void *packed);
/// `[O][I][taps]` to `[taps][I][O]`, and back where `back`; rows are o in first ..< end. float32.
void ck_move_filter(const float *filter, bool back, int32_t channels, int32_t depth, int32_t taps, int64_t first,
                    int64_t end, float *out);

#endif
