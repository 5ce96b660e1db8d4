/* What a run prints: kept whole for its result, and cut into pieces for those who watch.
 *
 * The first piece is due at once, unless it ends within a line: Python writes a line's text and
 * its end apart, so the end is waited for, FEED_LINE_MS at most. Later pieces wait a few
 * milliseconds so that many small writes become one event, and longer after the first
 * FEED_ORDERED_EVENTS, so that a run makes at most FEED_EVENTS_MAX events however it prints. Up
 * to there pieces keep the order of arrival across the two streams; beyond it, what gathers
 * within one interval is put together by stream. Order within a stream is exact always, and so
 * is the order in `all`.
 *
 * Pure: time is an argument. Text is sanitised and capped again here, because what sends it
 * lives beside hostile code. */
#ifndef VVE_RUN_FEED_H
#define VVE_RUN_FEED_H

#include "base/buf.h"
#include "run/output.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FEED_EVENTS_MAX 200u
#define FEED_ORDERED_EVENTS 40u
#define FEED_PIECES_MAX 8u
#define FEED_LINE_MS 2

struct feed {
    struct output cap;
    struct buf all;     /* both streams in order of arrival */
    struct buf text[2]; /* by enum output_stream */
    size_t told[2];     /* bytes of `text` that are announced */
    struct {
        enum output_stream stream;
        size_t len;
    } pieces[FEED_PIECES_MAX]; /* not announced yet, oldest first */
    unsigned piece_count;
    bool offered;    /* the first piece was handed out and may not grow any more */
    unsigned events; /* announced so far */
    unsigned events_max;
    bool ended;
    int wide_ms;     /* interval after the ordered events */
    int64_t next_at; /* monotonic ms: nothing is due before */
    int64_t line_at; /* nor before this, while what waits ends within a line */
};

/* `run_ms` is about how long the run may print. */
void feed_init(struct feed *feed, size_t cap_bytes, int run_ms);
void feed_finish(struct feed *feed);

void feed_add(struct feed *feed, int64_t now, enum output_stream stream, const char *bytes,
              size_t len);
void feed_end(struct feed *feed); /* nothing more will be added; all that is left is due */

/* The next piece that is due at `now`. After it has been announced call feed_told, or
 * feed_postpone if that could not be done: the same piece, unchanged, is then due again, so
 * that whoever got it after all can tell it from a new one. */
bool feed_next(struct feed *feed, int64_t now, enum output_stream *stream, struct view *text);
void feed_told(struct feed *feed, int64_t now);
void feed_postpone(struct feed *feed, int64_t until);

/* The program waits for somebody who must first see what it printed: all of it is due now, and does not
 * count against FEED_EVENTS_MAX. */
void feed_hurry(struct feed *feed);
bool feed_is_empty(const struct feed *feed); /* all that was added is announced */

/* When a piece will be due, in monotonic ms; INT64_MAX: none waits. */
int64_t feed_due_at(const struct feed *feed);

#endif
