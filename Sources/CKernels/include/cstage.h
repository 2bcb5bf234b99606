#ifndef RESNET_CSTAGE_H
#define RESNET_CSTAGE_H

#include "cgradient.h"
#include "cprogram.h"
#include "ctraining.h"
#include "cwinograd.h"

// A training step is a list of stages with a barrier after each. A stage is one call whose units all threads share,
// or several calls that one thread makes for one chunk of the batch after another, so that what one call writes is
// still in the cache when the next reads it. Running allocates nothing. Who does what never changes a result.

/// Where an operand lies.
typedef enum {
    CK_AT_NOTHING = 0,
    /// The memory that all threads share.
    CK_AT_ARENA,
    /// The memory of the thread that makes the call.
    CK_AT_LOCAL,
    CK_AT_INPUT, CK_AT_OUTPUT, CK_AT_STATE, CK_AT_CONSTANT
} ck_memory;
typedef struct {
    ck_memory memory;
    /// Which input, output, state or constant.
    int32_t index;
    /// Bytes from its start, and from one chunk to the next.
    int64_t offset, step;
} ck_location;

#define CK_MOST_PHASES 16
#define CK_MOST_OPERANDS (CK_MOST_PHASES + 2)

typedef enum {
    // Convolutions: input, packed filter, bias, residual, out
    CK_STEP_CONVOLUTION = 0, CK_STEP_WINOGRAD,
    // gradient, x, affine, partial sums
    CK_STEP_FILTER_GRADIENT,
    // parts, out
    CK_STEP_SUM_PARTS,
    // filter, packed, taps as int32
    CK_STEP_PACK, CK_STEP_PACK_WINOGRAD,
    // a, out
    CK_STEP_MOVE_FILTER,
    // CK_MOST_PHASES phases or less, residual, out
    CK_STEP_SPREAD,
    // pixels, table, out
    CK_STEP_LOOK_UP,
    // x, part; parts, moments; moments, scale, shift, affine
    CK_STEP_MOMENTS, CK_STEP_COMBINE_MOMENTS, CK_STEP_AFFINE_OF_MOMENTS,
    // x, affine, out; x, affine, other, affine of other, out
    CK_STEP_AFFINE, CK_STEP_JOIN,
    // gradient, x, affine, y, moments, masked, part; parts, sums
    CK_STEP_GRADIENT_SUMS, CK_STEP_COMBINE_SUMS,
    // moments, scale, sums, coefficients; gradient, x, affine, y, coefficients, out
    CK_STEP_GRADIENT_COEFFICIENTS, CK_STEP_NORMALIZE_GRADIENT,
    // x, part
    CK_STEP_CHANNEL_SUMS,
    // a, out; a, b, out
    CK_STEP_RELU, CK_STEP_RELU_GRADIENT, CK_STEP_ADD, CK_STEP_CAST,
    // x, out, indices; gradient, indices, out
    CK_STEP_MAX_POOL, CK_STEP_MAX_POOL_GRADIENT,
    // x, out
    CK_STEP_AVERAGE, CK_STEP_AVERAGE_GRADIENT, CK_STEP_SOFTMAX, CK_STEP_CHANNELS_LAST, CK_STEP_CHANNELS_FIRST,
    // logits, targets, weights, out; logits, targets, weights, gradient, out; logits, labels, out
    CK_STEP_CROSS_ENTROPY, CK_STEP_CROSS_ENTROPY_GRADIENT, CK_STEP_CORRECT_COUNT,
    // weight, gradient, velocity, rate, factor, new velocity, new weight
    CK_STEP_MOMENTUM,
    // x, part
    CK_STEP_SQUARED_NORM, CK_STEP_COUNT_NON_FINITE,
    // condition, a, b, out; old, new, share, out; x, factor, out
    CK_STEP_SELECT, CK_STEP_MOVING_AVERAGE, CK_STEP_MULTIPLY,
    // Numbers: a, out; squared norm of weight, of gradient, out; loss scale, finite, out
    CK_STEP_RECIPROCAL, CK_STEP_CLIP_FACTOR, CK_STEP_TRUST_RATIO, CK_STEP_LOSS_SCALE, CK_STEP_IS_ZERO,
    // a, out: bytes
    CK_STEP_COPY,
    CK_STEP_KIND_COUNT
} ck_step_kind;

typedef struct {
    ck_step_kind kind;
    ck_location at[CK_MOST_OPERANDS];
    int32_t units;
    int64_t rows, rows_per_unit;
    /// What the kind needs; the others are unused. No union: that way Swift may fill it without unsafe code.
    struct {
        /// Of a direct one only `winograd.convolution` counts. For packing, the source's extents, and whether it is
        /// turned.
        struct {
            ck_winograd winograd;
            int32_t depth, channels;
            bool transposed;
        } convolution;
        ck_filter_gradient filter_gradient;
        ck_pooling pooling;
        ck_spreading spreading;
        ck_cross_entropy loss;
        ck_momentum momentum;
        struct { double coefficient, weight_decay, epsilon; } trust;
        struct { double growth, backoff, interval; } loss_scale;
        struct { int32_t width, channels, pad_left, pad_right; } look_up;
        struct {
            /// Pixels and channels of activations; parts or bytes where a kind says so.
            int64_t pixels;
            int32_t channels, parts, taps, top;
            float epsilon;
            ck_mask mask;
            bool relu, flag;
            double number;
        } sizes;
    } of;
    ck_type from, to;
} ck_step_call;

/// Sets an operand.
void ck_step_call_set(ck_step_call *call, int32_t operand, ck_location location);

typedef struct {
    int32_t first, count;
    /// Chunks of the batch, each done by one thread; 1 and `count` 1 where threads share units.
    int32_t chunks;
} ck_stage;

typedef struct ck_step_runner ck_step_runner;

/// Makes a step runnable by `threads` threads. `locals` and `work` have memory for each thread: operands of
/// `CK_AT_LOCAL`, and what kernels need for themselves. Copies calls and stages. NULL where memory cannot be had.
ck_step_runner *ck_step_runner_create(const ck_step_call *calls, int32_t call_count, const ck_stage *stages,
                                      int32_t stage_count, int32_t threads, void *arena, void *const *locals,
                                      void *const *work, const void *const *constants, int32_t constant_count,
                                      const void *zeros);
void ck_step_runner_destroy(ck_step_runner *runner);
/// Prepares a run; the arrays must live until its end.
void ck_step_runner_begin(ck_step_runner *runner, const void *const *inputs, void *const *outputs,
                          void *const *states);
/// The share of one thread. All of them have to call it.
void ck_step_runner_member(void *runner, int32_t thread);
/// Where given, `seconds[i]` is raised by the time that thread 0 spent in call i, and `seconds[call_count]` by the
/// time it waited; NULL ends that.
void ck_step_runner_profile(ck_step_runner *runner, double *seconds);

#endif
