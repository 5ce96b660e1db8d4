/* See claim.h. Slot thread only; owned by the slot.
 *
 * What can go wrong, and what then:
 * - Redis breaks while BLMOVE waits: the entry may have been moved and its reply lost. It then
 * lies in our taken-list, and every take looks there first.
 * - Redis is out of memory: BLMOVE answers -OOM, so the take falls back to polling a script
 * that may run all the same.
 * - A reply is lost after a script ran: start finds itself as owner and keeps its attempt; end
 * finds the result stored and reports "not ours", which the slot takes as done. */
#include "run/claim.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/mem.h"
#include "run/keys.h"
#include "run/scripts.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define HEARTBEAT_TTL_MS "30000"
#define HEARTBEAT_EVERY_MS 5000
#define CONNECT_MS 1000
#define REPLY_MS 2000
#define OOM_POLL_MS 200
#define FOREIGN_MAX_AGE_MS 600000

struct claim {
    const struct conf *conf;
    struct address address;
    char *worker;
    struct key taken;
    struct key heartbeat_key;
    redisContext *redis;   /* NULL: not connected */
    redisContext *control; /* second connection, for the control channel; NULL: not connected */
    int64_t heartbeat_at;  /* monotonic ms; 0: never */
    char *entry;           /* the exact bytes of the job in hand; NULL: none */
    size_t entry_len;
    char attempt[16];  /* fencing token, as text */
    unsigned sequence; /* of the last event that is known to be stored */
    bool cancel_seen;
};

struct claim *claim_create(const struct conf *conf, const char *worker)
{
    struct claim *claim = mem_alloc(sizeof *claim);
    claim->conf = conf;
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
        free(claim);
    }
}

static struct timeval timeval_of(int ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
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
    return true;
}

/* --- commands ---------------------------------------------------------------------------- */

#define ARGUMENTS_MAX 20

struct command {
    const char *argv[ARGUMENTS_MAX];
    size_t lens[ARGUMENTS_MAX];
    int argc;
};

static void add(struct command *command, struct view argument)
{
    command->argv[command->argc] = argument.at;
    command->lens[command->argc++] = argument.len;
}

static void add_text(struct command *command, const char *argument)
{
    add(command, view_of(argument));
}

static struct command script_command(const struct script *script)
{
    struct command command = {.argc = 0};
    add_text(&command, "EVAL");
    add_text(&command, script->text);
    add_text(&command, (const char *[]){"0", "1", "2", "3", "4", "5", "6"}[script->keys]);
    return command;
}

/* LOADING, BUSY, READONLY and the like: Redis is there, but not for us. */
static bool is_refusal(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR;
}

/* One command, one reply for freeReplyObject; NULL: Redis is away, or refused (logged). */
static redisReply *call(struct claim *claim, const struct command *command)
{
    if (!connect_to(claim, &claim->redis)) {
        return NULL;
    }
    redisReply *reply = redisCommandArgv(claim->redis, command->argc,
                                         (const char **)command->argv, command->lens);
    if (reply == NULL) {
        drop_connection(&claim->redis);
    } else if (is_refusal(reply)) {
        log_warn("redis.refused worker=%s reason=\"%.100s\"", claim->worker, reply->str);
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

enum claim_outcome claim_heartbeat(struct claim *claim)
{
    struct command command = script_command(&script_heartbeat);
    add_text(&command, SCRIPT_WORKERS);
    add_text(&command, claim->heartbeat_key.text);
    add_text(&command, claim->worker);
    add_text(&command, HEARTBEAT_TTL_MS);
    long long ignored;
    enum claim_outcome outcome = call_number(claim, &command, &ignored);
    if (outcome == CLAIM_OK) {
        claim->heartbeat_at = clock_mono_ms();
    }
    return outcome;
}

bool claim_worker_alive(struct claim *claim, const char *name, bool *alive)
{
    struct key key = key_worker(name);
    struct command command = {.argc = 0};
    add_text(&command, "EXISTS");
    add_text(&command, key.text);
    long long exists;
    if (call_number(claim, &command, &exists) != CLAIM_OK) {
        return false;
    }
    *alive = exists == 1;
    return true;
}

void claim_bury(struct claim *claim, const char *name)
{
    struct key key = key_worker(name);
    struct command command = {.argc = 0};
    add_text(&command, "DEL");
    add_text(&command, key.text);
    long long ignored;
    call_number(claim, &command, &ignored);
}

/* --- taking ------------------------------------------------------------------------------ */

static void keep_entry(struct claim *claim, const char *bytes, size_t len)
{
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
    struct command command = {.argc = 0};
    add_text(&command, "LRANGE");
    add_text(&command, claim->taken.text);
    add_text(&command, "0");
    add_text(&command, "0");
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
    struct command command = script_command(&script_take);
    add_text(&command, SCRIPT_QUEUE);
    add_text(&command, claim->taken.text);
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
    struct command command = {.argc = 0};
    add_text(&command, "LREM");
    add_text(&command, claim->taken.text);
    add_text(&command, "1");
    add(&command, entry_view(claim));
    long long removed;
    enum claim_outcome outcome = call_number(claim, &command, &removed);
    forget_entry(claim);
    return outcome;
}

/* Fills `job` from the entry in hand, or acknowledges what can never run. */
static enum claim_outcome parse_entry(struct claim *claim, struct job *job)
{
    struct job_limits limits = {(size_t)claim->conf->code_bytes,
                                (size_t)claim->conf->stdin_bytes};
    struct err err;
    if (!job_parse_entry(entry_view(claim), &limits, job, &err)) {
        log_warn("queue.refused worker=%s code=%s reason=\"%s\"", claim->worker, err.code,
                 err.text);
        acknowledge(claim);
        return CLAIM_NOTHING;
    }
    if (clock_wall_ms() - job->submitted_at > FOREIGN_MAX_AGE_MS) {
        log_warn("queue.expired worker=%s job=%s", claim->worker, job->id);
        acknowledge(claim);
        job_finish(job);
        return CLAIM_NOTHING;
    }
    return CLAIM_OK;
}

enum claim_outcome claim_take(struct claim *claim, int timeout_ms, const int wake_fds[2],
                              struct job *job)
{
    if (clock_mono_ms() - claim->heartbeat_at > HEARTBEAT_EVERY_MS &&
        claim_heartbeat(claim) != CLAIM_OK) {
        return CLAIM_DOWN;
    }
    enum claim_outcome outcome = take_leftover(claim);
    if (outcome == CLAIM_NOTHING) {
        outcome = take_next(claim, timeout_ms, wake_fds);
    }
    return outcome == CLAIM_OK ? parse_entry(claim, job) : outcome;
}

/* --- a run ------------------------------------------------------------------------------- */

static const char *ttl_text(const struct claim *claim, char out[16])
{
    snprintf(out, 16, "%d", claim->conf->job_ttl_s);
    return out;
}

enum claim_outcome claim_start(struct claim *claim, const struct job *job, int64_t started_at)
{
    struct job_result result = {.state = JOB_RUNNING, .started_at = started_at};
    char *status = job_format_status(job, &result);
    struct key name = key_job(job->id);
    struct key run = key_run(job->id);
    struct key events = key_events(job->id);
    char ttl[16];
    struct command command = script_command(&script_start);
    add_text(&command, name.text);
    add_text(&command, run.text);
    add_text(&command, events.text);
    add_text(&command, claim->taken.text);
    add_text(&command, claim->worker);
    add_text(&command, status);
    add_text(&command, ttl_text(claim, ttl));
    add(&command, entry_view(claim));
    add_text(&command, job->id);
    long long attempt;
    enum claim_outcome outcome = call_number(claim, &command, &attempt);
    free(status);
    if (outcome == CLAIM_OK && attempt == 0) {
        forget_entry(claim);
        outcome = CLAIM_NOTHING;
    }
    snprintf(claim->attempt, sizeof claim->attempt, "%lld", outcome == CLAIM_OK ? attempt : 0);
    claim->cancel_seen = false;
    claim->sequence = 0;
    return outcome;
}

enum claim_outcome claim_output(struct claim *claim, const struct job *job, const char *stream,
                                struct view text)
{
    char *data = job_format_output(stream, text);
    struct key name = key_job(job->id);
    struct key run = key_run(job->id);
    struct key events = key_events(job->id);
    char ttl[16];
    char sequence[16];
    snprintf(sequence, sizeof sequence, "%u", claim->sequence + 1);
    struct command command = script_command(&script_event);
    add_text(&command, name.text);
    add_text(&command, run.text);
    add_text(&command, events.text);
    add_text(&command, claim->worker);
    add_text(&command, claim->attempt);
    add_text(&command, "output");
    add_text(&command, data);
    add_text(&command, ttl_text(claim, ttl));
    add_text(&command, job->id);
    add_text(&command, sequence);
    long long ours;
    enum claim_outcome outcome = call_number(claim, &command, &ours);
    free(data);
    claim->sequence += outcome == CLAIM_OK;
    return outcome == CLAIM_OK && ours == 0 ? CLAIM_NOTHING : outcome;
}

enum claim_outcome claim_end(struct claim *claim, const struct job *job,
                             const struct job_result *result)
{
    char *status = job_format_status(job, result);
    struct key name = key_job(job->id);
    struct key run = key_run(job->id);
    struct key events = key_events(job->id);
    char ttl[16];
    struct command command = script_command(&script_end);
    add_text(&command, name.text);
    add_text(&command, run.text);
    add_text(&command, events.text);
    add_text(&command, claim->taken.text);
    add_text(&command, claim->worker);
    add_text(&command, claim->attempt);
    add_text(&command, job_state_name(result->state));
    add_text(&command, status);
    add_text(&command, ttl_text(claim, ttl));
    add(&command, entry_view(claim));
    add_text(&command, job->id);
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
    struct key name = key_job(job->id);
    struct key run = key_run(job->id);
    struct key events = key_events(job->id);
    char ttl[16];
    struct command command = script_command(&script_give_back);
    add_text(&command, name.text);
    add_text(&command, run.text);
    add_text(&command, events.text);
    add_text(&command, claim->taken.text);
    add_text(&command, SCRIPT_QUEUE);
    add_text(&command, claim->heartbeat_key.text);
    add(&command, entry_view(claim));
    add_text(&command, claim->worker);
    add_text(&command, used_attempt ? "1" : "0");
    add_text(&command, ends.queued);
    add_text(&command, ends.error);
    add_text(&command, ends.cancelled);
    add_text(&command, ttl_text(claim, ttl));
    add_text(&command, job->id);
    add_text(&command, "0");
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
    long long ignored;
    struct command command = script_command(&script_retire);
    add_text(&command, claim->taken.text);
    add_text(&command, SCRIPT_WORKERS);
    add_text(&command, claim->heartbeat_key.text);
    add_text(&command, claim->worker);
    call_number(claim, &command, &ignored);
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
    return claim->control != NULL ? claim->control->fd : -1;
}

static bool stored_cancel(struct claim *claim, const struct job *job)
{
    struct key run = key_run(job->id);
    struct command command = {.argc = 0};
    add_text(&command, "HEXISTS");
    add_text(&command, run.text);
    add_text(&command, "cancel");
    long long exists = 0;
    call_number(claim, &command, &exists);
    return exists == 1;
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
    bool look = false;
    if (claim->control == NULL) {
        claim_watch(claim, job);
        return false; /* the acknowledgement will make us look */
    }
    if (redisBufferRead(claim->control) != REDIS_OK) {
        drop_connection(&claim->control);
        return false;
    }
    void *raw = NULL;
    while (redisGetReplyFromReader(claim->control, &raw) == REDIS_OK && raw != NULL) {
        look = mentions(raw, job) || look;
        freeReplyObject(raw);
    }
    claim->cancel_seen = look && stored_cancel(claim, job);
    return claim->cancel_seen;
}

void claim_unwatch(struct claim *claim)
{
    if (claim->control != NULL && !send_control(claim, "UNSUBSCRIBE")) {
        drop_connection(&claim->control);
    }
}
