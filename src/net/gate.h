/* The front door: owns the listening socket, and lets nobody in whose request head is not
 * strictly HTTP/1.1. Loop thread only; owned by http.c.
 *
 * A head is looked at with MSG_PEEK, so the socket is handed over untouched. What is refused
 * gets an exact answer and is closed in such a way that the client can read it. */
#ifndef VVE_NET_GATE_H
#define VVE_NET_GATE_H

#include "base/err.h"
#include "net/client.h"
#include "net/head.h"

#include <stddef.h>
#include <uv.h>

struct gate;

struct gate_settings {
    uv_loop_t *loop;
    const char *host; /* IPv4 or IPv6 address */
    int port;         /* 0: the kernel chooses */
    int inherited_fd; /* a listening socket to take, whatever host and port say; 0: none */
    int connections_per_client;
    int connections_max; /* of all clients together */
    int head_timeout_ms;
    char *const *trusted_proxies; /* NULL-terminated; outlives the gate */
};

struct gate_guest {
    int fd; /* the receiver's from now on; the head is still in it, unread */
    const char
        *bytes; /* the head's bytes and whatever came behind it; valid in the call only */
    const struct head *head;     /* likewise */
    const struct client *client; /* likewise */
};

typedef void gate_on_guest(const struct gate_guest *guest, void *context);

/* Fails when the address is none or cannot be listened on. */
struct gate *gate_open(const struct gate_settings *settings, gate_on_guest *on_guest,
                       void *context, struct err *err);
int gate_port(const struct gate *gate);

/* Connections that were accepted and have not ended, handed over or not. */
size_t gate_connections(const struct gate *gate);

/* A connection that was handed over has ended. `client` is its client's name. */
void gate_leave(struct gate *gate, const char *client);

void gate_stop_accepting(struct gate *gate);
void gate_close(struct gate *gate);  /* also those that wait for their head */
void gate_finish(struct gate *gate); /* once the loop has run dry */

#endif
