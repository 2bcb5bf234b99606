#define _GNU_SOURCE
#include "csystem.h"
#include "csystem_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char empty_file;

void *csystem_map_file(const char *path, size_t *byte_count) {
    *byte_count = 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) { return NULL; }
    return csystem_map_descriptor(descriptor, byte_count);
}

void *csystem_map_descriptor(int descriptor, size_t *byte_count) {
    *byte_count = 0;
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        int saved = errno;
        close(descriptor);
        errno = saved;
        return NULL;
    }
    if (!S_ISREG(status.st_mode)) {
        close(descriptor);
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
        return NULL;
    }
    if (status.st_size == 0) {
        close(descriptor);
        return &empty_file;
    }
    void *base = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    int saved = errno;
    close(descriptor);
    if (base == MAP_FAILED) {
        errno = saved;
        return NULL;
    }
    *byte_count = (size_t)status.st_size;
    return base;
}

void csystem_unmap(void *base, size_t byte_count) {
    if (byte_count > 0) { munmap(base, byte_count); }
}

#define HUGE_PAGE ((size_t)2 << 20)

void *csystem_allocate_pages(size_t byte_count) {
    if (byte_count == 0) { byte_count = 1; }
    if (byte_count > SIZE_MAX - 2 * HUGE_PAGE) {
        errno = ENOMEM;
        return NULL;
    }
    size_t wanted = (byte_count + 4095) & ~(size_t)4095;
    size_t reserved = wanted + HUGE_PAGE;
    char *base = mmap(NULL, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) { return NULL; }
    char *aligned = (char *)(((uintptr_t)base + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
    if (aligned > base) { munmap(base, (size_t)(aligned - base)); }
    char *end = base + reserved;
    if (end > aligned + wanted) { munmap(aligned + wanted, (size_t)(end - (aligned + wanted))); }
    madvise(aligned, wanted, MADV_HUGEPAGE);
    return aligned;
}

void *csystem_allocate_heap(size_t byte_count) {
    if (byte_count > SIZE_MAX - 64) { return NULL; }
    return aligned_alloc(64, (byte_count + 64) & ~(size_t)63);
}

void csystem_free_heap(void *base) { free(base); }

const char *csystem_error_text(int code, char *buffer, size_t buffer_size) {
    return strerror_r(code, buffer, buffer_size);
}

int csystem_errno(void) { return errno; }
