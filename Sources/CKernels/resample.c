#include "ckernels_resample.h"

#include <string.h>

#define FRACTION_BITS 22
#define HALF (1 << (FRACTION_BITS - 1))

static inline uint8_t narrow(int32_t sum) {
    int32_t value = sum >> FRACTION_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/// One RGB pixel of a row.
static inline void resample_pixel(
    const uint8_t *source, const int32_t *weights, int32_t count, uint8_t *target) {
    int32_t red = HALF, green = HALF, blue = HALF;
    for (int32_t tap = 0; tap < count; tap += 1) {
        red += source[3 * tap] * weights[tap];
        green += source[3 * tap + 1] * weights[tap];
        blue += source[3 * tap + 2] * weights[tap];
    }
    target[0] = narrow(red);
    target[1] = narrow(green);
    target[2] = narrow(blue);
}

static void rows_plain(
    const uint8_t *source, size_t source_stride, size_t row_count,
    ckernels_resample_windows windows, uint8_t *target) {
    for (size_t row = 0; row < row_count; row += 1) {
        for (size_t x = 0; x < windows.output_count; x += 1) {
            resample_pixel(
                source + 3 * (size_t)windows.starts[x], windows.weights + x * windows.weight_stride,
                windows.counts[x], target);
            target += 3;
        }
        source += source_stride;
    }
}

/// Bytes from..<to of one output row of a column pass.
static void columns_plain(
    const uint8_t *source, size_t source_stride, size_t from, size_t to, const int32_t *weights,
    int32_t count, uint8_t *target) {
    for (size_t x = from; x < to; x += 1) {
        int32_t sum = HALF;
        for (int32_t tap = 0; tap < count; tap += 1) {
            sum += source[(size_t)tap * source_stride + x] * weights[tap];
        }
        target[x] = narrow(sum);
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

// A weight has up to 23 bits and a multiplication of 16-bit pairs takes 15, so each weight is split into
// high * 2^11 + low. Both sums of products stay below 2^31, and the parts add up to the same integer.
#define LOW_BITS 11
#define LOW_MASK ((1 << LOW_BITS) - 1)

#define AVX2 __attribute__((target("avx2")))

/// Four neighbouring pixels, 12 bytes, as 16-bit pairs: R0 R1 G0 G1 B0 B1 - -, R2 R3 G2 G3 B2 B3 - -.
AVX2 static inline __m256i spread_pixels(const uint8_t *pixels) {
    const __m256i order = _mm256_setr_epi8(
        0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, //
        6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
    __m128i bytes = _mm_loadu_si128((const __m128i *)pixels);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), order);
}

/// Adds the sums of both halves, rounds, and narrows to the first three bytes of an integer.
AVX2 static inline uint32_t finish_pixel(__m256i high, __m256i low) {
    __m256i sums = _mm256_add_epi32(_mm256_slli_epi32(high, LOW_BITS), low);
    __m128i sum =
        _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(HALF)), FRACTION_BITS);
    sum = _mm_packus_epi16(_mm_packs_epi32(sum, sum), sum);
    return (uint32_t)_mm_cvtsi128_si32(sum);
}

/// The weights of four taps, split, in the order of spread_pixels.
AVX2 static inline void spread_weights(const int32_t *weights, int32_t count, __m256i *high, __m256i *low) {
    __m128i four;
    if (count >= 4) {
        four = _mm_loadu_si128((const __m128i *)weights);
    } else {
        four = _mm_setr_epi32(
            weights[0], count > 1 ? weights[1] : 0, count > 2 ? weights[2] : 0, 0);
    }
    __m128i parts = _mm_packus_epi32(
        _mm_srli_epi32(four, LOW_BITS), _mm_and_si128(four, _mm_set1_epi32(LOW_MASK)));
    __m256i both = _mm256_broadcastsi128_si256(parts);
    const __m256i high_order = _mm256_setr_epi8(
        0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, -1, -1, -1, -1, //
        4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, -1, -1, -1, -1);
    const __m256i low_order = _mm256_add_epi8(
        high_order, _mm256_setr_epi8(
                        8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 0, 0, 0, 0, //
                        8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 0, 0, 0, 0));
    *high = _mm256_shuffle_epi8(both, high_order);
    *low = _mm256_shuffle_epi8(both, low_order);
}

static inline void store_pixel(uint8_t *target, uint32_t pixel) {
    target[0] = (uint8_t)pixel;
    target[1] = (uint8_t)(pixel >> 8);
    target[2] = (uint8_t)(pixel >> 16);
}

/// Four rows at a time, so that the weights of a window are split once for four pixels.
AVX2 static void rows_avx2(
    const uint8_t *source, size_t source_byte_count, size_t source_stride, size_t row_count,
    ckernels_resample_windows windows, uint8_t *target) {
    size_t target_stride = windows.output_count * 3;
    size_t row = 0;
    for (; row + 4 <= row_count; row += 4) {
        const uint8_t *first = source + row * source_stride;
        uint8_t *to = target + row * target_stride;
        // From the first byte of the fourth row, which ends last.
        size_t readable = source_byte_count - (row + 3) * source_stride;
        for (size_t x = 0; x < windows.output_count; x += 1, to += 3) {
            int32_t count = windows.counts[x];
            const int32_t *weights = windows.weights + x * windows.weight_stride;
            size_t offset = 3 * (size_t)windows.starts[x];
            size_t span = (size_t)(count + 3) / 4 * 12 + 4;
            if (offset + span > readable) {
                for (size_t index = 0; index < 4; index += 1) {
                    resample_pixel(
                        first + index * source_stride + offset, weights, count,
                        to + index * target_stride);
                }
                continue;
            }
            const uint8_t *from = first + offset;
            __m256i high[4], low[4];
            for (int index = 0; index < 4; index += 1) {
                high[index] = _mm256_setzero_si256();
                low[index] = _mm256_setzero_si256();
            }
            for (int32_t tap = 0; tap < count; tap += 4) {
                __m256i high_weights, low_weights;
                spread_weights(weights + tap, count - tap, &high_weights, &low_weights);
                for (int index = 0; index < 4; index += 1) {
                    __m256i pixels =
                        spread_pixels(from + 3 * tap + (size_t)index * source_stride);
                    high[index] = _mm256_add_epi32(
                        high[index], _mm256_madd_epi16(pixels, high_weights));
                    low[index] =
                        _mm256_add_epi32(low[index], _mm256_madd_epi16(pixels, low_weights));
                }
            }
            for (int index = 0; index < 4; index += 1) {
                store_pixel(
                    to + (size_t)index * target_stride, finish_pixel(high[index], low[index]));
            }
        }
    }
    rows_plain(
        source + row * source_stride, source_stride, row_count - row, windows,
        target + row * target_stride);
}

/// 8 sums, narrowed to 16 bits: 128-bit halves stay apart, as _mm256_packs_epi32 keeps them.
AVX2 static inline __m256i finish_sums(__m256i high, __m256i low) {
    __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high, LOW_BITS), low);
    return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(HALF)), FRACTION_BITS);
}

/// One output row: 32 bytes at a time, two taps at a time.
AVX2 static void column_avx2(
    const uint8_t *source, size_t source_stride, size_t row_byte_count, const int32_t *weights,
    int32_t count, uint8_t *target) {
    size_t x = 0;
    const __m256i zero = _mm256_setzero_si256();
    for (; x + 32 <= row_byte_count; x += 32) {
        __m256i high[4], low[4];
        for (int part = 0; part < 4; part += 1) {
            high[part] = zero;
            low[part] = zero;
        }
        for (int32_t tap = 0; tap < count; tap += 2) {
            const uint8_t *from = source + (size_t)tap * source_stride + x;
            int32_t first = weights[tap];
            int32_t second = 0;
            __m256i a = _mm256_loadu_si256((const __m256i *)from);
            __m256i b = a;
            if (tap + 1 < count) {
                second = weights[tap + 1];
                b = _mm256_loadu_si256((const __m256i *)(from + source_stride));
            }
            __m256i high_weights = _mm256_set1_epi32(
                (int32_t)((uint32_t)(second >> LOW_BITS) << 16 | (uint32_t)(first >> LOW_BITS)));
            __m256i low_weights = _mm256_set1_epi32(
                (int32_t)((uint32_t)(second & LOW_MASK) << 16 | (uint32_t)(first & LOW_MASK)));
            __m256i left = _mm256_unpacklo_epi8(a, b);
            __m256i right = _mm256_unpackhi_epi8(a, b);
            __m256i pairs[4] = {
                _mm256_unpacklo_epi8(left, zero), _mm256_unpackhi_epi8(left, zero),
                _mm256_unpacklo_epi8(right, zero), _mm256_unpackhi_epi8(right, zero)};
            for (int part = 0; part < 4; part += 1) {
                high[part] =
                    _mm256_add_epi32(high[part], _mm256_madd_epi16(pairs[part], high_weights));
                low[part] =
                    _mm256_add_epi32(low[part], _mm256_madd_epi16(pairs[part], low_weights));
            }
        }
        // The unpacking above keeps 128-bit halves apart, and so does the packing: the order is restored.
        __m256i first =
            _mm256_packs_epi32(finish_sums(high[0], low[0]), finish_sums(high[1], low[1]));
        __m256i second =
            _mm256_packs_epi32(finish_sums(high[2], low[2]), finish_sums(high[3], low[3]));
        _mm256_storeu_si256((__m256i *)(target + x), _mm256_packus_epi16(first, second));
    }
    columns_plain(source, source_stride, x, row_byte_count, weights, count, target);
}
#endif

int ckernels_resample_best_path(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) { return CKERNELS_RESAMPLE_AVX2; }
#endif
    return CKERNELS_RESAMPLE_PLAIN;
}

void ckernels_resample_rows(
    int path, const uint8_t *source, size_t source_byte_count, size_t source_stride,
    size_t row_count, ckernels_resample_windows windows, uint8_t *target) {
#if defined(__x86_64__)
    if (path == CKERNELS_RESAMPLE_AVX2) {
        rows_avx2(source, source_byte_count, source_stride, row_count, windows, target);
        return;
    }
#endif
    (void)path;
    (void)source_byte_count;
    rows_plain(source, source_stride, row_count, windows, target);
}

void ckernels_resample_columns(
    int path, const uint8_t *source, size_t source_stride, size_t row_byte_count,
    ckernels_resample_windows windows, uint8_t *target) {
    for (size_t y = 0; y < windows.output_count; y += 1) {
        const uint8_t *from = source + (size_t)windows.starts[y] * source_stride;
        const int32_t *weights = windows.weights + y * windows.weight_stride;
        uint8_t *to = target + y * row_byte_count;
#if defined(__x86_64__)
        if (path == CKERNELS_RESAMPLE_AVX2) {
            column_avx2(from, source_stride, row_byte_count, weights, windows.counts[y], to);
            continue;
        }
#endif
        (void)path;
        columns_plain(from, source_stride, 0, row_byte_count, weights, windows.counts[y], to);
    }
}
