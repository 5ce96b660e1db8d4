/* The supervisor's frames: what is written is read again, however it is cut, and nothing else
 * passes. */
#include "run/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static uint8_t bytes[2 * (FRAME_HEAD_BYTES + FRAME_MAX_PAYLOAD)];

static size_t write_frame(uint8_t *out, enum frame_type type, const void *payload, size_t len)
{
    frame_write_head(out, type, (uint32_t)len);
    if (len > 0) {
        memcpy(out + FRAME_HEAD_BYTES, payload, len);
    }
    return FRAME_HEAD_BYTES + len;
}

static void write_raw_head(uint8_t type, uint32_t len)
{
    frame_write_head(bytes, (enum frame_type)type, len);
}

static const struct frame_end ordinary = {
    .exit_code = 3,
    .wall_us = 1234567890123,
    .waited_us = 1234567890122,
    .cpu_us = 4567,
    .memory_bytes = 134217728,
    .dropped_bytes = UINT64_MAX,
    .oom_kills = 2,
    .flooded = 1,
};

static bool end_survives(const struct frame_end *end)
{
    uint8_t payload[FRAME_END_BYTES];
    frame_write_end(payload, end);
    struct frame frame = {FRAME_END, payload, sizeof payload};
    struct frame_end read;
    return frame_read_end(&frame, &read) && memcmp(&read, end, sizeof read) == 0;
}

static void test_every_type_passes_one_way_only(void **state)
{
    (void)state;
    uint8_t end[FRAME_END_BYTES];
    frame_write_end(end, &ordinary);
    const struct {
        enum frame_side side;
        enum frame_type type;
        const void *payload;
        size_t len;
    } cases[] = {
        {FRAME_TO_SUPERVISOR, FRAME_SOURCE, "print(1)", 8},
        {FRAME_TO_SUPERVISOR, FRAME_SOURCE, "", 0},
        {FRAME_TO_SUPERVISOR, FRAME_STDIN, "x\n", 2},
        {FRAME_TO_SUPERVISOR, FRAME_STDIN_END, "", 0},
        {FRAME_TO_SUPERVISOR, FRAME_INTERRUPT, "", 0},
        {FRAME_TO_SUPERVISOR, FRAME_KILL, "", 0},
        {FRAME_FROM_SUPERVISOR, FRAME_READY, "", 0},
        {FRAME_FROM_SUPERVISOR, FRAME_STARTED, "", 0},
        {FRAME_FROM_SUPERVISOR, FRAME_WAITING, "", 0},
        {FRAME_FROM_SUPERVISOR, FRAME_RESUMED, "", 0},
        {FRAME_FROM_SUPERVISOR, FRAME_STDOUT, "1\n", 2},
        {FRAME_FROM_SUPERVISOR, FRAME_STDERR, "e", 1},
        {FRAME_FROM_SUPERVISOR, FRAME_END, end, sizeof end},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = write_frame(bytes, cases[i].type, cases[i].payload, cases[i].len);
        struct frame frame;
        size_t used = 0;
        assert_int_equal(frame_parse(cases[i].side, bytes, len, &frame, &used), FRAME_OK);
        assert_int_equal(used, len);
        assert_int_equal(frame.type, cases[i].type);
        assert_int_equal(frame.len, cases[i].len);
        assert_memory_equal(frame.payload, cases[i].payload, cases[i].len);
        enum frame_side other =
            cases[i].side == FRAME_TO_SUPERVISOR ? FRAME_FROM_SUPERVISOR : FRAME_TO_SUPERVISOR;
        assert_int_equal(frame_parse(other, bytes, len, &frame, &used), FRAME_MALFORMED);
    }
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    size_t first = write_frame(bytes, FRAME_SOURCE, "print(input())", 14);
    size_t len = first + write_frame(bytes + first, FRAME_STDIN, "hello\n", 6);
    struct frame frame;
    size_t used = 0;
    for (size_t cut = 0; cut < first; cut++) {
        assert_int_equal(frame_parse(FRAME_TO_SUPERVISOR, bytes, cut, &frame, &used),
                         FRAME_NEED_MORE);
    }
    for (size_t cut = first; cut <= len; cut++) {
        assert_int_equal(frame_parse(FRAME_TO_SUPERVISOR, bytes, cut, &frame, &used), FRAME_OK);
        assert_int_equal(used, first);
        enum frame_parse rest =
            frame_parse(FRAME_TO_SUPERVISOR, bytes + first, cut - first, &frame, &used);
        assert_int_equal(rest, cut == len ? FRAME_OK : FRAME_NEED_MORE);
    }
    assert_memory_equal(frame.payload, "hello\n", 6);
}

static void test_length_is_bounded(void **state)
{
    (void)state;
    static const struct {
        enum frame_side side;
        enum frame_type type;
        uint32_t len;
        enum frame_parse expected; /* of the head alone */
    } cases[] = {
        {FRAME_TO_SUPERVISOR, FRAME_SOURCE, FRAME_MAX_PAYLOAD, FRAME_NEED_MORE},
        {FRAME_TO_SUPERVISOR, FRAME_SOURCE, FRAME_MAX_PAYLOAD + 1, FRAME_MALFORMED},
        {FRAME_TO_SUPERVISOR, FRAME_STDIN, UINT32_MAX, FRAME_MALFORMED},
        {FRAME_TO_SUPERVISOR, FRAME_STDIN_END, 1, FRAME_MALFORMED},
        {FRAME_TO_SUPERVISOR, FRAME_INTERRUPT, 1, FRAME_MALFORMED},
        {FRAME_TO_SUPERVISOR, FRAME_KILL, 1, FRAME_MALFORMED},
        {FRAME_FROM_SUPERVISOR, FRAME_READY, 1, FRAME_MALFORMED},
        {FRAME_FROM_SUPERVISOR, FRAME_STARTED, 1, FRAME_MALFORMED},
        {FRAME_FROM_SUPERVISOR, FRAME_WAITING, 1, FRAME_MALFORMED},
        {FRAME_FROM_SUPERVISOR, FRAME_RESUMED, 1, FRAME_MALFORMED},
        {FRAME_FROM_SUPERVISOR, FRAME_STDOUT, 0, FRAME_MALFORMED},
        {FRAME_FROM_SUPERVISOR, FRAME_STDERR, 0, FRAME_MALFORMED},
        {FRAME_FROM_SUPERVISOR, FRAME_STDERR, FRAME_MAX_PAYLOAD, FRAME_NEED_MORE},
        {FRAME_FROM_SUPERVISOR, FRAME_STDERR, FRAME_MAX_PAYLOAD + 1, FRAME_MALFORMED},
        {FRAME_FROM_SUPERVISOR, FRAME_END, FRAME_END_BYTES - 1, FRAME_MALFORMED},
        {FRAME_FROM_SUPERVISOR, FRAME_END, FRAME_END_BYTES, FRAME_NEED_MORE},
        {FRAME_FROM_SUPERVISOR, FRAME_END, FRAME_END_BYTES + 1, FRAME_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_raw_head((uint8_t)cases[i].type, cases[i].len);
        struct frame frame;
        size_t used = 0;
        assert_int_equal(frame_parse(cases[i].side, bytes, FRAME_HEAD_BYTES, &frame, &used),
                         cases[i].expected);
    }
}

static void test_largest_frame_passes(void **state)
{
    (void)state;
    write_raw_head(FRAME_STDIN, FRAME_MAX_PAYLOAD);
    struct frame frame;
    size_t used = 0;
    size_t len = FRAME_HEAD_BYTES + FRAME_MAX_PAYLOAD;
    assert_int_equal(frame_parse(FRAME_TO_SUPERVISOR, bytes, len - 1, &frame, &used),
                     FRAME_NEED_MORE);
    assert_int_equal(frame_parse(FRAME_TO_SUPERVISOR, bytes, len, &frame, &used), FRAME_OK);
    assert_int_equal(used, len);
}

static void test_unknown_type_is_refused_by_its_first_byte(void **state)
{
    (void)state;
    static const char known[] = "SIECKRswgoex";
    for (unsigned type = 0; type <= UINT8_MAX; type++) {
        bytes[0] = (uint8_t)type;
        struct frame frame;
        size_t used = 0;
        bool to = frame_parse(FRAME_TO_SUPERVISOR, bytes, 1, &frame, &used) == FRAME_NEED_MORE;
        bool from =
            frame_parse(FRAME_FROM_SUPERVISOR, bytes, 1, &frame, &used) == FRAME_NEED_MORE;
        bool is_known = type != 0 && strchr(known, (int)type) != NULL;
        assert_int_equal(to + from, is_known ? 1 : 0);
    }
}

static void test_end_round_trip(void **state)
{
    (void)state;
    assert_true(end_survives(&ordinary));
    assert_true(end_survives(&(struct frame_end){.exit_code = 0}));
    assert_true(end_survives(&(struct frame_end){.exit_code = 255}));
    assert_true(end_survives(&(struct frame_end){.exit_code = -1, .signal = 11}));
    assert_true(end_survives(&(struct frame_end){.exit_code = -1, .signal = 64}));
}

static void test_contradictory_end_is_refused(void **state)
{
    (void)state;
    assert_false(end_survives(&(struct frame_end){.exit_code = -1}));
    assert_false(end_survives(&(struct frame_end){.exit_code = 3, .signal = 9}));
    assert_false(end_survives(&(struct frame_end){.exit_code = 256}));
    assert_false(end_survives(&(struct frame_end){.exit_code = -2, .signal = 9}));
    assert_false(end_survives(&(struct frame_end){.exit_code = -1, .signal = 65}));
    assert_false(end_survives(&(struct frame_end){.exit_code = -1, .signal = -9}));
    assert_false(end_survives(&(struct frame_end){.flooded = 2}));
}

static void test_end_is_read_from_an_end_only(void **state)
{
    (void)state;
    uint8_t payload[FRAME_END_BYTES];
    frame_write_end(payload, &ordinary);
    struct frame_end end;
    assert_false(frame_read_end(&(struct frame){FRAME_STDOUT, payload, sizeof payload}, &end));
    assert_false(frame_read_end(&(struct frame){FRAME_END, payload, sizeof payload - 1}, &end));
}

static void test_bytes_on_the_wire(void **state)
{
    (void)state;
    frame_write_head(bytes, FRAME_STDOUT, 0x010203);
    assert_memory_equal(bytes, "o\x00\x01\x02\x03", 5);
    uint8_t payload[FRAME_END_BYTES];
    frame_write_end(payload, &(struct frame_end){
                                 .exit_code = -1, .signal = 9, .wall_us = 258, .oom_kills = 1});
    assert_memory_equal(payload, "\xff\xff\xff\xff\0\0\0\x09\0\0\0\0\0\0\x01\x02", 16);
    assert_memory_equal(payload + 48, "\0\0\0\x01\0\0\0\0", 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_passes_one_way_only),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_length_is_bounded),
        cmocka_unit_test(test_largest_frame_passes),
        cmocka_unit_test(test_unknown_type_is_refused_by_its_first_byte),
        cmocka_unit_test(test_end_round_trip),
        cmocka_unit_test(test_contradictory_end_is_refused),
        cmocka_unit_test(test_end_is_read_from_an_end_only),
        cmocka_unit_test(test_bytes_on_the_wire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
