/* POST /api/jobs/:jobId/cancel: a queued run leaves the queue, a running one is interrupted by
 * the slot that has it. Loop thread only. */
#include "api/reply.h"
#include "api/routes.h"
#include "base/mem.h"

#include <stdlib.h>

static void on_cancel(enum queue_answer answer, void *context)
{
    struct pending_reply *pending = context;
    struct http_exchange *exchange = http_find(pending->api->http, pending->exchange);
    free(pending);
    if (exchange == NULL) {
        return;
    }
    switch (answer) {
    case QUEUE_OK:
        reply_json(exchange, 202, view_of("{\"cancelling\":true}"));
        break;
    case QUEUE_MISSING:
        reply_missing(exchange);
        break;
    case QUEUE_FINISHED:
        http_reply_error(exchange, 409, "already_finished", "This run has already ended.", -1,
                         NULL, 0);
        break;
    case QUEUE_NO_ANSWER:
        reply_away(exchange);
        break;
    }
}

void cancel_post(struct api *api, struct http_exchange *exchange, const char *job_id)
{
    struct pending_reply *pending = mem_alloc(sizeof *pending);
    *pending = (struct pending_reply){api, http_id(exchange)};
    queue_cancel(api->queue, job_id, on_cancel, pending);
}
