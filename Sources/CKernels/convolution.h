#ifndef RESNET_CONVOLUTION_H
#define RESNET_CONVOLUTION_H

#include "ckernels.h"

/// The most output pixels a tile computes at once.
#define CK_MOST_PIXELS 12

#define CK_INLINE static inline __attribute__((always_inline))

/// What a tile kernel needs: `pixels` output pixels times `vectors` vectors of 16 output channels.
typedef struct {
    /// `[taps][pixels]` addresses of the input, in elements.
    const void *const *addresses;
    int32_t taps, depth;
    const void *filter;
    const float *bias;
    /// NULL, or the residual at the tile's first element.
    const void *residual;
    void *out;
    /// Elements between output pixels.
    int64_t out_stride;
    /// Output channels of this slab that exist, 1 ... 16 * vectors.
    int32_t channels;
    ck_type out_type;
    bool relu;
    /// Whether whole vectors of float32 sums are stored as they are.
    bool raw;
} ck_tile;

typedef void (*ck_tile_kernel)(const ck_tile *tile);

/// The most pixels a tile of so many vectors has.
CK_INLINE int32_t ck_tile_pixels(int32_t vectors) {
    return vectors >= 4 ? 6 : vectors == 3 ? 8 : CK_MOST_PIXELS;
}

/// The kernel for a tile, `vectors` in 1 ... 4 and `pixels` in 1 ... ck_tile_pixels(vectors).
ck_tile_kernel ck_tile_kernel_avx512_float32(int32_t vectors, int32_t pixels);
ck_tile_kernel ck_tile_kernel_avx512_bfloat16(int32_t vectors, int32_t pixels);
/// Any pixels and vectors; these go through `ck_plain_tile`.
void ck_plain_tile(const ck_tile *tile, int32_t vectors, int32_t pixels, ck_type in_type);

CK_INLINE float ck_float_of_bfloat16(uint16_t bits) {
    union { uint32_t bits; float value; } pun = {.bits = (uint32_t)bits << 16};
    return pun.value;
}

/// Rounds to nearest, ties to even; not-a-number stays one.
CK_INLINE uint16_t ck_bfloat16_of_float(float value) {
    union { float value; uint32_t bits; } pun = {.value = value};
    uint32_t bits = pun.bits;
    uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
    uint32_t quiet = (bits >> 16) | 0x40;
    return (uint16_t)((bits & 0x7FFFFFFF) > 0x7F800000 ? quiet : rounded);
}

#endif
