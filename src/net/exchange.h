/* One request and its one reply, as http.c (which takes it in and lets it go) and reply.c (which writes)
 * share it; nobody else looks inside. Loop thread only. */
#ifndef VVE_NET_EXCHANGE_H
#define VVE_NET_EXCHANGE_H

#include "base/buf.h"
#include "base/list.h"
#include "net/client.h"
#include "net/http.h"
#include "net/lws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define EXCHANGE_BUCKETS 256

struct gate;
struct ws_hub;

struct http {
    struct http_settings settings;
    http_handler *handler;
    void *context;
    struct gate *gate;
    struct lws_port *port;
    struct ws_hub *hub; /* of the WebSocket connections; NULL: none are served */
    uv_timer_t sweep;   /* runs while there are exchanges */
    uint64_t last_id;
    size_t count;
    struct list exchanges[EXCHANGE_BUCKETS]; /* by id */
};

enum stage {
    STAGE_BODY,    /* the body is on its way */
    STAGE_HANDLED, /* the handler has it and owes a reply */
    STAGE_WRITING, /* the reply is whole and on its way */
    STAGE_STREAM,  /* the reply has begun and has no end yet */
    STAGE_LINGER,  /* everything is written; waits for the client to close */
    STAGE_DEAD,    /* the socket is shut down; waits for the loop to notice */
};

/* Owned by its http's table; freed when libwebsockets says that the connection is closed. */
struct http_exchange {
    struct lws_connection connection;
    struct list node;
    struct http *http;
    struct lws *wsi;
    uint64_t id;
    enum stage stage;
    int64_t deadline_ms; /* 0: none */
    struct http_request request;
    struct client client;
    char *text; /* the head's bytes; the request's strings are in them */
    bool cross; /* from an allowed page of another site */
    bool deaf;  /* the socket is not listened to */
    struct buf body;
    size_t body_len;     /* as announced */
    struct buf out;      /* not yet sent */
    struct view rest;    /* static bytes that follow `out` */
    size_t max_buffered; /* of a stream */
    int keep_alive_ms;   /* of a stream; 0: none */
    struct view keep_alive;
    int64_t written_ms;      /* when the stream last got bytes */
    http_on_close *on_close; /* NULL: nobody wants to know */
    void *on_close_context;
};

/* Whether we want to hear from the socket, its end included. */
void exchange_listen(struct http_exchange *exchange, bool listens);

/* Ends it now: the loop will notice that the socket is shut down. */
void exchange_kill(struct http_exchange *exchange);

/* Frees it, but leaves its connection, and the client's place, to somebody else. */
void exchange_release(struct http_exchange *exchange);

/* Sends what the socket takes of `out` and `rest`. False: the connection is broken. */
bool exchange_send(struct http_exchange *exchange);

/* The same, with what follows from it: a deadline for what is left, or the end of the reply. */
void exchange_flush(struct http_exchange *exchange);

/* The hub's end, in the steps of http_close and http_finish. */
void ws_hub_close(struct ws_hub *hub);
void ws_hub_finish(struct ws_hub *hub); /* accepts NULL */

#endif
