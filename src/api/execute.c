/* POST /api/execute: parse, admit, and answer with the job's id; or, with ?wait=true, with its
 * result. Loop thread only. A submission lives from the request until its answer; while it
 * waits for the result, its client may go away, which ends it. */
#include "api/reply.h"
#include "api/routes.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct submission {
    struct list node; /* in api->waits while it waits for the result */
    struct api *api;
    uint64_t exchange;
    char job_id[ID_UUID_LEN + 1];
    bool wait;
    char *room_id; /* whose console shows the run; NULL: none */
    char *by;      /* NULL: nobody said */
    char *code;    /* for the room's history */
    int64_t at;
    struct queue_rate rate;
    /* a request that was refused before admission, waiting for its rate-limit headers */
    int refusal_status;
    int refusal_retry_s; /* -1: a new try is of no use */
    struct err refusal;
    /* while it waits for the result */
    uint64_t watcher; /* 0: none */
    uv_timer_t deadline;
    bool ended;
};

static void submission_destroy(struct submission *submission)
{
    free(submission->room_id);
    free(submission->by);
    free(submission->code);
    free(submission);
}

/* --- replies ----------------------------------------------------------------------------- */

#define RATE_HEADERS 3

struct rate_headers {
    char limit[16];
    char remaining[16];
    char reset[16];
    struct http_header list[RATE_HEADERS + 1]; /* room for one more */
    size_t count;
};

static int seconds_up(int ms)
{
    return (ms + 999) / 1000;
}

static void rate_headers_fill(struct rate_headers *headers, const struct queue_rate *rate)
{
    headers->count = 0;
    if (!rate->known || rate->limit == 0) {
        return;
    }
    snprintf(headers->limit, sizeof headers->limit, "%d", rate->limit);
    snprintf(headers->remaining, sizeof headers->remaining, "%d", rate->remaining);
    snprintf(headers->reset, sizeof headers->reset, "%d", seconds_up(rate->reset_ms));
    headers->list[0] = (struct http_header){"ratelimit-limit", headers->limit};
    headers->list[1] = (struct http_header){"ratelimit-remaining", headers->remaining};
    headers->list[2] = (struct http_header){"ratelimit-reset", headers->reset};
    headers->count = RATE_HEADERS;
}

static void refuse(struct http_exchange *exchange, const struct queue_rate *rate, int status,
                   const char *code, const char *text, int retry_after_s)
{
    struct rate_headers headers;
    rate_headers_fill(&headers, rate);
    http_reply_error(exchange, status, code, text, retry_after_s, headers.list, headers.count);
}

static void reply_accepted(struct submission *submission, struct http_exchange *exchange)
{
    char body[64];
    char location[64];
    snprintf(body, sizeof body, "{\"jobId\":\"%s\"}", submission->job_id);
    snprintf(location, sizeof location, "/api/status/%s", submission->job_id);
    struct rate_headers headers;
    rate_headers_fill(&headers, &submission->rate);
    headers.list[headers.count++] = (struct http_header){"location", location};
    http_reply(exchange, 202, JSON_TYPE, view_of(body), HTTP_COPY_BODY, headers.list,
               headers.count);
}

/* --- waiting for the result -------------------------------------------------------------- */

static void on_deadline_closed(uv_handle_t *handle)
{
    submission_destroy(handle->data);
}

static void end_wait(struct submission *submission)
{
    if (!submission->ended) {
        struct http_exchange *exchange = http_find(submission->api->http, submission->exchange);
        if (exchange != NULL) {
            http_notify_close(exchange, NULL, NULL);
        }
        submission->ended = true;
        list_remove(&submission->node);
        watch_remove(submission->api->watch, submission->watcher);
        uv_close((uv_handle_t *)&submission->deadline, on_deadline_closed);
    }
}

static void on_event(const struct queue_event *event, void *context)
{
    struct submission *submission = context;
    if (!view_equals(event->type, "end")) {
        return;
    }
    struct http_exchange *exchange = http_find(submission->api->http, submission->exchange);
    if (exchange != NULL) {
        struct rate_headers headers;
        rate_headers_fill(&headers, &submission->rate);
        http_reply(exchange, 200, JSON_TYPE, event->data, HTTP_COPY_BODY, headers.list,
                   headers.count);
    }
    end_wait(submission);
}

static void give_up_waiting(struct submission *submission)
{
    struct http_exchange *exchange = http_find(submission->api->http, submission->exchange);
    if (exchange != NULL) {
        reply_accepted(submission, exchange);
    }
    end_wait(submission);
}

static void on_deadline(uv_timer_t *timer)
{
    give_up_waiting(timer->data);
}

void api_end_waits(struct api *api)
{
    while (!list_empty(&api->waits)) {
        give_up_waiting(LIST_OBJECT(api->waits.next, struct submission, node));
    }
}

static void on_client_gone(struct http_exchange *exchange, void *context)
{
    (void)exchange;
    end_wait(context);
}

static void wait_for_result(struct submission *submission, struct http_exchange *exchange)
{
    struct api *api = submission->api;
    uv_timer_init(api->loop, &submission->deadline);
    submission->deadline.data = submission;
    uv_timer_start(&submission->deadline, on_deadline, (uint64_t)api->conf->wait_ms, 0);
    list_append(&api->waits, &submission->node);
    submission->watcher =
        watch_add(api->watch, submission->job_id, "0-0", on_event, submission);
    http_notify_close(exchange, on_client_gone, submission);
}

/* --- admission --------------------------------------------------------------------------- */

static void reply_rate_limited(struct http_exchange *exchange, const struct queue_rate *rate)
{
    int seconds = seconds_up(rate->reset_ms > 0 ? rate->reset_ms : 1);
    char text[128];
    snprintf(text, sizeof text, "%d runs a minute are used up. Try again in %d s.", rate->limit,
             seconds);
    refuse(exchange, rate, 429, "rate_limited", text, seconds);
}

static void count(struct api *api, enum queue_admission admission)
{
    api->admitted += admission == QUEUE_ADMITTED;
    api->refused_rate += admission == QUEUE_RATE_LIMITED;
    api->refused_full += admission == QUEUE_FULL;
    api->refused_away += admission == QUEUE_AWAY || admission == QUEUE_UNKNOWN;
}

/* The room sees the run from its beginning, wherever it will run. */
static void announce(const struct submission *submission)
{
    if (submission->room_id != NULL) {
        struct rooms_run run = {
            .job_id = submission->job_id,
            .by = submission->by,
            .at = submission->at,
            .code = submission->code,
        };
        rooms_announce_run(submission->api->rooms, submission->room_id, &run);
    }
}

static void on_admit(enum queue_admission admission, const struct queue_rate *rate,
                     void *context)
{
    struct submission *submission = context;
    struct http_exchange *exchange = http_find(submission->api->http, submission->exchange);
    count(submission->api, admission);
    submission->rate = *rate;
    if (admission == QUEUE_ADMITTED) {
        log_info("job.queued job=%s", submission->job_id);
        announce(submission);
    }
    if (exchange == NULL) {
        submission_destroy(submission);
        return;
    }
    switch (admission) {
    case QUEUE_ADMITTED:
        if (submission->wait) {
            wait_for_result(submission, exchange);
            return; /* the wait owns the submission now */
        }
        reply_accepted(submission, exchange);
        break;
    case QUEUE_RATE_LIMITED:
        reply_rate_limited(exchange, rate);
        break;
    case QUEUE_FULL:
        refuse(exchange, rate, 503, "queue_full",
               "Too many runs are waiting. Try again in 5 s.", 5);
        break;
    case QUEUE_AWAY:
        refuse(exchange, rate, 503, "unavailable",
               "The queue is not reachable right now. Try again in 2 s.", 2);
        break;
    case QUEUE_UNKNOWN:
        refuse(exchange, rate, 503, "outcome_unknown",
               "The queue went away while it took the run, which may have been accepted.", 2);
        break;
    }
    submission_destroy(submission);
}

/* --- the request ------------------------------------------------------------------------- */

static bool parse_query(const char *query, bool *wait, struct err *err)
{
    *wait = strcmp(query, "wait=true") == 0;
    return *wait || *query == '\0' || strcmp(query, "wait=false") == 0 ||
           err_set(err, "bad_field", "The only query here is wait=true or wait=false.");
}

static bool parse(struct api *api, const struct http_request *request, struct job *job,
                  bool *wait, struct err *err)
{
    struct job_limits limits = {(size_t)api->conf->code_bytes, (size_t)api->conf->stdin_bytes};
    return reply_check_json(request, err) && parse_query(request->query, wait, err) &&
           job_parse_request(request->body, &limits, job, err);
}

static void on_rate_for_refusal(const struct queue_rate *rate, void *context)
{
    struct submission *submission = context;
    struct http_exchange *exchange = http_find(submission->api->http, submission->exchange);
    if (exchange != NULL) {
        refuse(exchange, rate, submission->refusal_status, submission->refusal.code,
               submission->refusal.text, submission->refusal_retry_s);
    }
    submission_destroy(submission);
}

void execute_post(struct api *api, struct http_exchange *exchange, const char *job_id)
{
    (void)job_id;
    const struct http_request *request = http_request(exchange);
    struct submission *submission = mem_alloc(sizeof *submission);
    *submission = (struct submission){.api = api, .exchange = http_id(exchange)};
    list_init(&submission->node);
    struct job job = {0};
    if (api->draining) {
        err_set(&submission->refusal, "shutting_down",
                "The server is restarting. Try again in 5 s.");
    } else if (parse(api, request, &job, &submission->wait, &submission->refusal)) {
        submission->refusal.code = NULL;
    }
    if (submission->refusal.code != NULL) {
        submission->refusal_status =
            api->draining ? 503 : reply_status_of(&submission->refusal);
        submission->refusal_retry_s = api->draining ? 5 : -1;
        queue_read_rate(api->queue, request->client, on_rate_for_refusal, submission);
        return;
    }
    id_uuid(job.id);
    job.submitted_at = clock_wall_ms();
    memcpy(submission->job_id, job.id, sizeof submission->job_id);
    submission->room_id = mem_string(job.room_id);
    submission->by = mem_string(job.by);
    submission->at = job.submitted_at;
    submission->code = submission->room_id != NULL ? mem_string(job.code) : NULL;
    queue_admit(api->queue, &job, request->client, on_admit, submission);
    job_finish(&job);
}
