/* The embedded worker: one thread per container slot (slot.c), each of them sequential. The
 * loop thread starts it, asks it to stop, and hears when the last thread has ended. */
#ifndef VVE_RUN_WORKER_H
#define VVE_RUN_WORKER_H

#include "base/err.h"
#include "conf/conf.h"

#include <stdbool.h>

struct worker;

/* Called from a slot thread: only wakes the loop (uv_async_send). */
typedef void worker_on_change(void *context);

/* How the slots are, for /readyz and /metrics. Written by slot threads, read by the loop. */
struct worker_health {
    int slots;       /* that this daemon holds; 0: it runs as a gateway */
    int slots_alive; /* has made a container; heartbeat and Engine's answer of the last 30 s */
    int slots_warm;  /* a container is up and waits for a job */
    int slots_busy;
    unsigned long long runs;      /* ended, by any cause */
    unsigned long long warm_hits; /* jobs that found a warm container */
    unsigned long long warm_misses;
    unsigned long long engine_failures;
    const char *engine_error; /* static string or NULL: why the Engine is not usable */
};

/* Takes as many of the host's slots (flock on files named after the Docker socket) as are free,
 * at most conf->slots, and starts their threads. None free is no failure: the daemon then is a
 * gateway, and the log says so. */
struct worker *worker_start(const struct conf *conf, worker_on_change *on_change, void *context,
                            struct err *err);

/* Takes the slots that have become free since, because another daemon of this host has ended.
 * To be called every few seconds. */
void worker_take_free_slots(struct worker *worker);

/* Asks the threads to stop: idle slots at once, busy ones when their run has ended, at the
 * latest after conf->drain_ms (the job then goes back to the queue). May be called twice. */
void worker_stop(struct worker *worker);
bool worker_stopped(const struct worker *worker); /* every thread has ended */

/* Whether each thread was seen at work in the last 30 s, which is more than any of its calls
 * takes; to ask again and again for a Redis or an Engine that is away is work. */
bool worker_moves(const struct worker *worker);
void worker_health(const struct worker *worker, struct worker_health *health);
void worker_destroy(struct worker *worker); /* joins; accepts NULL */

#endif
