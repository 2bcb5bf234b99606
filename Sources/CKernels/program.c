#include "cprogram.h"
#include "cthreads.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/// The threads that work on one chunk together.
typedef struct {
    char *arena;
    csystem_barrier *barrier;
    /// The next unit of each command.
    atomic_int *next_unit;
    int32_t chunk;
} group;

struct ck_runner {
    ck_command *commands;
    int32_t count, groups, members, inputs, outputs, chunks;
    const void *zeros;
    void **scratch;
    group *group;
    atomic_int next_chunk, status;
    const char **input;
    char **output;
    int64_t *input_step, *output_step;
    double *profile;
};

ck_runner *ck_runner_create(const ck_command *commands, int32_t count, int32_t groups, int32_t members,
                            void *const *arenas, void *const *scratch, const void *zeros, int32_t inputs,
                            int32_t outputs) {
    ck_runner *runner = calloc(1, sizeof *runner);
    if (!runner) { return NULL; }
    runner->count = count;
    runner->groups = groups;
    runner->members = members;
    runner->zeros = zeros;
    runner->inputs = inputs;
    runner->outputs = outputs;
    runner->commands = calloc((size_t)count + 1, sizeof *commands);
    runner->scratch = calloc((size_t)groups * (size_t)members, sizeof *runner->scratch);
    runner->group = calloc((size_t)groups, sizeof *runner->group);
    runner->input = calloc((size_t)inputs + 1, sizeof *runner->input);
    runner->output = calloc((size_t)outputs + 1, sizeof *runner->output);
    runner->input_step = calloc((size_t)inputs + 1, sizeof *runner->input_step);
    runner->output_step = calloc((size_t)outputs + 1, sizeof *runner->output_step);
    bool complete = runner->commands && runner->scratch && runner->group && runner->input && runner->output
        && runner->input_step && runner->output_step;
    for (int32_t g = 0; complete && g < groups; g++) {
        runner->group[g].arena = arenas[g];
        runner->group[g].barrier = csystem_barrier_create(members);
        runner->group[g].next_unit = calloc((size_t)count + 1, sizeof *runner->group[g].next_unit);
        complete = runner->group[g].barrier && runner->group[g].next_unit;
    }
    if (!complete) {
        ck_runner_destroy(runner);
        return NULL;
    }
    memcpy(runner->commands, commands, (size_t)count * sizeof *commands);
    memcpy(runner->scratch, scratch, (size_t)groups * (size_t)members * sizeof *scratch);
    return runner;
}

void ck_runner_destroy(ck_runner *runner) {
    for (int32_t g = 0; runner->group && g < runner->groups; g++) {
        if (runner->group[g].barrier) { csystem_barrier_destroy(runner->group[g].barrier); }
        free(runner->group[g].next_unit);
    }
    free(runner->group);
    free(runner->commands);
    free(runner->scratch);
    free(runner->input);
    free(runner->output);
    free(runner->input_step);
    free(runner->output_step);
    free(runner);
}

void ck_runner_begin(ck_runner *runner, int32_t chunks, const void *const *inputs,
                     const int64_t *input_steps, void *const *outputs, const int64_t *output_steps) {
    runner->chunks = chunks;
    atomic_store(&runner->next_chunk, 0);
    atomic_store(&runner->status, 0);
    for (int32_t i = 0; i < runner->inputs; i++) {
        runner->input[i] = inputs[i];
        runner->input_step[i] = input_steps[i];
    }
    for (int32_t i = 0; i < runner->outputs; i++) {
        runner->output[i] = outputs[i];
        runner->output_step[i] = output_steps[i];
    }
}

int32_t ck_runner_status(const ck_runner *runner) { return atomic_load(&runner->status); }

void ck_runner_profile(ck_runner *runner, double *seconds) { runner->profile = seconds; }

static char *locate(const ck_runner *runner, const group *group, ck_operand operand) {
    switch (operand.space) {
    case CK_ARENA: return group->arena + operand.offset;
    case CK_INPUT:
        return (char *)runner->input[operand.index] + group->chunk * runner->input_step[operand.index]
            + operand.offset;
    case CK_OUTPUT:
        return runner->output[operand.index] + group->chunk * runner->output_step[operand.index]
            + operand.offset;
    default: return NULL;
    }
}

static void run_unit(ck_runner *runner, int32_t group_index, int32_t member, const ck_command *c,
                     int32_t unit, const char *input, const char *second, char *out) {
    int64_t first = unit * c->rows_per_unit;
    int64_t end = first + c->rows_per_unit < c->rows ? first + c->rows_per_unit : c->rows;
    switch (c->kind) {
    case CK_CONVOLUTION:
        ck_convolve_unit(&c->convolution, unit, input, c->filter, c->bias, second, runner->zeros, out);
        break;
    case CK_WINOGRAD:
        ck_winograd_unit(&c->winograd, unit, input, c->filter, c->bias, second, runner->zeros, out,
                         runner->scratch[group_index * runner->members + member]);
        break;
    case CK_LOOK_UP:
        ck_look_up_pixels((const uint8_t *)input, c->table, c->to, first, end, c->width, c->channels,
                          c->pad_left, c->pad_right, out);
        break;
    case CK_MAX_POOL: ck_max_pool(&c->pooling, input, first, end, out); break;
    case CK_AVERAGE: ck_average(input, c->from, first, end, c->pixels, c->channels, out); break;
    case CK_SOFTMAX: ck_softmax(input, c->from, first, end, c->channels, (float *)out); break;
    case CK_RELU: ck_relu(input, c->from, first, end, out); break;
    case CK_ADD: ck_add(input, second, c->from, first, end, out); break;
    case CK_SCALE_SHIFT:
        ck_scale_shift(input, c->from, c->scale, c->shift, first, end, c->channels, out);
        break;
    case CK_CAST: ck_cast(input, c->from, c->to, first, end, out); break;
    case CK_CHANNELS_LAST:
        ck_channels_last(input, c->element_size, first, end, c->channels, c->pixels, out);
        break;
    case CK_CHANNELS_FIRST:
        ck_channels_first(input, c->element_size, first, end, c->channels, c->pixels, out);
        break;
    case CK_EXTERNAL: {
        int32_t status = c->external(c->contexts[group_index], unit, input, second, out);
        int32_t none = 0;
        if (status != 0) { atomic_compare_exchange_strong(&runner->status, &none, status); }
        break;
    }
    }
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void run_chunk(ck_runner *runner, int32_t group_index, int32_t member) {
    group *group = &runner->group[group_index];
    double *profile = group_index == 0 && member == 0 ? runner->profile : NULL;
    for (int32_t i = 0; i < runner->count; i++) {
        const ck_command *command = &runner->commands[i];
        const char *input = locate(runner, group, command->input);
        const char *second = locate(runner, group, command->second);
        char *out = locate(runner, group, command->out);
        double start = profile ? seconds() : 0;
        if (runner->members == 1) {
            for (int32_t unit = 0; unit < command->units; unit++) {
                run_unit(runner, group_index, member, command, unit, input, second, out);
            }
        } else {
            for (;;) {
                int32_t unit = atomic_fetch_add_explicit(&group->next_unit[i], 1, memory_order_relaxed);
                if (unit >= command->units) { break; }
                run_unit(runner, group_index, member, command, unit, input, second, out);
            }
            csystem_barrier_wait(group->barrier);
            // Everybody is past command i, and nobody comes back to it before the barrier of i + 1.
            if (member == 0) { atomic_store(&group->next_unit[i], 0); }
        }
        if (profile) { profile[i] += seconds() - start; }
    }
}

void ck_runner_member(void *context, int32_t thread) {
    ck_runner *runner = context;
    int32_t group_index = thread / runner->members, member = thread % runner->members;
    if (group_index >= runner->groups) { return; }
    group *group = &runner->group[group_index];
    for (;;) {
        if (member == 0) { group->chunk = atomic_fetch_add(&runner->next_chunk, 1); }
        csystem_barrier_wait(group->barrier);
        if (group->chunk >= runner->chunks) { return; }
        run_chunk(runner, group_index, member);
        csystem_barrier_wait(group->barrier);
    }
}
