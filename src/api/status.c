/* GET /api/status/:jobId: the status object as stored; the place in the queue while it waits,
 * the output so far while it runs. Loop thread only. */
#include "api/reply.h"
#include "api/routes.h"
#include "base/mem.h"

#include <stdlib.h>

static void on_status(enum queue_answer answer, struct view status, enum job_state state,
                      int64_t position, void *context)
{
    (void)state;
    (void)position;
    struct pending_reply *pending = context;
    struct http_exchange *exchange = http_find(pending->api->http, pending->exchange);
    free(pending);
    if (exchange == NULL) {
        return;
    }
    if (answer == QUEUE_OK) {
        reply_json(exchange, 200, status);
    } else if (answer == QUEUE_MISSING) {
        reply_missing(exchange);
    } else {
        reply_away(exchange);
    }
}

void status_get(struct api *api, struct http_exchange *exchange, const char *job_id)
{
    struct pending_reply *pending = mem_alloc(sizeof *pending);
    *pending = (struct pending_reply){api, http_id(exchange)};
    queue_read_status(api->queue, job_id, on_status, pending);
}
