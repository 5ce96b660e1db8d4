/* The framed protocol between the slot outside and the supervisor inside a container. It runs
 * both ways over the container's attached stdin and stdout.
 *
 *     frame = type (1 byte), payload length (4 bytes, big-endian), payload
 *
 * and the payload is at most FRAME_MAX_PAYLOAD bytes.
 *
 * Pure: no I/O, no allocation; shared by both sides. A frame of unknown type or of a length
 * that its type cannot have is malformed, and the reader stays failed. */
#ifndef VVE_RUN_FRAMES_H
#define VVE_RUN_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEAD_BYTES 5u
#define FRAME_MAX_PAYLOAD 65536u
#define FRAME_WAITS_MAX 64u /* how often a supervisor tells of one run that it waits */

enum frame_type {
    /* to the supervisor */
    FRAME_SOURCE = 'S',    /* the program's text; exactly one, first */
    FRAME_STDIN = 'I',     /* bytes for the program's stdin */
    FRAME_STDIN_END = 'E', /* no more of them; empty payload */
    FRAME_INTERRUPT = 'C', /* send SIGINT to the program; empty payload */
    FRAME_KILL = 'K',      /* kill the program; the end comes as always; empty payload */
    /* from the supervisor */
    FRAME_READY = 'R',   /* the interpreter is up; empty payload */
    FRAME_STARTED = 's', /* the source was handed to it; empty payload */
    FRAME_WAITING = 'w', /* it waits for stdin, after all output before; empty payload */
    FRAME_RESUMED = 'g', /* and does not any more; strictly in turns; empty payload */
    FRAME_STDOUT = 'o',  /* sanitised UTF-8, whole characters */
    FRAME_STDERR = 'e',
    FRAME_END = 'x', /* struct frame_end; everything else is dead and nothing follows */
};

/* How the program ended, as the supervisor saw it. */
struct frame_end {
    int32_t exit_code;      /* -1: ended by a signal */
    int32_t signal;         /* 0: ended by itself */
    uint64_t wall_us;       /* from source handed over to exit */
    uint64_t waited_us;     /* of these, told as waiting for stdin */
    uint64_t cpu_us;        /* of the program and its children, without the warm-up */
    uint64_t memory_bytes;  /* peak resident size of the largest process */
    uint64_t dropped_bytes; /* sanitised output beyond the cap */
    uint32_t oom_kills;     /* how often the kernel killed for memory in this container */
    uint32_t flooded;       /* 1: stopped because dropped_bytes passed its limit */
};
#define FRAME_END_BYTES 56u

struct frame {
    enum frame_type type;
    const uint8_t *payload; /* inside the reader's input; valid until the next call */
    uint32_t len;
};

enum frame_side { FRAME_TO_SUPERVISOR, FRAME_FROM_SUPERVISOR };

enum frame_parse { FRAME_NEED_MORE, FRAME_OK, FRAME_MALFORMED };

/* Looks for one frame at the start of `bytes`. FRAME_OK: `*frame` is filled and `*used` bytes
 * belong to it. `side` says which types are acceptable. */
enum frame_parse frame_parse(enum frame_side side, const uint8_t *bytes, size_t len,
                             struct frame *frame, size_t *used);

void frame_write_head(uint8_t out[FRAME_HEAD_BYTES], enum frame_type type, uint32_t len);
void frame_write_end(uint8_t out[FRAME_END_BYTES], const struct frame_end *end);
bool frame_read_end(const struct frame *frame, struct frame_end *end); /* false: malformed */

#endif
