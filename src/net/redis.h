/* The loop's connections to Redis: one for commands, one for subscriptions. Both reconnect by
 * themselves with full-jitter back-off (50 ms to 2 s). Loop thread only; owned by server.c.
 *
 * While Redis is away a command fails at once; a command that was under way when the connection
 * broke, or that got no answer within 2 s, is answered with NULL: its outcome is unknown. */
#ifndef VVE_NET_REDIS_H
#define VVE_NET_REDIS_H

#include "base/err.h"
#include "base/view.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <uv.h>

struct redis;

/* `reply` is NULL when there was none; an error reply has type REDIS_REPLY_ERROR. It is valid
 * during the call only. */
typedef void redis_on_reply(const redisReply *reply, void *context);

/* A message on a subscribed channel; or, with message.at NULL, the acknowledgement of a
 * (re)subscription: what was published before it may have been missed. */
typedef void redis_on_message(struct view channel, struct view message, void *context);

/* `address` is unix:/path or tcp://host:port. Connects in the background. */
struct redis *redis_open(uv_loop_t *loop, const char *address, redis_on_message *on_message,
                         void *context, struct err *err);

/* Fails what is under way (callbacks run with NULL) and closes the handles; free once the loop
 * has run dry. */
void redis_close(struct redis *redis);
void redis_finish(struct redis *redis);

bool redis_ready(const struct redis *redis); /* the command connection is usable */

unsigned redis_times_up(const struct redis *redis); /* how often it came up */

/* Ready, and has been for long enough after an outage that everybody else is back too: what looks dead
 * then is dead. */
bool redis_settled(const struct redis *redis);

/* Sends one command of `count` arguments. `on_reply` is called exactly once, never before this
 * returns; with NULL at the next turn of the loop when Redis is away. */
void redis_command(struct redis *redis, redis_on_reply *on_reply, void *context, size_t count,
                   const struct view *arguments);

/* Hands to the kernel what has been sent so far. False: Redis is away or does not take it; then the
 * outcome of commands under way is open. */
bool redis_flush(struct redis *redis);

void redis_subscribe(struct redis *redis, const char *channel);
void redis_unsubscribe(struct redis *redis, const char *channel);
/* Whether nothing that is published there is missed. A connection that has gone silent is found out: what
 * this process publishes to itself each second must be heard within four. */
bool redis_hears(const struct redis *redis, const char *channel);

#endif
