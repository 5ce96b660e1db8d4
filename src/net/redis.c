/* See redis.h. The loop's adapter for hiredis; loop thread only.
 *
 * hiredis 0.14 has no time limits of its own, so one timer does it: every TICK_MS it connects
 * what is due, cuts a connection whose oldest command waits too long, sends a PING when nothing
 * else would notice that the server hangs, and publishes to itself so that a subscription which
 * has gone silent is noticed too. A cut connection answers every command under
 * way with NULL (hiredis does that), which is the one path for everything that goes wrong. */
#include "net/redis.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/redis_poll.h"

#include <hiredis/async.h>
#include <hiredis/sds.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 50
#define REPLY_MS 2000
#define CONNECT_MS 1000
#define PING_EVERY_MS 500
#define TICK_PUBLISH_MS 1000 /* to ourselves, to know that the subscription is alive */
#define TICK_LOST_MS 4000
#define SETTLED_MS 10000
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS 2000
#define ARGUMENTS_MAX 32

/* A server that hangs still accepts connections, so a link is up only once it has answered. */
enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_UP };

/* One connection that comes back by itself. */
struct link {
    struct redis *redis;
    const char *name;
    redisAsyncContext *context; /* NULL while down */
    enum link_state state;
    unsigned failures;       /* since it was last up */
    int64_t due_at;          /* down: when to try again; connecting: when to give up */
    int64_t quiet_since;     /* up: when the last reply came */
    int64_t pinged_at;       /* up: 0 if no PING is under way */
    uv_getaddrinfo_t lookup; /* TCP: the host's name becomes an address off this thread */
    bool looking_up;
};

struct channel {
    struct list node; /* in redis->channels, by its name's hash */
    char *name;
    bool wanted;
    bool acknowledged;
    bool leaving; /* UNSUBSCRIBE is under way: what comes next waits for it */
};

#define CHANNEL_BUCKETS 256

struct pending {
    struct list node; /* in redis->pending, oldest first; or in redis->failed */
    redis_on_reply *on_reply;
    void *context;
    int64_t sent_at;
};

struct redis {
    uv_loop_t *loop;
    struct address address;
    redis_on_message *on_message;
    void *context;
    struct link commands;
    struct link messages;
    struct list channels[CHANNEL_BUCKETS];
    char own_channel[32]; /* ticks are published here; only we listen */
    int64_t tick_at;      /* when the last one was published */
    int64_t up_at;        /* when the command connection last came up */
    unsigned times_up;
    struct list pending; /* sent, not answered */
    struct list failed;  /* never sent: answered with NULL at the next turn */
    uv_timer_t tick;
    uv_timer_t fail_timer;
    uv_prepare_t prepare;
    bool closing;
};

/* --- connections ------------------------------------------------------------------------- */

static void link_failed(struct link *link)
{
    unsigned doublings = link->failures < 6 ? link->failures : 6;
    int64_t ceiling = BACKOFF_FIRST_MS << doublings;
    ceiling = ceiling < BACKOFF_MAX_MS ? ceiling : BACKOFF_MAX_MS;
    link->due_at = clock_mono_ms() + 1 + (int64_t)id_below((unsigned)ceiling);
    link->failures++;
    if (link->failures == 1) {
        log_warn("redis.down connection=%s", link->name);
    }
    link->state = LINK_DOWN;
}

/* Cuts the connection now; hiredis answers what is under way with NULL. */
static void link_cut(struct link *link)
{
    redisAsyncContext *context = link->context;
    link->context = NULL;
    if (context != NULL) {
        context->data = NULL; /* its callbacks find no link any more */
        redisAsyncFree(context);
    }
    if (!link->redis->closing) {
        link_failed(link);
    }
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
    (void)status;
    struct link *link = context->data;
    if (link != NULL) {
        link->context = NULL; /* hiredis frees it */
        link_failed(link);
    }
}

static void on_channel(redisAsyncContext *context, void *raw, void *data);

static void link_is_up(struct link *link);

static void on_pong(redisAsyncContext *context, void *raw, void *data)
{
    (void)data;
    struct link *link = context->data;
    if (link == NULL || raw == NULL) {
        return;
    }
    link->quiet_since = clock_mono_ms();
    link->pinged_at = 0;
    if (link->state == LINK_CONNECTING) {
        link_is_up(link);
    }
}

static void send_subscribe(struct link *link, struct channel *channel)
{
    channel->acknowledged = false;
    channel->leaving = false;
    redisAsyncCommand(link->context, on_channel, NULL, "SUBSCRIBE %s", channel->name);
}

static void channel_destroy(struct channel *channel)
{
    list_remove(&channel->node);
    free(channel->name);
    free(channel);
}

static void on_connect(const redisAsyncContext *context, int status)
{
    struct link *link = context->data;
    if (link == NULL) {
        return;
    }
    if (status != REDIS_OK) {
        link->context = NULL; /* hiredis frees it */
        link_failed(link);
        return;
    }
    redisAsyncCommand(link->context, on_pong, NULL, "PING");
}

static void link_is_up(struct link *link)
{
    log_info("redis.up connection=%s", link->name);
    link->state = LINK_UP;
    link->failures = 0;
    if (link == &link->redis->commands) {
        link->redis->up_at = clock_mono_ms();
        link->redis->times_up++;
    }
    if (link == &link->redis->messages) {
        for (size_t i = 0; i < CHANNEL_BUCKETS; i++) {
            LIST_EACH (&link->redis->channels[i], node, next) {
                struct channel *channel = LIST_OBJECT(node, struct channel, node);
                if (channel->wanted) {
                    send_subscribe(link, channel);
                } else {
                    channel_destroy(channel);
                }
            }
        }
    }
}

/* Takes over a context on which hiredis has begun to connect. */
static void adopt(struct link *link, redisAsyncContext *context)
{
    if (context == NULL || context->err != 0 ||
        !redis_poll_attach(context, link->redis->loop)) {
        if (context != NULL) {
            redisAsyncFree(context);
        }
        link_failed(link);
        return;
    }
    context->data = link;
    link->context = context;
    link->state = LINK_CONNECTING;
    link->due_at = clock_mono_ms() + CONNECT_MS;
    redisAsyncSetDisconnectCallback(context, on_disconnect);
    redisAsyncSetConnectCallback(context, on_connect);
}

static void on_looked_up(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    struct link *link = lookup->data;
    char numeric[INET6_ADDRSTRLEN] = "";
    link->looking_up = false;
    if (status == 0 && found->ai_family == AF_INET) {
        uv_ip4_name((struct sockaddr_in *)(void *)found->ai_addr, numeric, sizeof numeric);
    } else if (status == 0 && found->ai_family == AF_INET6) {
        uv_ip6_name((struct sockaddr_in6 *)(void *)found->ai_addr, numeric, sizeof numeric);
    }
    uv_freeaddrinfo(found);
    if (link->redis->closing) {
        return;
    }
    if (numeric[0] == '\0') {
        link_failed(link);
    } else {
        adopt(link, redisAsyncConnect(numeric, link->redis->address.port));
    }
}

static void link_connect(struct link *link)
{
    const struct address *a = &link->redis->address;
    if (a->path[0] != '\0') {
        adopt(link, redisAsyncConnectUnix(a->path));
        return;
    }
    if (link->looking_up) {
        return; /* a slow name server: its answer will come */
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    link->lookup.data = link;
    link->looking_up = uv_getaddrinfo(link->redis->loop, &link->lookup, on_looked_up, a->host,
                                      NULL, &hints) == 0;
    if (!link->looking_up) {
        link_failed(link);
    }
}

/* --- commands ---------------------------------------------------------------------------- */

static void answer(struct pending *pending, const redisReply *reply)
{
    list_remove(&pending->node);
    pending->on_reply(reply, pending->context);
    free(pending);
}

static void on_reply(redisAsyncContext *context, void *raw, void *data)
{
    struct pending *pending = data;
    struct link *link = context->data;
    if (link != NULL && raw != NULL) {
        link->quiet_since = clock_mono_ms();
    }
    answer(pending, raw);
}

static void on_fail_timer(uv_timer_t *timer)
{
    struct redis *redis = timer->data;
    while (!list_empty(&redis->failed)) {
        answer(LIST_OBJECT(redis->failed.next, struct pending, node), NULL);
    }
}

static bool send_command(struct redis *redis, struct pending *pending, size_t count,
                         const struct view *arguments)
{
    const char *argv[ARGUMENTS_MAX];
    size_t lens[ARGUMENTS_MAX];
    if (!redis_ready(redis) || count > ARGUMENTS_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        argv[i] = arguments[i].at;
        lens[i] = arguments[i].len;
    }
    return redisAsyncCommandArgv(redis->commands.context, on_reply, pending, (int)count, argv,
                                 lens) == REDIS_OK;
}

void redis_command(struct redis *redis, redis_on_reply *on_reply_, void *context, size_t count,
                   const struct view *arguments)
{
    struct pending *pending = mem_alloc(sizeof *pending);
    *pending =
        (struct pending){.on_reply = on_reply_, .context = context, .sent_at = clock_mono_ms()};
    if (send_command(redis, pending, count, arguments)) {
        list_append(&redis->pending, &pending->node);
        return;
    }
    list_append(&redis->failed, &pending->node);
    if (!redis->closing) {
        uv_timer_start(&redis->fail_timer, on_fail_timer, 0, 0);
    }
}

/* What is said is written at the end of the turn; this writes now. A broken connection is noticed in there,
 * and is down afterwards. */
bool redis_flush(struct redis *redis)
{
    while (redis_ready(redis)) {
        size_t before = sdslen(redis->commands.context->c.obuf);
        if (before == 0) {
            return true;
        }
        redisAsyncHandleWrite(redis->commands.context);
        if (redis_ready(redis) && sdslen(redis->commands.context->c.obuf) == before) {
            return false;
        }
    }
    return false;
}

bool redis_ready(const struct redis *redis)
{
    return redis->commands.state == LINK_UP && !redis->closing;
}

unsigned redis_times_up(const struct redis *redis)
{
    return redis->times_up;
}

bool redis_settled(const struct redis *redis)
{
    return redis_ready(redis) &&
           (redis->times_up == 1 || clock_mono_ms() - redis->up_at > SETTLED_MS);
}

/* --- subscriptions ----------------------------------------------------------------------- */

static struct view text_of(const redisReply *reply)
{
    return (struct view){reply->str, (size_t)reply->len};
}

static struct channel *channel_find(const struct redis *redis, struct view name)
{
    const struct list *bucket = &redis->channels[hash_of(name) % CHANNEL_BUCKETS];
    LIST_EACH (bucket, node, next) {
        struct channel *channel = LIST_OBJECT(node, struct channel, node);
        if (view_equals(name, channel->name)) {
            return channel;
        }
    }
    return NULL;
}

static void on_left(struct redis *redis, struct channel *channel)
{
    if (channel->wanted && redis->messages.state == LINK_UP) {
        send_subscribe(&redis->messages, channel);
    } else if (!channel->wanted) {
        channel_destroy(channel);
    }
}

static void on_channel(redisAsyncContext *context, void *raw, void *data)
{
    const redisReply *reply = raw;
    struct link *link = context->data;
    (void)data;
    if (link == NULL || reply == NULL || reply->type != REDIS_REPLY_ARRAY ||
        reply->elements != 3) {
        return;
    }
    struct redis *redis = link->redis;
    struct view name = text_of(reply->element[1]);
    struct channel *channel = channel_find(redis, name);
    link->quiet_since = clock_mono_ms();
    if (channel == NULL) {
        return;
    }
    if (view_equals(text_of(reply->element[0]), "unsubscribe")) {
        on_left(redis, channel);
    } else if (strcmp(channel->name, redis->own_channel) == 0) {
        channel->acknowledged = true;
    } else if (!channel->wanted) {
        return;
    } else if (view_equals(text_of(reply->element[0]), "subscribe")) {
        channel->acknowledged = true;
        redis->on_message(name, (struct view){NULL, 0}, redis->context);
    } else if (view_equals(text_of(reply->element[0]), "message")) {
        redis->on_message(name, text_of(reply->element[2]), redis->context);
    }
}

void redis_subscribe(struct redis *redis, const char *name)
{
    struct channel *channel = channel_find(redis, view_of(name));
    if (channel == NULL) {
        channel = mem_alloc(sizeof *channel);
        channel->name = mem_string(name);
        list_append(&redis->channels[hash_of(view_of(name)) % CHANNEL_BUCKETS], &channel->node);
    }
    bool was_wanted = channel->wanted;
    channel->wanted = true;
    if (!was_wanted && !channel->leaving && redis->messages.state == LINK_UP) {
        send_subscribe(&redis->messages, channel);
    }
}

void redis_unsubscribe(struct redis *redis, const char *name)
{
    struct channel *channel = channel_find(redis, view_of(name));
    if (channel == NULL) {
        return;
    }
    channel->wanted = false;
    channel->acknowledged = false;
    if (redis->messages.state != LINK_UP) {
        channel_destroy(channel);
    } else if (!channel->leaving) {
        channel->leaving = true;
        redisAsyncCommand(redis->messages.context, NULL, NULL, "UNSUBSCRIBE %s", name);
    }
}

bool redis_hears(const struct redis *redis, const char *name)
{
    const struct channel *channel = channel_find(redis, view_of(name));
    return redis->messages.state == LINK_UP && channel != NULL && channel->acknowledged;
}

/* --- the end of a turn ------------------------------------------------------------------- */

static void on_prepare(uv_prepare_t *prepare)
{
    struct redis *redis = prepare->data;
    if (redis->commands.context != NULL) {
        redis_poll_settle(redis->commands.context);
    }
    if (redis->messages.context != NULL) {
        redis_poll_settle(redis->messages.context);
    }
}

/* --- the timer --------------------------------------------------------------------------- */

static void on_published(redisAsyncContext *context, void *raw, void *data)
{
    (void)context;
    (void)raw;
    (void)data;
}

/* Both connections are up: what is published on the one must be heard on the other. */
static void tick_to_ourselves(struct redis *redis, int64_t now)
{
    if (redis->commands.state == LINK_UP && redis->messages.state == LINK_UP &&
        now - redis->tick_at >= TICK_PUBLISH_MS) {
        redis->tick_at = now;
        redisAsyncCommand(redis->commands.context, on_published, NULL, "PUBLISH %s 1",
                          redis->own_channel);
    }
}

static bool overdue(const struct link *link, int64_t now)
{
    const struct redis *redis = link->redis;
    if (link == &redis->commands && !list_empty(&redis->pending)) {
        struct pending *oldest = LIST_OBJECT(redis->pending.next, struct pending, node);
        if (now - oldest->sent_at > REPLY_MS) {
            return true;
        }
    }
    if (link == &redis->messages) {
        return redis->commands.state == LINK_UP && now - redis->up_at > TICK_LOST_MS &&
               now - link->quiet_since > TICK_LOST_MS;
    }
    return link->pinged_at != 0 && now - link->pinged_at > REPLY_MS;
}

static void link_tick(struct link *link, int64_t now)
{
    switch (link->state) {
    case LINK_DOWN:
        if (now >= link->due_at) {
            link_connect(link);
        }
        break;
    case LINK_CONNECTING:
        if (now >= link->due_at) {
            link_cut(link);
        }
        break;
    case LINK_UP:
        if (overdue(link, now)) {
            log_warn("redis.silent connection=%s", link->name);
            link_cut(link);
        } else if (link == &link->redis->commands && link->pinged_at == 0 &&
                   now - link->quiet_since > PING_EVERY_MS) {
            link->pinged_at = now;
            redisAsyncCommand(link->context, on_pong, NULL, "PING");
        }
        break;
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct redis *redis = timer->data;
    int64_t now = clock_mono_ms();
    bool was_up = redis->commands.state == LINK_UP;
    link_tick(&redis->commands, now);
    /* A hung server is seen on the command connection; the other one hangs with it. */
    if (was_up && redis->commands.state == LINK_DOWN && redis->messages.state == LINK_UP) {
        link_cut(&redis->messages);
    }
    link_tick(&redis->messages, now);
    tick_to_ourselves(redis, now);
}

/* --- life -------------------------------------------------------------------------------- */

struct redis *redis_open(uv_loop_t *loop, const char *address, redis_on_message *on_message,
                         void *context, struct err *err)
{
    struct redis *redis = mem_alloc(sizeof *redis);
    redis->loop = loop;
    redis->on_message = on_message;
    redis->context = context;
    if (!address_parse(address, &redis->address, err)) {
        free(redis);
        return NULL;
    }
    redis->commands = (struct link){.redis = redis, .name = "commands"};
    redis->messages = (struct link){.redis = redis, .name = "messages"};
    for (size_t i = 0; i < CHANNEL_BUCKETS; i++) {
        list_init(&redis->channels[i]);
    }
    list_init(&redis->pending);
    list_init(&redis->failed);
    char nonce[17];
    id_nonce(nonce);
    snprintf(redis->own_channel, sizeof redis->own_channel, "vve:tick:%s", nonce);
    redis_subscribe(redis, redis->own_channel);
    uv_timer_init(loop, &redis->tick);
    uv_timer_init(loop, &redis->fail_timer);
    uv_prepare_init(loop, &redis->prepare);
    redis->tick.data = redis;
    redis->prepare.data = redis;
    redis->fail_timer.data = redis;
    uv_timer_start(&redis->tick, on_tick, 0, TICK_MS);
    uv_prepare_start(&redis->prepare, on_prepare);
    return redis;
}

void redis_close(struct redis *redis)
{
    if (redis->closing) {
        return;
    }
    redis->closing = true;
    link_cut(&redis->commands);
    link_cut(&redis->messages);
    on_fail_timer(&redis->fail_timer);
    uv_close((uv_handle_t *)&redis->tick, NULL);
    uv_close((uv_handle_t *)&redis->fail_timer, NULL);
    uv_close((uv_handle_t *)&redis->prepare, NULL);
}

void redis_finish(struct redis *redis)
{
    if (redis == NULL) {
        return;
    }
    for (size_t i = 0; i < CHANNEL_BUCKETS; i++) {
        LIST_EACH (&redis->channels[i], node, next) {
            channel_destroy(LIST_OBJECT(node, struct channel, node));
        }
    }
    free(redis);
}
