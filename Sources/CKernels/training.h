#ifndef RESNET_TRAINING_H
#define RESNET_TRAINING_H

#include "ctraining.h"

/// The loops of `ctraining.h` that are compiled once for each instruction set, each as the function of its name
/// there says.
typedef struct {
    void (*moments)(const void *x, ck_type type, int64_t pixels, int32_t channels, double *part);
    void (*affine)(const void *x, ck_type type, const float *affine, bool relu, int64_t pixels, int32_t channels,
                   void *out);
    void (*join)(const void *x, ck_type type, const float *affine, const void *other, const float *other_affine,
                 bool relu, int64_t pixels, int32_t channels, void *out);
    void (*gradient_sums)(const void *g, const void *x, ck_type type, ck_mask mask, const float *affine,
                          const void *y, const float *moments, float epsilon, int64_t pixels, int32_t channels,
                          void *masked, double *part);
    void (*normalize_gradient)(const void *g, const void *x, ck_type type, ck_mask mask, const float *affine,
                               const void *y, const float *coefficients, int64_t pixels, int32_t channels,
                               void *out);
    void (*channel_sums)(const void *x, ck_type type, int64_t pixels, int32_t channels, double *part);
    void (*relu_gradient)(const void *g, const void *y, ck_type type, int64_t first, int64_t end, void *out);
    void (*max_pool_indices)(const ck_pooling *pooling, const void *input, int64_t first, int64_t end, void *out,
                             uint8_t *indices);
    void (*max_pool_gradient)(const ck_pooling *pooling, const void *g, const uint8_t *indices, int64_t first,
                              int64_t end, void *out);
    void (*average_gradient)(const void *g, ck_type type, int64_t first, int64_t end, int32_t pixels,
                             int32_t channels, void *out);
    void (*momentum_step)(const ck_momentum *rule, const float *w, const float *g, const float *v,
                          const float *rate, const float *factor, int64_t first, int64_t end, float *new_v,
                          float *new_w);
    void (*squared_norm)(const void *x, ck_type type, int64_t first, int64_t end, double *part);
    void (*moving_average)(const float *old, const float *new_values, const float *share, int64_t first,
                           int64_t end, float *out);
    void (*multiply)(const void *x, const void *factor, ck_type type, bool scalar, int64_t first, int64_t end,
                     void *out);
} ck_training_loops;

/// The loops for instructions `level`, 0 to `ck_training_level()`: plain, AVX2, AVX-512, AVX-512 with bfloat16.
const ck_training_loops *ck_training_loops_of(int level);
/// The most that this machine has.
int ck_training_level(void);

#endif
