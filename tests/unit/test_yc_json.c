/* JSON text and any values: what passes, what does not, how deep. */
#include "yc/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool valid(const char *text, unsigned depth)
{
    return ycp_json_valid((struct yc_slice){(const uint8_t *)text, strlen(text)}, depth);
}

static void test_takes_what_json_parse_takes(void **state)
{
    (void)state;
    static const char *const good[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1",
        "10",
        "1.5",
        "0.0",
        "1e5",
        "1E+5",
        "1e-05",
        "1e400",
        "123456789012345678901234567890",
        "\"\"",
        "\"a\"",
        "\" \\\" \\\\ \\/ \\b\\f\\n\\r\\t\"",
        "\"\\u00e9\\uD83D\\ude00\"",
        "\"\\ud800\"",
        "\"\x7f\"",
        "\"\xe2\x80\xa8\"",
        "\"\xf0\x9f\x98\x80\"",
        "[]",
        "{}",
        " [ ] ",
        "\t{\n}\r",
        "[1,2]",
        "[[],[[]],{}]",
        "{\"a\":1}",
        "{\"a\":{\"b\":[1,{\"c\":null}]},\"a\":2}",
        " { \"\" : [ 1 , 2 ] } ",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!valid(good[i], 64)) {
            fail_msg("refused: %s", good[i]);
        }
    }
}

static void test_refuses_what_json_parse_refuses(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        " ",
        "nul",
        "nulll",
        "True",
        "undefined",
        "NaN",
        "Infinity",
        "+1",
        "-",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "1 2",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "\"\x1f\"",
        "'a'",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "}",
        "{]",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{,}",
        "{\"a\" 1}",
        "{a:1}",
        "{1:1}",
        "{\"a\":1]",
        "[]]",
        "{}}",
        "[1],",
        "// x\n1",
        "\xef\xbb\xbf"
        "1",
        "\xc2\xa0"
        "1",
        "\v1",
        "\f1",
        "\"\xff\"",
        "\"\xed\xa0\x80\"",
        "\"\xc0\x80\"",
        "[\xff]",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (valid(wrong[i], 64)) {
            fail_msg("taken: %s", wrong[i]);
        }
    }
    assert_false(ycp_json_valid((struct yc_slice){(const uint8_t *)"1\0", 2}, 64));
    assert_false(ycp_json_valid((struct yc_slice){(const uint8_t *)"\0", 1}, 64));
    assert_false(ycp_json_valid((struct yc_slice){(const uint8_t *)"\"\0\"", 3}, 64));
    assert_false(ycp_json_valid((struct yc_slice){(const uint8_t *)"\"\\\0\"", 4}, 64));
}

/* Every beginning of a text that ends in a bracket is no text; read exactly so far. */
static void test_looks_at_nothing_behind_the_end(void **state)
{
    (void)state;
    static const char text[] =
        "{\"k\\u0041\":[true,false,null,-1.5e+3,\"\xf0\x9f\x98\x80\\n\"]}";
    for (size_t len = 0; len < sizeof text - 1; len++) {
        assert_false(ycp_json_valid((struct yc_slice){(const uint8_t *)text, len}, 64));
    }
    assert_true(valid(text, 64));
}

static void nest(char *text, unsigned depth)
{
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
}

static void test_json_is_as_deep_as_allowed(void **state)
{
    (void)state;
    char text[4 * YCP_MAX_DEPTH];
    assert_true(valid("1", 0));
    assert_false(valid("[]", 0));
    assert_true(valid("[[],{}]", 2));
    assert_false(valid("[[],{\"a\":[]}]", 2));
    for (unsigned depth = 1; depth <= YCP_MAX_DEPTH; depth++) {
        nest(text, depth);
        assert_true(valid(text, depth));
        assert_false(valid(text, depth - 1));
    }
    nest(text, YCP_MAX_DEPTH + 1);
    assert_false(valid(text, YCP_MAX_DEPTH));
    assert_false(valid(text, YCP_MAX_DEPTH + 1));
}

static const struct {
    const char *name;
    const char *bytes;
    size_t len;
} anys[] = {
    {"0", "\x7d\x00", 2},
    {"64", "\x7d\x80\x01", 3},
    {"undefined", "\x7f", 1},
    {"null", "\x7e", 1},
    {"true", "\x78", 1},
    {"false", "\x79", 1},
    {"-1", "\x7d\x41", 2},
    {"2^31-1", "\x7d\xbf\xff\xff\xff\x0f", 6},
    {"2^31", "\x7c\x4f\x00\x00\x00", 5},
    {"-0", "\x7d\x40", 2},
    {"1.5 (f32)", "\x7c\x3f\xc0\x00\x00", 5},
    {"0.1 (f64)", "\x7b\x3f\xb9\x99\x99\x99\x99\x99\x9a", 9},
    {"2^53-1", "\x7b\x43\x3f\xff\xff\xff\xff\xff\xff", 9},
    {"NaN", "\x7b\x7f\xf8\x00\x00\x00\x00\x00\x00", 9},
    {"bigint1", "\x7a\x00\x00\x00\x00\x00\x00\x00\x01", 9},
    {"bigint-1", "\x7a\xff\xff\xff\xff\xff\xff\xff\xff", 9},
    {"str", "\x77\x02\x68\x69", 4},
    {"obj", "\x76\x01\x01\x61\x7d\x01", 6},
    {"arr", "\x75\x02\x7d\x01\x77\x01\x78", 7},
    {"bytes", "\x74\x02\x01\x02", 4},
    {"emptyObj", "\x76\x00", 2},
    {"emptyArr", "\x75\x00", 2},
};

static struct reader reader_of(const void *bytes, size_t len)
{
    return ycp_reader((struct yc_slice){bytes, len});
}

static void test_any_values_as_lib0_writes_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof anys / sizeof *anys; i++) {
        uint8_t bytes[32];
        memcpy(bytes, anys[i].bytes, anys[i].len);
        bytes[anys[i].len] = 0x7e;
        struct reader reader = reader_of(bytes, anys[i].len + 1);
        ycp_any_skip(&reader, 64);
        if (reader.bad || ycp_left(&reader) != 1) {
            fail_msg("%s", anys[i].name);
        }
        /* Nothing that is cut short is a value. */
        for (size_t len = 0; len < anys[i].len; len++) {
            reader = reader_of(anys[i].bytes, len);
            ycp_any_skip(&reader, 64);
            if (!reader.bad) {
                fail_msg("%s, %zu bytes of it", anys[i].name, len);
            }
        }
    }
}

static void test_refuses_what_is_no_any_value(void **state)
{
    (void)state;
    for (unsigned tag = 0; tag < 256; tag++) {
        uint8_t bytes[9] = {(uint8_t)tag};
        struct reader reader = reader_of(bytes, sizeof bytes);
        ycp_any_skip(&reader, 64);
        assert_int_equal(!reader.bad, tag >= 116 && tag <= 127);
    }
    static const struct {
        const char *bytes;
        size_t len;
    } wrong[] = {
        {"\x77\x01\xff", 3},                              /* a string that is not UTF-8 */
        {"\x76\x01\x01\xff\x7e", 5},                      /* nor is this key */
        {"\x75\xff\xff\xff\xff\xff\xff\xff\x0f\x7e", 10}, /* more elements than bytes */
        {"\x76\xff\xff\xff\xff\xff\xff\xff\x0f\x7e", 10},
        {"\x75\x02\x7e", 3},
        {"\x75\x01\x00", 3},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct reader reader = reader_of(wrong[i].bytes, wrong[i].len);
        ycp_any_skip(&reader, 64);
        assert_true(reader.bad);
    }
}

static bool any_fits(unsigned nested, unsigned max_depth)
{
    uint8_t bytes[2 * YCP_MAX_DEPTH + 8];
    for (unsigned i = 0; i < nested; i++) {
        bytes[2 * i] = 117;
        bytes[2 * i + 1] = i + 1 < nested;
    }
    struct reader reader = reader_of(bytes, 2 * (size_t)nested);
    ycp_any_skip(&reader, max_depth);
    return !reader.bad;
}

static void test_any_is_as_deep_as_allowed(void **state)
{
    (void)state;
    for (unsigned depth = 1; depth <= YCP_MAX_DEPTH; depth++) {
        assert_true(any_fits(depth, depth));
        assert_false(any_fits(depth, depth - 1));
    }
    assert_false(any_fits(YCP_MAX_DEPTH + 1, YCP_MAX_DEPTH + 1));
    /* Breadth is not depth. */
    struct reader reader = reader_of("\x75\x03\x75\x00\x76\x01\x01k\x75\x00\x75\x00\x7e", 13);
    ycp_any_skip(&reader, 3);
    assert_true(!reader.bad && ycp_left(&reader) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_what_json_parse_takes),
        cmocka_unit_test(test_refuses_what_json_parse_refuses),
        cmocka_unit_test(test_looks_at_nothing_behind_the_end),
        cmocka_unit_test(test_json_is_as_deep_as_allowed),
        cmocka_unit_test(test_any_values_as_lib0_writes_them),
        cmocka_unit_test(test_refuses_what_is_no_any_value),
        cmocka_unit_test(test_any_is_as_deep_as_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
