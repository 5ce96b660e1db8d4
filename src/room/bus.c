/* See bus.h. */
#include "room/bus.h"

#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "room/console.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    BEAT_MIN_MS = 15000,
    BEAT_MAX_MS = 30000,
    NODE_GONE_MS = 65000, /* two heartbeats were missed */
    ANSWER_MAX_MS = 50,
    PUBLISH_MS = 8,
    AWARENESS_MS = 100,
    AWARENESS_DUE_MAX = 256, /* then they are merged */
    RESYNC_MIN_MS = 200,
    ASK_MS = 500,
};

/* --- the trailer ----------------------------------------------------------------------------- */

static const uint8_t magic[] = {'V', 'V', 'E', '1'};
#define MAGIC_LEN sizeof magic
#define TRAILER_LEN (MAGIC_LEN + NODE_ID_LEN + 4 + 8 + 4 + 8 + 1)

struct trailer {
    char node[NODE_ID_LEN];
    uint32_t epoch;
    uint64_t sequence;
    uint32_t people;
    uint64_t hash; /* 0: none */
    bool unsaved;  /* what it says may not be in Redis */
};

static uint8_t *put(uint8_t *at, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        *at++ = (uint8_t)(value >> (8 * i));
    }
    return at;
}

static uint64_t get(const uint8_t **at, size_t width)
{
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++) {
        value |= (uint64_t)(*at)[i] << (8 * i);
    }
    *at += width;
    return value;
}

static void trailer_format(const struct trailer *trailer, uint8_t out[TRAILER_LEN])
{
    memcpy(out, magic, MAGIC_LEN);
    memcpy(out + MAGIC_LEN, trailer->node, NODE_ID_LEN);
    uint8_t *at = put(out + MAGIC_LEN + NODE_ID_LEN, trailer->epoch, 4);
    at = put(at, trailer->sequence, 8);
    at = put(at, trailer->people, 4);
    at = put(at, trailer->hash, 8);
    put(at, trailer->unsaved, 1);
}

static bool trailer_parse(struct view bytes, struct trailer *trailer)
{
    if (bytes.len != TRAILER_LEN || memcmp(bytes.at, magic, MAGIC_LEN) != 0) {
        return false;
    }
    const uint8_t *at = (const uint8_t *)bytes.at + MAGIC_LEN + NODE_ID_LEN;
    memcpy(trailer->node, bytes.at + MAGIC_LEN, NODE_ID_LEN);
    trailer->epoch = (uint32_t)get(&at, 4);
    trailer->sequence = get(&at, 8);
    trailer->people = (uint32_t)get(&at, 4);
    trailer->hash = get(&at, 8);
    trailer->unsaved = get(&at, 1) != 0;
    return true;
}

/* --- telling --------------------------------------------------------------------------------- */

struct bus_channel bus_channel(const char *room_id)
{
    struct bus_channel channel;
    snprintf(channel.name, sizeof channel.name, BUS_CHANNEL "%s", room_id);
    return channel;
}

static void clear_awareness(struct room *room)
{
    outgoing_clear(&room->awareness_due);
    room->awareness_count = 0;
}

void bus_note_listeners(struct room *room, long long listeners)
{
    room->alone = listeners <= (bus_is_open(room) ? 1 : 0);
    if (room->alone) {
        clear_awareness(room);
    }
}

/* What was not heard will be asked for; just how many have heard it is of use. */
static void on_published(const redisReply *reply, void *context)
{
    struct room_ref *ref = context;
    struct room *room = ref != NULL ? room_of_ref(ref) : NULL;
    if (room != NULL && reply != NULL && reply->type == REDIS_REPLY_INTEGER) {
        bus_note_listeners(room, reply->integer);
    }
    free(ref);
}

/* Takes over the message. room: NULL if it is not in memory here. */
static void publish_as(struct rooms *rooms, const char *room_id, const struct room *room,
                       struct trailer *trailer, struct ws_message *message)
{
    struct bus_channel channel = bus_channel(room_id);
    struct view frame = ws_payload(message);
    memcpy(trailer->node, rooms->node_id, NODE_ID_LEN);
    char *bytes = mem_alloc(frame.len + TRAILER_LEN);
    memcpy(bytes, frame.at, frame.len);
    trailer_format(trailer, (uint8_t *)bytes + frame.len);
    struct view command[] = {
        view_of("PUBLISH"), view_of(channel.name), {bytes, frame.len + TRAILER_LEN}};
    redis_command(rooms->redis, on_published, room != NULL ? room_ref_create(room) : NULL, 3,
                  command);
    free(bytes);
    ws_message_unref(message);
}

static void publish(struct room *room, struct ws_message *message, uint64_t hash)
{
    struct trailer trailer = {.epoch = room->epoch,
                              .sequence = ++room->sequence,
                              .people = (uint32_t)room->peer_count,
                              .hash = hash,
                              .unsaved = !room->saved};
    publish_as(room->rooms, room->id, room, &trailer, message);
}

/* From one who does not hold the room it comes without a number. */
void bus_publish_run(struct rooms *rooms, const char *room_id, struct room *room,
                     struct view json)
{
    struct trailer nobody = {.epoch = 0};
    if (room != NULL) {
        publish(room, frame_room(json), 0);
    } else {
        publish_as(rooms, room_id, NULL, &nobody, frame_room(json));
    }
}

static void on_publish_timer(uv_timer_t *timer)
{
    bus_publish_due(timer->data);
}

/* Each write to Redis and each message that comes back wakes two processes; a few milliseconds' worth at
 * once cost little more than one. */
void bus_add_update(struct room *room, struct yc_slice update)
{
    struct rooms *rooms = room->rooms;
    list_append(&room->updates_due, &outgoing_create(NULL, update)->node);
    if (list_empty(&room->publishing)) {
        list_append(&rooms->publishing, &room->publishing);
    }
    if (!uv_is_active((uv_handle_t *)&rooms->publish)) {
        rooms->publish.data = rooms;
        uv_timer_start(&rooms->publish, on_publish_timer, PUBLISH_MS, 0);
    }
}

static void publish_update(struct room *room, struct yc_slice update)
{
    publish(room, frame_sync(YC_SYNC_UPDATE, update), 0);
}

static bool is_any(const struct outgoing *outgoing)
{
    (void)outgoing;
    return true;
}

void bus_publish_due(struct rooms *rooms)
{
    while (!list_empty(&rooms->publishing)) {
        struct room *room = LIST_OBJECT(rooms->publishing.next, struct room, publishing);
        list_remove(&room->publishing);
        outgoing_merge(room, &room->updates_due, is_any, publish_update);
        outgoing_clear(&room->updates_due);
    }
}

/* Of what is due, what is newest of each client becomes one. */
static void merge_awareness(struct room *room)
{
    struct yc_slice updates[AWARENESS_DUE_MAX];
    struct yc_buf *out = &room->rooms->scratch;
    size_t count = 0;
    LIST_EACH (&room->awareness_due, node, next) {
        struct outgoing *outgoing = LIST_OBJECT(node, struct outgoing, node);
        updates[count++] = (struct yc_slice){outgoing->bytes, outgoing->len};
    }
    frame_must(yc_awareness_merge(updates, count, out));
    outgoing_clear(&room->awareness_due);
    list_append(&room->awareness_due, &outgoing_create(NULL, yc_buf_slice(out))->node);
    room->awareness_count = 1;
}

/* While nobody else listens there is nobody to tell; whoever comes asks, and is told all of it. */
void bus_add_awareness(struct room *room, struct yc_slice news)
{
    if (room->alone) {
        return;
    }
    if (room->awareness_count == AWARENESS_DUE_MAX) {
        merge_awareness(room);
    }
    list_append(&room->awareness_due, &outgoing_create(NULL, news)->node);
    room->awareness_count++;
}

static void publish_awareness(struct room *room)
{
    merge_awareness(room);
    struct outgoing *outgoing = LIST_OBJECT(room->awareness_due.next, struct outgoing, node);
    publish(room, frame_awareness((struct yc_slice){outgoing->bytes, outgoing->len}), 0);
    clear_awareness(room);
    room->awareness_at_ms = room_now(room) + AWARENESS_MS;
}

static int64_t next_beat(const struct room *room)
{
    return room_now(room) + BEAT_MIN_MS + (int64_t)id_below(BEAT_MAX_MS - BEAT_MIN_MS);
}

/* Never 0. */
static uint64_t hash_of_doc(const struct room *room)
{
    return yc_hash(room->doc) | 1;
}

/* An awareness message of nobody, which no Yjs tool minds. */
static void publish_beat(struct room *room)
{
    static const uint8_t nobody[] = {0};
    publish(room, frame_awareness((struct yc_slice){nobody, 1}), hash_of_doc(room));
    room->beat_at_ms = next_beat(room);
}

/* While our subscription was cut, Redis may have said of somebody who still listened that it is us, and
 * edits were not published; the hash tells him to ask. */
void bus_reopened(struct room *room)
{
    room->alone = false;
    bus_resync(room);
    publish_beat(room);
}

void bus_resync(struct room *room)
{
    if (room_now(room) < room->resync_after_ms) {
        room->resync_due = true;
        return;
    }
    struct yc_buf *out = &room->rooms->scratch;
    room->resync_due = false;
    room->resync_after_ms = room_now(room) + RESYNC_MIN_MS;
    room->rooms->figures.resyncs++;
    frame_must(yc_encode_state_vector(room->doc, out));
    publish(room, frame_sync(YC_SYNC_STEP1, yc_buf_slice(out)), 0);
}

static void answer(struct room *room)
{
    struct yc_buf *out = &room->rooms->scratch;
    room->answer_at_ms = 0;
    frame_must(yc_awareness_encode(room->awareness, out));
    if (out->len > 0) {
        publish(room, frame_awareness(yc_buf_slice(out)), 0);
    }
    if (yc_encode_state(room->doc, yc_buf_slice(&room->answer_vector), out) == YC_OK) {
        publish(room, frame_sync(YC_SYNC_STEP2, yc_buf_slice(out)), hash_of_doc(room));
    }
}

/* --- hearing --------------------------------------------------------------------------------- */

static struct node_state *node_of(struct room *room, const struct trailer *trailer)
{
    struct node_state *oldest = NULL;
    for (size_t i = 0; i < room->node_count; i++) {
        struct node_state *state = &room->nodes[i];
        if (memcmp(state->id, trailer->node, NODE_ID_LEN) == 0) {
            return state;
        }
        oldest = oldest == NULL || state->heard_ms < oldest->heard_ms ? state : oldest;
    }
    if (room->nodes == NULL) {
        room->nodes = mem_alloc(ROOM_NODES_MAX * sizeof *room->nodes);
    }
    struct node_state *state =
        room->node_count < ROOM_NODES_MAX ? &room->nodes[room->node_count++] : oldest;
    *state = (struct node_state){.epoch = trailer->epoch, .sequence = trailer->sequence - 1};
    memcpy(state->id, trailer->node, NODE_ID_LEN);
    return state;
}

/* False: something that this daemon said was missed. */
static bool in_sequence(struct room *room, const struct trailer *trailer)
{
    struct node_state *state = node_of(room, trailer);
    bool follows = state->epoch != trailer->epoch || trailer->sequence == state->sequence + 1;
    state->epoch = trailer->epoch;
    state->sequence = trailer->sequence;
    state->people = trailer->people;
    state->heard_ms = room_now(room);
    return follows;
}

static void on_step1(struct room *room, struct yc_slice vector)
{
    struct yc_buf *kept = &room->answer_vector;
    /* Two that ask at once: one answer with everything serves both. */
    bool another = room->answer_at_ms != 0;
    frame_keep(kept, another ? (struct yc_slice){NULL, 0} : vector);
    room->answer_at_ms = room_now(room) + 1 + (int64_t)id_below(ANSWER_MAX_MS);
}

/* Takes in what somebody else says. What may not be in Redis is stored: an edit that its daemon could not
 * store, that of a foreign tool, and what an answer brings. */
static void on_update(struct room *room, const struct yc_sync *sync,
                      const struct trailer *trailer)
{
    struct yc_stats before;
    struct yc_stats after;
    bool store = trailer == NULL || trailer->unsaved || sync->kind == YC_SYNC_STEP2;
    yc_doc_stats(room->doc, &before);
    enum yc_status status = room_update(room, NULL, sync->body, store, false);
    yc_doc_stats(room->doc, &after);
    if (status != YC_OK) {
        log_warn("room.bad_announcement room=%s reason=\"%s\"", room->id,
                 yc_status_text(status));
    }
    if (trailer != NULL && trailer->unsaved && after.version != before.version) {
        room_lost(room); /* no more saved here than there */
    }
}

/* Somebody was faster with an answer; if he knows all that we know, ours is of no use. */
static void on_answer(struct room *room, const struct trailer *trailer)
{
    if (trailer != NULL && trailer->hash == hash_of_doc(room)) {
        room->answer_at_ms = 0;
    }
    if (room->stage == ROOM_ASKING) {
        room_loaded(room);
    }
}

/* trailer: NULL when it comes from a tool of somebody else. */
static void on_sync(struct room *room, struct yc_slice message, const struct trailer *trailer)
{
    struct yc_sync sync;
    if (yc_sync_read(message, &sync) != YC_OK) {
        return;
    }
    if (sync.kind == YC_SYNC_STEP1) {
        on_step1(room, sync.body);
        return;
    }
    on_update(room, &sync, trailer);
    if (sync.kind == YC_SYNC_STEP2) {
        on_answer(room, trailer);
    }
}

static void take(struct room *room, const struct frame *frame, const struct trailer *trailer)
{
    bool is_news;
    switch (frame->type) {
    case FRAME_SYNC:
        on_sync(room, frame->body, trailer);
        break;
    case FRAME_AWARENESS:
        (void)room_awareness(room, NULL, frame->body, false, &is_news);
        if (trailer != NULL && trailer->hash != 0 && trailer->hash != hash_of_doc(room)) {
            bus_resync(room); /* a heartbeat */
        }
        break;
    case FRAME_ROOM:
        if (trailer != NULL) {
            console_on_announcement(room, frame->body);
        }
        break;
    default:
        break;
    }
}

void bus_on_message(struct room *room, struct view message)
{
    struct frame frame;
    struct trailer trailer;
    if (room->stage < ROOM_ASKING || !frame_read(message, &frame)) {
        return;
    }
    bool ours = trailer_parse(frame.rest, &trailer);
    if (ours && memcmp(trailer.node, room->rooms->node_id, NODE_ID_LEN) == 0) {
        return;
    }
    bool missed = ours && trailer.epoch != 0 && !in_sequence(room, &trailer);
    room->alone = false;
    take(room, &frame, ours ? &trailer : NULL);
    if (missed) {
        console_load(room);
        bus_resync(room);
    }
}

/* --- asking ---------------------------------------------------------------------------------- */

static void on_subscribers(const redisReply *reply, void *context)
{
    struct room_ref *ref = context;
    struct room *room = room_of_ref(ref);
    free(ref);
    if (room == NULL || room->stage != ROOM_ASKING) {
        return;
    }
    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
        bus_note_listeners(room, reply->element[1]->integer);
    }
    if (room->alone) {
        room_loaded(room);
    } else {
        bus_resync(room);
    }
}

void bus_ask(struct room *room)
{
    struct bus_channel channel = bus_channel(room->id);
    struct view command[] = {view_of("PUBSUB"), view_of("NUMSUB"), view_of(channel.name)};
    room->stage_by_ms = room_now(room) + ASK_MS;
    redis_command(room->rooms->redis, on_subscribers, room_ref_create(room), 3, command);
}

/* --- life ------------------------------------------------------------------------------------ */

void bus_open(struct room *room)
{
    room->beat_at_ms = next_beat(room);
    redis_subscribe(room->rooms->redis, bus_channel(room->id).name);
}

void bus_close(struct room *room)
{
    redis_unsubscribe(room->rooms->redis, bus_channel(room->id).name);
    list_remove(&room->publishing);
    outgoing_clear(&room->updates_due);
    clear_awareness(room);
    yc_buf_free(&room->answer_vector);
    free(room->nodes);
}

bool bus_is_open(const struct room *room)
{
    return redis_hears(room->rooms->redis, bus_channel(room->id).name);
}

void bus_tick(struct room *room)
{
    int64_t now = room_now(room);
    if (!list_empty(&room->awareness_due) && now >= room->awareness_at_ms) {
        publish_awareness(room);
    }
    if (room->answer_at_ms != 0 && now >= room->answer_at_ms) {
        answer(room);
    }
    if (now >= room->beat_at_ms) {
        publish_beat(room);
    }
    bool waits =
        room->pending_since_ms != 0 && now - room->pending_since_ms > room->pending_wait_ms;
    if (waits) {
        room->pending_since_ms = now;
        room->pending_wait_ms =
            room->pending_wait_ms < BEAT_MIN_MS ? 2 * room->pending_wait_ms : BEAT_MAX_MS;
    }
    if (waits || (room->resync_due && now >= room->resync_after_ms)) {
        bus_resync(room);
    }
}

size_t bus_people(const struct room *room)
{
    size_t people = 0;
    for (size_t i = 0; i < room->node_count; i++) {
        bool here = room_now(room) - room->nodes[i].heard_ms < NODE_GONE_MS;
        people += here ? room->nodes[i].people : 0;
    }
    return people;
}
