/* See queue.h. Loop thread only. A call under way is a small struct of its own that carries the
 * caller's callback; it is freed when Redis has answered, or has not. */
#include "run/queue.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/keys.h"
#include "run/scripts.h"

#include <stdlib.h>
#include <string.h>

#define REAP_EVERY_MS 2000
#define SECOND_LOOK_MS 100
#define SECOND_LOOKS 20
#define ARGUMENTS_MAX 24
#define EVENTS_MAX 512 /* read at once; a run writes at most about 210 */

struct queue {
    const struct conf *conf;
    struct redis *redis;
    uv_loop_t *loop;
    uv_timer_t reap_timer;
    int64_t length;
    bool closing;
};

struct arguments {
    struct view at[ARGUMENTS_MAX];
    size_t count;
};

static void add(struct arguments *arguments, struct view argument)
{
    arguments->at[arguments->count++] = argument;
}

static void add_text(struct arguments *arguments, const char *text)
{
    add(arguments, view_of(text));
}

static struct arguments begin_script(const struct script *script)
{
    struct arguments arguments = {.count = 0};
    add_text(&arguments, "EVAL");
    add_text(&arguments, script->text);
    add_text(&arguments, (const char *[]){"0", "1", "2", "3", "4", "5", "6"}[script->keys]);
    return arguments;
}

static void issue(struct queue *queue, struct arguments *arguments, redis_on_reply *on_reply,
                  void *context)
{
    redis_command(queue->redis, on_reply, context, arguments->count, arguments->at);
}

static bool is_error(const redisReply *reply)
{
    return reply == NULL || reply->type == REDIS_REPLY_ERROR;
}

static bool is_text(const redisReply *reply, const char *text)
{
    return (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS) &&
           strcmp(reply->str, text) == 0;
}

static struct view text_of(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING ? (struct view){reply->str, (size_t)reply->len}
                                             : view_of("");
}

/* --- admission --------------------------------------------------------------------------- */

struct admission {
    struct queue *queue;
    queue_on_admit *on_admit;
    void *context;
    struct key name;
    struct queue_rate rate;
    int looks_left;
    uv_timer_t timer;
};

static void read_rate(const redisReply *reply, int limit, struct queue_rate *rate)
{
    *rate = (struct queue_rate){.limit = limit};
    if (!is_error(reply) && reply->type == REDIS_REPLY_ARRAY && reply->elements == 3) {
        rate->known = true;
        rate->remaining = (int)reply->element[1]->integer;
        rate->reset_ms = (int)reply->element[2]->integer;
    }
}

static void on_admission_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void settle(struct admission *admission, enum queue_admission outcome)
{
    admission->on_admit(outcome, &admission->rate, admission->context);
    uv_close((uv_handle_t *)&admission->timer, on_admission_closed);
}

static void look_again(struct admission *admission);

/* The script's reply was lost. Its job exists if, and only if, the script ran. */
static void on_second_look(const redisReply *reply, void *context)
{
    struct admission *admission = context;
    if (is_error(reply)) {
        look_again(admission);
    } else {
        settle(admission, reply->integer == 1 ? QUEUE_ADMITTED : QUEUE_AWAY);
    }
}

static void on_look_timer(uv_timer_t *timer)
{
    struct admission *admission = timer->data;
    if (admission->queue->closing) {
        settle(admission, QUEUE_UNKNOWN);
        return;
    }
    struct arguments arguments = {.count = 0};
    add_text(&arguments, "EXISTS");
    add_text(&arguments, admission->name.text);
    issue(admission->queue, &arguments, on_second_look, admission);
}

static void look_again(struct admission *admission)
{
    if (admission->looks_left-- == 0 || admission->queue->closing) {
        settle(admission, QUEUE_UNKNOWN);
    } else {
        uv_timer_start(&admission->timer, on_look_timer, SECOND_LOOK_MS, 0);
    }
}

static void on_admitted(const redisReply *reply, void *context)
{
    struct admission *admission = context;
    read_rate(reply, admission->queue->conf->rate_limit, &admission->rate);
    if (reply == NULL) {
        look_again(admission);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        log_warn("queue.refused_by_redis reason=\"%.100s\"", reply->str);
        settle(admission, QUEUE_AWAY);
    } else if (!admission->rate.known) {
        settle(admission, QUEUE_UNKNOWN);
    } else if (is_text(reply->element[0], "rate")) {
        settle(admission, QUEUE_RATE_LIMITED);
    } else if (is_text(reply->element[0], "full")) {
        settle(admission, QUEUE_FULL);
    } else {
        settle(admission, QUEUE_ADMITTED);
    }
}

static void on_not_sent(uv_timer_t *timer)
{
    settle(timer->data, QUEUE_AWAY);
}

void queue_admit(struct queue *queue, const struct job *job, const char *client,
                 queue_on_admit *on_admit, void *context)
{
    struct admission *admission = mem_alloc(sizeof *admission);
    *admission = (struct admission){.queue = queue,
                                    .on_admit = on_admit,
                                    .context = context,
                                    .name = key_job(job->id),
                                    .looks_left = SECOND_LOOKS};
    uv_timer_init(queue->loop, &admission->timer);
    admission->timer.data = admission;
    if (!redis_ready(queue->redis)) {
        admission->rate.limit = queue->conf->rate_limit;
        uv_timer_start(&admission->timer, on_not_sent, 0, 0);
        return;
    }
    struct job_result result = {.state = JOB_QUEUED};
    char *status = job_format_status(job, &result);
    char *entry = job_format_entry(job);
    struct key rate = key_rate(client);
    struct key run = key_run(job->id);
    char limit[16];
    char max[16];
    char ttl[16];
    snprintf(limit, sizeof limit, "%d", queue->conf->rate_limit);
    snprintf(max, sizeof max, "%d", queue->conf->queue_max);
    snprintf(ttl, sizeof ttl, "%d", queue->conf->job_ttl_s);
    struct arguments arguments = begin_script(&script_admit);
    add_text(&arguments, rate.text);
    add_text(&arguments, SCRIPT_QUEUE);
    add_text(&arguments, admission->name.text);
    add_text(&arguments, run.text);
    add_text(&arguments, limit);
    add_text(&arguments, max);
    add_text(&arguments, status);
    add_text(&arguments, entry);
    add_text(&arguments, ttl);
    issue(queue, &arguments, on_admitted, admission);
    free(status);
    free(entry);
}

struct rate_read {
    int limit;
    queue_on_rate *on_rate;
    void *context;
};

static void on_rate_read(const redisReply *reply, void *context)
{
    struct rate_read *read = context;
    struct queue_rate rate;
    read_rate(reply, read->limit, &rate);
    read->on_rate(&rate, read->context);
    free(read);
}

void queue_read_rate(struct queue *queue, const char *client, queue_on_rate *on_rate,
                     void *context)
{
    struct rate_read *read = mem_alloc(sizeof *read);
    *read = (struct rate_read){queue->conf->rate_limit, on_rate, context};
    struct key rate = key_rate(client);
    char limit[16];
    snprintf(limit, sizeof limit, "%d", queue->conf->rate_limit);
    struct arguments arguments = begin_script(&script_rate);
    add_text(&arguments, rate.text);
    add_text(&arguments, limit);
    issue(queue, &arguments, on_rate_read, read);
}

/* --- status and events ------------------------------------------------------------------- */

struct events_read {
    queue_on_events *on_events;
    void *context;
};

/* One stream entry: [id, [name, value, ...]]. */
static bool read_event(const redisReply *entry, struct queue_event *event)
{
    if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2 ||
        entry->element[1]->type != REDIS_REPLY_ARRAY || entry->element[1]->elements != 4) {
        return false;
    }
    *event =
        (struct queue_event){text_of(entry->element[0]), text_of(entry->element[1]->element[1]),
                             text_of(entry->element[1]->element[3])};
    return true;
}

static void on_events_read(const redisReply *reply, void *context)
{
    struct events_read *read = context;
    struct queue_event *events = NULL;
    size_t count = 0;
    bool ok = !is_error(reply) && reply->type == REDIS_REPLY_ARRAY;
    if (ok && reply->elements > 0) {
        events = mem_alloc(reply->elements * sizeof *events);
        for (size_t i = 0; i < reply->elements; i++) {
            count += read_event(reply->element[i], &events[count]);
        }
    }
    read->on_events(ok, events, count, read->context);
    free(events);
    free(read);
}

void queue_read_events(struct queue *queue, const char *id, const char *after,
                       queue_on_events *on_events, void *context)
{
    struct events_read *read = mem_alloc(sizeof *read);
    *read = (struct events_read){on_events, context};
    struct key events = key_events(id);
    char from[QUEUE_EVENT_ID_MAX + 1];
    char count[16];
    snprintf(from, sizeof from, "(%s", after);
    snprintf(count, sizeof count, "%d", EVENTS_MAX);
    struct arguments arguments = {.count = 0};
    add_text(&arguments, "XRANGE");
    add_text(&arguments, events.text);
    add_text(&arguments, from);
    add_text(&arguments, "+");
    add_text(&arguments, "COUNT");
    add_text(&arguments, count);
    issue(queue, &arguments, on_events_read, read);
}

struct status_read {
    struct queue *queue;
    queue_on_status *on_status;
    void *context;
    char id[ID_UUID_LEN + 1];
    char *status; /* of a running job, until its output so far has been read */
};

static void deliver(struct status_read *read, struct view status, enum job_state state,
                    int64_t position)
{
    read->on_status(QUEUE_OK, status, state, position, read->context);
    free(read->status);
    free(read);
}

static void on_running_events(bool ok, const struct queue_event *events, size_t count,
                              void *context)
{
    struct status_read *read = context;
    struct job_transcript transcript;
    job_transcript_init(&transcript, (size_t)read->queue->conf->output_bytes);
    size_t first = 0;
    for (size_t i = 0; i < count; i++) {
        first = view_equals(events[i].type, "reset") ? i : first;
    }
    for (size_t i = first; ok && i < count; i++) {
        if (view_equals(events[i].type, "output")) {
            job_transcript_add(&transcript, events[i].data);
        }
    }
    char *status = job_status_with_transcript(view_of(read->status), &transcript);
    job_transcript_finish(&transcript);
    deliver(read, view_of(status != NULL ? status : read->status), JOB_RUNNING, 0);
    free(status);
}

static void on_status_read(const redisReply *reply, void *context)
{
    struct status_read *read = context;
    if (is_error(reply) || reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) {
        bool missing = !is_error(reply);
        read->on_status(missing ? QUEUE_MISSING : QUEUE_NO_ANSWER, view_of(""), JOB_QUEUED, 0,
                        read->context);
        free(read);
        return;
    }
    struct view status = text_of(reply->element[0]);
    int64_t position = reply->element[2]->integer;
    enum job_state state = JOB_ERROR;
    job_state_parse(reply->element[1]->str, &state);
    if (state == JOB_RUNNING) {
        read->status = mem_copy(status.at, status.len);
        queue_read_events(read->queue, read->id, "0-0", on_running_events, read);
        return;
    }
    if (state == JOB_QUEUED) {
        /* Taken but not started has no place in the queue any more: it is next. */
        position = position > 0 ? position : 1;
        char *placed = job_status_with_position(status, position);
        deliver(read, placed != NULL ? view_of(placed) : status, state, position);
        free(placed);
        return;
    }
    deliver(read, status, state, 0);
}

void queue_read_status(struct queue *queue, const char *id, queue_on_status *on_status,
                       void *context)
{
    struct status_read *read = mem_alloc(sizeof *read);
    *read = (struct status_read){.queue = queue, .on_status = on_status, .context = context};
    snprintf(read->id, sizeof read->id, "%s", id);
    struct key name = key_job(id);
    struct key run = key_run(id);
    struct arguments arguments = begin_script(&script_status);
    add_text(&arguments, name.text);
    add_text(&arguments, run.text);
    add_text(&arguments, SCRIPT_QUEUE);
    issue(queue, &arguments, on_status_read, read);
}

/* --- cancel ------------------------------------------------------------------------------ */

struct cancellation {
    struct queue *queue;
    queue_on_cancel *on_cancel;
    void *context;
    char id[ID_UUID_LEN + 1];
};

static void on_cancelled(const redisReply *reply, void *context)
{
    struct cancellation *cancellation = context;
    enum queue_answer answer = is_error(reply)              ? QUEUE_NO_ANSWER
                               : is_text(reply, "missing")  ? QUEUE_MISSING
                               : is_text(reply, "finished") ? QUEUE_FINISHED
                                                            : QUEUE_OK;
    cancellation->on_cancel(answer, cancellation->context);
    free(cancellation);
}

static void send_cancel(struct cancellation *cancellation, const char *ended)
{
    struct queue *queue = cancellation->queue;
    struct key name = key_job(cancellation->id);
    struct key run = key_run(cancellation->id);
    struct key events = key_events(cancellation->id);
    struct key control = key_control(cancellation->id);
    char ttl[16];
    snprintf(ttl, sizeof ttl, "%d", queue->conf->job_ttl_s);
    struct arguments arguments = begin_script(&script_cancel);
    add_text(&arguments, name.text);
    add_text(&arguments, run.text);
    add_text(&arguments, events.text);
    add_text(&arguments, SCRIPT_QUEUE);
    add_text(&arguments, control.text);
    add_text(&arguments, ended);
    add_text(&arguments, ttl);
    add_text(&arguments, cancellation->id);
    issue(queue, &arguments, on_cancelled, cancellation);
}

static void on_status_to_cancel(enum queue_answer answer, struct view status,
                                enum job_state state, int64_t position, void *context)
{
    (void)position;
    struct cancellation *cancellation = context;
    if (answer == QUEUE_OK && job_state_final(state)) {
        answer = QUEUE_FINISHED;
    }
    char *ended = answer == QUEUE_OK
                      ? job_status_ended(status, JOB_CANCELLED, clock_wall_ms(), NULL, NULL)
                      : NULL;
    if (ended == NULL) {
        cancellation->on_cancel(answer == QUEUE_OK ? QUEUE_MISSING : answer,
                                cancellation->context);
        free(cancellation);
        return;
    }
    send_cancel(cancellation, ended);
    free(ended);
}

void queue_cancel(struct queue *queue, const char *id, queue_on_cancel *on_cancel,
                  void *context)
{
    struct cancellation *cancellation = mem_alloc(sizeof *cancellation);
    *cancellation =
        (struct cancellation){.queue = queue, .on_cancel = on_cancel, .context = context};
    snprintf(cancellation->id, sizeof cancellation->id, "%s", id);
    queue_read_status(queue, id, on_status_to_cancel, cancellation);
}

/* --- the reaper: work of slots whose heartbeat is gone ----------------------------------- */

struct reaping {
    struct queue *queue;
    char worker[KEY_MAX];
    char id[ID_UUID_LEN + 1];
};

static struct reaping *reaping_of(struct queue *queue, const char *worker)
{
    struct reaping *reaping = mem_alloc(sizeof *reaping);
    reaping->queue = queue;
    snprintf(reaping->worker, sizeof reaping->worker, "%s", worker);
    return reaping;
}

static void on_retired(const redisReply *reply, void *context)
{
    struct reaping *reaping = context;
    if (!is_error(reply) && reply->type == REDIS_REPLY_INTEGER && reply->integer == 1) {
        log_info("queue.worker_gone worker=%s", reaping->worker);
    }
    free(reaping);
}

static void retire(struct queue *queue, const char *worker)
{
    struct key taken = key_taken(worker);
    struct key heartbeat = key_worker(worker);
    struct arguments arguments = begin_script(&script_retire);
    add_text(&arguments, taken.text);
    add_text(&arguments, SCRIPT_WORKERS);
    add_text(&arguments, heartbeat.text);
    add_text(&arguments, worker);
    issue(queue, &arguments, on_retired, reaping_of(queue, worker));
}

static void on_given_back(const redisReply *reply, void *context)
{
    struct reaping *reaping = context;
    if (!is_error(reply) && reply->type == REDIS_REPLY_STRING) {
        log_info("queue.reaped worker=%s job=%s outcome=%s", reaping->worker, reaping->id,
                 reply->str);
    }
    free(reaping);
}

static void drop_unreadable(struct queue *queue, const char *worker, struct view entry)
{
    log_warn("queue.refused worker=%s reason=\"entry cannot be parsed\"", worker);
    struct key taken = key_taken(worker);
    struct arguments arguments = {.count = 0};
    add_text(&arguments, "LREM");
    add_text(&arguments, taken.text);
    add_text(&arguments, "1");
    add(&arguments, entry);
    issue(queue, &arguments, on_given_back, reaping_of(queue, worker));
}

static void give_back(struct queue *queue, const char *worker, struct view entry)
{
    struct job_limits limits = {JOB_ENTRY_MAX_BYTES, JOB_ENTRY_MAX_BYTES};
    struct job job;
    if (!job_parse_entry(entry, &limits, &job, NULL)) {
        drop_unreadable(queue, worker, entry);
        return;
    }
    struct job_ends ends = job_format_ends(&job, clock_wall_ms());
    struct key name = key_job(job.id);
    struct key run = key_run(job.id);
    struct key events = key_events(job.id);
    struct key taken = key_taken(worker);
    struct key heartbeat = key_worker(worker);
    char ttl[16];
    snprintf(ttl, sizeof ttl, "%d", queue->conf->job_ttl_s);
    struct arguments arguments = begin_script(&script_give_back);
    add_text(&arguments, name.text);
    add_text(&arguments, run.text);
    add_text(&arguments, events.text);
    add_text(&arguments, taken.text);
    add_text(&arguments, SCRIPT_QUEUE);
    add_text(&arguments, heartbeat.text);
    add(&arguments, entry);
    add_text(&arguments, worker);
    add_text(&arguments, "1");
    add_text(&arguments, ends.queued);
    add_text(&arguments, ends.error);
    add_text(&arguments, ends.cancelled);
    add_text(&arguments, ttl);
    add_text(&arguments, job.id);
    add_text(&arguments, "1");
    struct reaping *reaping = reaping_of(queue, worker);
    memcpy(reaping->id, job.id, sizeof reaping->id);
    issue(queue, &arguments, on_given_back, reaping);
    job_ends_finish(&ends);
    job_finish(&job);
}

static void on_taken_read(const redisReply *reply, void *context)
{
    struct reaping *reaping = context;
    if (!is_error(reply) && reply->type == REDIS_REPLY_ARRAY) {
        for (size_t i = reply->elements; i-- > 0;) { /* the last taken first: order is kept */
            give_back(reaping->queue, reaping->worker, text_of(reply->element[i]));
        }
        retire(reaping->queue, reaping->worker);
    }
    free(reaping);
}

static void on_heartbeat_read(const redisReply *reply, void *context)
{
    struct reaping *reaping = context;
    if (is_error(reply) || reply->integer == 1) {
        free(reaping);
        return;
    }
    struct key taken = key_taken(reaping->worker);
    struct arguments arguments = {.count = 0};
    add_text(&arguments, "LRANGE");
    add_text(&arguments, taken.text);
    add_text(&arguments, "0");
    add_text(&arguments, "-1");
    issue(reaping->queue, &arguments, on_taken_read, reaping);
}

static void on_workers_read(const redisReply *reply, void *context)
{
    struct queue *queue = context;
    if (is_error(reply) || reply->type != REDIS_REPLY_ARRAY) {
        return;
    }
    for (size_t i = 0; i < reply->elements; i++) {
        if (reply->element[i]->type != REDIS_REPLY_STRING) {
            continue;
        }
        struct key heartbeat = key_worker(reply->element[i]->str);
        struct arguments arguments = {.count = 0};
        add_text(&arguments, "EXISTS");
        add_text(&arguments, heartbeat.text);
        issue(queue, &arguments, on_heartbeat_read, reaping_of(queue, reply->element[i]->str));
    }
}

static void on_length_read(const redisReply *reply, void *context)
{
    struct queue *queue = context;
    queue->length = is_error(reply) || reply->type != REDIS_REPLY_INTEGER ? -1 : reply->integer;
}

static void on_reap_timer(uv_timer_t *timer)
{
    struct queue *queue = timer->data;
    if (!redis_ready(queue->redis)) {
        return;
    }
    struct arguments workers = {.count = 0};
    add_text(&workers, "SMEMBERS");
    add_text(&workers, SCRIPT_WORKERS);
    issue(queue, &workers, on_workers_read, queue);
    struct arguments length = {.count = 0};
    add_text(&length, "LLEN");
    add_text(&length, SCRIPT_QUEUE);
    issue(queue, &length, on_length_read, queue);
}

/* --- life -------------------------------------------------------------------------------- */

struct queue *queue_open(const struct conf *conf, uv_loop_t *loop, struct redis *redis)
{
    struct queue *queue = mem_alloc(sizeof *queue);
    *queue = (struct queue){.conf = conf, .redis = redis, .loop = loop, .length = -1};
    uv_timer_init(loop, &queue->reap_timer);
    queue->reap_timer.data = queue;
    uv_timer_start(&queue->reap_timer, on_reap_timer, 500, REAP_EVERY_MS);
    return queue;
}

void queue_close(struct queue *queue)
{
    if (!queue->closing) {
        queue->closing = true;
        uv_close((uv_handle_t *)&queue->reap_timer, NULL);
    }
}

void queue_finish(struct queue *queue)
{
    free(queue);
}

int64_t queue_length(const struct queue *queue)
{
    return queue->length;
}
