/* See frame.h. */
#include "room/frame.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

#define VARUINT_MAX 8 /* bytes, for lengths and types */

void frame_must(enum yc_status status)
{
    if (status != YC_OK) {
        log_error("room.failed reason=\"%s\"", yc_status_text(status));
        abort();
    }
}

void frame_keep(struct yc_buf *buf, struct yc_slice bytes)
{
    yc_buf_free(buf);
    if (bytes.len > 0) {
        buf->data = (uint8_t *)mem_copy((const char *)bytes.data, bytes.len);
        buf->len = bytes.len;
        buf->cap = bytes.len;
    }
}

static bool read_varuint(struct view *rest, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; rest->len > 0 && shift < 7 * VARUINT_MAX; shift += 7) {
        uint8_t byte = (uint8_t)*rest->at;
        *rest = (struct view){rest->at + 1, rest->len - 1};
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return *value < UINT64_C(1) << 53;
        }
    }
    return false;
}

static size_t write_varuint(uint8_t *out, uint64_t value)
{
    size_t len = 0;
    while (value >= 0x80) {
        out[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[len++] = (uint8_t)value;
    return len;
}

/* Takes bytes with their length in front off what is left. */
static bool read_bytes(struct view *rest, struct view *bytes)
{
    uint64_t len;
    if (!read_varuint(rest, &len) || len > rest->len) {
        return false;
    }
    *bytes = (struct view){rest->at, (size_t)len};
    *rest = (struct view){rest->at + len, rest->len - (size_t)len};
    return true;
}

/* A sync message is a kind and bytes; where it ends is found here, what it says by yc_sync_read. */
static bool read_sync(struct view *rest, struct yc_slice *body)
{
    const char *begin = rest->at;
    uint64_t kind;
    struct view bytes;
    if (!read_varuint(rest, &kind) || !read_bytes(rest, &bytes)) {
        return false;
    }
    *body = (struct yc_slice){(const uint8_t *)begin, (size_t)(rest->at - begin)};
    return true;
}

bool frame_read(struct view bytes, struct frame *frame)
{
    uint64_t type;
    struct view body = {"", 0};
    *frame = (struct frame){.type = FRAME_UNKNOWN};
    frame->rest = bytes;
    if (!read_varuint(&frame->rest, &type)) {
        return false;
    }
    switch (type) {
    case FRAME_SYNC:
        frame->type = FRAME_SYNC;
        return read_sync(&frame->rest, &frame->body);
    case FRAME_ROOM:
        if (read_bytes(&frame->rest, &body)) {
            frame->type = FRAME_ROOM;
            frame->body = slice_of(body);
        }
        return true; /* nobody but a daemon says it */
    case FRAME_AWARENESS:
        frame->type = FRAME_AWARENESS;
        if (!read_bytes(&frame->rest, &body)) {
            return false;
        }
        frame->body = slice_of(body);
        return true;
    case FRAME_QUERY:
        frame->type = FRAME_QUERY;
        return true;
    default:
        return true;
    }
}

struct ws_message *frame_sync(enum yc_sync_kind kind, struct yc_slice body)
{
    uint8_t head[2 + VARUINT_MAX + 2] = {FRAME_SYNC, (uint8_t)kind};
    size_t len = 2 + write_varuint(head + 2, body.len);
    return ws_message_create((struct view){(char *)head, len}, view_of_slice(body));
}

struct ws_message *frame_awareness(struct yc_slice update)
{
    uint8_t head[1 + VARUINT_MAX + 2] = {FRAME_AWARENESS};
    size_t len = 1 + write_varuint(head + 1, update.len);
    return ws_message_create((struct view){(char *)head, len}, view_of_slice(update));
}

struct ws_message *frame_room(struct view json)
{
    uint8_t head[1 + VARUINT_MAX + 2] = {FRAME_ROOM};
    size_t len = 1 + write_varuint(head + 1, json.len);
    return ws_message_create((struct view){(char *)head, len}, json);
}
