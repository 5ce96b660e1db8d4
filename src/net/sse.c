/* See sse.h. */
#include "net/sse.h"

#include "base/buf.h"
#include "base/log.h"

enum {
    KEEP_ALIVE_MS = 15000,
    /* A run may keep 1 MiB of output, of which JSON makes 6 MiB at worst, and its end tells the
     * output twice, as a whole and by stream. */
    MAX_EVENT = 16 * 1024 * 1024,
    /* A whole replay, which comes at once: the output in pieces and then the end. With the usual
     * 10 KB of output that is 0.2 MB at worst, and no more is ever held than was written. */
    MAX_BUFFERED = 24 * 1024 * 1024,
};

void sse_begin(struct http_exchange *exchange)
{
    http_stream_begin(exchange, "text/event-stream", MAX_BUFFERED);
    http_stream_keep_alive(exchange, KEEP_ALIVE_MS, view_of(":\n\n"));
}

/* Takes the first line off `text`; a line ends with \n, \r or \r\n, as readers see it. */
static struct view take_line(struct view *text, bool *more)
{
    size_t len = 0;
    while (len < text->len && text->at[len] != '\n' && text->at[len] != '\r') {
        len++;
    }
    struct view line = {text->at, len};
    *more = len < text->len;
    size_t end = *more ? 1 : 0;
    if (*more && text->at[len] == '\r' && len + 1 < text->len && text->at[len + 1] == '\n') {
        end = 2;
    }
    *text = (struct view){text->at + len + end, text->len - len - end};
    return line;
}

void sse_event(struct http_exchange *exchange, const char *id, const char *event,
               struct view data)
{
    struct buf out;
    bool more = true;
    buf_init(&out, MAX_EVENT);
    if (id != NULL) {
        buf_printf(&out, "id: %s\n", id);
    }
    buf_printf(&out, "event: %s\n", event);
    while (more) {
        struct view line = take_line(&data, &more);
        buf_string(&out, "data: ");
        buf_append(&out, line.at, line.len);
        buf_string(&out, "\n");
    }
    buf_string(&out, "\n");
    if (out.failed) {
        log_error("sse.event_too_large event=%s", event);
        http_stream_abort(exchange);
    } else {
        http_stream_write(exchange, buf_view(&out));
    }
    buf_finish(&out);
}

void sse_end(struct http_exchange *exchange)
{
    http_stream_end(exchange);
}
