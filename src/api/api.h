/* The REST API: a table of routes over handlers, one file a resource. Loop thread only;
 * everything it points at belongs to server.c. */
#ifndef VVE_API_API_H
#define VVE_API_API_H

#include "conf/conf.h"
#include "net/files.h"
#include "net/http.h"
#include "net/redis.h"
#include "run/queue.h"
#include "run/watch.h"
#include "run/worker.h"

#include <stdbool.h>

struct api {
    const struct conf *conf;
    uv_loop_t *loop;
    struct http *http;
    struct files *files; /* NULL: no page */
    struct redis *redis;
    struct queue *queue;
    struct watch *watch;
    struct worker *worker; /* NULL: this daemon runs no programs */
    bool draining;         /* stopping: no new runs */
    /* figures for /metrics */
    unsigned long long requests;
    unsigned long long admitted;
    unsigned long long refused_rate;
    unsigned long long refused_full;
    unsigned long long refused_away;
    unsigned long long readers; /* event streams open now */
};

/* http_handler; the context is the struct api. */
void api_handle(struct http_exchange *exchange, void *api);

#endif
