/* The byte layer and the memory under it: what lib0 itself wrote for these values, both ways,
 * and what must not pass. */
#include "yc/bytes.h"
#include "yc/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct reader reader_of(const char *bytes, size_t len)
{
    return ycp_reader((struct yc_slice){(const uint8_t *)bytes, len});
}

static void assert_written(struct yc_buf *buf, const char *bytes, size_t len)
{
    assert_int_equal(ycp_buf_end(buf), YC_OK);
    assert_int_equal(buf->len, len);
    assert_memory_equal(buf->data, bytes, len);
}

static const struct {
    uint64_t value;
    const char *bytes;
    size_t len;
} varuints[] = {
    {UINT64_C(0), "\x00", 1},
    {UINT64_C(1), "\x01", 1},
    {UINT64_C(127), "\x7f", 1},
    {UINT64_C(128), "\x80\x01", 2},
    {UINT64_C(300), "\xac\x02", 2},
    {UINT64_C(16383), "\xff\x7f", 2},
    {UINT64_C(16384), "\x80\x80\x01", 3},
    {UINT64_C(2147483648), "\x80\x80\x80\x80\x08", 5},
    {UINT64_C(4294967295), "\xff\xff\xff\xff\x0f", 5},
    {UINT64_C(4294967296), "\x80\x80\x80\x80\x10", 5},
    {UINT64_C(9007199254740991), "\xff\xff\xff\xff\xff\xff\xff\x0f", 8},
};

static void test_varuints_as_lib0_writes_them(void **state)
{
    (void)state;
    struct yc_buf buf = {0};
    for (size_t i = 0; i < sizeof varuints / sizeof *varuints; i++) {
        struct reader reader = reader_of(varuints[i].bytes, varuints[i].len);
        assert_true(ycp_get_varuint(&reader) == varuints[i].value);
        assert_true(!reader.bad && ycp_left(&reader) == 0);
        ycp_buf_begin(&buf);
        ycp_put_varuint(&buf, varuints[i].value);
        assert_written(&buf, varuints[i].bytes, varuints[i].len);
        assert_int_equal(ycp_varuint_size(varuints[i].value), varuints[i].len);
    }
    yc_buf_free(&buf);
}

static const struct {
    uint64_t magnitude;
    bool negative;
    const char *bytes;
    size_t len;
} varints[] = {
    {UINT64_C(0), false, "\x00", 1},
    {UINT64_C(1), false, "\x01", 1},
    {UINT64_C(1), true, "\x41", 1},
    {UINT64_C(63), false, "\x3f", 1},
    {UINT64_C(64), false, "\x80\x01", 2},
    {UINT64_C(64), true, "\xc0\x01", 2},
    {UINT64_C(8191), false, "\xbf\x7f", 2},
    {UINT64_C(8192), false, "\x80\x80\x01", 3},
    {UINT64_C(2147483647), false, "\xbf\xff\xff\xff\x0f", 5},
    {UINT64_C(2147483648), true, "\xc0\x80\x80\x80\x10", 5},
    {UINT64_C(0), true, "\x40", 1},
};

static void test_varints_as_lib0_writes_them(void **state)
{
    (void)state;
    struct yc_buf buf = {0};
    for (size_t i = 0; i < sizeof varints / sizeof *varints; i++) {
        struct reader reader = reader_of(varints[i].bytes, varints[i].len);
        bool negative = !varints[i].negative;
        assert_true(ycp_get_varint(&reader, &negative) == varints[i].magnitude);
        assert_int_equal(negative, varints[i].negative);
        assert_true(!reader.bad && ycp_left(&reader) == 0);
        ycp_buf_begin(&buf);
        ycp_put_varint(&buf, varints[i].magnitude, varints[i].negative);
        assert_written(&buf, varints[i].bytes, varints[i].len);
    }
    yc_buf_free(&buf);
}

static const struct {
    const char *text;
    const char *bytes;
    size_t len;
} strings[] = {
    {"", "\x00", 1},                                 /* "" */
    {"\x61", "\x01\x61", 2},                         /* "a" */
    {"\xc3\xa9", "\x02\xc3\xa9", 3},                 /* "\xe9" */
    {"\xe6\x97\xa5", "\x03\xe6\x97\xa5", 4},         /* "\u65e5" */
    {"\xf0\x9f\x98\x80", "\x04\xf0\x9f\x98\x80", 5}, /* "\U0001f600" */
    {"\xef\xbf\xbd\x78", "\x04\xef\xbf\xbd\x78", 5}, /* "\ud800x" */
};

static void test_strings_as_lib0_writes_them(void **state)
{
    (void)state;
    struct yc_buf buf = {0};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        size_t len = strlen(strings[i].text);
        struct reader reader = reader_of(strings[i].bytes, strings[i].len);
        struct yc_slice text = ycp_get_string(&reader);
        assert_true(!reader.bad && ycp_left(&reader) == 0);
        assert_int_equal(text.len, len);
        assert_non_null(text.data);
        assert_memory_equal(text.data, strings[i].text, len);
        ycp_buf_begin(&buf);
        ycp_put_bytes(&buf, text);
        assert_written(&buf, strings[i].bytes, strings[i].len);
    }
    yc_buf_free(&buf);
}

static void test_overlong_integers_pass(void **state)
{
    (void)state;
    struct reader reader =
        reader_of("\x80\x00\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00\xc1\x80\x00", 16);
    bool negative = false;
    assert_int_equal(ycp_get_varuint(&reader), 0);
    assert_int_equal(ycp_get_varuint(&reader), 1);
    assert_int_equal(ycp_get_varint(&reader, &negative), 1);
    assert_true(negative && !reader.bad && ycp_left(&reader) == 0);
}

/* lib0 gets NaN from the 148th byte on. */
static void test_padding_ends_where_lib0_loses_count(void **state)
{
    (void)state;
    char bytes[148];
    memset(bytes, 0x80, sizeof bytes);
    bytes[146] = 0;
    struct reader reader = reader_of(bytes, 147);
    assert_int_equal(ycp_get_varuint(&reader), 0);
    assert_true(!reader.bad && ycp_left(&reader) == 0);
    bytes[146] = (char)0x80;
    bytes[147] = 0;
    reader = reader_of(bytes, 148);
    ycp_get_varuint(&reader);
    assert_true(reader.bad);
}

static const struct {
    const char *bytes;
    size_t len;
} bad_integers[] = {
    {"", 0},
    {"\x80", 1},
    {"\xff\xff\xff\xff\xff\xff\xff", 7},
    {"\xff\xff\xff\xff\xff\xff\xff\x7f", 8},             /* 2^56 - 1 */
    {"\x80\x80\x80\x80\x80\x80\x80\x80\x01", 9},         /* 2^56 */
    {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", 10},    /* 2^64 */
    {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11} /* 2^70 */
};

static void test_bad_integers_stay_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_integers / sizeof *bad_integers; i++) {
        struct reader reader = reader_of(bad_integers[i].bytes, bad_integers[i].len);
        assert_int_equal(ycp_get_varuint(&reader), 0);
        assert_true(reader.bad && ycp_left(&reader) == 0);
        assert_int_equal(ycp_get_u8(&reader), 0);
        assert_int_equal(ycp_get_bytes(&reader).len, 0);
        bool negative = true;
        reader = reader_of(bad_integers[i].bytes, bad_integers[i].len);
        assert_int_equal(ycp_get_varint(&reader, &negative), 0);
        assert_true(reader.bad && !negative);
    }
    /* The largest varuint is 2^53 - 1; one more is not. */
    struct reader reader = reader_of("\x80\x80\x80\x80\x80\x80\x80\x10", 8);
    ycp_get_varuint(&reader);
    assert_true(reader.bad);
}

static void test_lengths_are_held_against_what_is_left(void **state)
{
    (void)state;
    struct reader reader = reader_of("\x03"
                                     "ab",
                                     3);
    assert_null(ycp_get_bytes(&reader).data);
    assert_true(reader.bad);
    reader = reader_of("\xff\xff\xff\xff\xff\xff\xff\x0f"
                       "ab",
                       10);
    assert_null(ycp_get_bytes(&reader).data);
    assert_true(reader.bad);
    reader = reader_of("ab", 2);
    assert_null(ycp_get_raw(&reader, 3).data);
    assert_true(reader.bad && ycp_left(&reader) == 0);
    reader = reader_of("\x03\xed\xa0\x80", 4);
    assert_null(ycp_get_string(&reader).data);
    assert_true(reader.bad);
    reader = ycp_reader((struct yc_slice){NULL, 0});
    assert_int_equal(ycp_get_raw(&reader, 0).len, 0);
    assert_false(reader.bad);
    ycp_get_u8(&reader);
    assert_true(reader.bad);
}

/* An allocator with a budget, which checks that it is told the sizes it gave. */
struct purse {
    size_t held;
    size_t budget;
};

static void *purse_resize(void *ctx, void *ptr, size_t old_size, size_t size)
{
    struct purse *purse = ctx;
    assert_true((ptr == NULL) == (old_size == 0));
    assert_true(old_size <= purse->held);
    if (purse->held - old_size + size > purse->budget) {
        return NULL;
    }
    purse->held = purse->held - old_size + size;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, size);
}

static void test_a_buffer_that_failed_is_empty_until_it_begins_again(void **state)
{
    (void)state;
    struct purse purse = {0, 200};
    struct yc_allocator allocator = {purse_resize, &purse};
    struct yc_buf buf = {.allocator = &allocator};
    ycp_put_text(&buf, "kept");
    assert_written(&buf, "kept", 4);
    assert_false(ycp_buf_reserve(&buf, 1000));
    ycp_put_u8(&buf, 1);
    ycp_put_varuint(&buf, 1);
    ycp_put_varint(&buf, 100, true);
    ycp_put_text(&buf, "x");
    assert_int_equal(buf.len, 0);
    assert_int_equal(ycp_buf_end(&buf), YC_MEMORY);
    ycp_buf_begin(&buf);
    assert_false(ycp_buf_reserve(&buf, SIZE_MAX));
    ycp_buf_begin(&buf);
    ycp_put_text(&buf, "again");
    assert_written(&buf, "again", 5);
    yc_buf_free(&buf);
    assert_int_equal(purse.held, 0);
    assert_ptr_equal(buf.allocator, &allocator);
    ycp_put_text(&buf, "used again");
    assert_written(&buf, "used again", 10);
    yc_buf_free(&buf);
    assert_int_equal(purse.held, 0);
}

static void test_a_buffer_keeps_what_it_holds_as_it_grows(void **state)
{
    (void)state;
    struct purse purse = {0, 1 << 20};
    struct yc_allocator allocator = {purse_resize, &purse};
    struct yc_buf buf = {.allocator = &allocator};
    for (unsigned i = 0; i < 5000; i++) {
        ycp_put_u8(&buf, (uint8_t)(i * 7));
    }
    assert_int_equal(ycp_buf_end(&buf), YC_OK);
    assert_int_equal(buf.len, 5000);
    for (unsigned i = 0; i < 5000; i++) {
        assert_int_equal(buf.data[i], (uint8_t)(i * 7));
    }
    assert_int_equal(purse.held, buf.cap);
    yc_buf_free(&buf);
    assert_int_equal(purse.held, 0);
}

static void test_the_heap_counts_and_refuses(void **state)
{
    (void)state;
    struct purse purse = {0, 500};
    struct heap heap = {.allocator = {purse_resize, &purse}, .limit = 100};
    uint8_t *object = ycp_alloc(&heap, 60);
    assert_non_null(object);
    assert_int_equal(object[0] | object[59], 0);
    assert_int_equal(heap.used, 60);
    assert_null(ycp_alloc(&heap, 41));
    assert_int_equal(ycp_refusal(&heap), YC_LIMIT);
    assert_null(ycp_alloc(&heap, SIZE_MAX));
    assert_int_equal(ycp_refusal(&heap), YC_LIMIT);
    heap.limit = 1000;
    assert_null(ycp_alloc(&heap, 600));
    assert_int_equal(ycp_refusal(&heap), YC_MEMORY);
    assert_int_equal(heap.used, 60);
    heap.limit = 10; /* shrinking is allowed even above the limit */
    object = ycp_resize(&heap, object, 60, 50);
    assert_non_null(object);
    assert_int_equal(heap.used, 50);
    ycp_free(&heap, object, 50);
    ycp_free(&heap, NULL, 0);
    assert_int_equal(heap.used, 0);
    assert_int_equal(purse.held, 0);
}

static void test_arrays_grow_by_doubling_or_stay_as_they_are(void **state)
{
    (void)state;
    struct purse purse = {0, 4000};
    struct heap heap = {.allocator = {purse_resize, &purse}, .limit = 1000};
    uint64_t *array = NULL;
    size_t cap = 0;
    assert_true(ycp_grow(&heap, &array, &cap, 3, sizeof *array));
    assert_true(cap >= 3 && heap.used == cap * sizeof *array);
    array[0] = 17;
    size_t before = cap;
    assert_true(ycp_grow(&heap, &array, &cap, before, sizeof *array));
    assert_int_equal(cap, before);
    assert_true(ycp_grow(&heap, &array, &cap, before + 1, sizeof *array));
    assert_true(cap >= 2 * before && array[0] == 17);
    before = cap;
    uint64_t *same = array;
    assert_false(ycp_grow(&heap, &array, &cap, 1000, sizeof *array));
    assert_int_equal(ycp_refusal(&heap), YC_LIMIT);
    assert_false(ycp_grow(&heap, &array, &cap, SIZE_MAX / 4, sizeof *array));
    assert_true(cap == before && array == same && array[0] == 17);
    ycp_free(&heap, array, cap * sizeof *array);
    assert_int_equal(heap.used, 0);
}

static void test_every_status_has_its_own_words(void **state)
{
    (void)state;
    for (int i = YC_OK; i <= YC_UTF8; i++) {
        assert_non_null(yc_status_text((enum yc_status)i));
        for (int other = YC_OK; other < i; other++) {
            assert_string_not_equal(yc_status_text((enum yc_status)i),
                                    yc_status_text((enum yc_status)other));
        }
    }
    assert_non_null(yc_status_text((enum yc_status)(YC_UTF8 + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_varuints_as_lib0_writes_them),
        cmocka_unit_test(test_varints_as_lib0_writes_them),
        cmocka_unit_test(test_strings_as_lib0_writes_them),
        cmocka_unit_test(test_overlong_integers_pass),
        cmocka_unit_test(test_padding_ends_where_lib0_loses_count),
        cmocka_unit_test(test_bad_integers_stay_bad),
        cmocka_unit_test(test_lengths_are_held_against_what_is_left),
        cmocka_unit_test(test_a_buffer_that_failed_is_empty_until_it_begins_again),
        cmocka_unit_test(test_a_buffer_keeps_what_it_holds_as_it_grows),
        cmocka_unit_test(test_the_heap_counts_and_refuses),
        cmocka_unit_test(test_arrays_grow_by_doubling_or_stay_as_they_are),
        cmocka_unit_test(test_every_status_has_its_own_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
