#define _GNU_SOURCE
#include "csystem_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(SYS_openat2) && __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#define HAS_OPENAT2 1
#endif

static const int file_flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

/// Opens part after part, following no link.
static int open_by_parts(int folder, const char *path) {
    int here = fcntl(folder, F_DUPFD_CLOEXEC, 0);
    while (here >= 0) {
        const char *slash = strchr(path, '/');
        size_t length = slash ? (size_t)(slash - path) : strlen(path);
        char part[NAME_MAX + 1];
        if (length > NAME_MAX) {
            close(here);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(part, path, length);
        part[length] = 0;
        if (length == 0 || strcmp(part, ".") == 0 || strcmp(part, "..") == 0) {
            close(here);
            errno = EXDEV;
            return -1;
        }
        int next = openat(here, part, slash ? O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC : file_flags);
        int saved = errno;
        if (next < 0 && saved == ENOTDIR) {
            // With O_DIRECTORY a link is said to be no folder.
            struct stat status;
            if (fstatat(here, part, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode)) { saved = ELOOP; }
        }
        close(here);
        errno = saved;
        if (!slash) { return next; }
        here = next;
        path = slash + 1;
    }
    return -1;
}

static int open_file(int folder, const char *path, int use_openat2) {
#ifdef HAS_OPENAT2
    if (use_openat2) {
        struct open_how how = {
            .flags = (unsigned long long)file_flags,
            .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        int descriptor = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
        // Old kernels have no such call, and sandboxes forbid it.
        if (descriptor >= 0 || (errno != ENOSYS && errno != EPERM)) { return descriptor; }
    }
#else
    (void)use_openat2;
#endif
    return open_by_parts(folder, path);
}

int csystem_open_beneath(const char *folder, const char *path, int use_openat2) {
    int base = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (base < 0) { return -1; }
    int descriptor = open_file(base, path, use_openat2);
    int saved = errno;
    close(base);
    errno = saved;
    if (descriptor < 0) { return -1; }
    struct stat status;
    int code = 0;
    if (fstat(descriptor, &status) != 0) {
        code = errno;
    } else if (!S_ISREG(status.st_mode)) {
        code = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    } else if (status.st_nlink != 1) {
        code = EMLINK;
    }
    if (code == 0) { return descriptor; }
    close(descriptor);
    errno = code;
    return -1;
}
