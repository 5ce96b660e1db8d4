/* See container.h. Slot thread. */
#include "run/container.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "run/stream.h"

#define HEAD_MS 3000
#define READ_BYTES 16384u
#define SEND_MAX_BYTES                                                                         \
    ((size_t)512 * 1024) /* source and stdin at their largest, and their heads */

struct container {
    char id[DOCKER_ID_LEN + 1];
    struct docker_attach *attach;
    struct stream stream;
    bool open;      /* the response head was read */
    bool broken;    /* malformed input */
    bool lost;      /* end of input, or a write failed */
    struct buf in;  /* what the supervisor wrote, from an unparsed frame on */
    size_t parsed;  /* bytes at the start of `in` that are done with */
    struct buf out; /* not yet written to the supervisor */
    char complaint[200];
    size_t complaint_len;
};

const char *container_id(const struct container *container)
{
    return container->id;
}

int container_fd(const struct container *container)
{
    return docker_attach_fd(container->attach);
}

bool container_wants_write(const struct container *container)
{
    return container->out.len > 0;
}

const char *container_complaint(const struct container *container)
{
    return container->complaint;
}

void container_close(struct container *container)
{
    if (container != NULL) {
        docker_attach_close(container->attach);
        buf_finish(&container->in);
        buf_finish(&container->out);
        free(container);
    }
}

/* --- reading ------------------------------------------------------------------------------ */

static void complain(struct container *container, struct view bytes)
{
    size_t room = sizeof container->complaint - 1 - container->complaint_len;
    size_t take = bytes.len < room ? bytes.len : room;
    memcpy(container->complaint + container->complaint_len, bytes.at, take);
    container->complaint_len += take;
}

static void accept_bytes(struct container *container, struct view input)
{
    struct stream_piece piece;
    for (;;) {
        switch (stream_next(&container->stream, &input, &piece)) {
        case STREAM_NEED_MORE:
            return;
        case STREAM_OPEN:
            container->open = true;
            break;
        case STREAM_PIECE:
            if (piece.channel == STREAM_STDERR) {
                complain(container, piece.bytes);
            } else {
                buf_append(&container->in, piece.bytes.at, piece.bytes.len);
            }
            break;
        case STREAM_FAILED:
            container->broken = true;
            return;
        }
    }
}

/* Returns true if bytes came. */
static bool read_some(struct container *container)
{
    char bytes[READ_BYTES];
    ssize_t len = recv(container_fd(container), bytes, sizeof bytes, MSG_DONTWAIT);
    if (len > 0) {
        accept_bytes(container, (struct view){bytes, (size_t)len});
        return true;
    }
    if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
        container->lost = true;
    }
    return false;
}

static enum frame_parse parse_next(struct container *container, struct frame *frame)
{
    size_t used = 0;
    struct view rest = buf_view(&container->in);
    rest.at += container->parsed;
    rest.len -= container->parsed;
    enum frame_parse result =
        frame_parse(FRAME_FROM_SUPERVISOR, (const uint8_t *)rest.at, rest.len, frame, &used);
    container->parsed += result == FRAME_OK ? used : 0;
    return result;
}

enum container_news container_next(struct container *container, struct frame *frame)
{
    for (;;) {
        enum frame_parse result = parse_next(container, frame);
        if (result == FRAME_OK) {
            return CONTAINER_FRAME;
        }
        if (result == FRAME_MALFORMED || container->broken) {
            container->broken = true;
            return CONTAINER_BROKEN;
        }
        buf_consume(&container->in, container->parsed);
        container->parsed = 0;
        if (container->lost || !read_some(container)) {
            return container->lost ? CONTAINER_LOST : CONTAINER_QUIET;
        }
    }
}

/* --- writing ------------------------------------------------------------------------------ */

void container_write(struct container *container)
{
    while (container->out.len > 0) {
        ssize_t len = send(container_fd(container), container->out.data, container->out.len,
                           MSG_DONTWAIT | MSG_NOSIGNAL);
        if (len < 0) {
            container->lost = container->lost || (errno != EAGAIN && errno != EINTR);
            return;
        }
        buf_consume(&container->out, (size_t)len);
    }
}

void container_send(struct container *container, enum frame_type type, struct view payload)
{
    do {
        uint32_t len =
            payload.len < FRAME_MAX_PAYLOAD ? (uint32_t)payload.len : FRAME_MAX_PAYLOAD;
        uint8_t head[FRAME_HEAD_BYTES];
        frame_write_head(head, type, len);
        buf_append(&container->out, head, sizeof head);
        buf_append(&container->out, payload.at, len);
        payload.at += len;
        payload.len -= len;
    } while (payload.len > 0);
    container_write(container);
}

/* --- life --------------------------------------------------------------------------------- */

static bool await_head(struct container *container, struct err *err)
{
    int64_t give_up_at = clock_mono_ms() + HEAD_MS;
    while (!container->open && !container->broken && !container->lost) {
        int64_t left = give_up_at - clock_mono_ms();
        struct pollfd fd = {container_fd(container), POLLIN, 0};
        if (left <= 0 || (poll(&fd, 1, (int)left) < 0 && errno != EINTR)) {
            break;
        }
        read_some(container);
    }
    if (container->open) {
        return true;
    }
    if (container->broken) {
        return err_set(err, "engine_refused", "the Docker Engine refused to attach (HTTP %d)",
                       stream_status(&container->stream));
    }
    return err_set(err, "engine_down", "the Docker Engine does not answer an attach");
}

struct container *container_create(struct docker *docker, const char *body,
                                   struct docker_created *created, struct err *err)
{
    created->id[0] = '\0';
    if (!docker_container_create(docker, body, created, err)) {
        return NULL;
    }
    struct container *container = mem_alloc(sizeof *container);
    memcpy(container->id, created->id, sizeof container->id);
    stream_init(&container->stream);
    buf_init(&container->in, FRAME_HEAD_BYTES + FRAME_MAX_PAYLOAD + READ_BYTES);
    buf_init(&container->out, SEND_MAX_BYTES);
    container->attach = docker_attach(docker, container->id, err);
    if (container->attach == NULL || !await_head(container, err)) {
        container_close(container);
        return NULL;
    }
    return container;
}

bool container_start(struct container *container, struct docker *docker, struct err *err)
{
    return docker_container_start(docker, container->id, err);
}
