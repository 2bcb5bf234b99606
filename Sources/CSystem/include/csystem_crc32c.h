#ifndef RESNET_CSYSTEM_CRC32C_H
#define RESNET_CSYSTEM_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/// The CRC-32C (Castagnoli) of TFRecord files. Pass 0 to start, the last result to go on.
uint32_t csystem_crc32c(uint32_t crc, const void *bytes, size_t byte_count);

#endif
