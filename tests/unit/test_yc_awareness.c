/* Awareness: what y-protocols makes of the same frames, byte for byte, and what it leaves open:
 * limits, time, and frames that no client writes. */
#include "yc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define B(literal)                                                                             \
    {                                                                                          \
        (const uint8_t *)(literal), sizeof(literal) - 1                                        \
    }
#define NOTHING                                                                                \
    {                                                                                          \
        NULL, 0                                                                                \
    }
#define BYTES(literal) ((struct yc_slice)B(literal))

/* What y-protocols has after the first frame and then the second, and what it tells of the second.
 * It was asked with clients in ascending order, which is the order here. */
static const struct {
    const char *name;
    struct yc_slice before;
    struct yc_slice update;
    struct yc_slice news;
    struct yc_slice all;
} rows[] = {
    {"a newcomer", B("\000"), B("\001\001\001\025{\"user\":{\"name\":\"x\"}}"),
     B("\001\001\001\025{\"user\":{\"name\":\"x\"}}"),
     B("\001\001\001\025{\"user\":{\"name\":\"x\"}}")},
    {"clock 0 of an unknown client", B("\000"), B("\001\001\000\002{}"), NOTHING, NOTHING},
    {"null of an unknown client at clock 0", B("\000"), B("\001\001\000\004null"), NOTHING,
     NOTHING},
    {"a renewal", B("\001\007\001\007{\"a\":1}"), B("\001\007\002\007{\"a\":1}"),
     B("\001\007\002\007{\"a\":1}"), B("\001\007\002\007{\"a\":1}")},
    {"the same clock", B("\001\007\001\007{\"a\":1}"), B("\001\007\001\007{\"a\":2}"), NOTHING,
     B("\001\007\001\007{\"a\":1}")},
    {"an older clock", B("\001\007\005\007{\"a\":1}"), B("\001\007\004\004null"), NOTHING,
     B("\001\007\005\007{\"a\":1}")},
    {"gone by the same clock", B("\002\007\005\007{\"a\":1}\010\001\002{}"),
     B("\001\007\005\004null"), B("\001\007\005\004null"), B("\001\010\001\002{}")},
    {"gone by a higher clock", B("\001\007\005\007{\"a\":1}"), B("\001\007\006\004null"),
     B("\001\007\006\004null"), NOTHING},
    {"gone twice by the same clock", B("\002\007\005\007{\"a\":1}\007\005\004null"),
     B("\001\007\005\004null"), NOTHING, NOTHING},
    {"gone again by a higher clock", B("\002\007\005\007{\"a\":1}\007\005\004null"),
     B("\001\007\006\004null"), B("\001\007\006\004null"), NOTHING},
    {"back by the same clock", B("\002\007\005\007{\"a\":1}\007\005\004null"),
     B("\001\007\005\007{\"a\":1}"), NOTHING, NOTHING},
    {"back by a higher clock", B("\002\007\005\007{\"a\":1}\007\005\004null"),
     B("\001\007\006\007{\"b\":2}"), B("\001\007\006\007{\"b\":2}"),
     B("\001\007\006\007{\"b\":2}")},
    {"stale and new in one frame", B("\002\001\003\007{\"a\":1}\002\003\007{\"b\":1}"),
     B("\003\001\003\007{\"a\":9}\002\004\007{\"b\":2}\377\377\377\377\017\254\002\016{\"c\":"
       "\"\303\251\360\237\230\200\"}"),
     B("\002\002\004\007{\"b\":2}\377\377\377\377\017\254\002\016{\"c\":"
       "\"\303\251\360\237\230\200\"}"),
     B("\003\001\003\007{\"a\":1}\002\004\007{\"b\":2}\377\377\377\377\017\254\002\016{\"c\":"
       "\"\303\251\360\237\230\200\"}")},
    {"a client twice in a frame", B("\000"),
     B("\002\011\001\007{\"a\":1}\011\002\007{\"a\":2}"), B("\001\011\002\007{\"a\":2}"),
     B("\001\011\002\007{\"a\":2}")},
    {"a client twice in a frame, the newer first", B("\001\011\001\007{\"a\":1}"),
     B("\003\011\003\007{\"a\":3}\011\002\007{\"a\":2}\011\002\004null"),
     B("\001\011\003\007{\"a\":3}"), B("\001\011\003\007{\"a\":3}")},
    {"a client there and gone in a frame", B("\001\011\001\007{\"a\":1}"),
     B("\002\011\002\007{\"a\":2}\011\002\004null"), B("\001\011\002\004null"), NOTHING},
    {"the largest client and clock", B("\000"),
     B("\001\377\377\377\377\377\377\377\017\377\377\377\377\377\377\377\017\011[1,\"two\"]"),
     B("\001\377\377\377\377\377\377\377\017\377\377\377\377\377\377\377\017\011[1,\"two\"]"),
     B("\001\377\377\377\377\377\377\377\017\377\377\377\377\377\377\377\017\011[1,\"two\"]")},
    {"no entry", B("\001\007\001\002{}"), B("\000"), NOTHING, B("\001\007\001\002{}")},
    {"null with white space", B("\001\007\001\002{}"), B("\001\007\002\006 null\012"),
     B("\001\007\002\004null"), NOTHING},
};

static struct yc_awareness *create(const struct yc_awareness_limits *limits)
{
    struct yc_awareness *awareness = yc_awareness_create(limits, NULL);
    assert_non_null(awareness);
    return awareness;
}

static void assert_bytes(struct yc_slice given, struct yc_slice wanted)
{
    assert_int_equal(given.len, wanted.len);
    if (wanted.len > 0) {
        assert_memory_equal(given.data, wanted.data, wanted.len);
    }
}

static void assert_all(const struct yc_awareness *awareness, struct yc_slice wanted)
{
    struct yc_buf all = {0};
    assert_int_equal(yc_awareness_encode(awareness, &all), YC_OK);
    assert_bytes(yc_buf_slice(&all), wanted);
    yc_buf_free(&all);
}

static void apply(struct yc_awareness *awareness, struct yc_slice update, uint64_t now_ms,
                  struct yc_slice wanted_news)
{
    struct yc_buf news = {0};
    assert_int_equal(yc_awareness_apply(awareness, update, now_ms, &news), YC_OK);
    assert_bytes(yc_buf_slice(&news), wanted_news);
    yc_buf_free(&news);
}

static void assert_state(const struct yc_awareness *awareness, uint64_t client,
                         const char *wanted)
{
    struct yc_slice state = yc_awareness_state(awareness, client);
    if (wanted == NULL) {
        assert_null(state.data);
        assert_int_equal(state.len, 0);
    } else {
        assert_bytes(state, (struct yc_slice){(const uint8_t *)wanted, strlen(wanted)});
    }
}

static void test_frames_as_y_protocols_takes_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("    %s\n", rows[i].name);
        struct yc_awareness *awareness = create(NULL);
        assert_int_equal(yc_awareness_apply(awareness, rows[i].before, 1, NULL), YC_OK);
        apply(awareness, rows[i].update, 2, rows[i].news);
        assert_all(awareness, rows[i].all);
        yc_awareness_destroy(awareness);
    }
}

/* y-protocols keeps the clock to itself; here it is news, so that others know as much. */
static void test_null_of_an_unknown_client_records_its_clock(void **state)
{
    (void)state;
    struct yc_awareness *awareness = create(NULL);
    apply(awareness, BYTES("\1\6\5\4null"), 1, BYTES("\1\6\5\4null"));
    assert_int_equal(yc_awareness_count(awareness), 0);
    assert_all(awareness, (struct yc_slice){NULL, 0});
    apply(awareness, BYTES("\1\6\5\2{}"), 1, (struct yc_slice){NULL, 0});
    apply(awareness, BYTES("\1\6\6\2{}"), 1, BYTES("\1\6\6\2{}"));
    assert_int_equal(yc_awareness_count(awareness), 1);
    yc_awareness_destroy(awareness);
}

static void test_states_are_found_by_client(void **state)
{
    (void)state;
    struct yc_awareness *awareness = create(NULL);
    apply(awareness,
          BYTES("\3\3\1\1"
                "3\1\1\1"
                "1\2\1\1"
                "2"),
          1,
          BYTES("\3\3\1\1"
                "3\1\1\1"
                "1\2\1\1"
                "2"));
    assert_int_equal(yc_awareness_count(awareness), 3);
    assert_state(awareness, 0, NULL);
    assert_state(awareness, 1, "1");
    assert_state(awareness, 2, "2");
    assert_state(awareness, 3, "3");
    assert_state(awareness, 4, NULL);
    assert_all(awareness, BYTES("\3\1\1\1"
                                "1\2\1\1"
                                "2\3\1\1"
                                "3"));
    yc_awareness_destroy(awareness);
}

static void test_a_connection_ends(void **state)
{
    (void)state;
    struct yc_awareness *awareness = create(NULL);
    struct yc_buf news = {0};
    /* As removeAwarenessStates has it. */
    assert_int_equal(
        yc_awareness_apply(awareness, BYTES("\2\254\2\4\7{\"a\":1}\5\2\7{\"b\":1}"), 1, NULL),
        YC_OK);
    assert_int_equal(yc_awareness_remove(awareness, 300, 2, &news), YC_OK);
    assert_bytes(yc_buf_slice(&news), BYTES("\1\254\2\4\4null"));
    assert_all(awareness, BYTES("\1\5\2\7{\"b\":1}"));
    assert_int_equal(yc_awareness_remove(awareness, 300, 2, &news), YC_OK);
    assert_int_equal(news.len, 0);
    assert_int_equal(yc_awareness_remove(awareness, 77, 2, &news), YC_OK);
    assert_int_equal(news.len, 0);
    assert_int_equal(yc_awareness_remove(awareness, 5, 2, NULL), YC_OK);
    assert_int_equal(yc_awareness_count(awareness), 0);
    yc_buf_free(&news);
    yc_awareness_destroy(awareness);
}

static void expire(struct yc_awareness *awareness, uint64_t now_ms, struct yc_slice wanted_news)
{
    struct yc_buf news = {0};
    assert_int_equal(yc_awareness_expire(awareness, now_ms, 30000, &news), YC_OK);
    assert_bytes(yc_buf_slice(&news), wanted_news);
    yc_buf_free(&news);
}

static void test_who_is_not_renewed_goes(void **state)
{
    (void)state;
    struct yc_slice nothing = {NULL, 0};
    struct yc_awareness *awareness = create(NULL);
    apply(awareness,
          BYTES("\2\1\1\1"
                "1\2\1\1"
                "2"),
          1000,
          BYTES("\2\1\1\1"
                "1\2\1\1"
                "2"));
    apply(awareness,
          BYTES("\1\2\2\1"
                "2"),
          2000,
          BYTES("\1\2\2\1"
                "2"));
    /* A stale entry renews nobody. */
    apply(awareness,
          BYTES("\1\1\1\1"
                "1"),
          9000, nothing);
    expire(awareness, 500, nothing);
    expire(awareness, 30999, nothing);
    expire(awareness, 31000, BYTES("\1\1\1\4null"));
    expire(awareness, 31999, nothing);
    expire(awareness, 32000, BYTES("\1\2\2\4null"));
    assert_int_equal(yc_awareness_count(awareness), 0);
    yc_awareness_destroy(awareness);
}

static void test_clocks_of_those_long_gone_are_forgotten(void **state)
{
    (void)state;
    struct yc_slice nothing = {NULL, 0};
    struct yc_awareness *awareness =
        create(&(struct yc_awareness_limits){.clients = 1, .forget_ms = 50});
    apply(awareness, BYTES("\1\7\3\2{}"), 0, BYTES("\1\7\3\2{}"));
    assert_int_equal(yc_awareness_remove(awareness, 7, 1000, NULL), YC_OK);
    expire(awareness, 1049, nothing);
    apply(awareness, BYTES("\1\7\3\2{}"), 1049, nothing);
    assert_int_equal(yc_awareness_apply(awareness, BYTES("\1\10\1\2{}"), 1049, NULL), YC_LIMIT);
    expire(awareness, 1050, nothing);
    apply(awareness, BYTES("\1\10\1\2{}"), 1050, BYTES("\1\10\1\2{}"));
    yc_awareness_destroy(awareness);
}

/* Each comes after a good entry that must not stay. */
#define GOOD "\1\2\2{}"
static const struct {
    const char *name;
    struct yc_slice update;
    enum yc_status status;
} refused[] = {
    {"no bytes", NOTHING, YC_MALFORMED},
    {"a count and no entry", B("\1"), YC_MALFORMED},
    {"a count of 2^53 - 1", B("\377\377\377\377\377\377\377\17" GOOD), YC_MALFORMED},
    {"a count one too high", B("\2" GOOD), YC_MALFORMED},
    {"bytes left over", B("\1" GOOD "\0"), YC_MALFORMED},
    {"a state longer than the frame", B("\2" GOOD "\3\1\3{}"), YC_MALFORMED},
    {"a client above 2^53 - 1", B("\2" GOOD "\377\377\377\377\377\377\377\37\1\2{}"),
     YC_MALFORMED},
    {"an empty state", B("\2" GOOD "\3\1\0"), YC_MALFORMED},
    {"no JSON", B("\2" GOOD "\3\1\2{]"), YC_MALFORMED},
    {"almost null", B("\2" GOOD "\3\1\4nulk"), YC_MALFORMED},
    {"white space alone", B("\2" GOOD "\3\1\1 "), YC_MALFORMED},
    {"a stale entry cut short", B("\2" GOOD "\1\1\5{}"), YC_MALFORMED},
    {"no UTF-8", B("\2" GOOD "\3\1\3\"\377\""), YC_MALFORMED},
    {"half a surrogate pair", B("\2" GOOD "\3\1\5\"\355\240\200\""), YC_MALFORMED},
    {"a byte order mark", B("\2" GOOD "\3\1\5\357\273\277{}"), YC_MALFORMED},
    {"one client too many",
     B("\4" GOOD "\4\1\1"
       "1\5\1\1"
       "1\6\1\1"
       "1"),
     YC_LIMIT},
    {"a state too long", B("\2" GOOD "\3\1\13\"123456789\""), YC_LIMIT},
    {"states too long together",
     B("\3"
       "\1\2\12\"12345678\""
       "\2\2\12\"12345678\""
       "\3\1\1"
       "1"),
     YC_LIMIT},
};

static void test_what_is_refused_changes_nothing(void **state)
{
    (void)state;
    const struct yc_awareness_limits limits = {.clients = 4, .state_bytes = 10, .bytes = 20};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        print_message("    %s\n", refused[i].name);
        struct yc_awareness *awareness = create(&limits);
        /* 1 and 2 are here, 9 is gone. */
        struct yc_slice before = BYTES("\3\1\1\1"
                                       "1\2\1\1"
                                       "2\11\1\4null");
        apply(awareness, before, 1000, before);
        struct yc_buf news = {0};
        assert_int_equal(yc_awareness_apply(awareness, refused[i].update, 2000, &news),
                         refused[i].status);
        assert_int_equal(news.len, 0);
        assert_all(awareness, BYTES("\2\1\1\1"
                                    "1\2\1\1"
                                    "2"));
        /* Clocks and times are as they were, and nobody new is known. */
        apply(awareness,
              BYTES("\1\11\1\1"
                    "9"),
              2000, (struct yc_slice){NULL, 0});
        apply(awareness,
              BYTES("\1\3\1\1"
                    "3"),
              30999,
              BYTES("\1\3\1\1"
                    "3"));
        expire(awareness, 31000, BYTES("\2\1\1\4null\2\1\4null"));
        yc_buf_free(&news);
        yc_awareness_destroy(awareness);
    }
}

static void test_limits_are_exact(void **state)
{
    (void)state;
    struct yc_awareness *awareness =
        create(&(struct yc_awareness_limits){.clients = 2, .state_bytes = 10, .bytes = 20});
    struct yc_slice full = BYTES("\2\1\1\12\"12345678\"\2\1\12\"12345678\"");
    apply(awareness, full, 1, full);
    /* One grows by what another gives up, whatever their order. */
    struct yc_slice moved = BYTES("\2\1\2\12\"abcdefgh\"\2\2\1"
                                  "2");
    apply(awareness, moved, 2, moved);
    moved = BYTES("\2\2\3\12\"abcdefgh\"\1\3\4null");
    apply(awareness, moved, 3, moved);
    yc_awareness_destroy(awareness);
}

static void test_states_nest_as_deep_as_64(void **state)
{
    (void)state;
    for (size_t depth = 64; depth <= 65; depth++) {
        struct yc_awareness *awareness = create(NULL);
        uint8_t frame[4 + 130 + 1] = {1, 5, 1, 0};
        size_t len = 4;
        if (depth * 2 < 128) {
            frame[3] = (uint8_t)(depth * 2);
        } else {
            frame[3] = (uint8_t)((depth * 2) | 0x80);
            frame[len++] = (uint8_t)((depth * 2) >> 7);
        }
        memset(frame + len, '[', depth);
        memset(frame + len + depth, ']', depth);
        struct yc_slice update = {frame, len + depth * 2};
        assert_int_equal(yc_awareness_apply(awareness, update, 1, NULL),
                         depth == 64 ? YC_OK : YC_MALFORMED);
        yc_awareness_destroy(awareness);
    }
}

/* The JSON of a stale entry is not looked at, be it what it will. */
static void test_stale_states_are_not_looked_at(void **state)
{
    (void)state;
    struct yc_awareness *awareness = create(&(struct yc_awareness_limits){.state_bytes = 4});
    apply(awareness, BYTES("\1\1\5\2{}"), 1, BYTES("\1\1\5\2{}"));
    apply(awareness, BYTES("\3\1\4\1{\1\5\2}{\1\1\7\377nonsen"), 1, (struct yc_slice){NULL, 0});
    assert_state(awareness, 1, "{}");
    yc_awareness_destroy(awareness);
}

static void test_peek(void **state)
{
    (void)state;
    uint64_t client = 1;
    uint64_t count = 1;
    assert_int_equal(yc_awareness_peek(BYTES("\0"), &client, &count), YC_OK);
    assert_true(client == 0 && count == 0);
    assert_int_equal(yc_awareness_peek(BYTES("\2\254\2\1\2{}\2\1\1]"), &client, &count), YC_OK);
    assert_true(client == 300 && count == 2);
    assert_int_equal(yc_awareness_peek(BYTES("\2\254\2\1\2{}"), &client, &count), YC_MALFORMED);
    assert_true(client == 0 && count == 0);
    assert_int_equal(yc_awareness_peek(BYTES("\0\0"), &client, &count), YC_MALFORMED);
    assert_int_equal(yc_awareness_peek((struct yc_slice){NULL, 0}, &client, &count),
                     YC_MALFORMED);
}

/* --- memory that runs out ----------------------------------------------------------------------- */

struct meter {
    size_t held;
    size_t calls_left;
};

static void *resize_metered(void *ctx, void *ptr, size_t old_size, size_t size)
{
    struct meter *meter = ctx;
    if (size > 0 && meter->calls_left == 0) {
        return NULL;
    }
    if (size == 0) {
        free(ptr);
        meter->held -= old_size;
        return NULL;
    }
    meter->calls_left--;
    void *moved = realloc(ptr, size);
    assert_non_null(moved);
    meter->held = meter->held - old_size + size;
    return moved;
}

/* Each of the calls that change something, with the n-th allocation refused, for every n. */
enum act { APPLY, REMOVE, EXPIRE };

static enum yc_status perform(enum act act, struct yc_awareness *awareness, struct yc_buf *news)
{
    switch (act) {
    case REMOVE:
        return yc_awareness_remove(awareness, 1, 2000, news);
    case EXPIRE:
        return yc_awareness_expire(awareness, 70000, 30000, news);
    default:
        return yc_awareness_apply(awareness,
                                  BYTES("\6\1\2\4null\2\2\2[]\3\1\1"
                                        "3\4\1\1"
                                        "4\5\1\1"
                                        "5\6\1\1"
                                        "6"),
                                  2000, news);
    }
}

/* Whether it could be done with so many allocations; if not, all is as before. */
static bool done_with(enum act act, size_t allocations)
{
    struct meter meter = {0, SIZE_MAX};
    const struct yc_allocator allocator = {resize_metered, &meter};
    struct yc_awareness *awareness = yc_awareness_create(NULL, &allocator);
    assert_non_null(awareness);
    struct yc_slice before = BYTES("\3\1\1\1"
                                   "1\2\1\1"
                                   "2\11\1\4null");
    assert_int_equal(yc_awareness_apply(awareness, before, 1000, NULL), YC_OK);
    struct yc_buf news = {.allocator = &allocator};

    meter.calls_left = allocations;
    enum yc_status status = perform(act, awareness, &news);
    meter.calls_left = SIZE_MAX;
    assert_true(status == YC_OK || status == YC_MEMORY);
    if (status == YC_MEMORY) {
        assert_int_equal(news.len, 0);
        assert_all(awareness, BYTES("\2\1\1\1"
                                    "1\2\1\1"
                                    "2"));
        apply(awareness,
              BYTES("\1\11\1\1"
                    "9"),
              2000, (struct yc_slice){NULL, 0});
        apply(awareness,
              BYTES("\1\3\1\1"
                    "3"),
              30999,
              BYTES("\1\3\1\1"
                    "3"));
        expire(awareness, 31000, BYTES("\2\1\1\4null\2\1\4null"));
    } else {
        assert_true(news.len > 0);
    }
    yc_buf_free(&news);
    yc_awareness_destroy(awareness);
    assert_int_equal(meter.held, 0);
    return status == YC_OK;
}

static void sweep(enum act act, size_t at_least)
{
    size_t allocations = 0;
    while (!done_with(act, allocations)) {
        allocations++;
    }
    assert_true(allocations >= at_least);
}

static void test_memory_that_runs_out_changes_nothing(void **state)
{
    (void)state;
    sweep(APPLY, 10); /* an array, four members, five states, the news */
    sweep(REMOVE, 1);
    sweep(EXPIRE, 1);
}

static void test_several_updates_become_one(void **state)
{
    (void)state;
    struct yc_buf out = {0};
    const struct yc_slice updates[] = {
        BYTES("\2\1\1\1"
              "7"
              "\2\3\1"
              "8"), /* two clients */
        BYTES("\1\1\3\1"
              "9"), /* a newer state of the one */
        BYTES("\1\2\3\4"
              "null"), /* the other goes, at the same clock */
        BYTES("\1\1\2\1"
              "0"), /* old */
        BYTES("\1\5\4\4"
              "null"), /* one of whom nothing else is known */
    };
    assert_int_equal(yc_awareness_merge(updates, 5, &out), YC_OK);
    assert_bytes(yc_buf_slice(&out), BYTES("\3\1\3\1"
                                           "9"
                                           "\2\3\4"
                                           "null"
                                           "\5\4\4"
                                           "null"));
    assert_int_equal(yc_awareness_merge(updates, 1, &out), YC_OK);
    assert_bytes(yc_buf_slice(&out), updates[0]);
    assert_int_equal(yc_awareness_merge(NULL, 0, &out), YC_OK);
    assert_int_equal(out.len, 0);
    const struct yc_slice bad[] = {updates[0], BYTES("\1\1\7\1"
                                                     "{")};
    assert_int_equal(yc_awareness_merge(bad, 2, &out), YC_MALFORMED);
    assert_int_equal(out.len, 0);
    yc_buf_free(&out);
    for (size_t granted = 0;; granted++) {
        struct meter meter = {0, granted};
        const struct yc_allocator allocator = {resize_metered, &meter};
        struct yc_buf metered = {.allocator = &allocator};
        enum yc_status status = yc_awareness_merge(updates, 5, &metered);
        yc_buf_free(&metered);
        if (status == YC_OK) {
            assert_true(granted > 4);
            break;
        }
        assert_int_equal(status, YC_MEMORY);
    }
}

static void test_no_memory_to_begin_with(void **state)
{
    (void)state;
    struct meter meter = {0, 0};
    const struct yc_allocator allocator = {resize_metered, &meter};
    assert_null(yc_awareness_create(NULL, &allocator));
    yc_awareness_destroy(NULL);
    struct yc_awareness *awareness = create(NULL);
    apply(awareness, BYTES("\1\1\1\2{}"), 1, BYTES("\1\1\1\2{}"));
    struct yc_buf all = {.allocator = &allocator};
    assert_int_equal(yc_awareness_encode(awareness, &all), YC_MEMORY);
    assert_int_equal(all.len, 0);
    yc_buf_free(&all);
    yc_awareness_destroy(awareness);
}

/* As many clients as there may be, in the order that is worst for a sorted array. */
static void test_as_many_clients_as_there_may_be(void **state)
{
    (void)state;
    static uint8_t frame[2 + 1024 * 5];
    size_t len = 0;
    frame[len++] = 0x80;
    frame[len++] = 0x08;
    for (unsigned client = 128 + 1023; client >= 128; client--) {
        const uint8_t entry[] = {(uint8_t)(client | 0x80), (uint8_t)(client >> 7), 1, 1, '7'};
        memcpy(frame + len, entry, sizeof entry);
        len += sizeof entry;
    }
    struct yc_slice update = {frame, len};
    struct yc_awareness *awareness = create(NULL);
    struct yc_awareness *other = create(NULL);
    apply(awareness, update, 1, update);
    apply(awareness, update, 2, (struct yc_slice){NULL, 0});
    assert_int_equal(yc_awareness_count(awareness), 1024);
    struct yc_buf all = {0};
    assert_int_equal(yc_awareness_encode(awareness, &all), YC_OK);
    apply(other, yc_buf_slice(&all), 1, yc_buf_slice(&all));
    assert_int_equal(yc_awareness_apply(awareness,
                                        BYTES("\1\0\1\1"
                                              "7"),
                                        3, NULL),
                     YC_LIMIT);
    assert_state(awareness, 0, NULL);
    yc_buf_free(&all);
    yc_awareness_destroy(awareness);
    yc_awareness_destroy(other);
}

static void test_own_states_and_who_is_here(void **state)
{
    (void)state;
    struct yc_awareness *awareness = yc_awareness_create(NULL, NULL);
    struct yc_awareness *other = yc_awareness_create(NULL, NULL);
    struct yc_buf news = {0};
    assert_true(awareness != NULL && other != NULL);
    const uint64_t clients[] = {9, 3, 70000};
    for (size_t i = 0; i < 3; i++) {
        struct yc_slice json = yc_str("{\"n\":1}");
        assert_int_equal(yc_awareness_set(awareness, clients[i], json, 5, &news), YC_OK);
        assert_int_equal(yc_awareness_apply(other, yc_buf_slice(&news), 5, NULL), YC_OK);
    }
    uint64_t client = 0;
    assert_true(yc_awareness_next(other, &client) && client++ == 3);
    assert_true(yc_awareness_next(other, &client) && client++ == 9);
    assert_int_equal(yc_awareness_set(awareness, 9, yc_str("null"), 6, &news), YC_OK);
    assert_int_equal(yc_awareness_apply(other, yc_buf_slice(&news), 6, NULL), YC_OK);
    client = 4;
    assert_true(yc_awareness_next(other, &client) && client++ == 70000);
    assert_false(yc_awareness_next(other, &client));
    assert_int_equal(yc_awareness_set(awareness, 3, yc_str("{"), 7, &news), YC_JSON);
    assert_int_equal(news.len, 0);
    assert_int_equal(yc_awareness_set(awareness, UINT64_MAX, yc_str("1"), 7, &news), YC_LIMIT);
    assert_int_equal(yc_awareness_count(awareness), 2);
    assert_int_equal(yc_awareness_set(awareness, 5, yc_str("1"), 7, NULL), YC_OK);
    assert_int_equal(yc_awareness_count(awareness), 3);
    yc_buf_free(&news);
    yc_awareness_destroy(awareness);
    yc_awareness_destroy(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_states_and_who_is_here),
        cmocka_unit_test(test_frames_as_y_protocols_takes_them),
        cmocka_unit_test(test_null_of_an_unknown_client_records_its_clock),
        cmocka_unit_test(test_states_are_found_by_client),
        cmocka_unit_test(test_a_connection_ends),
        cmocka_unit_test(test_who_is_not_renewed_goes),
        cmocka_unit_test(test_clocks_of_those_long_gone_are_forgotten),
        cmocka_unit_test(test_what_is_refused_changes_nothing),
        cmocka_unit_test(test_limits_are_exact),
        cmocka_unit_test(test_states_nest_as_deep_as_64),
        cmocka_unit_test(test_stale_states_are_not_looked_at),
        cmocka_unit_test(test_peek),
        cmocka_unit_test(test_memory_that_runs_out_changes_nothing),
        cmocka_unit_test(test_several_updates_become_one),
        cmocka_unit_test(test_no_memory_to_begin_with),
        cmocka_unit_test(test_as_many_clients_as_there_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
