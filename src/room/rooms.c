/* See rooms.h. The life of a room:
 *
 *   wanted -> its channel is subscribed to -> Redis is read -> if other daemons hold it they are asked
 *     -> ready: people come and go -> empty for room-idle-ms, and all of it saved -> gone
 *   and before it is ready: Redis does not answer in time -> those who wait are told, gone
 *
 * Subscribing comes first, so that what is said between the reading and the subscription is not missed. */
#include "room/rooms.h"

#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "room/bus.h"
#include "room/console.h"
#include "room/persist.h"
#include "room/room.h"

#include <malloc.h>
#include <stdlib.h>

enum {
    TICK_MS = 50,
    SLOW_TICKS = 20,
    TRIM_TICKS = 100, /* 5 s */
    LOAD_MS = 4000,
    MINUTE_MS = 60000,
    IDLE_LOG = 32, /* log entries worth a compaction when a room is left */
    SAVE_RETRY_MS = 500,
    STOP_MS = 10000, /* how long Redis may take to be told what it lacks */
    STOP_TICK_MS = 5,
    SAVE_SPREAD_MS = 1000, /* so that not all rooms are saved in one moment */
    ROOM_BYTES = 16384,    /* what one counts at least */
    PENDING_MAX = 262144,  /* bytes in one that wait for others */
};

/* Somebody who waits for a room to be loaded. */
struct entrant {
    struct list node;
    rooms_on_room *on_room;
    void *context;
    bool joins;
    char *client; /* who joins */
};

/* Who has made rooms lately. */
struct maker {
    struct list node;
    char *client;
    int made;
    int64_t since_ms; /* its minute */
};

/* --- the table ------------------------------------------------------------------------------- */

static struct list *bucket_of(const struct rooms *rooms, struct view id)
{
    return (struct list *)&rooms->buckets[hash_of(id) % ROOM_BUCKETS];
}

struct room *rooms_find(const struct rooms *rooms, struct view id)
{
    LIST_EACH (bucket_of(rooms, id), node, next) {
        struct room *room = LIST_OBJECT(node, struct room, node);
        if (view_equals(id, room->id)) {
            return room;
        }
    }
    return NULL;
}

struct room_ref room_ref(const struct room *room)
{
    struct room_ref ref = {.rooms = room->rooms, .epoch = room->epoch};
    snprintf(ref.id, sizeof ref.id, "%s", room->id);
    return ref;
}

struct room_ref *room_ref_create(const struct room *room)
{
    struct room_ref *ref = mem_alloc(sizeof *ref);
    *ref = room_ref(room);
    return ref;
}

struct room *room_of_ref(const struct room_ref *ref)
{
    struct room *room = rooms_find(ref->rooms, view_of(ref->id));
    return room != NULL && room->epoch == ref->epoch ? room : NULL;
}

bool rooms_id_is_good(struct view id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.at[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-')) {
            return false;
        }
    }
    return id.len >= 1 && id.len <= ROOM_ID_MAX;
}

static size_t memory_of(const struct room *room)
{
    struct yc_stats stats;
    yc_doc_stats(room->doc, &stats);
    return stats.bytes;
}

static void clear_batches(struct room *room)
{
    LIST_EACH (&room->batches, node, next) {
        struct batch *batch = LIST_OBJECT(node, struct batch, node);
        list_remove(node);
        outgoing_clear(&batch->news);
        free(batch);
    }
}

static void destroy(struct room *room)
{
    list_remove(&room->node);
    list_remove(&room->dirty);
    bus_close(room);
    console_close(room);
    outgoing_clear(&room->outbox);
    clear_batches(room);
    outgoing_clear(&room->awareness_outbox);
    ws_message_unref(room->state);
    yc_awareness_destroy(room->awareness);
    yc_doc_destroy(room->doc);
    room->rooms->figures.rooms--;
    room->rooms->trim_due = true;
    free(room);
}

static struct room *create(struct rooms *rooms, const char *id)
{
    struct room *room = mem_alloc(sizeof *room);
    struct yc_awareness_limits limits = {.clients = 1024};
    /* Clients send in order, so little ever waits. */
    const struct yc_options options = {.limits = {.pending_bytes = PENDING_MAX}};
    room->rooms = rooms;
    snprintf(room->id, sizeof room->id, "%s", id);
    room->doc = yc_doc_create(&options);
    room->awareness = yc_awareness_create(&limits, NULL);
    frame_must(room->doc == NULL || room->awareness == NULL ? YC_MEMORY : YC_OK);
    room->epoch = ++rooms->epochs;
    room->saved = true;
    room->stage_by_ms = room_now(room) + LOAD_MS;
    room->idle_since_ms = room_now(room);
    list_init(&room->dirty);
    list_init(&room->waiting);
    list_init(&room->peers);
    list_init(&room->outbox);
    list_init(&room->batches);
    list_init(&room->runs);
    list_init(&room->awareness_outbox);
    list_init(&room->publishing);
    list_init(&room->updates_due);
    list_init(&room->awareness_due);
    list_append(bucket_of(rooms, view_of(id)), &room->node);
    rooms->figures.rooms++;
    bus_open(room);
    return room;
}

/* --- who may come in ------------------------------------------------------------------------- */

static struct maker *maker_of(struct rooms *rooms, const char *client)
{
    LIST_EACH (&rooms->makers, node, next) {
        struct maker *maker = LIST_OBJECT(node, struct maker, node);
        if (strcmp(maker->client, client) == 0) {
            return maker;
        }
    }
    struct maker *maker = mem_alloc(sizeof *maker);
    maker->client = mem_string(client);
    maker->since_ms = (int64_t)uv_now(rooms->loop);
    list_append(&rooms->makers, &maker->node);
    return maker;
}

/* Those whose minute began before a time. */
static void forget_makers(struct rooms *rooms, int64_t before_ms)
{
    LIST_EACH (&rooms->makers, node, next) {
        struct maker *maker = LIST_OBJECT(node, struct maker, node);
        if (maker->since_ms < before_ms) {
            list_remove(node);
            free(maker->client);
            free(maker);
        }
    }
}

/* Counts a new room against whoever makes it. */
static bool may_make(struct rooms *rooms, const char *client)
{
    int most = rooms->conf->rooms_per_minute;
    if (most == 0) {
        return true;
    }
    forget_makers(rooms, (int64_t)uv_now(rooms->loop) - MINUTE_MS);
    struct maker *maker = maker_of(rooms, client);
    return maker->made < most && ++maker->made > 0;
}

/* Nobody has written in it, and nobody is there. */
static bool is_new(const struct room *room)
{
    return !room->stored && list_empty(&room->peers);
}

static enum rooms_answer judge(struct room *room, const struct entrant *entrant)
{
    if (!entrant->joins) {
        return is_new(room) ? ROOMS_MISSING : ROOMS_OK;
    }
    if (room->peer_count >= (size_t)room->rooms->conf->room_people) {
        return ROOMS_FULL;
    }
    return is_new(room) && !may_make(room->rooms, entrant->client) ? ROOMS_LIMITED : ROOMS_OK;
}

static void answer(struct entrant *entrant, enum rooms_answer answer, struct room *room)
{
    entrant->on_room(answer, answer == ROOMS_OK ? room : NULL, entrant->context);
    free(entrant->client);
    free(entrant);
}

/* --- loading --------------------------------------------------------------------------------- */

void room_loaded(struct room *room)
{
    if (room->stage == ROOM_LOADING) {
        room->stage = ROOM_ASKING;
        bus_ask(room);
        return;
    }
    room->stage = ROOM_READY;
    console_load(room);
    room->idle_since_ms = room_now(room);
    log_debug("room.ready room=%s log=%zu", room->id, room->log_entries);
    while (!list_empty(&room->waiting)) {
        struct entrant *entrant = LIST_OBJECT(room->waiting.next, struct entrant, node);
        list_remove(&entrant->node);
        answer(entrant, judge(room, entrant), room);
    }
    if (is_new(room)) { /* nobody has come in after all */
        room->idle_since_ms -= room->rooms->conf->room_idle_ms;
    }
}

/* Tells those who wait that it cannot be had. */
static void turn_away(struct room *room, enum rooms_answer why)
{
    while (!list_empty(&room->waiting)) {
        struct entrant *entrant = LIST_OBJECT(room->waiting.next, struct entrant, node);
        list_remove(&entrant->node);
        answer(entrant, why, NULL);
    }
}

void room_failed(struct room *room, enum rooms_answer why)
{
    log_warn("room.not_loaded room=%s", room->id);
    turn_away(room, why);
    destroy(room);
}

static void load_if_heard(struct room *room)
{
    if (room->stage == ROOM_SUBSCRIBING && bus_is_open(room)) {
        room->stage = ROOM_LOADING;
        persist_load(room);
    }
}

/* An empty room takes some memory too. */
static bool is_full(const struct rooms *rooms)
{
    size_t max = (size_t)rooms->conf->rooms_bytes;
    return rooms->figures.bytes > max || rooms->figures.rooms > max / ROOM_BYTES;
}

static void want(struct rooms *rooms, const char *id, struct entrant *entrant)
{
    struct room *room = rooms_find(rooms, view_of(id));
    if (rooms->stop_by_ms != 0 || (room == NULL && !redis_ready(rooms->redis))) {
        answer(entrant, ROOMS_AWAY, NULL);
    } else if (room != NULL && room->stage == ROOM_READY) {
        answer(entrant, judge(room, entrant), room);
    } else if (room == NULL && is_full(rooms)) {
        answer(entrant, ROOMS_BUDGET, NULL);
    } else {
        room = room != NULL ? room : create(rooms, id);
        list_append(&room->waiting, &entrant->node);
    }
}

void rooms_enter(struct rooms *rooms, const char *id, const char *client,
                 rooms_on_room *on_room, void *context)
{
    struct entrant *entrant = mem_alloc(sizeof *entrant);
    entrant->on_room = on_room;
    entrant->context = context;
    entrant->joins = true;
    entrant->client = mem_string(client);
    want(rooms, id, entrant);
}

void rooms_look(struct rooms *rooms, const char *id, rooms_on_room *on_room, void *context)
{
    struct entrant *entrant = mem_alloc(sizeof *entrant);
    entrant->on_room = on_room;
    entrant->context = context;
    want(rooms, id, entrant);
}

/* --- Redis ----------------------------------------------------------------------------------- */

bool rooms_owns_channel(struct view channel)
{
    return view_starts(channel, BUS_CHANNEL);
}

void rooms_on_message(struct rooms *rooms, struct view channel, struct view message)
{
    size_t prefix = sizeof BUS_CHANNEL - 1;
    struct view id = {channel.at + prefix, channel.len - prefix};
    struct room *room = rooms_find(rooms, id);
    if (room == NULL) {
        return;
    }
    if (message.at != NULL) {
        bus_on_message(room, message);
    } else if (room->stage == ROOM_READY) {
        bus_reopened(room);
        console_load(room);
    } else {
        load_if_heard(room);
    }
}

/* --- time ------------------------------------------------------------------------------------ */

static void lose_if_slow(struct room *room)
{
    if (room->saved && room_waits(room) &&
        room_now(room) - LIST_OBJECT(room->batches.next, struct batch, node)->since_ms >
            ROOM_STORE_MS) {
        room_lost(room);
    }
}

static void save_if_due(struct room *room)
{
    const struct conf *conf = room->rooms->conf;
    bool long_log = room->log_entries > (size_t)conf->compact_updates ||
                    room->log_bytes > (size_t)conf->room_bytes;
    bool due = !room->saved || long_log;
    if (due && !room->saving && redis_ready(room->rooms->redis) &&
        room_now(room) >= room->save_after_ms) {
        room->save_after_ms = room_now(room) + SAVE_RETRY_MS;
        persist_compact(room);
    }
}

/* Redis has, and others have been told, all there is. */
static bool is_settled(const struct room *room)
{
    return room->saved && !room->saving && !room_waits(room) && list_empty(&room->publishing) &&
           list_empty(&room->outbox);
}

static bool is_idle(const struct room *room)
{
    return list_empty(&room->peers) && is_settled(room) &&
           room_now(room) - room->idle_since_ms >= room->rooms->conf->room_idle_ms;
}

static void slow_tick(struct room *room)
{
    room_expire_awareness(room);
    if (!is_idle(room)) {
        return;
    }
    /* One that could not be compacted just now is left as it is in Redis. */
    bool may_compact = redis_ready(room->rooms->redis) && room_now(room) >= room->save_after_ms;
    if (room->log_entries > IDLE_LOG && may_compact) {
        persist_compact(room);
    } else {
        log_debug("room.unloaded room=%s", room->id);
        destroy(room);
    }
}

static void tick_room(struct room *room, bool slow)
{
    int64_t now = room_now(room);
    if (room->stage != ROOM_READY) {
        load_if_heard(room);
        if (now >= room->stage_by_ms) {
            if (room->stage == ROOM_ASKING) {
                room_loaded(room);
            } else {
                room_failed(room, ROOMS_AWAY);
            }
        }
        return;
    }
    bus_tick(room);
    lose_if_slow(room);
    save_if_due(room);
    if (slow) {
        slow_tick(room);
    }
}

static void settle(struct rooms *rooms, size_t unsettled)
{
    void (*on_settled)(void *) = rooms->on_settled;
    if (on_settled != NULL &&
        (unsettled == 0 || (int64_t)uv_now(rooms->loop) >= rooms->stop_by_ms)) {
        rooms->on_settled = NULL;
        on_settled(rooms->settled_context);
    }
}

/* Whether Redis has been away since the last look. */
static bool notice_redis(struct rooms *rooms)
{
    unsigned before = rooms->times_up;
    rooms->times_up = redis_times_up(rooms->redis);
    return before > 0 && rooms->times_up != before;
}

static void on_tick(uv_timer_t *timer)
{
    struct rooms *rooms = timer->data;
    bool slow = ++rooms->ticks % SLOW_TICKS == 0;
    bool back = notice_redis(rooms);
    size_t bytes = 0;
    size_t unsaved = 0;
    size_t unsettled = 0;
    for (size_t i = 0; i < ROOM_BUCKETS; i++) {
        LIST_EACH (&rooms->buckets[i], node, next) {
            struct room *room = LIST_OBJECT(node, struct room, node);
            bytes += slow ? memory_of(room) : 0;
            unsaved += !room->saved;
            unsettled += !is_settled(room);
            if (back && room->stage == ROOM_READY) {
                /* It may have come back with less than it had. */
                room_lost(room);
                room->save_after_ms = room_now(room) + (int64_t)id_below(SAVE_SPREAD_MS);
            }
            tick_room(room, slow);
        }
    }
    rooms->figures.unsaved = unsaved;
    rooms->figures.bytes = slow ? bytes : rooms->figures.bytes;
    if (rooms->trim_due && rooms->ticks % TRIM_TICKS == 0) {
        rooms->trim_due = false;
        malloc_trim(0);
    }
    settle(rooms, unsettled);
}

/* The end of a turn of the loop; see room.h. */
static void before_flush(void *context)
{
    struct rooms *rooms = context;
    if (list_empty(&rooms->dirty)) {
        return;
    }
    LIST_EACH (&rooms->dirty, node, next) {
        room_store(LIST_OBJECT(node, struct room, dirty));
    }
    (void)redis_flush(rooms->redis);
    while (!list_empty(&rooms->dirty)) {
        struct room *room = LIST_OBJECT(rooms->dirty.next, struct room, dirty);
        list_remove(&room->dirty);
        if (room_waits(room) && !redis_ready(rooms->redis)) {
            room_lost(room);
            list_remove(&room->dirty);
        }
        room_deliver(room);
    }
}

/* --- life ------------------------------------------------------------------------------------ */

struct rooms *rooms_open(const struct conf *conf, uv_loop_t *loop, struct redis *redis)
{
    struct rooms *rooms = mem_alloc(sizeof *rooms);
    rooms->conf = conf;
    rooms->loop = loop;
    rooms->redis = redis;
    for (size_t i = 0; i < ROOM_BUCKETS; i++) {
        list_init(&rooms->buckets[i]);
    }
    list_init(&rooms->dirty);
    list_init(&rooms->publishing);
    list_init(&rooms->makers);
    id_nonce(rooms->node_id);
    uv_timer_init(loop, &rooms->publish);
    uv_timer_init(loop, &rooms->tick);
    rooms->tick.data = rooms;
    uv_timer_start(&rooms->tick, on_tick, TICK_MS, TICK_MS);
    return rooms;
}

void rooms_attach(struct rooms *rooms, struct http *http)
{
    ws_before_flush(http, before_flush, rooms);
}

void rooms_set_runs(struct rooms *rooms, const struct rooms_runs *runs)
{
    rooms->runs = *runs;
}

void rooms_stop(struct rooms *rooms, void (*on_settled)(void *context), void *context)
{
    rooms->on_settled = on_settled;
    rooms->settled_context = context;
    rooms->stop_by_ms = (int64_t)uv_now(rooms->loop) + STOP_MS;
    for (size_t i = 0; i < ROOM_BUCKETS; i++) {
        LIST_EACH (&rooms->buckets[i], node, next) {
            struct room *room = LIST_OBJECT(node, struct room, node);
            turn_away(room, ROOMS_AWAY);
            peers_close(room, WS_GOING_AWAY, "the server stops");
            room->save_after_ms = 0;
        }
    }
    uv_timer_start(&rooms->tick, on_tick, STOP_TICK_MS, STOP_TICK_MS);
}

void rooms_close(struct rooms *rooms)
{
    for (size_t i = 0; i < ROOM_BUCKETS; i++) {
        LIST_EACH (&rooms->buckets[i], node, next) {
            struct room *room = LIST_OBJECT(node, struct room, node);
            if (!room->saved) {
                log_error("room.lost room=%s", room->id);
            }
        }
    }
    before_flush(rooms);
    bus_publish_due(rooms);
    (void)redis_flush(rooms->redis);
    for (size_t i = 0; i < ROOM_BUCKETS; i++) {
        LIST_EACH (&rooms->buckets[i], node, next) {
            destroy(LIST_OBJECT(node, struct room, node));
        }
    }
    uv_close((uv_handle_t *)&rooms->publish, NULL);
    uv_close((uv_handle_t *)&rooms->tick, NULL);
}

void rooms_finish(struct rooms *rooms)
{
    if (rooms != NULL) {
        forget_makers(rooms, INT64_MAX);
        yc_buf_free(&rooms->scratch);
        free(rooms);
    }
}

void rooms_figures(const struct rooms *rooms, struct rooms_figures *figures)
{
    *figures = rooms->figures;
}

void room_facts(struct room *room, struct room_facts *facts)
{
    *facts = (struct room_facts){
        .id = room->id,
        .people = room->peer_count + bus_people(room),
        .bytes = room_encoded_bytes(room),
        .updated_at = room->updated_at,
    };
}

void room_text(struct room *room, struct buf *out)
{
    struct yc_buf *text = &room->rooms->scratch;
    struct yc_slice name = yc_str("monaco");
    struct yc_type *root;
    if (yc_find_root(room->doc, name) != NULL &&
        yc_root(room->doc, name, YC_TEXT, &root) == YC_OK && yc_text(root, text) == YC_OK) {
        buf_append(out, text->data, text->len);
    }
}
