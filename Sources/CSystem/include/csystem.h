#ifndef RESNET_CSYSTEM_H
#define RESNET_CSYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Maps a whole regular file for reading. Returns NULL with errno set on failure; an empty file gives a
/// non-null pointer that must not be read, and *byte_count 0.
void *csystem_map_file(const char *path, size_t *byte_count);

/// Undoes csystem_map_file. byte_count is what that call stored.
void csystem_unmap(void *base, size_t byte_count);

/// Reserves zero-filled memory aligned to 2 MiB and asks for huge pages. NULL with errno set on failure.
void *csystem_allocate_pages(size_t byte_count);

/// Memory from malloc, aligned to 64 bytes. NULL where there is none left.
void *csystem_allocate_heap(size_t byte_count);

/// Gives back what csystem_allocate_heap gave.
void csystem_free_heap(void *base);

/// The text for an errno value, never NULL. Thread-safe.
const char *csystem_error_text(int code, char *buffer, size_t buffer_size);

/// The errno of the calling thread.
int csystem_errno(void);

/// The path of the running program, links resolved. Returns whether it fits.
bool csystem_executable_path(char *path, size_t size);

#endif
