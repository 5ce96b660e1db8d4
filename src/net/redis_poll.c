/* See redis_poll.h. hiredis says what it waits for whenever it likes, mostly what it has said before;
 * that is only noted, and settled once a turn. */
#include "net/redis_poll.h"

#include "base/mem.h"

#include <stdlib.h>

/* Owned by its context; freed when the handle is closed. */
struct redis_poll {
    redisAsyncContext *context; /* NULL: freed */
    uv_poll_t handle;
    int wanted; /* UV_READABLE, UV_WRITABLE: what hiredis waits for */
    int polled; /* what the kernel watches */
};

static void on_event(uv_poll_t *handle, int status, int events)
{
    struct redis_poll *poll = handle->data;
    if (status < 0) {
        poll->polled = 0; /* libuv has stopped; reading finds out what it is */
    }
    if (poll->context != NULL && (status < 0 || (events & UV_READABLE) != 0)) {
        redisAsyncHandleRead(poll->context);
    }
    if (poll->context != NULL && (events & UV_WRITABLE) != 0) {
        redisAsyncHandleWrite(poll->context);
    }
}

static void watch(struct redis_poll *poll)
{
    if (poll->wanted != poll->polled) {
        poll->polled = poll->wanted;
        if (poll->wanted == 0) {
            uv_poll_stop(&poll->handle);
        } else {
            uv_poll_start(&poll->handle, poll->wanted, on_event);
        }
    }
}

/* Before it is connected it must not be written to: only the kernel knows when it is. */
void redis_poll_settle(redisAsyncContext *context)
{
    struct redis_poll *poll = context->ev.data;
    bool writes = (poll->wanted & UV_WRITABLE) != 0 && (poll->polled & UV_WRITABLE) == 0;
    if (writes && (context->c.flags & REDIS_CONNECTED) != 0) {
        redisAsyncHandleWrite(context);
    }
    if (poll->context != NULL) {
        watch(poll);
    }
}

/* --- what hiredis calls ---------------------------------------------------------------------- */

static void on_add_read(void *data)
{
    ((struct redis_poll *)data)->wanted |= UV_READABLE;
}

static void on_del_read(void *data)
{
    ((struct redis_poll *)data)->wanted &= ~UV_READABLE;
}

static void on_add_write(void *data)
{
    ((struct redis_poll *)data)->wanted |= UV_WRITABLE;
}

static void on_del_write(void *data)
{
    ((struct redis_poll *)data)->wanted &= ~UV_WRITABLE;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_cleanup(void *data)
{
    struct redis_poll *poll = data;
    poll->context = NULL;
    uv_close((uv_handle_t *)&poll->handle, on_closed);
}

/* --- life ------------------------------------------------------------------------------------ */

bool redis_poll_attach(redisAsyncContext *context, uv_loop_t *loop)
{
    struct redis_poll *poll = mem_alloc(sizeof *poll);
    if (uv_poll_init(loop, &poll->handle, context->c.fd) != 0) {
        free(poll);
        return false;
    }
    poll->context = context;
    poll->handle.data = poll;
    context->ev.data = poll;
    context->ev.addRead = on_add_read;
    context->ev.delRead = on_del_read;
    context->ev.addWrite = on_add_write;
    context->ev.delWrite = on_del_write;
    context->ev.cleanup = on_cleanup;
    return true;
}
