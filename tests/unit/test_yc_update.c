/* yc: updates without a document. Every input lies in a heap block of exactly its size, so that a
 * sanitizer sees a read beyond it. */
#include "yc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_UPDATES 4

/* Text, a format, an embed, a nested map with any, JSON, binary, a sub-document, a hole, GC and
 * deletes of two clients. */
static const char everything[] =
    "02 0a 09 00 04 01 01 74 06 78 f0 9f 98 80 79 86 09 03 04 62 6f 6c 64 04 74 72 75 65"
    "85 09 04 07 7b 22 61 22 3a 31 7d 27 01 01 6d 01 6b 01 28 00 09 06 01 69 01 76 01 01 61 7d "
    "01"
    "02 01 01 6a 02 09 75 6e 64 65 66 69 6e 65 64 01 31 03 01 01 61 02 01 ff"
    "09 01 01 64 01 67 76 00 0a 05 00 02"
    "01 08 00 81 09 00 03 02 09 01 00 01 08 02 00 01 02 01";

static uint8_t nibble(char digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* The bytes that hexadecimal digits spell, in a block of exactly that size. */
static struct yc_slice bytes_of(const char *hex)
{
    size_t len = 0;
    uint8_t *spelled = malloc(strlen(hex) / 2 + 1);
    assert_non_null(spelled);
    for (const char *at = hex; *at != '\0'; at++) {
        if (*at != ' ') {
            spelled[len++] = (uint8_t)(nibble(at[0]) << 4 | nibble(at[1]));
            at++;
        }
    }
    uint8_t *exact = realloc(spelled, len > 0 ? len : 1);
    assert_non_null(exact);
    return (struct yc_slice){exact, len};
}

static void free_bytes(struct yc_slice bytes)
{
    free((void *)(uintptr_t)bytes.data);
}

static void check_result(enum yc_status status, struct yc_buf *out, const char *expected)
{
    struct yc_slice wanted = bytes_of(expected);
    assert_int_equal(status, YC_OK);
    assert_int_equal(out->len, wanted.len);
    assert_memory_equal(out->data, wanted.data, wanted.len);
    free_bytes(wanted);
    yc_buf_free(out);
}

static void check_merge(const char *const *hex, size_t count, const char *expected)
{
    struct yc_slice updates[MAX_UPDATES] = {{NULL, 0}};
    struct yc_buf out = {0};
    for (size_t i = 0; i < count; i++) {
        updates[i] = bytes_of(hex[i]);
    }
    check_result(yc_merge_updates(updates, count, &out), &out, expected);
    for (size_t i = 0; i < count; i++) {
        free_bytes(updates[i]);
    }
}

static void check_diff(const char *update_hex, const char *vector_hex, const char *expected)
{
    struct yc_slice update = bytes_of(update_hex);
    struct yc_slice vector = bytes_of(vector_hex);
    struct yc_buf out = {0};
    check_result(yc_diff_update(update, vector, &out), &out, expected);
    free_bytes(update);
    free_bytes(vector);
}

static void check_vector(const char *update_hex, const char *expected)
{
    struct yc_slice update = bytes_of(update_hex);
    struct yc_buf out = {0};
    check_result(yc_state_vector_of_update(update, &out), &out, expected);
    free_bytes(update);
}

/* All three calls refuse these bytes and leave nothing behind. */
static void check_refused(struct yc_slice update)
{
    struct yc_slice twice[] = {update, update};
    struct yc_slice nobody = bytes_of("00");
    struct yc_buf out = {0};
    assert_int_equal(yc_merge_updates(twice, 1, &out), YC_MALFORMED);
    assert_int_equal(out.len, 0);
    assert_int_equal(yc_merge_updates(twice, 2, &out), YC_MALFORMED);
    assert_int_equal(out.len, 0);
    assert_int_equal(yc_diff_update(update, nobody, &out), YC_MALFORMED);
    assert_int_equal(out.len, 0);
    assert_int_equal(yc_state_vector_of_update(update, &out), YC_MALFORMED);
    assert_int_equal(out.len, 0);
    yc_buf_free(&out);
    free_bytes(nobody);
}

static void test_merge(void **state)
{
    (void)state;
    const char *a = "01 01 01 00 04 01 01 74 01 61 00";
    const char *b = "01 01 01 01 84 01 00 01 62 00";
    const char *c = "01 01 01 02 84 01 01 01 63 00";
    check_merge(NULL, 0, "00 00");
    check_merge((const char *[]){everything}, 1, everything);
    check_merge((const char *[]){b, a}, 2, "01 02 01 00 04 01 01 74 01 61 84 01 00 01 62 00");
    check_merge((const char *[]){a, a, a}, 3, a);
    check_merge((const char *[]){c, a}, 2,
                "01 03 01 00 04 01 01 74 01 61 0a 01 84 01 01 01 63 00");
    const char *hole = "01 03 01 00 04 01 01 74 01 61 0a 01 84 01 01 01 63 00";
    check_merge((const char *[]){hole, b}, 2,
                "01 03 01 00 04 01 01 74 01 61 84 01 00 01 62 84 01 01 01 63 00");
}

static void test_merge_melts_collected_clocks_that_meet(void **state)
{
    (void)state;
    const char *first = "01 01 01 00 00 03 00";
    check_merge((const char *[]){first, "01 01 01 03 00 02 00"}, 2, "01 01 01 00 00 05 00");
    check_merge((const char *[]){first, "01 01 01 02 00 03 00"}, 2, "01 01 01 00 00 05 00");
    /* Within one update Yjs copies them as they are. */
    const char *pair = "01 02 01 00 00 01 00 02 00";
    check_merge((const char *[]){pair, pair}, 2, pair);
}

static void test_merge_sorts_and_joins_deletes(void **state)
{
    (void)state;
    check_merge((const char *[]){"00 01 01 02 05 01 00 02", "00 02 02 01 00 01 01 01 01 04"}, 2,
                "00 02 02 01 00 01 01 01 00 06");
}

static void test_diff(void **state)
{
    (void)state;
    const char *text = "01 01 02 00 04 01 01 74 06 78 f0 9f 98 80 79 00";
    check_diff(text, "00", text);
    check_diff(text, "01 02 01", "01 01 02 01 84 02 00 05 f0 9f 98 80 79 00");
    check_diff(text, "01 02 02", "01 01 02 02 84 02 01 04 ef bf bd 79 00");
    check_diff(text, "01 02 03", "01 01 02 03 84 02 02 01 79 00");
    check_diff(text, "01 02 04", "00 00");
    check_diff("01 03 01 00 04 01 01 74 01 61 0a 01 84 01 01 01 63 00", "01 01 01",
               "01 01 01 02 84 01 01 01 63 00");
}

static void test_diff_copies_deletes_in_their_order(void **state)
{
    (void)state;
    check_diff("00 01 01 02 00 01 01 01", "00", "00 01 01 02 00 01 01 01");
    check_diff("00 03 01 01 05 01 02 01 00 01 01 02 03 01 00 01", "00",
               "00 02 02 01 00 01 01 03 05 01 03 01 00 01");
}

/* A peer chooses the order of clients. A million of them, lowest first, take no longer
 * than others: a quadratic sort here would run into the time limit of the test. */
static void test_diff_of_many_clients_lowest_first(void **state)
{
    (void)state;
    const size_t clients = UINT64_C(1) << 20;
    uint8_t *bytes = malloc(4 + clients * 6);
    assert_non_null(bytes);
    size_t len = 0;
    const uint8_t head[] = {0x00, 0x80, 0x80, 0x40};
    memcpy(bytes, head, sizeof head);
    len += sizeof head;
    for (size_t i = 0; i < clients; i++) {
        const uint8_t range[] = {
            (uint8_t)(i | 0x80), (uint8_t)(i >> 7 | 0x80), (uint8_t)(i >> 14), 1, 0, 1};
        memcpy(bytes + len, range, sizeof range);
        len += sizeof range;
    }
    struct yc_slice nobody = bytes_of("00");
    struct yc_buf out = {0};
    assert_int_equal(yc_diff_update((struct yc_slice){bytes, len}, nobody, &out), YC_OK);
    const uint8_t highest[] = {0x00, 0x80, 0x80, 0x40, 0xff, 0xff, 0x3f, 1, 0, 1};
    assert_memory_equal(out.data, highest, sizeof highest);
    const uint8_t lowest[] = {0, 1, 0, 1};
    assert_memory_equal(out.data + out.len - sizeof lowest, lowest, sizeof lowest);
    yc_buf_free(&out);
    free_bytes(nobody);
    free(bytes);
}

static void test_state_vector(void **state)
{
    (void)state;
    check_vector("00 00", "00");
    check_vector("01 01 02 00 04 01 01 74 06 78 f0 9f 98 80 79 00", "01 02 04");
    check_vector("01 01 01 01 84 01 00 01 62 00", "00");
    check_vector("01 03 01 00 04 01 01 74 01 61 0a 01 84 01 01 01 63 00", "01 01 01");
    check_vector(everything, "02 09 0c 08 03");
}

static void test_every_cut_is_refused(void **state)
{
    (void)state;
    struct yc_slice whole = bytes_of(everything);
    for (size_t len = 0; len < whole.len; len++) {
        uint8_t *part = malloc(len > 0 ? len : 1);
        assert_non_null(part);
        memcpy(part, whole.data, len);
        check_refused((struct yc_slice){part, len});
        free(part);
    }
    free_bytes(whole);
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "00 00 00",                                                    /* a byte too many */
        "01 01 01 00 00 00 00",                                        /* GC of no length */
        "01 01 01 00 0b 01 01 74 01 61 00",                            /* unknown content */
        "01 01 01 00 04 01 01 74 02 ed a0 00",                         /* not UTF-8 */
        "01 01 01 00 04 01 01 74 00 00",                               /* an empty string */
        "01 01 01 00 84 01 00 01 61 00",                               /* an origin not older */
        "01 01 01 00 07 01 01 74 07 00",                               /* unknown type */
        "01 01 01 00 05 01 01 74 01 7b 00",                            /* not JSON */
        "01 01 01 00 02 01 01 74 01 09 75 75 75 75 75 75 75 75 75 00", /* nor undefined */
        "01 ff ff ff ff 0f 01 00 00 01 00",                /* more structs than bytes */
        "01 02 01 ff ff ff ff ff ff ff 0f 00 01 00 01 00", /* clocks beyond 2^53 - 1 */
        "00 01 01 01 00 00",                               /* a range of no length */
        "00 01 01 01 ff ff ff ff ff ff ff 0f 01",          /* a range beyond 2^53 - 1 */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct yc_slice update = bytes_of(bad[i]);
        check_refused(update);
        free_bytes(update);
    }
    struct yc_slice empty = bytes_of("00 00");
    struct yc_slice vector = bytes_of("02 01 01");
    struct yc_buf out = {0};
    assert_int_equal(yc_diff_update(empty, vector, &out), YC_MALFORMED);
    assert_int_equal(out.len, 0);
    yc_buf_free(&out);
    free_bytes(empty);
    free_bytes(vector);
}

/* Gives memory a number of times; counts what is out. */
struct purse {
    size_t left;
    size_t held;
};

static void *spend(void *ctx, void *ptr, size_t old_size, size_t size)
{
    struct purse *purse = ctx;
    if (size > 0 && purse->left == 0) {
        return NULL;
    }
    purse->left -= size > 0;
    purse->held += size - old_size;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, size);
}

/* One of the three calls, on two updates. */
static enum yc_status call(int number, const struct yc_slice *updates, struct yc_slice vector,
                           struct yc_buf *out)
{
    switch (number) {
    case 0:
        return yc_merge_updates(updates, 2, out);
    case 1:
        return yc_diff_update(updates[0], vector, out);
    default:
        return yc_state_vector_of_update(updates[0], out);
    }
}

/* Each allocation in turn is the first to be refused; the last time round none is. */
static void test_refused_memory(void **state)
{
    (void)state;
    struct yc_slice updates[] = {bytes_of(everything),
                                 bytes_of("00 02 01 01 05 01 02 01 00 01")};
    struct yc_slice reverse[] = {updates[1], updates[0]};
    struct yc_slice vector = bytes_of("02 09 02 08 01");
    for (int number = 0; number < 6; number++) {
        size_t refusals = 0;
        enum yc_status status = YC_MEMORY;
        while (status == YC_MEMORY) {
            struct purse purse = {.left = refusals++};
            struct yc_allocator allocator = {spend, &purse};
            struct yc_buf out = {.allocator = &allocator};
            status = call(number % 3, number < 3 ? updates : reverse, vector, &out);
            assert_true(status == YC_OK || (status == YC_MEMORY && out.len == 0));
            yc_buf_free(&out);
            assert_int_equal(purse.held, 0);
        }
        assert_true(refusals > 1);
    }
    free_bytes(updates[0]);
    free_bytes(updates[1]);
    free_bytes(vector);
}

/* No Yjs writes that. */
static void test_a_client_twice_with_a_gap(void **state)
{
    (void)state;
    const char *twice = "02 01 01 01 04 01 01 74 01 61 01 01 40 04 01 01 74 01 62 00";
    struct yc_slice update = bytes_of(twice);
    struct yc_slice vector = bytes_of("00");
    struct yc_buf out = {0};
    check_result(yc_diff_update(update, vector, &out), &out, twice);
    check_result(yc_diff_update(update, (struct yc_slice){0}, &out), &out, twice);
    struct yc_doc *doc = yc_doc_create(NULL);
    assert_non_null(doc);
    assert_int_equal(yc_apply(doc, update, NULL), YC_OK);
    assert_int_equal(yc_encode_state(doc, (struct yc_slice){0}, &out), YC_OK);
    struct yc_buf again = {0};
    assert_int_equal(yc_diff_update(yc_buf_slice(&out), vector, &again), YC_OK);
    yc_buf_free(&out);
    yc_buf_free(&again);
    yc_doc_destroy(doc);
    free_bytes(update);
    free_bytes(vector);
}

static void apply_all(const char *const *updates, size_t count, enum yc_status last)
{
    struct yc_doc *doc = yc_doc_create(NULL);
    struct yc_buf state = {0};
    assert_non_null(doc);
    for (size_t i = 0; i < count; i++) {
        struct yc_slice update = bytes_of(updates[i]);
        assert_int_equal(yc_apply(doc, update, NULL), i + 1 < count ? YC_OK : last);
        free_bytes(update);
    }
    assert_int_equal(yc_encode_state(doc, (struct yc_slice){0}, &state), YC_OK);
    yc_buf_free(&state);
    yc_doc_destroy(doc);
}

/* What is known of a struct stands in one type; the same struct, longer, says it stands in another. */
static void test_longer_struct_of_another_type(void **state)
{
    (void)state;
    static const char *const in_a_list[] = {
        "01 01 09 00 07 01 01 72 01 00", "01 01 05 00 04 01 01 78 01 61 00",
        "01 01 05 00 08 00 09 00 02 7e 7e 00", "00 01 09 01 00 01", "00 01 05 01 01 01"};
    static const char *const with_a_key[] = {"01 01 05 00 04 01 01 78 01 61 00",
                                             "01 01 05 00 28 01 01 79 01 6b 02 7e 7e 00",
                                             "00 01 05 01 01 01", "00 01 05 01 00 02"};
    apply_all(in_a_list, 5, YC_OK);
    apply_all(with_a_key, 4, YC_OK);
}

/* A subdocument whose options are null or undefined makes every Yjs client throw. */
static void test_subdocument_without_options(void **state)
{
    (void)state;
    static const char *const null[] = {"01 01 01 00 09 01 01 72 01 67 7e 00"};
    static const char *const undefined[] = {"01 01 01 00 09 01 01 72 01 67 7f 00"};
    static const char *const none[] = {"01 01 01 00 09 01 01 72 01 67 76 00 00"};
    apply_all(null, 1, YC_MALFORMED);
    apply_all(undefined, 1, YC_MALFORMED);
    apply_all(none, 1, YC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longer_struct_of_another_type),
        cmocka_unit_test(test_subdocument_without_options),
        cmocka_unit_test(test_a_client_twice_with_a_gap),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_merge_melts_collected_clocks_that_meet),
        cmocka_unit_test(test_merge_sorts_and_joins_deletes),
        cmocka_unit_test(test_diff),
        cmocka_unit_test(test_diff_copies_deletes_in_their_order),
        cmocka_unit_test(test_diff_of_many_clients_lowest_first),
        cmocka_unit_test(test_state_vector),
        cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_refused_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
