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

/// Four neighbouring pixels of two rows, one row in each half.
AVX2 static inline __m256i load_two(const uint8_t *first, const uint8_t *second) {
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)first)),
        _mm_loadu_si128((const __m128i *)second), 1);
}

/// The rounded sums of one pixel in each half, narrowed to the first three bytes of the half.
AVX2 static inline __m256i finish_two(__m256i high, __m256i low) {
    __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high, LOW_BITS), low);
    sum = _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(HALF)), FRACTION_BITS);
    sum = _mm256_packs_epi32(sum, sum);
    return _mm256_packus_epi16(sum, sum);
}

static inline void store_pixel(uint8_t *target, int32_t pixel, int is_last) {
    if (is_last) {
        target[0] = (uint8_t)pixel;
        target[1] = (uint8_t)(pixel >> 8);
        target[2] = (uint8_t)(pixel >> 16);
    } else {
        // The fourth byte is the next pixel's, which is written after this one.
        memcpy(target, &pixel, 4);
    }
}

/// Two weights as the 16-bit halves of 32 bits.
static inline int32_t pair(int32_t first, int32_t second) {
    return (int32_t)((uint32_t)second << 16 | (uint32_t)first);
}

/// Four rows at a time, so that the weights of a window are split once for four pixels. Half a vector holds
/// one row's four taps, of which red, green and blue are multiplied in pairs: taps 0 and 1, then 2 and 3.
AVX2 static void rows_avx2(
    const uint8_t *source, size_t source_byte_count, size_t source_stride, size_t row_count,
    ckernels_resample_windows windows, uint8_t *target) {
    const __m256i front = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
    const __m256i back = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
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
            // Loads take 16 bytes for every 12.
            if (offset + (size_t)(count + 3) / 4 * 12 + 4 > readable) {
                for (size_t index = 0; index < 4; index += 1) {
                    resample_pixel(
                        first + index * source_stride + offset, weights, count,
                        to + index * target_stride);
                }
                continue;
            }
            __m256i high[2], low[2];
            for (int part = 0; part < 2; part += 1) {
                high[part] = _mm256_setzero_si256();
                low[part] = _mm256_setzero_si256();
            }
            for (int32_t tap = 0; tap < count; tap += 4) {
                int32_t a = weights[tap];
                int32_t b = tap + 1 < count ? weights[tap + 1] : 0;
                int32_t c = tap + 2 < count ? weights[tap + 2] : 0;
                int32_t d = tap + 3 < count ? weights[tap + 3] : 0;
                __m256i high_front = _mm256_set1_epi32(pair(a >> LOW_BITS, b >> LOW_BITS));
                __m256i high_back = _mm256_set1_epi32(pair(c >> LOW_BITS, d >> LOW_BITS));
                __m256i low_front = _mm256_set1_epi32(pair(a & LOW_MASK, b & LOW_MASK));
                __m256i low_back = _mm256_set1_epi32(pair(c & LOW_MASK, d & LOW_MASK));
                const uint8_t *from = first + offset + 3 * tap;
                for (int part = 0; part < 2; part += 1, from += 2 * source_stride) {
                    __m256i pixels = load_two(from, from + source_stride);
                    __m256i left = _mm256_shuffle_epi8(pixels, front);
                    __m256i right = _mm256_shuffle_epi8(pixels, back);
                    high[part] = _mm256_add_epi32(
                        high[part], _mm256_add_epi32(
                                        _mm256_madd_epi16(left, high_front),
                                        _mm256_madd_epi16(right, high_back)));
                    low[part] = _mm256_add_epi32(
                        low[part], _mm256_add_epi32(
                                       _mm256_madd_epi16(left, low_front),
                                       _mm256_madd_epi16(right, low_back)));
                }
            }
            int is_last = x + 1 == windows.output_count;
            for (int part = 0; part < 2; part += 1) {
                __m256i sums = finish_two(high[part], low[part]);
                uint8_t *place = to + (size_t)part * 2 * target_stride;
                store_pixel(place, _mm256_extract_epi32(sums, 0), is_last);
                store_pixel(place + target_stride, _mm256_extract_epi32(sums, 4), is_last);
            }
        }
    }
    rows_plain(
        source + row * source_stride, source_stride, row_count - row, windows,
        target + row * target_stride);
}

/// Eight sums, rounded.
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
                pair(first >> LOW_BITS, second >> LOW_BITS));
            __m256i low_weights = _mm256_set1_epi32(
                pair(first & LOW_MASK, second & LOW_MASK));
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
