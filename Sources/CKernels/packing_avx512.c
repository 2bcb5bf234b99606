// Packing of filters with AVX-512: rows of 16 channels as they are, or 16 x 16 blocks transposed. Masked loads take
// several times as long as others here, so that whole vectors go without.
#include "packing.h"
#include "tile_avx512.h"

#include <stdlib.h>

#if defined(__x86_64__)

/// Channels of most slabs.
#define CHANNELS 64

/// `lower` and `upper` by turns, as bfloat16 in pairs; subnormal numbers become zero, as they count for products.
CK_INLINE AVX512_BF16 __m512i pairs_of(__m512 lower, __m512 upper) {
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(upper, lower));
}

/// Transposes 16 x 16 elements of 4 bytes in place.
CK_INLINE AVX512 void transpose(__m512i rows[16]) {
    __m512i other[16];
    // 2 x 2 blocks of elements, then of pairs, within each 128 bits; then of 128 bits.
#pragma unroll
    for (int i = 0; i < 8; i++) {
        other[2 * i] = _mm512_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]);
        other[2 * i + 1] = _mm512_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]);
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        rows[4 * i] = _mm512_unpacklo_epi64(other[4 * i], other[4 * i + 2]);
        rows[4 * i + 1] = _mm512_unpackhi_epi64(other[4 * i], other[4 * i + 2]);
        rows[4 * i + 2] = _mm512_unpacklo_epi64(other[4 * i + 1], other[4 * i + 3]);
        rows[4 * i + 3] = _mm512_unpackhi_epi64(other[4 * i + 1], other[4 * i + 3]);
    }
    // Row 4 i + j has column 4 q + j of rows 4 i ..< 4 i + 4 in its quarter q.
#pragma unroll
    for (int j = 0; j < 4; j++) {
        other[j] = _mm512_shuffle_i32x4(rows[j], rows[4 + j], 0x88);
        other[4 + j] = _mm512_shuffle_i32x4(rows[j], rows[4 + j], 0xDD);
        other[8 + j] = _mm512_shuffle_i32x4(rows[8 + j], rows[12 + j], 0x88);
        other[12 + j] = _mm512_shuffle_i32x4(rows[8 + j], rows[12 + j], 0xDD);
    }
#pragma unroll
    for (int j = 0; j < 4; j++) {
        rows[j] = _mm512_shuffle_i32x4(other[j], other[8 + j], 0x88);
        rows[8 + j] = _mm512_shuffle_i32x4(other[j], other[8 + j], 0xDD);
        rows[4 + j] = _mm512_shuffle_i32x4(other[4 + j], other[12 + j], 0x88);
        rows[12 + j] = _mm512_shuffle_i32x4(other[4 + j], other[12 + j], 0xDD);
    }
}

AVX512_BF16 void ck_pack_filter_pairs(const ck_filter_part *part) {
    uint16_t *out = part->out;
    const int32_t pairs = (part->depth + 1) / 2;
    const int64_t stride = part->stride;
    const int32_t channels = part->channels, width = part->width;
    if (!part->transposed) {
        for (int32_t pair = 0; pair < pairs; pair++) {
            const float *row = part->filter + 2 * pair * stride;
            const bool both = 2 * pair + 1 < part->depth;
            if (both && channels == CHANNELS) {
#pragma unroll
                for (int32_t o = 0; o < CHANNELS; o += 16) {
                    __m512i two = pairs_of(_mm512_loadu_ps(row + o), _mm512_loadu_ps(row + stride + o));
                    _mm512_storeu_si512(out + 2 * o, two);
                }
            } else {
                for (int32_t o = 0; o < width; o += 16) {
                    const __mmask16 mask = lanes(channels - o);
                    __m512 lower = _mm512_maskz_loadu_ps(mask, row + o);
                    __m512 upper = both ? _mm512_maskz_loadu_ps(mask, row + stride + o) : _mm512_setzero_ps();
                    _mm512_storeu_si512(out + 2 * o, pairs_of(lower, upper));
                }
            }
            out += 2 * width;
        }
        return;
    }
    for (int32_t o = 0; o < width; o += 16) {
        const float *from = part->filter + o * stride;
        for (int32_t k = 0; k < part->depth; k += 32) {
            const int32_t count = pairs - k / 2 < 16 ? pairs - k / 2 : 16;
            __m512i block[16];
            if (channels - o >= 16 && part->depth - k >= 32) {
#pragma unroll
                for (int i = 0; i < 16; i++) {
                    const float *row = from + i * stride + k;
                    block[i] = (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(row + 16), _mm512_loadu_ps(row));
                }
            } else {
                const __mmask16 lower = lanes(part->depth - k), upper = lanes(part->depth - k - 16);
#pragma unroll
                for (int i = 0; i < 16; i++) {
                    const bool exists = o + i < channels;
                    const float *row = from + (exists ? i * stride + k : 0);
                    block[i] = (__m512i)_mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(exists ? upper : 0, row + 16),
                                                            _mm512_maskz_loadu_ps(exists ? lower : 0, row));
                }
            }
            transpose(block);
            uint16_t *to = out + ((int64_t)(k / 2) * width + o) * 2;
#pragma unroll
            for (int i = 0; i < 16; i++) {
                if (i < count) { _mm512_storeu_si512(to + (int64_t)i * width * 2, block[i]); }
            }
        }
    }
}

AVX512 void ck_pack_filter_rows(const ck_filter_part *part) {
    float *out = part->out;
    const int64_t stride = part->stride;
    const int32_t channels = part->channels, width = part->width, depth = part->depth;
    if (!part->transposed) {
        const float *row = part->filter;
        for (int32_t k = 0; k < depth; k++) {
            if (channels == CHANNELS) {
#pragma unroll
                for (int32_t o = 0; o < CHANNELS; o += 16) { _mm512_storeu_ps(out + o, _mm512_loadu_ps(row + o)); }
            } else {
                for (int32_t o = 0; o < width; o += 16) {
                    _mm512_storeu_ps(out + o, _mm512_maskz_loadu_ps(lanes(channels - o), row + o));
                }
            }
            row += stride;
            out += width;
        }
        return;
    }
    for (int32_t o = 0; o < width; o += 16) {
        const float *from = part->filter + o * stride;
        for (int32_t k = 0; k < depth; k += 16) {
            const int32_t count = depth - k < 16 ? depth - k : 16;
            __m512i block[16];
            if (channels - o >= 16 && count == 16) {
#pragma unroll
                for (int i = 0; i < 16; i++) { block[i] = _mm512_loadu_epi32(from + i * stride + k); }
            } else {
#pragma unroll
                for (int i = 0; i < 16; i++) {
                    const bool exists = o + i < channels;
                    const float *row = from + (exists ? i * stride + k : 0);
                    block[i] = _mm512_maskz_loadu_epi32(exists ? lanes(count) : 0, row);
                }
            }
            transpose(block);
            float *to = out + (int64_t)k * width + o;
#pragma unroll
            for (int i = 0; i < 16; i++) {
                if (i < count) { _mm512_storeu_si512(to + (int64_t)i * width, block[i]); }
            }
        }
    }
}

// MARK: Winograd

/// U = G g Gt of 16 filters.
CK_INLINE AVX512 void transform_filters(const __m512 g[9], __m512 u[16]) {
    const __m512 half = _mm512_set1_ps(0.5f);
    __m512 rows[4][3];
#pragma unroll
    for (int j = 0; j < 3; j++) {
        rows[0][j] = g[j];
        rows[1][j] = _mm512_mul_ps(_mm512_add_ps(_mm512_add_ps(g[j], g[3 + j]), g[6 + j]), half);
        rows[2][j] = _mm512_mul_ps(_mm512_add_ps(_mm512_sub_ps(g[j], g[3 + j]), g[6 + j]), half);
        rows[3][j] = g[6 + j];
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        __m512 a = rows[i][0], b = rows[i][1], c = rows[i][2];
        u[4 * i] = a;
        u[4 * i + 1] = _mm512_mul_ps(_mm512_add_ps(_mm512_add_ps(a, b), c), half);
        u[4 * i + 2] = _mm512_mul_ps(_mm512_add_ps(_mm512_sub_ps(a, b), c), half);
        u[4 * i + 3] = c;
    }
}

/// The transforms of 16 filters from `offset` on.
CK_INLINE AVX512 void load_filters(const ck_winograd_part *part, int64_t offset, __mmask16 mask, __m512 u[16]) {
    __m512 g[9];
    if (mask == 0xFFFF) {
#pragma unroll
        for (int tap = 0; tap < 9; tap++) { g[tap] = _mm512_loadu_ps(part->taps[tap] + offset); }
    } else {
#pragma unroll
        for (int tap = 0; tap < 9; tap++) { g[tap] = _mm512_maskz_loadu_ps(mask, part->taps[tap] + offset); }
    }
    transform_filters(g, u);
}

/// The first of the two input channels that are pair `pair` of bfloat16; the second is 2 further.
CK_INLINE int32_t channel_of_pair(int32_t pair) { return pair / 16 * 32 + pair % 8 * 4 + pair % 16 / 8; }

AVX512_BF16 static void winograd_pairs(const ck_winograd_part *part) {
    const int32_t padded = (part->depth + 31) / 32 * 32;
    for (int32_t pair = 0; pair < padded / 2; pair++) {
        const int32_t k = channel_of_pair(pair);
        for (int32_t o = 0; o < part->width; o += 16) {
            const __mmask16 mask = lanes(part->channels - o);
            const bool first = k < part->depth, second = k + 2 < part->depth;
            __m512 lower[16], upper[16];
            load_filters(part, first ? k * part->stride + o : 0, first ? mask : 0, lower);
            load_filters(part, second ? (k + 2) * part->stride + o : 0, second ? mask : 0, upper);
            uint16_t *to = (uint16_t *)part->out + ((int64_t)pair * part->width + o) * 2;
#pragma unroll
            for (int position = 0; position < 16; position++) {
                _mm512_storeu_si512(to + position * part->position_stride,
                                    pairs_of(lower[position], upper[position]));
            }
        }
    }
}

AVX512_BF16 static void winograd_pairs_transposed(const ck_winograd_part *part) {
    // Channels of 32 in their order: even ones, then odd ones.
    const __m512i order = _mm512_set_epi16(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1, 30, 28, 26, 24,
                                           22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    for (int32_t k = 0; k < part->depth; k += 32) {
        const __mmask16 lower = lanes(part->depth - k), upper = lanes(part->depth - k - 16);
        for (int32_t o = 0; o < part->width; o += 16) {
            __m512i blocks[16][16];
            for (int32_t i = 0; i < 16; i++) {
                const bool exists = o + i < part->channels, more = exists && upper;
                const int64_t offset = exists ? (o + i) * part->stride + k : 0;
                __m512 a[16], b[16];
                load_filters(part, offset, exists ? lower : 0, a);
                load_filters(part, more ? offset + 16 : 0, more ? upper : 0, b);
#pragma unroll
                for (int position = 0; position < 16; position++) {
                    __m512i both = (__m512i)_mm512_cvtne2ps_pbh(b[position], a[position]);
                    blocks[position][i] = _mm512_permutexvar_epi16(order, both);
                }
            }
            for (int32_t position = 0; position < 16; position++) {
                uint16_t *to = (uint16_t *)part->out + position * part->position_stride
                    + ((int64_t)(k / 2) * part->width + o) * 2;
                __m512i block[16];
#pragma unroll
                for (int i = 0; i < 16; i++) { block[i] = blocks[position][i]; }
                transpose(block);
#pragma unroll
                for (int i = 0; i < 16; i++) { _mm512_storeu_si512(to + (int64_t)i * part->width * 2, block[i]); }
            }
        }
    }
}

AVX512 static void winograd_rows(const ck_winograd_part *part) {
    const int32_t padded = (part->depth + 31) / 32 * 32;
    for (int32_t k = 0; k < padded; k++) {
        for (int32_t o = 0; o < part->width; o += 16) {
            const __mmask16 mask = k < part->depth ? lanes(part->channels - o) : 0;
            __m512 u[16];
            load_filters(part, mask ? k * part->stride + o : 0, mask, u);
            float *to = (float *)part->out + (int64_t)k * part->width + o;
#pragma unroll
            for (int position = 0; position < 16; position++) {
                _mm512_storeu_ps(to + position * part->position_stride, u[position]);
            }
        }
    }
}

AVX512 static void winograd_rows_transposed(const ck_winograd_part *part) {
    const int32_t padded = (part->depth + 31) / 32 * 32;
    for (int32_t k = 0; k < padded; k += 16) {
        const __mmask16 mask = lanes(part->depth - k);
        for (int32_t o = 0; o < part->width; o += 16) {
            __m512 blocks[16][16];
            for (int32_t i = 0; i < 16; i++) {
                const bool exists = mask && o + i < part->channels;
                __m512 u[16];
                load_filters(part, exists ? (o + i) * part->stride + k : 0, exists ? mask : 0, u);
#pragma unroll
                for (int position = 0; position < 16; position++) { blocks[position][i] = u[position]; }
            }
            for (int32_t position = 0; position < 16; position++) {
                float *to = (float *)part->out + position * part->position_stride + (int64_t)k * part->width + o;
                __m512i block[16];
#pragma unroll
                for (int i = 0; i < 16; i++) { block[i] = _mm512_castps_si512(blocks[position][i]); }
                transpose(block);
#pragma unroll
                for (int i = 0; i < 16; i++) { _mm512_storeu_si512(to + (int64_t)i * part->width, block[i]); }
            }
        }
    }
}

void ck_pack_winograd_part(const ck_winograd_part *part) {
    if (part->type == CK_BFLOAT16) {
        if (part->transposed) { winograd_pairs_transposed(part); } else { winograd_pairs(part); }
    } else {
        if (part->transposed) { winograd_rows_transposed(part); } else { winograd_rows(part); }
    }
}

#else

void ck_pack_filter_pairs(const ck_filter_part *part) { abort(); }
void ck_pack_filter_rows(const ck_filter_part *part) { abort(); }
void ck_pack_winograd_part(const ck_winograd_part *part) { abort(); }

#endif
