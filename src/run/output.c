/* See output.h. Pure; runs inside the supervisor. */
#include "run/output.h"

#include "base/utf8.h"

#include <string.h>

#define CHARACTER_MAX_BYTES 4u
static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

void output_init(struct output *output, uint64_t cap_bytes)
{
    *output = (struct output){.cap_bytes = cap_bytes};
}

/* Keeps one character if there is room, or counts it. Returns how far `out` has moved. */
static size_t keep(struct output *output, const char *character, size_t len, char *out)
{
    if (output->cut || len > output->cap_bytes - output->kept_bytes) {
        output->cut = true;
        output->dropped_bytes += len;
        return 0;
    }
    memcpy(out, character, len);
    output->kept_bytes += len;
    return len;
}

static size_t keep_replacement(struct output *output, char *out)
{
    return keep(output, replacement, sizeof replacement - 1, out);
}

/* Takes one character, or the invalid bytes that stand for one, from the start of `bytes` and
 * says in `*used` how many it was. 0: it is not whole yet. Returns how far `out` has moved. */
static size_t step(struct output *output, const char *bytes, size_t len, char *out,
                   size_t *used)
{
    int found = utf8_next(bytes, len);
    *used = (size_t)(found < 0 ? -found : found);
    if (found > 0) {
        return keep(output, bytes, *used, out);
    }
    return found < 0 ? keep_replacement(output, out) : 0;
}

/* Puts the character that the last push left unfinished together with its new bytes. Says in
 * `*used` how many of the new ones went into it. */
static size_t finish_partial(struct output *output, enum output_stream stream,
                             const char *bytes, size_t len, char *out, size_t *used)
{
    char whole[CHARACTER_MAX_BYTES];
    size_t old = output->partial[stream].len;
    size_t fresh = len < sizeof whole - old ? len : sizeof whole - old;
    memcpy(whole, output->partial[stream].bytes, old);
    memcpy(whole + old, bytes, fresh);
    size_t taken = 0;
    size_t written = step(output, whole, old + fresh, out, &taken);
    if (taken == 0) { /* still not whole, so all of the new bytes are part of it */
        memcpy(output->partial[stream].bytes + old, bytes, fresh);
        output->partial[stream].len = (unsigned)(old + fresh);
        *used = fresh;
        return 0;
    }
    output->partial[stream].len = 0;
    *used = taken - old; /* a valid beginning is never split: taken >= old */
    return written;
}

size_t output_push(struct output *output, enum output_stream stream, const char *bytes,
                   size_t len, char *out)
{
    size_t at = 0;
    size_t written = 0;
    if (output->partial[stream].len > 0 && len > 0) {
        written = finish_partial(output, stream, bytes, len, out, &at);
    }
    while (at < len) {
        size_t used = 0;
        written += step(output, bytes + at, len - at, out + written, &used);
        if (used == 0) {
            output->partial[stream].len = (unsigned)(len - at);
            memcpy(output->partial[stream].bytes, bytes + at, len - at);
            break;
        }
        at += used;
    }
    return written;
}

size_t output_end(struct output *output, enum output_stream stream, char *out)
{
    if (output->partial[stream].len == 0) {
        return 0;
    }
    output->partial[stream].len = 0;
    return keep_replacement(output, out);
}
