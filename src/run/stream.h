/* What comes down a container's attach connection: the Engine's response head, then the
 * container's stdout and stderr, multiplexed.
 *
 *     head  = "HTTP/1.1 101 UPGRADED" (or 200) and its fields, up to an empty line
 *     piece = stream (1 byte: 0, 1, 2), three zero bytes, length (4 bytes, big-endian), payload
 *
 * Pure and incremental: bytes may come cut anywhere; no I/O, no allocation, nothing is buffered
 * but the head and a piece's eight bytes. A stream that breaks the form stays failed. */
#ifndef VVE_RUN_STREAM_H
#define VVE_RUN_STREAM_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_HEAD_MAX_BYTES 4096u
#define STREAM_PIECE_MAX_BYTES (1024u * 1024) /* the Engine copies in pieces of 32 KB */

enum stream_channel { STREAM_STDIN, STREAM_STDOUT, STREAM_STDERR };

enum stream_result {
    STREAM_NEED_MORE, /* all of the input is used up */
    STREAM_OPEN,      /* the head has ended and was good; told once */
    STREAM_PIECE,     /* `piece` is filled: a whole payload or part of one, never empty */
    STREAM_FAILED,    /* malformed, or the head refused: see stream_status */
};

struct stream_piece {
    enum stream_channel channel;
    struct view bytes; /* inside the input */
};

struct stream {
    enum { STREAM_IN_HEAD, STREAM_IN_PREFIX, STREAM_IN_PAYLOAD, STREAM_IS_FAILED } state;
    int status; /* of the response head; 0: not known */
    enum stream_channel channel;
    uint32_t left; /* of the current payload */
    size_t held;   /* bytes in `hold` */
    char hold[STREAM_HEAD_MAX_BYTES];
};

void stream_init(struct stream *stream);

/* Takes the next thing from the front of `input`, which shrinks by what was used. Call until it
 * says STREAM_NEED_MORE or STREAM_FAILED. */
enum stream_result stream_next(struct stream *stream, struct view *input,
                               struct stream_piece *piece);

/* The status of a head that has been read: 101 or 200, or why the attach was refused (404:
 * there is no such container). 0: none was read, or it was no HTTP. */
static inline int stream_status(const struct stream *stream)
{
    return stream->status;
}

#endif
