/* base: the buffer's maximum, lists, ids, addresses. */
#include "base/address.h"
#include "base/buf.h"
#include "base/id.h"
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_buffer_keeps_its_maximum(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 10);
    assert_true(buf_string(&buf, "12345"));
    assert_true(buf_printf(&buf, "%d", 67890));
    assert_string_equal(buf.data, "1234567890");
    assert_false(buf_string(&buf, "x"));
    assert_true(buf.failed && buf.len == 0);
    assert_false(buf_string(&buf, "y"));
    buf_clear(&buf);
    assert_true(buf_string(&buf, "y"));
    buf_consume(&buf, 1);
    assert_true(buf.len == 0 && !buf.failed);
    buf_finish(&buf);
}

struct item {
    int value;
    struct list node;
};

static void test_list_allows_removal_while_walking(void **state)
{
    (void)state;
    struct list list;
    struct item items[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
    list_init(&list);
    for (int i = 0; i < 3; i++) {
        list_append(&list, &items[i].node);
    }
    int sum = 0;
    LIST_EACH (&list, node, next) {
        sum = sum * 10 + LIST_OBJECT(node, struct item, node)->value;
        list_remove(node);
        list_remove(node);
    }
    assert_int_equal(sum, 123);
    assert_true(list_empty(&list));
}

static void test_ids(void **state)
{
    (void)state;
    char first[ID_UUID_LEN + 1];
    char second[ID_UUID_LEN + 1];
    id_uuid(first);
    id_uuid(second);
    assert_true(id_is_uuid(first) && id_is_uuid(second));
    assert_string_not_equal(first, second);
    assert_false(id_is_uuid("4f0b1f6e-7a51-1d7e-9c58-0b8f6f3f9d10")); /* version 1 */
    assert_false(id_is_uuid("4F0B1F6E-7A51-4D7E-9C58-0B8F6F3F9D10"));
    assert_false(id_is_uuid("4f0b1f6e-7a51-4d7e-9c58-0b8f6f3f9d1"));
    assert_false(id_is_uuid("4f0b1f6e.7a51-4d7e-9c58-0b8f6f3f9d10"));
}

static void test_addresses(void **state)
{
    (void)state;
    struct address a;
    struct err err;
    assert_true(address_parse("unix:/run/redis.sock", &a, &err));
    assert_string_equal(a.path, "/run/redis.sock");
    assert_true(address_parse("tcp://cache.internal:6379", &a, &err));
    assert_string_equal(a.host, "cache.internal");
    assert_int_equal(a.port, 6379);
    assert_true(address_parse("tcp://[::1]:1", &a, &err));
    assert_string_equal(a.host, "::1");
    static const char *const bad[] = {
        "redis://x:1",   "tcp://:1",   "tcp://x",       "tcp://x:0",
        "tcp://x:65536", "tcp://x:1x", "unix:relative", ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(address_parse(bad[i], &a, &err));
    }
    char longest[200];
    memset(longest, 'p', sizeof longest);
    memcpy(longest, "unix:/", 6);
    longest[199] = '\0';
    assert_false(address_parse(longest, &a, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffer_keeps_its_maximum),
        cmocka_unit_test(test_list_allows_removal_while_walking),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
