/* One room: a document, who is there, and what has happened in it in this turn of the loop. Shared by
 * the files of this folder; the rest of the daemon sees rooms.h. Loop thread only.
 *
 * An edit comes in (from a peer, from another daemon, from Redis): the engine takes it in or refuses all
 * of it. What was news joins the room's outbox and the room is dirty. At the end of the turn, for all
 * dirty rooms, what is to be stored is appended to the room's log in Redis (persist.h), and Redis'
 * connection is written out. The outbox becomes a batch, which waits for Redis to say that it has it; only
 * then its news is queued to the peers and published to other daemons (bus.h). That takes a tenth of a
 * millisecond, and means that nobody sees an edit, while the room says that it is saved, which the end of
 * this process could still take away. (Having written it out is not enough: a Redis that cannot send its
 * replies to a process that has died does not read the rest of what that one wrote.)
 *
 * A Redis that is away, refuses or is slow makes the room unsaved: it says so, and waits no more. */
#ifndef VVE_ROOM_ROOM_H
#define VVE_ROOM_ROOM_H

#include "base/list.h"
#include "room/frame.h"
#include "room/rooms.h"
#include "yc.h"

#define ROOM_BUCKETS 256
#define ROOM_NODES_MAX 64 /* other daemons that a room keeps account of */
#define NODE_ID_LEN 16
#define ROOM_STORE_MS 250 /* a Redis that takes longer is slow */

struct peer;

/* News of this turn. */
struct outgoing {
    struct list node;        /* in room->outbox; owned by it */
    const struct peer *from; /* NULL: none of ours. Only to be compared */
    bool tell;               /* to the other peers */
    bool store;
    bool publish;
    bool raw; /* as a peer sent it; does not become one with others */
    size_t len;
    uint8_t bytes[];
};

/* News that wait for Redis. */
struct batch {
    struct list node; /* in room->batches, oldest first; owned by it */
    struct list news; /* struct outgoing */
    uint64_t number;
    unsigned appends; /* not answered yet */
    bool heard;       /* when it was stored, others than us listened to the channel */
    int64_t since_ms;
};

/* What we last heard of another daemon that holds the room. */
struct node_state {
    char id[NODE_ID_LEN]; /* not terminated */
    uint32_t epoch;
    uint64_t sequence;
    uint32_t people;
    int64_t heard_ms;
};

enum room_stage {
    ROOM_SUBSCRIBING,
    ROOM_LOADING,
    ROOM_ASKING, /* loaded; other daemons have it too, and may know more than Redis */
    ROOM_READY,
};

struct room {
    struct list node;  /* in rooms->buckets */
    struct list dirty; /* in rooms->dirty */
    struct rooms *rooms;
    char id[ROOM_ID_MAX + 1];
    enum room_stage stage;
    int64_t stage_by_ms; /* when to give up (or on) the stage */
    struct list waiting; /* struct entrant: those who wait for it to be loaded */
    struct yc_doc *doc;
    struct yc_awareness *awareness;
    struct list peers;
    size_t peer_count;
    int64_t idle_since_ms;    /* when the last peer left; meaningful without peers */
    int64_t updated_at;       /* wall clock; 0: unknown */
    int64_t pending_wait_ms;  /* how long before others are asked; longer each time */
    int64_t pending_since_ms; /* structs wait for others since; 0: none */
    struct list outbox;       /* struct outgoing: of this turn */
    struct list batches;
    uint64_t last_batch;
    const struct peer *telling; /* whose news are being handed to the others */
    struct list awareness_outbox;
    /* The whole document as SyncStep2, for joiners, and the version it is of. */
    struct ws_message *state;
    uint64_t state_version;
    size_t measured_bytes; /* of the document when it was last encoded */
    int64_t measured_ms;   /* when encoded_bytes was exact */
    size_t encoded_bytes;  /* of the document; an upper estimate between encodings */
    struct list runs;      /* struct run, of console.c */
    /* persist.c */
    bool stored;     /* Redis has something of it */
    bool saved;      /* all of it is in Redis */
    bool saving;     /* a compaction is under way */
    uint64_t losses; /* appends that failed */
    size_t log_bytes;
    long long base;     /* the snapshot's number */
    size_t log_entries; /* in Redis, as far as we know */
    int64_t save_after_ms;
    /* bus.c */
    uint32_t epoch;
    uint64_t sequence;
    struct node_state *nodes; /* ROOM_NODES_MAX of them once there is one */
    size_t node_count;
    int64_t beat_at_ms; /* when to tell our hash next */
    int64_t resync_after_ms;
    bool resync_due;
    int64_t answer_at_ms;        /* when to answer a SyncStep1 from the channel; 0: none */
    struct yc_buf answer_vector; /* what the answer is to hold; empty: everything */
    struct list publishing;      /* in rooms->publishing while there is something to publish */
    struct list updates_due;     /* struct outgoing: to be published soon, so are these */
    struct list awareness_due;   /* struct outgoing */
    size_t awareness_count;      /* of them */
    int64_t awareness_at_ms;
    bool
        alone; /* nobody else listened to the channel when Redis last told, and none has spoken since */
};

struct rooms {
    const struct conf *conf;
    uv_loop_t *loop;
    struct redis *redis;
    struct rooms_runs runs;
    struct list buckets[ROOM_BUCKETS];
    struct list dirty;
    unsigned times_up;      /* of Redis, as far as we have noticed */
    struct list publishing; /* rooms with something to publish */
    uv_timer_t publish;
    uv_timer_t tick;
    struct list makers; /* struct maker: who has made rooms in this minute */
    unsigned ticks;
    bool trim_due;      /* somebody has left or a room has gone */
    int64_t stop_by_ms; /* stopping: when to wait no longer for Redis; 0: not stopping */
    void (*on_settled)(void *context);
    void *settled_context;
    char node_id[NODE_ID_LEN + 1];
    uint32_t epochs;
    struct yc_buf scratch;
    struct rooms_figures figures;
};

int64_t room_now(const struct room *room); /* of the loop, ms */

/* Who asked Redis something. By the time of the reply the room may have gone, and another one of the same
 * name have come. */
struct room_ref {
    struct rooms *rooms;
    uint32_t epoch;
    char id[ROOM_ID_MAX + 1];
};

/* --- rooms.c --- */
struct room *rooms_find(const struct rooms *rooms, struct view id);
struct room_ref room_ref(const struct room *room);
struct room_ref *room_ref_create(const struct room *room); /* on the heap */
struct room *room_of_ref(const struct room_ref *ref);      /* NULL: it has gone */
void room_loaded(struct room *room);
void room_failed(struct room *room, enum rooms_answer answer); /* destroys it */

/* --- room.c --- */
struct outgoing *outgoing_create(const struct peer *from, struct yc_slice bytes);
void outgoing_clear(struct list *list);
/* Calls `use` with one update that says what all in a list say; with each by itself when that cannot be. */
void outgoing_merge(struct room *room, const struct list *list,
                    bool (*chosen)(const struct outgoing *),
                    void (*use)(struct room *room, struct yc_slice update));

/* Takes an update in. YC_OK, or why it was refused: then nothing of it is in the document. */
enum yc_status room_update(struct room *room, const struct peer *from, struct yc_slice update,
                           bool store, bool publish);
enum yc_status room_awareness(struct room *room, const struct peer *from,
                              struct yc_slice update, bool publish, bool *is_news);
void room_remove_client(struct room *room, uint64_t client);
void room_expire_awareness(struct room *room); /* of those who do not renew it */
void room_mark_dirty(struct room *room);
/* The two halves of the turn's end: before and after Redis' connection is written out. */
void room_store(struct room *room);
void room_deliver(struct room *room);
/* Redis has one more of a batch's updates; `listeners`: how many listened to the room's channel then. */
void room_stored(struct room *room, uint64_t batch, long long listeners);
void room_lost(struct room *room);        /* Redis lacks something, or may */
bool room_waits(const struct room *room); /* there are batches */
/* The whole document as SyncStep2, cached. */
struct ws_message *room_state(struct room *room);
size_t room_encoded_bytes(struct room *room); /* exact, or a little more */

/* --- peer.c --- */
void peer_send_update(struct peer *peer, const struct peer *from, struct ws_message *message);
void peer_tell_saved(struct peer *peer);
/* At the end of a turn: answers what it asked, and notes how far it is behind. */
void peer_end_turn(struct peer *peer);
void peer_send(struct peer *peer, struct ws_message *message);
void peers_close(struct room *room, enum ws_code code, const char *reason);

struct peer {
    struct list node; /* in room->peers; owned by it */
    struct room *room;
    struct ws *ws;
    bool heard_awareness; /* its first awareness message has come */
    bool owns_client;     /* which had one entry: its own */
    uint64_t client;
    bool greeted;     /* it has had its first SyncStep2 */
    bool told_saved;  /* what it was told last; true at first */
    bool muted;       /* an edit of it was refused: what builds on that is of no use */
    unsigned answers; /* SyncStep2 in this turn */
    bool asks_state;  /* it waits for SyncStep2, against `vector` */
    bool asks_awareness;
    struct yc_buf vector;
    /* A connection that does not take what it is sent. behind: the state vector of what it will have
     * once `mark` is through; whatever was queued behind that can be left out. */
    bool
        lagging; /* something was left out: it gets the difference once it has taken the rest */
    uint64_t mark;
    struct ws_message *behind; /* payload only; NULL: it gets the whole document */
};

static inline struct peer *peer_of(struct list *at)
{
    return LIST_OBJECT(at, struct peer, node);
}

#endif
