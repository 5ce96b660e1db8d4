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

#define ANSWERS_MAX 4 /* to questions of one turn; of more than that the last is answered */

static void forget_lag(struct peer *peer)
{
    ws_message_unref(peer->behind);
    peer->behind = NULL;
}

/* --- telling --------------------------------------------------------------------------------- */

/* The queue is full: what can be told again later is taken out of it. */
static void begin_lag(struct peer *peer)
{
    if (!peer->lagging) {
        log_info("room.slow_peer room=%s client=%s", peer->room->id, ws_client(peer->ws));
        peer->room->rooms->figures.lagged++;
    }
    peer->lagging = true;
    peer->asks_awareness = true;
    ws_drop_behind(peer->ws, peer->mark);
}

void peer_send(struct peer *peer, struct ws_message *message)
{
    if (!ws_send(peer->ws, message)) {
        log_debug("room.not_told room=%s", peer->room->id);
    }
}

void peer_send_update(struct peer *peer, const struct peer *from, struct ws_message *message)
{
    if (peer != from && !peer->lagging && !ws_send(peer->ws, message)) {
        begin_lag(peer);
    }
}

void peer_tell_saved(struct peer *peer)
{
    bool saved = peer->room->saved;
    if (peer->told_saved == saved) {
        return;
    }
    struct ws_message *message =
        frame_room(view_of(saved ? "{\"saved\":true}" : "{\"saved\":false}"));
    if (ws_send(peer->ws, message)) {
        peer->told_saved = saved;
    }
    ws_message_unref(message);
}

/* What is queued by now brings the peer to where the document is. */
static void note_state(struct peer *peer)
{
    struct yc_buf *out = &peer->room->rooms->scratch;
    frame_must(yc_encode_state_vector(peer->room->doc, out));
    forget_lag(peer);
    peer->behind = ws_message_create(view_of_slice(yc_buf_slice(out)), (struct view){"", 0});
    peer->mark = ws_mark(peer->ws);
}

/* What was noted, if anything, is of what it has long had. */
static bool note_is_old(const struct peer *peer)
{
    return peer->behind == NULL || ws_is_through(peer->ws, peer->mark);
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
    bool sent = ws_send(peer->ws, message);
    peer->lagging = false;
    if (!sent) {
        begin_lag(peer);
    } else if (!room_waits(room)) {
        note_state(peer);
    }
    ws_message_unref(message);
    return YC_OK;
}

static void send_awareness(struct peer *peer)
{
    struct yc_buf *out = &peer->room->rooms->scratch;
    frame_must(yc_awareness_encode(peer->room->awareness, out));
    peer->asks_awareness = false;
    if (out->len > 0) {
        struct ws_message *message = frame_awareness(yc_buf_slice(out));
        peer->asks_awareness = !ws_send(peer->ws, message);
        ws_message_unref(message);
    }
}

/* Takes over the message, which may be NULL. */
static void send_once(struct peer *peer, struct ws_message *message)
{
    if (message != NULL) {
        peer_send(peer, message);
        ws_message_unref(message);
    }
}

static void answer_state(struct peer *peer)
{
    enum yc_status status = send_state(peer, yc_buf_slice(&peer->vector));
    peer->asks_state = false;
    yc_buf_free(&peer->vector);
    if (status == YC_OK && !peer->greeted) {
        peer->greeted = true;
        send_once(peer, console_history(peer->room));
    }
}

/* An answer may be much larger than its question, so they are made for one who reads, and few a turn. */
void peer_end_turn(struct peer *peer)
{
    peer->answers = 0;
    if (ws_is_stuck(peer->ws)) {
        if (!peer->lagging && note_is_old(peer) && !room_waits(peer->room)) {
            note_state(peer);
        }
        return;
    }
    if (peer->asks_state) {
        answer_state(peer);
    }
    if (peer->asks_awareness && !peer->lagging) {
        send_awareness(peer);
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
        frame_must(send_state(peer, behind != NULL ? slice_of(ws_payload(behind))
                                                   : (struct yc_slice){nothing, 1}));
        ws_message_unref(behind);
    } else {
        forget_lag(peer);
    }
    peer_tell_saved(peer);
    peer_end_turn(peer);
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
    room->rooms->trim_due = true;
    room->idle_since_ms = room_now(room);
    if (peer->owns_client) {
        room_remove_client(room, peer->client);
    }
    forget_lag(peer);
    yc_buf_free(&peer->vector);
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
    ws_close(peer->ws, WS_PROTOCOL_ERROR, "malformed message");
    leave(peer);
}

/* The document is as large as it may be. A client that were closed for it would come back at once with the
 * same edit, for ever; so it is told, and from now on only heard for what it deletes. */
static void mute(struct peer *peer)
{
    if (!peer->muted) {
        log_info("room.full room=%s client=%s", peer->room->id, ws_client(peer->ws));
        peer->room->rooms->figures.refused++;
        peer->muted = true;
        send_once(peer, frame_room(view_of("{\"refused\":\"room_full\"}")));
    }
}

static enum yc_status on_update(struct peer *peer, struct yc_slice update)
{
    bool deletes_only = update.len > 0 && update.data[0] == 0;
    if (peer->muted && !deletes_only) {
        return YC_OK;
    }
    enum yc_status status = room_update(peer->room, peer, update, true, true);
    if (status == YC_LIMIT) {
        mute(peer);
        return YC_OK;
    }
    return status;
}

static enum yc_status on_step1(struct peer *peer, struct yc_slice vector)
{
    static const uint8_t nothing[] = {0, 0};
    if (vector.len == 0) {
        return YC_MALFORMED;
    }
    enum yc_status status = /* whether it is a state vector: the difference is of no use */
        yc_diff_update((struct yc_slice){nothing, 2}, vector, &peer->room->rooms->scratch);
    if (status != YC_OK) {
        return status;
    }
    frame_keep(&peer->vector, vector);
    peer->asks_state = true;
    room_mark_dirty(peer->room);
    if (peer->answers < ANSWERS_MAX && !ws_is_stuck(peer->ws) && !peer->lagging) {
        peer->answers++;
        answer_state(peer);
    }
    return YC_OK;
}

static enum yc_status on_sync(struct peer *peer, struct yc_slice message)
{
    struct yc_sync sync;
    enum yc_status status = yc_sync_read(message, &sync);
    if (status != YC_OK) {
        return status;
    }
    return sync.kind == YC_SYNC_STEP1 ? on_step1(peer, sync.body) : on_update(peer, sync.body);
}

static enum yc_status on_awareness(struct peer *peer, struct yc_slice update)
{
    uint64_t client;
    uint64_t count;
    enum yc_status status = yc_awareness_peek(update, &client, &count);
    bool news = false;
    bool here =
        status == YC_OK && yc_awareness_state(peer->room->awareness, client).data != NULL;
    if (status == YC_OK) {
        status = room_awareness(peer->room, peer, update, true, &news);
    }
    if (status == YC_LIMIT) {
        return YC_OK; /* who is one too many, or says too much of himself, is not seen; no more */
    }
    /* What is known already may be somebody else's that it only says again. */
    if (!peer->heard_awareness && (news || !here)) {
        peer->owns_client = count == 1;
        peer->client = client;
    }
    peer->heard_awareness = peer->heard_awareness || count > 0;
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
        peer->asks_awareness = true;
        room_mark_dirty(peer->room);
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
    peer->told_saved = true;
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
    send_once(peer, ask);
    peer->mark = ws_mark(peer->ws); /* that much is not left out */
    send_awareness(peer);
    peer_tell_saved(peer);
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
