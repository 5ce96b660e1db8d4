/* WebSocket frames (RFC 6455): the bytes of a client taken apart, strictly, and the head of our own
 * frames. Pure; any thread.
 *
 * It exists because the reader of libwebsockets 4.1.6 takes unmasked frames, frames of any length
 * and opening requests of any version. */
#ifndef VVE_NET_WS_FRAME_H
#define VVE_NET_WS_FRAME_H

#include "base/buf.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Close codes of RFC 6455 7.4.1 that we send. */
enum ws_code {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL_ERROR = 1002,
    WS_UNSUPPORTED = 1003,
    WS_NO_CODE = 1005, /* never on the wire: a close frame without a code came */
    WS_BAD_TEXT = 1007,
    WS_POLICY = 1008,
    WS_TOO_BIG = 1009,
    WS_TRY_LATER = 1013,
};

enum ws_opcode {
    WS_CONTINUATION = 0x0,
    WS_TEXT = 0x1,
    WS_BINARY = 0x2,
    WS_CLOSE = 0x8,
    WS_PING = 0x9,
    WS_PONG = 0xa,
};

/* What the bytes came to. */
enum ws_event {
    WS_MORE,    /* nothing yet */
    WS_MESSAGE, /* a whole binary message, in reader->payload */
    WS_PINGED,  /* payload: to be sent back */
    WS_PONGED,
    WS_CLOSED, /* reader->code: the peer's, or WS_NO_CODE */
    WS_BAD,    /* reader->code and reader->problem: how to close */
};

#define WS_CLIENT_HEAD_MAX 14 /* bytes of a frame's head with its mask */
#define WS_SERVER_HEAD_MAX 10
#define WS_CONTROL_MAX 125 /* payload bytes of a control frame */

/* Made by ws_reader_init. After WS_BAD or WS_CLOSED it reads no more. */
struct ws_reader {
    size_t max_bytes; /* of a message, all its frames together */
    uint8_t head[WS_CLIENT_HEAD_MAX];
    uint8_t head_len; /* bytes of the head that are here */
    bool in_payload;  /* the head is whole; its payload is under way */
    bool in_message;  /* a message has begun and its last frame has not come */
    uint64_t missing; /* payload bytes of the frame still to come */
    uint64_t masked;  /* payload bytes of the frame unmasked so far */
    struct buf parts; /* of the message, when it does not come in one piece */
    uint8_t control[WS_CONTROL_MAX];
    uint8_t control_len;
    /* The answer of the last ws_read; payload is valid until the next. */
    struct view payload;
    enum ws_code code;
    const char *problem;
};

void ws_reader_init(struct ws_reader *reader, size_t max_bytes);
void ws_reader_finish(struct ws_reader *reader);

/* Reads from *bytes, which is unmasked in place, up to the next event, and takes that off it. */
enum ws_event ws_read(struct ws_reader *reader, char **bytes, size_t *len);

/* Writes the head of an unfragmented frame of ours; returns its length. */
size_t ws_format_head(uint8_t head[WS_SERVER_HEAD_MAX], enum ws_opcode opcode, size_t len);

/* Sec-WebSocket-Key is 16 bytes in base64. */
bool ws_key_is_good(struct view key);

#endif
