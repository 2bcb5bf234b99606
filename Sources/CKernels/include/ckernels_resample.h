#ifndef RESNET_CKERNELS_RESAMPLE_H
#define RESNET_CKERNELS_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

// Weighted sums of 8-bit samples with weights in fixed point (22 fractional bits), rounded to nearest and
// clamped to 0...255. Output i of a pass sums counts[i] inputs from starts[i] on, with the weights at
// weights + i * weight_stride; weights lie in 0...2^22. All code paths give the same bytes.

/// Which code runs. A path that the processor lacks must not be asked for.
enum { CKERNELS_RESAMPLE_PLAIN = 0, CKERNELS_RESAMPLE_AVX2 = 1 };

/// The fastest path that this processor has.
int ckernels_resample_best_path(void);

/// The weights of one pass.
typedef struct {
    const int32_t *starts;
    const int32_t *counts;
    const int32_t *weights;
    size_t weight_stride;
    size_t output_count;
} ckernels_resample_windows;

/// Resamples each row of RGB pixels: row_count rows, source_stride bytes apart, of which source_byte_count
/// bytes may be read. Writes rows of 3 * output_count bytes without gaps.
void ckernels_resample_rows(
    int path, const uint8_t *source, size_t source_byte_count, size_t source_stride,
    size_t row_count, ckernels_resample_windows windows, uint8_t *target);

/// Resamples each column: source rows of row_byte_count bytes, source_stride bytes apart. Writes output_count
/// rows of row_byte_count bytes without gaps.
void ckernels_resample_columns(
    int path, const uint8_t *source, size_t source_stride, size_t row_byte_count,
    ckernels_resample_windows windows, uint8_t *target);

#endif
