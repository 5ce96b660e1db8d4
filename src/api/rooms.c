/* GET /api/rooms/:roomId, its text and its runs. Loop thread only. */
#include "api/reply.h"
#include "api/routes.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdlib.h>

static void reply_facts(struct http_exchange *exchange, struct room *room)
{
    struct room_facts facts;
    room_facts(room, &facts);
    json_t *json =
        json_pack("{s:s, s:I, s:I, s:o}", "roomId", facts.id, "people",
                  (json_int_t)facts.people, "bytes", (json_int_t)facts.bytes, "updatedAt",
                  facts.updated_at != 0 ? json_integer(facts.updated_at) : json_null());
    char *text = json_dumps(json, JSON_COMPACT);
    reply_json(exchange, 200, view_of(text));
    free(text);
    json_decref(json);
}

static void reply_text(struct api *api, struct http_exchange *exchange, struct room *room)
{
    struct buf text;
    buf_init(&text, (size_t)api->conf->rooms_bytes);
    room_text(room, &text);
    http_reply(exchange, 200, "text/plain; charset=utf-8", buf_view(&text), HTTP_COPY_BODY,
               NULL, 0);
    buf_finish(&text);
}

static void reply_unread(struct http_exchange *exchange)
{
    http_reply_error(exchange, 503, "unavailable",
                     "The room cannot be read right now. Try again in 2 s.", 2, NULL, 0);
}

/* NULL: it has been answered. */
static struct http_exchange *take(struct pending_reply *pending, enum rooms_answer answer)
{
    struct http_exchange *exchange = http_find(pending->api->http, pending->exchange);
    if (exchange == NULL || answer == ROOMS_OK) {
        return exchange;
    }
    if (answer == ROOMS_MISSING) {
        http_reply_error(exchange, 404, "not_found", "Nobody has written in this room.", -1,
                         NULL, 0);
    } else {
        reply_unread(exchange);
    }
    return NULL;
}

static void on_facts(enum rooms_answer answer, struct room *room, void *context)
{
    struct pending_reply *pending = context;
    struct http_exchange *exchange = take(pending, answer);
    if (exchange != NULL) {
        reply_facts(exchange, room);
    }
    free(pending);
}

static void on_text(enum rooms_answer answer, struct room *room, void *context)
{
    struct pending_reply *pending = context;
    struct http_exchange *exchange = take(pending, answer);
    if (exchange != NULL) {
        reply_text(pending->api, exchange, room);
    }
    free(pending);
}

static void look(struct api *api, struct http_exchange *exchange, const char *room_id,
                 rooms_on_room *on_room)
{
    struct pending_reply *pending = mem_alloc(sizeof *pending);
    *pending = (struct pending_reply){api, http_id(exchange)};
    rooms_look(api->rooms, room_id, on_room, pending);
}

static void on_history(const char *json, void *context)
{
    struct pending_reply *pending = context;
    struct http_exchange *exchange = http_find(pending->api->http, pending->exchange);
    if (exchange != NULL && json != NULL) {
        reply_json(exchange, 200, view_of(json));
    } else if (exchange != NULL) {
        reply_unread(exchange);
    }
    free(pending);
}

void runs_get(struct api *api, struct http_exchange *exchange, const char *room_id)
{
    struct pending_reply *pending = mem_alloc(sizeof *pending);
    *pending = (struct pending_reply){api, http_id(exchange)};
    rooms_read_history(api->rooms, room_id, on_history, pending);
}

void room_get(struct api *api, struct http_exchange *exchange, const char *room_id)
{
    look(api, exchange, room_id, on_facts);
}

void text_get(struct api *api, struct http_exchange *exchange, const char *room_id)
{
    look(api, exchange, room_id, on_text);
}
