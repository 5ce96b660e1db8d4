/* Strict UTF-8, one character at a time. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_reads_one_character(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        int expected;
    } cases[] = {
        {"a", 1, 1},
        {"\0", 1, 1},
        {"\x7f", 1, 1},
        {"\xc2\x80", 2, 2}, /* U+0080, the least of two bytes */
        {"\xdf\xbf", 2, 2},
        {"\xe0\xa0\x80", 3, 3}, /* U+0800, the least of three */
        {"\xed\x9f\xbf", 3, 3}, /* U+D7FF, below the surrogates */
        {"\xee\x80\x80", 3, 3}, /* U+E000, above them */
        {"\xef\xbf\xbf", 3, 3},
        {"\xf0\x90\x80\x80", 4, 4}, /* U+10000, the least of four */
        {"\xf4\x8f\xbf\xbf", 4, 4}, /* U+10FFFF, the greatest */
        {"\xc3", 1, 0},
        {"\xe2\x80", 2, 0},
        {"\xf0\x9f\x98", 3, 0},
        {"\x80", 1, -1},
        {"\xbf", 1, -1},
        {"\xc0\x80", 2, -1}, /* overlong */
        {"\xc1\xbf", 2, -1},
        {"\xe0\x9f\xbf", 3, -1},
        {"\xf0\x8f\xbf\xbf", 4, -1},
        {"\xed\xa0\x80", 3, -1}, /* surrogate */
        {"\xf4\x90\x80\x80", 4, -1},
        {"\xf5\x80\x80\x80", 4, -1},
        {"\xff", 1, -1},
        {"\xc3(", 2, -1},
        {"\xe2\x80(", 3, -2}, /* one mark for the two bytes that began well */
        {"\xf0\x9f\x98(", 4, -3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(utf8_next(cases[i].bytes, cases[i].len), cases[i].expected);
    }
}

static size_t encode(uint32_t point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    out[0] = (char)((0xf00 >> len) | point);
    return len;
}

static void test_accepts_exactly_the_scalar_values(void **state)
{
    (void)state;
    for (uint32_t point = 0; point <= 0x1fffff; point++) {
        bool scalar = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
        char bytes[4];
        size_t len = encode(point, bytes);
        if (utf8_valid(bytes, len) != scalar) {
            fail_msg("U+%04X is %s", point, scalar ? "refused" : "accepted");
        }
    }
}

static void test_valid_looks_at_all_of_it(void **state)
{
    (void)state;
    assert_true(utf8_valid("", 0));
    assert_true(utf8_valid("a\xc3\xa9\xe2\x80\xa6\xf0\x9f\x98\x80", 10));
    assert_false(utf8_valid("a\xc3\xa9\xe2\x80\xa6\xf0\x9f\x98", 9));
    assert_false(utf8_valid("a\xff", 2));
    assert_false(utf8_valid("\xffz", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_one_character),
        cmocka_unit_test(test_accepts_exactly_the_scalar_values),
        cmocka_unit_test(test_valid_looks_at_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
