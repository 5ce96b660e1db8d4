/* The REST API: a table of routes over handlers, one file a resource. Loop thread only;
 * everything it points at belongs to server.c. */
#ifndef VVE_API_API_H
#define VVE_API_API_H

#include "base/list.h"
#include "conf/conf.h"
#include "net/files.h"
#include "net/http.h"
#include "net/redis.h"
#include "room/rooms.h"
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
    struct rooms *rooms;
    struct worker *worker; /* NULL: this daemon runs no programs */
    bool draining;         /* stopping: no new runs */
    struct list waits;     /* of execute.c: submissions that wait for their result */
    struct list readers;   /* of events.c: open event streams */
    /* figures for /metrics */
    unsigned long long requests;
    unsigned long long admitted;
    unsigned long long refused_rate;
    unsigned long long refused_full;
    unsigned long long refused_away;
};

void api_init(struct api *api); /* after the pointers are set */

/* The daemon ends: whoever waits for a result gets the id of the run, which goes on elsewhere. */
void api_end_waits(struct api *api);

/* http_handler; the context is the struct api. */
void api_handle(struct http_exchange *exchange, void *api);

#endif
