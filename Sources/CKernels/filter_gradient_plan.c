// Cuts a filter gradient into units and their pixels into blocks.
#include "filter_gradient.h"

#include <math.h>

/// Bytes of packed x in a block, at most, where larger blocks pack fewer rows of x twice.
#define MOST_PACKED (256 << 10)
/// Partial sums of a layer, and scratch of a thread, in bytes.
#define MOST_PARTIALS (8 << 20)
#define MOST_SCRATCH (800 << 10)
/// Units worth having.
#define ENOUGH_UNITS 16

/// Whether every output pixel meets just the input pixel at the same place of a dense input.
static bool is_flat(const ck_convolution *c) {
    return c->taps_high == 1 && c->taps_wide == 1 && c->stride_high == 1 && c->stride_wide == 1
        && c->pad_top == 0 && c->pad_left == 0 && c->in_height == c->out_height && c->in_width == c->out_width
        && c->row_stride == c->in_width * c->column_stride && c->image_stride == c->in_height * c->row_stride;
}

/// Cuts a walk into blocks of so many rows, or fewer that are equal; more rows than an image has are whole images.
static void set_rows(ck_gradient_walk *w, const ck_filter_gradient *f, int32_t rows) {
    w->within_image = rows < w->height;
    w->block_rows = w->within_image ? parts_of(w->height, parts_of(w->height, rows)) : rows / w->height * w->height;
    w->block_rows = smaller(w->block_rows, w->walked);
    // Each stretch of rows within images brings its own rows beyond its end.
    const int32_t stretches = w->within_image ? 1 : smaller(2 * (w->block_rows / w->height) + 3, w->block_rows);
    w->x_rows = w->block_rows * w->step_high + stretches * (f->convolution.taps_high - w->step_high);
}

ck_gradient_walk ck_gradient_walk_of(const ck_filter_gradient *f) {
    const ck_convolution *c = &f->convolution;
    ck_gradient_walk w = {
        .pairs = c->in_type == CK_BFLOAT16 && c->instructions >= CK_AVX512_BF16,
        .images = c->images / f->groups, .height = c->out_height, .width = c->out_width,
        .in_height = c->in_height, .in_width = c->in_width, .row_stride = c->row_stride,
        .step_high = smaller(c->stride_high, c->taps_high), .step_wide = smaller(c->stride_wide, c->taps_wide),
    };
    if (is_flat(c)) {
        int32_t pixels = w.images * w.height * w.width;
        w.images = 1;
        w.height = w.pairs ? 2 : 1;
        w.width = parts_of(pixels, w.height);
        w.missing = w.height * w.width - pixels;
        w.in_height = w.height;
        w.in_width = w.width;
        w.row_stride = w.width * c->column_stride;
    }
    w.rows = w.images * w.height;
    w.walked = w.pairs ? parts_of(w.rows, 2) : w.rows;
    w.block_columns = parts_of(w.width, parts_of(w.width, CK_GRADIENT_STEPS));
    w.folded = c->depth > c->column_stride && c->taps_wide == 1 && c->pad_left == 0;
    if (w.folded) {
        w.x_stride = c->stride_wide * c->column_stride;
        w.x_row = ((w.block_columns - 1) * w.x_stride + f->depth_block + 15) / 16 * 16;
    } else {
        // Odd numbers of cache lines, for the cache's sets.
        w.x_stride = (parts_of(f->depth_block, 16) | 1) * 16;
        w.x_row = (w.block_columns * w.step_wide + c->taps_wide - w.step_wide) * w.x_stride;
    }
    set_rows(&w, f, larger(CK_GRADIENT_STEPS / w.block_columns, 1));
    if (w.within_image && c->taps_high > w.step_high) {
        const int64_t row = w.step_high * w.x_row;
        const int64_t fixed = (c->taps_high - w.step_high) * w.x_row;
        const int64_t rows = (MOST_PACKED / 4 - fixed) / row;
        if (rows > w.block_rows) { set_rows(&w, f, (int32_t)(rows < w.height ? rows : w.height)); }
    }
    const int32_t channels = parts_of(f->channel_block, CK_PANEL) * CK_PANEL;
    const int32_t steps = w.block_rows * w.block_columns, cut = larger(CK_GRADIENT_STEPS, w.block_columns);
    w.x_start = (int64_t)c->taps_high * c->taps_wide * f->depth_block * channels;
    w.g_start = w.x_start + w.x_rows * w.x_row;
    w.offsets_start = w.g_start + (int64_t)cut * CK_PANEL;
    w.affine_start = w.offsets_start + (steps + 15) / 16 * 16;
    w.size = w.affine_start + 2 * parts_of(f->depth_block, 32) * 32;
    return w;
}

int32_t ck_gradient_channel_blocks(const ck_filter_gradient *f) {
    return parts_of(f->convolution.out_channels, f->channel_block);
}

int32_t ck_gradient_depth_blocks(const ck_filter_gradient *f) {
    return parts_of(f->convolution.depth, f->depth_block);
}

int32_t ck_filter_gradient_units(const ck_filter_gradient *f) {
    return f->groups * ck_gradient_channel_blocks(f) * ck_gradient_depth_blocks(f);
}

size_t ck_filter_gradient_scratch_bytes(const ck_filter_gradient *f) {
    return f->winograd ? ck_winograd_gradient_scratch_bytes(f) : (size_t)ck_gradient_walk_of(f).size * 4 + 64;
}

/// What a plan costs, in steps of a vector's multiply-add: packing each operand again for each block that needs it,
/// and adding the groups up.
static double cost_of(const ck_filter_gradient *f) {
    const ck_convolution *c = &f->convolution;
    const ck_gradient_walk w = ck_gradient_walk_of(f);
    const double steps = (double)f->groups * w.walked * w.width;
    const double taps = c->taps_high * c->taps_wide, size = taps * c->depth * c->out_channels;
    const double vectors = parts_of(c->out_channels, 16);
    double cost = steps * taps * c->depth * vectors;
    const double x_rows = steps / w.block_columns * w.x_rows / w.block_rows;
    cost += 10 * x_rows * (double)(w.x_row / 16) * ck_gradient_depth_blocks(f) * ck_gradient_channel_blocks(f);
    cost += 8 * steps * vectors * ck_gradient_depth_blocks(f);
    cost += f->groups > 1 ? 2 * f->groups * size : size;
    const int32_t units = ck_filter_gradient_units(f);
    return units < ENOUGH_UNITS ? cost * ENOUGH_UNITS / units : cost;
}

/// Blocks whose sums and transformed tiles stay in a core's second-level cache, and the fewest groups that are enough.
static void plan_winograd(ck_filter_gradient *f, int64_t size) {
    const ck_convolution *c = &f->convolution;
    const int32_t depths = parts_of(c->depth, 64);
    f->channel_block = smaller(c->out_channels, CK_PANEL);
    f->depth_block = smaller(parts_of(parts_of(c->depth, depths), 16) * 16, c->depth);
    f->groups = 1;
    for (int32_t groups = 2; groups <= c->images && groups * size <= MOST_PARTIALS; groups++) {
        if (ck_filter_gradient_units(f) >= ENOUGH_UNITS) { return; }
        if (c->images % groups == 0) { f->groups = groups; }
    }
}

void ck_filter_gradient_plan(ck_filter_gradient *f) {
    const ck_convolution *c = &f->convolution;
    const int64_t size = (int64_t)c->taps_high * c->taps_wide * c->depth * c->out_channels * 4;
    if (f->winograd) {
        plan_winograd(f, size);
        return;
    }
    ck_filter_gradient best = *f;
    double least = INFINITY;
    for (int32_t groups = 1; groups <= c->images && groups <= 2 * ENOUGH_UNITS; groups++) {
        if (c->images % groups || (groups > 1 && groups * size > MOST_PARTIALS)) { continue; }
        for (int32_t channels = 64; channels < 64 + smaller(c->out_channels, 512); channels += 64) {
            int32_t before = 0;
            for (int32_t parts = 1; parts <= c->depth && parts <= 64; parts++) {
                ck_filter_gradient plan = *f;
                plan.groups = groups;
                plan.channel_block = smaller(channels, c->out_channels);
                // Whole cache lines of bfloat16.
                plan.depth_block = parts_of(parts_of(c->depth, parts), 32) * 32;
                if (plan.depth_block > c->depth) { plan.depth_block = parts_of(c->depth, parts); }
                if (plan.depth_block == before) { continue; }
                before = plan.depth_block;
                const bool fits = ck_filter_gradient_scratch_bytes(&plan) <= MOST_SCRATCH;
                const double cost = cost_of(&plan) * (fits ? 1 : 1e6);
                if (cost < least) {
                    least = cost;
                    best = plan;
                }
            }
        }
    }
    *f = best;
}
