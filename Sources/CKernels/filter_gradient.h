#ifndef RESNET_FILTER_GRADIENT_H
#define RESNET_FILTER_GRADIENT_H

#include "cgradient.h"
#include "convolution.h"

// A filter gradient sums over output pixels. One step of that sum takes two pixels of bfloat16, whose products one
// instruction adds up, or one pixel of float32. Either way a packed operand has 4 bytes a channel and step.

/// Output channels that are packed together.
#define CK_PANEL 64

/// Steps that are multiplied at a time: a panel of g then stays in a core's first-level cache.
#define CK_GRADIENT_STEPS 112

/// How the pixels of a group are walked.
///
/// Where steps take two pixels, the group's output rows are cut into two halves and a step takes the pixel at the
/// same place in each: both need the same padding columns, and whatever tap, x is packed once.
typedef struct {
    bool pairs;
    /// Images, output rows of an image and columns. Filters of one tap may see all pixels as one or two rows.
    int32_t images, height, width;
    /// Columns that the last row lacks.
    int32_t missing;
    int32_t in_height, in_width;
    int64_t row_stride;
    /// Output rows, and how many of them are walked, each with one of the others where steps are pairs.
    int32_t rows, walked;
    /// Packed rows and columns of x from one output row and column to the next.
    int32_t step_high, step_wide;
    /// Output rows and columns of a block; whether its rows are all of one image.
    int32_t block_rows, block_columns;
    bool within_image;
    /// Packed rows of x in a block, at most.
    int32_t x_rows;
    /// Whether a tap covers several columns of the input: rows are then packed as they are, whole taps overlapping.
    bool folded;
    /// Between packed columns of x and packed rows, in 4 bytes.
    int64_t x_stride, x_row;
    /// Where the parts of scratch begin, in 4 bytes.
    int64_t x_start, g_start, offsets_start, affine_start, size;
} ck_gradient_walk;

/// How a unit of the gradient is walked.
ck_gradient_walk ck_gradient_walk_of(const ck_filter_gradient *gradient);
/// Blocks of output channels and of depth.
int32_t ck_gradient_channel_blocks(const ck_filter_gradient *gradient);
int32_t ck_gradient_depth_blocks(const ck_filter_gradient *gradient);

CK_INLINE int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }
CK_INLINE int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }
CK_INLINE int32_t parts_of(int32_t whole, int32_t part) { return (whole + part - 1) / part; }
CK_INLINE int64_t element_size(ck_type type) { return type == CK_BFLOAT16 ? 2 : 4; }

/// A row of operands to pack.
typedef struct {
    /// The row at its column 0 and first channel; NULL where it counts as zeros.
    const void *row;
    /// The row whose pixels are paired with those of `row`; not read where steps are single pixels.
    const void *other;
    /// Columns that exist, in each of the two.
    int32_t columns, other_columns;
    /// Packed column q is column `origin + q / step * stride + q % step`; zeros where that does not exist.
    int32_t origin, step, stride;
    /// Elements between columns.
    int64_t column_stride;
    /// Packed columns, and channels.
    int32_t count, channels;
    /// NULL, or factors and terms of the channels, with zeros up to a multiple of 32. For pairs the even ones of each
    /// 32 channels come first.
    const float *factors, *terms;
    bool relu;
    ck_type type;
    /// Packed columns lie `out_stride` times 4 bytes apart. Whole vectors of 16 channels are written, zeros beyond
    /// `channels`.
    void *out;
    int64_t out_stride;
} ck_operand_row;

/// A tile of a filter gradient: `rows` input channels times `vectors` vectors of 16 output channels.
typedef struct {
    /// `[steps][CK_PANEL]` and, at the first input channel, x; both of 4 bytes a channel.
    const void *g, *x;
    /// Where each step's x lies, in 4 bytes.
    const int32_t *offsets;
    int32_t steps;
    /// `[rows][16 * vectors]`: the sums so far, and where they are stored unless `out` is given.
    float *sums;
    /// Whether sums start at zero.
    bool first;
    /// NULL, or where the sums belong: rows of `out_stride`, of which `channels` exist.
    float *out;
    int64_t out_stride;
    int32_t channels;
    /// What a later block packs, fetched into the second-level cache meanwhile: `ahead_count` addresses, at most a
    /// step's each, from `ahead` on.
    const char *ahead;
    int64_t ahead_stride;
    int32_t ahead_count;
} ck_gradient_tile;

typedef void (*ck_gradient_kernel)(const ck_gradient_tile *tile);

/// The kernels for a tile, `vectors` in 1 ... 4 and `rows` in 1 ... ck_tile_pixels(vectors).
ck_gradient_kernel ck_gradient_kernel_float32(int32_t vectors, int32_t rows);
ck_gradient_kernel ck_gradient_kernel_bfloat16(int32_t vectors, int32_t rows);
/// Any tile of float32, and packing of pixels as float32.
void ck_plain_gradient_tile(const ck_gradient_tile *tile, int32_t vectors, int32_t rows);
void ck_plain_pack_pixels(const ck_operand_row *row);
/// A unit in Winograd's domain, as `ck_filter_gradient_unit`, and its bytes of scratch.
void ck_winograd_gradient_unit(const ck_filter_gradient *gradient, int32_t unit, const float *g, const float *x,
                               const float *affine, float *partials, void *scratch);
size_t ck_winograd_gradient_scratch_bytes(const ck_filter_gradient *gradient);
/// Packs pairs of bfloat16 pixels, with AVX-512.
void ck_pack_pairs(const ck_operand_row *row);
/// Packs pixels as float32, with AVX-512.
void ck_pack_pixels(const ck_operand_row *row);

#endif
