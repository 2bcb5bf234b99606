#include "library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// A range of output rows, with a primitive of its own.
typedef struct {
    handle description, primitive, stream, source, destination, weights, bias, scratchpad;
    /// Belongs to the description.
    handle weights_layout;
    /// Where the range starts, in bytes of one image.
    int64_t source_offset, destination_offset;
    /// Packed filter and scratchpad memory; the filter may belong to another part.
    void *filter, *workspace;
    bool owns_filter;
} part;

struct conednn_kernel {
    conednn_convolution convolution;
    part *part;
    float *bias;
    char implementation[64];
};

static void *allocate(size_t size) {
    void *memory = NULL;
    return posix_memalign(&memory, 64, size ? size : 64) == 0 ? memory : NULL;
}

/// Rows of images whose other extents and strides are the whole image's.
static int describe(handle *layout, int64_t images, int64_t channels, int64_t rows, int64_t width,
                    int64_t whole_height, bool bfloat16) {
    int64_t extents[4] = {images, channels, rows, width};
    int64_t height = images == 1 ? rows : whole_height;
    int64_t strides[4] = {height * width * channels, 1, width * channels, channels};
    return onednn.memory_desc_create_with_strides(
        layout, 4, extents, bfloat16 ? ONEDNN_BFLOAT16 : ONEDNN_FLOAT32, strides);
}

#define TRY(call) do { status = (call); if (status != 0) { goto done; } } while (0)

/// Residual and activation, and scratch memory that the caller owns.
static int make_attributes(const conednn_convolution *c, handle *attributes) {
    handle after = NULL;
    int status;
    *attributes = NULL;
    TRY(onednn.primitive_attr_create(attributes));
    TRY(onednn.primitive_attr_set_scratchpad_mode(*attributes, ONEDNN_USER_SCRATCHPAD));
    TRY(onednn.post_ops_create(&after));
    if (c->residual) { TRY(onednn.post_ops_append_sum(after, 1, 0, 0)); }
    if (c->relu) { TRY(onednn.post_ops_append_eltwise(after, ONEDNN_RELU, 0, 0)); }
    TRY(onednn.primitive_attr_set_post_ops(*attributes, after));
done:
    if (after) { onednn.post_ops_destroy(after); }
    return status;
}

/// Packs the filter into the layout that a primitive asks for.
static int pack(const conednn_convolution *c, part *p, const float *filter, handle layout) {
    int64_t extents[4] = {c->out_channels, c->in_channels, c->filter_height, c->filter_width};
    int64_t area = c->filter_height * c->filter_width;
    int64_t strides[4] = {c->in_channels * area, area, c->filter_width, 1};
    handle plain = NULL, description = NULL, reorder = NULL, from = NULL, to = NULL;
    int status;
    p->filter = allocate(onednn.memory_desc_get_size(layout));
    p->owns_filter = true;
    if (!p->filter) { return 1; }
    TRY(onednn.memory_desc_create_with_strides(&plain, 4, extents, ONEDNN_FLOAT32, strides));
    TRY(onednn.reorder_primitive_desc_create(
        &description, plain, onednn.engine, layout, onednn.engine, NULL));
    TRY(onednn.primitive_create(&reorder, description));
    TRY(onednn.memory_create(&from, plain, onednn.engine, (void *)filter));
    TRY(onednn.memory_create(&to, layout, onednn.engine, p->filter));
    onednn_argument arguments[] = {{ONEDNN_SOURCE, from}, {ONEDNN_DESTINATION, to}};
    TRY(onednn.primitive_execute(reorder, p->stream, 2, arguments));
    TRY(onednn.stream_wait(p->stream));
done:
    if (from) { onednn.memory_destroy(from); }
    if (to) { onednn.memory_destroy(to); }
    if (reorder) { onednn.primitive_destroy(reorder); }
    if (description) { onednn.primitive_desc_destroy(description); }
    if (plain) { onednn.memory_desc_destroy(plain); }
    return status;
}

/// Finds a packed filter of the same layout among parts made before.
static void *find_filter(const conednn_kernel *kernel, int32_t count, const conednn_kernel *other,
                         handle layout) {
    for (int32_t i = 0; i < count; i++) {
        const part *p = &kernel->part[i];
        if (p->filter && onednn.memory_desc_equal(p->weights_layout, layout)) { return p->filter; }
    }
    return other ? find_filter(other, other->convolution.parts, NULL, layout) : NULL;
}

static int64_t clamp(int64_t value, int64_t most) { return value < 0 ? 0 : value > most ? most : value; }

static int prepare(conednn_kernel *kernel, int32_t index, const float *filter,
                   const conednn_kernel *packed_from, handle attributes) {
    const conednn_convolution *c = &kernel->convolution;
    part *p = &kernel->part[index];
    const int64_t first = c->out_height * index / c->parts, end = c->out_height * (index + 1) / c->parts;
    // The input rows under this range, and how much of its window hangs over either edge of them.
    const int64_t top = first * c->stride_height - c->pad_top;
    const int64_t bottom = (end - 1) * c->stride_height - c->pad_top + c->filter_height;
    // Rows that the last window leaves over stay in: oneDNN's fast kernels want whole images.
    const int64_t from = clamp(top, c->in_height - 1);
    const int64_t to = clamp(end == c->out_height ? c->in_height : bottom, c->in_height);
    const int64_t left_over = (c->out_width - 1) * c->stride_width - c->pad_left + c->filter_width;
    int64_t strides[2] = {c->stride_height, c->stride_width}, dilations[2] = {0, 0};
    int64_t before[2] = {from - top, c->pad_left}, after[2] = {clamp(bottom - to, INT64_MAX), clamp(left_over - c->in_width, INT64_MAX)};
    int64_t filter_extents[4] = {c->out_channels, c->in_channels, c->filter_height, c->filter_width};
    int64_t bias_extents[1] = {c->out_channels}, bias_strides[1] = {1};
    handle source = NULL, destination = NULL, any = NULL, bias = NULL;
    int status;
    p->source_offset = from * c->in_width * c->in_channels * (c->in_bfloat16 ? 2 : 4);
    p->destination_offset = first * c->out_width * c->out_channels * (c->out_bfloat16 ? 2 : 4);
    TRY(onednn.stream_create(&p->stream, onednn.engine, ONEDNN_IN_ORDER));
    TRY(describe(&source, c->images, c->in_channels, to - from, c->in_width, c->in_height, c->in_bfloat16));
    TRY(describe(&destination, c->images, c->out_channels, end - first, c->out_width, c->out_height,
                 c->out_bfloat16));
    TRY(onednn.memory_desc_create_with_tag(
        &any, 4, filter_extents, c->in_bfloat16 ? ONEDNN_BFLOAT16 : ONEDNN_FLOAT32, ONEDNN_ANY_FORMAT));
    TRY(onednn.memory_desc_create_with_strides(&bias, 1, bias_extents, ONEDNN_FLOAT32, bias_strides));
    TRY(onednn.convolution_forward_primitive_desc_create(
        &p->description, onednn.engine, ONEDNN_INFERENCE, ONEDNN_DIRECT, source, any, bias, destination,
        strides, dilations, before, after, attributes));
    TRY(onednn.primitive_create(&p->primitive, p->description));
    p->weights_layout = onednn.primitive_desc_query_md(p->description, ONEDNN_WEIGHTS_LAYOUT, 0);
    if (!p->weights_layout) { status = 1; goto done; }
    p->filter = find_filter(kernel, index, packed_from, p->weights_layout);
    if (!p->filter) { TRY(pack(c, p, filter, p->weights_layout)); }
    handle scratchpad = onednn.primitive_desc_query_md(p->description, ONEDNN_SCRATCHPAD_LAYOUT, 0);
    p->workspace = allocate(onednn.memory_desc_get_size(scratchpad));
    if (!p->workspace) { status = 1; goto done; }
    TRY(onednn.memory_create(&p->source, source, onednn.engine, NULL));
    TRY(onednn.memory_create(&p->destination, destination, onednn.engine, NULL));
    TRY(onednn.memory_create(&p->weights, p->weights_layout, onednn.engine, p->filter));
    TRY(onednn.memory_create(&p->bias, bias, onednn.engine, kernel->bias));
    TRY(onednn.memory_create(&p->scratchpad, scratchpad, onednn.engine, p->workspace));
    const char *name = NULL;
    if (onednn.primitive_desc_query(p->description, ONEDNN_IMPLEMENTATION, 0, &name) == 0 && name) {
        snprintf(kernel->implementation, sizeof kernel->implementation, "%s", name);
    }
done:
    if (source) { onednn.memory_desc_destroy(source); }
    if (destination) { onednn.memory_desc_destroy(destination); }
    if (any) { onednn.memory_desc_destroy(any); }
    if (bias) { onednn.memory_desc_destroy(bias); }
    return status;
}

conednn_kernel *conednn_create(const conednn_convolution *c, const float *filter, const float *bias,
                               conednn_kernel *packed_from, char *message, size_t message_size) {
    onednn_use_one_thread();
    conednn_kernel *kernel = calloc(1, sizeof *kernel);
    handle attributes = NULL;
    int status = 1;
    if (!kernel) { goto done; }
    kernel->convolution = *c;
    kernel->part = calloc((size_t)c->parts, sizeof *kernel->part);
    kernel->bias = allocate((size_t)c->out_channels * sizeof(float));
    if (!kernel->part || !kernel->bias) { goto done; }
    memcpy(kernel->bias, bias, (size_t)c->out_channels * sizeof(float));
    TRY(make_attributes(c, &attributes));
    for (int32_t i = 0; i < c->parts; i++) { TRY(prepare(kernel, i, filter, packed_from, attributes)); }
done:
    if (attributes) { onednn.primitive_attr_destroy(attributes); }
    if (status != 0) {
        snprintf(message, message_size, "oneDNN cannot prepare this convolution, status %d", status);
        if (kernel) { conednn_destroy(kernel); }
        return NULL;
    }
    return kernel;
}

void conednn_destroy(void *pointer) {
    conednn_kernel *kernel = pointer;
    if (!kernel) { return; }
    for (int32_t i = 0; kernel->part && i < kernel->convolution.parts; i++) {
        part *p = &kernel->part[i];
        handle memories[] = {p->source, p->destination, p->weights, p->bias, p->scratchpad};
        for (size_t m = 0; m < sizeof memories / sizeof *memories; m++) {
            if (memories[m]) { onednn.memory_destroy(memories[m]); }
        }
        if (p->primitive) { onednn.primitive_destroy(p->primitive); }
        if (p->description) { onednn.primitive_desc_destroy(p->description); }
        if (p->stream) { onednn.stream_destroy(p->stream); }
        if (p->owns_filter) { free(p->filter); }
        free(p->workspace);
    }
    free(kernel->part);
    free(kernel->bias);
    free(kernel);
}

const char *conednn_implementation(const conednn_kernel *kernel) { return kernel->implementation; }

int32_t conednn_execute(void *pointer, int32_t index, const void *input, const void *residual, void *out) {
    conednn_kernel *kernel = pointer;
    part *p = &kernel->part[index];
    onednn_use_one_thread();
    int status = onednn.memory_set_data_handle(p->source, (char *)input + p->source_offset);
    if (status == 0) {
        status = onednn.memory_set_data_handle(p->destination, (char *)out + p->destination_offset);
    }
    if (status != 0) { return status; }
    const conednn_convolution *c = &kernel->convolution;
    if (residual && residual != out) {
        // oneDNN adds to what the destination holds.
        const int64_t size = c->out_bfloat16 ? 2 : 4, row = c->out_width * c->out_channels * size;
        const int64_t first = c->out_height * index / c->parts, end = c->out_height * (index + 1) / c->parts;
        for (int64_t image = 0; image < c->images; image++) {
            int64_t start = (image * c->out_height + first) * row;
            memcpy((char *)out + start, (const char *)residual + start, (size_t)((end - first) * row));
        }
    }
    onednn_argument arguments[] = {
        {ONEDNN_SOURCE, p->source}, {ONEDNN_DESTINATION, p->destination}, {ONEDNN_WEIGHTS, p->weights},
        {ONEDNN_BIAS, p->bias}, {ONEDNN_SCRATCHPAD, p->scratchpad},
    };
    status = onednn.primitive_execute(p->primitive, p->stream, 5, arguments);
    return status != 0 ? status : onednn.stream_wait(p->stream);
}
