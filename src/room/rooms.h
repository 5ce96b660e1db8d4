/* All rooms of this daemon: finds and loads them, takes connections in, ends what is idle. What the
 * rest of the daemon sees of rooms. Loop thread only; owned by server.c.
 *
 * The promise: what somebody has seen of a colleague's work while the room was saved is in Redis, and
 * survives the end of this process in any way. See room.h for how. */
#ifndef VVE_ROOM_ROOMS_H
#define VVE_ROOM_ROOMS_H

#include "base/buf.h"
#include "conf/conf.h"
#include "net/redis.h"
#include "net/ws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define ROOM_ID_MAX 64

struct rooms;
struct room;

struct rooms *rooms_open(const struct conf *conf, uv_loop_t *loop, struct redis *redis);
/* Before http is served from: rooms write to Redis, then connections are flushed. */
void rooms_attach(struct rooms *rooms, struct http *http);
/* Sends everybody away and lets nobody in. on_settled is called once, and not in here: when Redis has all
 * there is, or after some seconds in which it did not take it. */
void rooms_stop(struct rooms *rooms, void (*on_settled)(void *context), void *context);
void rooms_close(struct rooms *rooms);  /* once they have settled */
void rooms_finish(struct rooms *rooms); /* once the loop has run dry; accepts NULL */

/* ^[A-Za-z0-9_-]{1,64}$ */
bool rooms_id_is_good(struct view id);

enum rooms_answer {
    ROOMS_OK,
    ROOMS_FULL,    /* as many people as a room takes */
    ROOMS_LIMITED, /* this client has made as many rooms a minute as it may */
    ROOMS_AWAY,    /* Redis is away: the room cannot be loaded */
    ROOMS_BUDGET,  /* all rooms together hold as much memory as they may */
    ROOMS_MISSING, /* nobody has ever written in it (rooms_look only) */
};

/* Called once: at once or later, when the room is loaded. `room` is valid in the call. */
typedef void rooms_on_room(enum rooms_answer answer, struct room *room, void *context);

/* Loads the room if need be, for somebody of `client` who will join it. */
void rooms_enter(struct rooms *rooms, const char *id, const char *client,
                 rooms_on_room *on_room, void *context);
/* The same without joining, and without making a room that is not there. */
void rooms_look(struct rooms *rooms, const char *id, rooms_on_room *on_room, void *context);

/* Takes a connection in; it speaks the protocol of y-websocket from here on. */
void room_join(struct room *room, struct http_exchange *exchange);

struct room_facts {
    const char *id;
    size_t people;      /* connections, on all daemons that have told */
    size_t bytes;       /* of the document, encoded */
    int64_t updated_at; /* ms since the epoch; 0: unknown */
};
void room_facts(struct room *room, struct room_facts *facts);
/* The text that the page shares, appended to `out`. */
void room_text(struct room *room, struct buf *out);

/* A run that was accepted for a room, which need not be in memory: everybody in it will see it. */
struct rooms_run {
    const char *job_id;
    const char *by; /* NULL: nobody said */
    int64_t at;     /* ms since the epoch */
    const char *code;
};
void rooms_announce_run(struct rooms *rooms, const char *room_id, const struct rooms_run *run);

/* The last runs of a room, which need not be in memory, oldest first, each with its code: as JSON
 * {"runs":[...]}; valid in the call. NULL: Redis did not say. Called once, and never before it returns. */
typedef void rooms_on_history(const char *json, void *context);
void rooms_read_history(struct rooms *rooms, const char *room_id, rooms_on_history *on_history,
                        void *context);

/* How runs are followed: the other side lies in another part of the daemon, so server.c joins the two.
 * follow: from the beginning; it calls rooms_on_run_event with the context for each event, never before
 * it returns, and not after unfollow. Types: status, output, reset, end, gone; see run/watch.h. */
struct rooms_runs {
    uint64_t (*follow)(void *owner, const char *job_id, void *context);
    void (*unfollow)(void *owner, uint64_t id);
    void *owner;
};
void rooms_set_runs(struct rooms *rooms, const struct rooms_runs *runs);
void rooms_on_run_event(void *context, struct view type, struct view data);

/* Wire these to redis_open. */
bool rooms_owns_channel(struct view channel);
void rooms_on_message(struct rooms *rooms, struct view channel, struct view message);

struct rooms_figures {
    size_t rooms;
    size_t people;
    size_t unsaved; /* rooms with edits that Redis does not have */
    size_t bytes;   /* memory of all documents */
    unsigned long long updates;
    unsigned long long refused; /* messages that were no good */
    unsigned long long lagged;  /* times that a slow connection lost its queue */
    unsigned long long loads;
    unsigned long long load_ms;
    unsigned long long saves; /* compactions */
    unsigned long long save_ms;
    unsigned long long resyncs;
};
void rooms_figures(const struct rooms *rooms, struct rooms_figures *figures);

#endif
