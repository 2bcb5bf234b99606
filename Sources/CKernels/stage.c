#include "cstage.h"
#include "cthreads.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct ck_step_runner {
    ck_step_call *calls;
    ck_stage *stages;
    int32_t call_count, stage_count, threads;
    char *arena;
    char **locals;
    void **work;
    const void **constants;
    const void *zeros;
    const void *const *inputs;
    void *const *outputs;
    void *const *states;
    /// The next unit or chunk of each stage.
    atomic_int *next;
    csystem_barrier *barrier;
    double *profile;
};

ck_step_runner *ck_step_runner_create(const ck_step_call *calls, int32_t call_count, const ck_stage *stages,
                                      int32_t stage_count, int32_t threads, void *arena, void *const *locals,
                                      void *const *work, const void *const *constants, int32_t constant_count,
                                      const void *zeros) {
    ck_step_runner *runner = calloc(1, sizeof *runner);
    if (!runner) { return NULL; }
    runner->call_count = call_count;
    runner->stage_count = stage_count;
    runner->threads = threads;
    runner->arena = arena;
    runner->zeros = zeros;
    runner->calls = calloc((size_t)call_count + 1, sizeof *calls);
    runner->stages = calloc((size_t)stage_count + 1, sizeof *stages);
    runner->locals = calloc((size_t)threads, sizeof *runner->locals);
    runner->work = calloc((size_t)threads, sizeof *runner->work);
    runner->constants = calloc((size_t)constant_count + 1, sizeof *runner->constants);
    runner->next = calloc((size_t)stage_count + 1, sizeof *runner->next);
    runner->barrier = csystem_barrier_create(threads);
    if (!runner->calls || !runner->stages || !runner->locals || !runner->work || !runner->constants
        || !runner->next || !runner->barrier) {
        ck_step_runner_destroy(runner);
        return NULL;
    }
    memcpy(runner->calls, calls, (size_t)call_count * sizeof *calls);
    memcpy(runner->stages, stages, (size_t)stage_count * sizeof *stages);
    memcpy(runner->locals, locals, (size_t)threads * sizeof *locals);
    memcpy(runner->work, work, (size_t)threads * sizeof *work);
    memcpy(runner->constants, constants, (size_t)constant_count * sizeof *constants);
    return runner;
}

void ck_step_runner_destroy(ck_step_runner *runner) {
    if (runner->barrier) { csystem_barrier_destroy(runner->barrier); }
    free(runner->calls);
    free(runner->stages);
    free(runner->locals);
    free(runner->work);
    free(runner->constants);
    free(runner->next);
    free(runner);
}

void ck_step_call_set(ck_step_call *call, int32_t operand, ck_location location) { call->at[operand] = location; }

void ck_step_runner_begin(ck_step_runner *runner, const void *const *inputs, void *const *outputs,
                          void *const *states) {
    runner->inputs = inputs;
    runner->outputs = outputs;
    runner->states = states;
    for (int32_t i = 0; i < runner->stage_count; i++) { atomic_store(&runner->next[i], 0); }
}

void ck_step_runner_profile(ck_step_runner *runner, double *seconds) { runner->profile = seconds; }

static void *locate(const ck_step_runner *runner, int32_t thread, int32_t chunk, const ck_location *location) {
    char *base = NULL;
    switch (location->memory) {
    case CK_AT_NOTHING: return NULL;
    case CK_AT_ARENA: base = runner->arena; break;
    case CK_AT_LOCAL: base = runner->locals[thread]; break;
    case CK_AT_INPUT: base = (char *)runner->inputs[location->index]; break;
    case CK_AT_OUTPUT: base = runner->outputs[location->index]; break;
    case CK_AT_STATE: base = runner->states[location->index]; break;
    case CK_AT_CONSTANT: base = (char *)runner->constants[location->index]; break;
    }
    return base + location->offset + chunk * location->step;
}

/// Gradients were finite, so the scale may grow; or not, and it backs off. `[scale, finite steps in a row]`.
static void next_loss_scale(const ck_step_call *c, const float *scale, const float *finite, float *out) {
    float value = scale[0], streak = scale[1];
    if (*finite == 0) {
        value *= (float)c->of.loss_scale.backoff;
        streak = 0;
    } else if (streak + 1 >= (float)c->of.loss_scale.interval) {
        value *= (float)c->of.loss_scale.growth;
        streak = 0;
    } else {
        streak += 1;
    }
    out[0] = value;
    out[1] = streak;
}

static void trust_ratio(const ck_step_call *c, const float *weight, const float *gradient, float *out) {
    double w = sqrt((double)*weight), g = sqrt((double)*gradient);
    double below = g + c->of.trust.weight_decay * w + c->of.trust.epsilon;
    *out = w == 0 || g == 0 ? 1.0f : (float)(c->of.trust.coefficient * w / below);
}

static void run_unit(const ck_step_runner *runner, int32_t thread, const ck_step_call *c, int32_t unit,
                     void *const *at) {
    const int64_t first = unit * c->rows_per_unit;
    const int64_t end = first + c->rows_per_unit < c->rows ? first + c->rows_per_unit : c->rows;
    void *work = runner->work[thread];
    switch (c->kind) {
    case CK_STEP_CONVOLUTION:
        ck_convolve_unit(&c->of.convolution.winograd.convolution, unit, at[0], at[1], at[2], at[3], runner->zeros, at[4]);
        break;
    case CK_STEP_WINOGRAD:
        ck_winograd_unit(&c->of.convolution.winograd, unit, at[0], at[1], at[2], at[3], runner->zeros, at[4], work);
        break;
    case CK_STEP_FILTER_GRADIENT:
        ck_filter_gradient_unit(&c->of.filter_gradient, unit, at[0], at[1], at[2], at[3], work);
        break;
    case CK_STEP_SUM_PARTS: ck_sum_parts(at[0], c->of.sizes.parts, c->rows, first, end, at[1]); break;
    case CK_STEP_PACK:
        ck_pack_taps(&c->of.convolution.winograd.convolution, at[2], c->of.convolution.transposed, at[0],
                     c->of.convolution.depth, c->of.convolution.channels, unit, unit + 1, at[1]);
        break;
    case CK_STEP_PACK_WINOGRAD:
        ck_winograd_pack_taps(&c->of.convolution.winograd, c->of.convolution.transposed, at[0], unit, unit + 1,
                              at[1]);
        break;
    case CK_STEP_MOVE_FILTER:
        ck_move_filter(at[0], c->of.sizes.flag, (int32_t)c->rows, c->of.sizes.channels, c->of.sizes.taps, first,
                       end, at[1]);
        break;
    case CK_STEP_SPREAD:
        ck_spread(&c->of.spreading, (const void *const *)at, at[CK_MOST_PHASES], first, end,
                  at[CK_MOST_PHASES + 1]);
        break;
    case CK_STEP_LOOK_UP:
        ck_look_up_pixels(at[0], at[1], c->to, first, end, c->of.look_up.width, c->of.look_up.channels,
                          c->of.look_up.pad_left, c->of.look_up.pad_right, at[2]);
        break;
    case CK_STEP_MOMENTS: ck_moments(at[0], c->from, c->of.sizes.pixels, c->of.sizes.channels, at[1]); break;
    case CK_STEP_COMBINE_MOMENTS:
        ck_combine_moments(at[0], c->of.sizes.parts, c->of.sizes.pixels, c->of.sizes.channels, at[1]);
        break;
    case CK_STEP_AFFINE_OF_MOMENTS:
        ck_affine_of_moments(at[0], at[1], at[2], c->of.sizes.epsilon, c->of.sizes.channels, at[3]);
        break;
    case CK_STEP_AFFINE:
        ck_affine(at[0], c->from, at[1], c->of.sizes.relu, c->of.sizes.pixels, c->of.sizes.channels, at[2]);
        break;
    case CK_STEP_JOIN:
        ck_join(at[0], c->from, at[1], at[2], at[3], c->of.sizes.relu, c->of.sizes.pixels, c->of.sizes.channels,
                at[4]);
        break;
    case CK_STEP_GRADIENT_SUMS:
        ck_gradient_sums(at[0], at[1], c->from, c->of.sizes.mask, at[2], at[3], at[4], c->of.sizes.epsilon,
                         c->of.sizes.pixels, c->of.sizes.channels, at[5], at[6]);
        break;
    case CK_STEP_COMBINE_SUMS:
        ck_combine_sums(at[0], c->of.sizes.parts, c->rows, first, end, at[1]);
        break;
    case CK_STEP_GRADIENT_COEFFICIENTS:
        ck_gradient_coefficients(at[0], at[1], at[2], c->of.sizes.epsilon, c->of.sizes.pixels,
                                 c->of.sizes.channels, at[3]);
        break;
    case CK_STEP_NORMALIZE_GRADIENT:
        ck_normalize_gradient(at[0], at[1], c->from, c->of.sizes.mask, at[2], at[3], at[4], c->of.sizes.pixels,
                              c->of.sizes.channels, at[5]);
        break;
    case CK_STEP_CHANNEL_SUMS:
        ck_channel_sums(at[0], c->from, c->of.sizes.pixels, c->of.sizes.channels, at[1]);
        break;
    case CK_STEP_RELU: ck_relu(at[0], c->from, first, end, at[1]); break;
    case CK_STEP_RELU_GRADIENT: ck_relu_gradient(at[0], at[1], c->from, first, end, at[2]); break;
    case CK_STEP_ADD: ck_add(at[0], at[1], c->from, first, end, at[2]); break;
    case CK_STEP_CAST: ck_cast(at[0], c->from, c->to, first, end, at[1]); break;
    case CK_STEP_MAX_POOL:
        if (at[2]) {
            ck_max_pool_indices(&c->of.pooling, at[0], first, end, at[1], at[2]);
        } else {
            ck_max_pool(&c->of.pooling, at[0], first, end, at[1]);
        }
        break;
    case CK_STEP_MAX_POOL_GRADIENT:
        ck_max_pool_gradient(&c->of.pooling, at[0], at[1], first, end, at[2]);
        break;
    case CK_STEP_AVERAGE:
        ck_average(at[0], c->from, first, end, (int32_t)c->of.sizes.pixels, c->of.sizes.channels, at[1]);
        break;
    case CK_STEP_AVERAGE_GRADIENT:
        ck_average_gradient(at[0], c->from, first, end, (int32_t)c->of.sizes.pixels, c->of.sizes.channels, at[1]);
        break;
    case CK_STEP_SOFTMAX: ck_softmax(at[0], c->from, first, end, c->of.sizes.channels, at[1]); break;
    case CK_STEP_CHANNELS_LAST:
        ck_channels_last(at[0], c->of.sizes.parts, first, end, c->of.sizes.channels,
                         (int32_t)c->of.sizes.pixels, at[1]);
        break;
    case CK_STEP_CHANNELS_FIRST:
        ck_channels_first(at[0], c->of.sizes.parts, first, end, c->of.sizes.channels,
                          (int32_t)c->of.sizes.pixels, at[1]);
        break;
    case CK_STEP_CROSS_ENTROPY: ck_cross_entropy_loss(&c->of.loss, at[0], at[1], at[2], at[3]); break;
    case CK_STEP_CROSS_ENTROPY_GRADIENT:
        ck_cross_entropy_gradient(&c->of.loss, at[0], at[1], at[2], at[3], at[4]);
        break;
    case CK_STEP_CORRECT_COUNT:
        ck_correct_count(at[0], c->from, at[1], (int32_t)c->rows, c->of.sizes.channels, c->of.sizes.top, at[2]);
        break;
    case CK_STEP_MOMENTUM:
        ck_momentum_step(&c->of.momentum, at[0], at[1], at[2], at[3], at[4], first, end, at[5], at[6]);
        break;
    case CK_STEP_SQUARED_NORM: ck_squared_norm(at[0], c->from, first, end, (double *)at[1] + unit); break;
    case CK_STEP_COUNT_NON_FINITE:
        ck_count_non_finite(at[0], c->from, first, end, (double *)at[1] + unit);
        break;
    case CK_STEP_SELECT: ck_select(at[0], at[1], at[2], first, end, at[3]); break;
    case CK_STEP_MOVING_AVERAGE: ck_moving_average(at[0], at[1], at[2], first, end, at[3]); break;
    case CK_STEP_MULTIPLY: ck_multiply(at[0], at[1], c->from, c->of.sizes.flag, first, end, at[2]); break;
    case CK_STEP_RECIPROCAL:
        for (int64_t i = first; i < end; i++) { ((float *)at[1])[i] = 1 / ((const float *)at[0])[i]; }
        break;
    case CK_STEP_CLIP_FACTOR: {
        double most = c->of.sizes.number / (sqrt((double)*(const float *)at[0]) + 1e-6);
        // Written so that not-a-number stays one.
        *(float *)at[1] = most >= 1 ? 1.0f : (float)most;
        break;
    }
    case CK_STEP_TRUST_RATIO: trust_ratio(c, at[0], at[1], at[2]); break;
    case CK_STEP_LOSS_SCALE: next_loss_scale(c, at[0], at[1], at[2]); break;
    case CK_STEP_IS_ZERO: *(float *)at[1] = *(const float *)at[0] == 0 ? 1.0f : 0.0f; break;
    case CK_STEP_COPY: memcpy((char *)at[1] + first, (const char *)at[0] + first, (size_t)(end - first)); break;
    case CK_STEP_KIND_COUNT: break;
    }
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void ck_step_runner_member(void *context, int32_t thread) {
    ck_step_runner *runner = context;
    double *profile = thread == 0 ? runner->profile : NULL;
    double start = profile ? seconds() : 0;
    for (int32_t s = 0; s < runner->stage_count; s++) {
        const ck_stage *stage = &runner->stages[s];
        const ck_step_call *calls = runner->calls + stage->first;
        const bool shared = stage->count == 1 && stage->chunks == 1;
        const int32_t items = shared ? calls->units : stage->chunks;
        void *at[CK_MOST_OPERANDS];
        for (;;) {
            int32_t item = atomic_fetch_add_explicit(&runner->next[s], 1, memory_order_relaxed);
            if (item >= items) { break; }
            for (int32_t i = 0; i < stage->count; i++) {
                const ck_step_call *call = &calls[i];
                for (int32_t o = 0; o < CK_MOST_OPERANDS; o++) {
                    at[o] = locate(runner, thread, shared ? 0 : item, &call->at[o]);
                }
                if (shared) {
                    run_unit(runner, thread, call, item, at);
                } else {
                    for (int32_t unit = 0; unit < call->units; unit++) { run_unit(runner, thread, call, unit, at); }
                }
                if (profile) {
                    double now = seconds();
                    profile[stage->first + i] += now - start;
                    start = now;
                }
            }
        }
        csystem_barrier_wait(runner->barrier);
        if (profile) {
            double now = seconds();
            profile[runner->call_count] += now - start;
            start = now;
        }
    }
}
