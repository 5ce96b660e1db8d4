/* What the daemon and the program that manages it as a service tell one another: systemd's
 * protocol of environment variables and datagrams, without its library. Loop thread only; owned
 * by the server. Where nobody manages it, everything here does nothing. */
#ifndef VVE_NET_SERVICE_H
#define VVE_NET_SERVICE_H

#include "base/err.h"

#include <stdbool.h>
#include <uv.h>

struct service;

/* Whether the daemon does its work; asked from the loop before each sign of life. */
typedef bool service_is_well(void *context);

/* Never NULL. Where a sign of life is wanted ($WATCHDOG_USEC), it is given twice in that time
 * from now on, as long as the loop turns and `is_well` says yes. */
struct service *service_open(uv_loop_t *loop, service_is_well *is_well, void *context);

void service_ready(struct service *service);
void service_stopping(struct service *service);

/* The listening socket that we were started with ($LISTEN_FDS); *fd is 0 if there is none.
 * Fails when there are several. */
bool service_listener(int *fd, struct err *err);

void service_close(struct service *service);
void service_finish(struct service *service); /* once the loop has run dry */

#endif
