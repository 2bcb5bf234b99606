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

/// Opens a regular file for reading whose path, relative to a folder, passes through no symbolic link and stays within it.
/// -1 with errno set on failure: ELOOP at a link, EXDEV where the path leaves the folder or has empty parts, EMLINK where
/// the file has other names too. `use_openat2` is for tests: without it, or on kernels without that call, the parts of
/// the path are opened one after the other.
int csystem_open_beneath(const char *folder, const char *path, int use_openat2);

/// Maps an open regular file, and closes it. As csystem_map_file.
void *csystem_map_descriptor(int descriptor, size_t *byte_count);

#endif
