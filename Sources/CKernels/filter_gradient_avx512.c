// Tiles of a filter gradient in registers: up to 24 accumulators of 16 output channels, g loaded once a step and
// each input channel broadcast; and the packing of what they read.
#include "filter_gradient.h"
#include "tile_avx512.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)

CK_INLINE AVX512 void start_sums(const ck_gradient_tile *tile, const int vectors, const int rows,
                                 __m512 sums[CK_MOST_PIXELS][4]) {
#pragma unroll
    for (int r = 0; r < rows; r++) {
#pragma unroll
        for (int v = 0; v < vectors; v++) {
            sums[r][v] = tile->first ? _mm512_setzero_ps()
                                     : _mm512_loadu_ps(tile->sums + 16 * (r * vectors + v));
        }
    }
}

CK_INLINE AVX512 void end_sums(const ck_gradient_tile *tile, const int vectors, const int rows,
                               __m512 sums[CK_MOST_PIXELS][4]) {
    if (!tile->out) {
#pragma unroll
        for (int r = 0; r < rows; r++) {
#pragma unroll
            for (int v = 0; v < vectors; v++) {
                _mm512_storeu_ps(tile->sums + 16 * (r * vectors + v), sums[r][v]);
            }
        }
        return;
    }
#pragma unroll
    for (int r = 0; r < rows; r++) {
#pragma unroll
        for (int v = 0; v < vectors; v++) {
            _mm512_mask_storeu_ps(tile->out + r * tile->out_stride + 16 * v,
                                  lanes(tile->channels - 16 * v), sums[r][v]);
        }
    }
}

/// Adds one step's products to the sums.
CK_INLINE AVX512 void step_float32(const float *g, const float *x, const int vectors, const int rows,
                                   __m512 sums[CK_MOST_PIXELS][4]) {
    __m512 gradients[4];
#pragma unroll
    for (int v = 0; v < vectors; v++) { gradients[v] = _mm512_loadu_ps(g + 16 * v); }
#pragma unroll
    for (int r = 0; r < rows; r++) {
        __m512 factor = _mm512_set1_ps(x[r]);
#pragma unroll
        for (int v = 0; v < vectors; v++) { sums[r][v] = _mm512_fmadd_ps(gradients[v], factor, sums[r][v]); }
    }
}

CK_INLINE AVX512_BF16 void step_bfloat16(const int32_t *g, const int32_t *x, const int vectors, const int rows,
                                         __m512 sums[CK_MOST_PIXELS][4]) {
    __m512bh gradients[4];
#pragma unroll
    for (int v = 0; v < vectors; v++) { gradients[v] = (__m512bh)_mm512_loadu_si512(g + 16 * v); }
#pragma unroll
    for (int r = 0; r < rows; r++) {
        __m512bh factor = (__m512bh)_mm512_set1_epi32(x[r]);
#pragma unroll
        for (int v = 0; v < vectors; v++) { sums[r][v] = _mm512_dpbf16_ps(sums[r][v], gradients[v], factor); }
    }
}

#define TILE(STEP, ELEMENT) \
    __m512 sums[CK_MOST_PIXELS][4]; \
    start_sums(tile, vectors, rows, sums); \
    const ELEMENT *g = tile->g, *x = tile->x; \
    const char *ahead = tile->ahead; \
    int32_t step = 0; \
    for (; step < tile->ahead_count; step++) { \
        _mm_prefetch(ahead, _MM_HINT_T1); \
        ahead += tile->ahead_stride; \
        STEP(g + (int64_t)step * CK_PANEL, x + tile->offsets[step], vectors, rows, sums); \
    } \
    for (; step < tile->steps; step++) { \
        STEP(g + (int64_t)step * CK_PANEL, x + tile->offsets[step], vectors, rows, sums); \
    } \
    end_sums(tile, vectors, rows, sums)

CK_INLINE AVX512 void tile_float32(const ck_gradient_tile *tile, const int vectors, const int rows) {
    TILE(step_float32, float);
}

CK_INLINE AVX512_BF16 void tile_bfloat16(const ck_gradient_tile *tile, const int vectors, const int rows) {
    TILE(step_bfloat16, int32_t);
}

#define KERNEL(V, R) \
    AVX512 static void float32_##V##_##R(const ck_gradient_tile *tile) { tile_float32(tile, V, R); } \
    AVX512_BF16 static void bfloat16_##V##_##R(const ck_gradient_tile *tile) { tile_bfloat16(tile, V, R); }
#define UP_TO_6(V) \
    KERNEL(V, 1) KERNEL(V, 2) KERNEL(V, 3) KERNEL(V, 4) KERNEL(V, 5) KERNEL(V, 6)
#define UP_TO_8(V) UP_TO_6(V) KERNEL(V, 7) KERNEL(V, 8)
#define UP_TO_12(V) UP_TO_8(V) KERNEL(V, 9) KERNEL(V, 10) KERNEL(V, 11) KERNEL(V, 12)
UP_TO_12(1)
UP_TO_12(2)
UP_TO_8(3)
UP_TO_6(4)

#define ROW_6(T, V) T##_##V##_1, T##_##V##_2, T##_##V##_3, T##_##V##_4, T##_##V##_5, T##_##V##_6
#define ROW_8(T, V) ROW_6(T, V), T##_##V##_7, T##_##V##_8
#define ROW_12(T, V) ROW_8(T, V), T##_##V##_9, T##_##V##_10, T##_##V##_11, T##_##V##_12
#define TABLE(T) \
    static const ck_gradient_kernel T##_kernels[4][CK_MOST_PIXELS] = { \
        {ROW_12(T, 1)}, {ROW_12(T, 2)}, {ROW_8(T, 3)}, {ROW_6(T, 4)}};
TABLE(float32)
TABLE(bfloat16)

ck_gradient_kernel ck_gradient_kernel_float32(int32_t vectors, int32_t rows) {
    return float32_kernels[vectors - 1][rows - 1];
}

ck_gradient_kernel ck_gradient_kernel_bfloat16(int32_t vectors, int32_t rows) {
    return bfloat16_kernels[vectors - 1][rows - 1];
}

// MARK: Packing

/// Packed columns `first ..< end` of a row whose pixels all exist, `jump` columns apart.
typedef struct { int32_t first, end, jump; } span;

static span span_of(const ck_operand_row *row, int32_t columns) {
    const bool regular = row->step == 1 || row->step == row->stride;
    if (!regular || !row->row) { return (span){0, 0, 0}; }
    const int32_t jump = row->step == 1 ? row->stride : 1;
    const int32_t first = row->origin < 0 ? (-row->origin + jump - 1) / jump : 0;
    const int32_t left = columns - row->origin, end = left <= 0 ? 0 : (left - 1) / jump + 1;
    span found = {first, end < row->count ? end : row->count, jump};
    return found.first < found.end ? found : (span){0, 0, jump};
}

static int32_t column_of(const ck_operand_row *row, int32_t q) {
    return row->origin + q / row->step * row->stride + q % row->step;
}

CK_INLINE AVX512 void fill_zeros(const ck_operand_row *row, int32_t *out) {
    for (int32_t k = 0; k < row->channels; k += 16) {
        _mm512_storeu_si512(out + k, _mm512_setzero_si512());
    }
}

/// Order of bfloat16 elements in pairs of two pixels, of the lower and the upper 16 channels of 32.
typedef struct { __m512i lower, upper; } pair_order;

/// Pixels' channels lie in order.
CK_INLINE AVX512 pair_order order_of_pixels(void) {
    const __m512i pairs = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, 39, 7, 38,
                                           6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
    return (pair_order){pairs, _mm512_add_epi16(pairs, _mm512_set1_epi16(16))};
}

/// Even channels of both pixels, then odd ones.
CK_INLINE AVX512 pair_order order_of_parities(void) {
    const __m512i pairs = _mm512_set_epi16(55, 39, 23, 7, 54, 38, 22, 6, 53, 37, 21, 5, 52, 36, 20, 4, 51, 35, 19, 3,
                                           50, 34, 18, 2, 49, 33, 17, 1, 48, 32, 16, 0);
    return (pair_order){pairs, _mm512_add_epi16(pairs, _mm512_set1_epi16(8))};
}

/// The affine and the ReLU of 16 channels, or zeros where they do not exist.
CK_INLINE AVX512 __m512 activate(__m512 x, const ck_operand_row *row, int32_t place, const bool exists,
                                 const bool affine, const bool relu) {
    if (!exists) { return _mm512_setzero_ps(); }
    if (affine) {
        x = _mm512_fmadd_ps(x, _mm512_loadu_ps(row->factors + place), _mm512_loadu_ps(row->terms + place));
    }
    // The operand order lets not-a-number pass.
    return relu ? _mm512_max_ps(_mm512_setzero_ps(), x) : x;
}

/// 32 channels of two pixels, by turns.
CK_INLINE AVX512_BF16 pair_order pack_chunk(__m512i a, __m512i b, const ck_operand_row *row, int32_t channel,
                                            const bool first, const bool second, const bool affine,
                                            const bool relu, const pair_order order) {
    if (affine || relu) {
        const __m512i upper = _mm512_set1_epi32((int32_t)0xFFFF0000);
        __m512 even_a = activate((__m512)_mm512_slli_epi32(a, 16), row, channel, first, affine, relu);
        __m512 even_b = activate((__m512)_mm512_slli_epi32(b, 16), row, channel, second, affine, relu);
        __m512 odd_a = activate((__m512)_mm512_and_si512(a, upper), row, channel + 16, first, affine, relu);
        __m512 odd_b = activate((__m512)_mm512_and_si512(b, upper), row, channel + 16, second, affine, relu);
        a = (__m512i)_mm512_cvtne2ps_pbh(even_b, even_a);
        b = (__m512i)_mm512_cvtne2ps_pbh(odd_b, odd_a);
    }
    return (pair_order){_mm512_permutex2var_epi16(a, order.lower, b), _mm512_permutex2var_epi16(a, order.upper, b)};
}

/// 32 channels of two pixels, or the last few.
CK_INLINE AVX512_BF16 void pack_tail(const ck_operand_row *row, const uint16_t *a, const uint16_t *b, int32_t channel,
                                     int32_t *out, const bool first, const bool second, const bool affine,
                                     const bool relu, const pair_order order) {
    const int32_t left = row->channels - channel;
    const __mmask32 mask = left >= 32 ? 0xFFFFFFFF : (__mmask32)((1u << left) - 1);
    pair_order packed = pack_chunk(_mm512_maskz_loadu_epi16(first ? mask : 0, a + channel),
                                   _mm512_maskz_loadu_epi16(second ? mask : 0, b + channel), row, channel, first,
                                   second, affine, relu, order);
    _mm512_storeu_si512(out + channel, packed.lower);
    if (left > 16) { _mm512_storeu_si512(out + channel + 16, packed.upper); }
}

/// Packed columns `first ..< end`, of which some do not exist.
CK_INLINE AVX512_BF16 void pack_edge(const ck_operand_row *row, int32_t first, int32_t end, const bool affine,
                                     const bool relu, const pair_order order) {
    for (int32_t q = first; q < end; q++) {
        const int32_t column = column_of(row, q);
        const bool one = row->row && (uint32_t)column < (uint32_t)row->columns;
        const bool two = row->other && (uint32_t)column < (uint32_t)row->other_columns;
        const int64_t place = column * row->column_stride;
        // What does not exist is loaded nowhere.
        const uint16_t *a = one ? (const uint16_t *)row->row + place : row->out;
        const uint16_t *b = two ? (const uint16_t *)row->other + place : row->out;
        int32_t *out = (int32_t *)row->out + q * row->out_stride;
        if (!one && !two) {
            fill_zeros(row, out);
            continue;
        }
        for (int32_t k = 0; k < row->channels; k += 32) {
            pack_tail(row, a, b, k, out, one, two, affine, relu, order);
        }
    }
}

CK_INLINE AVX512_BF16 void pack_pairs(const ck_operand_row *row, const bool affine, const bool relu) {
    const pair_order order = affine || relu ? order_of_parities() : order_of_pixels();
    const int32_t columns = row->columns < row->other_columns ? row->columns : row->other_columns;
    const span both = row->other ? span_of(row, columns) : (span){0, 0, 0};
    pack_edge(row, 0, both.first, affine, relu, order);
    const int64_t place = (row->origin + (int64_t)both.first * both.jump) * row->column_stride;
    const int64_t in_step = both.jump * row->column_stride, out_step = row->out_stride;
    const uint16_t *a = (const uint16_t *)row->row, *b = (const uint16_t *)row->other;
    int32_t *out = (int32_t *)row->out + both.first * out_step;
    if (both.first < both.end) {
        a += place;
        b += place;
    }
    const int32_t channels = row->channels, whole = channels / 32 * 32;
    for (int32_t q = both.first; q < both.end; q++) {
        for (int32_t k = 0; k < whole; k += 32) {
            pair_order packed = pack_chunk(_mm512_loadu_si512(a + k), _mm512_loadu_si512(b + k), row, k, true, true,
                                           affine, relu, order);
            _mm512_storeu_si512(out + k, packed.lower);
            _mm512_storeu_si512(out + k + 16, packed.upper);
        }
        if (whole < channels) { pack_tail(row, a, b, whole, out, true, true, affine, relu, order); }
        a += in_step;
        b += in_step;
        out += out_step;
    }
    pack_edge(row, both.end, row->count, affine, relu, order);
}

AVX512_BF16 void ck_pack_pairs(const ck_operand_row *row) {
    if (row->factors && row->relu) {
        pack_pairs(row, true, true);
    } else if (row->factors) {
        pack_pairs(row, true, false);
    } else if (row->relu) {
        pack_pairs(row, false, true);
    } else {
        pack_pairs(row, false, false);
    }
}

CK_INLINE AVX512 void pack_pixels(const ck_operand_row *row, const ck_type type, const bool affine) {
    const int64_t size = type == CK_BFLOAT16 ? 2 : 4;
    for (int32_t q = 0; q < row->count; q++) {
        const int32_t column = column_of(row, q);
        int32_t *out = (int32_t *)row->out + q * row->out_stride;
        if (row->row && (uint32_t)column < (uint32_t)row->columns) {
            const char *from = (const char *)row->row + column * row->column_stride * size;
            for (int32_t k = 0; k < row->channels; k += 16) {
                const __mmask16 mask = lanes(row->channels - k);
                __m512 x;
                // Masked loads take several times as long as others.
                if (type == CK_BFLOAT16) {
                    const uint16_t *bits = (const uint16_t *)from + k;
                    x = widen(mask == 0xFFFF ? _mm256_loadu_si256((const __m256i *)bits)
                                             : _mm256_maskz_loadu_epi16(mask, bits));
                } else if (mask == 0xFFFF) {
                    x = _mm512_loadu_ps((const float *)from + k);
                } else {
                    x = _mm512_maskz_loadu_ps(mask, (const float *)from + k);
                }
                x = activate(x, row, k, true, affine, row->relu);
                if (affine && type == CK_BFLOAT16) { x = widen(narrow(x)); }
                _mm512_storeu_ps(out + k, x);
            }
        } else {
            fill_zeros(row, out);
        }
    }
}

AVX512 void ck_pack_pixels(const ck_operand_row *row) {
    if (row->type == CK_BFLOAT16) {
        if (row->factors) { pack_pixels(row, CK_BFLOAT16, true); } else { pack_pixels(row, CK_BFLOAT16, false); }
    } else {
        if (row->factors) { pack_pixels(row, CK_FLOAT32, true); } else { pack_pixels(row, CK_FLOAT32, false); }
    }
}

#else

ck_gradient_kernel ck_gradient_kernel_float32(int32_t vectors, int32_t rows) { return NULL; }
ck_gradient_kernel ck_gradient_kernel_bfloat16(int32_t vectors, int32_t rows) { return NULL; }
void ck_pack_pairs(const ck_operand_row *row) { abort(); }
void ck_pack_pixels(const ck_operand_row *row) { abort(); }

#endif
