#ifndef RESNET_CONEDNN_H
#define RESNET_CONEDNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// oneDNN 3.x, found and loaded at run time. Nothing of oneDNN is needed to build.

/// Loads the library from the first of `paths` that has one, unless one is loaded already. Returns whether one is
/// loaded; else `message` says why not. Thread-safe.
bool conednn_load(const char *const *paths, int32_t count, char *message, size_t message_size);
/// Where the library was found, and its version; empty before it is loaded.
const char *conednn_path(void);
void conednn_version(int32_t *major, int32_t *minor, int32_t *patch);

/// One convolution over activations with channels innermost, `[N][H][W][C]`. With bfloat16 data the filter is
/// rounded to bfloat16; bias and sums are float32.
typedef struct {
    int64_t images, in_height, in_width, in_channels, out_height, out_width, out_channels;
    int64_t filter_height, filter_width, stride_height, stride_width;
    int64_t pad_top, pad_left;
    bool in_bfloat16, out_bfloat16, relu, residual;
    /// Parts along the output rows, each a unit of work.
    int32_t parts;
} conednn_convolution;

/// A convolution prepared for one group of threads.
typedef struct conednn_kernel conednn_kernel;

/// Prepares a convolution. `filter` is float32 `[O][I][h][w]`, `bias` float32 `[O]`; both are copied.
/// `packed_from`, if any, is the same convolution prepared before, whose packed filters are shared.
/// NULL on failure, with the reason in `message`.
conednn_kernel *conednn_create(const conednn_convolution *convolution, const float *filter,
                               const float *bias, conednn_kernel *packed_from, char *message,
                               size_t message_size);
void conednn_destroy(void *kernel);
/// The name of oneDNN's implementation.
const char *conednn_implementation(const conednn_kernel *kernel);

/// Computes one part. Where there is a residual, `residual` may be `out` itself.
/// Returns 0 or oneDNN's status.
int32_t conednn_execute(void *kernel, int32_t part, const void *input, const void *residual, void *out);

#endif
