/* See ws.h. The life of a connection:
 *
 *   accepted: its exchange is replaced, 101 is the first thing in its queue
 *     -> open -> we close it, the peer does, or what the peer sends is bad: a close frame is queued
 *     -> closing: what comes is thrown away; once the queue is written the writing side is shut, and
 *        the end comes when the peer closes too, or after CLOSE_MS
 *   and from anywhere: the socket breaks, or nothing moves for too long -> gone
 *
 * A connection ends in one place only, LWS_CALLBACK_RAW_CLOSE, which libwebsockets calls from the
 * loop: so nobody's connection goes while its message is being handled.
 *
 * Queues are written with sendmsg, many messages a call, and not with lws_write: that keeps what the
 * socket does not take, without bound, and writes one message a call. */
#include "net/ws.h"

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/exchange.h"
#include "net/gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    CLOSE_MS = 2000,
    STUCK_MS = 60000, /* a queue that nothing goes out of for so long ends its connection */
    SWEEP_MS = 1000,
    BATCH = 64, /* messages a call */
    QUEUE_KEPT = 8,
    NEARLY_EMPTY = 1024,              /* bytes of a queue that any message may join */
    GATHERED_MAX = 64 * 1024 * 1024,  /* bytes of incoming messages that are not whole yet */
    MESSAGES_MAX = 128 * 1024 * 1024, /* bytes of outgoing messages that a large one may join */
    LARGE = 64 * 1024,
};

/* Bytes of all messages there are; loop thread only. */
static size_t messages_bytes;

/* Owned by its hub; freed when libwebsockets says that the connection is closed. */
struct ws {
    struct lws_connection connection;
    struct list node;  /* in hub->all */
    struct list dirty; /* in hub->dirty while there is something to write */
    struct ws_hub *hub;
    struct lws *wsi;
    const struct ws_events *events; /* NULL: the owner has gone */
    void *context;
    char *client;
    struct ws_reader reader;
    struct ws_message **queue; /* the first may be partly sent */
    uint32_t count;
    uint32_t cap;
    uint32_t sent;       /* bytes of the first */
    uint64_t gone;       /* messages that were written */
    size_t queued;       /* bytes of all, sent ones of the first included */
    int64_t heard_ms;    /* when the last bytes came */
    int64_t told_ms;     /* when the last message was queued, control frames aside */
    int64_t written_ms;  /* when the last bytes went */
    int64_t close_by_ms; /* closing: when to end it; 0: open */
    bool waits_writable; /* the socket was full */
    bool was_full;       /* its socket or its queue, since the queue was last empty */
    bool pinged;
    bool greets; /* the answer to its request is the first in the queue */
    bool shut;
};

struct ws_hub {
    struct http *http;
    struct ws_settings settings;
    struct list all;
    struct list dirty;
    uv_prepare_t prepare;
    uv_timer_t sweep;
    void (*before)(void *context);
    void *before_context;
    struct ws_message *keep_alive;
    struct ws_message *ping;
    size_t gathered; /* bytes of incoming messages that are not whole yet */
    struct ws_figures figures;
};

/* --- messages -------------------------------------------------------------------------------- */

static struct ws_message *message_alloc(size_t len)
{
    struct ws_message *message = mem_alloc(sizeof *message + len);
    message->refs = 1;
    message->len = (uint32_t)len;
    messages_bytes += sizeof *message + len;
    return message;
}

static struct ws_message *frame_create(enum ws_opcode opcode, struct view first,
                                       struct view second)
{
    uint8_t head[WS_SERVER_HEAD_MAX];
    size_t len = first.len + second.len;
    size_t head_len = ws_format_head(head, opcode, len);
    struct ws_message *message = message_alloc(head_len + len);
    message->head_len = (uint32_t)head_len;
    memcpy(message->bytes, head, head_len);
    if (first.len > 0) {
        memcpy(message->bytes + head_len, first.at, first.len);
    }
    if (second.len > 0) {
        memcpy(message->bytes + head_len + first.len, second.at, second.len);
    }
    return message;
}

struct ws_message *ws_message_create(struct view first, struct view second)
{
    return frame_create(WS_BINARY, first, second);
}

struct ws_message *ws_message_ref(struct ws_message *message)
{
    message->refs++;
    return message;
}

void ws_message_unref(struct ws_message *message)
{
    if (message != NULL && --message->refs == 0) {
        messages_bytes -= sizeof *message + message->len;
        free(message);
    }
}

/* --- the queue ------------------------------------------------------------------------------- */

static int64_t now_of(const struct ws *ws)
{
    return (int64_t)uv_now(ws->hub->http->settings.loop);
}

static void mark_dirty(struct ws *ws)
{
    if (list_empty(&ws->dirty) && !ws->waits_writable) {
        list_append(&ws->hub->dirty, &ws->dirty);
    }
}

/* Takes over the reference. */
static void enqueue(struct ws *ws, struct ws_message *message)
{
    if (ws->count == ws->cap) {
        ws->cap = ws->cap == 0 ? 4 : ws->cap * 2;
        ws->queue = mem_resize(ws->queue, ws->cap * sizeof(struct ws_message *));
    }
    ws->queue[ws->count++] = message;
    ws->queued += message->len;
    mark_dirty(ws);
}

static bool has_room(struct ws *ws, size_t len)
{
    size_t max = ws->hub->settings.queue_max_bytes;
    if (ws->queued > NEARLY_EMPTY && (ws->queued > max || len > max - ws->queued)) {
        ws->was_full = true;
        return false;
    }
    return ws->close_by_ms == 0;
}

bool ws_is_stuck(const struct ws *ws)
{
    return ws->waits_writable;
}

uint64_t ws_mark(const struct ws *ws)
{
    return ws->gone + ws->count;
}

bool ws_is_through(const struct ws *ws, uint64_t mark)
{
    return ws->gone >= mark;
}

static void drop_queue(struct ws *ws, size_t keep)
{
    size_t first = ws->sent > 0 || ws->greets ? 1 : 0;
    keep = keep < first ? first : keep;
    while (ws->count > keep) {
        struct ws_message *message = ws->queue[--ws->count];
        ws->queued -= message->len;
        ws_message_unref(message);
    }
}

void ws_drop_behind(struct ws *ws, uint64_t mark)
{
    drop_queue(ws, ws_is_through(ws, mark) ? 0 : (size_t)(mark - ws->gone));
}

/* The first `len` bytes of the queue have gone. */
static void consume(struct ws *ws, size_t len)
{
    uint32_t gone = 0;
    len += ws->sent;
    while (gone < ws->count && len >= ws->queue[gone]->len) {
        len -= ws->queue[gone]->len;
        ws->queued -= ws->queue[gone]->len;
        ws_message_unref(ws->queue[gone++]);
    }
    ws->sent = (uint32_t)len;
    ws->count -= gone;
    ws->gone += gone;
    ws->greets = ws->greets && gone == 0;
    memmove(ws->queue, ws->queue + gone, ws->count * sizeof(struct ws_message *));
    ws->hub->figures.messages_out += gone;
    if (ws->count == 0 && ws->cap > QUEUE_KEPT) {
        free(ws->queue);
        ws->queue = NULL;
        ws->cap = 0;
    }
}

/* --- writing --------------------------------------------------------------------------------- */

/* The loop will notice that the socket is shut down. */
static void kill_socket(struct ws *ws)
{
    ws->greets = false;
    drop_queue(ws, 0);
    ws->shut = true;
    shutdown(lws_get_socket_fd(ws->wsi), SHUT_RDWR);
}

/* One call's worth. False: the socket takes no more, or is broken. */
static bool write_batch(struct ws *ws)
{
    struct iovec parts[BATCH];
    size_t count = 0;
    for (; count < ws->count && count < BATCH; count++) {
        size_t skip = count == 0 ? ws->sent : 0;
        struct ws_message *message = ws->queue[count];
        parts[count] = (struct iovec){message->bytes + skip, message->len - skip};
    }
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t sent = sendmsg(lws_get_socket_fd(ws->wsi), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            kill_socket(ws);
        }
        return errno == EINTR;
    }
    ws->written_ms = now_of(ws);
    ws->hub->figures.bytes_out += (unsigned long long)sent;
    consume(ws, (size_t)sent);
    return true;
}

static void flush(struct ws *ws)
{
    while (ws->count > 0 && write_batch(ws)) {
    }
    if (ws->count > 0 && !ws->shut) {
        ws->waits_writable = true;
        ws->was_full = true;
        lws_callback_on_writable(ws->wsi);
    } else if (ws->close_by_ms != 0 && !ws->shut) {
        ws->shut = true;
        shutdown(lws_get_socket_fd(ws->wsi), SHUT_WR);
    } else if (ws->count == 0 && ws->was_full && ws->events != NULL) {
        ws->was_full = false;
        ws->events->on_drained(ws, ws->context);
    }
}

static void on_writable(struct ws *ws)
{
    ws->waits_writable = false;
    flush(ws);
}

static void flush_dirty(struct ws_hub *hub)
{
    while (!list_empty(&hub->dirty)) {
        struct ws *ws = LIST_OBJECT(hub->dirty.next, struct ws, dirty);
        list_remove(&ws->dirty);
        flush(ws);
    }
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct ws_hub *hub = prepare->data;
    if (hub->before != NULL) {
        hub->before(hub->before_context);
    }
    flush_dirty(hub);
}

/* --- closing --------------------------------------------------------------------------------- */

static void begin_close(struct ws *ws, enum ws_code code, const char *reason)
{
    char payload[WS_CONTROL_MAX];
    size_t len = 0;
    if (ws->close_by_ms != 0) {
        return;
    }
    if (code != WS_NO_CODE) {
        payload[0] = (char)(code >> 8);
        payload[1] = (char)(code & 0xff);
        len = 2 + (size_t)snprintf(payload + 2, sizeof payload - 2, "%s", reason);
        len = len < sizeof payload ? len : sizeof payload - 1;
    }
    drop_queue(ws, 0);
    enqueue(ws, frame_create(WS_CLOSE, (struct view){payload, len}, (struct view){"", 0}));
    ws->close_by_ms = now_of(ws) + CLOSE_MS;
}

bool ws_send(struct ws *ws, struct ws_message *message)
{
    if (!has_room(ws, message->len)) {
        return false;
    }
    if (message->len > LARGE && messages_bytes > MESSAGES_MAX) {
        log_warn("ws.messages_full client=%s bytes=%zu", ws->client, messages_bytes);
        begin_close(ws, WS_TRY_LATER, "the server is short of memory");
        return false;
    }
    ws->told_ms = now_of(ws);
    enqueue(ws, ws_message_ref(message));
    return true;
}

static void tell_owner(struct ws *ws)
{
    const struct ws_events *events = ws->events;
    ws->events = NULL;
    if (events != NULL) {
        events->on_close(ws, ws->context);
    }
}

void ws_close(struct ws *ws, enum ws_code code, const char *reason)
{
    ws->events = NULL;
    begin_close(ws, code, reason);
}

/* --- reading --------------------------------------------------------------------------------- */

/* A mark behind it then has one message more before it, which does no harm. */
static void take_out(struct ws *ws, size_t at)
{
    ws->queued -= ws->queue[at]->len;
    ws_message_unref(ws->queue[at]);
    ws->count--;
    memmove(ws->queue + at, ws->queue + at + 1, (ws->count - at) * sizeof(struct ws_message *));
}

/* Of several pings only the last need be answered (RFC 6455 5.5.3), so one pong waits at most. */
static void send_pong(struct ws *ws, struct view payload)
{
    const uint8_t pong = 0x80 | WS_PONG; /* how the head of one begins */
    for (size_t i = ws->sent > 0 ? 1 : 0; i < ws->count; i++) {
        if (ws->queue[i]->bytes[0] == pong) {
            take_out(ws, i);
            break;
        }
    }
    if (has_room(ws, payload.len + 2)) {
        enqueue(ws, frame_create(WS_PONG, payload, (struct view){"", 0}));
    }
}

static void on_event(struct ws *ws, enum ws_event event)
{
    struct ws_reader *reader = &ws->reader;
    struct ws_figures *figures = &ws->hub->figures;
    switch (event) {
    case WS_MESSAGE:
        figures->messages_in++;
        if (ws->events != NULL) {
            ws->events->on_message(ws, reader->payload, ws->context);
        }
        break;
    case WS_PINGED:
        send_pong(ws, reader->payload);
        break;
    case WS_CLOSED:
        tell_owner(ws);
        begin_close(ws, reader->code, "");
        break;
    case WS_BAD:
        figures->closed_bad++;
        log_info("ws.bad_frame client=%s code=%d problem=\"%s\"", ws->client, reader->code,
                 reader->problem);
        tell_owner(ws);
        begin_close(ws, reader->code, reader->problem);
        break;
    case WS_PONGED:
    case WS_MORE:
        break;
    }
}

static void on_bytes(struct ws *ws, char *bytes, size_t len)
{
    enum ws_event event = WS_PONGED;
    ws->heard_ms = now_of(ws);
    ws->pinged = false;
    ws->hub->figures.bytes_in += len;
    size_t before = ws->reader.parts.len;
    while (event != WS_MORE && ws->close_by_ms == 0) {
        event = ws_read(&ws->reader, &bytes, &len);
        on_event(ws, event);
    }
    ws->hub->gathered += ws->reader.parts.len - before;
    if (ws->hub->gathered > GATHERED_MAX && ws->reader.parts.len > before) {
        tell_owner(ws);
        begin_close(ws, WS_TRY_LATER, "the server is short of memory");
    }
}

static void destroy(struct ws *ws)
{
    tell_owner(ws);
    ws->sent = 0;
    ws->greets = false;
    drop_queue(ws, 0);
    ws->hub->gathered -= ws->reader.parts.len;
    list_remove(&ws->node);
    list_remove(&ws->dirty);
    gate_leave(ws->hub->http->gate, ws->client);
    ws->hub->figures.connections--;
    ws_reader_finish(&ws->reader);
    free(ws->queue);
    free(ws->client);
    free(ws);
}

static void on_lws(struct lws_connection *connection, enum lws_callback_reasons reason,
                   char *bytes, size_t len)
{
    struct ws *ws = (struct ws *)connection;
    if (reason == LWS_CALLBACK_RAW_RX) {
        on_bytes(ws, bytes, len);
    } else if (reason == LWS_CALLBACK_RAW_WRITEABLE) {
        on_writable(ws);
    } else if (reason == LWS_CALLBACK_RAW_CLOSE) {
        destroy(ws);
    }
}

/* --- time ------------------------------------------------------------------------------------ */

static void look_after(struct ws *ws, int64_t now)
{
    const struct ws_settings *settings = &ws->hub->settings;
    int64_t silent = now - ws->heard_ms;
    if (ws->close_by_ms != 0 ? now >= ws->close_by_ms
                             : (ws->count > 0 && now - ws->written_ms > STUCK_MS) ||
                                   silent > 3 * (int64_t)settings->ping_ms) {
        kill_socket(ws);
    } else if (ws->close_by_ms == 0 && silent > settings->ping_ms && !ws->pinged) {
        ws->pinged = has_room(ws, ws->hub->ping->len);
        if (ws->pinged) {
            enqueue(ws, ws_message_ref(ws->hub->ping));
        }
    }
    if (ws->close_by_ms == 0 && ws->count == 0 && ws->hub->keep_alive != NULL &&
        now - ws->told_ms >= settings->keep_alive_ms) {
        ws_send(ws, ws->hub->keep_alive);
    }
}

static void on_sweep(uv_timer_t *timer)
{
    struct ws_hub *hub = timer->data;
    int64_t now = (int64_t)uv_now(hub->http->settings.loop);
    LIST_EACH (&hub->all, node, next) {
        look_after(LIST_OBJECT(node, struct ws, node), now);
    }
}

/* --- opening --------------------------------------------------------------------------------- */

bool ws_check_request(struct http_exchange *exchange)
{
    const struct http_request *request = http_request(exchange);
    static const struct http_header upgrade[] = {{"upgrade", "websocket"},
                                                 {"sec-websocket-version", "13"}};
    if (!head_lists(view_of(request->upgrade), "websocket")) {
        http_reply_error(exchange, 426, "upgrade_required",
                         "This path is for WebSocket connections.", -1, upgrade, 2);
    } else if (strcmp(request->ws_version, "13") != 0) {
        http_reply_error(exchange, 426, "websocket_version",
                         "This server speaks version 13 of WebSocket.", -1, upgrade, 2);
    } else if (strcmp(request->method, "GET") != 0 || !request->wants_upgrade ||
               request->minor == 0 || request->body.len > 0 ||
               !ws_key_is_good(view_of(request->ws_key))) {
        http_reply_error(exchange, 400, "bad_handshake",
                         "This is no opening request of WebSocket.", -1, NULL, 0);
    } else if (!request->origin_allowed) {
        http_reply_error(exchange, 403, "origin_not_allowed",
                         "Pages of this origin may not call this server.", -1, NULL, 0);
    } else {
        return true;
    }
    return false;
}

/* RFC 6455 4.2.2: what proves that we understood. */
static void format_accept(const char *key, char out[64])
{
    char text[128];
    unsigned char digest[20];
    int len = snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    lws_SHA1((unsigned char *)text, (size_t)len, digest);
    lws_b64_encode_string((const char *)digest, sizeof digest, out, 64);
}

static struct ws_message *greeting_create(const char *key)
{
    char accept[64];
    char text[256];
    format_accept(key, accept);
    int len = snprintf(text, sizeof text,
                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                       accept);
    struct ws_message *message = message_alloc((size_t)len);
    memcpy(message->bytes, text, (size_t)len);
    return message;
}

struct ws *ws_accept(struct http_exchange *exchange, const struct ws_events *events,
                     void *context)
{
    if (exchange->stage != STAGE_HANDLED) {
        return NULL;
    }
    struct ws *ws = mem_alloc(sizeof *ws);
    struct ws_hub *hub = exchange->http->hub;
    ws->connection.on_event = on_lws;
    ws->hub = hub;
    ws->wsi = exchange->wsi;
    ws->events = events;
    ws->context = context;
    ws->client = mem_string(exchange->client.name);
    ws_reader_init(&ws->reader, hub->settings.message_max_bytes);
    list_append(&hub->all, &ws->node);
    list_init(&ws->dirty);
    hub->figures.connections++;
    ws->heard_ms = now_of(ws);
    ws->written_ms = ws->heard_ms;
    ws->told_ms = ws->heard_ms;
    ws->greets = true;
    enqueue(ws, greeting_create(http_request(exchange)->ws_key));
    exchange_listen(exchange, true);
    exchange_release(exchange);
    lws_set_opaque_user_data(ws->wsi, &ws->connection);
    return ws;
}

const char *ws_client(const struct ws *ws)
{
    return ws->client;
}

/* --- the hub --------------------------------------------------------------------------------- */

void ws_configure(struct http *http, const struct ws_settings *settings)
{
    struct ws_hub *hub = mem_alloc(sizeof *hub);
    struct view none = {"", 0};
    int sweep_ms =
        settings->keep_alive_ms / 4 < SWEEP_MS ? settings->keep_alive_ms / 4 + 1 : SWEEP_MS;
    hub->http = http;
    hub->settings = *settings;
    list_init(&hub->all);
    list_init(&hub->dirty);
    hub->ping = frame_create(WS_PING, none, none);
    hub->keep_alive = ws_message_create(settings->keep_alive, none);
    uv_prepare_init(http->settings.loop, &hub->prepare);
    uv_timer_init(http->settings.loop, &hub->sweep);
    hub->prepare.data = hub;
    hub->sweep.data = hub;
    uv_prepare_start(&hub->prepare, on_prepare);
    uv_timer_start(&hub->sweep, on_sweep, (uint64_t)sweep_ms, (uint64_t)sweep_ms);
    http->hub = hub;
}

void ws_before_flush(struct http *http, void (*before)(void *context), void *context)
{
    http->hub->before = before;
    http->hub->before_context = context;
}

void ws_figures(const struct http *http, struct ws_figures *figures)
{
    *figures = http->hub->figures;
}

void ws_hub_close(struct ws_hub *hub)
{
    flush_dirty(hub);
    if (!uv_is_closing((uv_handle_t *)&hub->prepare)) {
        uv_close((uv_handle_t *)&hub->prepare, NULL);
        uv_close((uv_handle_t *)&hub->sweep, NULL);
    }
}

void ws_hub_finish(struct ws_hub *hub)
{
    if (hub != NULL) {
        ws_message_unref(hub->ping);
        ws_message_unref(hub->keep_alive);
        free(hub);
    }
}
