/* Replies that several handlers give. */
#ifndef VVE_API_REPLY_H
#define VVE_API_REPLY_H

#include "api/api.h"

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

/* What a handler carries across a wait: the exchange by id, never by pointer. */
struct pending_reply {
    struct api *api;
    uint64_t exchange;
};

#endif
