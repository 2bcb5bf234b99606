#ifndef RESNET_TILE_AVX512_H
#define RESNET_TILE_AVX512_H

// What the AVX-512 kernels share: element conversions and the end of a sum.
#include "convolution.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define AVX512_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))

CK_INLINE AVX512 __m512 widen(__m256i bits) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

/// Rounds to nearest, ties to even; not-a-number stays one.
CK_INLINE AVX512 __m256i narrow(__m512 value) {
    __m512i bits = _mm512_castps_si512(value);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
    __mmask16 unordered = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
    rounded = _mm512_mask_or_epi32(rounded, unordered, bits, _mm512_set1_epi32(0x400000));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
}

/// The first `left` of 16 lanes.
CK_INLINE AVX512 __mmask16 lanes(int32_t left) {
    return left >= 16 ? 0xFFFF : left <= 0 ? 0 : (__mmask16)((1u << left) - 1);
}

/// Adds the residual, activates and stores 16 sums at element `place`.
CK_INLINE AVX512 void finish_sums(__m512 sums, void *out, ck_type type, const void *residual, bool relu,
                                  int64_t place, __mmask16 mask) {
    // Whole vectors go without masks: a masked load right after stores takes several times as long as others.
    const bool whole = mask == 0xFFFF;
    if (residual && type == CK_BFLOAT16) {
        const uint16_t *from = (const uint16_t *)residual + place;
        __m256i bits = whole ? _mm256_loadu_si256((const __m256i *)from) : _mm256_maskz_loadu_epi16(mask, from);
        sums = _mm512_add_ps(sums, widen(bits));
    } else if (residual) {
        const float *from = (const float *)residual + place;
        sums = _mm512_add_ps(sums, whole ? _mm512_loadu_ps(from) : _mm512_maskz_loadu_ps(mask, from));
    }
    // The operand order lets not-a-number pass.
    if (relu) { sums = _mm512_max_ps(_mm512_setzero_ps(), sums); }
    if (type == CK_BFLOAT16 && whole) {
        _mm256_storeu_si256((__m256i *)((uint16_t *)out + place), narrow(sums));
    } else if (type == CK_BFLOAT16) {
        _mm256_mask_storeu_epi16((uint16_t *)out + place, mask, narrow(sums));
    } else if (whole) {
        _mm512_storeu_ps((float *)out + place, sums);
    } else {
        _mm512_mask_storeu_ps((float *)out + place, mask, sums);
    }
}

#endif
#endif
