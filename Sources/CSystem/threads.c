#define _GNU_SOURCE
#include "cthreads.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/// How long a thread spins before it sleeps. Two threads on one layer part by less than this when both have a
/// core; when one has lost its core it is gone for milliseconds, and spinning would only keep it away longer.
#define SPIN_NANOSECONDS 30000

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/// A number that threads can wait for to change.
typedef struct {
    _Alignas(64) atomic_uint value;
    atomic_int sleepers;
} gate;

static void gate_wait(gate *gate, unsigned seen) {
    int64_t until = nanoseconds() + SPIN_NANOSECONDS;
    do {
        for (int i = 0; i < 64; i++) {
            if (atomic_load_explicit(&gate->value, memory_order_acquire) != seen) { return; }
            pause_briefly();
        }
    } while (nanoseconds() < until);
    atomic_fetch_add(&gate->sleepers, 1);
    while (atomic_load(&gate->value) == seen) {
        syscall(SYS_futex, (unsigned *)&gate->value, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
    }
    atomic_fetch_sub(&gate->sleepers, 1);
}

static void gate_open(gate *gate) {
    atomic_fetch_add(&gate->value, 1);
    if (atomic_load(&gate->sleepers) > 0) {
        syscall(SYS_futex, (unsigned *)&gate->value, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
    }
}

struct csystem_barrier {
    gate gate;
    _Alignas(64) atomic_int arrived;
    int32_t members;
};

/// Zeroed memory on a cache line of its own.
static void *allocate(size_t size) {
    void *memory = NULL;
    size = (size + 63) & ~(size_t)63;
    if (posix_memalign(&memory, 64, size) != 0) { return NULL; }
    for (size_t i = 0; i < size; i++) { ((char *)memory)[i] = 0; }
    return memory;
}

csystem_barrier *csystem_barrier_create(int32_t members) {
    csystem_barrier *barrier = allocate(sizeof *barrier);
    if (barrier) { barrier->members = members; }
    return barrier;
}

void csystem_barrier_destroy(csystem_barrier *barrier) { free(barrier); }

void csystem_barrier_wait(csystem_barrier *barrier) {
    if (barrier->members == 1) { return; }
    unsigned seen = atomic_load(&barrier->gate.value);
    if (atomic_fetch_add(&barrier->arrived, 1) == barrier->members - 1) {
        atomic_store(&barrier->arrived, 0);
        gate_open(&barrier->gate);
    } else {
        gate_wait(&barrier->gate, seen);
    }
}

struct csystem_team {
    gate start;
    csystem_barrier *finish;
    void (*body)(void *, int32_t);
    void *context;
    bool ending;
    int32_t members, threads;
    struct member { csystem_team *team; int32_t index; pthread_t thread; } *member;
};

static void *member_main(void *argument) {
    struct member *self = argument;
    csystem_team *team = self->team;
    pthread_setname_np(pthread_self(), "resnet-compute");
    for (unsigned seen = 0;; seen++) {
        gate_wait(&team->start, seen);
        if (team->ending) { return NULL; }
        team->body(team->context, self->index);
        csystem_barrier_wait(team->finish);
    }
}

csystem_team *csystem_team_create(int32_t members) {
    csystem_team *team = allocate(sizeof *team);
    if (!team) { return NULL; }
    team->members = members;
    team->finish = csystem_barrier_create(members);
    team->member = allocate((size_t)members * sizeof *team->member);
    if (!team->finish || !team->member) {
        csystem_team_destroy(team);
        errno = ENOMEM;
        return NULL;
    }
    for (int32_t i = 1; i < members; i++) {
        struct member *member = &team->member[i];
        member->team = team;
        member->index = i;
        int failure = pthread_create(&member->thread, NULL, member_main, member);
        if (failure) {
            csystem_team_destroy(team);
            errno = failure;
            return NULL;
        }
        team->threads = i;
    }
    return team;
}

void csystem_team_destroy(csystem_team *team) {
    team->ending = true;
    gate_open(&team->start);
    for (int32_t i = 1; i <= team->threads; i++) { pthread_join(team->member[i].thread, NULL); }
    csystem_barrier_destroy(team->finish);
    free(team->member);
    free(team);
}

void csystem_team_run(csystem_team *team, void (*body)(void *, int32_t), void *context) {
    team->body = body;
    team->context = context;
    if (team->members > 1) { gate_open(&team->start); }
    body(context, 0);
    csystem_barrier_wait(team->finish);
}

void csystem_lower_priority(void) {
    // On Linux a thread has a niceness of its own. Where it cannot be raised, nothing is lost but smoothness.
    id_t thread = (id_t)syscall(SYS_gettid);
    errno = 0;
    int now = getpriority(PRIO_PROCESS, thread);
    if (now == -1 && errno != 0) { return; }
    setpriority(PRIO_PROCESS, thread, now + 10);
}

int32_t csystem_processor_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) { return CPU_COUNT(&set); }
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int32_t)count : 1;
}
