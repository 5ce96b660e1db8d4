/* The submitting side of the queue, over the loop's connection: admit, look up, cancel, read
 * the event log, and give back the work of slots that died. Loop thread only. claim.h is the
 * other side.
 *
 * Every call answers through its callback exactly once and never before it returns; the context
 * must live until then (carry an id, not a pointer to what may go away). */
#ifndef VVE_RUN_QUEUE_H
#define VVE_RUN_QUEUE_H

#include "conf/conf.h"
#include "net/redis.h"
#include "run/job.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct queue;

struct queue *queue_open(const struct conf *conf, uv_loop_t *loop, struct redis *redis);
void queue_close(struct queue *queue);  /* before redis_close: what is under way is given up */
void queue_finish(struct queue *queue); /* once the loop has run dry; accepts NULL */

/* How much of the minute's runs a client has left. known is false while Redis is away. */
struct queue_rate {
    bool known;
    int limit; /* 0: unlimited */
    int remaining;
    int reset_ms; /* until the next place is free; 0: one is free and none is taken */
};

enum queue_admission {
    QUEUE_ADMITTED,
    QUEUE_RATE_LIMITED,
    QUEUE_FULL,
    QUEUE_AWAY,    /* Redis is away or out of memory: nothing was accepted */
    QUEUE_UNKNOWN, /* Redis went away in between: it may have been accepted */
};
typedef void queue_on_admit(enum queue_admission admission, const struct queue_rate *rate,
                            void *context);

/* Draws no id: job->id and job->submitted_at are set. `client` is http_request's. */
void queue_admit(struct queue *queue, const struct job *job, const char *client,
                 queue_on_admit *on_admit, void *context);

typedef void queue_on_rate(const struct queue_rate *rate, void *context);
void queue_read_rate(struct queue *queue, const char *client, queue_on_rate *on_rate,
                     void *context);

enum queue_answer { QUEUE_OK, QUEUE_MISSING, QUEUE_FINISHED, QUEUE_NO_ANSWER };

/* `status` is the status object as the client should see it (position set while queued); valid
 * during the call. */
typedef void queue_on_status(enum queue_answer answer, struct view status, enum job_state state,
                             int64_t position, void *context);
void queue_read_status(struct queue *queue, const char *id, queue_on_status *on_status,
                       void *context);

/* QUEUE_OK: cancelled, or the slot that runs it was told. */
typedef void queue_on_cancel(enum queue_answer answer, void *context);
void queue_cancel(struct queue *queue, const char *id, queue_on_cancel *on_cancel,
                  void *context);

/* Gives a run that waits the input it waits for: whoever is first wins. */
enum queue_input_answer {
    QUEUE_INPUT_TAKEN,
    QUEUE_INPUT_MISSING,
    QUEUE_INPUT_NOT_WAITING,
    QUEUE_INPUT_TOO_LARGE, /* all input of a run together */
    QUEUE_INPUT_NO_ANSWER,
};
typedef void queue_on_input(enum queue_input_answer answer, void *context);
void queue_give_input(struct queue *queue, const char *id, const struct job_input *input,
                      queue_on_input *on_input, void *context);

/* Events of the log behind `after` ("0-0": from the start), in order. */
struct queue_event {
    struct view id;
    struct view type; /* status, output, waiting, input, resumed, reset, end */
    struct view data; /* JSON */
};
typedef void queue_on_events(bool ok, const struct queue_event *events, size_t count,
                             void *context);
void queue_read_events(struct queue *queue, const char *id, const char *after,
                       queue_on_events *on_events, void *context);
#define QUEUE_EVENTS_MAX 512  /* handed over at once; as many: ask again */
#define QUEUE_EVENT_ID_MAX 44 /* "18446744073709551615-18446744073709551615" and a NUL */

/* How many runs wait; -1: Redis did not say. */
typedef void queue_on_length(int64_t length, void *context);
void queue_read_length(struct queue *queue, queue_on_length *on_length, void *context);

#endif
