#include "people.h"

#include "gauge.h"
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE (60 * SECOND)
#define BREATH (20 * SECOND)
#define CHUNK 65536
#define EVENTS 256
#define NAME_MAX_BYTES 64

/* People from one address: less than what a server may allow a client. */
#define PEOPLE_PER_ADDRESS 150

enum { MESSAGE_SYNC = 0, MESSAGE_AWARENESS = 1, MESSAGE_AUTH = 2, MESSAGE_SYNC_REPLY = 4 };
enum { SYNC_STEP_1 = 0, SYNC_STEP_2 = 1, SYNC_UPDATE = 2 };
enum { AUTH_TOKEN = 0, AUTH_DENIED = 1, AUTH_GRANTED = 2 };

static const struct dialect dialects[] = {
    {"collab", "/collab/", false},
    {"y-websocket", "/", false},
    {"hocuspocus", "/", true},
};

const struct dialect *dialect_named(const char *name)
{
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        if (strcmp(dialects[i].name, name) == 0) {
            return &dialects[i];
        }
    }
    fail("there is no dialect %s", name);
}

/* --- bytes ----------------------------------------------------------------------------------- */

static void bytes_add(struct bytes *bytes, const void *more, size_t len)
{
    if (bytes->len + len > bytes->cap) {
        bytes->cap = 2 * bytes->cap + len;
        bytes->at = realloc(bytes->at, bytes->cap);
        if (bytes->at == NULL) {
            fail("no memory");
        }
    }
    memcpy(bytes->at + bytes->len, more, len);
    bytes->len += len;
}

static void bytes_drop(struct bytes *bytes)
{
    free(bytes->at);
    *bytes = (struct bytes){0};
}

/* --- sending --------------------------------------------------------------------------------- */

static void await(const struct people *people, struct person *person, uint32_t events, int how)
{
    struct epoll_event event = {.events = events, .data = {.ptr = person}};
    if (epoll_ctl(people->epoll, how, person->socket, &event) != 0) {
        fail("epoll_ctl: %s", strerror(errno));
    }
}

static size_t send_now(const struct person *person, const uint8_t *bytes, size_t len)
{
    const ssize_t sent = send(person->socket, bytes, len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        fail("person %u: send: %s", person->number, strerror(errno));
    }
    return sent < 0 ? 0 : (size_t)sent;
}

static void send_bytes(const struct people *people, struct person *person, const uint8_t *bytes,
                       size_t len)
{
    if (person->out.len == 0) {
        const size_t sent = send_now(person, bytes, len);
        if (sent == len) {
            return;
        }
        bytes += sent;
        len -= sent;
        await(people, person, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
    }
    bytes_add(&person->out, bytes, len);
}

static void send_rest(const struct people *people, struct person *person)
{
    const size_t sent = send_now(person, person->out.at, person->out.len);
    person->out.len -= sent;
    memmove(person->out.at, person->out.at + sent, person->out.len);
    if (person->out.len == 0) {
        bytes_drop(&person->out);
        await(people, person, EPOLLIN, EPOLL_CTL_MOD);
    }
}

static void send_frame(const struct people *people, struct person *person, uint8_t opcode,
                       const uint8_t *payload, size_t len)
{
    uint8_t small[512];
    uint8_t *frame = small;
    if (len + HEADER_MAX > sizeof small) {
        frame = malloc(len + HEADER_MAX);
        if (frame == NULL) {
            fail("no memory");
        }
    }
    const uint8_t *end = frame_masked(frame, opcode, payload, len);
    send_bytes(people, person, frame, (size_t)(end - frame));
    if (frame != small) {
        free(frame);
    }
}

/* --- messages of a client -------------------------------------------------------------------- */

static size_t room_name(const struct people *people, const struct person *person, char *name)
{
    return (size_t)snprintf(name, NAME_MAX_BYTES, "bench-%s-%u", people->tag, person->room);
}

static uint8_t *message_begin(const struct people *people, const struct person *person,
                              uint8_t *out, uint64_t type)
{
    if (people->dialect->addressed) {
        char name[NAME_MAX_BYTES];
        out = write_bytes(out, name, room_name(people, person, name));
    }
    return write_uint(out, type);
}

static void send_sync(const struct people *people, struct person *person, uint64_t step,
                      const uint8_t *body, size_t len)
{
    uint8_t small[256];
    const bool large = len + NAME_MAX_BYTES + HEADER_MAX > sizeof small;
    uint8_t *message = large ? malloc(len + NAME_MAX_BYTES + HEADER_MAX) : small;
    if (message == NULL) {
        fail("no memory");
    }
    uint8_t *at = message_begin(people, person, message, MESSAGE_SYNC);
    at = write_uint(at, step);
    at = write_bytes(at, body, len);
    send_frame(people, person, OPCODE_BINARY, message, (size_t)(at - message));
    if (large) {
        free(message);
    }
}

static void send_step_1(const struct people *people, struct person *person)
{
    static const uint8_t nothing[] = {0};
    send_sync(people, person, SYNC_STEP_1, nothing, sizeof nothing);
}

static void send_step_2(const struct people *people, struct person *person)
{
    static const uint8_t nothing[] = {0, 0};
    if (person->offline == NULL) {
        send_sync(people, person, SYNC_STEP_2, nothing, sizeof nothing);
    } else {
        send_sync(people, person, SYNC_STEP_2, person->offline->at, person->offline->len);
    }
}

static void send_presence(const struct people *people, struct person *person)
{
    char state[96];
    const int len =
        snprintf(state, sizeof state,
                 "{\"user\":{\"name\":\"Person %u\",\"color\":\"#30bced\"}}", person->number);
    uint8_t update[160];
    uint8_t *at = write_uint(update, 1);
    at = write_uint(at, person->client);
    at = write_uint(at, 1);
    at = write_bytes(at, state, (size_t)len);
    uint8_t message[256];
    uint8_t *end = message_begin(people, person, message, MESSAGE_AWARENESS);
    end = write_bytes(end, update, (size_t)(at - update));
    send_frame(people, person, OPCODE_BINARY, message, (size_t)(end - message));
}

static void send_token(const struct people *people, struct person *person)
{
    uint8_t message[256];
    uint8_t *at = message_begin(people, person, message, MESSAGE_AUTH);
    at = write_uint(at, AUTH_TOKEN);
    at = write_bytes(at, "token", 5);
    send_frame(people, person, OPCODE_BINARY, message, (size_t)(at - message));
}

/* Says nothing, but says it: some servers close connections that are silent for a minute. */
static void send_breath(const struct people *people, struct person *person)
{
    uint8_t message[NAME_MAX_BYTES + 8];
    uint8_t *at = message_begin(people, person, message, MESSAGE_AWARENESS);
    at = write_bytes(at, "", 1);
    send_frame(people, person, OPCODE_BINARY, message, (size_t)(at - message));
}

static void begin_sync(const struct people *people, struct person *person)
{
    send_step_1(people, person);
    if (person->present) {
        send_presence(people, person);
    }
}

/* --- messages of a server -------------------------------------------------------------------- */

struct hearing {
    const struct people *people;
    struct person *person;
};

static void heard(void *context, uint64_t client, uint64_t clock, uint64_t count)
{
    const struct hearing *hearing = context;
    hearing->people->heard(hearing->person, client, clock, count);
}

static void on_answer(struct people *people, struct person *person, size_t len)
{
    person->synced_bytes = len;
    person->answers += 1;
    if (person->stage == STAGE_SYNCING) {
        person->stage = STAGE_SYNCED;
        person->synced_ns = now_ns();
        people->synced += 1;
    }
}

static void on_sync(struct people *people, struct person *person, struct reader *reader)
{
    const uint64_t step = read_uint(reader);
    size_t len;
    const uint8_t *body = read_bytes(reader, &len);
    if (reader->bad || step > SYNC_UPDATE) {
        fail("person %u: a sync message that is none", person->number);
    }
    if (step == SYNC_STEP_1) {
        send_step_2(people, person);
    } else if (step == SYNC_STEP_2) {
        on_answer(people, person, len);
    } else if (people->heard != NULL && person->stage == STAGE_SYNCED) {
        struct hearing hearing = {people, person};
        if (!update_read(body, len, heard, &hearing)) {
            fail("person %u: an update that nobody made", person->number);
        }
    }
}

static void on_auth(const struct people *people, struct person *person, struct reader *reader)
{
    if (read_uint(reader) != AUTH_GRANTED) {
        fail("person %u: denied", person->number);
    }
    begin_sync(people, person);
}

static void on_message(struct people *people, struct person *person, const uint8_t *bytes,
                       size_t len)
{
    struct reader reader = {.at = bytes, .end = bytes + len};
    if (people->dialect->addressed) {
        size_t name_len;
        read_bytes(&reader, &name_len);
    }
    const uint64_t type = read_uint(&reader);
    if (type == MESSAGE_SYNC || (people->dialect->addressed && type == MESSAGE_SYNC_REPLY)) {
        on_sync(people, person, &reader);
    } else if (type == MESSAGE_AUTH) {
        on_auth(people, person, &reader);
    }
}

static void on_frame(struct people *people, struct person *person, const struct frame *frame)
{
    if (frame->opcode == OPCODE_PING) {
        send_frame(people, person, OPCODE_PONG, frame->payload, frame->len);
    } else if (frame->opcode == OPCODE_CLOSE) {
        const uint8_t *payload = frame->payload;
        const unsigned code = frame->len < 2 ? 1005 : (unsigned)payload[0] << 8 | payload[1];
        const size_t len = frame->len < 2 ? 0 : frame->len - 2;
        fail("person %u: closed with %u %.*s", person->number, code, (int)len,
             len == 0 ? "" : (const char *)payload + 2);
    } else if (frame->opcode == OPCODE_BINARY && frame->last) {
        on_message(people, person, frame->payload, frame->len);
    } else if (frame->opcode == OPCODE_BINARY || frame->opcode == OPCODE_MORE) {
        bytes_add(&person->message, frame->payload, frame->len);
        if (frame->last) {
            on_message(people, person, person->message.at, person->message.len);
            bytes_drop(&person->message);
        }
    } else if (frame->opcode != OPCODE_PONG) {
        fail("person %u: a frame with opcode %u", person->number, frame->opcode);
    }
}

/* --- receiving ------------------------------------------------------------------------------- */

/* The length of the reply's head, or 0 if it is not complete. */
static size_t on_head(struct people *people, struct person *person, const uint8_t *bytes,
                      size_t len)
{
    const uint8_t *end = memmem(bytes, len, "\r\n\r\n", 4);
    if (end == NULL) {
        return 0;
    }
    const char *head = (const char *)bytes;
    if (len < 12 || strncmp(head, "HTTP/1.1 101", 12) != 0) {
        fail("person %u: refused: %.*s", person->number, (int)len, head);
    }
    person->stage = STAGE_SYNCING;
    people->upgraded += 1;
    if (people->dialect->addressed) {
        send_token(people, person);
    } else {
        begin_sync(people, person);
    }
    return (size_t)(end - bytes) + 4;
}

/* Returns how many of the bytes were taken. */
static size_t take(struct people *people, struct person *person, const uint8_t *bytes,
                   size_t len)
{
    size_t taken = 0;
    while (taken < len) {
        struct frame frame;
        size_t step;
        if (person->stage == STAGE_UPGRADING) {
            step = on_head(people, person, bytes + taken, len - taken);
        } else {
            step = frame_read(bytes + taken, len - taken, &frame);
            if (step > 0) {
                on_frame(people, person, &frame);
            }
        }
        if (step == 0) {
            break;
        }
        taken += step;
    }
    return taken;
}

static void on_bytes(struct people *people, struct person *person, const uint8_t *bytes,
                     size_t len)
{
    if (person->in.len == 0) {
        const size_t taken = take(people, person, bytes, len);
        if (taken < len) {
            bytes_add(&person->in, bytes + taken, len - taken);
        }
        return;
    }
    bytes_add(&person->in, bytes, len);
    const size_t taken = take(people, person, person->in.at, person->in.len);
    person->in.len -= taken;
    if (person->in.len == 0) {
        bytes_drop(&person->in);
    } else if (taken > 0) {
        memmove(person->in.at, person->in.at + taken, person->in.len);
    }
}

static void forget(struct people *people, struct person *person)
{
    close(person->socket);
    bytes_drop(&person->in);
    bytes_drop(&person->message);
    bytes_drop(&person->out);
    person->stage = STAGE_GONE;
    people->gone += 1;
}

static void receive(struct people *people, struct person *person)
{
    static uint8_t chunk[CHUNK];
    const ssize_t len = recv(person->socket, chunk, sizeof chunk, 0);
    if (person->stage == STAGE_LEAVING) {
        if (len == 0 || (len < 0 && errno != EAGAIN)) {
            forget(people, person);
        }
    } else if (len > 0) {
        on_bytes(people, person, chunk, (size_t)len);
    } else if (len == 0) {
        fail("person %u: the connection ended", person->number);
    } else if (errno != EAGAIN) {
        fail("person %u: %s", person->number, strerror(errno));
    }
}

/* --- entering -------------------------------------------------------------------------------- */

static void connect_person(const struct people *people, struct person *person)
{
    const uint32_t address = 0x7f000002U + person->number / PEOPLE_PER_ADDRESS;
    const struct sockaddr_in from = {
        .sin_family = AF_INET,
        .sin_addr = {.s_addr = htonl(address)},
    };
    const int yes = 1;
    person->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (person->socket < 0) {
        fail("socket: %s", strerror(errno));
    }
    setsockopt(person->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(person->socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (bind(person->socket, (const struct sockaddr *)&from, sizeof from) != 0) {
        fail("bind: %s", strerror(errno));
    }
    person->began_ns = now_ns();
    person->stage = STAGE_CONNECTING;
    const struct sockaddr *to = (const struct sockaddr *)&people->server;
    if (connect(person->socket, to, sizeof people->server) != 0 && errno != EINPROGRESS) {
        fail("connect: %s", strerror(errno));
    }
    await(people, person, EPOLLOUT, EPOLL_CTL_ADD);
}

static void on_connected(const struct people *people, struct person *person)
{
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(person->socket, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error != 0) {
        fail("person %u: connect: %s", person->number, strerror(error));
    }
    char name[NAME_MAX_BYTES] = "";
    if (!people->dialect->addressed) {
        room_name(people, person, name);
    }
    const unsigned port = ntohs(people->server.sin_port);
    char request[512];
    const int request_len = snprintf(request, sizeof request,
                                     "GET %s%s HTTP/1.1\r\n"
                                     "Host: 127.0.0.1:%u\r\n"
                                     "Origin: http://127.0.0.1:%u\r\n"
                                     "Connection: Upgrade\r\n"
                                     "Upgrade: websocket\r\n"
                                     "Sec-WebSocket-Version: 13\r\n"
                                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                                     people->dialect->path, name, port, port);
    person->stage = STAGE_UPGRADING;
    await(people, person, EPOLLIN, EPOLL_CTL_MOD);
    send_bytes(people, person, (const uint8_t *)request, (size_t)request_len);
}

static void on_event(struct people *people, struct person *person, uint32_t events)
{
    if (person->stage == STAGE_CONNECTING) {
        on_connected(people, person);
        return;
    }
    if ((events & EPOLLOUT) != 0 && person->out.len > 0) {
        send_rest(people, person);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        receive(people, person);
    }
}

void people_turn(struct people *people, uint64_t wait_ns)
{
    struct epoll_event events[EVENTS];
    const struct timespec wait = {
        .tv_sec = (time_t)(wait_ns / SECOND),
        .tv_nsec = (long)(wait_ns % SECOND),
    };
    const int count = epoll_pwait2(people->epoll, events, EVENTS, &wait, NULL);
    if (count < 0 && errno != EINTR) {
        fail("epoll_pwait2: %s", strerror(errno));
    }
    for (int i = 0; i < count; i++) {
        on_event(people, events[i].data.ptr, events[i].events);
    }
}

static void breathe(struct people *people)
{
    for (size_t i = 0; i < people->count; i++) {
        if (people->list[i].stage == STAGE_SYNCED) {
            send_breath(people, &people->list[i]);
        }
    }
}

void people_enter(struct people *people, size_t from, size_t count, size_t window)
{
    const size_t upgraded = people->upgraded;
    const size_t wanted = people->synced + count;
    size_t begun = 0;
    uint64_t deadline = now_ns() + PATIENCE;
    uint64_t breath = now_ns() + BREATH;
    size_t last = people->synced;
    while (people->synced < wanted) {
        while (begun < count && begun - (people->upgraded - upgraded) < window) {
            connect_person(people, &people->list[from + begun]);
            begun += 1;
        }
        people_turn(people, SECOND);
        if (people->synced > last) {
            last = people->synced;
            deadline = now_ns() + PATIENCE;
        } else if (now_ns() > deadline) {
            fail("%zu of %zu people are not synced", wanted - people->synced, count);
        }
        if (now_ns() > breath) {
            breathe(people);
            breath = now_ns() + BREATH;
        }
    }
}

void people_leave(struct people *people, size_t from, size_t count)
{
    static const uint8_t going_away[] = {1001 >> 8, 1001 & 255};
    for (size_t i = from; i < from + count; i++) {
        struct person *person = &people->list[i];
        send_frame(people, person, OPCODE_CLOSE, going_away, sizeof going_away);
        shutdown(person->socket, SHUT_WR);
        person->stage = STAGE_LEAVING;
    }
    const size_t wanted = people->gone + count;
    const uint64_t deadline = now_ns() + PATIENCE;
    while (people->gone < wanted) {
        people_turn(people, SECOND);
        if (now_ns() > deadline) {
            fail("%zu of %zu connections are not closed", wanted - people->gone, count);
        }
    }
    people->synced -= count;
}

/* --- what people do -------------------------------------------------------------------------- */

void person_ask(struct people *people, struct person *person)
{
    const uint32_t answers = person->answers;
    const uint64_t deadline = now_ns() + PATIENCE;
    send_step_1(people, person);
    while (person->answers == answers) {
        people_turn(people, SECOND);
        if (now_ns() > deadline) {
            fail("no answer to sync step 1");
        }
    }
}

void person_type(struct people *people, struct person *person, uint64_t clock)
{
    uint8_t update[UPDATE_MAX];
    send_sync(people, person, SYNC_UPDATE, update,
              update_append(update, person->client, clock));
}

void people_init(struct people *people, const struct dialect *dialect, uint16_t port,
                 const char *tag, size_t count, size_t each)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < count + 16) {
        fail("%zu people need more open files than the %lu that are allowed", count,
             (unsigned long)files.rlim_cur);
    }
    *people = (struct people){
        .dialect = dialect,
        .server = {.sin_family = AF_INET,
                   .sin_port = htons(port),
                   .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}},
        .tag = tag,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .list = calloc(count, sizeof *people->list),
        .count = count,
    };
    if (people->epoll < 0 || people->list == NULL) {
        fail("no memory");
    }
    for (size_t i = 0; i < count; i++) {
        people->list[i] = (struct person){
            .number = (uint32_t)i,
            .room = (uint32_t)(i / each),
            .client = 0x40000000U + i,
            .socket = -1,
        };
    }
}

void people_finish(struct people *people)
{
    for (size_t i = 0; i < people->count; i++) {
        if (people->list[i].stage != STAGE_NEW && people->list[i].stage != STAGE_GONE) {
            forget(people, &people->list[i]);
        }
    }
    close(people->epoll);
    free(people->list);
}
