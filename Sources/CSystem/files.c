#define _GNU_SOURCE
#include "csystem_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int csystem_is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int csystem_create_new(const char *path) {
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
}

int csystem_write_all(int descriptor, const void *bytes, size_t byte_count) {
    const char *next = bytes;
    while (byte_count > 0) {
        // Linux takes at most 2 GiB at once.
        size_t piece = byte_count < ((size_t)1 << 30) ? byte_count : (size_t)1 << 30;
        ssize_t written = write(descriptor, next, piece);
        if (written < 0) {
            if (errno == EINTR) { continue; }
            return -1;
        }
        next += written;
        byte_count -= (size_t)written;
    }
    return 0;
}

int csystem_sync_and_close(int descriptor) {
    // Pipes and some special files cannot be synchronised; that is no failure.
    int failed = fsync(descriptor) != 0 && errno != EINVAL && errno != EROFS;
    int saved = errno;
    if (close(descriptor) != 0 && !failed && errno != EINTR) { return -1; }
    errno = saved;
    return failed ? -1 : 0;
}

void csystem_close(int descriptor) { close(descriptor); }

int csystem_rename_in_folder(const char *from, const char *to, const char *folder) {
    if (rename(from, to) != 0) { return -1; }
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    // Who may write into a folder need not be allowed to list it.
    if (descriptor < 0) { return errno == EACCES ? 0 : 1; }
    // Some file systems have no such thing as a folder that is synchronised; that is no failure.
    int failed = fsync(descriptor) != 0 && errno != EINVAL && errno != EROFS;
    int saved = errno;
    close(descriptor);
    errno = saved;
    return failed ? 1 : 0;
}

void csystem_remove(const char *path) { unlink(path); }
