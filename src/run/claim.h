/* A slot's side of the queue: taking jobs from Redis and writing what becomes of them, over a
 * blocking connection that belongs to the slot's thread. See queue.h for the submitting side
 * and scripts.h for what is atomic.
 *
 * Every call may find Redis away: it then returns CLAIM_DOWN, the connection is closed, and the
 * next call connects again. Nothing here retries by itself; the slot decides. */
#ifndef VVE_RUN_CLAIM_H
#define VVE_RUN_CLAIM_H

#include "conf/conf.h"
#include "run/job.h"

#include <stdbool.h>
#include <stdint.h>

struct claim;

enum claim_outcome {
    CLAIM_OK,
    CLAIM_NOTHING, /* no job came; or the job is not ours (any more): leave it alone */
    CLAIM_DOWN,    /* Redis did not answer, or not in time */
    CLAIM_WOKEN,   /* one of the descriptors that claim_take watches became readable */
};

/* `worker` names the slot: host, slot and nonce. Not connected yet. Each call marks in `moved_at`,
 * which outlives the claim, when (monotonic ms) its thread was last at work. */
struct claim *claim_create(const struct conf *conf, const char *worker,
                           _Atomic int64_t *moved_at);
void claim_destroy(struct claim *claim); /* accepts NULL */

/* The longest that a call may take while Redis hangs. */
#define CLAIM_CALL_MAX_MS 2200

/* Registers the worker, and renews its heartbeat (TTL 30 s) when CLAIM_BEAT_MS have passed
 * since the last: cheap to call often. Before the first take; claim_take does it by itself.
 * CLAIM_DOWN: there is none yet, or it is due and Redis did not answer, just now or within the
 * last second. */
#define CLAIM_BEAT_MS 5000
enum claim_outcome claim_beat(struct claim *claim);

/* Waits up to timeout_ms for a job; on CLAIM_OK `job` is filled (job_finish it) and lies in our
 * taken-list. Returns CLAIM_WOKEN early when one of wake_fds (-1: none) becomes readable; a job
 * that arrives in that moment is found again by the next call. Entries that cannot be parsed or
 * are too old are acknowledged and logged here. */
enum claim_outcome claim_take(struct claim *claim, int timeout_ms, const int wake_fds[2],
                              struct job *job);

/* Marks the taken job running under us. CLAIM_NOTHING: it was cancelled or finished meanwhile,
 * or its attempts are used up; it has been acknowledged. */
enum claim_outcome claim_start(struct claim *claim, const struct job *job, int64_t started_at);

/* Appends an event to the job's log and announces it: "output", "waiting" (for input: somebody may
 * send it from now on) or "resumed"; `data` is JSON. After CLAIM_DOWN give the same event again
 * before any other: it is stored once. CLAIM_NOTHING: the run is not ours any more (another attempt
 * has taken over, or it expired) and was acknowledged: stop it. */
enum claim_outcome claim_event(struct claim *claim, const struct job *job, const char *type,
                               const char *data);

/* Writes the result once and acknowledges the queue entry. */
enum claim_outcome claim_end(struct claim *claim, const struct job *job,
                             const struct job_result *result);

/* Gives a taken job back to the head of the queue, as if never taken (`used_attempt` false) or
 * with its attempt used up. */
enum claim_outcome claim_give_back(struct claim *claim, const struct job *job,
                                   bool used_attempt);

/* Control messages for the running job arrive on a second connection. claim_watch subscribes.
 * Before each poll() ask for its descriptor, which changes when Redis was away (-1: away just now;
 * look again every 200 ms). When it is readable, or -1, call claim_cancelled: true once a
 * cancel was stored for the job; after it claim_take_input gives the input that was stored since,
 * if any, for free(), and whether it is the last. claim_unwatch after the run. */
void claim_watch(struct claim *claim, const struct job *job);
int claim_watch_fd(const struct claim *claim);
bool claim_cancelled(struct claim *claim, const struct job *job);
char *claim_take_input(struct claim *claim, bool *is_last); /* NULL: none */
void claim_unwatch(struct claim *claim);

/* How many jobs wait for a slot; 0 when Redis does not say. */
long long claim_queue_length(struct claim *claim);

/* Whether a worker of that name has a heartbeat. False: Redis did not say. */
bool claim_worker_alive(struct claim *claim, const char *name, bool *alive);

/* That worker is known to be dead: its heartbeat is removed, so that its work is given back at
 * the reaper's next look. */
void claim_bury(struct claim *claim, const char *name);

/* At the end of the thread: gives taken jobs back and ends the heartbeat. The name stays registered
 * until a reaper has seen that nothing came after. */
void claim_leave(struct claim *claim);

#endif
