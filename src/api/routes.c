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
    {"POST", "/api/jobs/:jobId/stdin", stdin_post},
    {"GET", "/api/rooms/:roomId", room_get},
    {"GET", "/api/rooms/:roomId/text", text_get},
    {"GET", "/api/rooms/:roomId/runs", runs_get},
    {"GET", "/collab/:roomId", collab_get},
    {"GET", "/api/limits", limits_get},
    {"GET", "/api/openapi.json", openapi_get},
    {"GET", "/healthz", healthz_get},
    {"GET", "/readyz", readyz_get},
    {"GET", "/metrics", metrics_get},
};
const size_t route_count = sizeof routes / sizeof routes[0];

/* What may stand in a path for a parameter. */
static bool is_job_id(struct view id)
{
    char text[ID_UUID_LEN + 1];
    if (id.len != ID_UUID_LEN) {
        return false;
    }
    memcpy(text, id.at, id.len);
    text[id.len] = '\0';
    return id_is_uuid(text);
}

static const struct parameter {
    const char *name;
    bool (*is_good)(struct view id);
    int status; /* of one that is not */
    const char *code;
    const char *problem;
} parameters[] = {
    {":jobId", is_job_id, 404, "not_found", "There is no such run."},
    {":roomId", rooms_id_is_good, 400, "bad_field",
     "A room's name has 1 to 64 letters, digits, '-' and '_'."},
};
#define PARAMETER_MAX 64

/* Whether `path` has the shape of the route; its parameter, if any, goes to `id`. */
static bool matches(const struct route *route, const char *path,
                    const struct parameter **parameter, struct view *id)
{
    const char *place = NULL;
    *parameter = NULL;
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0] && place == NULL; i++) {
        place = strstr(route->path, parameters[i].name);
        *parameter = place != NULL ? &parameters[i] : NULL;
    }
    if (place == NULL) {
        return strcmp(route->path, path) == 0;
    }
    size_t before = (size_t)(place - route->path);
    if (strncmp(route->path, path, before) != 0) {
        return false;
    }
    *id = (struct view){path + before, strcspn(path + before, "/")};
    return id->len > 0 &&
           strcmp(path + before + id->len, place + strlen((*parameter)->name)) == 0;
}

static void handle(struct api *api, struct http_exchange *exchange, const struct route *route,
                   const struct parameter *parameter, struct view id)
{
    char text[PARAMETER_MAX + 1];
    if (parameter == NULL) {
        route->handler(api, exchange, NULL);
    } else if (id.len > PARAMETER_MAX || !parameter->is_good(id)) {
        http_reply_error(exchange, parameter->status, parameter->code, parameter->problem, -1,
                         NULL, 0);
    } else {
        memcpy(text, id.at, id.len);
        text[id.len] = '\0';
        route->handler(api, exchange, text);
    }
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
    const struct parameter *parameter;
    struct view id;
    api->requests++;
    for (size_t i = 0; i < route_count; i++) {
        if (!matches(&routes[i], request->path, &parameter, &id)) {
            continue;
        }
        if (!method_fits(&routes[i], request->method)) {
            known_method = routes[i].method;
            continue;
        }
        handle(api, exchange, &routes[i], parameter, id);
        return;
    }
    if (known_method != NULL) {
        reply_not_allowed(exchange, known_method);
    } else if (api->files == NULL || !files_serve(api->files, exchange)) {
        http_reply_error(exchange, 404, "not_found", "There is nothing at this path.", -1, NULL,
                         0);
    }
}
