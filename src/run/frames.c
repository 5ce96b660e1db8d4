/* See frames.h. Pure; the slot's thread outside and the supervisor inside both run it. */
#include "run/frames.h"

static const struct kind {
    enum frame_type type;
    enum frame_side side;
    uint32_t min_len;
    uint32_t max_len;
} kinds[] = {
    {FRAME_SOURCE, FRAME_TO_SUPERVISOR, 0, FRAME_MAX_PAYLOAD},
    {FRAME_STDIN, FRAME_TO_SUPERVISOR, 0, FRAME_MAX_PAYLOAD},
    {FRAME_STDIN_END, FRAME_TO_SUPERVISOR, 0, 0},
    {FRAME_INTERRUPT, FRAME_TO_SUPERVISOR, 0, 0},
    {FRAME_KILL, FRAME_TO_SUPERVISOR, 0, 0},
    {FRAME_READY, FRAME_FROM_SUPERVISOR, 0, 0},
    {FRAME_STARTED, FRAME_FROM_SUPERVISOR, 0, 0},
    {FRAME_WAITING, FRAME_FROM_SUPERVISOR, 0, 0},
    {FRAME_RESUMED, FRAME_FROM_SUPERVISOR, 0, 0},
    {FRAME_STDOUT, FRAME_FROM_SUPERVISOR, 1, FRAME_MAX_PAYLOAD},
    {FRAME_STDERR, FRAME_FROM_SUPERVISOR, 1, FRAME_MAX_PAYLOAD},
    {FRAME_END, FRAME_FROM_SUPERVISOR, FRAME_END_BYTES, FRAME_END_BYTES},
};

#define EXIT_CODE_MAX 255
#define SIGNAL_MAX 64

static const struct kind *find_kind(enum frame_side side, uint8_t type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].side == side && kinds[i].type == type) {
            return &kinds[i];
        }
    }
    return NULL;
}

static uint8_t *put(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
    return at + bytes;
}

static uint64_t take(const uint8_t **at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) {
        value = value << 8 | (*at)[i];
    }
    *at += bytes;
    return value;
}

enum frame_parse frame_parse(enum frame_side side, const uint8_t *bytes, size_t len,
                             struct frame *frame, size_t *used)
{
    if (len == 0) {
        return FRAME_NEED_MORE;
    }
    const struct kind *kind = find_kind(side, bytes[0]);
    if (kind == NULL) {
        return FRAME_MALFORMED;
    }
    if (len < FRAME_HEAD_BYTES) {
        return FRAME_NEED_MORE;
    }
    const uint8_t *at = bytes + 1;
    uint32_t payload_len = (uint32_t)take(&at, 4);
    if (payload_len < kind->min_len || payload_len > kind->max_len) {
        return FRAME_MALFORMED;
    }
    if (len - FRAME_HEAD_BYTES < payload_len) {
        return FRAME_NEED_MORE;
    }
    *frame = (struct frame){.type = kind->type, .payload = at, .len = payload_len};
    *used = FRAME_HEAD_BYTES + payload_len;
    return FRAME_OK;
}

void frame_write_head(uint8_t out[FRAME_HEAD_BYTES], enum frame_type type, uint32_t len)
{
    out[0] = (uint8_t)type;
    put(out + 1, len, 4);
}

void frame_write_end(uint8_t out[FRAME_END_BYTES], const struct frame_end *end)
{
    uint8_t *at = put(out, (uint32_t)end->exit_code, 4);
    at = put(at, (uint32_t)end->signal, 4);
    at = put(at, end->wall_us, 8);
    at = put(at, end->waited_us, 8);
    at = put(at, end->cpu_us, 8);
    at = put(at, end->memory_bytes, 8);
    at = put(at, end->dropped_bytes, 8);
    at = put(at, end->oom_kills, 4);
    put(at, end->flooded, 4);
}

/* Either an exit code or a signal, never both and never neither. */
static bool is_consistent(const struct frame_end *end)
{
    bool exited = end->exit_code >= 0 && end->exit_code <= EXIT_CODE_MAX && end->signal == 0;
    bool killed = end->exit_code == -1 && end->signal >= 1 && end->signal <= SIGNAL_MAX;
    return (exited || killed) && end->flooded <= 1 && end->waited_us <= end->wall_us;
}

bool frame_read_end(const struct frame *frame, struct frame_end *end)
{
    if (frame->type != FRAME_END || frame->len != FRAME_END_BYTES) {
        return false;
    }
    const uint8_t *at = frame->payload;
    struct frame_end read = {0};
    read.exit_code = (int32_t)take(&at, 4);
    read.signal = (int32_t)take(&at, 4);
    read.wall_us = take(&at, 8);
    read.waited_us = take(&at, 8);
    read.cpu_us = take(&at, 8);
    read.memory_bytes = take(&at, 8);
    read.dropped_bytes = take(&at, 8);
    read.oom_kills = (uint32_t)take(&at, 4);
    read.flooded = (uint32_t)take(&at, 4);
    if (!is_consistent(&read)) {
        return false;
    }
    *end = read;
    return true;
}
