/* See gate.h. The life of a connection here:
 *
 *   accepted -> over the client's cap, or all places are taken: refused
 *            -> looked at: good head: handed over
 *                          bad head: refused
 *                          unfinished: waits for more, at most head_timeout_ms: refused (408)
 *   refused  -> answered, its writing side shut, and drained until the client closes or
 *               LINGER_MS have passed
 *
 * It is drained because a socket that is closed with unread bytes in it is reset, and a reset
 * takes the answer away from the client.
 *
 * A look goes no further than a byte marked as urgent, yet the kernel counts what is behind it
 * and calls the socket readable. So a guest whose wake brought nothing new sleeps until the next
 * sweep, or the loop would spin.
 *
 * Descriptors may end while connections wait in the backlog. Then the listener would stay
 * readable and the loop would spin; so one descriptor is kept in spare and spent to accept and
 * close what waits. If even that does not help, listening pauses for a moment. */
#include "net/gate.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/census.h"
#include "net/headers.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    ACCEPT_BATCH = 64, /* then the loop looks after others */
    LINGER_MS = 1000,
    SWEEP_MS = 50,
    REPORT_MS = 1000,
    EXTRA_PLACES = 16, /* beyond connections_max, for those that are told that all is full */
    MAX_REFUSAL_BYTES = 2048,
};

struct gate {
    struct gate_settings settings;
    gate_on_guest *on_guest;
    void *context;
    int listener; /* -1: closed */
    int spare;    /* a descriptor to spend when there are no more; -1: spent */
    int port;
    uv_poll_t poll;
    uv_timer_t sweep; /* runs while any wait, listening is paused or a report is due */
    bool paused;
    struct census census;
    struct list waiting; /* struct guest */
    size_t unreported;   /* callers turned down for want of a place since the last report */
    int64_t reported_ms; /* when that was */
};

/* A connection that has not been handed over. Owned by the gate's list; freed by close_guest or
 * in the close callback of its poll handle. */
struct guest {
    struct list node;
    struct gate *gate;
    int fd;
    uv_poll_t poll;
    bool polled;  /* the poll handle is in the loop; not active: asleep until the sweep */
    bool refused; /* answered; now drained */
    size_t seen;  /* bytes at the last look */
    struct head_scan scan;
    int64_t deadline_ms;
    struct client_address peer;
    struct client client;
    size_t held;  /* connections of the client when this one came, it included */
    size_t total; /* connections of everybody, likewise */
};

/* --- ends --- */

static void on_guest_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* Forgets the guest, but not its descriptor. */
static void release_guest(struct guest *guest)
{
    list_remove(&guest->node);
    if (guest->polled) {
        uv_close((uv_handle_t *)&guest->poll, on_guest_closed);
    } else {
        free(guest);
    }
}

static void close_guest(struct guest *guest)
{
    int fd = guest->fd;
    gate_leave(guest->gate, guest->client.name);
    release_guest(guest); /* before close(): the loop must forget the number first */
    close(fd);
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void wait_readable(struct guest *guest)
{
    if (!guest->polled) {
        uv_poll_init_socket(guest->gate->settings.loop, &guest->poll, guest->fd);
        guest->poll.data = guest;
        guest->polled = true;
    }
    uv_poll_start(&guest->poll, UV_READABLE | UV_DISCONNECT, on_readable);
}

/* --- refusals --- */

static const struct {
    int status;
    const char *code;
} codes[] = {
    {400, "bad_request"},     {408, "request_timeout"},      {411, "length_required"},
    {414, "uri_too_long"},    {417, "expectation_failed"},   {431, "headers_too_large"},
    {501, "not_implemented"}, {503, "too_many_connections"}, {505, "version_not_supported"},
};

static const char *code_of(int status)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].status == status) {
            return codes[i].code;
        }
    }
    return "bad_request";
}

/* `problem` is a sentence of ours that needs no escaping. */
static void format_refusal(struct buf *out, int status, const char *problem)
{
    struct buf body;
    bool busy = status == 503;
    buf_init(&body, 512);
    buf_printf(&body, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"%s}}", code_of(status),
               problem, busy ? ",\"retryAfter\":1" : "");
    buf_printf(out, "HTTP/1.1 %d %s\r\n", status, headers_reason(status));
    headers_common(out);
    buf_printf(out,
               "%sCache-Control: no-store\r\nContent-Type: application/json\r\n"
               "Content-Length: %zu\r\n\r\n",
               busy ? "Retry-After: 1\r\n" : "", body.len);
    buf_append(out, body.data, body.len);
    buf_finish(&body);
}

/* The answer is smaller than an empty socket's buffer, so one send takes it or the client is
 * gone. */
static void refuse(struct guest *guest, int status, const char *problem)
{
    struct buf out;
    const int one = 1;
    buf_init(&out, MAX_REFUSAL_BYTES);
    format_refusal(&out, status, problem);
    assert(!out.failed);
    ssize_t sent = send(guest->fd, out.data, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    bool answered = sent == (ssize_t)out.len;
    buf_finish(&out);
    log_debug("gate.refused client=%s status=%d", guest->client.name, status);
    if (!answered) {
        close_guest(guest);
        return;
    }
    guest->refused = true;
    guest->deadline_ms = clock_mono_ms() + LINGER_MS;
    setsockopt(guest->fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
    shutdown(guest->fd, SHUT_WR);
    wait_readable(guest);
}

/* Bounded by the deadline, and by one read a turn of the loop. */
static void drain(struct guest *guest)
{
    static char sink[65536];
    ssize_t got = recv(guest->fd, sink, sizeof sink, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        close_guest(guest);
    }
}

/* --- looking at heads --- */

/* The client is known for good only now, when a trusted proxy may have named it. */
static void name_client(struct guest *guest, const struct head *head)
{
    struct view lines[HEAD_MAX_FIELDS];
    size_t count = 0;
    for (size_t i = 0; i < head->field_count; i++) {
        if (head_same(head->fields[i].name, "x-forwarded-for")) {
            lines[count++] = head->fields[i].value;
        }
    }
    client_name(&guest->peer, lines, count, head_find(head, "forwarded") != NULL,
                guest->gate->settings.trusted_proxies, &guest->client);
}

static void hand_over(struct guest *guest, const char *bytes, const struct head *head)
{
    struct gate *gate = guest->gate;
    const int one = 1;
    if (client_trusted(&guest->peer, gate->settings.trusted_proxies)) {
        gate_leave(gate, guest->client.name);
        name_client(guest, head);
        size_t held = census_enter(&gate->census, guest->client.name);
        if (held > (size_t)gate->settings.connections_per_client) {
            refuse(guest, 503, "Too many connections from this address are open.");
            return;
        }
    } else {
        name_client(guest, head);
    }
    struct client client = guest->client;
    int fd = guest->fd;
    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
    release_guest(guest);
    gate->on_guest(&(struct gate_guest){fd, bytes, head, &client}, gate->context);
}

static void await_more(struct guest *guest, size_t have)
{
    int low = (int)have + 1;
    if (guest->polled && have <= guest->seen) {
        uv_poll_stop(&guest->poll);
        return;
    }
    guest->seen = have;
    setsockopt(guest->fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low);
    wait_readable(guest);
}

/* `ended`: the client will send no more. */
static void inspect(struct guest *guest, bool ended)
{
    static char bytes[HEAD_MAX_BYTES];
    static struct head head;
    ssize_t got = recv(guest->fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        close_guest(guest);
        return;
    }
    size_t have = got > 0 ? (size_t)got : 0;
    enum head_status status = head_scan(&guest->scan, bytes, have, &head.refusal);
    if (status == HEAD_OK) {
        status = head_parse(bytes, have, &head);
    }
    if (status == HEAD_OK) {
        hand_over(guest, bytes, &head);
    } else if (status == HEAD_BAD) {
        refuse(guest, head.refusal.status, head.refusal.problem);
    } else if (ended) {
        close_guest(guest);
    } else {
        await_more(guest, have);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct guest *guest = poll->data;
    if (status < 0) {
        close_guest(guest);
    } else if (guest->refused) {
        drain(guest);
    } else {
        inspect(guest, (events & UV_DISCONNECT) != 0);
    }
}

/* --- accepting --- */

static void on_sweep(uv_timer_t *timer);

static void start_sweep(struct gate *gate)
{
    if (!uv_is_active((uv_handle_t *)&gate->sweep) &&
        !uv_is_closing((uv_handle_t *)&gate->sweep)) {
        uv_timer_start(&gate->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    }
}

static void admit(struct gate *gate, int fd, const struct sockaddr_storage *address,
                  struct list *fresh)
{
    const int one = 1;
    struct guest *guest = mem_alloc(sizeof *guest);
    guest->gate = gate;
    guest->fd = fd;
    guest->deadline_ms = clock_mono_ms() + gate->settings.head_timeout_ms;
    client_address_of(address, &guest->peer);
    client_name(&guest->peer, NULL, 0, false, NULL, &guest->client);
    guest->held = census_enter(&gate->census, guest->client.name);
    guest->total = gate->census.total;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    list_append(fresh, &guest->node);
}

/* An overrun would else fill the log: a line a second at most. */
static void report_full(struct gate *gate)
{
    int64_t now = clock_mono_ms();
    if (gate->unreported > 0 && now - gate->reported_ms >= REPORT_MS) {
        log_warn("gate.full connections=%zu refused=%zu", gate->census.total, gate->unreported);
        gate->reported_ms = now;
        gate->unreported = 0;
    }
}

static void count_full(struct gate *gate)
{
    gate->unreported++;
    report_full(gate);
    start_sweep(gate); /* it reports those that no other follows */
}

/* A client over its cap is told so; one far over it, and so not listening, is just closed. A
 * trusted proxy speaks for many: those are counted when their heads name them. */
static void greet(struct guest *guest)
{
    const struct gate_settings *settings = &guest->gate->settings;
    size_t cap = (size_t)settings->connections_per_client;
    if (guest->total > (size_t)settings->connections_max) {
        count_full(guest->gate);
        refuse(guest, 503, "Too many connections are open.");
    } else if (guest->held <= cap || client_trusted(&guest->peer, settings->trusted_proxies)) {
        inspect(guest, false);
    } else if (guest->held <= 2 * cap) {
        refuse(guest, 503, "Too many connections from this address are open.");
    } else {
        log_debug("gate.dropped client=%s held=%zu", guest->client.name, guest->held);
        close_guest(guest);
    }
}

static void on_connection(uv_poll_t *poll, int status, int events);

static void listen_again(struct gate *gate)
{
    gate->paused = false;
    uv_poll_start(&gate->poll, UV_READABLE, on_connection);
}

static void pause_listening(struct gate *gate)
{
    gate->paused = true;
    uv_poll_stop(&gate->poll);
    start_sweep(gate);
}

/* There are no more descriptors: spends the spare one to turn one connection away. Somebody
 * else may have taken the descriptor before us; then only time helps. */
static void turn_away(struct gate *gate)
{
    if (gate->spare >= 0) {
        close(gate->spare);
    }
    int fd = accept4(gate->listener, NULL, NULL, SOCK_CLOEXEC);
    bool helped = fd >= 0 || (errno != EMFILE && errno != ENFILE);
    if (fd >= 0) {
        close(fd);
    }
    gate->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (!helped || gate->spare < 0) {
        pause_listening(gate);
    }
}

/* Never more descriptors than these: the rest of the daemon needs some too. */
static size_t places(const struct gate *gate)
{
    return (size_t)gate->settings.connections_max + EXTRA_PLACES;
}

/* False: look again when the listener is readable. */
static bool accept_one(struct gate *gate, struct list *fresh)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    int fd = accept4(gate->listener, (struct sockaddr *)&address, &len,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && gate->census.total >= places(gate)) {
        count_full(gate);
        close(fd);
        return true;
    }
    if (fd >= 0) {
        admit(gate, fd, &address, fresh);
        return true;
    }
    if (errno == EMFILE || errno == ENFILE) {
        count_full(gate);
        turn_away(gate);
    } else if (errno == ENOBUFS || errno == ENOMEM) {
        pause_listening(gate);
    }
    return errno == EINTR || errno == ECONNABORTED; /* that one is gone; the next may wait */
}

/* First all that wait are accepted, then they are looked at. A client that asks one thing after
 * the other would else be accepted again and again in here, while the loop does not get to see
 * that its earlier connections have ended, and run into its cap. */
static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct gate *gate = poll->data;
    struct list fresh;
    (void)status;
    (void)events;
    list_init(&fresh);
    for (int i = 0; i < ACCEPT_BATCH && accept_one(gate, &fresh); i++) {
    }
    LIST_EACH (&fresh, node, next) {
        list_remove(node);
        list_append(&gate->waiting, node);
        greet(LIST_OBJECT(node, struct guest, node));
    }
    if (!list_empty(&gate->waiting)) {
        start_sweep(gate);
    }
}

static void expire(struct guest *guest)
{
    if (guest->refused || guest->scan.at == 0) {
        close_guest(guest); /* nobody to answer: drained long enough, or it never spoke */
    } else {
        refuse(guest, 408, "The request did not arrive in time.");
    }
}

static bool asleep(const struct guest *guest)
{
    return guest->polled && !uv_is_active((const uv_handle_t *)&guest->poll);
}

static void on_sweep(uv_timer_t *timer)
{
    struct gate *gate = timer->data;
    int64_t now = clock_mono_ms();
    LIST_EACH (&gate->waiting, node, next) {
        struct guest *guest = LIST_OBJECT(node, struct guest, node);
        if (now >= guest->deadline_ms) {
            expire(guest);
        } else if (asleep(guest)) {
            inspect(guest, false);
        }
    }
    if (gate->paused && gate->listener >= 0) {
        listen_again(gate);
    }
    report_full(gate);
    if (list_empty(&gate->waiting) && gate->unreported == 0) {
        uv_timer_stop(timer);
    }
}

/* --- open and close --- */

static bool parse_address(const struct gate_settings *settings,
                          struct sockaddr_storage *address)
{
    memset(address, 0, sizeof *address);
    return uv_ip4_addr(settings->host, settings->port, (struct sockaddr_in *)(void *)address) ==
               0 ||
           uv_ip6_addr(settings->host, settings->port,
                       (struct sockaddr_in6 *)(void *)address) == 0;
}

static int bound_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    memset(&address, 0, sizeof address);
    getsockname(fd, (struct sockaddr *)&address, &len);
    return ntohs(address.ss_family == AF_INET6
                     ? ((struct sockaddr_in6 *)(void *)&address)->sin6_port
                     : ((struct sockaddr_in *)(void *)&address)->sin_port);
}

/* Somebody else has made it, and may go on to use it: closing our descriptor, whoever knocks
 * waits in its backlog for the next that takes it. */
static int take_listener(int fd, struct err *err)
{
    int listens = 0;
    int family = 0;
    socklen_t len = sizeof listens;
    bool ok = getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 &&
              getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) == 0 && listens != 0 &&
              (family == AF_INET || family == AF_INET6);
    if (!ok || fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        err_set(err, "cannot_listen", "descriptor %d is no listening TCP socket", fd);
        return -1;
    }
    return fd;
}

/* The listening socket, or -1. */
static int open_listener(const struct gate_settings *settings, struct err *err)
{
    struct sockaddr_storage address;
    const int one = 1;
    if (!parse_address(settings, &address)) {
        err_set(err, "bad_address", "%s is no IP address to listen on", settings->host);
        return -1;
    }
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t len = address.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                  : sizeof(struct sockaddr_in);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, BACKLOG) != 0) {
        err_set(err, "cannot_listen", "cannot listen on %s port %d: %s", settings->host,
                settings->port, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

struct gate *gate_open(const struct gate_settings *settings, gate_on_guest *on_guest,
                       void *context, struct err *err)
{
    int listener = settings->inherited_fd > 0 ? take_listener(settings->inherited_fd, err)
                                              : open_listener(settings, err);
    if (listener < 0) {
        return NULL;
    }
    struct gate *gate = mem_alloc(sizeof *gate);
    gate->settings = *settings;
    gate->settings.host = NULL; /* the caller's, and not needed any more */
    gate->on_guest = on_guest;
    gate->context = context;
    gate->listener = listener;
    gate->port = bound_port(listener);
    gate->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    list_init(&gate->waiting);
    census_init(&gate->census);
    uv_timer_init(settings->loop, &gate->sweep);
    gate->sweep.data = gate;
    uv_poll_init_socket(settings->loop, &gate->poll, listener);
    gate->poll.data = gate;
    listen_again(gate);
    return gate;
}

int gate_port(const struct gate *gate)
{
    return gate->port;
}

size_t gate_connections(const struct gate *gate)
{
    return gate->census.total;
}

void gate_leave(struct gate *gate, const char *client)
{
    census_leave(&gate->census, client);
}

void gate_stop_accepting(struct gate *gate)
{
    if (gate->listener >= 0) {
        uv_close((uv_handle_t *)&gate->poll, NULL);
        close(gate->listener);
        gate->listener = -1;
    }
}

void gate_close(struct gate *gate)
{
    gate_stop_accepting(gate);
    LIST_EACH (&gate->waiting, node, next) {
        close_guest(LIST_OBJECT(node, struct guest, node));
    }
    if (!uv_is_closing((uv_handle_t *)&gate->sweep)) {
        uv_close((uv_handle_t *)&gate->sweep, NULL);
    }
}

void gate_finish(struct gate *gate)
{
    if (gate == NULL) {
        return;
    }
    assert(list_empty(&gate->waiting) && gate->listener < 0);
    if (gate->spare >= 0) {
        close(gate->spare);
    }
    census_finish(&gate->census);
    free(gate);
}
