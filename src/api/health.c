/* GET /healthz: the loop turns. GET /readyz: Redis answers, and every slot of this daemon is
 * alive with its Docker Engine; a busy slot is ready. Loop thread only. */
#include "api/reply.h"
#include "api/routes.h"
#include "run/scripts.h"

#include <stdio.h>

void healthz_get(struct api *api, struct http_exchange *exchange, const char *job_id)
{
    (void)api;
    (void)job_id;
    reply_json(exchange, 200, view_of("{\"status\":\"ok\"}"));
}

/* What is not ready, in a sentence; NULL: nothing. */
static const char *missing_part(const struct api *api, const struct worker_health *health)
{
    if (api->draining) {
        return "The server is shutting down.";
    }
    if (!redis_ready(api->redis) || !redis_hears(api->redis, SCRIPT_CHANNEL)) {
        return "Redis does not answer.";
    }
    if (health->engine_error != NULL) {
        return health->engine_error;
    }
    if (health->slots_alive < health->slots) {
        return "A slot is not alive yet.";
    }
    return NULL;
}

void readyz_get(struct api *api, struct http_exchange *exchange, const char *job_id)
{
    (void)job_id;
    struct worker_health health = {0};
    if (api->worker != NULL) {
        worker_health(api->worker, &health);
    }
    const char *missing = missing_part(api, &health);
    if (missing != NULL) {
        http_reply_error(exchange, 503, "not_ready", missing, 1, NULL, 0);
        return;
    }
    char body[128];
    snprintf(body, sizeof body, "{\"status\":\"ready\",\"slots\":%d,\"warm\":%d,\"busy\":%d}",
             health.slots, health.slots_warm, health.slots_busy);
    reply_json(exchange, 200, view_of(body));
}
