/* The HTTP side of the daemon: listener, strict head check, libwebsockets, requests and
 * replies. Loop thread only.
 *
 * An exchange is one request and its one reply; it belongs to this module and dies with its
 * connection. The handler may reply at once or later; across any wait carry the exchange's id
 * and look it up again: a missing id means that the client has gone, which is normal and quiet.
 * A client may shut its writing side once it has asked; it gets its reply all the same. From
 * that nobody can tell one who has left, so an exchange that is owed a reply lasts until it is
 * given. One request a connection. */
#ifndef VVE_NET_HTTP_H
#define VVE_NET_HTTP_H

#include "base/err.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct http;
struct http_exchange;

struct http_request {
    const char *method; /* "GET", "HEAD", "POST", "OPTIONS", ... */
    const char *path;   /* as sent, without the query; not percent-decoded */
    const char *query;  /* without '?'; "" if none */
    const char *client; /* who it counts against: IPv4 address, or IPv6 /64 */
    /* This machine asks itself: it is the TCP peer, no proxy spoke for another, and Host names
     * it by an address or as localhost. */
    bool loopback;
    const char *content_type; /* "" if absent, and so are these */
    const char *accept_encoding;
    const char *if_none_match;
    const char *last_event_id;
    const char *origin;
    bool origin_allowed; /* there is none, it is our own, or an allowed one */
    int minor;           /* HTTP/1.<minor> */
    const char *upgrade;
    bool wants_upgrade; /* a Connection field lists "upgrade" */
    const char *ws_key; /* Sec-WebSocket-... */
    const char *ws_version;
    struct view body;
};

struct http_header {
    const char *name; /* lower case */
    const char *value;
};

struct http_settings {
    uv_loop_t *loop;
    const char *host;             /* address to listen on; IPv4 or IPv6 */
    int port;                     /* 0: the kernel chooses */
    int inherited_fd;             /* a listening socket to take instead; 0: none */
    size_t body_max_bytes;        /* a larger body is answered 413 body_too_large */
    int connections_per_client;   /* more are answered 503 and closed */
    int connections_max;          /* of all clients; 0: as many as descriptors allow */
    int request_timeout_ms;       /* for the head, and again for the body; 0: 10 s */
    int write_timeout_ms;         /* a reader that takes nothing for so long goes; 0: 30 s */
    char *const *trusted_proxies; /* NULL-terminated; addresses */
    char *const *allow_origins;   /* NULL-terminated; besides the same origin */
};

typedef void http_handler(struct http_exchange *exchange, void *context);
typedef void http_on_close(struct http_exchange *exchange, void *context);

struct http *http_open(const struct http_settings *settings, http_handler *handler,
                       void *context, struct err *err);
int http_port(const struct http *http);
size_t http_connections(const struct http *http);

/* Ends in steps: refuse new connections; close those that are left and begin to take
 * libwebsockets down; and, once the loop has run dry, take down the rest and free. */
void http_stop_accepting(struct http *http);
void http_close(struct http *http);
void http_finish(struct http *http);

/* --- exchanges --- */
uint64_t http_id(const struct http_exchange *exchange);
struct http_exchange *http_find(struct http *http, uint64_t id);
const struct http_request *http_request(const struct http_exchange *exchange);

/* Called once when the connection ends, whatever ended it. For clean-up of the handler's own.
 * NULL takes an earlier wish back. */
void http_notify_close(struct http_exchange *exchange, http_on_close *on_close, void *context);

enum http_body { HTTP_COPY_BODY, HTTP_STATIC_BODY /* outlives the server; not copied */ };

/* The whole reply. Adds Content-Length, Connection: close, the security headers, and CORS
 * headers for an allowed cross origin. A HEAD request gets the head alone. `type` may be NULL
 * (no body). Exactly one reply an exchange; a second is ignored. */
void http_reply(struct http_exchange *exchange, int status, const char *type, struct view body,
                enum http_body kind, const struct http_header *headers, size_t header_count);

/* {"error":{"code","message","retryAfter"?}} with that status; retry_after_s < 0: none (else
 * also a Retry-After header). A message that is not UTF-8 is replaced by "Error." */
void http_reply_error(struct http_exchange *exchange, int status, const char *code,
                      const char *message, int retry_after_s, const struct http_header *headers,
                      size_t header_count);

/* A reply without length: begin, write any number of times, end. Written bytes are copied. A
 * reader that lets more than max_buffered bytes pile up is closed. Writing to a HEAD request,
 * or after the end, does nothing. */
void http_stream_begin(struct http_exchange *exchange, const char *type, size_t max_buffered);
void http_stream_write(struct http_exchange *exchange, struct view bytes);
void http_stream_end(struct http_exchange *exchange);

/* Breaks the stream off: nothing more is sent, and the connection ends. */
void http_stream_abort(struct http_exchange *exchange);

/* Writes `bytes` (static) whenever nothing else was written for that long. */
void http_stream_keep_alive(struct http_exchange *exchange, int every_ms, struct view bytes);

#endif
