/* GET /collab/:roomId as a WebSocket: the protocol of y-websocket. Whatever speaks against it is said
 * before the connection is opened, since a client that is refused then waits longer each time before it
 * tries again, and one that is let in and closed comes back at once. Loop thread only. */
#include "api/reply.h"
#include "api/routes.h"
#include "base/mem.h"

#include <stdlib.h>

static void on_room(enum rooms_answer answer, struct room *room, void *context)
{
    struct pending_reply *pending = context;
    struct http_exchange *exchange = http_find(pending->api->http, pending->exchange);
    free(pending);
    if (exchange == NULL) {
        return;
    }
    switch (answer) {
    case ROOMS_OK:
        room_join(room, exchange);
        break;
    case ROOMS_FULL:
        http_reply_error(exchange, 503, "room_full",
                         "As many people as this room takes are in it.", 10, NULL, 0);
        break;
    case ROOMS_LIMITED:
        http_reply_error(exchange, 429, "rate_limited",
                         "Too many rooms were made from your address in this minute.", 60, NULL,
                         0);
        break;
    case ROOMS_BUDGET:
        http_reply_error(exchange, 503, "too_many_rooms",
                         "This server holds as many rooms as it can.", 30, NULL, 0);
        break;
    case ROOMS_AWAY:
    case ROOMS_MISSING:
        http_reply_error(exchange, 503, "unavailable",
                         "The room cannot be read right now. Try again in 2 s.", 2, NULL, 0);
        break;
    }
}

void collab_get(struct api *api, struct http_exchange *exchange, const char *room_id)
{
    if (!ws_check_request(exchange)) {
        return;
    }
    if (api->draining) {
        http_reply_error(exchange, 503, "stopping", "This server stops.", 2, NULL, 0);
        return;
    }
    struct pending_reply *pending = mem_alloc(sizeof *pending);
    *pending = (struct pending_reply){api, http_id(exchange)};
    rooms_enter(api->rooms, room_id, http_request(exchange)->client, on_room, pending);
}
