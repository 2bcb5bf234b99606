#ifndef RESNET_CSYSTEM_SIGNALS_H
#define RESNET_CSYSTEM_SIGNALS_H

#include <stdint.h>

/// From now on, SIGINT and SIGTERM do nothing but put their number, as one byte, into a pipe.
/// Returns the pipe's end to read from, or -1 with errno set. To be called once.
int32_t csystem_catch_interrupts(void);

/// Has another signal put its number into that pipe, too; after the call above. Returns 0, or -1 with errno set.
int32_t csystem_catch_signal(int32_t number);

/// Waits for a byte of that pipe, at most so many milliseconds; without an end where negative.
/// Returns the signal's number, or 0 where none came in time.
int32_t csystem_wait_interrupt(int32_t descriptor, int32_t milliseconds);

#endif
