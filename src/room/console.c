/* See console.h. */
#include "room/console.h"

#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "room/bus.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* Owned by its room's list, oldest first. */
struct run {
    struct list node;
    struct room *room;
    char *entry;      /* as it stands in the list */
    json_t *record;   /* jobId, by, at, codeHash, output, state, waiting, status */
    size_t bytes;     /* of output */
    uint64_t follows; /* 0: it has ended */
};

/* Oldest first; the last ones stay, and their code. */
static const char add_script[] =
    "redis.call('RPUSH', KEYS[1], ARGV[1])"
    " redis.call('HSET', KEYS[2], ARGV[4], ARGV[5])"
    " while redis.call('LLEN', KEYS[1]) > tonumber(ARGV[2]) do"
    " local id = string.match(redis.call('LPOP', KEYS[1]), '\"jobId\":\"([^\"]+)\"')"
    " redis.call('HDEL', KEYS[2], id or '') end"
    " for i = 1, 2 do redis.call('EXPIRE', KEYS[i], ARGV[3]) end return 1";

static const char history_script[] =
    "return {redis.call('LRANGE', KEYS[1], 0, -1), redis.call('HGETALL', KEYS[2])}";

/* Whoever is first puts the end in its place. */
static const char end_script[] =
    "#!lua flags=allow-oom\n"
    "for i, entry in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do"
    " if entry == ARGV[1] then redis.call('LSET', KEYS[1], i - 1, ARGV[2])"
    " redis.call('EXPIRE', KEYS[1], ARGV[3]) return 1 end end return 0";

struct runs_key {
    char text[sizeof "collab:runs:" + ROOM_ID_MAX];
};

static struct runs_key key_of(const char *room_id)
{
    struct runs_key key;
    snprintf(key.text, sizeof key.text, "collab:runs:%s", room_id);
    return key;
}

static struct runs_key code_key_of(const char *room_id)
{
    struct runs_key key;
    snprintf(key.text, sizeof key.text, "collab:code:%s", room_id);
    return key;
}

/* --- telling the peers ----------------------------------------------------------------------- */

/* Takes over the reference. */
static struct ws_message *message_of(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    struct ws_message *message = frame_room(view_of(text));
    free(text);
    json_decref(json);
    return message;
}

static void tell(struct room *room, json_t *json)
{
    struct ws_message *message = message_of(json);
    LIST_EACH (&room->peers, node, next) {
        peer_send(peer_of(node), message);
    }
    ws_message_unref(message);
}

static const char *job_of(const struct run *run)
{
    return json_string_value(json_object_get(run->record, "jobId"));
}

/* The parts of a record that say who, when and what. */
static json_t *start_of(const json_t *record)
{
    return json_pack("{s:O, s:O, s:O, s:O}", "jobId", json_object_get(record, "jobId"), "by",
                     json_object_get(record, "by"), "at", json_object_get(record, "at"),
                     "codeHash", json_object_get(record, "codeHash"));
}

static void tell_start(const struct run *run)
{
    json_t *json = start_of(run->record);
    json_object_set_new(json, "run", json_string("start"));
    tell(run->room, json);
}

struct ws_message *console_history(const struct room *room)
{
    if (list_empty(&room->runs)) {
        return NULL;
    }
    json_t *runs = json_array();
    LIST_EACH (&room->runs, node, next) {
        json_array_append(runs, LIST_OBJECT(node, struct run, node)->record);
    }
    return message_of(json_pack("{s:s, s:o}", "run", "history", "runs", runs));
}

/* --- the list -------------------------------------------------------------------------------- */

static struct run *run_find(const struct room *room, const char *job_id)
{
    LIST_EACH (&room->runs, node, next) {
        struct run *run = LIST_OBJECT(node, struct run, node);
        if (strcmp(job_of(run), job_id) == 0) {
            return run;
        }
    }
    return NULL;
}

static void stop_following(struct run *run)
{
    const struct rooms_runs *runs = &run->room->rooms->runs;
    if (run->follows != 0) {
        runs->unfollow(runs->owner, run->follows);
        run->follows = 0;
    }
}

static void run_destroy(struct run *run)
{
    stop_following(run);
    list_remove(&run->node);
    json_decref(run->record);
    free(run->entry);
    free(run);
}

static void drop_oldest(struct room *room)
{
    size_t count = 0;
    size_t bytes = 0;
    LIST_EACH (&room->runs, node, next) {
        count++;
        bytes += LIST_OBJECT(node, struct run, node)->bytes;
    }
    while (count > CONSOLE_RUNS_MAX || (count > 1 && bytes > CONSOLE_BYTES_MAX)) {
        struct run *oldest = LIST_OBJECT(room->runs.next, struct run, node);
        count--;
        bytes -= oldest->bytes;
        run_destroy(oldest);
    }
}

static bool is_record(const json_t *record)
{
    const char *job = json_string_value(json_object_get(record, "jobId"));
    const json_t *by = json_object_get(record, "by");
    const json_t *output = json_object_get(record, "output");
    const json_t *status = json_object_get(record, "status");
    return job != NULL && id_is_uuid(job) && (json_is_string(by) || json_is_null(by)) &&
           json_is_integer(json_object_get(record, "at")) &&
           json_is_string(json_object_get(record, "codeHash")) && json_is_array(output) &&
           (json_is_object(status) || json_is_null(status));
}

static bool is_input(const json_t *piece)
{
    const char *stream = json_string_value(json_object_get(piece, "stream"));
    return stream != NULL && strcmp(stream, "stdin") == 0;
}

/* What was given to the program is none of it. */
static size_t output_bytes(const json_t *output)
{
    size_t bytes = 0;
    size_t i;
    json_t *piece;
    json_array_foreach(output, i, piece)
    {
        bytes += is_input(piece) ? 0 : json_string_length(json_object_get(piece, "text"));
    }
    return bytes;
}

/* NULL: it is known already, or is no record. */
static struct run *run_add(struct room *room, struct view entry)
{
    json_t *record = json_loadb(entry.at, entry.len, JSON_ALLOW_NUL, NULL);
    if (!is_record(record) ||
        run_find(room, json_string_value(json_object_get(record, "jobId"))) != NULL) {
        json_decref(record);
        return NULL;
    }
    struct run *run = mem_alloc(sizeof *run);
    run->room = room;
    run->record = record;
    run->entry = mem_copy(entry.at, entry.len);
    run->bytes = output_bytes(json_object_get(record, "output"));
    list_append(&room->runs, &run->node);
    return run;
}

static void follow(struct run *run)
{
    const struct rooms_runs *runs = &run->room->rooms->runs;
    if (json_is_null(json_object_get(run->record, "status")) && runs->follow != NULL) {
        run->follows = runs->follow(runs->owner, job_of(run), run);
    }
}

/* --- a run goes on --------------------------------------------------------------------------- */

static void on_done(const redisReply *reply, void *context)
{
    (void)context;
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR) {
        log_warn("room.redis_error text=\"%.200s\"", reply->str);
    }
}

/* Takes over the reference: a piece of what the console shows goes into the record and to everybody.
 */
static void add_piece(struct run *run, json_t *piece)
{
    json_object_set_new(piece, "offset", json_integer((json_int_t)run->bytes));
    json_array_append(json_object_get(run->record, "output"), piece);
    json_t *told = json_copy(piece);
    json_decref(piece);
    json_object_set_new(told, "run", json_string("output"));
    json_object_set(told, "jobId", json_object_get(run->record, "jobId"));
    tell(run->room, told);
}

static void add_output(struct run *run, struct view data)
{
    json_t *event = json_loadb(data.at, data.len, JSON_ALLOW_NUL, NULL);
    json_t *stream = json_object_get(event, "stream");
    json_t *text = json_object_get(event, "text");
    if (json_is_string(stream) && json_is_string(text)) {
        add_piece(run, json_pack("{s:O, s:O}", "stream", stream, "text", text));
        run->bytes += json_string_length(text);
        drop_oldest(run->room);
    }
    json_decref(event);
}

/* Queued, at which place, or running. */
static void set_state(struct run *run, struct view data)
{
    json_t *status = json_loadb(data.at, data.len, JSON_ALLOW_NUL, NULL);
    json_t *name = json_object_get(status, "status");
    json_t *position = json_object_get(status, "position");
    if (json_is_string(name) && (json_is_integer(position) || json_is_null(position))) {
        json_t *state = json_pack("{s:O, s:O}", "status", name, "position", position);
        json_object_set(run->record, "state", state);
        tell(run->room, json_pack("{s:s, s:s, s:o}", "run", "state", "jobId", job_of(run),
                                  "state", state));
    }
    json_decref(status);
}

static void set_waiting(struct run *run, bool waits)
{
    json_object_set_new(run->record, "waiting", json_boolean(waits));
    tell(run->room, json_pack("{s:s, s:s, s:b}", "run", "waiting", "jobId", job_of(run),
                              "waiting", waits));
}

/* Beside the output, whose offsets it does not change; bounded by what a run may be given. */
static void add_input(struct run *run, struct view data)
{
    json_t *event = json_loadb(data.at, data.len, 0, NULL);
    json_t *text = json_object_get(event, "text");
    json_t *by = json_object_get(event, "by");
    if (json_is_string(text) && (json_is_string(by) || json_is_null(by))) {
        add_piece(run, json_pack("{s:s, s:O, s:O}", "stream", "stdin", "text", text, "by", by));
    }
    json_decref(event);
    set_waiting(run, false);
}

static void begin_again(struct run *run)
{
    json_array_clear(json_object_get(run->record, "output"));
    json_object_del(run->record, "waiting");
    json_object_del(run->record, "state");
    run->bytes = 0;
    tell_start(run);
}

/* Takes over the reference. */
static void end_run(struct run *run, json_t *status)
{
    struct room *room = run->room;
    static const char *const said[] = {"output", "stdout", "stderr"};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        json_object_del(status, said[i]);
    }
    stop_following(run);
    json_object_del(run->record, "waiting");
    json_object_del(run->record, "state");
    json_object_set_new(run->record, "status", status);
    tell(room,
         json_pack("{s:s, s:s, s:O}", "run", "end", "jobId", job_of(run), "status", status));
    char *entry = json_dumps(run->record, JSON_COMPACT);
    char ttl[24];
    snprintf(ttl, sizeof ttl, "%d", room->rooms->conf->room_ttl_s);
    struct runs_key key = key_of(room->id);
    struct view command[] = {view_of("EVAL"),   view_of(end_script), view_of("1"),
                             view_of(key.text), view_of(run->entry), view_of(entry),
                             view_of(ttl)};
    redis_command(room->rooms->redis, on_done, NULL, 7, command);
    free(run->entry);
    run->entry = entry;
}

void rooms_on_run_event(void *context, struct view type, struct view data)
{
    struct run *run = context;
    if (view_equals(type, "output")) {
        add_output(run, data);
    } else if (view_equals(type, "reset")) {
        begin_again(run);
    } else if (view_equals(type, "status") || view_equals(type, "position")) {
        set_state(run, data);
    } else if (view_equals(type, "waiting") || view_equals(type, "resumed")) {
        set_waiting(run, view_equals(type, "waiting"));
    } else if (view_equals(type, "input")) {
        add_input(run, data);
    } else if (view_equals(type, "end")) {
        json_t *status = json_loadb(data.at, data.len, JSON_ALLOW_NUL, NULL);
        end_run(run, json_is_object(status) ? status : json_object());
    } else if (view_equals(type, "gone")) {
        end_run(run, json_pack("{s:s, s:{s:s, s:s}}", "status", "error", "error", "code",
                               "expired", "message", "What became of it is not known."));
    }
}

/* --- announcing ------------------------------------------------------------------------------ */

static void add_here(struct room *room, struct view entry)
{
    struct run *run = run_add(room, entry);
    if (run != NULL) {
        tell_start(run);
        follow(run);
        drop_oldest(room);
    }
}

void rooms_announce_run(struct rooms *rooms, const char *room_id, const struct rooms_run *run)
{
    char hash[17];
    char ttl[24];
    char most[24];
    snprintf(hash, sizeof hash, "%016" PRIx64, hash_of(view_of(run->code)));
    snprintf(ttl, sizeof ttl, "%d", rooms->conf->room_ttl_s);
    snprintf(most, sizeof most, "%d", CONSOLE_RUNS_MAX);
    json_t *record =
        json_pack("{s:s, s:s?, s:I, s:s, s:[], s:n}", "jobId", run->job_id, "by", run->by, "at",
                  (json_int_t)run->at, "codeHash", hash, "output", "status");
    char *entry = json_dumps(record, JSON_COMPACT);
    struct runs_key key = key_of(room_id);
    struct runs_key code_key = code_key_of(room_id);
    struct view command[] = {view_of("EVAL"),   view_of(add_script),    view_of("2"),
                             view_of(key.text), view_of(code_key.text), view_of(entry),
                             view_of(most),     view_of(ttl),           view_of(run->job_id),
                             view_of(run->code)};
    redis_command(rooms->redis, on_done, NULL, 10, command);
    struct room *room = rooms_find(rooms, view_of(room_id));
    if (room != NULL && room->stage == ROOM_READY) {
        add_here(room, view_of(entry));
    }
    bus_publish_run(rooms, room_id, room, view_of(entry));
    free(entry);
    json_decref(record);
}

void console_on_announcement(struct room *room, struct yc_slice json)
{
    add_here(room, view_of_slice(json));
}

/* --- life ------------------------------------------------------------------------------------ */

/* Those who are there already get all of it once more. */
static void tell_history(struct room *room)
{
    struct ws_message *message = console_history(room);
    LIST_EACH (&room->peers, node, next) {
        if (message != NULL && peer_of(node)->greeted) {
            peer_send(peer_of(node), message);
        }
    }
    ws_message_unref(message);
}

static void take_list(struct room *room, const redisReply *reply)
{
    bool news = false;
    for (size_t i = 0; i < reply->elements; i++) {
        const redisReply *element = reply->element[i];
        struct view entry = {element->str, (size_t)element->len};
        struct run *run = element->type == REDIS_REPLY_STRING ? run_add(room, entry) : NULL;
        if (run != NULL) {
            news = true;
            follow(run);
        }
    }
    drop_oldest(room);
    if (news) {
        tell_history(room);
    }
}

static void on_list(const redisReply *reply, void *context)
{
    struct room_ref *ref = context;
    struct room *room = room_of_ref(ref);
    free(ref);
    if (room != NULL && reply != NULL && reply->type == REDIS_REPLY_ARRAY) {
        take_list(room, reply);
    }
}

void console_load(struct room *room)
{
    struct runs_key key = key_of(room->id);
    struct view command[] = {view_of("LRANGE"), view_of(key.text), view_of("0"), view_of("-1")};
    redis_command(room->rooms->redis, on_list, room_ref_create(room), 4, command);
}

/* --- the history with its code --------------------------------------------------------------- */

struct question {
    rooms_on_history *on_history;
    void *context;
};

/* NULL: it is not kept. */
static json_t *code_of(const redisReply *pairs, const char *job_id)
{
    for (size_t i = 0; i + 1 < pairs->elements; i += 2) {
        if (strcmp(pairs->element[i]->str, job_id) == 0) {
            return json_stringn(pairs->element[i + 1]->str, (size_t)pairs->element[i + 1]->len);
        }
    }
    return json_null();
}

static json_t *history_of(const redisReply *runs, const redisReply *code)
{
    json_t *all = json_array();
    for (size_t i = 0; i < runs->elements; i++) {
        json_t *record = json_loadb(runs->element[i]->str, (size_t)runs->element[i]->len,
                                    JSON_ALLOW_NUL, NULL);
        if (is_record(record)) {
            const char *job_id = json_string_value(json_object_get(record, "jobId"));
            json_object_set_new(record, "code", code_of(code, job_id));
            json_array_append(all, record);
        }
        json_decref(record);
    }
    return all;
}

static bool is_history(const redisReply *reply)
{
    return reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
           reply->element[0]->type == REDIS_REPLY_ARRAY &&
           reply->element[1]->type == REDIS_REPLY_ARRAY;
}

static void on_history(const redisReply *reply, void *context)
{
    struct question *question = context;
    char *text = NULL;
    if (is_history(reply)) {
        json_t *json =
            json_pack("{s:o}", "runs", history_of(reply->element[0], reply->element[1]));
        text = json_dumps(json, JSON_COMPACT);
        json_decref(json);
    }
    question->on_history(text, question->context);
    free(text);
    free(question);
}

void rooms_read_history(struct rooms *rooms, const char *room_id, rooms_on_history *on_history_,
                        void *context)
{
    struct question *question = mem_alloc(sizeof *question);
    *question = (struct question){on_history_, context};
    struct runs_key key = key_of(room_id);
    struct runs_key code_key = code_key_of(room_id);
    struct view command[] = {view_of("EVAL"), view_of(history_script), view_of("2"),
                             view_of(key.text), view_of(code_key.text)};
    redis_command(rooms->redis, on_history, question, 5, command);
}

/* --- the end --------------------------------------------------------------------------------- */

void console_close(struct room *room)
{
    while (!list_empty(&room->runs)) {
        run_destroy(LIST_OBJECT(room->runs.next, struct run, node));
    }
}
