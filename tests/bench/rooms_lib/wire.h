/* The little of lib0, Yjs and WebSocket that the bench of rooms speaks: integers, updates that append
 * one character to the text "monaco", and frames. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest update of update_append, the largest frame header of either side. */
#define UPDATE_MAX 48
#define HEADER_MAX 14

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad; /* the bytes ended too early; whatever was read since is 0 */
};

uint64_t read_uint(struct reader *reader);

/* Skips a byte string, and says where it is. */
const uint8_t *read_bytes(struct reader *reader, size_t *len);

/* Each writes at `out`, which must have room, and returns the end of what it wrote. */
uint8_t *write_uint(uint8_t *out, uint64_t value);
uint8_t *write_bytes(uint8_t *out, const void *bytes, size_t len);

/* What a client sends as it appends a character to what it wrote itself; its first one begins the
 * text. Returns the length. */
size_t update_append(uint8_t *out, uint64_t client, uint64_t clock);

/* Tells of each run of characters in an update, whoever merged it from how many. Returns false for
 * an update with anything but text in it. */
typedef void update_heard(void *context, uint64_t client, uint64_t clock, uint64_t count);
bool update_read(const uint8_t *bytes, size_t len, update_heard *heard, void *context);

enum {
    OPCODE_MORE = 0,
    OPCODE_BINARY = 2,
    OPCODE_CLOSE = 8,
    OPCODE_PING = 9,
    OPCODE_PONG = 10
};

struct frame {
    const uint8_t *payload;
    size_t len;
    uint8_t opcode;
    bool last; /* of its message */
};

/* The header of an unmasked frame, as a server writes it. */
uint8_t *frame_header(uint8_t *out, uint8_t opcode, size_t len);

/* A whole masked frame, as a client writes it. */
uint8_t *frame_masked(uint8_t *out, uint8_t opcode, const uint8_t *payload, size_t len);

/* The frame of a server at the start of the bytes: its length in all, or 0 if it is not complete. */
size_t frame_read(const uint8_t *bytes, size_t len, struct frame *frame);

#endif
