/* One connection of a room: what y-websocket says over it, and what it is told. The room is loaded
 * before the connection is accepted, so nothing that it asks has to wait.
 *
 * On opening we send SyncStep1 (it may have edits that we lack) and everybody's awareness; its own
 * SyncStep1 is answered with all that it lacks, even if that is nothing: y-websocket takes the answer
 * for "synced".
 *
 * A connection that does not take what it is sent has its queue cut short and is told the difference
 * when it has taken the rest. What the difference is to, is noted when its queue has not been written
 * out for the first time: the state vector of now is what it will have when all of that is through
 * (unless news wait for Redis, which the document has and the queue has not: then a later turn notes
 * it). */
#include "base/log.h"
#include "base/mem.h"
#include "room/console.h"
#include "room/room.h"

#include <stdlib.h>

static void forget_lag(struct peer *peer)
{
    ws_message_unref(peer->mark);
    ws_message_unref(peer->behind);
    peer->mark = NULL;
    peer->behind = NULL;
}

/* --- telling --------------------------------------------------------------------------------- */

/* The queue is full: what can be told again later is taken out of it. */
static void begin_lag(struct peer *peer)
{
    log_info("room.slow_peer room=%s client=%s", peer->room->id, ws_client(peer->ws));
    peer->lagging = true;
    peer->lags_awareness = true;
    peer->room->rooms->figures.lagged++;
    ws_drop_behind(peer->ws, peer->mark);
}

void peer_send(struct peer *peer, struct ws_message *message)
{
    if (!ws_send(peer->ws, message)) {
        log_debug("room.not_told room=%s", peer->room->id);
    }
}

static void note_state(struct peer *peer, struct ws_message *last)
{
    struct yc_buf *out = &peer->room->rooms->scratch;
    frame_must(yc_encode_state_vector(peer->room->doc, out));
    peer->behind = ws_message_create(view_of_slice(yc_buf_slice(out)), (struct view){"", 0});
    peer->mark = ws_message_ref(last);
}

void peer_send_update(struct peer *peer, const struct peer *from, struct ws_message *message)
{
    size_t unsent = ws_queue_length(peer->ws);
    if (peer == from || peer->lagging) {
        return;
    }
    if (unsent == 0) {
        forget_lag(peer);
    }
    if (!ws_send(peer->ws, message)) {
        begin_lag(peer);
    } else if (unsent > 0 && peer->mark == NULL && !room_waits(peer->room)) {
        note_state(peer, message);
    }
}

/* All that a holder of the vector lacks, as SyncStep2. YC_MALFORMED: the vector is none. */
static enum yc_status send_state(struct peer *peer, struct yc_slice vector)
{
    struct room *room = peer->room;
    struct ws_message *message;
    if (vector.len == 1 && vector.data[0] == 0) {
        message = ws_message_ref(room_state(room)); /* of one who has nothing: shared */
    } else {
        struct yc_buf *out = &room->rooms->scratch;
        enum yc_status status = yc_encode_state(room->doc, vector, out);
        if (status != YC_OK) {
            return status;
        }
        message = frame_sync(YC_SYNC_STEP2, yc_buf_slice(out));
    }
    if (!ws_send(peer->ws, message)) {
        begin_lag(peer);
        forget_lag(peer); /* who knows what it has */
    }
    ws_message_unref(message);
    return YC_OK;
}

static void send_awareness(struct peer *peer)
{
    struct yc_buf *out = &peer->room->rooms->scratch;
    frame_must(yc_awareness_encode(peer->room->awareness, out));
    peer->lags_awareness = false;
    if (out->len > 0) {
        struct ws_message *message = frame_awareness(yc_buf_slice(out));
        peer->lags_awareness = !ws_send(peer->ws, message);
        ws_message_unref(message);
    }
}

static void on_drained(struct ws *ws, void *context)
{
    struct peer *peer = context;
    (void)ws;
    if (peer->lagging) {
        static const uint8_t nothing[] = {0};
        struct ws_message *behind = peer->behind;
        peer->behind = NULL;
        peer->lagging = false;
        forget_lag(peer);
        frame_must(send_state(peer, behind != NULL ? slice_of(ws_payload(behind))
                                                   : (struct yc_slice){nothing, 1}));
        ws_message_unref(behind);
    }
    if (peer->lags_awareness) {
        send_awareness(peer);
    }
}

/* --- hearing --------------------------------------------------------------------------------- */

static void forget_sender(struct list *news, const struct peer *peer)
{
    LIST_EACH (news, node, next) {
        struct outgoing *outgoing = LIST_OBJECT(node, struct outgoing, node);
        outgoing->from = outgoing->from == peer ? NULL : outgoing->from;
    }
}

static void leave(struct peer *peer)
{
    struct room *room = peer->room;
    list_remove(&peer->node);
    room->peer_count--;
    room->rooms->figures.people--;
    room->idle_since_ms = room_now(room);
    if (peer->owns_client) {
        room_remove_client(room, peer->client);
    }
    forget_lag(peer);
    forget_sender(&room->outbox, peer);
    forget_sender(&room->awareness_outbox, peer);
    LIST_EACH (&room->batches, node, next) {
        forget_sender(&LIST_OBJECT(node, struct batch, node)->news, peer);
    }
    log_debug("room.left room=%s people=%zu", room->id, room->peer_count);
    free(peer);
}

static void on_close(struct ws *ws, void *context)
{
    (void)ws;
    leave(context);
}

static void refuse(struct peer *peer, enum yc_status status)
{
    struct room *room = peer->room;
    room->rooms->figures.refused++;
    log_info("room.refused room=%s client=%s reason=\"%s\"", room->id, ws_client(peer->ws),
             yc_status_text(status));
    if (status == YC_LIMIT) {
        ws_close(peer->ws, WS_TOO_BIG, "the document would become too large");
    } else {
        ws_close(peer->ws, WS_PROTOCOL_ERROR, "malformed message");
    }
    leave(peer);
}

/* Takes over the message, which may be NULL. */
static void send_once(struct peer *peer, struct ws_message *message)
{
    if (message != NULL) {
        peer_send(peer, message);
        ws_message_unref(message);
    }
}

/* What the room is like besides its document. */
static void greet(struct peer *peer)
{
    if (peer->greeted) {
        return;
    }
    peer->greeted = true;
    if (!peer->room->told_saved) {
        send_once(peer, frame_room(view_of("{\"saved\":false}")));
    }
    send_once(peer, console_history(peer->room));
}

static enum yc_status on_sync(struct peer *peer, struct yc_slice message)
{
    struct yc_sync sync;
    enum yc_status status = yc_sync_read(message, &sync);
    if (status != YC_OK) {
        return status;
    }
    if (sync.kind != YC_SYNC_STEP1) {
        return room_update(peer->room, peer, sync.body, true, true);
    }
    status = send_state(peer, sync.body);
    if (status == YC_OK) {
        greet(peer);
    }
    return status;
}

static enum yc_status on_awareness(struct peer *peer, struct yc_slice update)
{
    uint64_t client;
    uint64_t count;
    enum yc_status status = yc_awareness_peek(update, &client, &count);
    if (status == YC_OK) {
        status = room_awareness(peer->room, peer, update, true);
    }
    if (status == YC_OK && !peer->heard_awareness && count > 0) {
        peer->heard_awareness = true;
        peer->owns_client = count == 1;
        peer->client = client;
    }
    return status;
}

static void on_message(struct ws *ws, struct view bytes, void *context)
{
    (void)ws;
    struct peer *peer = context;
    struct frame frame;
    enum yc_status status = YC_OK;
    if (!frame_read(bytes, &frame)) {
        status = YC_MALFORMED;
    } else if (frame.type == FRAME_SYNC) {
        status = on_sync(peer, frame.body);
    } else if (frame.type == FRAME_AWARENESS) {
        status = on_awareness(peer, frame.body);
    } else if (frame.type == FRAME_QUERY) {
        send_awareness(peer);
    }
    frame_must(status == YC_MEMORY ? YC_MEMORY : YC_OK);
    if (status != YC_OK) {
        refuse(peer, status);
    }
}

/* --- joining --------------------------------------------------------------------------------- */

void room_join(struct room *room, struct http_exchange *exchange)
{
    static const struct ws_events events = {on_message, on_drained, on_close};
    struct peer *peer = mem_alloc(sizeof *peer);
    peer->room = room;
    peer->ws = ws_accept(exchange, &events, peer);
    if (peer->ws == NULL) {
        free(peer);
        return;
    }
    list_append(&room->peers, &peer->node);
    room->peer_count++;
    room->rooms->figures.people++;
    struct yc_buf *out = &room->rooms->scratch;
    frame_must(yc_encode_state_vector(room->doc, out));
    struct ws_message *ask = frame_sync(YC_SYNC_STEP1, yc_buf_slice(out));
    peer_send(peer, ask);
    ws_message_unref(ask);
    send_awareness(peer);
    log_debug("room.joined room=%s people=%zu", room->id, room->peer_count);
}

void peers_close(struct room *room, enum ws_code code, const char *reason)
{
    LIST_EACH (&room->peers, node, next) {
        struct peer *peer = peer_of(node);
        ws_close(peer->ws, code, reason);
        leave(peer);
    }
}
