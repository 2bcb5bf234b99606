// The training kernels: which instructions they use, and what is too short to matter.
#include "training.h"

#include "convolution.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

extern const ck_training_loops ck_training_plain;
#if defined(__x86_64__)
extern const ck_training_loops ck_training_avx2, ck_training_avx512, ck_training_avx512_bf16;

static const ck_training_loops *const all_loops[] = {
    &ck_training_plain, &ck_training_avx2, &ck_training_avx512, &ck_training_avx512_bf16};

int ck_training_level(void) {
    switch (ck_best_instructions()) {
    case CK_AVX512_BF16: return 3;
    case CK_AVX512: return 2;
    default: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 1 : 0;
    }
}
#else
static const ck_training_loops *const all_loops[] = {&ck_training_plain};

int ck_training_level(void) { return 0; }
#endif

const ck_training_loops *ck_training_loops_of(int level) { return all_loops[level]; }

static const ck_training_loops *loops(void) { return all_loops[ck_training_level()]; }

// MARK: Batch norm

void ck_moments(const void *x, ck_type type, int64_t pixels, int32_t channels, double *part) {
    loops()->moments(x, type, pixels, channels, part);
}

/// Channels whose moments are joined at once.
#define CHANNEL_BLOCK 64

CLONES void ck_combine_moments(const double *parts, int32_t count, int64_t pixels, int32_t channels,
                               float *moments) {
    for (int32_t start = 0; start < channels; start += CHANNEL_BLOCK) {
        const int32_t block = channels - start < CHANNEL_BLOCK ? channels - start : CHANNEL_BLOCK;
        double means[CHANNEL_BLOCK] = {0}, squares[CHANNEL_BLOCK] = {0};
        for (int32_t p = 0; p < count; p++) {
            const double *part = parts + (int64_t)p * 2 * channels + start;
            const double share = 1.0 / (p + 1), between = (double)pixels * p * share;
            for (int32_t c = 0; c < block; c++) {
                double delta = part[c] - means[c];
                means[c] += delta * share;
                squares[c] += part[channels + c] + delta * delta * between;
            }
        }
        for (int32_t c = 0; c < block; c++) {
            moments[start + c] = (float)means[c];
            moments[channels + start + c] = (float)(squares[c] / ((double)pixels * count));
        }
    }
}

void ck_affine_of_moments(const float *moments, const float *scale, const float *shift, float epsilon,
                          int32_t channels, float *affine) {
    for (int32_t c = 0; c < channels; c++) {
        // The shift is made for the factor as it was rounded, so that x near its mean loses nothing to that.
        float factor = (float)((double)scale[c] / sqrt((double)moments[channels + c] + (double)epsilon));
        affine[c] = factor;
        affine[channels + c] = (float)((double)shift[c] - (double)moments[c] * (double)factor);
    }
}

void ck_affine(const void *x, ck_type type, const float *affine, bool relu, int64_t pixels, int32_t channels,
               void *out) {
    loops()->affine(x, type, affine, relu, pixels, channels, out);
}

void ck_join(const void *x, ck_type type, const float *affine, const void *other, const float *other_affine,
             bool relu, int64_t pixels, int32_t channels, void *out) {
    loops()->join(x, type, affine, other, other_affine, relu, pixels, channels, out);
}

void ck_gradient_sums(const void *g, const void *x, ck_type type, ck_mask mask, const float *affine, const void *y,
                      const float *moments, float epsilon, int64_t pixels, int32_t channels, void *masked,
                      double *part) {
    loops()->gradient_sums(g, x, type, mask, affine, y, moments, epsilon, pixels, channels, masked, part);
}

CLONES void ck_combine_sums(const double *parts, int32_t count, int64_t size, int64_t first, int64_t end,
                            float *out) {
    for (int64_t start = first; start < end; start += CHANNEL_BLOCK) {
        const int64_t block = end - start < CHANNEL_BLOCK ? end - start : CHANNEL_BLOCK;
        double sums[CHANNEL_BLOCK] = {0};
        for (int32_t p = 0; p < count; p++) {
            const double *part = parts + p * size + start;
            for (int64_t i = 0; i < block; i++) { sums[i] += part[i]; }
        }
        for (int64_t i = 0; i < block; i++) { out[start + i] = (float)sums[i]; }
    }
}

void ck_gradient_coefficients(const float *moments, const float *scale, const float *sums, float epsilon,
                              int64_t count, int32_t channels, float *coefficients) {
    for (int32_t c = 0; c < channels; c++) {
        const double rate = 1 / sqrt((double)moments[channels + c] + (double)epsilon);
        const double factor = (double)scale[c] * rate;
        const float slope = (float)(-factor * rate * (double)sums[channels + c] / (double)count);
        coefficients[c] = (float)factor;
        coefficients[channels + c] = slope;
        coefficients[2 * channels + c] =
            (float)(-factor * (double)sums[c] / (double)count - (double)slope * (double)moments[c]);
    }
}

void ck_normalize_gradient(const void *g, const void *x, ck_type type, ck_mask mask, const float *affine,
                           const void *y, const float *coefficients, int64_t pixels, int32_t channels, void *out) {
    loops()->normalize_gradient(g, x, type, mask, affine, y, coefficients, pixels, channels, out);
}

void ck_channel_sums(const void *x, ck_type type, int64_t pixels, int32_t channels, double *part) {
    loops()->channel_sums(x, type, pixels, channels, part);
}

// MARK: Other gradients

void ck_relu_gradient(const void *g, const void *y, ck_type type, int64_t first, int64_t end, void *out) {
    loops()->relu_gradient(g, y, type, first, end, out);
}

void ck_max_pool_indices(const ck_pooling *pooling, const void *input, int64_t first, int64_t end, void *out,
                         uint8_t *indices) {
    loops()->max_pool_indices(pooling, input, first, end, out, indices);
}

void ck_max_pool_gradient(const ck_pooling *pooling, const void *g, const uint8_t *indices, int64_t first,
                          int64_t end, void *out) {
    loops()->max_pool_gradient(pooling, g, indices, first, end, out);
}

void ck_average_gradient(const void *g, ck_type type, int64_t first, int64_t end, int32_t pixels,
                         int32_t channels, void *out) {
    loops()->average_gradient(g, type, first, end, pixels, channels, out);
}

// MARK: Optimizer

void ck_momentum_step(const ck_momentum *rule, const float *w, const float *g, const float *v, const float *rate,
                      const float *factor, int64_t first, int64_t end, float *new_v, float *new_w) {
    loops()->momentum_step(rule, w, g, v, rate, factor, first, end, new_v, new_w);
}

void ck_squared_norm(const void *x, ck_type type, int64_t first, int64_t end, double *part) {
    loops()->squared_norm(x, type, first, end, part);
}

CLONES void ck_count_non_finite(const void *x, ck_type type, int64_t first, int64_t end, double *part) {
    uint32_t found = 0;
    if (type == CK_BFLOAT16) {
        const uint16_t *bits = x;
        for (int64_t i = first; i < end; i++) { found |= (bits[i] & 0x7F80) == 0x7F80; }
    } else {
        const uint32_t *bits = x;
        for (int64_t i = first; i < end; i++) { found |= (bits[i] & 0x7F800000) == 0x7F800000; }
    }
    *part = found;
}

void ck_select(const float *condition, const void *a, const void *b, int64_t first, int64_t end, void *out) {
    const void *from = *condition != 0 ? a : b;
    if (from != out) { memmove((char *)out + first, (const char *)from + first, (size_t)(end - first)); }
}

void ck_moving_average(const float *old, const float *new_values, const float *share, int64_t first, int64_t end,
                       float *out) {
    loops()->moving_average(old, new_values, share, first, end, out);
}

void ck_multiply(const void *x, const void *factor, ck_type type, bool scalar, int64_t first, int64_t end,
                 void *out) {
    loops()->multiply(x, factor, type, scalar, first, end, out);
}
