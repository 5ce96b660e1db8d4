/* See persist.h. */
#include "room/persist.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "room/bus.h"

#include <stdio.h>
#include <stdlib.h>

#define KEYS "3"
#define RETRY_MS 5000
#define KEPT_MAX 8 /* entries that stay in the log when it is compacted */
#define ARGUMENTS_MAX (4 + KEPT_MAX)
#define KEY_MAX (sizeof "collab:base:" + ROOM_ID_MAX)

static const char load_script[] =
    "return {redis.call('GET', KEYS[3]) or '0', redis.call('GET', KEYS[1]) or '',"
    " math.max(redis.call('PTTL', KEYS[1]), redis.call('PTTL', KEYS[2])),"
    " redis.call('LRANGE', KEYS[2], 0, -1)}";

static const char append_script[] =
    "local n = redis.call('RPUSH', KEYS[2], ARGV[1])"
    " for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ARGV[2]) end"
    " return {n, redis.call('GET', KEYS[3]) or '0', redis.call('PUBSUB', 'NUMSUB', "
    "ARGV[3])[2]}";

/* Runs out of memory as well: it makes things smaller. From the fifth on, arguments are entries that
 * stay, the last one first. */
static const char compact_script[] =
    "#!lua flags=allow-oom\n"
    "if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[1] then return -1 end"
    " redis.call('SET', KEYS[1], ARGV[3])"
    " redis.call('LTRIM', KEYS[2], ARGV[2], -1)"
    " for i = 5, #ARGV do redis.call('LPUSH', KEYS[2], ARGV[i]) end"
    " redis.call('INCR', KEYS[3])"
    " for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ARGV[4]) end"
    " return redis.call('LLEN', KEYS[2])";

struct request {
    struct room_ref room;
    int64_t asked_ms;
    uint64_t batch;  /* that was appended */
    size_t bytes;    /* of it */
    uint64_t losses; /* of the room when the snapshot was made */
};

static struct request *request_create(const struct room *room)
{
    struct request *request = mem_alloc(sizeof *request);
    request->room = room_ref(room);
    request->asked_ms = room_now(room);
    request->losses = room->losses;
    return request;
}

/* EVAL of a script over the keys of a room. */
static void run(struct room *room, const char *script, const struct view *arguments,
                size_t count, redis_on_reply *on_reply, struct request *request)
{
    char keys[3][KEY_MAX];
    static const char *const names[3] = {"doc", "log", "base"};
    struct view all[6 + ARGUMENTS_MAX] = {view_of("EVAL"), view_of(script), view_of(KEYS)};
    for (int i = 0; i < 3; i++) {
        snprintf(keys[i], sizeof keys[i], "collab:%s:%s", names[i], room->id);
        all[3 + i] = view_of(keys[i]);
    }
    for (size_t i = 0; i < count; i++) {
        all[6 + i] = arguments[i];
    }
    redis_command(room->rooms->redis, on_reply, request, 6 + count, all);
}

static struct view number_view(char text[24], long long number)
{
    snprintf(text, 24, "%lld", number);
    return view_of(text);
}

static bool failed(const redisReply *reply)
{
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR) {
        log_warn("room.redis_error text=\"%.200s\"", reply->str);
    }
    return reply == NULL || reply->type == REDIS_REPLY_ERROR;
}

/* --- appending ------------------------------------------------------------------------------- */

enum { APPEND_ENTRIES, APPEND_BASE, APPEND_LISTENERS, APPEND_PARTS };

static bool is_append(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == APPEND_PARTS &&
           reply->element[APPEND_ENTRIES]->type == REDIS_REPLY_INTEGER &&
           reply->element[APPEND_BASE]->type == REDIS_REPLY_STRING &&
           reply->element[APPEND_LISTENERS]->type == REDIS_REPLY_INTEGER;
}

/* Snapshots are counted upwards and logs only grow between them. Where that does not hold, somebody has
 * taken from Redis what was in it. */
static void note_log(struct room *room, const redisReply *reply, size_t bytes)
{
    size_t entries = (size_t)reply->element[APPEND_ENTRIES]->integer;
    long long base = strtoll(reply->element[APPEND_BASE]->str, NULL, 10);
    if (base < room->base || (base == room->base && entries <= room->log_entries)) {
        log_warn("room.taken_from_redis room=%s", room->id);
        room_lost(room);
    }
    room->log_bytes = (base == room->base ? room->log_bytes : 0) + bytes;
    room->log_entries = entries;
    room->base = base;
}

static void on_appended(const redisReply *reply, void *context)
{
    struct request *request = context;
    struct room *room = room_of_ref(&request->room);
    struct request asked = *request;
    free(request);
    if (room == NULL) {
        return;
    }
    if (failed(reply) || !is_append(reply)) {
        room_lost(room);
        return;
    }
    room->stored = true;
    note_log(room, reply, asked.bytes);
    room_stored(room, asked.batch, reply->element[APPEND_LISTENERS]->integer);
}

void persist_append(struct room *room, struct yc_slice update, uint64_t batch)
{
    struct request *request = request_create(room);
    char ttl[24];
    struct bus_channel channel = bus_channel(room->id);
    struct view arguments[] = {view_of_slice(update),
                               number_view(ttl, room->rooms->conf->room_ttl_s),
                               view_of(channel.name)};
    request->batch = batch;
    request->bytes = update.len;
    run(room, append_script, arguments, 3, on_appended, request);
}

/* --- reading --------------------------------------------------------------------------------- */

enum { REPLY_BASE, REPLY_DOC, REPLY_TTL, REPLY_LOG, REPLY_PARTS };

static bool is_content(const redisReply *reply)
{
    return !failed(reply) && reply->type == REDIS_REPLY_ARRAY &&
           reply->elements == REPLY_PARTS &&
           reply->element[REPLY_BASE]->type == REDIS_REPLY_STRING &&
           reply->element[REPLY_DOC]->type == REDIS_REPLY_STRING &&
           reply->element[REPLY_LOG]->type == REDIS_REPLY_ARRAY;
}

/* What is read tells where the log is, too. */
static void note_content(struct room *room, const redisReply *reply)
{
    const redisReply *log = reply->element[REPLY_LOG];
    room->base = strtoll(reply->element[REPLY_BASE]->str, NULL, 10);
    room->log_entries = log->elements;
    room->log_bytes = 0;
    for (size_t i = 0; i < log->elements; i++) {
        room->log_bytes += (size_t)log->element[i]->len;
    }
}

static enum yc_status take_in_one(struct room *room, const redisReply *element)
{
    if (element->type != REDIS_REPLY_STRING || element->len == 0) {
        return YC_OK;
    }
    struct yc_slice update = {(const uint8_t *)element->str, (size_t)element->len};
    enum yc_status status = room_update(room, NULL, update, false, false);
    if (status != YC_OK) {
        log_error("room.bad_entry room=%s bytes=%zu reason=\"%s\"", room->id, update.len,
                  yc_status_text(status));
    }
    return status;
}

/* Entries of the log that pass a limit here: they waited when they were stored, say, and were dropped
 * when they became due. Another document may take them, so they stay. */
struct kept {
    const redisReply *entries[KEPT_MAX];
    size_t count;
};

/* False: some of it cannot be taken in, nor kept. What can be is. */
static bool take_in(struct room *room, const redisReply *reply, struct kept *kept)
{
    const redisReply *log = reply->element[REPLY_LOG];
    bool all = take_in_one(room, reply->element[REPLY_DOC]) == YC_OK;
    kept->count = 0;
    for (size_t i = 0; i < log->elements; i++) {
        enum yc_status status = take_in_one(room, log->element[i]);
        if (status == YC_LIMIT && kept->count < KEPT_MAX) {
            kept->entries[kept->count++] = log->element[i];
        } else {
            all = all && status == YC_OK;
        }
    }
    return all;
}

static void on_loaded(const redisReply *reply, void *context)
{
    struct request *request = context;
    struct room *room = room_of_ref(&request->room);
    int64_t asked_ms = request->asked_ms;
    free(request);
    if (room == NULL) {
        return;
    }
    if (!is_content(reply)) {
        room_failed(room, ROOMS_AWAY);
        return;
    }
    struct kept kept;
    (void)take_in(room, reply, &kept);
    long long ttl_ms = reply->element[REPLY_TTL]->integer;
    note_content(room, reply);
    room->stored = room->log_entries > 0 || reply->element[REPLY_DOC]->len > 0;
    room->updated_at =
        ttl_ms > 0 ? clock_wall_ms() - (1000LL * room->rooms->conf->room_ttl_s - ttl_ms) : 0;
    room->rooms->figures.loads++;
    room->rooms->figures.load_ms += (unsigned long long)(room_now(room) - asked_ms);
    room_loaded(room);
}

void persist_load(struct room *room)
{
    run(room, load_script, NULL, 0, on_loaded, request_create(room));
}

/* --- compacting ------------------------------------------------------------------------------ */

static void on_compacted(const redisReply *reply, void *context)
{
    struct request *request = context;
    struct room *room = room_of_ref(&request->room);
    bool done = !failed(reply) && reply->type == REDIS_REPLY_INTEGER && reply->integer >= 0;
    if (room != NULL) {
        room->saving = false;
        if (done) {
            room->stored = true;
            room->log_entries = (size_t)reply->integer;
            room->log_bytes = 0; /* what has come meanwhile is little */
            room->base++;
            room->saved = room->saved || room->losses == request->losses;
            room->rooms->figures.saves++;
            room->rooms->figures.save_ms +=
                (unsigned long long)(room_now(room) - request->asked_ms);
            room_mark_dirty(room);
        }
    }
    free(request);
}

static void write_snapshot(struct room *room, const redisReply *content,
                           const struct kept *kept)
{
    char count[24];
    char ttl[24];
    struct yc_buf *out = &room->rooms->scratch;
    frame_must(yc_encode_state(room->doc, (struct yc_slice){NULL, 0}, out));
    const redisReply *base = content->element[REPLY_BASE];
    struct view arguments[ARGUMENTS_MAX] = {
        {base->str, (size_t)base->len},
        number_view(count, (long long)content->element[REPLY_LOG]->elements),
        view_of_slice(yc_buf_slice(out)),
        number_view(ttl, room->rooms->conf->room_ttl_s),
    };
    size_t argument_count = 4;
    for (size_t i = kept->count; i > 0; i--) {
        const redisReply *entry = kept->entries[i - 1];
        arguments[argument_count++] = (struct view){entry->str, (size_t)entry->len};
    }
    run(room, compact_script, arguments, argument_count, on_compacted, request_create(room));
}

static void on_content(const redisReply *reply, void *context)
{
    struct request *request = context;
    struct room *room = room_of_ref(&request->room);
    free(request);
    if (room == NULL) {
        return;
    }
    bool readable = is_content(reply);
    if (readable) {
        note_content(room, reply);
    }
    /* A snapshot must not take the place of what could not be taken in. */
    struct kept kept;
    if (!readable || !take_in(room, reply, &kept)) {
        room->saving = false;
        room->save_after_ms = room_now(room) + RETRY_MS;
        return;
    }
    write_snapshot(room, reply, &kept);
}

void persist_compact(struct room *room)
{
    if (!room->saving) {
        room->saving = true;
        run(room, load_script, NULL, 0, on_content, request_create(room));
    }
}
