// Tiles of a convolution in registers: up to 24 accumulators of 16 output channels, the filter loaded once a
// step and each input element broadcast. Two multiply-adds a cycle against fewer than two loads.
#include "tile_avx512.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

/// Residual, activation and store of one vector.
CK_INLINE AVX512 void finish(const ck_tile *tile, __m512 sums, int pixel, int vector) {
    finish_sums(sums, tile->out, tile->out_type, tile->residual, tile->relu,
                pixel * tile->out_stride + 16 * vector, lanes(tile->channels - 16 * vector));
}

/// Asks for the residual of a tile while its sums are made: it is long out of the cache, and with few products to a
/// sum there is no time to wait for it at the end.
CK_INLINE AVX512 void prefetch_residual(const ck_tile *tile, const int pixels, const int row_bytes,
                                        const int element_bytes) {
    if (!tile->residual) { return; }
#pragma unroll
    for (int p = 0; p < pixels; p++) {
        const char *row = (const char *)tile->residual + p * tile->out_stride * element_bytes;
#pragma unroll
        for (int byte = 0; byte < row_bytes; byte += 64) { __builtin_prefetch(row + byte); }
    }
}

CK_INLINE AVX512 void tile_float32(const ck_tile *tile, const int vectors, const int pixels) {
    prefetch_residual(tile, pixels, 64 * vectors, 4);
    __m512 sums[CK_MOST_PIXELS][4];
#pragma unroll
    for (int p = 0; p < pixels; p++) {
#pragma unroll
        for (int v = 0; v < vectors; v++) { sums[p][v] = _mm512_loadu_ps(tile->bias + 16 * v); }
    }
    const float *filter = tile->filter;
    const void *const *addresses = tile->addresses;
    const int64_t depth = tile->depth;
    for (int32_t tap = 0; tap < tile->taps; tap++) {
        const float *input[CK_MOST_PIXELS];
#pragma unroll
        for (int p = 0; p < pixels; p++) { input[p] = addresses[p]; }
        addresses += pixels;
        for (int64_t k = 0; k < depth; k++) {
            __m512 filters[4];
#pragma unroll
            for (int v = 0; v < vectors; v++) { filters[v] = _mm512_loadu_ps(filter + 16 * v); }
            filter += 16 * vectors;
#pragma unroll
            for (int p = 0; p < pixels; p++) {
                __m512 x = _mm512_set1_ps(input[p][k]);
#pragma unroll
                for (int v = 0; v < vectors; v++) {
                    sums[p][v] = _mm512_fmadd_ps(filters[v], x, sums[p][v]);
                }
            }
        }
    }
    if (tile->raw) {
#pragma unroll
        for (int p = 0; p < pixels; p++) {
#pragma unroll
            for (int v = 0; v < vectors; v++) {
                _mm512_storeu_ps((float *)tile->out + p * tile->out_stride + 16 * v, sums[p][v]);
            }
        }
        return;
    }
#pragma unroll
    for (int p = 0; p < pixels; p++) {
#pragma unroll
        for (int v = 0; v < vectors; v++) { finish(tile, sums[p][v], p, v); }
    }
}

CK_INLINE AVX512_BF16 void tile_bfloat16(const ck_tile *tile, const int vectors, const int pixels) {
    prefetch_residual(tile, pixels, 32 * vectors, 2);
    __m512 sums[CK_MOST_PIXELS][4];
#pragma unroll
    for (int p = 0; p < pixels; p++) {
#pragma unroll
        for (int v = 0; v < vectors; v++) { sums[p][v] = _mm512_loadu_ps(tile->bias + 16 * v); }
    }
    const uint16_t *filter = tile->filter;
    const void *const *addresses = tile->addresses;
    const int64_t pairs = tile->depth / 2;
    const bool odd = tile->depth % 2 != 0;
    for (int32_t tap = 0; tap < tile->taps; tap++) {
        const uint16_t *input[CK_MOST_PIXELS];
#pragma unroll
        for (int p = 0; p < pixels; p++) { input[p] = addresses[p]; }
        addresses += pixels;
        for (int64_t k = 0; k < pairs; k++) {
            __m512bh filters[4];
#pragma unroll
            for (int v = 0; v < vectors; v++) {
                filters[v] = (__m512bh)_mm512_loadu_si512(filter + 32 * v);
            }
            filter += 32 * vectors;
#pragma unroll
            for (int p = 0; p < pixels; p++) {
                int32_t two;
                memcpy(&two, input[p] + 2 * k, sizeof two);
                __m512bh x = (__m512bh)_mm512_set1_epi32(two);
#pragma unroll
                for (int v = 0; v < vectors; v++) {
                    sums[p][v] = _mm512_dpbf16_ps(sums[p][v], filters[v], x);
                }
            }
        }
        if (odd) {
#pragma unroll
            for (int p = 0; p < pixels; p++) {
                __m512bh x = (__m512bh)_mm512_set1_epi32(input[p][2 * pairs]);
#pragma unroll
                for (int v = 0; v < vectors; v++) {
                    __m512bh f = (__m512bh)_mm512_loadu_si512(filter + 32 * v);
                    sums[p][v] = _mm512_dpbf16_ps(sums[p][v], f, x);
                }
            }
            filter += 32 * vectors;
        }
    }
    if (tile->out_type == CK_BFLOAT16 && tile->channels >= 16 * vectors) {
        // Whole vectors: no masks, and a floor of zero or minus infinity in place of a branch.
        const __m512 floor = tile->relu ? _mm512_setzero_ps() : _mm512_set1_ps(-INFINITY);
        uint16_t *out = tile->out;
        const uint16_t *residual = tile->residual;
        if (residual) {
#pragma unroll
            for (int p = 0; p < pixels; p++) {
#pragma unroll
                for (int v = 0; v < vectors; v++) {
                    const uint16_t *from = residual + p * tile->out_stride + 16 * v;
                    __m256i bits = _mm256_loadu_si256((const __m256i *)from);
                    sums[p][v] = _mm512_add_ps(sums[p][v], widen(bits));
                }
            }
        }
#pragma unroll
        for (int p = 0; p < pixels; p++) {
#pragma unroll
            for (int v = 0; v < vectors; v++) {
                __m256bh bits = _mm512_cvtneps_pbh(_mm512_max_ps(floor, sums[p][v]));
                _mm256_storeu_si256((__m256i *)(out + p * tile->out_stride + 16 * v), (__m256i)bits);
            }
        }
        return;
    }
    if (tile->raw) {
#pragma unroll
        for (int p = 0; p < pixels; p++) {
#pragma unroll
            for (int v = 0; v < vectors; v++) {
                _mm512_storeu_ps((float *)tile->out + p * tile->out_stride + 16 * v, sums[p][v]);
            }
        }
        return;
    }
#pragma unroll
    for (int p = 0; p < pixels; p++) {
#pragma unroll
        for (int v = 0; v < vectors; v++) { finish(tile, sums[p][v], p, v); }
    }
}

#define KERNEL(V, P) \
    AVX512 static void float32_##V##_##P(const ck_tile *tile) { tile_float32(tile, V, P); } \
    AVX512_BF16 static void bfloat16_##V##_##P(const ck_tile *tile) { tile_bfloat16(tile, V, P); }
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
    static const ck_tile_kernel T##_kernels[4][CK_MOST_PIXELS] = { \
        {ROW_12(T, 1)}, {ROW_12(T, 2)}, {ROW_8(T, 3)}, {ROW_6(T, 4)}};
TABLE(float32)
TABLE(bfloat16)

ck_tile_kernel ck_tile_kernel_avx512_float32(int32_t vectors, int32_t pixels) {
    return float32_kernels[vectors - 1][pixels - 1];
}

ck_tile_kernel ck_tile_kernel_avx512_bfloat16(int32_t vectors, int32_t pixels) {
    return bfloat16_kernels[vectors - 1][pixels - 1];
}

ck_instructions ck_best_instructions(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw")
        || !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq")) {
        return CK_PLAIN;
    }
    return __builtin_cpu_supports("avx512bf16") ? CK_AVX512_BF16 : CK_AVX512;
}

bool ck_has_tiles(void) {
    unsigned a, b, c, d;
    // Leaf 7: AMX-TILE and AMX-BF16.
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 24 & 1) && (d >> 22 & 1);
}

#else

bool ck_has_tiles(void) { return false; }

ck_tile_kernel ck_tile_kernel_avx512_float32(int32_t vectors, int32_t pixels) { return NULL; }
ck_tile_kernel ck_tile_kernel_avx512_bfloat16(int32_t vectors, int32_t pixels) { return NULL; }
ck_instructions ck_best_instructions(void) { return CK_PLAIN; }

#endif
