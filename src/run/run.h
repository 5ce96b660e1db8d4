/* One job's time in a container: the source goes in, output comes out and is announced, and the
 * run ends in one way with one cause. */
#ifndef VVE_RUN_RUN_H
#define VVE_RUN_RUN_H

#include "conf/conf.h"
#include "run/claim.h"
#include "run/container.h"
#include "run/feed.h"
#include "run/frames.h"
#include "run/job.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* How slot threads hear that the daemon stops. Shared; written once by worker_stop. */
struct run_stop {
    int fd;                      /* becomes readable, and stays so */
    _Atomic int64_t drain_until; /* monotonic ms; 0: not asked to stop */
};

enum run_outcome {
    RUN_GOES_ON,
    RUN_ENDED,       /* `result` says how; the supervisor has killed everything and exits */
    RUN_CUT,         /* `result` says how; the container still lives and must be killed */
    RUN_NOT_STARTED, /* the container failed before the program began: another will do */
    RUN_LOST,        /* the container is gone in mid-run; `result` holds what came until then */
    RUN_DISOWNED,    /* the job is not ours any more */
    RUN_DRAINED,     /* the daemon stops and will not wait longer */
};

struct run {
    const struct conf *conf;
    const struct run_stop *stop;
    struct claim *claim;
    const struct job *job;
    struct container *container;
    struct feed feed;
    struct job_result result; /* its text lies in `feed`, its signal in `signal` */
    char signal[16];
    int64_t sent_at;           /* monotonic ms, as all below; source handed to the connection */
    int64_t started_at;        /* 0: the supervisor has not started the program */
    int64_t interrupted_at;    /* 0: nobody cancelled */
    int64_t killed_at;         /* 0: the supervisor was not told to kill the program */
    enum job_state kill_state; /* what it comes to then, and why: */
    const char *kill_code;     /* NULL: the state says all */
    const char *kill_text;
    int64_t look_at; /* when to look for a cancel though nothing was heard */
    /* of live input */
    int64_t waiting_since; /* 0: the program does not wait */
    int64_t waited_ms;     /* before */
    unsigned waits;
    bool told_waiting;     /* what the job's log says of it */
    const char *owed;      /* event that has to be stored before any other; NULL: none */
    int64_t owed_at;       /* when to try */
    int64_t queue_look_at; /* whether others wait to run */
};

/* After claim_start. `started_at` is what it was told. */
void run_init(struct run *run, const struct conf *conf, const struct run_stop *stop,
              struct claim *claim, const struct job *job, int64_t started_at);
void run_finish(struct run *run);

/* Runs the job in a warm container until there is an outcome. May be called again with another
 * container after RUN_NOT_STARTED. */
enum run_outcome run_execute(struct run *run, struct container *container);

/* Decides what a run that was lost comes to: memory ended, or an error of ours. */
void run_judge_lost(struct run *run, bool oom_killed);

/* Writes what is left of the output, then the result. CLAIM_DOWN: call again later. */
enum claim_outcome run_settle(struct run *run);

#endif
