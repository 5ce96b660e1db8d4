/* See room.h. */
#include "room/room.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "room/bus.h"
#include "room/persist.h"

#include <stdlib.h>

int64_t room_now(const struct room *room)
{
    return (int64_t)uv_now(room->rooms->loop);
}

void room_mark_dirty(struct room *room)
{
    if (list_empty(&room->dirty)) {
        list_append(&room->rooms->dirty, &room->dirty);
    }
}

struct outgoing *outgoing_create(const struct peer *from, struct yc_slice bytes)
{
    struct outgoing *outgoing = mem_alloc(sizeof *outgoing + bytes.len);
    outgoing->from = from;
    outgoing->len = bytes.len;
    memcpy(outgoing->bytes, bytes.data, bytes.len);
    return outgoing;
}

void outgoing_clear(struct list *list)
{
    LIST_EACH (list, node, next) {
        list_remove(node);
        free(LIST_OBJECT(node, struct outgoing, node));
    }
}

/* --- taking in ------------------------------------------------------------------------------- */

/* An update without structs only deletes: that is always welcome. What the document comes to is known by
 * encoding it, which is done once for so many bytes of updates; so it may become a little larger than it
 * should. */
static bool has_room(struct room *room, struct yc_slice update)
{
    enum { SLACK = 65536 };
    const struct rooms *rooms = room->rooms;
    size_t max = (size_t)rooms->conf->room_bytes;
    if (update.len > 0 && update.data[0] == 0) {
        return true;
    }
    if (rooms->figures.bytes > (size_t)rooms->conf->rooms_bytes) {
        return false;
    }
    if (room->encoded_bytes + update.len <= max ||
        (room->measured_bytes <= max &&
         room->encoded_bytes + update.len <= room->measured_bytes + SLACK)) {
        return true;
    }
    room_state(room);
    return room->encoded_bytes + update.len <= max;
}

static void note_pending(struct room *room, bool pending)
{
    enum { PENDING_MS = 1000 };
    if (!pending) {
        room->pending_since_ms = 0;
        room->pending_wait_ms = PENDING_MS;
    } else if (room->pending_since_ms == 0) {
        room->pending_since_ms = room_now(room);
        room->pending_wait_ms = room->pending_wait_ms > 0 ? room->pending_wait_ms : PENDING_MS;
    }
}

static struct outgoing *add_outgoing(struct room *room, const struct peer *from,
                                     struct yc_slice bytes)
{
    struct outgoing *outgoing = outgoing_create(from, bytes);
    list_append(&room->outbox, &outgoing->node);
    room->encoded_bytes += bytes.len;
    return outgoing;
}

enum yc_status room_update(struct room *room, const struct peer *from, struct yc_slice update,
                           bool store, bool publish)
{
    struct yc_slice news = {NULL, 0};
    struct yc_stats before;
    struct yc_stats after;
    if (store && !has_room(room, update)) {
        return YC_LIMIT;
    }
    yc_doc_stats(room->doc, &before);
    bool tells = room->stage != ROOM_LOADING; /* nobody is there yet */
    enum yc_status status = yc_apply(room->doc, update, tells ? &news : NULL);
    yc_doc_stats(room->doc, &after);
    room->rooms->figures.bytes += after.bytes - before.bytes;
    if (status != YC_OK || after.version == before.version) {
        return status;
    }
    bool pending = after.pending;
    note_pending(room, pending);
    if (news.len > 0) {
        struct outgoing *outgoing = add_outgoing(room, from, news);
        outgoing->tell = true;
        outgoing->publish = publish;
        outgoing->store = store && !pending;
    }
    /* What waits is no news to anybody, but has to be kept. */
    if (pending && store) {
        struct outgoing *outgoing = add_outgoing(room, from, update);
        outgoing->store = true;
        outgoing->raw = true;
    }
    room->updated_at = clock_wall_ms();
    room->rooms->figures.updates++;
    room_mark_dirty(room);
    return YC_OK;
}

static void add_awareness(struct room *room, const struct peer *from, struct yc_slice news,
                          bool publish)
{
    if (news.len == 0) {
        return;
    }
    list_append(&room->awareness_outbox, &outgoing_create(from, news)->node);
    room_mark_dirty(room);
    if (publish) {
        bus_add_awareness(room, news);
    }
}

enum yc_status room_awareness(struct room *room, const struct peer *from,
                              struct yc_slice update, bool publish, bool *is_news)
{
    struct yc_buf *news = &room->rooms->scratch;
    enum yc_status status =
        yc_awareness_apply(room->awareness, update, (uint64_t)room_now(room), news);
    if (status == YC_OK) {
        *is_news = news->len > 0;
        add_awareness(room, from, yc_buf_slice(news), publish);
    }
    return status;
}

void room_remove_client(struct room *room, uint64_t client)
{
    struct yc_buf *news = &room->rooms->scratch;
    frame_must(yc_awareness_remove(room->awareness, client, (uint64_t)room_now(room), news));
    add_awareness(room, NULL, yc_buf_slice(news), true);
}

/* Every daemon does so by itself: nothing is published. */
void room_expire_awareness(struct room *room)
{
    enum { AWARENESS_MS = 30000 }; /* as in y-protocols */
    struct yc_buf *news = &room->rooms->scratch;
    frame_must(
        yc_awareness_expire(room->awareness, (uint64_t)room_now(room), AWARENESS_MS, news));
    add_awareness(room, NULL, yc_buf_slice(news), false);
}

/* --- the end of the turn --------------------------------------------------------------------- */

enum { ROW_MAX = 64 };

/* They may be the raw bytes of peers, and what the document takes one by one need not be mergeable. */
static void hand_on(struct room *room, const struct yc_slice *updates, size_t count,
                    void (*use)(struct room *, struct yc_slice))
{
    struct yc_buf *out = &room->rooms->scratch;
    if (count > 1 && yc_merge_updates(updates, count, out) == YC_OK) {
        use(room, yc_buf_slice(out));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        use(room, updates[i]);
    }
}

void outgoing_merge(struct room *room, const struct list *list,
                    bool (*chosen)(const struct outgoing *),
                    void (*use)(struct room *, struct yc_slice))
{
    struct yc_slice updates[ROW_MAX];
    size_t count = 0;
    LIST_EACH (list, node, next) {
        const struct outgoing *outgoing = LIST_OBJECT(node, struct outgoing, node);
        if (!chosen(outgoing)) {
            continue;
        }
        if (count == ROW_MAX || outgoing->raw) {
            hand_on(room, updates, count, use);
            count = 0;
        }
        updates[count++] = (struct yc_slice){outgoing->bytes, outgoing->len};
        if (outgoing->raw) {
            hand_on(room, updates, count, use);
            count = 0;
        }
    }
    hand_on(room, updates, count, use);
}

static bool is_stored(const struct outgoing *outgoing)
{
    return outgoing->store;
}

static bool is_published(const struct outgoing *outgoing)
{
    return outgoing->publish;
}

static void store(struct room *room, struct yc_slice update)
{
    struct batch *batch = LIST_OBJECT(room->batches.prev, struct batch, node);
    batch->appends++;
    persist_append(room, update, batch->number);
}

void room_store(struct room *room)
{
    if (list_empty(&room->outbox)) {
        return;
    }
    struct batch *batch = mem_alloc(sizeof *batch);
    batch->number = ++room->last_batch;
    batch->since_ms = room_now(room);
    list_init(&batch->news);
    list_append(&room->batches, &batch->node);
    outgoing_merge(room, &room->outbox, is_stored, store);
    LIST_EACH (&room->outbox, node, next) {
        list_remove(node);
        list_append(&batch->news, node);
    }
}

void room_stored(struct room *room, uint64_t number, long long listeners)
{
    bus_note_listeners(room, listeners);
    LIST_EACH (&room->batches, node, next) {
        struct batch *batch = LIST_OBJECT(node, struct batch, node);
        if (batch->number == number) {
            batch->appends--;
            batch->heard = batch->heard || !room->alone;
            room_mark_dirty(room);
            return;
        }
    }
}

bool room_waits(const struct room *room)
{
    return !list_empty(&room->batches);
}

void room_lost(struct room *room)
{
    if (room->saved) {
        log_warn("room.unsaved room=%s", room->id);
    }
    room->saved = false;
    room->losses++;
    room_mark_dirty(room);
}

/* To all but the one whom it comes from. */
static void tell_peers(struct room *room, struct yc_slice update)
{
    struct ws_message *message = frame_sync(YC_SYNC_UPDATE, update);
    LIST_EACH (&room->peers, node, next) {
        peer_send_update(peer_of(node), room->telling, message);
    }
    ws_message_unref(message);
}

/* What one sender did in a row is one message to all others. */
static void deliver_news(struct room *room, const struct list *news)
{
    struct yc_slice updates[ROW_MAX];
    size_t count = 0;
    room->telling = NULL;
    LIST_EACH (news, node, next) {
        const struct outgoing *outgoing = LIST_OBJECT(node, struct outgoing, node);
        if (count == ROW_MAX || outgoing->from != room->telling) {
            hand_on(room, updates, count, tell_peers);
            count = 0;
            room->telling = outgoing->from;
        }
        if (outgoing->tell) {
            updates[count++] = (struct yc_slice){outgoing->bytes, outgoing->len};
        }
    }
    hand_on(room, updates, count, tell_peers);
}

/* In their order: the first that waits holds up the others. */
static void deliver_batches(struct room *room)
{
    while (room_waits(room)) {
        struct batch *batch = LIST_OBJECT(room->batches.next, struct batch, node);
        if (batch->appends > 0 && room->saved) {
            return;
        }
        list_remove(&batch->node);
        /* Whoever begins to listen after it was stored finds it in Redis. */
        if (batch->heard || !room->saved) {
            outgoing_merge(room, &batch->news, is_published, bus_add_update);
        }
        deliver_news(room, &batch->news);
        outgoing_clear(&batch->news);
        free(batch);
    }
}

static void deliver_awareness(struct room *room)
{
    LIST_EACH (&room->awareness_outbox, node, next) {
        struct outgoing *outgoing = LIST_OBJECT(node, struct outgoing, node);
        struct ws_message *message =
            frame_awareness((struct yc_slice){outgoing->bytes, outgoing->len});
        LIST_EACH (&room->peers, other, after) {
            struct peer *peer = peer_of(other);
            if (peer != outgoing->from && !ws_send(peer->ws, message)) {
                peer->asks_awareness = true;
            }
        }
        ws_message_unref(message);
    }
    outgoing_clear(&room->awareness_outbox);
}

void room_deliver(struct room *room)
{
    LIST_EACH (&room->peers, node, next) {
        peer_tell_saved(peer_of(node));
    }
    deliver_batches(room);
    deliver_awareness(room);
    LIST_EACH (&room->peers, node, next) {
        peer_end_turn(peer_of(node));
    }
}

/* --- the whole document ---------------------------------------------------------------------- */

struct ws_message *room_state(struct room *room)
{
    struct yc_stats stats;
    yc_doc_stats(room->doc, &stats);
    if (room->state == NULL || room->state_version != stats.version) {
        struct yc_buf *out = &room->rooms->scratch;
        frame_must(yc_encode_state(room->doc, (struct yc_slice){NULL, 0}, out));
        ws_message_unref(room->state);
        room->state = frame_sync(YC_SYNC_STEP2, yc_buf_slice(out));
        room->state_version = stats.version;
        room->encoded_bytes = out->len;
        room->measured_ms = room_now(room);
        room->measured_bytes = out->len;
    }
    return room->state;
}

/* Measured once a second at most, since it means to encode all of it. */
size_t room_encoded_bytes(struct room *room)
{
    enum { MEASURE_MS = 1000 };
    if (room->measured_ms == 0 || room_now(room) - room->measured_ms >= MEASURE_MS) {
        room_state(room);
    }
    return room->encoded_bytes;
}
