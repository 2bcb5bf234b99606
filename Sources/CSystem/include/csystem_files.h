#ifndef RESNET_CSYSTEM_FILES_H
#define RESNET_CSYSTEM_FILES_H

#include <stddef.h>

/// Whether the path names a folder.
int csystem_is_folder(const char *path);

/// Creates a file that must not exist yet and opens it for writing. -1 with errno set on failure.
int csystem_create_new(const char *path);

/// Writes all bytes. -1 with errno set on failure.
int csystem_write_all(int descriptor, const void *bytes, size_t byte_count);

/// Waits until the file's bytes are on the device, then closes it. -1 with errno set on failure.
int csystem_sync_and_close(int descriptor);

/// Closes without waiting.
void csystem_close(int descriptor);

/// Renames within a folder, then waits until the folder's entry is on the device. With errno set: -1 where
/// nothing was renamed, 1 where it was and the device may not have it.
int csystem_rename_in_folder(const char *from, const char *to, const char *folder);

/// Removes a file, ignoring failure.
void csystem_remove(const char *path);

#endif
