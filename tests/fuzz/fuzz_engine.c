/* What the Docker Engine sends: the attach connection (head, pieces, and the supervisor's
 * frames within them) and the JSON of its answers. The first byte chooses; for the connection
 * the second one says how long the chunks are that it arrives in, which must make no
 * difference. */
#include "base/buf.h"
#include "run/docker.h"
#include "run/frames.h"
#include "run/stream.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct got {
    struct stream stream;
    bool failed;
    int opened;
    struct buf out;
    struct buf err;
};

static void take_piece(struct got *got, const struct stream_piece *piece)
{
    assert(piece->bytes.len > 0);
    struct buf *buf = piece->channel == STREAM_STDERR ? &got->err : &got->out;
    assert(buf_append(buf, piece->bytes.at, piece->bytes.len));
}

static void take_bytes(struct got *got, const char *bytes, size_t len)
{
    struct view input = {bytes, len};
    struct stream_piece piece;
    while (!got->failed) {
        switch (stream_next(&got->stream, &input, &piece)) {
        case STREAM_NEED_MORE:
            assert(input.len == 0);
            return;
        case STREAM_OPEN:
            got->opened++;
            assert(got->opened == 1);
            break;
        case STREAM_PIECE:
            take_piece(got, &piece);
            break;
        case STREAM_FAILED:
            got->failed = true;
            break;
        }
        assert(input.at >= bytes && input.at + input.len == bytes + len);
    }
}

/* Each chunk lies in memory of its own size, so that reading past its end is seen. */
static void read_in_chunks(struct got *got, const char *bytes, size_t len, size_t chunk)
{
    *got = (struct got){.failed = false};
    stream_init(&got->stream);
    buf_init(&got->out, len + 1);
    buf_init(&got->err, len + 1);
    for (size_t at = 0; at < len; at += chunk) {
        size_t take = len - at < chunk ? len - at : chunk;
        char *copy = malloc(take);
        assert(copy != NULL);
        memcpy(copy, bytes + at, take);
        take_bytes(got, copy, take);
        free(copy);
    }
}

static void parse_frames(struct view bytes)
{
    struct frame frame;
    size_t used = 0;
    while (frame_parse(FRAME_FROM_SUPERVISOR, (const uint8_t *)bytes.at, bytes.len, &frame,
                       &used) == FRAME_OK) {
        struct frame_end end;
        assert(used > 0 && used <= bytes.len);
        assert(frame.len <= FRAME_MAX_PAYLOAD);
        if (frame.type == FRAME_END) {
            frame_read_end(&frame, &end);
        }
        bytes.at += used;
        bytes.len -= used;
    }
}

static void fuzz_connection(const char *bytes, size_t len, size_t chunk)
{
    struct got whole;
    struct got cut;
    read_in_chunks(&whole, bytes, len, len > 0 ? len : 1);
    read_in_chunks(&cut, bytes, len, chunk);
    assert(whole.failed == cut.failed && whole.opened == cut.opened);
    assert(stream_status(&whole.stream) == stream_status(&cut.stream));
    assert(whole.out.len == cut.out.len && whole.err.len == cut.err.len);
    assert(whole.out.len == 0 || memcmp(whole.out.data, cut.out.data, cut.out.len) == 0);
    assert(whole.err.len == 0 || memcmp(whole.err.data, cut.err.data, cut.err.len) == 0);
    parse_frames(buf_view(&whole.out));
    buf_finish(&whole.out);
    buf_finish(&whole.err);
    buf_finish(&cut.out);
    buf_finish(&cut.err);
}

static bool id_is_good(const char *id)
{
    return strlen(id) == DOCKER_ID_LEN && strspn(id, "0123456789abcdef") == DOCKER_ID_LEN;
}

static void fuzz_answer(unsigned which, struct view body)
{
    static struct docker_list list;
    struct docker_created created;
    struct docker_state state;
    struct err err = {0};
    char message[160];
    int minor = 0;
    switch (which) {
    case 0:
        assert(!docker_parse_version(body, &minor, &err) || minor >= 41);
        break;
    case 1:
        if (docker_parse_created(body, &created, &err)) {
            assert(id_is_good(created.id) &&
                   strlen(created.warnings) < sizeof created.warnings);
        }
        break;
    case 2:
        assert(!docker_parse_state(body, &state, &err) || state.exit_code >= 0);
        break;
    case 3:
        if (docker_parse_list(body, &list, &err)) {
            for (size_t i = 0; i < list.count; i++) {
                assert(id_is_good(list.items[i].id));
            }
        }
        break;
    default:
        docker_parse_message(body, message, sizeof message);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    const char *bytes = (const char *)data + 2;
    size_t len = size - 2;
    if (data[0] < '0' || data[0] > '4') {
        fuzz_connection(bytes, len, (size_t)data[1] % 64 + 1);
        return 0;
    }
    char *copy = malloc(len > 0 ? len : 1); /* exactly as long as it is */
    assert(copy != NULL);
    memcpy(copy, bytes, len);
    fuzz_answer(data[0] - '0', (struct view){copy, len});
    free(copy);
    return 0;
}
