/* POST /api/jobs/:jobId/stdin: gives an interactive run the input that it waits for. Whoever is first
 * wins; everybody else hears that it does not wait. Loop thread only. */
#include "api/reply.h"
#include "api/routes.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

static void reply_too_large(struct api *api, struct http_exchange *exchange)
{
    char text[128];
    snprintf(text, sizeof text, "All input of a run together may have %d bytes of UTF-8.",
             api->conf->stdin_bytes);
    http_reply_error(exchange, 413, "stdin_too_large", text, -1, NULL, 0);
}

static void on_input(enum queue_input_answer answer, void *context)
{
    struct pending_reply *pending = context;
    struct api *api = pending->api;
    struct http_exchange *exchange = http_find(api->http, pending->exchange);
    free(pending);
    if (exchange == NULL) {
        return;
    }
    switch (answer) {
    case QUEUE_INPUT_TAKEN:
        reply_json(exchange, 202, view_of("{\"taken\":true}"));
        break;
    case QUEUE_INPUT_MISSING:
        reply_missing(exchange);
        break;
    case QUEUE_INPUT_NOT_WAITING:
        http_reply_error(exchange, 409, "not_waiting",
                         "This run does not wait for input, or somebody else was faster.", -1,
                         NULL, 0);
        break;
    case QUEUE_INPUT_TOO_LARGE:
        reply_too_large(api, exchange);
        break;
    case QUEUE_INPUT_NO_ANSWER:
        reply_away(exchange);
        break;
    }
}

void stdin_post(struct api *api, struct http_exchange *exchange, const char *job_id)
{
    const struct http_request *request = http_request(exchange);
    struct job_limits limits = {(size_t)api->conf->code_bytes, (size_t)api->conf->stdin_bytes};
    struct job_input input;
    struct err err;
    if (!reply_check_json(request, &err) ||
        !job_parse_input(request->body, &limits, &input, &err)) {
        http_reply_error(exchange, reply_status_of(&err), err.code, err.text, -1, NULL, 0);
        return;
    }
    struct pending_reply *pending = mem_alloc(sizeof *pending);
    *pending = (struct pending_reply){api, http_id(exchange)};
    queue_give_input(api->queue, job_id, &input, on_input, pending);
    job_input_finish(&input);
}
