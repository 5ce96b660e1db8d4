/* See claim.h. Slot thread only; owned by the slot.
 *
 * What can go wrong, and what then:
 * - Redis breaks while BLMOVE waits: the entry may have been moved and its reply lost. It then
 *   lies in our taken-list, and every take looks there first.
 * - Redis is out of memory: BLMOVE answers -OOM, so the take falls back to polling a script
 *   that may run all the same.
 * - A reply is lost after a script ran: start finds itself as owner and keeps its attempt; an
 *   event is known by its sequence and not stored again; end finds the result stored and
 * reports "not ours", which the slot takes as done. */
#include "run/claim.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/mem.h"
#include "run/command.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define HEARTBEAT_TTL_MS "30000"
#define BEAT_RETRY_MS 1000
#define CONNECT_MS 1000
#define REPLY_MS 2000 /* with a connection that is there; see CLAIM_CALL_MAX_MS */
#define OOM_POLL_MS 200
#define FOREIGN_MAX_AGE_MS 600000

struct claim {
    const struct conf *conf;
    _Atomic int64_t *moved_at; /* the slot's */
    struct address address;
    char *worker;
    struct key taken;
    struct key heartbeat_key;
    redisContext *redis;   /* NULL: not connected */
    redisContext *control; /* second connection, for the control channel; NULL: not connected */
    int64_t beat_at;       /* monotonic ms of the last heartbeat that was written; 0: never */
    int64_t beat_tried_at;
    char *entry; /* the exact bytes of the job in hand; NULL: none */
    size_t entry_len;
    char attempt[16];   /* fencing token, as text */
    bool start_unknown; /* the reply of a start of this entry was lost */
    bool poisoned;      /* Redis refused because a key of the job is of another kind */
    unsigned sequence;  /* of the last event that is known to be stored */
    bool cancel_seen;
    bool look_due;    /* there was word of the job, and what is stored was not read yet */
    long long inputs; /* of live input that were taken */
    char *input;      /* for claim_take_input; NULL: none */
    bool input_is_last;
};

static void mark_moved(struct claim *claim)
{
    atomic_store(claim->moved_at, clock_mono_ms());
}

struct claim *claim_create(const struct conf *conf, const char *worker,
                           _Atomic int64_t *moved_at)
{
    struct claim *claim = mem_alloc(sizeof *claim);
    claim->conf = conf;
    claim->moved_at = moved_at;
    mark_moved(claim);
    claim->worker = mem_string(worker);
    claim->taken = key_taken(worker);
    claim->heartbeat_key = key_worker(worker);
    address_parse(conf->redis, &claim->address, NULL); /* conf has checked it */
    return claim;
}

static void drop_connection(redisContext **redis)
{
    if (*redis != NULL) {
        redisFree(*redis);
        *redis = NULL;
    }
}

void claim_destroy(struct claim *claim)
{
    if (claim != NULL) {
        drop_connection(&claim->redis);
        drop_connection(&claim->control);
        free(claim->worker);
        free(claim->entry);
        free(claim->input);
        free(claim);
    }
}

static struct timeval timeval_of(int ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000L};
}

static bool connect_to(struct claim *claim, redisContext **redis)
{
    if (*redis != NULL && (*redis)->err == 0) {
        return true;
    }
    drop_connection(redis);
    const struct address *a = &claim->address;
    *redis = a->path[0] != '\0'
                 ? redisConnectUnixWithTimeout(a->path, timeval_of(CONNECT_MS))
                 : redisConnectWithTimeout(a->host, a->port, timeval_of(CONNECT_MS));
    if (*redis == NULL || (*redis)->err != 0 ||
        redisSetTimeout(*redis, timeval_of(REPLY_MS)) != REDIS_OK) {
        drop_connection(redis);
        return false;
    }
    if (redis == &claim->redis) {
        claim->beat_at = 0; /* while it was away we may have been taken for dead */
    }
    return true;
}

/* --- commands ---------------------------------------------------------------------------- */

/* LOADING, BUSY, READONLY and the like: Redis is there, but not for us. */
static bool is_refusal(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR;
}

/* One command, one reply for freeReplyObject; NULL: Redis is away, or refused (logged). */
static redisReply *call(struct claim *claim, const struct command *command)
{
    const char *argv[COMMAND_ARGUMENTS_MAX];
    size_t lens[COMMAND_ARGUMENTS_MAX];
    assert(command_complete(command));
    mark_moved(claim);
    for (size_t i = 0; i < command->count; i++) {
        argv[i] = command->arguments[i].at;
        lens[i] = command->arguments[i].len;
    }
    if (!connect_to(claim, &claim->redis)) {
        return NULL;
    }
    redisReply *reply = redisCommandArgv(claim->redis, (int)command->count, argv, lens);
    if (reply == NULL) {
        drop_connection(&claim->redis);
    } else if (is_refusal(reply)) {
        log_warn("redis.refused worker=%s reason=\"%.100s\"", claim->worker, reply->str);
        claim->poisoned = strncmp(reply->str, "WRONGTYPE", 9) == 0;
        freeReplyObject(reply);
        return NULL;
    }
    return reply;
}

/* A script that answers with a number. CLAIM_OK: it is in *number. */
static enum claim_outcome call_number(struct claim *claim, const struct command *command,
                                      long long *number)
{
    redisReply *reply = call(claim, command);
    if (reply == NULL) {
        return CLAIM_DOWN;
    }
    *number = reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
    freeReplyObject(reply);
    return CLAIM_OK;
}

enum claim_outcome claim_beat(struct claim *claim)
{
    int64_t now = clock_mono_ms();
    mark_moved(claim);
    if (claim->beat_at != 0 && now - claim->beat_at < CLAIM_BEAT_MS) {
        return CLAIM_OK;
    }
    if (claim->beat_tried_at != 0 && now - claim->beat_tried_at < BEAT_RETRY_MS) {
        return CLAIM_DOWN;
    }
    claim->beat_tried_at = now;
    struct command command;
    command_begin_script(&command, &script_heartbeat);
    command_text(&command, SCRIPT_WORKERS);
    command_text(&command, claim->heartbeat_key.text);
    command_text(&command, claim->worker);
    command_text(&command, HEARTBEAT_TTL_MS);
    long long ignored;
    enum claim_outcome outcome = call_number(claim, &command, &ignored);
    if (outcome == CLAIM_OK) {
        claim->beat_at = now;
        claim->beat_tried_at = 0;
    }
    return outcome;
}

bool claim_worker_alive(struct claim *claim, const char *name, bool *alive)
{
    struct command command;
    command_begin(&command, "EXISTS");
    command_key(&command, key_worker(name));
    long long exists;
    if (call_number(claim, &command, &exists) != CLAIM_OK) {
        return false;
    }
    *alive = exists == 1;
    return true;
}

void claim_bury(struct claim *claim, const char *name)
{
    struct command command;
    command_begin(&command, "DEL");
    command_key(&command, key_worker(name));
    long long ignored;
    call_number(claim, &command, &ignored);
}

/* --- taking ------------------------------------------------------------------------------ */

static void keep_entry(struct claim *claim, const char *bytes, size_t len)
{
    bool same = claim->entry != NULL && claim->entry_len == len &&
                memcmp(claim->entry, bytes, len) == 0;
    claim->start_unknown = same && claim->start_unknown;
    free(claim->entry);
    claim->entry = mem_copy(bytes, len);
    claim->entry_len = len;
}

static void forget_entry(struct claim *claim)
{
    free(claim->entry);
    claim->entry = NULL;
    claim->entry_len = 0;
}

static struct view entry_view(const struct claim *claim)
{
    return (struct view){claim->entry, claim->entry_len};
}

/* The entry that a string or array reply holds is kept; false: there was none. */
static bool keep_reply(struct claim *claim, const redisReply *reply)
{
    const redisReply *text = reply;
    if (reply->type == REDIS_REPLY_ARRAY) {
        text = reply->elements > 0 ? reply->element[0] : NULL;
    }
    if (text == NULL || text->type != REDIS_REPLY_STRING) {
        return false;
    }
    keep_entry(claim, text->str, (size_t)text->len);
    return true;
}

static enum claim_outcome take_leftover(struct claim *claim)
{
    struct command command;
    command_begin(&command, "LRANGE");
    command_text(&command, claim->taken.text);
    command_text(&command, "0");
    command_text(&command, "0");
    redisReply *reply = call(claim, &command);
    if (reply == NULL) {
        return CLAIM_DOWN;
    }
    bool found = keep_reply(claim, reply);
    freeReplyObject(reply);
    return found ? CLAIM_OK : CLAIM_NOTHING;
}

/* Redis is out of memory: wait a little for somebody to wake us, then take by script. */
static enum claim_outcome take_by_script(struct claim *claim, const int wake_fds[2])
{
    struct pollfd fds[2] = {{wake_fds[0], POLLIN, 0}, {wake_fds[1], POLLIN, 0}};
    if (poll(fds, 2, OOM_POLL_MS) > 0) {
        return CLAIM_WOKEN;
    }
    struct command command;
    command_begin_script(&command, &script_take);
    command_text(&command, SCRIPT_QUEUE);
    command_text(&command, claim->taken.text);
    redisReply *reply = call(claim, &command);
    if (reply == NULL) {
        return CLAIM_DOWN;
    }
    bool found = keep_reply(claim, reply);
    freeReplyObject(reply);
    return found ? CLAIM_OK : CLAIM_NOTHING;
}

static bool send_blmove(struct claim *claim, int timeout_ms)
{
    char seconds[32];
    snprintf(seconds, sizeof seconds, "%d.%03d", timeout_ms / 1000, timeout_ms % 1000);
    int done = 0;
    if (redisAppendCommand(claim->redis, "BLMOVE %s %s LEFT RIGHT %s", SCRIPT_QUEUE,
                           claim->taken.text, seconds) != REDIS_OK) {
        return false;
    }
    while (!done) {
        if (redisBufferWrite(claim->redis, &done) != REDIS_OK) {
            return false;
        }
    }
    return true;
}

static enum claim_outcome read_blmove(struct claim *claim, const int wake_fds[2])
{
    void *raw = NULL;
    if (redisGetReply(claim->redis, &raw) != REDIS_OK) {
        drop_connection(&claim->redis);
        return CLAIM_DOWN;
    }
    redisReply *reply = raw;
    enum claim_outcome outcome = CLAIM_NOTHING;
    if (is_refusal(reply)) {
        bool out_of_memory = strncmp(reply->str, "OOM", 3) == 0;
        outcome = out_of_memory ? take_by_script(claim, wake_fds) : CLAIM_DOWN;
    } else if (keep_reply(claim, reply)) {
        outcome = CLAIM_OK;
    }
    freeReplyObject(reply);
    return outcome;
}

static enum claim_outcome take_next(struct claim *claim, int timeout_ms, const int wake_fds[2])
{
    if (!connect_to(claim, &claim->redis) || !send_blmove(claim, timeout_ms)) {
        drop_connection(&claim->redis);
        return CLAIM_DOWN;
    }
    struct pollfd fds[3] = {
        {claim->redis->fd, POLLIN, 0}, {wake_fds[0], POLLIN, 0}, {wake_fds[1], POLLIN, 0}};
    int ready = poll(fds, 3, timeout_ms + REPLY_MS);
    if (ready > 0 && fds[0].revents != 0) {
        return read_blmove(claim, wake_fds);
    }
    /* The command is still under way; what it may move yet, the next take finds in our list. */
    drop_connection(&claim->redis);
    return ready > 0 ? CLAIM_WOKEN : CLAIM_DOWN;
}

static enum claim_outcome acknowledge(struct claim *claim)
{
    if (claim->entry == NULL) {
        return CLAIM_OK;
    }
    struct command command;
    command_begin(&command, "LREM");
    command_text(&command, claim->taken.text);
    command_text(&command, "1");
    command_add(&command, entry_view(claim));
    long long removed;
    enum claim_outcome outcome = call_number(claim, &command, &removed);
    forget_entry(claim);
    return outcome;
}

/* What can never run is acknowledged; if somebody can ask for its status, it ends as an error. */
static void refuse_entry(struct claim *claim, const struct job *job, const char *code,
                         const char *text)
{
    struct command command;
    command_begin(&command, "EXISTS");
    command_key(&command, key_job(job->id));
    long long exists = 0;
    if (job->id[0] == '\0' || call_number(claim, &command, &exists) != CLAIM_OK ||
        exists == 0 || claim_start(claim, job, clock_wall_ms()) != CLAIM_OK) {
        acknowledge(claim);
        return;
    }
    struct job_result result = {.state = JOB_ERROR,
                                .finished_at = clock_wall_ms(),
                                .output = view_of(""),
                                .out = view_of(""),
                                .err = view_of(""),
                                .error_code = code,
                                .error_text = text};
    claim_end(claim, job, &result);
}

/* Fills `job` from the entry in hand, or refuses it. */
static enum claim_outcome parse_entry(struct claim *claim, struct job *job)
{
    struct job_limits limits = {(size_t)claim->conf->code_bytes,
                                (size_t)claim->conf->stdin_bytes};
    struct err err;
    if (!job_parse_entry(entry_view(claim), &limits, job, &err)) {
        log_warn("queue.refused worker=%s code=%s reason=\"%s\"", claim->worker, err.code,
                 err.text);
        struct job named = {.submitted_at = 0};
        job_read_identity(entry_view(claim), &named);
        refuse_entry(claim, &named, err.code, err.text);
        return CLAIM_NOTHING;
    }
    if (clock_wall_ms() - job->submitted_at > FOREIGN_MAX_AGE_MS) {
        log_warn("queue.expired worker=%s job=%s", claim->worker, job->id);
        refuse_entry(claim, job, "expired", "The run waited too long and was given up.");
        job_finish(job);
        return CLAIM_NOTHING;
    }
    return CLAIM_OK;
}

enum claim_outcome claim_take(struct claim *claim, int timeout_ms, const int wake_fds[2],
                              struct job *job)
{
    if (claim_beat(claim) != CLAIM_OK) {
        return CLAIM_DOWN;
    }
    enum claim_outcome outcome = take_leftover(claim);
    if (outcome == CLAIM_NOTHING) {
        outcome = take_next(claim, timeout_ms, wake_fds);
    }
    return outcome == CLAIM_OK ? parse_entry(claim, job) : outcome;
}

/* --- a run ------------------------------------------------------------------------------- */

enum claim_outcome claim_start(struct claim *claim, const struct job *job, int64_t started_at)
{
    struct job_result result = {.state = JOB_RUNNING, .started_at = started_at};
    char *status = job_format_status(job, &result);
    struct command command;
    command_begin_script(&command, &script_start);
    command_key(&command, key_job(job->id));
    command_key(&command, key_run(job->id));
    command_key(&command, key_events(job->id));
    command_text(&command, claim->taken.text);
    command_text(&command, claim->worker);
    command_text(&command, status);
    command_number(&command, claim->conf->job_ttl_s);
    command_add(&command, entry_view(claim));
    command_text(&command, job->id);
    command_text(&command, claim->start_unknown ? "1" : "0");
    long long attempt = 0;
    claim->poisoned = false;
    enum claim_outcome outcome = call_number(claim, &command, &attempt);
    free(status);
    claim->start_unknown = outcome == CLAIM_DOWN;
    claim->cancel_seen = false;
    claim->look_due = false;
    claim->inputs = 0;
    free(claim->input);
    claim->input = NULL;
    claim->sequence = 0;
    snprintf(claim->attempt, sizeof claim->attempt, "%lld", attempt);
    if (outcome == CLAIM_DOWN && claim->poisoned) {
        log_error("queue.poisoned worker=%s job=%s", claim->worker, job->id);
        acknowledge(claim);
        return CLAIM_NOTHING;
    }
    if (outcome == CLAIM_OK && attempt == 0) {
        forget_entry(claim);
        return CLAIM_NOTHING;
    }
    if (outcome == CLAIM_OK && attempt < 0) { /* its result could not be written: once more */
        claim_give_back(claim, job, true);
        return CLAIM_NOTHING;
    }
    return outcome;
}

enum claim_outcome claim_event(struct claim *claim, const struct job *job, const char *type,
                               const char *data)
{
    struct command command;
    command_begin_script(&command, &script_event);
    command_key(&command, key_job(job->id));
    command_key(&command, key_run(job->id));
    command_key(&command, key_events(job->id));
    command_text(&command, claim->worker);
    command_text(&command, claim->attempt);
    command_text(&command, type);
    command_text(&command, data);
    command_number(&command, claim->conf->job_ttl_s);
    command_text(&command, job->id);
    command_number(&command, claim->sequence + 1);
    long long ours;
    enum claim_outcome outcome = call_number(claim, &command, &ours);
    claim->sequence += outcome == CLAIM_OK;
    if (outcome == CLAIM_OK && ours == 0) {
        acknowledge(claim);
        return CLAIM_NOTHING;
    }
    return outcome;
}

enum claim_outcome claim_end(struct claim *claim, const struct job *job,
                             const struct job_result *result)
{
    char *status = job_format_status(job, result);
    struct command command;
    command_begin_script(&command, &script_end);
    command_key(&command, key_job(job->id));
    command_key(&command, key_run(job->id));
    command_key(&command, key_events(job->id));
    command_text(&command, claim->taken.text);
    command_text(&command, claim->worker);
    command_text(&command, claim->attempt);
    command_text(&command, job_state_name(result->state));
    command_text(&command, status);
    command_number(&command, claim->conf->job_ttl_s);
    command_add(&command, entry_view(claim));
    command_text(&command, job->id);
    long long ours;
    enum claim_outcome outcome = call_number(claim, &command, &ours);
    free(status);
    if (outcome == CLAIM_OK) {
        forget_entry(claim);
        outcome = ours == 0 ? CLAIM_NOTHING : CLAIM_OK;
    }
    return outcome;
}

/* --- giving back ------------------------------------------------------------------------- */

enum claim_outcome claim_give_back(struct claim *claim, const struct job *job,
                                   bool used_attempt)
{
    struct job_ends ends = job_format_ends(job, clock_wall_ms());
    struct command command;
    command_begin_give_back(&command, &(struct command_give_back){
                                          .id = job->id,
                                          .worker = claim->worker,
                                          .entry = entry_view(claim),
                                          .used_attempt = used_attempt,
                                          .ends = &ends,
                                          .ttl_s = claim->conf->job_ttl_s,
                                      });
    redisReply *reply = call(claim, &command);
    job_ends_finish(&ends);
    if (reply == NULL) {
        return CLAIM_DOWN;
    }
    freeReplyObject(reply);
    forget_entry(claim);
    return CLAIM_OK;
}

void claim_leave(struct claim *claim)
{
    struct job job;
    while (take_leftover(claim) == CLAIM_OK) {
        if (parse_entry(claim, &job) == CLAIM_OK) {
            enum claim_outcome outcome = claim_give_back(claim, &job, false);
            job_finish(&job);
            if (outcome != CLAIM_OK) {
                return; /* the reaper will do it */
            }
        }
    }
    claim_bury(claim, claim->worker);
}

/* --- control ----------------------------------------------------------------------------- */

static bool send_control(struct claim *claim, const char *command)
{
    int done = 0;
    if (redisAppendCommand(claim->control, command) != REDIS_OK) {
        return false;
    }
    while (!done) {
        if (redisBufferWrite(claim->control, &done) != REDIS_OK) {
            return false;
        }
    }
    return true;
}

void claim_watch(struct claim *claim, const struct job *job)
{
    struct key channel = key_control(job->id);
    char command[KEY_MAX + 16];
    snprintf(command, sizeof command, "SUBSCRIBE %s", channel.text);
    if (!connect_to(claim, &claim->control) || !send_control(claim, command)) {
        drop_connection(&claim->control);
    }
}

int claim_watch_fd(const struct claim *claim)
{
    return claim->control != NULL && !claim->look_due ? claim->control->fd : -1;
}

static const char *field_of(const redisReply *reply, size_t at)
{
    const redisReply *field = reply->element[at];
    return field->type == REDIS_REPLY_STRING ? field->str : NULL;
}

/* One at a time: nobody can send the next before the program waits again. */
static void note_input(struct claim *claim, const redisReply *reply)
{
    const char *inputs = field_of(reply, 1);
    long long number = inputs != NULL ? strtoll(inputs, NULL, 10) : 0;
    if (number > claim->inputs && field_of(reply, 2) != NULL) {
        const char *last = field_of(reply, 3);
        free(claim->input);
        claim->input = mem_copy(reply->element[2]->str, reply->element[2]->len);
        claim->input_is_last = last != NULL && strcmp(last, "1") == 0;
        claim->inputs = number;
    }
}

/* Reads what people want of the run. False: Redis did not say. */
static bool read_wishes(struct claim *claim, const struct job *job)
{
    static const char *const fields[] = {"cancel", "inputs", "input", "input_ends"};
    struct command command;
    command_begin(&command, "HMGET");
    command_key(&command, key_run(job->id));
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        command_text(&command, fields[i]);
    }
    redisReply *reply = call(claim, &command);
    if (reply == NULL) {
        return false;
    }
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 4) {
        claim->cancel_seen = field_of(reply, 0) != NULL;
        note_input(claim, reply);
    }
    freeReplyObject(reply);
    return true;
}

char *claim_take_input(struct claim *claim, bool *is_last)
{
    char *input = claim->input;
    claim->input = NULL;
    *is_last = claim->input_is_last;
    return input;
}

long long claim_queue_length(struct claim *claim)
{
    struct command command;
    command_begin(&command, "LLEN");
    command_text(&command, SCRIPT_QUEUE);
    long long length = 0;
    call_number(claim, &command, &length);
    return length;
}

/* Anything on our channel, be it the acknowledgement of the subscription or a message, is a
 * reason to read the stored flag; a message alone decides nothing. */
static bool mentions(const redisReply *reply, const struct job *job)
{
    struct key channel = key_control(job->id);
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
           reply->element[0]->type == REDIS_REPLY_STRING &&
           strcmp(reply->element[0]->str, "unsubscribe") != 0 &&
           reply->element[1]->type == REDIS_REPLY_STRING &&
           strcmp(reply->element[1]->str, channel.text) == 0;
}

bool claim_cancelled(struct claim *claim, const struct job *job)
{
    if (claim->cancel_seen) {
        return true;
    }
    if (claim->control == NULL) {
        claim_watch(claim, job);
        return false; /* the acknowledgement will make us look */
    }
    /* While a look is due it is not known whether there is anything to read, which would block. */
    if (!claim->look_due && redisBufferRead(claim->control) != REDIS_OK) {
        drop_connection(&claim->control);
        return false;
    }
    void *raw = NULL;
    while (redisGetReplyFromReader(claim->control, &raw) == REDIS_OK && raw != NULL) {
        claim->look_due = mentions(raw, job) || claim->look_due;
        freeReplyObject(raw);
    }
    claim->look_due = claim->look_due && !read_wishes(claim, job);
    return claim->cancel_seen;
}

void claim_unwatch(struct claim *claim)
{
    if (claim->control != NULL && !send_control(claim, "UNSUBSCRIBE")) {
        drop_connection(&claim->control);
    }
}
