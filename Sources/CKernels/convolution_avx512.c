// Tiles of a convolution in registers: up to 24 accumulators of 16 output channels, the filter loaded once a
// step and each input element broadcast. Two multiply-adds a cycle against fewer than two loads.
#include "convolution.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define AVX512_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))

CK_INLINE AVX512 __m512 widen(__m256i bits) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

CK_INLINE AVX512 __m256i narrow(__m512 value) {
    __m512i bits = _mm512_castps_si512(value);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
    __mmask16 unordered = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
    rounded = _mm512_mask_or_epi32(rounded, unordered, bits, _mm512_set1_epi32(0x400000));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
}

/// Residual, activation and store of one vector.
CK_INLINE AVX512 void finish(const ck_tile *tile, __m512 sum, int pixel, int vector) {
    int64_t place = pixel * tile->out_stride + 16 * vector;
    int left = tile->channels - 16 * vector;
    __mmask16 mask = left >= 16 ? 0xFFFF : left <= 0 ? 0 : (__mmask16)((1u << left) - 1);
    if (tile->residual) {
        if (tile->out_type == CK_BFLOAT16) {
            const uint16_t *residual = (const uint16_t *)tile->residual + place;
            sum = _mm512_add_ps(sum, widen(_mm256_maskz_loadu_epi16(mask, residual)));
        } else {
            const float *residual = (const float *)tile->residual + place;
            sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, residual));
        }
    }
    // The operand order makes not-a-number pass through, as in max(sum, 0) of the reference.
    if (tile->relu) { sum = _mm512_max_ps(_mm512_setzero_ps(), sum); }
    if (tile->out_type == CK_BFLOAT16) {
        _mm256_mask_storeu_epi16((uint16_t *)tile->out + place, mask, narrow(sum));
    } else {
        _mm512_mask_storeu_ps((float *)tile->out + place, mask, sum);
    }
}

CK_INLINE AVX512 void tile_float32(const ck_tile *tile, const int vectors, const int pixels) {
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
#pragma unroll
    for (int p = 0; p < pixels; p++) {
#pragma unroll
        for (int v = 0; v < vectors; v++) { finish(tile, sums[p][v], p, v); }
    }
}

CK_INLINE AVX512_BF16 void tile_bfloat16(const ck_tile *tile, const int vectors, const int pixels) {
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

#else

ck_tile_kernel ck_tile_kernel_avx512_float32(int32_t vectors, int32_t pixels) { return NULL; }
ck_tile_kernel ck_tile_kernel_avx512_bfloat16(int32_t vectors, int32_t pixels) { return NULL; }
ck_instructions ck_best_instructions(void) { return CK_PLAIN; }

#endif
