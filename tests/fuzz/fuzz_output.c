/* The output cap against itself: one push of everything and many small pushes must keep the
 * same bytes and count the same losses, and what is kept is valid UTF-8 within the cap.
 *
 * Input: two bytes of cap, one byte of stride, one byte whose bits say which stream each piece
 * belongs to, then the output itself. */
#include "base/utf8.h"
#include "run/output.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct kept {
    char *bytes;
    size_t len;
};

static void push(struct output *output, struct kept *kept, enum output_stream stream,
                 const uint8_t *bytes, size_t len)
{
    /* Exact, so that a sanitizer sees one byte too many. */
    char *out = malloc(OUTPUT_BOUND(len));
    size_t written = output_push(output, stream, (const char *)bytes, len, out);
    assert(written <= OUTPUT_BOUND(len));
    assert(utf8_valid(out, written)); /* each push ends on a character */
    memcpy(kept->bytes + kept->len, out, written);
    kept->len += written;
    free(out);
}

static void end(struct output *output, struct kept *kept)
{
    char out[3];
    for (int stream = OUTPUT_STDOUT; stream <= OUTPUT_STDERR; stream++) {
        size_t written = output_end(output, (enum output_stream)stream, out);
        memcpy(kept->bytes + kept->len, out, written);
        kept->len += written;
    }
}

static void check(const struct output *output, const struct kept *kept)
{
    assert(kept->len == output->kept_bytes);
    assert(kept->len <= output->cap_bytes);
    assert(utf8_valid(kept->bytes, kept->len));
    assert(output->cut == (output->dropped_bytes > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4) {
        return 0;
    }
    uint64_t cap = (uint64_t)data[0] << 8 | data[1];
    size_t stride = (size_t)data[2] % 16 + 1;
    unsigned streams = data[3];
    const uint8_t *bytes = data + 4;
    size_t len = size - 4;
    struct kept whole = {malloc(OUTPUT_BOUND(len) + 6), 0};
    struct kept pieces = {malloc(OUTPUT_BOUND(len) + 6), 0};
    struct kept mixed = {malloc(OUTPUT_BOUND(len) + 6), 0};

    struct output at_once, in_pieces, on_both;
    output_init(&at_once, cap);
    output_init(&in_pieces, cap);
    output_init(&on_both, cap);
    push(&at_once, &whole, OUTPUT_STDOUT, bytes, len);
    for (size_t at = 0, turn = 0; at < len; turn++) {
        size_t piece = len - at < stride ? len - at : stride;
        push(&in_pieces, &pieces, OUTPUT_STDOUT, bytes + at, piece);
        push(&on_both, &mixed, streams >> turn % 8 & 1 ? OUTPUT_STDERR : OUTPUT_STDOUT,
             bytes + at, piece);
        at += piece;
    }
    end(&at_once, &whole);
    end(&in_pieces, &pieces);
    end(&on_both, &mixed);

    check(&at_once, &whole);
    check(&in_pieces, &pieces);
    check(&on_both, &mixed);
    assert(whole.len == pieces.len && memcmp(whole.bytes, pieces.bytes, whole.len) == 0);
    assert(at_once.dropped_bytes == in_pieces.dropped_bytes);
    free(whole.bytes);
    free(pieces.bytes);
    free(mixed.bytes);
    return 0;
}
