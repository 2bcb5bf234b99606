#ifndef RESNET_CSYSTEM_DEFLATE_H
#define RESNET_CSYSTEM_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

/// The CRC-32 of zip and PNG files. Pass 0 to start, the last result to go on.
uint32_t csystem_crc32(uint32_t crc, const void *bytes, size_t byte_count);

/// Inflates a raw deflate stream that must take all of the source and fill all of the target.
/// Returns 0 when it did, 1 when the stream is damaged or has another length, 2 without memory.
int csystem_inflate_raw(
    const void *source, size_t source_count, void *target, size_t target_count);

#endif
