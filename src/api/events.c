/* GET /api/jobs/:jobId/events: a run as server-sent events, from its beginning or from behind
 * Last-Event-ID. Event ids are those of the job's log in Redis, so any daemon can resume what
 * another began. Loop thread only.
 *
 * Steps: look the job up (404), for a resumed stream of a finished job look whether anything is
 * left (204 tells EventSource to stop), then stream until the end event. A reader lives until
 * its connection ends. */
#include "api/reply.h"
#include "api/routes.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/sse.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT_MAX 64

struct reader {
    struct list node; /* in api->readers */
    struct api *api;
    uint64_t exchange; /* 0 once the connection is gone */
    char client[CLIENT_MAX];
    char job_id[ID_UUID_LEN + 1];
    char after[QUEUE_EVENT_ID_MAX];
    bool resumed;
    uint64_t watcher; /* 0: none yet */
    int reads;        /* queue calls under way that carry this reader */
};

/* Half of the id of a log entry: a number that Redis can count up from. */
static bool number_valid(const char *text, size_t len)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%.*s", (int)len, text);
    errno = 0;
    unsigned long long value = strtoull(digits, NULL, 10);
    return len >= 1 && len <= 20 && errno == 0 && value < ULLONG_MAX;
}

/* The id of a log entry: digits, a dash, digits. */
static bool event_id_valid(const char *id)
{
    size_t first = strspn(id, "0123456789");
    size_t second = id[first] == '-' ? strspn(id + first + 1, "0123456789") : 0;
    return number_valid(id, first) && second > 0 && id[first + 1 + second] == '\0' &&
           number_valid(id + first + 1, second);
}

static int readers_of(struct api *api, const char *client)
{
    int count = 0;
    LIST_EACH (&api->readers, node, next) {
        count += strcmp(LIST_OBJECT(node, struct reader, node)->client, client) == 0;
    }
    return count;
}

/* Frees the reader once neither its connection nor a read under way needs it. */
static void release(struct reader *reader)
{
    if (reader->exchange == 0 && reader->reads == 0) {
        list_remove(&reader->node);
        free(reader);
    }
}

static void on_client_gone(struct http_exchange *exchange, void *context)
{
    (void)exchange;
    struct reader *reader = context;
    reader->exchange = 0;
    watch_remove(reader->api->watch, reader->watcher);
    release(reader);
}

static void on_event(const struct queue_event *event, void *context)
{
    struct reader *reader = context;
    struct http_exchange *exchange = http_find(reader->api->http, reader->exchange);
    if (exchange == NULL) {
        return;
    }
    if (view_equals(event->type, "gone")) {
        sse_end(exchange); /* who comes back hears 404 */
        return;
    }
    char id[QUEUE_EVENT_ID_MAX];
    char type[16];
    snprintf(id, sizeof id, "%.*s", (int)event->id.len, event->id.at);
    bool position = view_equals(event->type, "position");
    snprintf(type, sizeof type, "%.*s", (int)event->type.len, event->type.at);
    bool end = view_equals(event->type, "end");
    if (end) {
        watch_remove(reader->api->watch, reader->watcher);
        reader->watcher = 0;
    }
    sse_event(exchange, id[0] != '\0' ? id : NULL, position ? "status" : type, event->data);
    if (end) {
        sse_end(exchange);
    }
}

static void begin(struct reader *reader, struct http_exchange *exchange)
{
    sse_begin(exchange);
    reader->watcher =
        watch_add(reader->api->watch, reader->job_id, reader->after, on_event, reader);
}

/* What a finished job has behind Last-Event-ID. */
static void on_rest(bool ok, const struct queue_event *events, size_t count, void *context)
{
    (void)events;
    struct reader *reader = context;
    struct http_exchange *exchange = http_find(reader->api->http, reader->exchange);
    reader->reads--;
    if (exchange != NULL && !ok) {
        reply_away(exchange);
    } else if (exchange != NULL && count == 0) {
        http_reply(exchange, 204, NULL, view_of(""), HTTP_STATIC_BODY, NULL, 0);
    } else if (exchange != NULL) {
        begin(reader, exchange);
    }
    release(reader);
}

static void on_status(enum queue_answer answer, struct view status, enum job_state state,
                      int64_t position, void *context)
{
    (void)position;
    struct reader *reader = context;
    struct http_exchange *exchange = http_find(reader->api->http, reader->exchange);
    reader->reads--;
    if (exchange == NULL) {
        release(reader);
        return;
    }
    if (answer == QUEUE_MISSING) {
        reply_missing(exchange);
    } else if (answer != QUEUE_OK) {
        reply_away(exchange);
    } else if (strcmp(http_request(exchange)->method, "HEAD") == 0) {
        http_reply(exchange, 200, "text/event-stream", view_of(""), HTTP_STATIC_BODY, NULL, 0);
    } else if (reader->resumed && job_state_final(state)) {
        reader->reads++;
        queue_read_events(reader->api->queue, reader->job_id, reader->after, on_rest, reader);
    } else {
        begin(reader, exchange);
        if (state == JOB_QUEUED) {
            sse_event(exchange, NULL, "status", status);
        }
    }
}

void events_get(struct api *api, struct http_exchange *exchange, const char *job_id)
{
    const struct http_request *request = http_request(exchange);
    if (readers_of(api, request->client) >= api->conf->readers_per_client) {
        http_reply_error(exchange, 429, "too_many_streams",
                         "Too many event streams are open from your address.", 5, NULL, 0);
        return;
    }
    bool resumed = request->last_event_id[0] != '\0';
    if (resumed && !event_id_valid(request->last_event_id)) {
        http_reply_error(exchange, 400, "bad_field", "Last-Event-ID is no id of an event.", -1,
                         NULL, 0);
        return;
    }
    struct reader *reader = mem_alloc(sizeof *reader);
    *reader = (struct reader){
        .api = api, .exchange = http_id(exchange), .resumed = resumed, .reads = 1};
    snprintf(reader->client, sizeof reader->client, "%s", request->client);
    snprintf(reader->job_id, sizeof reader->job_id, "%s", job_id);
    snprintf(reader->after, sizeof reader->after, "%s",
             resumed ? request->last_event_id : "0-0");
    list_append(&api->readers, &reader->node);
    http_notify_close(exchange, on_client_gone, reader);
    queue_read_status(api->queue, job_id, on_status, reader);
}
