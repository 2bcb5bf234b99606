#ifndef RESNET_LANES_H
#define RESNET_LANES_H

// Vectors of floats for loops that are written once and compiled for each instruction set. Who includes this
// compiles all that follows for one set, and says in BFLOAT16_INSTRUCTIONS whether it has those of AVX-512.
#include "convolution.h"

#include <float.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Everything here is inlined, so that no vector is ever passed.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float floats __attribute__((ext_vector_type(16)));
typedef uint32_t words __attribute__((ext_vector_type(16)));
typedef uint16_t halves __attribute__((ext_vector_type(16)));

/// 32 elements as floats: the first 16 and the others, or, where it is called split, those of bfloat16 at even
/// places and those at odd places, which costs half as much to make. float32 is the same either way.
typedef struct { floats a, b; } pair;

#define LANE_COUNT 32

/// Where to load all of 32 elements: `from`, or, where only `count` of them exist, a copy with zeros after them.
CK_INLINE const void *whole(const void *from, void *buffer, int32_t count, int32_t size) {
    if (count == LANE_COUNT) { return from; }
    memset(buffer, 0, (size_t)(LANE_COUNT * size));
    return memcpy(buffer, from, (size_t)(count * size));
}

/// Loads the first `count` of 32 floats, the others as 0.
CK_INLINE pair load_floats(const float *values, int32_t count) {
    float buffer[LANE_COUNT];
    const float *from = whole(values, buffer, count, sizeof(float));
    pair result;
    memcpy(&result.a, from, sizeof(floats));
    memcpy(&result.b, from + 16, sizeof(floats));
    return result;
}

CK_INLINE void store_floats(float *values, int32_t count, pair value) {
    if (count == LANE_COUNT) {
        memcpy(values, &value.a, sizeof(floats));
        memcpy(values + 16, &value.b, sizeof(floats));
    } else {
        memcpy(values, &value, (size_t)count * sizeof(float));
    }
}

CK_INLINE floats as_floats(words bits) {
    floats result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

CK_INLINE words as_words(floats value) {
    words result;
    memcpy(&result, &value, sizeof result);
    return result;
}

/// Loads 32 elements in order.
CK_INLINE pair load(const void *values, const ck_type type, int64_t place, int32_t count) {
    if (type == CK_FLOAT32) { return load_floats((const float *)values + place, count); }
    uint16_t buffer[LANE_COUNT];
    const uint16_t *from = whole((const uint16_t *)values + place, buffer, count, sizeof(uint16_t));
    halves a, b;
    memcpy(&a, from, sizeof a);
    memcpy(&b, from + 16, sizeof b);
    return (pair){as_floats(__builtin_convertvector(a, words) << 16),
                  as_floats(__builtin_convertvector(b, words) << 16)};
}

/// Loads 32 elements split.
CK_INLINE pair load_split(const void *values, const ck_type type, int64_t place, int32_t count) {
    if (type == CK_FLOAT32) { return load_floats((const float *)values + place, count); }
    uint16_t buffer[LANE_COUNT];
    words bits;
    memcpy(&bits, whole((const uint16_t *)values + place, buffer, count, sizeof(uint16_t)), sizeof bits);
    return (pair){as_floats(bits << 16), as_floats(bits & 0xFFFF0000u)};
}

/// Stores split elements that are of the type already.
CK_INLINE void store_split(void *values, const ck_type type, int64_t place, int32_t count, pair value) {
    if (type == CK_FLOAT32) {
        store_floats((float *)values + place, count, value);
    } else {
        words bits = as_words(value.a) >> 16 | as_words(value.b);
        memcpy((uint16_t *)values + place, &bits, count == LANE_COUNT ? 64 : (size_t)count * sizeof(uint16_t));
    }
}

/// From in order to split.
CK_INLINE pair split(pair v, const ck_type type) {
    if (type == CK_FLOAT32) { return v; }
    return (pair){
        __builtin_shufflevector(v.a, v.b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30),
        __builtin_shufflevector(v.a, v.b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)};
}

/// From split to in order.
CK_INLINE pair in_order(pair v, const ck_type type) {
    if (type == CK_FLOAT32) { return v; }
    return (pair){
        __builtin_shufflevector(v.a, v.b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
        __builtin_shufflevector(v.a, v.b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)};
}

/// Rounds to nearest, ties to even; not-a-number stays one.
CK_INLINE halves rounded(floats value) {
    words bits = as_words(value);
    words up = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    words unordered = (words)(value != value);
    return __builtin_convertvector((up & ~unordered) | (((bits >> 16) | 0x40) & unordered), halves);
}

/// Stores 32 elements that are in order.
CK_INLINE void store(void *values, const ck_type type, int64_t place, int32_t count, pair value) {
    if (type == CK_FLOAT32) {
        store_floats((float *)values + place, count, value);
        return;
    }
#if BFLOAT16_INSTRUCTIONS
    __m512bh both = _mm512_cvtne2ps_pbh((__m512)value.b, (__m512)value.a);
#else
    halves both[2] = {rounded(value.a), rounded(value.b)};
#endif
    memcpy((uint16_t *)values + place, &both, count == LANE_COUNT ? 64 : (size_t)count * sizeof(uint16_t));
}

/// Above this, and only there, a float is above 0 when `store` has rounded it. The instruction for bfloat16 takes
/// numbers below the least normal one for 0.
CK_INLINE float positive(const ck_type type) {
    if (type == CK_FLOAT32) { return 0; }
    return BFLOAT16_INSTRUCTIONS ? FLT_MIN - FLT_TRUE_MIN : 0x1p-134f;
}

CK_INLINE floats at_least_zero(floats value) {
    // Not-a-number passes.
    return value < 0.0f ? (floats)0.0f : value;
}

/// `value` where `above` is above `floor`, else 0.
CK_INLINE floats where_above(floats above, float floor, floats value) {
    return as_floats(as_words(value) & (words)(above > floor));
}

CK_INLINE pair times_plus(pair x, pair factor, pair sum) {
    // One expression each, so that they are fused where the instructions are there, everywhere alike.
    return (pair){x.a * factor.a + sum.a, x.b * factor.b + sum.b};
}

/// Asks for 32 elements that are needed soon. They may lie past the end.
CK_INLINE void prefetch(const void *values, const ck_type type, int64_t place) {
    const uintptr_t address = (uintptr_t)values + (uintptr_t)(place * (type == CK_BFLOAT16 ? 2 : 4));
    __builtin_prefetch((const void *)address);
    if (type == CK_FLOAT32) { __builtin_prefetch((const void *)(address + 64)); }
}

/// Pairs of vectors that are computed at once.
#define STRIP 2

// Walks `count` channels in strips: whole ones, then what is left by pairs, the last maybe partly.
#define FOR_STRIPS(count, call) \
    do { \
        int32_t c = 0; \
        for (; c + STRIP * LANE_COUNT <= (count); c += STRIP * LANE_COUNT) { call(c, STRIP, LANE_COUNT); } \
        for (; c < (count); c += LANE_COUNT) { \
            call(c, 1, (count) - c < LANE_COUNT ? (count) - c : LANE_COUNT); \
        } \
    } while (0)

// Each loop is written once and compiled for each element type, so that the type is no branch inside it.
#define FOR_TYPE(type, call) \
    do { if ((type) == CK_BFLOAT16) { call(CK_BFLOAT16); } else { call(CK_FLOAT32); } } while (0)

#endif
