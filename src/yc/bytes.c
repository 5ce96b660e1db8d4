/* Why: everything on the wire is made of lib0's integers and strings, and both directions of them
 * are here alone. A reader never leaves its slice; a buffer grows as far as its allocator lets it.
 *
 * A reader that fails goes to its end, so the one check against the end that every read makes
 * anyway also keeps it from reading on. */
#include "bytes.h"

#include "mem.h"
#include "utf8.h"

#include <string.h>

/* lib0 scales the 7-bit groups in doubles: beyond 2^1023 the scale is infinite and a number,
 * even one padded with zeros, comes out as NaN. */
#define MAX_SHIFT 1023

#define MIN_CAP 64

struct reader ycp_reader(struct yc_slice bytes)
{
    const uint8_t *end = bytes.len > 0 ? bytes.data + bytes.len : bytes.data;
    return (struct reader){bytes.data, end, false};
}

size_t ycp_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static uint64_t fail(struct reader *reader)
{
    reader->at = reader->end;
    reader->bad = true;
    return 0;
}

uint8_t ycp_get_u8(struct reader *reader)
{
    if (reader->at == reader->end) {
        return (uint8_t)fail(reader);
    }
    return *reader->at++;
}

/* The groups of 7 bits that go on top of value from bit shift on. */
static uint64_t get_groups(struct reader *reader, uint64_t value, unsigned shift)
{
    for (; reader->at != reader->end && shift <= MAX_SHIFT; shift += 7) {
        uint8_t byte = *reader->at++;
        uint64_t bits = byte & 0x7f;
        if (bits > (shift < 64 ? YCP_MAX_INTEGER >> shift : 0)) {
            break;
        }
        if (bits != 0) {
            value |= bits << shift;
        }
        if (byte < 0x80) {
            return value;
        }
    }
    return fail(reader);
}

uint64_t ycp_get_varuint(struct reader *reader)
{
    /* Seven groups cannot pass the greatest integer. */
    uint64_t value = 0;
    unsigned shift = 0;
    for (; reader->at != reader->end && shift < 49; shift += 7) {
        uint8_t byte = *reader->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    return get_groups(reader, value, shift);
}

uint64_t ycp_get_varint(struct reader *reader, bool *negative)
{
    uint8_t byte = ycp_get_u8(reader);
    uint64_t magnitude = byte & 0x3f;
    if (byte >= 0x80) {
        magnitude = get_groups(reader, magnitude, 6);
    }
    *negative = (byte & 0x40) != 0 && !reader->bad;
    return magnitude;
}

struct yc_slice ycp_get_raw(struct reader *reader, size_t len)
{
    if (len > ycp_left(reader)) {
        fail(reader);
        return (struct yc_slice){NULL, 0};
    }
    /* What is empty still points into the input: NULL is for what is not there. */
    struct yc_slice raw = {reader->at, len};
    if (len > 0) {
        reader->at += len;
    }
    return raw;
}

struct yc_slice ycp_get_bytes(struct reader *reader)
{
    uint64_t len = ycp_get_varuint(reader);
    if (reader->bad || len > ycp_left(reader)) {
        fail(reader);
        return (struct yc_slice){NULL, 0};
    }
    return ycp_get_raw(reader, (size_t)len);
}

struct yc_slice ycp_get_string(struct reader *reader)
{
    struct yc_slice text = ycp_get_bytes(reader);
    if (!ycp_utf8_valid(text)) {
        fail(reader);
        return (struct yc_slice){NULL, 0};
    }
    return text;
}

static const struct yc_allocator *allocator_of(const struct yc_buf *buf)
{
    return buf->allocator != NULL ? buf->allocator : &ycp_libc_allocator;
}

void yc_buf_free(struct yc_buf *buf)
{
    if (buf->data != NULL) {
        const struct yc_allocator *allocator = allocator_of(buf);
        (void)allocator->resize(allocator->ctx, buf->data, buf->cap, 0);
    }
    *buf = (struct yc_buf){.allocator = buf->allocator};
}

void ycp_buf_begin(struct yc_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

enum yc_status ycp_buf_end(struct yc_buf *buf)
{
    if (!buf->failed) {
        return YC_OK;
    }
    buf->len = 0; /* a writer that failed elsewhere may have said so for the buffer */
    return YC_MEMORY;
}

static bool buf_fail(struct yc_buf *buf)
{
    buf->len = 0;
    buf->failed = true;
    return false;
}

bool ycp_buf_grow(struct yc_buf *buf, size_t more)
{
    if (buf->failed) {
        return false;
    }
    if (more > SIZE_MAX - buf->len) {
        return buf_fail(buf);
    }
    size_t need = buf->len + more;
    size_t doubled = buf->cap > SIZE_MAX / 2 ? SIZE_MAX : buf->cap * 2;
    size_t cap = need > doubled ? need : doubled;
    if (cap < MIN_CAP) {
        cap = MIN_CAP;
    }
    const struct yc_allocator *allocator = allocator_of(buf);
    uint8_t *data = allocator->resize(allocator->ctx, buf->data, buf->cap, cap);
    if (data == NULL) {
        return buf_fail(buf);
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

void ycp_buf_trim(struct yc_buf *buf, size_t kept)
{
    size_t cap = buf->len > kept ? buf->len : kept;
    if (buf->cap <= cap) {
        return;
    }
    const struct yc_allocator *allocator = allocator_of(buf);
    uint8_t *data = allocator->resize(allocator->ctx, buf->data, buf->cap, cap);
    if (data != NULL) {
        buf->data = data;
        buf->cap = cap;
    }
}

void ycp_put_u8(struct yc_buf *buf, uint8_t byte)
{
    if (ycp_buf_reserve(buf, 1)) {
        buf->data[buf->len++] = byte;
    }
}

void ycp_put_varuint(struct yc_buf *buf, uint64_t value)
{
    if (ycp_buf_reserve(buf, YCP_VARUINT_MAX)) {
        uint8_t *at = buf->data + buf->len;
        buf->len += (size_t)(ycp_write_varuint(at, value) - at);
    }
}

void ycp_put_varint(struct yc_buf *buf, uint64_t magnitude, bool negative)
{
    uint64_t more = magnitude >> 6;
    unsigned first = (more > 0 ? 0x80u : 0) | (negative ? 0x40u : 0) | (magnitude & 0x3f);
    ycp_put_u8(buf, (uint8_t)first);
    if (more > 0) {
        ycp_put_varuint(buf, more);
    }
}

void ycp_put_raw(struct yc_buf *buf, const void *data, size_t len)
{
    if (len > 0 && ycp_buf_reserve(buf, len)) {
        memcpy(buf->data + buf->len, data, len);
        buf->len += len;
    }
}

void ycp_put_bytes(struct yc_buf *buf, struct yc_slice bytes)
{
    ycp_put_varuint(buf, bytes.len);
    ycp_put_raw(buf, bytes.data, bytes.len);
}

void ycp_put_text(struct yc_buf *buf, const char *text)
{
    ycp_put_raw(buf, text, strlen(text));
}

size_t ycp_varuint_size(uint64_t value)
{
    size_t size = 1;
    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}
