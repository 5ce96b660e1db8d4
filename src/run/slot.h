/* One place for one running program: a thread that keeps a warm container, takes a job, runs it
 * and makes the next container, for as long as the daemon lives. At no moment does a slot have
 * two containers that run, so a host has as many as it has slots. */
#ifndef VVE_RUN_SLOT_H
#define VVE_RUN_SLOT_H

#include "conf/conf.h"
#include "run/run.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SLOT_NAME_MAX 96

struct slot;

/* Written by the slot's thread, read by any. */
struct slot_health {
    _Atomic int64_t redis_at;  /* monotonic ms of the last heartbeat that Redis took; 0: none */
    _Atomic int64_t moved_at;  /* monotonic ms of when the thread was last seen at work */
    _Atomic int64_t engine_at; /* monotonic ms of the last answer of the Engine; 0: none */
    atomic_bool proven;        /* a container has been warm since the Engine was last reached */
    atomic_bool warm;
    atomic_bool busy;
    atomic_bool ended; /* the thread is about to return */
    atomic_ullong runs;
    atomic_ullong warm_hits;
    atomic_ullong warm_misses;
    atomic_ullong engine_failures;
    _Atomic(const char *) engine_error; /* static string; NULL: none */
};

typedef void slot_on_change(void *context);

struct slot_setup {
    const struct conf *conf;
    const struct run_stop *stop;
    const char *seccomp; /* the profile's text */
    int number;
    slot_on_change *on_change; /* from the slot's thread */
    void *change_context;
};

/* Everything in `setup` outlives the slot. */
struct slot *slot_create(const struct slot_setup *setup);
void slot_destroy(struct slot *slot); /* after slot_run has returned; accepts NULL */

void slot_run(struct slot *slot); /* the thread's body */
const struct slot_health *slot_health(const struct slot *slot);

#endif
