#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ccodecs_clear(ccodecs_status *status) { memset(status, 0, sizeof *status); }

void ccodecs_fail(ccodecs_status *status, int32_t code, const char *message) {
    status->code = code;
    snprintf(status->message, sizeof status->message, "%s", message);
}

void ccodecs_warn(ccodecs_status *status, const char *message) {
    if (status->warning_count == 0) {
        snprintf(status->message, sizeof status->message, "%s", message);
    }
    status->warning_count += 1;
}

void ccodecs_free(ccodecs_buffer buffer) { free(buffer.bytes); }

int ccodecs_append(ccodecs_buffer *buffer, const uint8_t *bytes, size_t byte_count) {
    size_t needed = buffer->byte_count + byte_count;
    size_t capacity = 4096;
    while (capacity < buffer->byte_count) { capacity *= 2; }
    if (buffer->bytes == NULL || needed > capacity) {
        while (capacity < needed) { capacity *= 2; }
        uint8_t *larger = realloc(buffer->bytes, capacity);
        if (larger == NULL) { return 0; }
        buffer->bytes = larger;
    }
    memcpy(buffer->bytes + buffer->byte_count, bytes, byte_count);
    buffer->byte_count = needed;
    return 1;
}
