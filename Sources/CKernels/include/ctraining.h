#ifndef RESNET_CTRAINING_H
#define RESNET_CTRAINING_H

#include "ckernels.h"

// Kernels of the training step that are not convolutions. Activations are dense, channels innermost; `x`, `g` and
// `out` are of one element type. Sums over pixels are made in parts, each by one call and in a fixed order, and
// put together in order, so that no result depends on the number of threads. An output may be one of the inputs.

// MARK: Batch norm over `pixels` positions of `channels`

/// One part's moments: `[2][channels]`, the means and the sums of squared distances from them.
void ck_moments(const void *x, ck_type type, int64_t pixels, int32_t channels, double *part);
/// Moments `[2][channels]`, means and biased variances, of `parts` parts of `pixels` positions each.
void ck_combine_moments(const double *parts, int32_t count, int64_t pixels, int32_t channels, float *moments);
/// `[2][channels]`: the factor `scale / sqrt(variance + epsilon)`, and `shift - mean * factor`.
void ck_affine_of_moments(const float *moments, const float *scale, const float *shift, float epsilon,
                          int32_t channels, float *affine);
/// out = x * affine[0] + affine[1], then at least 0 where `relu`.
void ck_affine(const void *x, ck_type type, const float *affine, bool relu, int64_t pixels, int32_t channels,
               void *out);
/// out = x * affine[0] + affine[1] + other, then at least 0 where `relu`; `other` goes through an affine of its
/// own where that is given, and is taken as it is where it is NULL.
void ck_join(const void *x, ck_type type, const float *affine, const void *other, const float *other_affine,
             bool relu, int64_t pixels, int32_t channels, void *out);

/// Which elements of a gradient count: those where a ReLU let its operand pass.
typedef enum {
    /// All.
    CK_ALL = 0,
    /// Those where x * affine[0] + affine[1], rounded to the element type, is above 0.
    CK_WHERE_AFFINE,
    /// Those where `y` is above 0.
    CK_WHERE_Y
} ck_mask;

/// One part's sums `[2][channels]`: of g where it counts, and of that times (x - mean) / sqrt(variance + epsilon).
/// Where `masked` is given, g is written there with zeros where it does not count; it may be `g`.
void ck_gradient_sums(const void *g, const void *x, ck_type type, ck_mask mask, const float *affine, const void *y,
                      const float *moments, float epsilon, int64_t pixels, int32_t channels, void *masked,
                      double *part);
/// out[i] = the sum of parts[p][i] over `count` parts, for i in first ..< end.
void ck_combine_sums(const double *parts, int32_t count, int64_t size, int64_t first, int64_t end, float *out);
/// `[3][channels]` so that the gradient for x is g * c[0] + x * c[1] + c[2]; `count` positions in the batch.
void ck_gradient_coefficients(const float *moments, const float *scale, const float *sums, float epsilon,
                              int64_t count, int32_t channels, float *coefficients);
/// out = g * c[0] + x * c[1] + c[2], with g as 0 where it does not count.
void ck_normalize_gradient(const void *g, const void *x, ck_type type, ck_mask mask, const float *affine,
                           const void *y, const float *coefficients, int64_t pixels, int32_t channels, void *out);
/// One part's sums over pixels, `[channels]`.
void ck_channel_sums(const void *x, ck_type type, int64_t pixels, int32_t channels, double *part);

// MARK: Other gradients

/// out = g where y > 0, else 0; rows are elements.
void ck_relu_gradient(const void *g, const void *y, ck_type type, int64_t first, int64_t end, void *out);
/// As `ck_max_pool`, and where in its window the first of the largest is, or the first that is not a number.
/// `out` may be NULL. Rows are output rows
/// of all images.
void ck_max_pool_indices(const ck_pooling *pooling, const void *input, int64_t first, int64_t end, void *out,
                         uint8_t *indices);
/// The gradient for the input; rows are input rows of all images. Sums are float32.
void ck_max_pool_gradient(const ck_pooling *pooling, const void *g, const uint8_t *indices, int64_t first,
                          int64_t end, void *out);
/// out[image][pixel][channel] = g[image][channel] / pixels; rows are images.
void ck_average_gradient(const void *g, ck_type type, int64_t first, int64_t end, int32_t pixels,
                         int32_t channels, void *out);
/// Puts dense phases into a strided whole: out[i * high + a][j * wide + b] = phase (a, b) [i][j], zero where that
/// phase is NULL, plus `residual` at the same place where given. Phase (a, b) has `ceil((height - a) / high)` rows
/// and so on, images one after another. Rows are output rows of all images.
typedef struct {
    int32_t height, width, channels, high, wide;
    ck_type type;
} ck_spreading;
void ck_spread(const ck_spreading *spreading, const void *const *phases, const void *residual, int64_t first,
               int64_t end, void *out);

// MARK: Loss

typedef struct {
    int32_t images, classes;
    float smoothing;
    /// Whether targets are distributions `[images][classes]` of the logits' type rather than int32 labels.
    bool soft;
    ck_type type;
} ck_cross_entropy;
/// The mean loss; `weights` `[classes]` or NULL. Not-a-number where a label is outside the classes.
void ck_cross_entropy_loss(const ck_cross_entropy *loss, const void *logits, const void *targets,
                           const float *weights, float *out);
/// The gradient for the logits, times `*g`. Not-a-number where the loss is for its labels.
void ck_cross_entropy_gradient(const ck_cross_entropy *loss, const void *logits, const void *targets,
                               const float *weights, const float *g, void *out);
/// How many rows have their label among the `top` largest; of equal logits earlier classes count as larger, and
/// not-a-number as larger than any number.
void ck_correct_count(const void *logits, ck_type type, const int32_t *labels, int32_t images, int32_t classes,
                      int32_t top, float *out);

// MARK: Optimizer; float32, elements first ..< end

typedef struct {
    float momentum, weight_decay;
    bool nesterov, keras;
} ck_momentum;
/// One step of `MomentumRule` with d = *factor * g + weight_decay * w. Where `new_w` is NULL only the velocity is
/// written; where `new_v` is NULL, `v` is the new velocity and only the weight is written.
void ck_momentum_step(const ck_momentum *rule, const float *w, const float *g, const float *v, const float *rate,
                      const float *factor, int64_t first, int64_t end, float *new_v, float *new_w);
/// One part's sum of squares.
void ck_squared_norm(const void *x, ck_type type, int64_t first, int64_t end, double *part);
/// One part: 0 where all elements are finite, else 1.
void ck_count_non_finite(const void *x, ck_type type, int64_t first, int64_t end, double *part);
/// out = *condition != 0 ? a : b; bytes.
void ck_select(const float *condition, const void *a, const void *b, int64_t first, int64_t end, void *out);
/// out = old + *share * (new - old).
void ck_moving_average(const float *old, const float *new_values, const float *share, int64_t first, int64_t end,
                       float *out);
/// out = x * factor, by element, or by the one factor where `scalar`; both are of `type`.
void ck_multiply(const void *x, const void *factor, ck_type type, bool scalar, int64_t first, int64_t end,
                 void *out);

#endif
