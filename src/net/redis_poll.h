/* hiredis on a libuv loop. Unlike the adapter that comes with it, this one writes at the end of a turn of
 * the loop what was said in it, and asks the kernel to be told of a socket only when what it waits for
 * has changed: that adapter costs four system calls a command for it. Loop thread only. */
#ifndef VVE_NET_REDIS_POLL_H
#define VVE_NET_REDIS_POLL_H

#include <hiredis/async.h>
#include <stdbool.h>
#include <uv.h>

/* Serves the context until hiredis frees it. False: there is no descriptor to watch. */
bool redis_poll_attach(redisAsyncContext *context, uv_loop_t *loop);

/* The end of a turn: writes what there is to write. hiredis may free the context in here, having called
 * its disconnect callback. */
void redis_poll_settle(redisAsyncContext *context);

#endif
