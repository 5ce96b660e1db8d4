/* The cap on a run's output: sanitises bytes to UTF-8 (each invalid sequence becomes U+FFFD, a
 * character cut between two reads is put together), keeps the first `cap` bytes of both streams
 * together, cut on a character, and counts the rest. Once a character did not fit, nothing
 * later is kept either. No allocation; used inside the supervisor. */
#ifndef VVE_RUN_OUTPUT_H
#define VVE_RUN_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum output_stream { OUTPUT_STDOUT, OUTPUT_STDERR };

struct output {
    uint64_t cap_bytes;
    uint64_t kept_bytes;
    uint64_t dropped_bytes;
    bool cut; /* something was dropped: nothing more is kept */
    struct {
        char bytes[3]; /* beginning of a character that is not whole yet */
        unsigned len;
    } partial[2]; /* by stream */
};

void output_init(struct output *output, uint64_t cap_bytes);

/* The most that output_push can write for `len` bytes of input. */
#define OUTPUT_BOUND(len) (3 * ((size_t)(len) + 3))

/* Takes what a stream gave and writes the sanitised bytes to keep to `out` (room for
 * OUTPUT_BOUND(len)). Returns how many were written. */
size_t output_push(struct output *output, enum output_stream stream, const char *bytes,
                   size_t len, char *out);

/* The stream has ended: an unfinished character becomes U+FFFD. `out` has room for 3 bytes. */
size_t output_end(struct output *output, enum output_stream stream, char *out);

#endif
