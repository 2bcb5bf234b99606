#ifndef RESNET_PACKING_H
#define RESNET_PACKING_H

#include "cgradient.h"
#include "convolution.h"

/// A matrix of filters `[k][o]` to pack for one tap and slab, `o` innermost.
typedef struct {
    /// `[depth][channels]`, or `[channels][depth]` where transposed; `stride` elements between rows.
    const float *filter;
    int64_t stride;
    bool transposed;
    /// The slab's channels that exist, and how many it is packed for: a multiple of 16.
    int32_t channels, width;
    int32_t depth;
    void *out;
} ck_filter_part;

/// Packs pairs of bfloat16 with AVX-512.
void ck_pack_filter_pairs(const ck_filter_part *part);
/// Packs float32 with AVX-512.
void ck_pack_filter_rows(const ck_filter_part *part);

/// Nine matrices of filters to transform for Winograd's F(2x2, 3x3), and pack.
typedef struct {
    /// The taps in order, each as in `ck_filter_part`.
    const float *taps[9];
    int64_t stride;
    bool transposed;
    int32_t channels, width, depth;
    ck_type type;
    /// The slab, its 16 positions `position_stride` elements apart.
    void *out;
    int64_t position_stride;
} ck_winograd_part;
void ck_pack_winograd_part(const ck_winograd_part *part);

#endif
