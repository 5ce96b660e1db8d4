/* UTF-8 and the UTF-16 units in it: every scalar value, every place to cut. */
#include "yc/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct yc_slice slice_of(const char *text)
{
    return (struct yc_slice){(const uint8_t *)text, strlen(text)};
}

/* UTF-8's arithmetic without its rules: also of surrogates and of too much. */
static size_t encode(uint32_t value, size_t len, uint8_t *bytes)
{
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len; i-- > 1; value >>= 6) {
        bytes[i] = (uint8_t)(0x80 | (value & 0x3f));
    }
    bytes[0] = (uint8_t)(leads[len] | value);
    return len;
}

static size_t shortest(uint32_t value)
{
    return value < 0x80 ? 1 : value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
}

static void test_takes_exactly_the_scalar_values_in_their_shortest_form(void **state)
{
    (void)state;
    for (uint32_t value = 0; value < 0x200000; value++) {
        bool scalar = value < 0x110000 && (value < 0xd800 || value > 0xdfff);
        uint8_t bytes[4];
        for (size_t len = shortest(value); len <= 4; len++) {
            struct yc_slice text = {bytes, encode(value, len, bytes)};
            if (ycp_utf8_valid(text) != (scalar && len == shortest(value))) {
                fail_msg("U+%04X in %zu bytes", (unsigned)value, len);
            }
        }
    }
}

static void test_refuses_what_is_torn_wherever_it_stands(void **state)
{
    (void)state;
    static const char *const torn[] = {
        "\x80",  "\xbf",      "\xc3", "\xe6\x97",      "\xff",         "\xf0\x9f\x98",
        "\xc3(", "\xe6\x97(", "\xfe", "\xf0\x9f\x98(", "\xc3\xa9\xa9", "\xf8\x88\x80\x80\x80"};
    uint8_t bytes[40];
    for (size_t i = 0; i < sizeof torn / sizeof *torn; i++) {
        size_t len = strlen(torn[i]);
        for (size_t before = 0; before <= 17; before++) {
            memset(bytes, 'a', sizeof bytes);
            assert_true(ycp_utf8_valid((struct yc_slice){bytes, before + len}));
            memcpy(bytes + before, torn[i], len);
            assert_false(ycp_utf8_valid((struct yc_slice){bytes, before + len}));
            assert_false(ycp_utf8_valid((struct yc_slice){bytes, sizeof bytes}));
        }
    }
}

static void test_takes_text_of_every_kind(void **state)
{
    (void)state;
    assert_true(ycp_utf8_valid((struct yc_slice){NULL, 0}));
    assert_true(ycp_utf8_valid((struct yc_slice){(const uint8_t *)"a\0b", 3}));
    assert_true(ycp_utf8_valid(slice_of("\xef\xbb\xbf with a byte order mark")));
    assert_true(
        ycp_utf8_valid(slice_of("plain \xc3\xa9\xe6\x97\xa5 and \xf0\x9f\x98\x80 mixed")));
}

static const struct {
    const char *text;
    uint64_t units;
} counted[] = {
    {"", 0},
    {"plain ASCII", 11},
    {"\xc3\xa9", 1},
    {"\xe6\x97\xa5", 1},
    {"\xf0\x9f\x98\x80", 2},
    {"x\xf0\x9f\x98\x80y", 4},
    {"\xef\xbf\xbd"
     "x",
     2},
    {"\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf", 4},
};

static void test_counts_units(void **state)
{
    (void)state;
    assert_int_equal(ycp_utf8_units((struct yc_slice){NULL, 0}), 0);
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        assert_int_equal(ycp_utf8_units(slice_of(counted[i].text)), counted[i].units);
    }
}

/* Each text is cut everywhere; what is in front of the cut and behind it must add up. */
static void assert_cuts(const char *string)
{
    struct yc_slice text = slice_of(string);
    uint64_t total = ycp_utf8_units(text);
    for (uint64_t units = 0; units <= total; units++) {
        struct utf8_cut cut = ycp_utf8_cut(text, total, units);
        assert_true(cut.before <= cut.after && cut.after <= text.len);
        struct yc_slice left = {text.data, cut.before};
        struct yc_slice right = {text.data + cut.after, text.len - cut.after};
        assert_true(ycp_utf8_valid(left) && ycp_utf8_valid(right));
        uint64_t half = cut.after == cut.before ? 0 : 1;
        assert_int_equal(ycp_utf8_units(left) + half, units);
        assert_int_equal(ycp_utf8_units(right) + half, total - units);
        assert_int_equal(cut.after - cut.before, half == 0 ? 0 : 4);
    }
}

static void test_cuts_at_every_unit(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        assert_cuts(counted[i].text);
    }
    assert_cuts("a\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80 zz \xf0\x9f\x98\x80\xe6\x97\xa5\xc3\xa9"
                "a");
}

static void test_cuts_a_pair_from_both_ends(void **state)
{
    (void)state;
    struct yc_slice text = slice_of("\xf0\x9f\x98\x80 in between \xf0\x9f\x98\x80");
    struct utf8_cut first = ycp_utf8_cut(text, 16, 1);
    assert_true(first.before == 0 && first.after == 4);
    struct utf8_cut last = ycp_utf8_cut(text, 16, 15);
    assert_true(last.before == 16 && last.after == 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_exactly_the_scalar_values_in_their_shortest_form),
        cmocka_unit_test(test_refuses_what_is_torn_wherever_it_stands),
        cmocka_unit_test(test_takes_text_of_every_kind),
        cmocka_unit_test(test_counts_units),
        cmocka_unit_test(test_cuts_at_every_unit),
        cmocka_unit_test(test_cuts_a_pair_from_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
