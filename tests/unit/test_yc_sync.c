/* Sync messages: the frames that y-protocols writes, taken apart and put together again. */
#include "yc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    enum yc_sync_kind kind;
    const char *body;
    size_t body_len;
    const char *message;
    size_t len;
} rows[] = {
    {YC_SYNC_STEP1, "\x00", 1, "\x00\x01\x00", 3},
    {YC_SYNC_STEP1, "\x01\x01\x01", 3, "\x00\x03\x01\x01\x01", 5},
    {YC_SYNC_STEP2, "\x00\x00", 2, "\x01\x02\x00\x00", 4},
    {YC_SYNC_STEP2, "\x01\x01\x01\x00\x04\x01\x01t\x01\x61\x00", 11,
     "\x01\x0b\x01\x01\x01\x00\x04\x01\x01t\x01\x61\x00", 13},
    {YC_SYNC_UPDATE, "\x01\x01\x01\x00\x04\x01\x01t\x01\x61\x00", 11,
     "\x02\x0b\x01\x01\x01\x00\x04\x01\x01t\x01\x61\x00", 13},
    {YC_SYNC_UPDATE, "", 0, "\x02\x00", 2},
};

static struct yc_slice bytes(const char *data, size_t len)
{
    return (struct yc_slice){(const uint8_t *)data, len};
}

static void test_messages_both_ways(void **state)
{
    (void)state;
    struct yc_buf out = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct yc_sync sync;
        assert_int_equal(yc_sync_read(bytes(rows[i].message, rows[i].len), &sync), YC_OK);
        assert_int_equal(sync.kind, rows[i].kind);
        assert_int_equal(sync.body.len, rows[i].body_len);
        assert_memory_equal(sync.body.data, rows[i].body, rows[i].body_len);
        struct yc_slice body = bytes(rows[i].body, rows[i].body_len);
        assert_int_equal(yc_sync_write(rows[i].kind, body, &out), YC_OK);
        assert_int_equal(out.len, rows[i].len);
        assert_memory_equal(out.data, rows[i].message, rows[i].len);
    }
    yc_buf_free(&out);
}

static void assert_refused(struct yc_slice message)
{
    struct yc_sync sync = {YC_SYNC_UPDATE, bytes("x", 1)};
    assert_int_equal(yc_sync_read(message, &sync), YC_MALFORMED);
    assert_null(sync.body.data);
    assert_int_equal(sync.body.len, 0);
}

static void test_what_is_no_message(void **state)
{
    (void)state;
    assert_refused(bytes(NULL, 0));
    assert_refused(bytes("\x03\x00", 2));                 /* a kind that is not there */
    assert_refused(bytes("\x80\x80\x80\x80\x10\x00", 6)); /* 2^32, which is not 0 */
    assert_refused(bytes("\x00\x01\x00\x00", 4));         /* more than one message */
    assert_refused(bytes("\x00\xff\xff\xff\xff\xff\xff\xff\x0f", 9)); /* a body of 2^53 - 1 */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t len = 0; len < rows[i].len; len++) {
            assert_refused(bytes(rows[i].message, len));
        }
    }
}

static void *resize_nothing(void *ctx, void *ptr, size_t old_size, size_t size)
{
    (void)ctx;
    (void)ptr;
    (void)old_size;
    (void)size;
    return NULL;
}

static void test_memory_that_runs_out(void **state)
{
    (void)state;
    const struct yc_allocator allocator = {resize_nothing, NULL};
    struct yc_buf out = {.allocator = &allocator};
    assert_int_equal(yc_sync_write(YC_SYNC_STEP2, bytes("\0\0", 2), &out), YC_MEMORY);
    assert_int_equal(out.len, 0);
    yc_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_both_ways),
        cmocka_unit_test(test_what_is_no_message),
        cmocka_unit_test(test_memory_that_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
