#define _GNU_SOURCE
#include "csystem.h"

#include <unistd.h>

bool csystem_executable_path(char *path, size_t size) {
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length < 0 || (size_t)length >= size - 1) { return false; }
    path[length] = 0;
    return true;
}
