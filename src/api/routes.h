/* The table of routes. Each handler answers its exchange now or later. `id` is the path's parameter, a
 * job's or a room's id of the right form, or NULL where the route has none. */
#ifndef VVE_API_ROUTES_H
#define VVE_API_ROUTES_H

#include "api/api.h"

typedef void route_handler(struct api *api, struct http_exchange *exchange, const char *id);

struct route {
    const char *method;
    const char *path; /* ":jobId" and ":roomId" stand for a parameter */
    route_handler *handler;
};

extern const struct route routes[];
extern const size_t route_count;

route_handler execute_post; /* execute.c */
route_handler status_get;   /* status.c */
route_handler events_get;   /* events.c */
route_handler cancel_post;  /* cancel.c */
route_handler stdin_post;   /* stdin.c */
route_handler collab_get;   /* collab.c */
route_handler room_get;     /* rooms.c */
route_handler text_get;     /* rooms.c */
route_handler runs_get;     /* rooms.c */
route_handler limits_get;   /* limits.c */
route_handler openapi_get;  /* openapi.c */
route_handler healthz_get;  /* health.c */
route_handler readyz_get;   /* health.c */
route_handler metrics_get;  /* metrics.c */

#endif
