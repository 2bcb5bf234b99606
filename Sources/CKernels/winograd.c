#include "cwinograd.h"

#include "tile_avx512.h"

#include <stdlib.h>
#include <string.h>

// Input tile d (4x4), filter g (3x3), output tile Y (2x2):
//   U = G g Gt,  V = Bt d B,  Y = At (U * V) A, where * is by element and summed over input channels.
// Each of the 16 elements is a matrix product over input channels, done by the tile kernels of the direct
// convolution. Channels of bfloat16 lie in V in the order 0, 2, ... 30, 1, 3, ... 31 of each 32, which is what
// splitting pairs costs nothing for; filters are packed in the same order.

#define POSITIONS 16
#define SLAB 64

static size_t element_size(const ck_winograd *w) { return w->convolution.in_type == CK_BFLOAT16 ? 2 : 4; }

/// Input channels, rounded up to what a transform handles at once.
static int64_t padded_depth(const ck_winograd *w) { return (w->convolution.depth + 31) / 32 * 32; }

static int32_t slab_count(const ck_winograd *w) { return (w->convolution.out_channels + SLAB - 1) / SLAB; }

static int32_t vectors_of(const ck_winograd *w, int32_t slab) {
    int32_t left = (w->convolution.out_channels + 15) / 16 - slab * (SLAB / 16);
    return left < SLAB / 16 ? left : SLAB / 16;
}

static int32_t tiles_high(const ck_winograd *w) { return (w->convolution.out_height + 1) / 2; }
static int32_t tiles_wide(const ck_winograd *w) { return (w->convolution.out_width + 1) / 2; }

static int64_t tile_count(const ck_winograd *w) {
    return (int64_t)w->convolution.images * tiles_high(w) * tiles_wide(w);
}

size_t ck_winograd_filter_bytes(const ck_winograd *w) {
    size_t channels = (size_t)((w->convolution.out_channels + 15) / 16 * 16);
    return POSITIONS * channels * (size_t)padded_depth(w) * element_size(w);
}

size_t ck_winograd_scratch_bytes(const ck_winograd *w) {
    size_t tiles = (size_t)w->unit_tiles;
    return POSITIONS * tiles * ((size_t)padded_depth(w) * element_size(w) + SLAB * sizeof(float)) + 64;
}

int32_t ck_winograd_units(const ck_winograd *w) {
    return (int32_t)((tile_count(w) + w->unit_tiles - 1) / w->unit_tiles) * w->parts;
}

/// U = G g Gt.
static void transform_filter(const float *g, float *u) {
    float rows[4][3];
    for (int column = 0; column < 3; column++) {
        float a = g[column], b = g[3 + column], c = g[6 + column];
        rows[0][column] = a;
        rows[1][column] = (a + b + c) / 2;
        rows[2][column] = (a - b + c) / 2;
        rows[3][column] = c;
    }
    for (int row = 0; row < 4; row++) {
        float a = rows[row][0], b = rows[row][1], c = rows[row][2];
        u[4 * row] = a;
        u[4 * row + 1] = (a + b + c) / 2;
        u[4 * row + 2] = (a - b + c) / 2;
        u[4 * row + 3] = c;
    }
}

void ck_winograd_pack(const ck_winograd *w, const float *filter, int32_t first_slab, int32_t end_slab,
                      void *packed) {
    const ck_convolution *c = &w->convolution;
    const int64_t depth = padded_depth(w);
    for (int32_t slab = first_slab; slab < end_slab; slab++) {
        const int64_t width = 16 * vectors_of(w, slab), start = POSITIONS * depth * SLAB * slab;
        for (int64_t o = 0; o < width; o++) {
            for (int64_t k = 0; k < depth; k++) {
                float u[POSITIONS] = {0};
                int64_t channel = slab * SLAB + o;
                if (channel < c->out_channels && k < c->depth) {
                    transform_filter(filter + (channel * c->depth + k) * 9, u);
                }
                for (int64_t position = 0; position < POSITIONS; position++) {
                    int64_t base = start + position * depth * width;
                    if (c->in_type == CK_BFLOAT16) {
                        int64_t within = k % 32, place = k / 32 * 32 + within % 2 * 16 + within / 2;
                        ((uint16_t *)packed)[base + place / 2 * 2 * width + 2 * o + place % 2] =
                            ck_bfloat16_of_float(u[position]);
                    } else {
                        ((float *)packed)[base + k * width + o] = u[position];
                    }
                }
            }
        }
    }
}

#if defined(__x86_64__)

/// Bt d B in place, for 16 channels.
CK_INLINE AVX512 void transform_input(__m512 d[4][4]) {
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
        d[i][0] = _mm512_sub_ps(a, c);
        d[i][1] = _mm512_add_ps(b, c);
        d[i][2] = _mm512_sub_ps(c, b);
        d[i][3] = _mm512_sub_ps(b, e);
    }
}

/// V of one tile: 16 rows of `depth` channels, `step` elements apart.
AVX512_BF16 static void input_bfloat16(const uint16_t *const patch[POSITIONS], int64_t channels,
                                       uint16_t *v, int64_t step) {
    const __m512i upper = _mm512_set1_epi32((int32_t)0xFFFF0000);
    for (int64_t k = 0; k < channels; k += 32) {
        __mmask32 mask = channels - k >= 32 ? 0xFFFFFFFF : (__mmask32)((1u << (channels - k)) - 1);
        __m512 even[4][4], odd[4][4];
#pragma unroll
        for (int p = 0; p < POSITIONS; p++) {
            // Masked loads right after stores take several times as long as others.
            __m512i pairs = mask == 0xFFFFFFFF ? _mm512_loadu_si512(patch[p] + k)
                                               : _mm512_maskz_loadu_epi16(mask, patch[p] + k);
            even[p / 4][p % 4] = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
            odd[p / 4][p % 4] = _mm512_castsi512_ps(_mm512_and_si512(pairs, upper));
        }
        transform_input(even);
        transform_input(odd);
#pragma unroll
        for (int p = 0; p < POSITIONS; p++) {
            __m512bh both = _mm512_cvtne2ps_pbh(odd[p / 4][p % 4], even[p / 4][p % 4]);
            _mm512_storeu_si512(v + p * step + k, (__m512i)both);
        }
    }
}

AVX512 static void input_float32(const float *const patch[POSITIONS], int64_t channels, float *v,
                                 int64_t step) {
    for (int64_t k = 0; k < channels; k += 16) {
        __mmask16 mask = lanes((int32_t)(channels - k));
        __m512 d[4][4];
#pragma unroll
        for (int p = 0; p < POSITIONS; p++) { d[p / 4][p % 4] = _mm512_maskz_loadu_ps(mask, patch[p] + k); }
        transform_input(d);
#pragma unroll
        for (int p = 0; p < POSITIONS; p++) { _mm512_storeu_ps(v + p * step + k, d[p / 4][p % 4]); }
    }
    // The rest up to the padded depth meets zero filters and must not be not-a-number.
    for (int64_t k = (channels + 15) / 16 * 16; k < (channels + 31) / 32 * 32; k += 16) {
        for (int p = 0; p < POSITIONS; p++) { _mm512_storeu_ps(v + p * step + k, _mm512_setzero_ps()); }
    }
}

typedef struct { int32_t row, column, image; } tile_place;

static tile_place place_of(const ck_winograd *w, int64_t tile) {
    return (tile_place){
        .column = (int32_t)(tile % tiles_wide(w)),
        .row = (int32_t)(tile / tiles_wide(w) % tiles_high(w)),
        .image = (int32_t)(tile / tiles_wide(w) / tiles_high(w)),
    };
}

static void transform_inputs(const ck_winograd *w, int64_t first, int64_t count, const char *input,
                             const void *zeros, void *v) {
    const ck_convolution *c = &w->convolution;
    const int64_t size = (int64_t)element_size(w), depth = padded_depth(w);
    for (int64_t t = 0; t < count; t++) {
        tile_place at = place_of(w, first + t);
        int32_t top = 2 * at.row - c->pad_top, left = 2 * at.column - c->pad_left;
        const void *patch[POSITIONS];
        for (int32_t p = 0; p < POSITIONS; p++) {
            int32_t row = top + p / 4, column = left + p % 4;
            bool inside = (uint32_t)row < (uint32_t)c->in_height && (uint32_t)column < (uint32_t)c->in_width;
            int64_t place = at.image * c->image_stride + row * c->row_stride + column * c->column_stride;
            patch[p] = inside ? input + place * size : zeros;
        }
        char *to = (char *)v + t * depth * size;
        if (c->in_type == CK_BFLOAT16) {
            input_bfloat16((const uint16_t *const *)patch, c->depth, (uint16_t *)to, count * depth);
        } else {
            input_float32((const float *const *)patch, c->depth, (float *)to, count * depth);
        }
    }
}

/// Y = At M A for the channels of a slab, with bias, residual and activation.
AVX512 static void transform_outputs(const ck_winograd *w, int64_t first, int64_t count, int32_t slab,
                                     const float *m, const float *bias, const void *residual, void *out) {
    const ck_convolution *c = &w->convolution;
    const int32_t vectors = vectors_of(w, slab);
    const int64_t width = 16 * vectors;
    for (int64_t t = 0; t < count; t++) {
        tile_place at = place_of(w, first + t);
        int32_t rows = c->out_height - 2 * at.row < 2 ? 1 : 2;
        int32_t columns = c->out_width - 2 * at.column < 2 ? 1 : 2;
        int64_t corner = ((int64_t)at.image * c->out_height + 2 * at.row) * c->out_width + 2 * at.column;
        for (int32_t vector = 0; vector < vectors; vector++) {
            const float *from = m + t * width + 16 * vector;
            int64_t channel = (int64_t)slab * SLAB + 16 * vector;
            __mmask16 mask = lanes(c->out_channels - (int32_t)channel);
            __m512 half[2][4];
#pragma unroll
            for (int j = 0; j < 4; j++) {
                __m512 a = _mm512_loadu_ps(from + j * count * width);
                __m512 b = _mm512_loadu_ps(from + (4 + j) * count * width);
                __m512 d = _mm512_loadu_ps(from + (8 + j) * count * width);
                __m512 e = _mm512_loadu_ps(from + (12 + j) * count * width);
                half[0][j] = _mm512_add_ps(_mm512_add_ps(a, b), d);
                half[1][j] = _mm512_sub_ps(_mm512_sub_ps(b, d), e);
            }
            __m512 shift = _mm512_loadu_ps(bias + channel);
            for (int i = 0; i < rows; i++) {
                __m512 sum = _mm512_add_ps(half[i][1], shift);
                __m512 left = _mm512_add_ps(_mm512_add_ps(half[i][0], sum), half[i][2]);
                __m512 right = _mm512_sub_ps(_mm512_sub_ps(sum, half[i][2]), half[i][3]);
                int64_t place = (corner + (int64_t)i * c->out_width) * c->out_channels + channel;
                finish_sums(left, out, c->out_type, residual, c->relu, place, mask);
                if (columns == 2) {
                    finish_sums(right, out, c->out_type, residual, c->relu, place + c->out_channels, mask);
                }
            }
        }
    }
}

void ck_winograd_unit(const ck_winograd *w, int32_t unit, const void *input, const void *packed,
                      const float *bias, const void *residual, const void *zeros, void *out,
                      void *scratch) {
    static const float no_bias[SLAB];
    const ck_convolution *c = &w->convolution;
    const int64_t size = (int64_t)element_size(w), depth = padded_depth(w);
    const int64_t first = (int64_t)(unit / w->parts) * w->unit_tiles;
    const int64_t count = tile_count(w) - first < w->unit_tiles ? tile_count(w) - first : w->unit_tiles;
    const int32_t part = unit % w->parts, slabs = slab_count(w);
    char *v = scratch;
    float *m = (float *)(v + ((POSITIONS * count * depth * size + 63) & ~(int64_t)63));
    transform_inputs(w, first, count, input, zeros, v);
    for (int32_t slab = part * slabs / w->parts; slab < (part + 1) * slabs / w->parts; slab++) {
        const int32_t vectors = vectors_of(w, slab), most = ck_tile_pixels(vectors);
        const int64_t width = 16 * vectors;
        const char *filter = (const char *)packed + POSITIONS * depth * SLAB * slab * size;
        const int32_t rounds = (int32_t)((count + most - 1) / most);
        for (int64_t position = 0; position < POSITIONS; position++) {
            const char *rows = v + position * count * depth * size;
            float *sums = m + position * count * width;
            int64_t row = 0;
            for (int32_t round = 0; round < rounds; round++) {
                int32_t pixels = (int32_t)((count - row + (rounds - round) - 1) / (rounds - round));
                const void *addresses[CK_MOST_PIXELS];
                for (int32_t p = 0; p < pixels; p++) { addresses[p] = rows + (row + p) * depth * size; }
                ck_tile tile = {
                    .addresses = addresses, .taps = 1, .depth = (int32_t)depth,
                    .filter = filter + position * depth * width * size, .bias = no_bias,
                    .out = sums + row * width, .out_stride = width, .channels = (int32_t)width,
                    .out_type = CK_FLOAT32, .raw = true,
                };
                if (c->in_type == CK_BFLOAT16) {
                    ck_tile_kernel_avx512_bfloat16(vectors, pixels)(&tile);
                } else {
                    ck_tile_kernel_avx512_float32(vectors, pixels)(&tile);
                }
                row += pixels;
            }
        }
        transform_outputs(w, first, count, slab, m, bias, residual, out);
    }
}

#else

void ck_winograd_unit(const ck_winograd *w, int32_t unit, const void *input, const void *packed,
                      const float *bias, const void *residual, const void *zeros, void *out,
                      void *scratch) {
    abort();
}

#endif
