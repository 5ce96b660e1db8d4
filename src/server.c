/* See server.h. The only file that knows all parts; loop thread.
 *
 * Start: loop, Redis, queue, watch, HTTP, worker. A part that cannot start ends the daemon with
 * code 1 and a sentence in the log. Stop, on the first signal: no new runs (503), slots finish
 * what they run; when the last slot has ended, rooms send everybody away and give Redis what it
 * lacks; then HTTP, Redis and all timers are closed, the loop runs dry, and what is left is freed.
 * The proof of a clean end is that the loop closes with nothing left in it; if it does not, the
 * exit code is 1. */
#include "server.h"

#include "api/api.h"
#include "base/log.h"
#include "net/service.h"
#include "run/reaper.h"
#include "run/scripts.h"

#include <signal.h>
#include <stdlib.h>
#include <uv.h>

#define SLOT_TIMER_MS 2000

struct server {
    const struct conf *conf;
    uv_loop_t loop;
    uv_signal_t signals[2]; /* SIGTERM, SIGINT */
    uv_async_t worker_changed;
    uv_timer_t slot_timer; /* looks for slots that another daemon has left */
    struct api api;
    struct reaper *reaper;
    struct service *service;
    bool stopping;
    bool drained; /* stopping, and nothing runs any more */
};

/* --- stopping ---------------------------------------------------------------------------- */

static void close_parts(struct server *server)
{
    struct api *api = &server->api;
    for (int i = 0; i < 2; i++) {
        uv_close((uv_handle_t *)&server->signals[i], NULL);
    }
    uv_close((uv_handle_t *)&server->worker_changed, NULL);
    uv_close((uv_handle_t *)&server->slot_timer, NULL);
    service_close(server->service);
    api_end_waits(api);
    if (api->rooms != NULL) {
        rooms_close(api->rooms);
    }
    if (api->http != NULL) {
        http_close(api->http);
    }
    if (api->queue != NULL) {
        queue_close(api->queue);
        watch_close(api->watch);
        reaper_close(server->reaper);
    }
    if (api->redis != NULL) {
        redis_close(api->redis);
    }
}

static void on_rooms_settled(void *context)
{
    close_parts(context);
}

static void close_if_drained(struct server *server)
{
    struct worker *worker = server->api.worker;
    if (!server->stopping || server->drained || (worker != NULL && !worker_stopped(worker))) {
        return;
    }
    server->drained = true;
    if (server->api.rooms != NULL) {
        rooms_stop(server->api.rooms, on_rooms_settled, server);
    } else {
        close_parts(server);
    }
}

static void on_worker_changed(uv_async_t *async)
{
    close_if_drained(async->data);
}

static void stop(struct server *server)
{
    service_stopping(server->service);
    server->stopping = true;
    server->api.draining = true;
    if (server->api.worker != NULL) {
        worker_stop(server->api.worker);
    }
    close_if_drained(server);
}

static void on_signal(uv_signal_t *handle, int number)
{
    log_info("server.stopping signal=%d", number);
    stop(handle->data);
}

/* --- starting ---------------------------------------------------------------------------- */

static void on_message(struct view channel, struct view message, void *context)
{
    struct server *server = context;
    if (rooms_owns_channel(channel)) {
        rooms_on_message(server->api.rooms, channel, message);
    } else if (message.at == NULL) {
        watch_on_subscribed(server->api.watch);
    } else {
        watch_on_announcement(server->api.watch, message);
    }
}

/* What room/ wants to know of run/. */
static void on_run_event(const struct queue_event *event, void *context)
{
    rooms_on_run_event(context, event->type, event->data);
}

static uint64_t follow_run(void *owner, const char *job_id, void *context)
{
    struct server *server = owner;
    return watch_add(server->api.watch, job_id, "0-0", on_run_event, context);
}

static void unfollow_run(void *owner, uint64_t id)
{
    struct server *server = owner;
    watch_remove(server->api.watch, id);
}

/* Called by slot threads. */
static void on_change(void *context)
{
    struct server *server = context;
    uv_async_send(&server->worker_changed);
}

/* How long a stop may take is the manager's own matter. */
static bool is_well(void *context)
{
    const struct server *server = context;
    return server->stopping || server->api.worker == NULL || worker_moves(server->api.worker);
}

static void on_slot_timer(uv_timer_t *timer)
{
    struct server *server = timer->data;
    if (server->api.worker != NULL) {
        worker_take_free_slots(server->api.worker);
    }
}

static void start_signals(struct server *server)
{
    static const int numbers[2] = {SIGTERM, SIGINT};
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 2; i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
        uv_signal_start(&server->signals[i], on_signal, numbers[i]);
    }
    uv_async_init(&server->loop, &server->worker_changed, on_worker_changed);
    server->worker_changed.data = server;
    uv_timer_init(&server->loop, &server->slot_timer);
    server->slot_timer.data = server;
}

static bool start_http(struct server *server, struct err *err)
{
    const struct conf *conf = server->conf;
    struct http_settings settings = {
        .loop = &server->loop,
        .host = conf->listen_host,
        .port = conf->listen_port,
        .body_max_bytes = (size_t)conf->body_bytes,
        .connections_per_client = conf->connections_per_client,
        .trusted_proxies = conf->trusted_proxies,
        .allow_origins = conf->allow_origins,
    };
    server->api.files = files_open(conf->web_root, err);
    if (server->api.files == NULL || !service_listener(&settings.inherited_fd, err)) {
        return false;
    }
    server->api.http = http_open(&settings, api_handle, &server->api, err);
    if (server->api.http == NULL) {
        return false;
    }
    struct ws_settings sockets = {
        .message_max_bytes = (size_t)conf->message_bytes,
        .queue_max_bytes = (size_t)conf->queue_bytes,
        .ping_ms = conf->ping_ms,
        .keep_alive_ms = conf->keepalive_ms,
        .keep_alive = {"\1\1\0", 3}, /* awareness of nobody */
    };
    ws_configure(server->api.http, &sockets);
    rooms_attach(server->api.rooms, server->api.http);
    log_info("server.listening host=%s port=%d",
             settings.inherited_fd > 0 ? "inherited" : conf->listen_host,
             http_port(server->api.http));
    return true;
}

static bool start_parts(struct server *server, struct err *err)
{
    struct api *api = &server->api;
    api->redis = redis_open(&server->loop, server->conf->redis, on_message, server, err);
    if (api->redis == NULL) {
        return false;
    }
    api->queue = queue_open(server->conf, &server->loop, api->redis);
    api->watch = watch_open(&server->loop, api->queue);
    server->reaper = reaper_open(server->conf, &server->loop, api->redis);
    redis_subscribe(api->redis, SCRIPT_CHANNEL);
    if (server->conf->gateway) {
        struct rooms_runs runs = {follow_run, unfollow_run, server};
        api->rooms = rooms_open(server->conf, &server->loop, api->redis);
        rooms_set_runs(api->rooms, &runs);
    }
    if (server->conf->gateway && !start_http(server, err)) {
        return false;
    }
    if (server->conf->worker && server->conf->slots > 0) {
        api->worker = worker_start(server->conf, on_change, server, err);
        uv_timer_start(&server->slot_timer, on_slot_timer, SLOT_TIMER_MS, SLOT_TIMER_MS);
        return api->worker != NULL;
    }
    return true;
}

/* Frees what the dry loop does not need any more. False: something was left in the loop. */
static bool finish_parts(struct server *server)
{
    struct api *api = &server->api;
    worker_destroy(api->worker);
    redis_finish(api->redis);
    reaper_finish(server->reaper);
    queue_finish(api->queue);
    watch_finish(api->watch);
    if (api->http != NULL) {
        http_finish(api->http);
    }
    rooms_finish(api->rooms);
    files_close(api->files);
    service_finish(server->service);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    return uv_loop_close(&server->loop) == 0;
}

int server_run(const struct conf *conf)
{
    struct server server = {.conf = conf};
    struct err err;
    uv_loop_init(&server.loop);
    server.api.conf = conf;
    server.api.loop = &server.loop;
    api_init(&server.api);
    server.service = service_open(&server.loop, is_well, &server);
    start_signals(&server);
    bool started = start_parts(&server, &err);
    if (!started) {
        log_error("server.failed code=%s reason=\"%s\"", err.code, err.text);
        stop(&server);
    } else {
        service_ready(server.service);
    }
    uv_run(&server.loop, UV_RUN_DEFAULT);
    bool clean = finish_parts(&server);
    uv_library_shutdown();
    log_info("server.stopped clean=%s", clean ? "yes" : "no");
    return started && clean ? 0 : 1;
}
