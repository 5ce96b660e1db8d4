/* See routes.h and api.h. Finds the handler for a request; what no route knows is a file of the
 * page, or nothing. */
#include "api/routes.h"

#include "base/id.h"

#include <string.h>

const struct route routes[] = {
    {"POST", "/api/execute", execute_post},
    {"GET", "/api/status/:jobId", status_get},
    {"GET", "/api/jobs/:jobId/events", events_get},
    {"POST", "/api/jobs/:jobId/cancel", cancel_post},
    {"GET", "/api/limits", limits_get},
    {"GET", "/api/openapi.json", openapi_get},
    {"GET", "/healthz", healthz_get},
    {"GET", "/readyz", readyz_get},
    {"GET", "/metrics", metrics_get},
};
const size_t route_count = sizeof routes / sizeof routes[0];

#define PARAMETER ":jobId"

/* Whether `path` has the shape of the route; its parameter, if any, goes to `job_id`, which
 * stays empty when it is no UUID: such a job cannot exist. */
static bool matches(const struct route *route, const char *path, char job_id[ID_UUID_LEN + 1])
{
    job_id[0] = '\0';
    const char *parameter = strstr(route->path, PARAMETER);
    if (parameter == NULL) {
        return strcmp(route->path, path) == 0;
    }
    size_t before = (size_t)(parameter - route->path);
    if (strncmp(route->path, path, before) != 0) {
        return false;
    }
    size_t len = strcspn(path + before, "/");
    if (len == 0 || strcmp(path + before + len, parameter + strlen(PARAMETER)) != 0) {
        return false;
    }
    if (len == ID_UUID_LEN) {
        memcpy(job_id, path + before, len);
        job_id[len] = '\0';
        if (!id_is_uuid(job_id)) {
            job_id[0] = '\0';
        }
    }
    return true;
}

static bool method_fits(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void reply_not_allowed(struct http_exchange *exchange, const char *method)
{
    bool get = strcmp(method, "GET") == 0;
    struct http_header allow = {"allow", get ? "GET, HEAD" : method};
    http_reply_error(exchange, 405, "method_not_allowed",
                     get ? "This path answers GET only." : "This path answers POST only.", -1,
                     &allow, 1);
}

void api_init(struct api *api)
{
    list_init(&api->waits);
    list_init(&api->readers);
}

void api_handle(struct http_exchange *exchange, void *context)
{
    struct api *api = context;
    const struct http_request *request = http_request(exchange);
    const char *known_method = NULL;
    char job_id[ID_UUID_LEN + 1];
    api->requests++;
    for (size_t i = 0; i < route_count; i++) {
        if (!matches(&routes[i], request->path, job_id)) {
            continue;
        }
        if (!method_fits(&routes[i], request->method)) {
            known_method = routes[i].method;
            continue;
        }
        bool has_parameter = strstr(routes[i].path, PARAMETER) != NULL;
        if (has_parameter && job_id[0] == '\0') {
            http_reply_error(exchange, 404, "not_found", "There is no such run.", -1, NULL, 0);
        } else {
            routes[i].handler(api, exchange, has_parameter ? job_id : NULL);
        }
        return;
    }
    if (known_method != NULL) {
        reply_not_allowed(exchange, known_method);
    } else if (api->files == NULL || !files_serve(api->files, exchange)) {
        http_reply_error(exchange, 404, "not_found", "There is nothing at this path.", -1, NULL,
                         0);
    }
}
