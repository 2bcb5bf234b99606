#define _GNU_SOURCE
#include "csystem_signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t write_end = -1;

static void note_signal(int number) {
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    // A full pipe already holds more signals than anyone will count.
    ssize_t ignored = write(write_end, &byte, 1);
    (void)ignored;
    errno = saved;
}

int32_t csystem_catch_signal(int32_t number) {
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    return sigaction(number, &action, NULL);
}

int32_t csystem_catch_interrupts(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    write_end = ends[1];
    if (csystem_catch_signal(SIGINT) != 0) return -1;
    if (csystem_catch_signal(SIGTERM) != 0) return -1;
    return ends[0];
}

static int64_t now_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int32_t csystem_wait_interrupt(int32_t descriptor, int32_t milliseconds) {
    int64_t end = now_milliseconds() + milliseconds;
    for (;;) {
        int64_t left = milliseconds < 0 ? -1 : end - now_milliseconds();
        if (milliseconds >= 0 && left < 0) return 0;
        struct pollfd wait = {.fd = descriptor, .events = POLLIN};
        int ready = poll(&wait, 1, (int)left);
        if (ready == 0) return 0;
        unsigned char byte;
        if (ready > 0 && read(descriptor, &byte, 1) == 1) return byte;
    }
}
