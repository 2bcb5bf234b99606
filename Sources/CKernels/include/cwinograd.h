#ifndef RESNET_CWINOGRAD_H
#define RESNET_CWINOGRAD_H

#include "ckernels.h"

// Convolutions with 3x3 filters and stride 1 by Winograd's F(2x2, 3x3): 16 multiplications where the direct sum
// takes 36. Source: Lavin and Gray 2016, section 4.1. Needs AVX-512.

typedef struct {
    /// The convolution; taps, strides and `fold` are as Winograd needs them.
    ck_convolution convolution;
    /// Tiles of 2x2 output pixels in a unit of work.
    int32_t unit_tiles;
    /// Parts into which the output channels are cut, each a unit of its own.
    int32_t parts;
} ck_winograd;

/// Bytes of a transformed, packed filter.
size_t ck_winograd_filter_bytes(const ck_winograd *winograd);
/// Transforms and packs slabs `first_slab ..< end_slab` of filters `[O][I][3][3]`.
void ck_winograd_pack(const ck_winograd *winograd, const float *filter, int32_t first_slab,
                      int32_t end_slab, void *packed);
/// Bytes of scratch that a thread needs.
size_t ck_winograd_scratch_bytes(const ck_winograd *winograd);
/// Units of work that threads may do in any order.
int32_t ck_winograd_units(const ck_winograd *winograd);
/// Does one unit; operands as for `ck_convolve_unit`. `zeros` has at least `depth` rounded up to 32 elements.
void ck_winograd_unit(const ck_winograd *winograd, int32_t unit, const void *input, const void *packed,
                      const float *bias, const void *residual, const void *zeros, void *out, void *scratch);

#endif
