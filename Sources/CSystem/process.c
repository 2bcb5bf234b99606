#define _GNU_SOURCE
#include "csystem.h"

#include <stdlib.h>
#include <unistd.h>

const char *csystem_environment(const char *name) { return getenv(name); }

bool csystem_executable_path(char *path, size_t size) {
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length < 0 || (size_t)length >= size - 1) { return false; }
    path[length] = 0;
    return true;
}
