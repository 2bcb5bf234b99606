#ifndef RESNET_ONEDNN_SUBSET_H
#define RESNET_ONEDNN_SUBSET_H

// The part of oneDNN 3.x's C interface that is used here, declared by its documented names and values.
// `Scripts/check-onednn` compares the values with oneDNN's own header.

#include <stddef.h>
#include <stdint.h>

typedef void *handle;
typedef const int64_t *dimensions;

enum {
    ONEDNN_CPU = 1,
    ONEDNN_IN_ORDER = 1,
    ONEDNN_BFLOAT16 = 2,
    ONEDNN_FLOAT32 = 3,
    ONEDNN_ANY_FORMAT = 1,
    ONEDNN_INFERENCE = 96,
    ONEDNN_DIRECT = 1,
    ONEDNN_RELU = 0x20,
    ONEDNN_USER_SCRATCHPAD = 1,
    ONEDNN_IMPLEMENTATION = 8,
    ONEDNN_WEIGHTS_LAYOUT = 131,
    ONEDNN_SCRATCHPAD_LAYOUT = 136,
    ONEDNN_SOURCE = 1,
    ONEDNN_DESTINATION = 17,
    ONEDNN_WEIGHTS = 33,
    ONEDNN_BIAS = 41,
    ONEDNN_SCRATCHPAD = 80,
};

typedef struct { int argument; handle memory; } onednn_argument;
typedef struct { int major, minor, patch; } onednn_version;

// Every function but those at the end returns a status, 0 on success.
#define ONEDNN_FUNCTIONS(F) \
    F(int, engine_create, (handle *, int, size_t)) \
    F(int, stream_create, (handle *, handle, unsigned)) \
    F(int, stream_destroy, (handle)) \
    F(int, stream_wait, (handle)) \
    F(int, memory_desc_create_with_strides, (handle *, int, dimensions, int, dimensions)) \
    F(int, memory_desc_create_with_tag, (handle *, int, dimensions, int, int)) \
    F(int, memory_desc_destroy, (handle)) \
    F(int, primitive_attr_create, (handle *)) \
    F(int, primitive_attr_destroy, (handle)) \
    F(int, primitive_attr_set_scratchpad_mode, (handle, int)) \
    F(int, primitive_attr_set_post_ops, (handle, handle)) \
    F(int, post_ops_create, (handle *)) \
    F(int, post_ops_destroy, (handle)) \
    F(int, post_ops_append_sum, (handle, float, int32_t, int)) \
    F(int, post_ops_append_eltwise, (handle, int, float, float)) \
    F(int, convolution_forward_primitive_desc_create, \
      (handle *, handle, int, int, handle, handle, handle, handle, dimensions, dimensions, dimensions, \
       dimensions, handle)) \
    F(int, reorder_primitive_desc_create, (handle *, handle, handle, handle, handle, handle)) \
    F(int, primitive_desc_query, (handle, int, int, void *)) \
    F(int, primitive_desc_destroy, (handle)) \
    F(int, primitive_create, (handle *, handle)) \
    F(int, primitive_destroy, (handle)) \
    F(int, primitive_execute, (handle, handle, int, const onednn_argument *)) \
    F(int, memory_create, (handle *, handle, handle, void *)) \
    F(int, memory_set_data_handle, (handle, void *)) \
    F(int, memory_destroy, (handle)) \
    F(handle, primitive_desc_query_md, (handle, int, int)) \
    F(int, memory_desc_equal, (handle, handle)) \
    F(size_t, memory_desc_get_size, (handle)) \
    F(const onednn_version *, version, (void))

#endif
