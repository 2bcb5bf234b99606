#ifndef RESNET_CPROGRAM_H
#define RESNET_CPROGRAM_H

#include "ckernels.h"
#include "cwinograd.h"

// A program is a list of prepared kernel calls. Running one allocates nothing: every address is a base (arena,
// input, output) plus an offset that was fixed when the program was made.

/// Where an operand lies.
typedef enum { CK_NOWHERE = 0, CK_ARENA, CK_INPUT, CK_OUTPUT } ck_space;
typedef struct {
    ck_space space;
    /// Which input or output.
    int32_t index;
    /// Bytes from its start.
    int64_t offset;
} ck_operand;

typedef enum {
    CK_CONVOLUTION = 0, CK_WINOGRAD, CK_LOOK_UP, CK_MAX_POOL, CK_AVERAGE, CK_SOFTMAX, CK_RELU, CK_ADD, CK_SCALE_SHIFT,
    CK_CAST, CK_CHANNELS_LAST, CK_CHANNELS_FIRST, CK_EXTERNAL
} ck_kind;

/// A unit of work of another library. Returns 0, or a status that ends the run.
typedef int32_t (*ck_external)(void *context, int32_t unit, const void *input, const void *residual,
                               void *out);

typedef struct {
    ck_kind kind;
    ck_operand input, second, out;
    /// Units that members share; each but a convolution's covers `rows_per_unit` of `rows`.
    int32_t units;
    int64_t rows, rows_per_unit;
    ck_convolution convolution;
    ck_winograd winograd;
    ck_pooling pooling;
    const void *filter;
    const float *bias;
    /// Look-up table, or scale and shift.
    const void *table;
    const float *scale, *shift;
    ck_type from, to;
    int32_t element_size, width, channels, pixels, pad_left, pad_right;
    ck_external external;
    /// One context for each group.
    void *const *contexts;
} ck_command;

typedef struct ck_runner ck_runner;

/// Makes a program runnable by `groups` groups of `members` threads each; each group works on chunks of the batch
/// of its own. `scratch` has memory for each thread. Copies the commands. NULL where memory cannot be had.
ck_runner *ck_runner_create(const ck_command *commands, int32_t count, int32_t groups, int32_t members,
                            void *const *arenas, void *const *scratch, const void *zeros, int32_t inputs,
                            int32_t outputs);
void ck_runner_destroy(ck_runner *runner);

/// Prepares a run over `chunks` chunks. Chunk k of input i is at `inputs[i] + k * input_steps[i]`, and so on.
void ck_runner_begin(ck_runner *runner, int32_t chunks, const void *const *inputs,
                     const int64_t *input_steps, void *const *outputs, const int64_t *output_steps);
/// The share of one thread, 0 ..< groups * members. All of them have to call it.
void ck_runner_member(void *runner, int32_t thread);
/// After the run: 0, or the status of the first external unit that failed.
int32_t ck_runner_status(const ck_runner *runner);

/// Where given, `seconds[i]` is raised by the time that thread 0 spent in command i; NULL ends that.
void ck_runner_profile(ck_runner *runner, double *seconds);

#endif
