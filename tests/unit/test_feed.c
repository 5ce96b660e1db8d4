/* What a run prints, cut into events: order, bounds and times. */
#include "run/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define CAP 10240

struct reader {
    struct feed feed;
    char out[2][CAP + 1]; /* what was announced, by stream */
    char all[CAP + 1];    /* in order of announcement */
    unsigned events;
};

static void reader_init(struct reader *reader, size_t cap, int run_ms)
{
    memset(reader, 0, sizeof *reader);
    feed_init(&reader->feed, cap, run_ms);
}

/* Long ago, so that no line's end is waited for any more. */
static void print(struct reader *reader, enum output_stream stream, const char *text)
{
    feed_add(&reader->feed, -FEED_LINE_MS, stream, text, strlen(text));
}

/* Announces all that is due at `now`. Returns how many events it was. */
static unsigned tell(struct reader *reader, int64_t now)
{
    enum output_stream stream;
    struct view text;
    unsigned told = 0;
    while (feed_next(&reader->feed, now, &stream, &text)) {
        assert_true(text.len > 0);
        strncat(reader->out[stream], text.at, text.len);
        strncat(reader->all, text.at, text.len);
        feed_told(&reader->feed, now);
        told++;
    }
    reader->events += told;
    return told;
}

static void tells_the_first_piece_at_once_and_then_gathers(void **state)
{
    (void)state;
    static struct reader r;
    reader_init(&r, CAP, 5000);
    assert_int_equal(feed_due_at(&r.feed), INT64_MAX);
    print(&r, OUTPUT_STDOUT, "a");
    assert_int_equal(tell(&r, 1000), 1);
    print(&r, OUTPUT_STDOUT, "b");
    print(&r, OUTPUT_STDOUT, "c");
    assert_int_equal(tell(&r, 1000), 0);
    assert_int_equal(feed_due_at(&r.feed), 1005);
    assert_int_equal(tell(&r, 1005), 1);
    assert_string_equal(r.all, "abc");
    feed_finish(&r.feed);
}

static void waits_a_little_for_the_end_of_a_line(void **state)
{
    (void)state;
    static struct reader r;
    reader_init(&r, CAP, 5000);
    feed_add(&r.feed, 1000, OUTPUT_STDOUT, "hello", 5);
    assert_int_equal(tell(&r, 1000), 0);
    assert_int_equal(feed_due_at(&r.feed), 1000 + FEED_LINE_MS);
    feed_add(&r.feed, 1001, OUTPUT_STDOUT, "\n", 1);
    assert_int_equal(tell(&r, 1001), 1);
    assert_string_equal(r.all, "hello\n");
    feed_add(&r.feed, 2000, OUTPUT_STDOUT, "name? ", 6);
    feed_add(&r.feed, 2001, OUTPUT_STDOUT, "x", 1);
    assert_int_equal(tell(&r, 2000 + FEED_LINE_MS - 1), 0);
    assert_int_equal(tell(&r, 2000 + FEED_LINE_MS), 1);
    feed_finish(&r.feed);
}

static void keeps_the_order_across_streams(void **state)
{
    (void)state;
    static struct reader r;
    reader_init(&r, CAP, 5000);
    print(&r, OUTPUT_STDOUT, "1");
    print(&r, OUTPUT_STDERR, "2");
    print(&r, OUTPUT_STDOUT, "3");
    print(&r, OUTPUT_STDOUT, "4");
    print(&r, OUTPUT_STDERR, "5");
    assert_int_equal(tell(&r, 1), 4);
    assert_string_equal(r.all, "12345");
    assert_string_equal(r.out[OUTPUT_STDERR], "25");
    feed_finish(&r.feed);
}

/* One byte to each stream in turn, every millisecond for the whole run: the worst there is. */
static void never_passes_the_bound(void **state)
{
    (void)state;
    static const int lengths[] = {100, 1000, 5000, 60000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        static struct reader r;
        reader_init(&r, CAP, lengths[i]);
        for (int64_t now = 1; now <= lengths[i] + 300; now++) {
            print(&r, now % 2 == 0 ? OUTPUT_STDOUT : OUTPUT_STDERR, now % 2 == 0 ? "o" : "e");
            tell(&r, now);
        }
        feed_end(&r.feed);
        tell(&r, lengths[i] + 301);
        assert_true(r.events <= FEED_EVENTS_MAX);
        assert_int_equal(strlen(r.all), r.feed.all.len);
        assert_string_equal(r.out[OUTPUT_STDOUT], r.feed.text[OUTPUT_STDOUT].data);
        assert_string_equal(r.out[OUTPUT_STDERR], r.feed.text[OUTPUT_STDERR].data);
        feed_finish(&r.feed);
    }
}

/* A reader so eager that the intervals do not hold it back still stays within the bound. */
static void holds_back_the_last_events(void **state)
{
    (void)state;
    static struct reader r;
    reader_init(&r, CAP, 5000);
    int64_t now = 0;
    for (int i = 0; i < 3000; i++) {
        now += 1000;
        print(&r, i % 2 == 0 ? OUTPUT_STDOUT : OUTPUT_STDERR, "x");
        tell(&r, now);
    }
    assert_int_equal(r.events, FEED_EVENTS_MAX - 2);
    assert_int_equal(feed_due_at(&r.feed), INT64_MAX);
    feed_end(&r.feed);
    tell(&r, now);
    assert_int_equal(r.events, FEED_EVENTS_MAX);
    assert_int_equal(strlen(r.all), 3000);
    feed_finish(&r.feed);
}

/* Its announcement may have arrived although nobody said so: the second try must be the same.
 */
static void a_postponed_piece_does_not_change(void **state)
{
    (void)state;
    static struct reader r;
    enum output_stream stream;
    struct view text;
    reader_init(&r, CAP, 5000);
    print(&r, OUTPUT_STDOUT, "one");
    assert_true(feed_next(&r.feed, 10, &stream, &text));
    feed_postpone(&r.feed, 260);
    print(&r, OUTPUT_STDOUT, "two");
    print(&r, OUTPUT_STDERR, "three");
    assert_int_equal(tell(&r, 259), 0);
    assert_true(feed_next(&r.feed, 260, &stream, &text));
    assert_int_equal(stream, OUTPUT_STDOUT);
    assert_int_equal(text.len, 3);
    assert_memory_equal(text.at, "one", 3);
    assert_int_equal(tell(&r, 260), 3);
    assert_string_equal(r.all, "onetwothree");
    feed_finish(&r.feed);
}

/* Announcements fail all the time, and both streams print on: the bound holds all the same. */
static void postponing_does_not_break_the_bound(void **state)
{
    (void)state;
    static struct reader r;
    enum output_stream stream;
    struct view text;
    reader_init(&r, CAP, 5000);
    for (int64_t now = 1000; now <= 4000000; now += 1000) {
        print(&r, now / 1000 % 2 == 0 ? OUTPUT_STDOUT : OUTPUT_STDERR, "x");
        if (feed_next(&r.feed, now, &stream, &text)) {
            feed_postpone(&r.feed, now + 1);
        }
        print(&r, now / 1000 % 3 == 0 ? OUTPUT_STDOUT : OUTPUT_STDERR, "y");
        tell(&r, now + 1);
    }
    feed_end(&r.feed);
    tell(&r, 4000000);
    assert_true(r.events <= FEED_EVENTS_MAX);
    assert_int_equal(strlen(r.all), 8000);
    assert_string_equal(r.out[OUTPUT_STDOUT], r.feed.text[OUTPUT_STDOUT].data);
    assert_string_equal(r.out[OUTPUT_STDERR], r.feed.text[OUTPUT_STDERR].data);
    feed_finish(&r.feed);
}

/* What the supervisor sends is not taken on trust. */
static void caps_and_sanitises(void **state)
{
    (void)state;
    static struct reader r;
    reader_init(&r, 8, 5000);
    print(&r, OUTPUT_STDOUT, "ab\xff");
    print(&r, OUTPUT_STDERR, "cd\xc3"); /* an unfinished character has no room any more */
    print(&r, OUTPUT_STDOUT, "xyz");
    feed_end(&r.feed);
    tell(&r, 1);
    assert_string_equal(r.feed.all.data, "ab\xef\xbf\xbd"
                                         "cdx");
    assert_string_equal(r.all, "ab\xef\xbf\xbd"
                               "cdx");
    assert_int_equal(r.feed.cap.dropped_bytes, 5);
    feed_finish(&r.feed);
}

static void takes_more_than_a_slice(void **state)
{
    (void)state;
    static char text[3 * 4096 + 1];
    static struct reader r;
    memset(text, 'z', sizeof text - 1);
    reader_init(&r, CAP, 5000);
    print(&r, OUTPUT_STDOUT, text);
    tell(&r, 1);
    assert_int_equal(strlen(r.all), CAP);
    assert_int_equal(r.feed.cap.dropped_bytes, sizeof text - 1 - CAP);
    feed_finish(&r.feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_first_piece_at_once_and_then_gathers),
        cmocka_unit_test(waits_a_little_for_the_end_of_a_line),
        cmocka_unit_test(keeps_the_order_across_streams),
        cmocka_unit_test(never_passes_the_bound),
        cmocka_unit_test(holds_back_the_last_events),
        cmocka_unit_test(a_postponed_piece_does_not_change),
        cmocka_unit_test(postponing_does_not_break_the_bound),
        cmocka_unit_test(caps_and_sanitises),
        cmocka_unit_test(takes_more_than_a_slice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
