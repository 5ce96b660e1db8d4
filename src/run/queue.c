/* See queue.h. Loop thread only. A call under way is a small struct of its own that carries the
 * caller's callback; it is freed when Redis has answered, or has not. */
#include "run/queue.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/command.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_LOOK_MS 100
#define SECOND_LOOKS 20

struct queue {
    const struct conf *conf;
    struct redis *redis;
    uv_loop_t *loop;
    bool closing;
};

static void issue(struct queue *queue, const struct command *command, redis_on_reply *on_reply,
                  void *context)
{
    assert(command_complete(command));
    redis_command(queue->redis, on_reply, context, command->count, command->arguments);
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
    struct key job;
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
    struct command command;
    command_begin(&command, "EXISTS");
    command_key(&command, admission->job);
    issue(admission->queue, &command, on_second_look, admission);
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
                                    .job = key_job(job->id),
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
    struct command command;
    command_begin_script(&command, &script_admit);
    command_key(&command, key_rate(client));
    command_text(&command, SCRIPT_QUEUE);
    command_key(&command, key_job(job->id));
    command_key(&command, key_run(job->id));
    command_number(&command, queue->conf->rate_limit);
    command_number(&command, queue->conf->queue_max);
    command_text(&command, status);
    command_text(&command, entry);
    command_number(&command, queue->conf->job_ttl_s);
    issue(queue, &command, on_admitted, admission);
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
    struct command command;
    command_begin_script(&command, &script_rate);
    command_key(&command, key_rate(client));
    command_number(&command, queue->conf->rate_limit);
    issue(queue, &command, on_rate_read, read);
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

/* Each event of the reply; the data of the end event, if there is one, is `status`. */
static void deliver_events(struct events_read *read, const redisReply *log, struct view status)
{
    struct queue_event *events = mem_alloc((log->elements + 1) * sizeof *events);
    size_t count = 0;
    for (size_t i = 0; i < log->elements; i++) {
        if (read_event(log->element[i], &events[count])) {
            bool end = view_equals(events[count].type, "end");
            events[count].data = end ? status : events[count].data;
            count++;
        }
    }
    read->on_events(true, events, count, read->context);
    free(events);
    free(read);
}

static void fail_events(struct events_read *read)
{
    read->on_events(false, NULL, 0, read->context);
    free(read);
}

/* [log, status or ""] */
static void on_events_read(const redisReply *reply, void *context)
{
    struct events_read *read = context;
    if (is_error(reply) || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_ARRAY) {
        fail_events(read);
        return;
    }
    deliver_events(read, reply->element[0], text_of(reply->element[1]));
}

void queue_read_events(struct queue *queue, const char *id, const char *after,
                       queue_on_events *on_events, void *context)
{
    struct events_read *read = mem_alloc(sizeof *read);
    *read = (struct events_read){on_events, context};
    char from[QUEUE_EVENT_ID_MAX + 1];
    snprintf(from, sizeof from, "(%s", after);
    struct command command;
    command_begin_script(&command, &script_events);
    command_key(&command, key_events(id));
    command_key(&command, key_job(id));
    command_text(&command, from);
    command_number(&command, QUEUE_EVENTS_MAX);
    issue(queue, &command, on_events_read, read);
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
    bool waiting = false;
    for (size_t i = first; ok && i < count; i++) {
        if (view_equals(events[i].type, "output")) {
            job_transcript_add(&transcript, events[i].data);
        } else {
            waiting = view_equals(events[i].type, "waiting");
        }
    }
    char *status = job_status_with_transcript(view_of(read->status), &transcript, waiting);
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
    struct command command;
    command_begin_script(&command, &script_status);
    command_key(&command, key_job(id));
    command_key(&command, key_run(id));
    command_text(&command, SCRIPT_QUEUE);
    issue(queue, &command, on_status_read, read);
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
    struct command command;
    command_begin_script(&command, &script_cancel);
    command_key(&command, key_job(cancellation->id));
    command_key(&command, key_run(cancellation->id));
    command_key(&command, key_events(cancellation->id));
    command_text(&command, SCRIPT_QUEUE);
    command_key(&command, key_control(cancellation->id));
    command_text(&command, ended);
    command_number(&command, queue->conf->job_ttl_s);
    command_text(&command, cancellation->id);
    issue(queue, &command, on_cancelled, cancellation);
}

static void on_status_to_cancel(enum queue_answer answer, struct view status,
                                enum job_state state, int64_t position, void *context)
{
    (void)position;
    struct cancellation *cancellation = context;
    if (answer == QUEUE_OK && job_state_final(state)) {
        answer = QUEUE_FINISHED;
    }
    char *ended = answer == QUEUE_OK ? job_status_cancelled(status, clock_wall_ms()) : NULL;
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

/* --- live input -------------------------------------------------------------------------- */

struct offer {
    queue_on_input *on_input;
    void *context;
};

static void on_offered(const redisReply *reply, void *context)
{
    struct offer *offer = context;
    enum queue_input_answer answer = is_error(reply)               ? QUEUE_INPUT_NO_ANSWER
                                     : is_text(reply, "missing")   ? QUEUE_INPUT_MISSING
                                     : is_text(reply, "too_large") ? QUEUE_INPUT_TOO_LARGE
                                     : is_text(reply, "taken")     ? QUEUE_INPUT_TAKEN
                                                                   : QUEUE_INPUT_NOT_WAITING;
    offer->on_input(answer, offer->context);
    free(offer);
}

void queue_give_input(struct queue *queue, const char *id, const struct job_input *input,
                      queue_on_input *on_input, void *context)
{
    struct offer *offer = mem_alloc(sizeof *offer);
    *offer = (struct offer){on_input, context};
    char *event = job_format_input(input);
    struct command command;
    command_begin_script(&command, &script_input);
    command_key(&command, key_run(id));
    command_key(&command, key_events(id));
    command_key(&command, key_control(id));
    command_text(&command, input->text);
    command_text(&command, input->is_last ? "1" : "0");
    command_number(&command, queue->conf->stdin_bytes);
    command_text(&command, event);
    command_text(&command, id);
    issue(queue, &command, on_offered, offer);
    free(event);
}

/* --- length ------------------------------------------------------------------------------ */

struct length_read {
    queue_on_length *on_length;
    void *context;
};

static void on_length_read(const redisReply *reply, void *context)
{
    struct length_read *read = context;
    bool known = !is_error(reply) && reply->type == REDIS_REPLY_INTEGER;
    read->on_length(known ? reply->integer : -1, read->context);
    free(read);
}

void queue_read_length(struct queue *queue, queue_on_length *on_length, void *context)
{
    struct length_read *read = mem_alloc(sizeof *read);
    *read = (struct length_read){on_length, context};
    struct command command;
    command_begin(&command, "LLEN");
    command_text(&command, SCRIPT_QUEUE);
    issue(queue, &command, on_length_read, read);
}

/* --- life -------------------------------------------------------------------------------- */

struct queue *queue_open(const struct conf *conf, uv_loop_t *loop, struct redis *redis)
{
    struct queue *queue = mem_alloc(sizeof *queue);
    *queue = (struct queue){.conf = conf, .redis = redis, .loop = loop};
    return queue;
}

void queue_close(struct queue *queue)
{
    queue->closing = true;
}

void queue_finish(struct queue *queue)
{
    free(queue);
}
