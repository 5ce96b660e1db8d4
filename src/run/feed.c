/* See feed.h. Slot thread; owned by the run. */
#include "run/feed.h"

#include <string.h>

#define SHORT_MS 5
#define SLICE_BYTES 4096u

void feed_init(struct feed *feed, size_t cap_bytes, int run_ms)
{
    *feed = (struct feed){.events_max = FEED_EVENTS_MAX};
    output_init(&feed->cap, cap_bytes);
    buf_init(&feed->all, cap_bytes);
    buf_init(&feed->text[OUTPUT_STDOUT], cap_bytes);
    buf_init(&feed->text[OUTPUT_STDERR], cap_bytes);
    /* Two pieces an interval, for a little longer than the run: fits the events that are left.
     */
    int intervals = (int)(FEED_EVENTS_MAX - FEED_ORDERED_EVENTS) / 2 - 10;
    feed->wide_ms = run_ms / intervals > SHORT_MS ? run_ms / intervals : SHORT_MS;
}

void feed_finish(struct feed *feed)
{
    buf_finish(&feed->all);
    buf_finish(&feed->text[OUTPUT_STDOUT]);
    buf_finish(&feed->text[OUTPUT_STDERR]);
}

static bool may_grow(const struct feed *feed, unsigned piece)
{
    return piece > 0 || !feed->offered;
}

/* Where text of `stream` joins what waits: behind the last piece, or, once order across streams
 * is no longer kept, behind the last piece of its own stream. NULL: it begins a new piece. */
static size_t *piece_to_join(struct feed *feed, enum output_stream stream)
{
    unsigned count = feed->piece_count;
    if (count > 0 && feed->pieces[count - 1].stream == stream && may_grow(feed, count - 1)) {
        return &feed->pieces[count - 1].len;
    }
    bool ordered = count < FEED_PIECES_MAX && feed->events + count < FEED_ORDERED_EVENTS;
    if (!ordered && count > 1 && feed->pieces[count - 2].stream == stream &&
        may_grow(feed, count - 2)) {
        return &feed->pieces[count - 2].len;
    }
    return NULL;
}

static void keep(struct feed *feed, enum output_stream stream, const char *bytes, size_t len)
{
    if (len == 0) {
        return;
    }
    buf_append(&feed->all, bytes, len);
    buf_append(&feed->text[stream], bytes, len);
    size_t *joined = piece_to_join(feed, stream);
    if (joined != NULL) {
        *joined += len;
    } else {
        feed->pieces[feed->piece_count].stream = stream;
        feed->pieces[feed->piece_count++].len = len;
    }
}

void feed_add(struct feed *feed, int64_t now, enum output_stream stream, const char *bytes,
              size_t len)
{
    char kept[OUTPUT_BOUND(SLICE_BYTES)];
    if (feed->piece_count == 0) {
        feed->line_at = now + FEED_LINE_MS;
    }
    while (len > 0) {
        size_t slice = len < SLICE_BYTES ? len : SLICE_BYTES;
        keep(feed, stream, kept, output_push(&feed->cap, stream, bytes, slice, kept));
        bytes += slice;
        len -= slice;
    }
}

void feed_end(struct feed *feed)
{
    char kept[3];
    keep(feed, OUTPUT_STDOUT, kept, output_end(&feed->cap, OUTPUT_STDOUT, kept));
    keep(feed, OUTPUT_STDERR, kept, output_end(&feed->cap, OUTPUT_STDERR, kept));
    feed->ended = true;
    feed->next_at = 0;
}

/* The last two events are for what is left when the run ends. */
static bool may_tell(const struct feed *feed)
{
    return feed->piece_count > 0 &&
           (feed->ended || feed->events + feed->piece_count <= feed->events_max - 2);
}

static int64_t due_at(const struct feed *feed)
{
    bool whole_lines = feed->ended || feed->all.data[feed->all.len - 1] == '\n';
    return whole_lines || feed->line_at < feed->next_at ? feed->next_at : feed->line_at;
}

bool feed_next(struct feed *feed, int64_t now, enum output_stream *stream, struct view *text)
{
    if (!may_tell(feed) || now < due_at(feed)) {
        return false;
    }
    feed->offered = true;
    *stream = feed->pieces[0].stream;
    text->at = feed->text[*stream].data + feed->told[*stream];
    text->len = feed->pieces[0].len;
    return true;
}

void feed_told(struct feed *feed, int64_t now)
{
    feed->told[feed->pieces[0].stream] += feed->pieces[0].len;
    feed->offered = false;
    feed->piece_count--;
    memmove(&feed->pieces[0], &feed->pieces[1], feed->piece_count * sizeof feed->pieces[0]);
    feed->events++;
    if (feed->piece_count == 0) {
        feed->next_at = now + (feed->events < FEED_ORDERED_EVENTS ? SHORT_MS : feed->wide_ms);
    }
}

void feed_hurry(struct feed *feed)
{
    feed->events_max += feed->piece_count;
    feed->next_at = 0;
    feed->line_at = 0;
}

bool feed_is_empty(const struct feed *feed)
{
    return feed->piece_count == 0;
}

void feed_postpone(struct feed *feed, int64_t until)
{
    feed->next_at = until;
}

int64_t feed_due_at(const struct feed *feed)
{
    return may_tell(feed) ? due_at(feed) : INT64_MAX;
}
