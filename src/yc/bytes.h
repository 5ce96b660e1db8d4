/* The byte layer: lib0's variable-length integers and strings, read from untrusted bytes and
 * written into buffers. Errors stick: a reader that met something bad gives zeros from then on, a
 * buffer that could not grow is empty and stays so until ycp_buf_begin. */
#ifndef YC_BYTES_H
#define YC_BYTES_H

#include "yc.h"

#define YCP_MAX_INTEGER ((UINT64_C(1) << 53) - 1) /* what JavaScript counts exactly */
#define YCP_VARUINT_MAX 10                        /* bytes of any 64-bit number */

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

struct reader ycp_reader(struct yc_slice bytes);
size_t ycp_left(const struct reader *reader); /* bytes not read yet */
uint8_t ycp_get_u8(struct reader *reader);
uint64_t ycp_get_varuint(struct reader *reader); /* 0 .. 2^53 - 1; overlong forms accepted */
/* lib0's varint: magnitude and sign apart, since -0 exists. */
uint64_t ycp_get_varint(struct reader *reader, bool *negative);
struct yc_slice ycp_get_raw(struct reader *reader, size_t len);
struct yc_slice ycp_get_bytes(struct reader *reader);  /* with a length in front */
struct yc_slice ycp_get_string(struct reader *reader); /* the same, and it is UTF-8 */

/* Empties a buffer for a new result; clears failed. */
void ycp_buf_begin(struct yc_buf *buf);
/* Gets room for more bytes. False: failed, and empty. */
bool ycp_buf_grow(struct yc_buf *buf, size_t more);
/* Room for more bytes, at once. False: failed, and empty. */
static inline bool ycp_buf_reserve(struct yc_buf *buf, size_t more)
{
    return (!buf->failed && more <= buf->cap - buf->len) || ycp_buf_grow(buf, more);
}
/* Gives back the room behind what was written, as far as more than kept is held. */
void ycp_buf_trim(struct yc_buf *buf, size_t kept);
/* YC_OK, or YC_MEMORY and the buffer empty. */
enum yc_status ycp_buf_end(struct yc_buf *buf);

void ycp_put_u8(struct yc_buf *buf, uint8_t byte);
void ycp_put_varuint(struct yc_buf *buf, uint64_t value);
void ycp_put_varint(struct yc_buf *buf, uint64_t magnitude, bool negative);
void ycp_put_raw(struct yc_buf *buf, const void *data, size_t len);
void ycp_put_bytes(struct yc_buf *buf, struct yc_slice bytes); /* with a length in front */
void ycp_put_text(struct yc_buf *buf, const char *text);       /* a C string, raw */
size_t ycp_varuint_size(uint64_t value);                       /* 1 .. 8 */

/* Into room that was reserved, for what is written for each struct. Behind what was written. */
static inline uint8_t *ycp_write_varuint(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        *at++ = (uint8_t)(value | 0x80);
    }
    *at++ = (uint8_t)value;
    return at;
}

#endif
