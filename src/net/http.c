/* See http.h. The life of an exchange:
 *
 *   handed over by the gate -> reads its body -> handled -> replied, at once or later
 *     -> written out -> its writing side shut -> the client closes -> gone
 *
 * and what may come between:
 *   - the body is announced too large, or a page of another site may not call: replied at once;
 *     what still arrives is read and thrown away, so that the reply is not lost to a reset;
 *   - the body does not arrive in time: 408;
 *   - the client shuts its writing side before the request is whole, or while it reads a
 *     stream: gone. The stream's handler finds no exchange under its id any more;
 *   - the client shuts its writing side, or closes, while a reply is owed: the one looks like
 *     the other, so the reply is written in any case, and is what finds out. Until then the
 *     socket is not listened to, or libwebsockets would close it;
 *   - the client does not read: gone after write_timeout_ms without progress, or when a stream
 *     piles up.
 *
 * An exchange ends in one place only, LWS_CALLBACK_RAW_CLOSE, which libwebsockets calls from
 * the loop (or from http_close), never from within a call of a handler. To end one from here
 * its socket is shut down, which the loop then notices. */
#include "net/http.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/exchange.h"
#include "net/gate.h"
#include "net/lws.h"
#include "net/origin.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    REQUEST_MS = 10000,
    WRITE_MS = 30000,
    SWEEP_MS = 50,
    RESERVED_DESCRIPTORS = 64, /* for Redis, the Docker Engine and the loop itself */
};

/* --- the end --- */

static struct list *bucket_of(struct http *http, uint64_t id)
{
    return &http->exchanges[id % EXCHANGE_BUCKETS];
}

void exchange_release(struct http_exchange *exchange)
{
    struct http *http = exchange->http;
    list_remove(&exchange->node);
    if (--http->count == 0) {
        uv_timer_stop(&http->sweep);
    }
    buf_finish(&exchange->body);
    buf_finish(&exchange->out);
    free(exchange->text);
    free(exchange);
}

static void destroy(struct http_exchange *exchange)
{
    struct http *http = exchange->http;
    list_remove(&exchange->node);
    if (exchange->on_close != NULL) {
        exchange->on_close(exchange, exchange->on_close_context);
    }
    gate_leave(http->gate, exchange->client.name);
    exchange_release(exchange);
}

/* --- judging and handling --- */

/* A page of an allowed other site asks whether it may call. */
static void reply_preflight(struct http_exchange *exchange)
{
    static const struct http_header headers[] = {
        {"access-control-allow-methods", "GET, POST"},
        {"access-control-allow-headers", "Content-Type, Last-Event-ID"},
        {"access-control-max-age", "600"},
    };
    http_reply(exchange, 204, NULL, (struct view){"", 0}, HTTP_COPY_BODY, headers,
               sizeof headers / sizeof headers[0]);
}

/* Whether a page of another site may make this call; a refusal is replied. Reading is harmless:
 * without our header the browser keeps the answer from that page. */
static bool admit_origin(struct http_exchange *exchange, const struct head *head)
{
    const struct http_request *request = &exchange->request;
    if (request->origin[0] == '\0' ||
        origin_is_same(request->origin, head_value(head, "host"))) {
        exchange->request.origin_allowed = true;
        return true;
    }
    exchange->cross =
        origin_is_allowed(request->origin, exchange->http->settings.allow_origins);
    exchange->request.origin_allowed = exchange->cross;
    bool preflight = strcmp(request->method, "OPTIONS") == 0 &&
                     head_find(head, "access-control-request-method") != NULL;
    bool reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    if (exchange->cross && preflight) {
        reply_preflight(exchange);
        return false;
    }
    if (!exchange->cross && !reads) {
        http_reply_error(exchange, 403, "origin_not_allowed",
                         "Pages of this origin may not call this server.", -1, NULL, 0);
        return false;
    }
    return true;
}

static void handle(struct http_exchange *exchange)
{
    struct http *http = exchange->http;
    exchange->stage = STAGE_HANDLED;
    exchange->deadline_ms = 0;
    exchange->request.body = buf_view(&exchange->body);
    uint64_t id = exchange->id;
    http->handler(exchange, http->context);
    exchange = http_find(http, id); /* it may have become a WebSocket */
    if (exchange != NULL &&
        (exchange->stage == STAGE_HANDLED || exchange->stage == STAGE_WRITING)) {
        exchange_listen(exchange, false);
    }
}

/* Bytes behind the announced body are a second request, which is never answered: the reply says
 * Connection: close. */
static void take_body(struct http_exchange *exchange, const char *bytes, size_t len)
{
    size_t missing = exchange->body_len - exchange->body.len;
    buf_append(&exchange->body, bytes, len < missing ? len : missing);
    if (exchange->body.len == exchange->body_len) {
        handle(exchange);
    }
}

/* Most requests come in one packet; then the body is here already. False: the connection is
 * broken. */
static bool read_early_body(struct http_exchange *exchange)
{
    char bytes[4096];
    int fd = lws_get_socket_fd(exchange->wsi);
    while (exchange->stage == STAGE_BODY) {
        ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got <= 0) {
            return got < 0 && (errno == EAGAIN || errno == EINTR);
        }
        take_body(exchange, bytes, (size_t)got);
    }
    return true;
}

static void await_body(struct http_exchange *exchange, const struct head *head)
{
    const struct http_settings *settings = &exchange->http->settings;
    exchange->deadline_ms = clock_mono_ms() + settings->request_timeout_ms;
    if (exchange->body_len == 0) {
        handle(exchange);
    } else if (!read_early_body(exchange)) {
        exchange_kill(exchange);
    } else if (exchange->stage == STAGE_BODY && exchange->body.len == 0 &&
               head->expects_continue) {
        exchange->rest = view_of("HTTP/1.1 100 Continue\r\n\r\n");
        if (!exchange_send(exchange)) {
            exchange_kill(exchange);
        }
    }
}

static void begin(struct http_exchange *exchange, const struct head *head)
{
    size_t max = exchange->http->settings.body_max_bytes;
    if (!admit_origin(exchange, head)) {
        return;
    }
    if (head->content_length > max) {
        char message[80];
        snprintf(message, sizeof message, "The body may have %zu bytes at most.", max);
        http_reply_error(exchange, 413, "body_too_large", message, -1, NULL, 0);
        return;
    }
    exchange->body_len = (size_t)head->content_length;
    buf_init(&exchange->body, max);
    await_body(exchange, head);
}

/* --- the loop's events --- */

static void on_lws(struct lws_connection *connection, enum lws_callback_reasons reason,
                   char *bytes, size_t len)
{
    struct http_exchange *exchange = (struct http_exchange *)connection;
    if (reason == LWS_CALLBACK_RAW_RX && exchange->stage == STAGE_BODY) {
        take_body(exchange, bytes, len);
    } else if (reason == LWS_CALLBACK_RAW_WRITEABLE &&
               (exchange->stage == STAGE_WRITING || exchange->stage == STAGE_STREAM)) {
        exchange_flush(exchange);
    } else if (reason == LWS_CALLBACK_RAW_CLOSE) {
        exchange->stage = STAGE_DEAD;
        destroy(exchange);
    }
}

/* --- taking connections over --- */

/* Ends `part` of `bytes` with a NUL in the copy `text` of them. There is room for it: a space, a
 * '?' or a line end follows each part, and the parts do not touch. */
static const char *terminate(char *text, const char *bytes, struct view part)
{
    char *copy = text + (part.at - bytes);
    copy[part.len] = '\0';
    return copy;
}

static const char *field(char *text, const char *bytes, const struct head *head,
                         const char *name)
{
    const struct head_field *found = head_find(head, name);
    return found != NULL ? terminate(text, bytes, found->value) : "";
}

static bool wants_upgrade(const struct head *head)
{
    for (size_t i = 0; i < head->field_count; i++) {
        if (head_same(head->fields[i].name, "connection") &&
            head_lists(head->fields[i].value, "upgrade")) {
            return true;
        }
    }
    return false;
}

static void fill_request(struct http_exchange *exchange, const char *bytes,
                         const struct head *head)
{
    char *text = mem_copy(bytes, head->len);
    exchange->text = text;
    exchange->request = (struct http_request){
        .method = terminate(text, bytes, head->method),
        .path = terminate(text, bytes, head->path),
        .query = head->query.len > 0 ? terminate(text, bytes, head->query) : "",
        .client = exchange->client.name,
        .loopback = exchange->client.loopback && origin_host_is_own(head_value(head, "host")),
        .content_type = field(text, bytes, head, "content-type"),
        .accept_encoding = field(text, bytes, head, "accept-encoding"),
        .if_none_match = field(text, bytes, head, "if-none-match"),
        .last_event_id = field(text, bytes, head, "last-event-id"),
        .origin = field(text, bytes, head, "origin"),
        .minor = head->minor,
        .upgrade = field(text, bytes, head, "upgrade"),
        .wants_upgrade = wants_upgrade(head),
        .ws_key = field(text, bytes, head, "sec-websocket-key"),
        .ws_version = field(text, bytes, head, "sec-websocket-version"),
        .body = {"", 0},
    };
}

/* The gate only looked at the head. It is read away here, so that the body comes next. */
static bool consume_head(int fd, size_t len)
{
    char sink[HEAD_MAX_BYTES];
    return recv(fd, sink, len, MSG_DONTWAIT) == (ssize_t)len;
}

static void on_sweep(uv_timer_t *timer);

static struct http_exchange *create(struct http *http, const struct gate_guest *guest)
{
    struct http_exchange *exchange = mem_alloc(sizeof *exchange);
    exchange->connection.on_event = on_lws;
    exchange->http = http;
    exchange->id = ++http->last_id;
    exchange->client = *guest->client;
    fill_request(exchange, guest->bytes, guest->head);
    list_append(bucket_of(http, exchange->id), &exchange->node);
    if (http->count++ == 0) {
        uv_timer_start(&http->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    }
    return exchange;
}

static void on_guest(const struct gate_guest *guest, void *context)
{
    struct http *http = context;
    struct http_exchange *exchange = create(http, guest);
    uint64_t id = exchange->id;
    bool whole = consume_head(guest->fd, guest->head->len);
    struct lws *wsi = lws_port_adopt(http->port, guest->fd, &exchange->connection);
    exchange = http_find(http, id); /* a failed adoption may have closed it, or not */
    if (wsi == NULL && exchange != NULL) {
        destroy(exchange);
    } else if (exchange != NULL) {
        exchange->wsi = wsi;
        if (whole) {
            begin(exchange, guest->head);
        } else {
            exchange_kill(exchange);
        }
    }
}

static void expire(struct http_exchange *exchange)
{
    if (exchange->stage == STAGE_BODY) {
        http_reply_error(exchange, 408, "request_timeout",
                         "The request did not arrive in time.", -1, NULL, 0);
    } else if (exchange->stage != STAGE_DEAD) {
        exchange_kill(exchange);
    }
}

static void on_sweep(uv_timer_t *timer)
{
    struct http *http = timer->data;
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < EXCHANGE_BUCKETS; i++) {
        LIST_EACH (&http->exchanges[i], node, next) {
            struct http_exchange *exchange = LIST_OBJECT(node, struct http_exchange, node);
            if (exchange->deadline_ms != 0 && now >= exchange->deadline_ms) {
                expire(exchange);
            } else if (exchange->keep_alive_ms != 0 &&
                       now >= exchange->written_ms + exchange->keep_alive_ms) {
                http_stream_write(exchange, exchange->keep_alive);
            }
        }
    }
}

/* --- exchanges, for their handlers --- */

uint64_t http_id(const struct http_exchange *exchange)
{
    return exchange->id;
}

struct http_exchange *http_find(struct http *http, uint64_t id)
{
    LIST_EACH (bucket_of(http, id), node, next) {
        struct http_exchange *exchange = LIST_OBJECT(node, struct http_exchange, node);
        if (exchange->id == id) {
            return exchange;
        }
    }
    return NULL;
}

const struct http_request *http_request(const struct http_exchange *exchange)
{
    return &exchange->request;
}

void http_notify_close(struct http_exchange *exchange, http_on_close *on_close, void *context)
{
    exchange->on_close = on_close;
    exchange->on_close_context = context;
}

/* --- open and close --- */

static bool check_proxies(char *const *proxies, struct err *err)
{
    struct client_address address;
    for (; proxies != NULL && *proxies != NULL; proxies++) {
        if (!client_address_parse(view_of(*proxies), &address)) {
            return err_set(err, "bad_address", "%s is no IP address of a trusted proxy",
                           *proxies);
        }
    }
    return true;
}

static bool open_parts(struct http *http, struct err *err)
{
    const struct http_settings *settings = &http->settings;
    struct gate_settings door = {
        .loop = settings->loop,
        .host = settings->host,
        .port = settings->port,
        .inherited_fd = settings->inherited_fd,
        .connections_per_client = settings->connections_per_client,
        .connections_max = settings->connections_max,
        .head_timeout_ms = settings->request_timeout_ms,
        .trusted_proxies = settings->trusted_proxies,
    };
    if (!check_proxies(settings->trusted_proxies, err)) {
        return false;
    }
    http->gate = gate_open(&door, on_guest, http, err);
    return http->gate != NULL;
}

static int most_connections(size_t descriptors)
{
    return (int)(descriptors / 2 > RESERVED_DESCRIPTORS ? descriptors - RESERVED_DESCRIPTORS
                                                        : descriptors / 2);
}

static void set_defaults(struct http_settings *settings)
{
    int most = most_connections(lws_port_descriptors());
    if (settings->connections_max == 0 || settings->connections_max > most) {
        settings->connections_max = most;
    }
    if (settings->request_timeout_ms == 0) {
        settings->request_timeout_ms = REQUEST_MS;
    }
    if (settings->write_timeout_ms == 0) {
        settings->write_timeout_ms = WRITE_MS;
    }
}

struct http *http_open(const struct http_settings *settings, http_handler *handler,
                       void *context, struct err *err)
{
    struct http *http = mem_alloc(sizeof *http);
    http->settings = *settings;
    http->handler = handler;
    http->context = context;
    set_defaults(&http->settings);
    for (size_t i = 0; i < EXCHANGE_BUCKETS; i++) {
        list_init(&http->exchanges[i]);
    }
    if (!open_parts(http, err)) {
        free(http);
        return NULL;
    }
    http->port = lws_port_open(settings->loop, err);
    if (http->port == NULL) {
        /* Needs the loop to run before it is freed, and the program ends: it is left. */
        gate_close(http->gate);
        return NULL;
    }
    uv_timer_init(settings->loop, &http->sweep);
    http->sweep.data = http;
    return http;
}

int http_port(const struct http *http)
{
    return gate_port(http->gate);
}

size_t http_connections(const struct http *http)
{
    return gate_connections(http->gate);
}

void http_stop_accepting(struct http *http)
{
    gate_stop_accepting(http->gate);
}

void http_close(struct http *http)
{
    gate_close(http->gate);
    if (http->hub != NULL) {
        ws_hub_close(http->hub);
    }
    lws_port_close(http->port);
    if (!uv_is_closing((uv_handle_t *)&http->sweep)) {
        uv_close((uv_handle_t *)&http->sweep, NULL);
    }
}

void http_finish(struct http *http)
{
    if (http == NULL) {
        return;
    }
    lws_port_finish(http->port);
    ws_hub_finish(http->hub);
    gate_finish(http->gate);
    free(http);
}
