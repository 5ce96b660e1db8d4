/* The libwebsockets context, on our own libuv loop. Loop thread only; owned by http.c.
 *
 * It has no listener: the gate hands it connections whose request was already understood, and
 * they are carried as raw sockets. libwebsockets' own HTTP reader never sees a request, so it
 * cannot understand another one than we did. (Version 4.1.6 lets a field such as `X-A:` swallow
 * the line behind it, a Content-Length too; it closes without waiting for the client to read;
 * and it holds a header table for as long as a reply is awaited, of which there are few.) */
#ifndef VVE_NET_LWS_H
#define VVE_NET_LWS_H

#include "base/err.h"

#include <libwebsockets.h>
#include <stdbool.h>
#include <uv.h>

struct lws_port;

/* Raises the number of descriptors that this process may have to what it needs at most, or as
 * near to it as the system allows, and returns it. libwebsockets makes tables of that size, so
 * it comes before lws_port_open. */
size_t lws_port_descriptors(void);

/* What a connection is to us stands first in its struct. Its on_event gets LWS_CALLBACK_RAW_RX,
 * _WRITEABLE and, as the last, _CLOSE. Another one may take its place with
 * lws_set_opaque_user_data. */
struct lws_connection {
    void (*on_event)(struct lws_connection *connection, enum lws_callback_reasons reason,
                     char *bytes, size_t len);
};

struct lws_port *lws_port_open(uv_loop_t *loop, struct err *err);

/* Takes the descriptor over; closes it and returns NULL when it cannot. */
struct lws *lws_port_adopt(struct lws_port *port, int fd, struct lws_connection *connection);

/* Taking the context down takes two steps with the loop run dry in between; a single one leaves
 * 330 KB allocated. Not from within a callback of libwebsockets. */
void lws_port_close(struct lws_port *port);
void lws_port_finish(struct lws_port *port); /* accepts NULL */

#endif
