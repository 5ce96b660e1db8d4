/* A growable byte buffer that cannot be made without a maximum. An append that would pass the
 * maximum empties the buffer and marks it failed; later appends do nothing, so a caller may
 * append many times and look at `failed` once. `data` always has a NUL behind its bytes (or is
 * NULL while nothing was ever appended). */
#ifndef VVE_BASE_BUF_H
#define VVE_BASE_BUF_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max_bytes;
    bool failed;
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_finish(struct buf *buf);
void buf_clear(struct buf *buf); /* keeps the memory, forgets bytes and failure */
bool buf_append(struct buf *buf, const void *bytes, size_t len);
bool buf_string(struct buf *buf, const char *text);
bool buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_consume(struct buf *buf, size_t len); /* drops the first `len` bytes */

static inline struct view buf_view(const struct buf *buf)
{
    return (struct view){buf->data != NULL ? buf->data : "", buf->len};
}

#endif
