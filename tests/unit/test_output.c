/* The cap on output: exact to the byte, never through a character, whatever the reads were. */
#include "base/utf8.h"
#include "run/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CAP 10240u
#define BAD "\xef\xbf\xbd" /* U+FFFD */

static struct output output;
static char kept[4 * CAP]; /* what came out, both streams in order */
static size_t kept_len;

static int set_up(void **state)
{
    (void)state;
    output_init(&output, CAP);
    kept_len = 0;
    return 0;
}

static void push_to(enum output_stream stream, const char *bytes, size_t len)
{
    /* Exact, so that a sanitizer sees one byte too many. */
    char *out = malloc(OUTPUT_BOUND(len));
    size_t written = output_push(&output, stream, bytes, len, out);
    assert_true(written <= OUTPUT_BOUND(len));
    assert_true(utf8_valid(out, written));
    assert_true(kept_len + written <= sizeof kept);
    memcpy(kept + kept_len, out, written);
    kept_len += written;
    free(out);
}

static void push(const char *text)
{
    push_to(OUTPUT_STDOUT, text, strlen(text));
}

static void push_filler(size_t len)
{
    char *filler = malloc(len);
    memset(filler, 'x', len);
    push_to(OUTPUT_STDOUT, filler, len);
    free(filler);
}

static void end(enum output_stream stream)
{
    kept_len += output_end(&output, stream, kept + kept_len);
}

static void assert_kept(const char *text)
{
    assert_int_equal(kept_len, strlen(text));
    assert_memory_equal(kept, text, kept_len);
}

static void assert_totals(size_t kept_bytes, size_t dropped_bytes)
{
    assert_int_equal(kept_len, kept_bytes);
    assert_int_equal(output.kept_bytes, kept_bytes);
    assert_int_equal(output.dropped_bytes, dropped_bytes);
    assert_int_equal(output.cut, dropped_bytes > 0);
}

static void test_cap_is_exact(void **state)
{
    static const size_t around[][3] = {
        {CAP - 1, CAP - 1, 0}, {CAP, CAP, 0}, {CAP + 1, CAP, 1}, {3 * CAP, CAP, 2 * CAP}};
    for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
        set_up(state);
        push_filler(around[i][0]);
        assert_totals(around[i][1], around[i][2]);
    }
}

static void test_cap_never_cuts_a_character(void **state)
{
    static const char *const characters[] = {"\xc3\xa9", "\xe2\x80\xa6", "\xf0\x9f\x98\x80"};
    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        size_t len = strlen(characters[i]);
        for (size_t room = 0; room <= len; room++) {
            set_up(state);
            push_filler(CAP - room);
            push(characters[i]);
            assert_totals(room == len ? CAP : CAP - room, room == len ? 0 : len);
        }
    }
}

static void test_nothing_follows_a_cut(void **state)
{
    (void)state;
    push_filler(CAP - 1);
    push("\xc3\xa9");
    push("a"); /* would fit, but would read as if nothing were missing before it */
    push_to(OUTPUT_STDERR, "b", 1);
    assert_totals(CAP - 1, 4);
}

static void test_streams_share_the_cap(void **state)
{
    (void)state;
    push_filler(CAP - 4);
    push_to(OUTPUT_STDERR, "12345", 5);
    push("6");
    assert_totals(CAP, 2);
    assert_memory_equal(kept + CAP - 4, "1234", 4);
}

static void test_cap_of_nothing(void **state)
{
    (void)state;
    output_init(&output, 0);
    push("");
    assert_totals(0, 0);
    push("a");
    assert_totals(0, 1);
}

static void test_invalid_bytes_are_replaced(void **state)
{
    static const struct {
        const char *pushed;
        const char *expected;
    } cases[] = {
        {"a\x80z", "a" BAD "z"},
        {"a\xff\xfez", "a" BAD BAD "z"},
        {"\xc0\x80", BAD BAD},
        {"\xed\xa0\x80", BAD BAD BAD},
        {"\xf0\x9f\x98z", BAD "z"}, /* one mark for a beginning that breaks off */
        {"\xe2\x80\xe2\x80\xa6", BAD "\xe2\x80\xa6"},
        {"\xf4\x90\x80\x80", BAD BAD BAD BAD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        set_up(state);
        push(cases[i].pushed);
        end(OUTPUT_STDOUT);
        assert_kept(cases[i].expected);
    }
}

static void test_replacements_count_as_three_bytes(void **state)
{
    (void)state;
    push_filler(CAP - 5);
    push("\xff\xff");
    assert_totals(CAP - 2, 3);
}

static void test_nul_and_escapes_pass(void **state)
{
    (void)state;
    push_to(OUTPUT_STDOUT, "a\0\x1b[31m", 7);
    assert_int_equal(kept_len, 7);
    assert_memory_equal(kept, "a\0\x1b[31m", 7);
}

static void test_characters_split_between_pushes(void **state)
{
    static const char text[] = "a\xc3\xa9\xe2\x80\xa6\xf0\x9f\x98\x80z";
    const size_t len = sizeof text - 1;
    for (size_t first = 0; first <= len; first++) {
        for (size_t second = first; second <= len; second++) {
            set_up(state);
            push_to(OUTPUT_STDOUT, text, first);
            push_to(OUTPUT_STDOUT, text + first, second - first);
            push_to(OUTPUT_STDOUT, text + second, len - second);
            assert_kept(text);
        }
    }
}

static void test_invalid_bytes_split_between_pushes(void **state)
{
    static const char text[] = "\xf0\x9f\x98\xf0\x9f\xe2\x80(\xed\xa0\xc3";
    static const char expected[] = BAD BAD BAD "(" BAD BAD BAD;
    const size_t len = sizeof text - 1;
    for (size_t stride = 1; stride <= len; stride++) {
        set_up(state);
        for (size_t at = 0; at < len; at += stride) {
            push_to(OUTPUT_STDOUT, text + at, len - at < stride ? len - at : stride);
        }
        end(OUTPUT_STDOUT);
        assert_kept(expected);
    }
}

static void test_streams_do_not_mix_inside_a_character(void **state)
{
    (void)state;
    push_to(OUTPUT_STDOUT, "\xe2\x80", 2);
    push_to(OUTPUT_STDERR, "\xf0\x9f", 2);
    push_to(OUTPUT_STDOUT, "\xa6", 1);
    push_to(OUTPUT_STDERR, "\x98\x80", 2);
    assert_kept("\xe2\x80\xa6\xf0\x9f\x98\x80");
}

static void test_unfinished_character_at_the_end(void **state)
{
    (void)state;
    push("a\xf0\x9f\x98");
    assert_kept("a");
    end(OUTPUT_STDOUT);
    assert_kept("a" BAD);
    end(OUTPUT_STDOUT);
    end(OUTPUT_STDERR);
    assert_kept("a" BAD);
}

static void test_bound_is_reached(void **state)
{
    (void)state;
    push_to(OUTPUT_STDOUT, "\xf0\x9f\x98", 3);
    push_to(OUTPUT_STDOUT, "\xff\xff\xff\xff", 4);
    assert_int_equal(kept_len, 15);
    assert_true(kept_len <= OUTPUT_BOUND(4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cap_is_exact),
        cmocka_unit_test(test_cap_never_cuts_a_character),
        cmocka_unit_test_setup(test_nothing_follows_a_cut, set_up),
        cmocka_unit_test_setup(test_streams_share_the_cap, set_up),
        cmocka_unit_test_setup(test_cap_of_nothing, set_up),
        cmocka_unit_test(test_invalid_bytes_are_replaced),
        cmocka_unit_test_setup(test_replacements_count_as_three_bytes, set_up),
        cmocka_unit_test_setup(test_nul_and_escapes_pass, set_up),
        cmocka_unit_test(test_characters_split_between_pushes),
        cmocka_unit_test(test_invalid_bytes_split_between_pushes),
        cmocka_unit_test_setup(test_streams_do_not_mix_inside_a_character, set_up),
        cmocka_unit_test_setup(test_unfinished_character_at_the_end, set_up),
        cmocka_unit_test_setup(test_bound_is_reached, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
