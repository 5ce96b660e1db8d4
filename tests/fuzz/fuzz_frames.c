/* Frames as either side reads them. The first byte chooses the side, the second how the rest is
 * cut into reads; however it is cut, the same frames must come out. */
#include "run/frames.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
    size_t frames;
    size_t used;
    uint64_t hash; /* of what the frames said */
    bool malformed;
};

static void note(struct reading *reading, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++) {
        reading->hash = (reading->hash ^ at[i]) * 0x100000001b3u;
    }
}

static void check_end(const struct frame *frame)
{
    struct frame_end end;
    if (frame_read_end(frame, &end)) {
        uint8_t again[FRAME_END_BYTES];
        frame_write_end(again, &end);
        assert(memcmp(again, frame->payload, sizeof again) == 0);
        assert((end.exit_code == -1) == (end.signal != 0));
    }
}

static void check_frame(const struct frame *frame, const uint8_t *bytes, size_t used)
{
    assert(frame->len <= FRAME_MAX_PAYLOAD);
    assert(used == FRAME_HEAD_BYTES + (size_t)frame->len);
    assert(frame->payload == bytes + FRAME_HEAD_BYTES);
    uint8_t head[FRAME_HEAD_BYTES];
    frame_write_head(head, frame->type, frame->len);
    assert(memcmp(head, bytes, sizeof head) == 0);
    check_end(frame);
}

/* Reads what lies in bytes[used..len) as far as it goes. */
static void read_frames(struct reading *reading, enum frame_side side, const uint8_t *bytes,
                        size_t len)
{
    while (!reading->malformed) {
        struct frame frame;
        size_t used = 0;
        const uint8_t *at = bytes + reading->used;
        enum frame_parse parse = frame_parse(side, at, len - reading->used, &frame, &used);
        if (parse == FRAME_NEED_MORE) {
            return;
        }
        reading->malformed = parse == FRAME_MALFORMED;
        if (parse == FRAME_OK) {
            check_frame(&frame, at, used);
            note(reading, at, used);
            reading->frames++;
            reading->used += used;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    enum frame_side side = data[0] % 2 == 0 ? FRAME_TO_SUPERVISOR : FRAME_FROM_SUPERVISOR;
    size_t stride = (size_t)data[1] + 1;
    const uint8_t *bytes = data + 2;
    size_t len = size - 2;

    struct reading whole = {0};
    read_frames(&whole, side, bytes, len);
    struct reading cut = {0};
    for (size_t seen = 0; seen < len;) {
        seen = len - seen < stride ? len : seen + stride;
        read_frames(&cut, side, bytes, seen);
    }
    assert(whole.frames == cut.frames && whole.used == cut.used && whole.hash == cut.hash);
    assert(whole.malformed == cut.malformed);
    return 0;
}
