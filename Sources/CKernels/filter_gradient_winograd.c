// The gradient of a 3x3 filter of stride 1 in the domain of Winograd's F(2x2, 3x3), see winograd.c: where the forward
// pass is Y = At (U * V) A, the gradient is
//   dg = Gt (sum over tiles of V * (A dY At)) G,  V = Bt d B,
// 16 multiplications for each tile of 2x2 output pixels where the direct sum takes 36. Each of the 16 elements is a
// matrix product over tiles, done by the kernels of the direct sum.
#include "filter_gradient.h"
#include "tile_avx512.h"

#include <stdlib.h>
#include <string.h>

#define POSITIONS 16
/// Tiles that are transformed at a time: with 64 channels of either operand and the sums, they stay in a core's
/// second-level cache.
#define MOST_TILES 56

/// How the tiles of a group are walked, and where the parts of scratch begin, in 4 bytes.
typedef struct {
    int32_t high, wide, tiles, block;
    /// Between tiles of V, and between elements of V and of A dY At.
    int64_t x_stride, x_position, g_position;
    int64_t x_start, g_start, offsets_start, affine_start, size;
} winograd_walk;

static winograd_walk walk_of(const ck_filter_gradient *f) {
    const ck_convolution *c = &f->convolution;
    winograd_walk w = {.high = parts_of(c->out_height, 2), .wide = parts_of(c->out_width, 2)};
    w.tiles = c->images / f->groups * w.high * w.wide;
    w.block = parts_of(w.tiles, parts_of(w.tiles, MOST_TILES));
    // Odd numbers of cache lines, for the cache's sets.
    w.x_stride = (parts_of(f->depth_block, 16) | 1) * 16;
    w.x_position = w.block * w.x_stride + (w.block % 2 ? 0 : 16);
    w.g_position = w.block * CK_PANEL + 16;
    const int32_t channels = parts_of(f->channel_block, CK_PANEL) * CK_PANEL;
    w.x_start = (int64_t)POSITIONS * f->depth_block * channels;
    w.g_start = w.x_start + POSITIONS * w.x_position;
    w.offsets_start = w.g_start + POSITIONS * w.g_position;
    w.affine_start = w.offsets_start + parts_of(w.block, 16) * 16;
    w.size = w.affine_start + 2 * parts_of(f->depth_block, 16) * 16;
    return w;
}

size_t ck_winograd_gradient_scratch_bytes(const ck_filter_gradient *f) { return (size_t)walk_of(f).size * 4 + 64; }

#if defined(__x86_64__)

/// A unit of the gradient, and where its operands are.
typedef struct {
    const ck_filter_gradient *gradient;
    winograd_walk walk;
    /// The group's g and x, at the unit's first channels.
    const float *g, *x;
    const float *factors, *terms;
    /// Channels of the unit.
    int32_t channels, depth;
    float *sums, *v, *z;
    int32_t *offsets;
} unit;

/// A tile's image and its first output row and column.
typedef struct { int32_t image, row, column; } tile_place;

static tile_place place_of(const winograd_walk *w, int32_t tile) {
    return (tile_place){tile / w->wide / w->high, tile / w->wide % w->high * 2, tile % w->wide * 2};
}

/// Bt d B of one tile, of which pixels without an address are zeros.
CK_INLINE AVX512 void transform_patch(const unit *u, const float *const patch[POSITIONS], float *v, const bool whole,
                                      const bool affine, const bool relu) {
    for (int32_t k = 0; k < u->depth; k += 16) {
        const __mmask16 mask = lanes(u->depth - k);
        __m512 d[4][4], factors = _mm512_setzero_ps(), terms = factors;
        if (affine) {
            factors = _mm512_loadu_ps(u->factors + k);
            terms = _mm512_loadu_ps(u->terms + k);
        }
#pragma unroll
        for (int p = 0; p < POSITIONS; p++) {
            __m512 x;
            if (whole || patch[p]) {
                // Masked loads take several times as long as others.
                x = mask == 0xFFFF ? _mm512_loadu_ps(patch[p] + k) : _mm512_maskz_loadu_ps(mask, patch[p] + k);
                if (affine) { x = _mm512_fmadd_ps(x, factors, terms); }
                // The operand order lets not-a-number pass.
                if (relu) { x = _mm512_max_ps(_mm512_setzero_ps(), x); }
            } else {
                x = _mm512_setzero_ps();
            }
            d[p / 4][p % 4] = x;
        }
#pragma unroll
        for (int j = 0; j < 4; j++) {
            __m512 a = d[0][j], b = d[1][j], c = d[2][j], e = d[3][j];
            d[0][j] = _mm512_sub_ps(a, c);
            d[1][j] = _mm512_add_ps(b, c);
            d[2][j] = _mm512_sub_ps(c, b);
            d[3][j] = _mm512_sub_ps(b, e);
        }
#pragma unroll
        for (int i = 0; i < 4; i++) {
            __m512 a = d[i][0], b = d[i][1], c = d[i][2], e = d[i][3];
            float *to = v + 4 * i * u->walk.x_position + k;
            _mm512_storeu_ps(to, _mm512_sub_ps(a, c));
            _mm512_storeu_ps(to + u->walk.x_position, _mm512_add_ps(b, c));
            _mm512_storeu_ps(to + 2 * u->walk.x_position, _mm512_sub_ps(c, b));
            _mm512_storeu_ps(to + 3 * u->walk.x_position, _mm512_sub_ps(b, e));
        }
    }
}

CK_INLINE AVX512 void transform_inputs(const unit *u, int32_t first, int32_t count, const bool affine,
                                       const bool relu) {
    const ck_convolution *c = &u->gradient->convolution;
    for (int32_t t = 0; t < count; t++) {
        const tile_place at = place_of(&u->walk, first + t);
        const int32_t top = at.row - c->pad_top, left = at.column - c->pad_left;
        const float *corner = u->x + at.image * c->image_stride + top * c->row_stride + left * c->column_stride;
        const float *patch[POSITIONS];
        const bool whole = top >= 0 && left >= 0 && top + 4 <= c->in_height && left + 4 <= c->in_width;
        for (int32_t p = 0; p < POSITIONS; p++) {
            const int32_t row = p / 4, column = p % 4;
            const bool exists = (uint32_t)(top + row) < (uint32_t)c->in_height
                && (uint32_t)(left + column) < (uint32_t)c->in_width;
            patch[p] = exists ? corner + row * c->row_stride + column * c->column_stride : NULL;
        }
        float *v = u->v + t * u->walk.x_stride;
        if (whole) {
            transform_patch(u, patch, v, true, affine, relu);
        } else {
            transform_patch(u, patch, v, false, affine, relu);
        }
    }
}

/// A dY At for channels of a panel, with the signs of its last row and column turned.
AVX512 static void transform_gradients(const unit *u, int32_t first, int32_t count, int32_t channel,
                                       int32_t channels) {
    const ck_convolution *c = &u->gradient->convolution;
    const int64_t step = c->out_channels, row_step = step * c->out_width, position = u->walk.g_position;
    for (int32_t t = 0; t < count; t++) {
        const tile_place at = place_of(&u->walk, first + t);
        const bool below = at.row + 1 < c->out_height, beside = at.column + 1 < c->out_width;
        const float *from = u->g + (at.image * c->out_height + at.row) * row_step + at.column * step + channel;
        for (int32_t k = 0; k < channels; k += 16) {
            const __mmask16 mask = lanes(channels - k);
            // What does not exist is not read.
            const __mmask16 right = beside ? mask : 0, lower = below ? mask : 0, last = below && beside ? mask : 0;
            __m512 y[2][2];
            if (last == 0xFFFF) {
                y[0][0] = _mm512_loadu_ps(from + k);
                y[0][1] = _mm512_loadu_ps(from + k + step);
                y[1][0] = _mm512_loadu_ps(from + k + row_step);
                y[1][1] = _mm512_loadu_ps(from + k + row_step + step);
            } else {
                y[0][0] = _mm512_maskz_loadu_ps(mask, from + k);
                y[0][1] = _mm512_maskz_loadu_ps(right, from + k + step);
                y[1][0] = _mm512_maskz_loadu_ps(lower, from + k + row_step);
                y[1][1] = _mm512_maskz_loadu_ps(last, from + k + row_step + step);
            }
            __m512 rows[4][2];
#pragma unroll
            for (int j = 0; j < 2; j++) {
                rows[0][j] = y[0][j];
                rows[1][j] = _mm512_add_ps(y[0][j], y[1][j]);
                rows[2][j] = _mm512_sub_ps(y[0][j], y[1][j]);
                rows[3][j] = y[1][j];
            }
#pragma unroll
            for (int i = 0; i < 4; i++) {
                float *to = u->z + 4 * i * position + t * CK_PANEL + k;
                _mm512_storeu_ps(to, rows[i][0]);
                _mm512_storeu_ps(to + position, _mm512_add_ps(rows[i][0], rows[i][1]));
                _mm512_storeu_ps(to + 2 * position, _mm512_sub_ps(rows[i][0], rows[i][1]));
                _mm512_storeu_ps(to + 3 * position, rows[i][1]);
            }
        }
    }
}

/// Tiles whose operands are fetched into the second-level cache: the pixels that are of no other tile.
typedef struct {
    tile_place place;
    /// Tiles, and shares of them, that are left.
    int32_t tiles, shares;
} fetching;

CK_INLINE void fetch_pixel(const float *from, int32_t channels) {
    for (int32_t k = 0; k < channels; k += 16) { __builtin_prefetch(from + k, 0, 2); }
}

/// Fetches one of as many shares as are left.
static void fetch_share(const unit *u, fetching *ahead) {
    const ck_convolution *c = &u->gradient->convolution;
    int32_t count = parts_of(ahead->tiles, ahead->shares--);
    ahead->tiles -= count;
    for (; count > 0; count--) {
        tile_place *at = &ahead->place;
        const float *g = u->g + (at->image * c->out_height + at->row) * c->out_width * c->out_channels
            + at->column * c->out_channels;
        const float *x = u->x + at->image * c->image_stride + at->row * c->row_stride + at->column * c->column_stride;
        const int64_t g_row = (int64_t)c->out_width * c->out_channels;
        // Prefetching what does not exist does no harm.
        fetch_pixel(g, u->channels);
        fetch_pixel(g + c->out_channels, u->channels);
        fetch_pixel(g + g_row, u->channels);
        fetch_pixel(g + g_row + c->out_channels, u->channels);
        fetch_pixel(x, u->depth);
        fetch_pixel(x + c->column_stride, u->depth);
        fetch_pixel(x + c->row_stride, u->depth);
        fetch_pixel(x + c->row_stride + c->column_stride, u->depth);
        at->column += 2;
        if (at->column < c->out_width) { continue; }
        at->column = 0;
        at->row += 2;
        if (at->row < c->out_height) { continue; }
        at->row = 0;
        at->image++;
    }
}

/// Adds the products of a block of tiles to a panel's sums, `[positions][depth][16 * vectors]`.
static void multiply(const unit *u, int32_t count, int32_t channels, float *sums, bool first, fetching *ahead) {
    const int32_t vectors = parts_of(channels, 16), tiles = parts_of(u->depth, ck_tile_pixels(vectors));
    ahead->shares = POSITIONS * tiles;
    for (int32_t position = 0; position < POSITIONS; position++) {
        int32_t k = 0;
        for (int32_t t = 0; t < tiles; t++) {
            fetch_share(u, ahead);
            // Tiles as equal as can be.
            const int32_t rows = parts_of(u->depth - k, tiles - t);
            ck_gradient_tile tile = {
                .g = u->z + position * u->walk.g_position, .x = u->v + position * u->walk.x_position + k,
                .offsets = u->offsets, .steps = count, .sums = sums, .first = first,
            };
            ck_gradient_kernel_float32(vectors, rows)(&tile);
            sums += rows * vectors * 16;
            k += rows;
        }
    }
}

/// dg = Gt M G for a panel, with the signs that `transform_gradients` turned.
AVX512 static void transform_sums(const unit *u, const float *sums, int32_t channels, float *partials) {
    const ck_convolution *c = &u->gradient->convolution;
    const int32_t vectors = parts_of(channels, 16);
    const int64_t position = (int64_t)u->depth * vectors * 16, tap = (int64_t)c->depth * c->out_channels;
    const __m512 half = _mm512_set1_ps(0.5f);
    for (int32_t k = 0; k < u->depth; k++) {
        for (int32_t vector = 0; vector < vectors; vector++) {
            const float *from = sums + (k * vectors + vector) * 16;
            const __mmask16 mask = lanes(channels - 16 * vector);
            __m512 rows[3][4];
#pragma unroll
            for (int j = 0; j < 4; j++) {
                __m512 a = _mm512_loadu_ps(from + j * position), b = _mm512_loadu_ps(from + (4 + j) * position);
                __m512 d = _mm512_loadu_ps(from + (8 + j) * position), e = _mm512_loadu_ps(from + (12 + j) * position);
                __m512 sum = _mm512_mul_ps(half, _mm512_add_ps(b, d));
                rows[0][j] = _mm512_add_ps(a, sum);
                rows[1][j] = _mm512_mul_ps(half, _mm512_sub_ps(b, d));
                rows[2][j] = _mm512_sub_ps(sum, e);
            }
            float *to = partials + (int64_t)k * c->out_channels + 16 * vector;
#pragma unroll
            for (int i = 0; i < 3; i++) {
                __m512 sum = _mm512_mul_ps(half, _mm512_add_ps(rows[i][1], rows[i][2]));
                _mm512_mask_storeu_ps(to + 3 * i * tap, mask, _mm512_add_ps(rows[i][0], sum));
                _mm512_mask_storeu_ps(to + (3 * i + 1) * tap, mask,
                                      _mm512_mul_ps(half, _mm512_sub_ps(rows[i][1], rows[i][2])));
                _mm512_mask_storeu_ps(to + (3 * i + 2) * tap, mask, _mm512_sub_ps(sum, rows[i][3]));
            }
        }
    }
}

AVX512 static void transform_block(const unit *u, int32_t first, int32_t count) {
    if (u->factors && u->gradient->relu) {
        transform_inputs(u, first, count, true, true);
    } else if (u->factors) {
        transform_inputs(u, first, count, true, false);
    } else if (u->gradient->relu) {
        transform_inputs(u, first, count, false, true);
    } else {
        transform_inputs(u, first, count, false, false);
    }
}

void ck_winograd_gradient_unit(const ck_filter_gradient *f, int32_t index, const float *g, const float *x,
                               const float *affine, float *partials, void *scratch) {
    const ck_convolution *c = &f->convolution;
    const int32_t depths = ck_gradient_depth_blocks(f), blocks = depths * ck_gradient_channel_blocks(f);
    const int32_t depth_start = index % depths * f->depth_block;
    const int32_t channel_start = index % blocks / depths * f->channel_block;
    const int64_t group = index / blocks, images = c->images / f->groups;
    float *memory = (float *)(((uintptr_t)scratch + 63) & ~(uintptr_t)63);
    unit u = {
        .gradient = f, .walk = walk_of(f),
        .g = g + group * images * c->out_height * c->out_width * c->out_channels + channel_start,
        .x = x + group * images * c->image_stride + depth_start,
        .channels = smaller(f->channel_block, c->out_channels - channel_start),
        .depth = smaller(f->depth_block, c->depth - depth_start),
    };
    const winograd_walk *w = &u.walk;
    partials += (group * 9 * c->depth + depth_start) * c->out_channels + channel_start;
    u.sums = memory;
    u.v = memory + w->x_start;
    u.z = memory + w->g_start;
    u.offsets = (int32_t *)(memory + w->offsets_start);
    for (int32_t t = 0; t < w->block; t++) { u.offsets[t] = (int32_t)(t * w->x_stride); }
    if (affine) {
        float *factors = memory + w->affine_start, *terms = factors + parts_of(u.depth, 16) * 16;
        memcpy(factors, affine + depth_start, u.depth * sizeof(float));
        memcpy(terms, affine + c->depth + depth_start, u.depth * sizeof(float));
        // Lanes beyond the last channel are computed and not used.
        for (int32_t k = u.depth; k < parts_of(u.depth, 16) * 16; k++) { factors[k] = terms[k] = 0; }
        u.factors = factors;
        u.terms = terms;
    }

    const int64_t panel_sums = (int64_t)POSITIONS * u.depth * CK_PANEL;
    for (int32_t first = 0; first < w->tiles; first += w->block) {
        const int32_t count = smaller(w->block, w->tiles - first);
        const int32_t next = first + count;
        fetching ahead = {.place = place_of(w, next), .tiles = smaller(w->block, w->tiles - next)};
        transform_block(&u, first, count);
        for (int32_t panel = 0; panel < u.channels; panel += CK_PANEL) {
            const int32_t channels = smaller(u.channels - panel, CK_PANEL);
            transform_gradients(&u, first, count, panel, channels);
            multiply(&u, count, channels, u.sums + panel / CK_PANEL * panel_sums, first == 0,
                     &ahead);
        }
    }
    for (int32_t panel = 0; panel < u.channels; panel += CK_PANEL) {
        transform_sums(&u, u.sums + panel / CK_PANEL * panel_sums, smaller(u.channels - panel, CK_PANEL),
                       partials + panel);
    }
}

#else

void ck_winograd_gradient_unit(const ck_filter_gradient *f, int32_t index, const float *g, const float *x,
                               const float *affine, float *partials, void *scratch) {
    abort();
}

#endif
