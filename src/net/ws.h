/* WebSocket connections: opened out of an HTTP exchange, read by ws_frame.h, written from queues of
 * shared messages. Loop thread only; connections belong to the hub of their http.
 *
 * Sending means: the message joins the queue of the connection, which is written at the end of the
 * turn of the loop, all of it in one call. A connection that does not take its messages fills its
 * queue up to a limit; then ws_send declines, and the sender decides what to leave out. */
#ifndef VVE_NET_WS_H
#define VVE_NET_WS_H

#include "base/view.h"
#include "net/http.h"
#include "net/ws_frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ws;
struct ws_hub;

/* One frame as it goes out, head included. Immutable and shared: whoever keeps one refs it. */
struct ws_message {
    uint32_t refs;
    uint32_t len;
    uint32_t head_len; /* the payload begins there */
    uint8_t bytes[];
};

static inline struct view ws_payload(const struct ws_message *message)
{
    return (struct view){(const char *)message->bytes + message->head_len,
                         message->len - message->head_len};
}

/* A binary message of two parts, either of which may be empty; refs is 1. */
struct ws_message *ws_message_create(struct view first, struct view second);
struct ws_message *ws_message_ref(struct ws_message *message);
void ws_message_unref(struct ws_message *message); /* accepts NULL */

/* What a connection tells its owner. on_close is the last call, and comes once, whatever ended it; not
 * after ws_close. */
struct ws_events {
    void (*on_message)(struct ws *ws, struct view bytes, void *context);
    /* The queue is empty; it, or its socket, has been full. */
    void (*on_drained)(struct ws *ws, void *context);
    void (*on_close)(struct ws *ws, void *context);
};

/* Whether a request may become a WebSocket; if not it has been answered: 400, 403, 426. */
bool ws_check_request(struct http_exchange *exchange);

/* Answers 101; the exchange is gone then. NULL: so is the client. */
struct ws *ws_accept(struct http_exchange *exchange, const struct ws_events *events,
                     void *context);

const char *ws_client(const struct ws *ws); /* as http_request's */

/* Queues a message (and refs it). False: the queue is full, or the connection is closing; nothing was
 * queued. One message goes into a queue that is nearly empty whatever its size. */
bool ws_send(struct ws *ws, struct ws_message *message);
bool ws_is_stuck(const struct ws *ws); /* its socket was full when it was last written to */
/* A place in what a connection is sent: behind all that is queued by now. */
uint64_t ws_mark(const struct ws *ws);
bool ws_is_through(const struct ws *ws, uint64_t mark); /* all before it has been written */
/* Takes out of the queue what is behind a mark; a message that is partly sent stays. */
void ws_drop_behind(struct ws *ws, uint64_t mark);

/* Closes with a code and a reason of up to 123 bytes. The owner hears no more of it. */
void ws_close(struct ws *ws, enum ws_code code, const char *reason);

/* --- the hub --- */

struct ws_settings {
    size_t message_max_bytes; /* of an incoming message */
    size_t queue_max_bytes;   /* of a connection's outgoing queue */
    int ping_ms;              /* a ping after so long without a byte from the peer, and twice as
                                 long later the end */
    int keep_alive_ms;        /* `keep_alive` whenever nothing was sent for so long */
    struct view keep_alive;   /* a message; static */
};

struct ws_figures {
    size_t connections;
    unsigned long long messages_in;
    unsigned long long bytes_in;
    unsigned long long messages_out;
    unsigned long long bytes_out;
    unsigned long long closed_bad; /* by us, for what the peer sent */
};

/* Before http_open is served from. */
void ws_configure(struct http *http, const struct ws_settings *settings);
/* Called at the end of each turn of the loop, before queues are written. */
void ws_before_flush(struct http *http, void (*before)(void *context), void *context);
void ws_figures(const struct http *http, struct ws_figures *figures);

#endif
