/* Everything about the queue that must happen at once happens in one of these Redis scripts.
 * Both ends use them: queue.c over the loop's connection, claim.c over a slot's.
 *
 * A job lives in four places with one life time (TTL from its last state change):
 *     job:{id}          the public status object, a string that nobody but its writer encodes
 *     job:{id}:run      hash: state, entry (the exact queue bytes), owner, attempt, cancel, seq;
 *                       of live input: waiting (1: the program waits), inputs (how many there
 *                       were), input and input_ends (the last), input_bytes (of all)
 *     job:{id}:events   stream of (e = type, d = JSON): status, output, waiting, input, resumed,
 *                       reset, end (whose data is job:{id} itself, so that a result is not
 *                       stored twice)
 *     an entry in submission_queue, or in submission_queue:{worker} once taken
 *
 * The state in the hash decides; owner and attempt fence every write of a slot, so a slot that
 * lost its job cannot write over its successor. What is stored is announced by publishing the
 * job's id on SCRIPT_CHANNEL: the announcement carries nothing, a reader reads the log.
 *
 * Scripts that finish, give back or cancel work may run when Redis is out of memory
 * (allow-oom); only admission is refused then. Lua never encodes JSON: whole values come from
 * the caller. */
#ifndef VVE_RUN_SCRIPTS_H
#define VVE_RUN_SCRIPTS_H

#define SCRIPT_CHANNEL "job:announce"
#define SCRIPT_QUEUE "submission_queue"
#define SCRIPT_WORKERS "workers"

struct script {
    const char *text;
    int keys; /* how many of the arguments are keys */
    int args;
};

/* keys: rate, queue, job, run; args: limit, queue max, status, entry, ttl
 * -> {"ok"|"rate"|"full", remaining, ms until a place is free} */
extern const struct script script_admit;
/* keys: rate; args: limit -> {"ok", remaining, ms until a place is free} */
extern const struct script script_rate;
/* keys: job, run, queue -> {status, state, position} or {} */
extern const struct script script_status;
/* keys: events, job; args: XRANGE start, count -> {entries, status if the last is the end, else
 * ""} */
extern const struct script script_events;
/* keys: job, run, events, queue, control channel; args: status if it was queued, ttl, id
 * -> "missing" | "cancelled" | "running" | "finished" */
extern const struct script script_cancel;
/* keys: run, events, control channel; args: text, "1" if it is the last, bytes that all input may
 * have, event, id -> "missing" | "not_waiting" | "too_large" | "taken" */
extern const struct script script_input;
/* keys: workers, worker; args: name, ms */
extern const struct script script_heartbeat;
/* keys: queue, taken -> entry or false */
extern const struct script script_take;
/* keys: job, run, events, taken; args: owner, status, ttl, entry, id, "1" if the reply of an earlier
 * try was lost -> attempt; 0: not to run; -1: it ran under this owner before, to be given back */
extern const struct script script_start;
/* keys: job, run, events; args: owner, attempt, type, data, ttl, id, sequence -> 1; 0: not
 * ours. A sequence (1, 2, ...) that was stored already is not stored again: its reply was lost.
 */
extern const struct script script_event;
/* keys: job, run, events, taken; args: owner, attempt, state, status, ttl, entry, id
 * -> 1; 0: not ours (the entry is acknowledged all the same) */
extern const struct script script_end;
/* keys: job, run, events, taken, queue, worker; args: entry, owner, "1" if the attempt was
 * used, queued status, error status, cancelled status, ttl, id, "1" to refuse while the worker
 * lives
 * -> "alive" | "gone" | "queued" | "ended". A second attempt that was used up ends the job with
 * the error status. */
extern const struct script script_give_back;
/* keys: taken, workers, worker; args: name -> 1; 0: it lives, or there is still work */
extern const struct script script_retire;

#endif
