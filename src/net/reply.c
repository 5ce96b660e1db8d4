/* The writing half of http.h: heads, bodies, streams, and what happens when a client does not take
 * them. See exchange.h. Loop thread only. */
#include "net/exchange.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "net/headers.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    LINGER_MS = 2000,
    MAX_REPLY_HEAD = 8192,
    KEPT_BYTES = 64 * 1024, /* an emptied stream buffer that is larger is given back */
};

void exchange_listen(struct http_exchange *exchange, bool listens)
{
    if (exchange->deaf == listens) {
        exchange->deaf = !listens;
        lws_rx_flow_control(exchange->wsi, listens);
    }
}

void exchange_kill(struct http_exchange *exchange)
{
    exchange_listen(exchange, true);
    exchange->stage = STAGE_DEAD;
    buf_clear(&exchange->out);
    exchange->rest.len = 0;
    shutdown(lws_get_socket_fd(exchange->wsi), SHUT_RDWR);
}

/* --- writing --- */

static void linger(struct http_exchange *exchange)
{
    exchange_listen(exchange, true);
    exchange->stage = STAGE_LINGER;
    exchange->deadline_ms = clock_mono_ms() + LINGER_MS;
    shutdown(lws_get_socket_fd(exchange->wsi), SHUT_WR);
}

/* Takes `len` sent bytes off what is left to send. */
static void consume(struct http_exchange *exchange, size_t len)
{
    size_t of_out = len < exchange->out.len ? len : exchange->out.len;
    size_t of_rest = len - of_out;
    buf_consume(&exchange->out, of_out);
    if (of_rest > 0) {
        exchange->rest =
            (struct view){exchange->rest.at + of_rest, exchange->rest.len - of_rest};
    }
}

/* Head and body go out in one call. This is not lws_write: that keeps what the socket does not
 * take and then leaves the socket unread, so a client that sends and does not read would keep
 * the loop spinning. */
bool exchange_send(struct http_exchange *exchange)
{
    int fd = lws_get_socket_fd(exchange->wsi);
    while (exchange->out.len + exchange->rest.len > 0) {
        struct iovec parts[] = {
            {exchange->out.data, exchange->out.len},
            {(void *)(uintptr_t)exchange->rest.at, exchange->rest.len},
        };
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EINTR) {
            return errno == EAGAIN;
        }
        consume(exchange, sent > 0 ? (size_t)sent : 0);
    }
    return true;
}

static size_t unsent(const struct http_exchange *exchange)
{
    return exchange->out.len + exchange->rest.len;
}

/* Only what goes out moves the deadline on: new bytes that wait behind others do not. */
void exchange_flush(struct http_exchange *exchange)
{
    size_t before = unsent(exchange);
    if (!exchange_send(exchange)) {
        exchange_kill(exchange);
    } else if (unsent(exchange) > 0) {
        if (unsent(exchange) < before || exchange->deadline_ms == 0) {
            exchange->deadline_ms = clock_mono_ms() + exchange->http->settings.write_timeout_ms;
        }
        lws_callback_on_writable(exchange->wsi);
    } else if (exchange->stage == STAGE_WRITING) {
        linger(exchange);
    } else {
        exchange->deadline_ms = 0;
        if (exchange->out.cap > KEPT_BYTES) {
            buf_finish(&exchange->out);
        }
    }
}

static bool names(const struct http_header *headers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(headers[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The shared caches between us and a reader must not give one origin's answer to another. */
static void format_cors(const struct http_exchange *exchange, struct buf *out)
{
    char *const *allowed = exchange->http->settings.allow_origins;
    if (allowed != NULL && *allowed != NULL) {
        buf_string(out, "Vary: Origin\r\n");
    }
    if (exchange->cross) {
        buf_printf(out, "Access-Control-Allow-Origin: %s\r\n", exchange->request.origin);
        buf_string(out,
                   "Access-Control-Expose-Headers: Location, Retry-After, RateLimit-Limit, "
                   "RateLimit-Remaining, RateLimit-Reset\r\n");
    }
}

static void format_head(const struct http_exchange *exchange, struct buf *out, int status,
                        const char *type, const struct http_header *headers, size_t count)
{
    buf_printf(out, "HTTP/1.1 %d %s\r\n", status, headers_reason(status));
    headers_common(out);
    format_cors(exchange, out);
    if (type != NULL) {
        buf_printf(out, "Content-Type: %s\r\n", type);
    }
    if (!names(headers, count, "cache-control")) {
        buf_string(out, "Cache-Control: no-store\r\n");
    }
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%s: %s\r\n", headers[i].name, headers[i].value);
    }
}

static bool is_head(const struct http_exchange *exchange)
{
    return strcmp(exchange->request.method, "HEAD") == 0;
}

static bool may_reply(const struct http_exchange *exchange)
{
    return exchange->stage == STAGE_BODY || exchange->stage == STAGE_HANDLED;
}

void http_reply(struct http_exchange *exchange, int status, const char *type, struct view body,
                enum http_body kind, const struct http_header *headers, size_t header_count)
{
    if (!may_reply(exchange)) {
        return;
    }
    struct buf *out = &exchange->out;
    bool bodiless = status == 204 || status == 304;
    buf_init(out, MAX_REPLY_HEAD + body.len);
    format_head(exchange, out, status, type, headers, header_count);
    if (!bodiless) {
        buf_printf(out, "Content-Length: %zu\r\n", body.len);
    }
    buf_string(out, "\r\n");
    if (!bodiless && !is_head(exchange)) {
        if (kind == HTTP_STATIC_BODY) {
            exchange->rest = body;
        } else {
            buf_append(out, body.at, body.len);
        }
    }
    assert(!out->failed);
    exchange->stage = STAGE_WRITING;
    exchange->deadline_ms = 0;
    exchange_flush(exchange);
}

void http_reply_error(struct http_exchange *exchange, int status, const char *code,
                      const char *message, int retry_after_s, const struct http_header *headers,
                      size_t header_count)
{
    enum { MAX_HEADERS = 16 };
    struct http_header all[MAX_HEADERS];
    char seconds[16];
    assert(header_count < MAX_HEADERS);
    for (size_t i = 0; i < header_count; i++) {
        all[i] = headers[i];
    }
    if (!utf8_valid(message, strlen(message))) {
        message = "Error."; /* JSON cannot carry it */
    }
    json_t *error = json_pack("{s:s, s:s}", "code", code, "message", message);
    if (retry_after_s >= 0) {
        snprintf(seconds, sizeof seconds, "%d", retry_after_s);
        all[header_count++] = (struct http_header){"retry-after", seconds};
        json_object_set_new(error, "retryAfter", json_integer(retry_after_s));
    }
    json_t *body = json_pack("{s:o}", "error", error);
    char *text = json_dumps(body, JSON_COMPACT);
    assert(text != NULL);
    http_reply(exchange, status, "application/json", view_of(text), HTTP_COPY_BODY, all,
               header_count);
    free(text);
    json_decref(body);
}

void http_stream_begin(struct http_exchange *exchange, const char *type, size_t max_buffered)
{
    if (!may_reply(exchange)) {
        return;
    }
    exchange->max_buffered = max_buffered;
    buf_init(&exchange->out, MAX_REPLY_HEAD + max_buffered);
    format_head(exchange, &exchange->out, 200, type, NULL, 0);
    buf_string(&exchange->out,
               "X-Accel-Buffering: no\r\n\r\n"); /* nginx must not hold it back */
    exchange->stage = is_head(exchange) ? STAGE_WRITING : STAGE_STREAM;
    exchange->deadline_ms = 0;
    exchange_listen(exchange, true); /* a stream is worth nothing to one who has left */
    exchange_flush(exchange);
}

void http_stream_write(struct http_exchange *exchange, struct view bytes)
{
    if (exchange->stage != STAGE_STREAM) {
        return;
    }
    if (bytes.len > exchange->max_buffered ||
        exchange->out.len > exchange->max_buffered - bytes.len) {
        log_info("http.slow_reader client=%s", exchange->client.name);
        exchange_kill(exchange);
        return;
    }
    buf_append(&exchange->out, bytes.at, bytes.len);
    exchange->written_ms = clock_mono_ms();
    exchange_flush(exchange);
}

void http_stream_keep_alive(struct http_exchange *exchange, int every_ms, struct view bytes)
{
    exchange->keep_alive_ms = every_ms;
    exchange->keep_alive = bytes;
    exchange->written_ms = clock_mono_ms();
}

void http_stream_end(struct http_exchange *exchange)
{
    if (exchange->stage == STAGE_STREAM) {
        exchange->stage = STAGE_WRITING;
        exchange_flush(exchange);
    }
}

void http_stream_abort(struct http_exchange *exchange)
{
    if (exchange->stage == STAGE_STREAM) {
        exchange_kill(exchange);
    }
}
