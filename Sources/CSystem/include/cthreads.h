#ifndef RESNET_CTHREADS_H
#define RESNET_CTHREADS_H

#include <stdint.h>

// Threads that wait by spinning for a bounded time and then sleep, so that a waiting thread never holds a core
// that another program, or a thread that it waits for, could use.

/// A meeting point for a fixed number of threads.
typedef struct csystem_barrier csystem_barrier;

/// NULL where memory cannot be had.
csystem_barrier *csystem_barrier_create(int32_t members);
void csystem_barrier_destroy(csystem_barrier *barrier);
/// Returns when all members have called it as often as the caller.
void csystem_barrier_wait(csystem_barrier *barrier);

/// Threads that run one function at a time, the caller being one of them.
typedef struct csystem_team csystem_team;

/// NULL, with errno set, where a thread cannot be had. `members` counts the caller.
csystem_team *csystem_team_create(int32_t members);
/// Ends and joins the threads. Nobody may be inside `csystem_team_run`.
void csystem_team_destroy(csystem_team *team);
/// Calls `body(context, member)` once for each member, 0 on the calling thread; returns when all have.
/// One call at a time.
void csystem_team_run(csystem_team *team, void (*body)(void *context, int32_t member), void *context);

/// Lets all other threads of this machine go before the calling one: adds to its niceness for good.
void csystem_lower_priority(void);

/// Processors that this process may use.
int32_t csystem_processor_count(void);

#endif
