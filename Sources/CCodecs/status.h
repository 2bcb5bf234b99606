#ifndef RESNET_CCODECS_STATUS_H
#define RESNET_CCODECS_STATUS_H

#include "ccodecs.h"

/// A status that says nothing has gone wrong yet.
void ccodecs_clear(ccodecs_status *status);

/// Ends a call with an error.
void ccodecs_fail(ccodecs_status *status, int32_t code, const char *message);

/// Counts a warning and keeps the first one's words.
void ccodecs_warn(ccodecs_status *status, const char *message);

/// Adds bytes at the end of a buffer whose memory grows in powers of two. 0 where there is no memory left;
/// the buffer is then as it was.
int ccodecs_append(ccodecs_buffer *buffer, const uint8_t *bytes, size_t byte_count);

#endif
