/* GET /metrics: Prometheus text, on loopback only unless --metrics-public. Loop thread only. */
#include "api/reply.h"
#include "api/routes.h"
#include "base/buf.h"
#include "base/mem.h"

#include <stdlib.h>

static void metric(struct buf *out, const char *name, const char *type, const char *help,
                   long long value)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", name, help, name, type, name,
               value);
}

static void write_worker(struct buf *out, const struct worker_health *health)
{
    metric(out, "vve_slots", "gauge", "Container slots of this daemon.", health->slots);
    metric(out, "vve_slots_warm", "gauge", "Slots with a container that waits for a run.",
           health->slots_warm);
    metric(out, "vve_slots_busy", "gauge", "Slots that run a program.", health->slots_busy);
    metric(out, "vve_runs_total", "counter", "Runs ended.", (long long)health->runs);
    metric(out, "vve_warm_hits_total", "counter", "Runs that found a warm container.",
           (long long)health->warm_hits);
    metric(out, "vve_warm_misses_total", "counter", "Runs that had to wait for a container.",
           (long long)health->warm_misses);
    metric(out, "vve_engine_failures_total", "counter", "Calls that the Docker Engine failed.",
           (long long)health->engine_failures);
}

static void write_rooms(struct buf *out, const struct api *api)
{
    struct rooms_figures rooms;
    struct ws_figures sockets;
    rooms_figures(api->rooms, &rooms);
    ws_figures(api->http, &sockets);
    const struct {
        const char *name;
        const char *type;
        const char *help;
        unsigned long long value;
    } rows[] = {
        {"vve_rooms", "gauge", "Rooms in memory.", rooms.rooms},
        {"vve_room_people", "gauge", "Connections of all rooms.", rooms.people},
        {"vve_rooms_unsaved", "gauge", "Rooms with edits that Redis lacks.", rooms.unsaved},
        {"vve_room_bytes", "gauge", "Memory of all documents.", rooms.bytes},
        {"vve_room_updates_total", "counter", "Updates taken in.", rooms.updates},
        {"vve_room_refused_total", "counter", "Messages that were no good.", rooms.refused},
        {"vve_room_lagged_total", "counter", "Slow connections that lost their queue.",
         rooms.lagged},
        {"vve_room_loads_total", "counter", "Rooms read from Redis.", rooms.loads},
        {"vve_room_load_ms_total", "counter", "Time that reading took.", rooms.load_ms},
        {"vve_room_saves_total", "counter", "Snapshots written to Redis.", rooms.saves},
        {"vve_room_save_ms_total", "counter", "Time that writing took.", rooms.save_ms},
        {"vve_room_resyncs_total", "counter", "Questions to other servers of a room.",
         rooms.resyncs},
        {"vve_sockets", "gauge", "Open WebSockets.", sockets.connections},
        {"vve_socket_messages_in_total", "counter", "Messages received.", sockets.messages_in},
        {"vve_socket_bytes_in_total", "counter", "Bytes received.", sockets.bytes_in},
        {"vve_socket_messages_out_total", "counter", "Messages sent.", sockets.messages_out},
        {"vve_socket_bytes_out_total", "counter", "Bytes sent.", sockets.bytes_out},
        {"vve_socket_bad_total", "counter", "Connections closed for a bad frame.",
         sockets.closed_bad},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        metric(out, rows[i].name, rows[i].type, rows[i].help, (long long)rows[i].value);
    }
}

static void on_length(int64_t length, void *context)
{
    struct pending_reply *pending = context;
    struct api *api = pending->api;
    struct http_exchange *exchange = http_find(api->http, pending->exchange);
    free(pending);
    if (exchange == NULL) {
        return;
    }
    struct worker_health health = {0};
    if (api->worker != NULL) {
        worker_health(api->worker, &health);
    }
    struct buf out;
    buf_init(&out, 16384);
    metric(&out, "vve_requests_total", "counter", "HTTP requests handled.",
           (long long)api->requests);
    metric(&out, "vve_connections", "gauge", "Open HTTP connections.",
           (long long)http_connections(api->http));
    long long readers = 0;
    LIST_EACH (&api->readers, node, next) {
        readers++;
    }
    metric(&out, "vve_event_streams", "gauge", "Open event streams.", readers);
    metric(&out, "vve_redis_up", "gauge", "1 while Redis answers.", redis_ready(api->redis));
    metric(&out, "vve_queue_length", "gauge", "Runs that wait; -1 while unknown.", length);
    metric(&out, "vve_admitted_total", "counter", "Runs accepted.", (long long)api->admitted);
    buf_printf(&out,
               "# HELP vve_refused_total Runs refused.\n# TYPE vve_refused_total counter\n"
               "vve_refused_total{reason=\"rate_limited\"} %llu\n"
               "vve_refused_total{reason=\"queue_full\"} %llu\n"
               "vve_refused_total{reason=\"unavailable\"} %llu\n",
               api->refused_rate, api->refused_full, api->refused_away);
    write_worker(&out, &health);
    write_rooms(&out, api);
    http_reply(exchange, 200, "text/plain; version=0.0.4", buf_view(&out), HTTP_COPY_BODY, NULL,
               0);
    buf_finish(&out);
}

void metrics_get(struct api *api, struct http_exchange *exchange, const char *job_id)
{
    (void)job_id;
    if (!api->conf->metrics_public && !http_request(exchange)->loopback) {
        http_reply_error(exchange, 403, "loopback_only",
                         "Metrics are served to this machine only.", -1, NULL, 0);
        return;
    }
    struct pending_reply *pending = mem_alloc(sizeof *pending);
    *pending = (struct pending_reply){api, http_id(exchange)};
    queue_read_length(api->queue, on_length, pending);
}
