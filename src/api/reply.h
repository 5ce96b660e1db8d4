/* Replies that several handlers give. */
#ifndef VVE_API_REPLY_H
#define VVE_API_REPLY_H

#include "api/api.h"

#include <string.h>
#include <strings.h>

#define JSON_TYPE "application/json"

static inline void reply_json(struct http_exchange *exchange, int status, struct view json)
{
    http_reply(exchange, status, JSON_TYPE, json, HTTP_COPY_BODY,
               &(struct http_header){"cache-control", "no-store"}, 1);
}

static inline void reply_missing(struct http_exchange *exchange)
{
    http_reply_error(exchange, 404, "not_found",
                     "There is no such run. Results are kept for a limited time.", -1, NULL, 0);
}

static inline void reply_away(struct http_exchange *exchange)
{
    http_reply_error(exchange, 503, "unavailable",
                     "The queue is not reachable right now. Try again in 2 s.", 2, NULL, 0);
}

/* Whether the request says that its body is JSON. */
static inline bool reply_check_json(const struct http_request *request, struct err *err)
{
    size_t len = strcspn(request->content_type, "; \t");
    return (len == strlen(JSON_TYPE) &&
            strncasecmp(request->content_type, JSON_TYPE, len) == 0) ||
           err_set(err, "unsupported_media_type", "Send the body as %s.", JSON_TYPE);
}

/* The status that goes with why a body was refused. */
static inline int reply_status_of(const struct err *err)
{
    bool too_large =
        strcmp(err->code, "code_too_large") == 0 || strcmp(err->code, "stdin_too_large") == 0;
    return too_large ? 413 : strcmp(err->code, "unsupported_media_type") == 0 ? 415 : 400;
}

/* What a handler carries across a wait: the exchange by id, never by pointer. */
struct pending_reply {
    struct api *api;
    uint64_t exchange;
};

#endif
