/* Following jobs: hears the announcements of every daemon's slots and hands each watcher the
 * events of its job in order, from the log, from where it left off. Announcements carry
 * nothing, so a lost one loses nothing: after every (re)subscription all logs that are watched
 * are read again. Loop thread only. */
#ifndef VVE_RUN_WATCH_H
#define VVE_RUN_WATCH_H

#include "run/queue.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct watch;

struct watch *watch_open(uv_loop_t *loop, struct queue *queue);
void watch_close(struct watch *watch);
void watch_finish(struct watch *watch); /* once the loop has run dry; accepts NULL */

/* Wire these to redis_open and redis_subscribe(SCRIPT_CHANNEL). */
void watch_on_announcement(struct watch *watch, struct view job_id);
void watch_on_subscribed(struct watch *watch);

/* Called for each event; and, without an id, with type "position" and data = the status object when
 * the place of a queued job has changed, and with type "gone" when the job is not known any more. May
 * call watch_remove. */
typedef void watch_on_event(const struct queue_event *event, void *context);

/* Starts following `job_id` behind the event `after` ("0-0": from the start) until
 * watch_remove. Returns the watcher's id. The log is read at once. */
uint64_t watch_add(struct watch *watch, const char *job_id, const char *after,
                   watch_on_event *on_event, void *context);
void watch_remove(struct watch *watch, uint64_t id); /* a missing id is fine */

#endif
