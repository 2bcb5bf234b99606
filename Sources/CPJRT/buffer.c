#include "call.h"

#include <stdlib.h>

/// What a transfer from the host keeps alive.
typedef struct {
    const cpjrt_plugin *plugin;
    void *owner;
    void (*release)(void *owner);
} kept;

/// The plugin has read the bytes, or never will.
static void let_go(handle error, void *pointer) {
    kept *bytes = pointer;
    pjrt_check(bytes->plugin, error, NULL);
    bytes->release(bytes->owner);
    free(bytes);
}

/// Has the owner released when an event comes; whether it will be.
static bool release_after(const cpjrt_plugin *plugin, handle event, void *owner,
                          void (*release)(void *owner)) {
    kept *bytes = malloc(sizeof *bytes);
    if (!bytes) { return false; }
    *bytes = (kept){plugin, owner, release};
    PJRT_ARGUMENTS(Event_OnReady, when);
    when->event = event;
    when->callback = let_go;
    when->user_arg = bytes;
    if (!PJRT_CALL(plugin, Event_OnReady, when, NULL)) {
        free(bytes);
        return false;
    }
    // The callback does not need the event.
    PJRT_ARGUMENTS(Event_Destroy, destroy);
    destroy->event = event;
    PJRT_CALL(plugin, Event_Destroy, destroy, NULL);
    return true;
}

cpjrt_handle cpjrt_buffer_upload(const cpjrt_plugin *plugin, cpjrt_handle client,
                                 cpjrt_handle device, const void *bytes, int32_t type,
                                 const int64_t *extents, size_t rank, void *owner,
                                 void (*release)(void *owner), cpjrt_failure *failure) {
    PJRT_ARGUMENTS(Client_BufferFromHostBuffer, upload);
    upload->client = client;
    upload->data = bytes;
    upload->type = type;
    upload->dims = extents;
    upload->num_dims = rank;
    upload->host_buffer_semantics = release ? PJRT_UNTIL_TRANSFER_COMPLETES : PJRT_ONLY_DURING_CALL;
    upload->device = device;
    bool done = PJRT_CALL(plugin, Client_BufferFromHostBuffer, upload, failure);
    handle event = done ? upload->done_with_host_buffer : NULL;
    if (release && event && release_after(plugin, event, owner, release)) { return upload->buffer; }
    // The buffer itself reports what goes wrong in the transfer.
    pjrt_await(plugin, event, NULL);
    if (release) { release(owner); }
    return done ? upload->buffer : NULL;
}

void cpjrt_buffer_destroy(const cpjrt_plugin *plugin, cpjrt_handle buffer) {
    PJRT_ARGUMENTS(Buffer_Destroy, destroy);
    destroy->buffer = buffer;
    PJRT_CALL(plugin, Buffer_Destroy, destroy, NULL);
}

bool cpjrt_buffer_is_deleted(const cpjrt_plugin *plugin, cpjrt_handle buffer) {
    PJRT_ARGUMENTS(Buffer_IsDeleted, get);
    get->buffer = buffer;
    return PJRT_CALL(plugin, Buffer_IsDeleted, get, NULL) && get->is_deleted;
}

bool cpjrt_buffer_shape(const cpjrt_plugin *plugin, cpjrt_handle buffer, int32_t *type,
                        const int64_t **extents, size_t *rank, cpjrt_failure *failure) {
    PJRT_ARGUMENTS(Buffer_ElementType, element);
    element->buffer = buffer;
    PJRT_ARGUMENTS(Buffer_Dimensions, shape);
    shape->buffer = buffer;
    bool done = PJRT_CALL(plugin, Buffer_ElementType, element, failure)
        && PJRT_CALL(plugin, Buffer_Dimensions, shape, failure);
    *type = element->type;
    *extents = shape->dims;
    *rank = shape->num_dims;
    return done;
}

bool cpjrt_buffer_wait(const cpjrt_plugin *plugin, cpjrt_handle buffer, cpjrt_failure *failure) {
    PJRT_ARGUMENTS(Buffer_ReadyEvent, ready);
    ready->buffer = buffer;
    return PJRT_CALL(plugin, Buffer_ReadyEvent, ready, failure)
        && pjrt_await(plugin, ready->event, failure);
}

// MARK: To the host

enum { MOST_AXES = 16 };

/// Extents, and the axes from the innermost on.
typedef struct {
    size_t rank;
    const int64_t *extents;
    int64_t inner_to_outer[MOST_AXES];
    bool row_major;
} shape;

/// How the array lies on the device; row-major where the plugin does not tell.
static bool describe(const cpjrt_plugin *plugin, cpjrt_handle buffer, shape *shape, cpjrt_failure *failure) {
    int32_t type;
    if (!cpjrt_buffer_shape(plugin, buffer, &type, &shape->extents, &shape->rank, failure)) { return false; }
    if (shape->rank > MOST_AXES) {
        return pjrt_fail(failure, CPJRT_NO_MEMORY, "an array of more than 16 axes");
    }
    PJRT_ARGUMENTS(Buffer_GetMemoryLayout, get);
    get->buffer = buffer;
    const struct pjrt_Buffer_MemoryLayout_Tiled *tiled = &get->layout.tiled;
    bool known = PJRT_CALL(plugin, Buffer_GetMemoryLayout, get, NULL)
        && get->layout.type == PJRT_TILED_LAYOUT && tiled->num_tiles == 0
        && tiled->minor_to_major_size == shape->rank;
    shape->row_major = true;
    for (size_t i = 0; i < shape->rank; i++) {
        int64_t axis = (int64_t)(shape->rank - 1 - i);
        shape->inner_to_outer[i] = known ? tiled->minor_to_major[i] : axis;
        shape->row_major &= shape->inner_to_outer[i] == axis;
    }
    return true;
}

/// Copies to the host as the array lies there, or tells the size where there is no target.
static bool copy_to_host(const cpjrt_plugin *plugin, cpjrt_handle buffer, const shape *shape,
                         void *target, size_t *size, cpjrt_failure *failure) {
    struct pjrt_Buffer_MemoryLayout layout = {
        .struct_size = sizeof layout,
        .tiled = {.struct_size = sizeof layout.tiled, .minor_to_major = shape->inner_to_outer,
                  .minor_to_major_size = shape->rank},
        .type = PJRT_TILED_LAYOUT,
    };
    PJRT_ARGUMENTS(Buffer_ToHostBuffer, copy);
    copy->src = buffer;
    copy->host_layout = &layout;
    copy->dst = target;
    copy->dst_size = *size;
    bool done = PJRT_CALL(plugin, Buffer_ToHostBuffer, copy, failure);
    *size = copy->dst_size;
    return done && (!target || pjrt_await(plugin, copy->event, failure));
}

/// Copies elements into row-major order.
static void reorder(const shape *shape, const char *source, char *target, size_t size) {
    size_t stride[MOST_AXES], index[MOST_AXES] = {0}, count = 1;
    for (size_t i = 0; i < shape->rank; i++) {
        int64_t axis = shape->inner_to_outer[i];
        stride[axis] = count;
        count *= (size_t)shape->extents[axis];
    }
    size_t width = count ? size / count : 0, from = 0;
    for (size_t to = 0; to < count; to++) {
        memcpy(target + to * width, source + from * width, width);
        // The next index, the last axis first.
        for (size_t axis = shape->rank; axis-- > 0;) {
            from += stride[axis];
            if (++index[axis] < (size_t)shape->extents[axis]) { break; }
            from -= index[axis] * stride[axis];
            index[axis] = 0;
        }
    }
}

bool cpjrt_buffer_size(const cpjrt_plugin *plugin, cpjrt_handle buffer, size_t *size,
                       cpjrt_failure *failure) {
    shape shape;
    *size = 0;
    return describe(plugin, buffer, &shape, failure)
        && copy_to_host(plugin, buffer, &shape, NULL, size, failure);
}

bool cpjrt_buffer_download(const cpjrt_plugin *plugin, cpjrt_handle buffer, void *target,
                           size_t size, cpjrt_failure *failure) {
    shape shape;
    if (!describe(plugin, buffer, &shape, failure)) { return false; }
    if (shape.row_major) { return copy_to_host(plugin, buffer, &shape, target, &size, failure); }
    // XLA's plugin for the processor takes a host layout and then ignores it, so the order is changed here.
    char *bytes = malloc(size ? size : 1);
    if (!bytes) { return pjrt_fail(failure, CPJRT_NO_MEMORY, "no memory for a result"); }
    bool done = copy_to_host(plugin, buffer, &shape, bytes, &size, failure);
    if (done) { reorder(&shape, bytes, target, size); }
    free(bytes);
    return done;
}
