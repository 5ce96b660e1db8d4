/* yc: updates that no client makes and that are well-formed. Each group is something that once went
 * wrong: a document that could not be loaded again, that took nothing more, or that lost what it had. */
#include "yc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct yc_slice everything = {NULL, 0};

/* --- updates --------------------------------------------------------------------------------------- */

/* An update in the making. Numbers are lib0's, as bytes go into it in order. */
struct wire {
    uint8_t *bytes;
    size_t len;
    size_t cap;
};

enum { GC = 0, DELETED = 1, TEXT = 4, TYPE = 7, HAS_ORIGIN = 0x80 };

static void put_byte(struct wire *wire, int byte)
{
    if (wire->len == wire->cap) {
        wire->cap = wire->cap * 2 + 64;
        wire->bytes = realloc(wire->bytes, wire->cap);
        assert_non_null(wire->bytes);
    }
    wire->bytes[wire->len++] = (uint8_t)byte;
}

static void put(struct wire *wire, uint64_t number)
{
    for (; number >= 0x80; number >>= 7) {
        put_byte(wire, (int)(number & 0x7f) | 0x80);
    }
    put_byte(wire, (int)number);
}

static void put_string(struct wire *wire, const char *text)
{
    put(wire, strlen(text));
    for (; *text != '\0'; text++) {
        put(wire, (uint8_t)*text);
    }
}

/* The structs of a client follow, so many from a clock on. */
static void put_head(struct wire *wire, uint64_t structs, uint64_t client, uint64_t clock)
{
    put(wire, structs);
    put(wire, client);
    put(wire, clock);
}

static void put_in_root(struct wire *wire, const char *root, const char *text)
{
    put(wire, TEXT);
    put(wire, 1);
    put_string(wire, root);
    put_string(wire, text);
}

static void put_behind(struct wire *wire, int ref, uint64_t client, uint64_t clock)
{
    put_byte(wire, ref | HAS_ORIGIN);
    put(wire, client);
    put(wire, clock);
}

static void put_text_behind(struct wire *wire, uint64_t client, uint64_t clock,
                            const char *text)
{
    put_behind(wire, TEXT, client, clock);
    put_string(wire, text);
}

/* Applies and empties it. */
static enum yc_status apply(struct yc_doc *doc, struct wire *wire)
{
    struct yc_slice news;
    enum yc_status status = yc_apply(doc, (struct yc_slice){wire->bytes, wire->len}, &news);
    assert_true(status == YC_OK || news.len == 0);
    wire->len = 0;
    return status;
}

/* One struct of text that is begun by a client, or goes on from its clocks. */
static enum yc_status type_on(struct yc_doc *doc, uint64_t client, uint64_t clock,
                              const char *text)
{
    struct wire wire = {0};
    put(&wire, 1);
    put_head(&wire, 1, client, clock);
    if (clock == 0) {
        put_in_root(&wire, "t", text);
    } else {
        put_text_behind(&wire, client, clock - 1, text);
    }
    put(&wire, 0);
    enum yc_status status = apply(doc, &wire);
    free(wire.bytes);
    return status;
}

/* --- documents ------------------------------------------------------------------------------------- */

static struct yc_doc *create(struct yc_limits limits)
{
    struct yc_doc *doc = yc_doc_create(&(struct yc_options){.limits = limits});
    assert_non_null(doc);
    return doc;
}

static struct yc_stats stats_of(const struct yc_doc *doc)
{
    struct yc_stats stats;
    yc_doc_stats(doc, &stats);
    return stats;
}

static void check_text(struct yc_doc *doc, const char *expected)
{
    struct yc_buf out = {0};
    struct yc_type *text;
    assert_int_equal(yc_root(doc, yc_str("t"), YC_TEXT, &text), YC_OK);
    assert_int_equal(yc_text(text, &out), YC_OK);
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.data, expected, out.len);
    yc_buf_free(&out);
}

/* What a document says of itself is taken by a new one with the same limits, told or not. */
static void assert_loads(const struct yc_doc *doc, struct yc_limits limits)
{
    struct yc_buf state = {0};
    assert_int_equal(yc_encode_state(doc, everything, &state), YC_OK);
    for (int tells = 0; tells < 2; tells++) {
        struct yc_doc *copy = create(limits);
        struct yc_slice news;
        assert_int_equal(yc_apply(copy, yc_buf_slice(&state), tells ? &news : NULL), YC_OK);
        assert_true(yc_hash(copy) == yc_hash(doc));
        yc_doc_destroy(copy);
    }
    yc_buf_free(&state);
}

/* --- depth ----------------------------------------------------------------------------------------- */

/* A struct whose beginning is held stands where that stands, although it says that it is in a root. */
static void test_depth_cannot_be_talked_away(void **state)
{
    (void)state;
    const struct yc_limits limits = {.depth = 3};
    for (int together = 0; together < 2; together++) {
        struct yc_doc *doc = create(limits);
        struct wire wire = {0};
        put(&wire, 1);
        put_head(&wire, 4, 1, 0);
        put(&wire, TYPE);
        put(&wire, 1);
        put_string(&wire, "a");
        put(&wire, YC_ARRAY);
        for (uint64_t i = 0; i < 2; i++) {
            put(&wire, TYPE);
            put(&wire, 0);
            put(&wire, 1);
            put(&wire, i);
            put(&wire, YC_ARRAY);
        }
        put(&wire, TEXT);
        put(&wire, 0);
        put(&wire, 1);
        put(&wire, 2);
        put_string(&wire, "x");
        put(&wire, 0);
        assert_int_equal(apply(doc, &wire), YC_OK);
        if (!together) {
            put(&wire, 1);
            put_head(&wire, 1, 1, 3);
            put_in_root(&wire, "t", "xy");
            put(&wire, 0);
            assert_int_equal(apply(doc, &wire), YC_OK);
            check_text(doc, "");
        }
        put(&wire, together ? 2 : 1);
        if (together) {
            put_head(&wire, 1, 2, 0);
        } else {
            put_head(&wire, 1, 1, 5);
        }
        put_behind(&wire, TYPE, 1, 4);
        put(&wire, YC_ARRAY);
        if (together) {
            put_head(&wire, 1, 1, 3);
            put_in_root(&wire, "t", "xy");
        }
        put(&wire, 0);
        assert_int_equal(apply(doc, &wire), YC_LIMIT);
        assert_loads(doc, limits);
        yc_doc_destroy(doc);
        free(wire.bytes);
    }
}

/* --- what waits ------------------------------------------------------------------------------------ */

/* What waits and would pass a limit is dropped, not charged to the one whose update it waited for. What
 * is not due yet waits on. */
static void test_what_waits_refuses_nobody(void **state)
{
    (void)state;
    const struct yc_limits limits = {.roots = 16};
    struct yc_doc *doc = create(limits);
    struct wire wire = {0};
    assert_int_equal(type_on(doc, 7, 0, "hello"), YC_OK);
    put(&wire, 1);
    put_head(&wire, 21, 666, 0);
    put_text_behind(&wire, 7, 5, "x");
    for (char root[] = "A"; root[0] < 'A' + 20; root[0]++) {
        put_in_root(&wire, root, "y");
    }
    put(&wire, 0);
    assert_int_equal(apply(doc, &wire), YC_OK);
    assert_true(stats_of(doc).pending);
    put(&wire, 1);
    put_head(&wire, 1, 9, 0);
    put_text_behind(&wire, 7, 11, "!");
    put(&wire, 0);
    assert_int_equal(apply(doc, &wire), YC_OK);
    assert_int_equal(type_on(doc, 7, 5, " world"), YC_OK);
    check_text(doc, "hello world");
    assert_int_equal(stats_of(doc).roots, 1);
    assert_loads(doc, limits);
    assert_int_equal(type_on(doc, 7, 11, "s"), YC_OK);
    check_text(doc, "hello worlds!");
    assert_false(stats_of(doc).pending);
    yc_doc_destroy(doc);
    free(wire.bytes);
}

/* An update that is itself too much is refused, and what waits goes on waiting. */
static void test_what_is_refused_drops_nothing(void **state)
{
    (void)state;
    struct yc_doc *doc = create((struct yc_limits){.roots = 2, .pending_bytes = 200});
    struct wire wire = {0};
    assert_int_equal(type_on(doc, 7, 0, "a"), YC_OK);
    put(&wire, 1);
    put_head(&wire, 1, 9, 0);
    put_text_behind(&wire, 7, 1, "waits");
    put(&wire, 0);
    assert_int_equal(apply(doc, &wire), YC_OK);
    size_t waiting = stats_of(doc).pending_bytes;
    /* Makes it due, and brings roots. */
    put(&wire, 1);
    put_head(&wire, 3, 7, 1);
    put_text_behind(&wire, 7, 0, "b");
    put_in_root(&wire, "u", "c");
    put_in_root(&wire, "v", "d");
    put(&wire, 0);
    assert_int_equal(apply(doc, &wire), YC_LIMIT);
    assert_int_equal(stats_of(doc).pending_bytes, waiting);
    /* Makes it due, and brings more than may wait. */
    static char much[300];
    memset(much, 'm', sizeof much - 1);
    put(&wire, 2);
    put_head(&wire, 1, 8, 0);
    put_text_behind(&wire, 5, 0, much);
    put_head(&wire, 1, 7, 1);
    put_text_behind(&wire, 7, 0, "b");
    put(&wire, 0);
    assert_int_equal(apply(doc, &wire), YC_LIMIT);
    assert_int_equal(stats_of(doc).pending_bytes, waiting);
    assert_int_equal(type_on(doc, 7, 1, "b"), YC_OK);
    check_text(doc, "abwaits");
    yc_doc_destroy(doc);
    free(wire.bytes);
}

/* Letters that wait for another one each come in one by one. */
static void test_much_that_waits_comes_in(void **state)
{
    (void)state;
    enum { LETTERS = 300 };
    struct yc_doc *doc = create((struct yc_limits){0});
    struct yc_doc *in_order = create((struct yc_limits){0});
    struct wire wire = {0};
    for (int turn = 0; turn < 2; turn++) {
        put(&wire, turn == 0 ? 1 : 2);
        put_head(&wire, LETTERS, 2, 0);
        for (uint64_t i = 0; i < LETTERS; i++) {
            put_text_behind(&wire, 1, i, "b");
        }
        if (turn == 1) {
            put_head(&wire, LETTERS, 1, 0);
            put_in_root(&wire, "t", "a");
            for (uint64_t i = 1; i < LETTERS; i++) {
                put_text_behind(&wire, 1, i - 1, "a");
            }
        }
        put(&wire, 0);
        assert_int_equal(apply(turn == 0 ? doc : in_order, &wire), YC_OK);
    }
    assert_true(stats_of(doc).pending);
    for (uint64_t i = 0; i < LETTERS; i++) {
        assert_int_equal(type_on(doc, 1, i, "a"), YC_OK);
    }
    assert_false(stats_of(doc).pending);
    assert_true(yc_hash(doc) == yc_hash(in_order));
    yc_doc_destroy(doc);
    yc_doc_destroy(in_order);
    free(wire.bytes);
}

/* --- memory ---------------------------------------------------------------------------------------- */

/* A document that is full of structs that cannot melt. */
static void test_a_full_document_loads_again(void **state)
{
    (void)state;
    const struct yc_limits limits = {.bytes = 1 << 20};
    struct yc_doc *doc = create(limits);
    struct wire wire = {0};
    enum yc_status status = type_on(doc, 1, 0, "a");
    for (uint64_t clock = 1; status == YC_OK; clock += 500) {
        put(&wire, 1);
        put_head(&wire, 500, 1, clock);
        for (int i = 0; i < 500; i++) {
            put_behind(&wire, DELETED, 1, 0);
            put(&wire, 1);
        }
        put(&wire, 0);
        status = apply(doc, &wire);
    }
    assert_int_equal(status, YC_LIMIT);
    assert_true(stats_of(doc).items > 8000);
    assert_loads(doc, limits);
    yc_doc_destroy(doc);
    free(wire.bytes);
}

/* Structs that wait and overlap get longer when they are merged: of the state all is taken but them. */
static void test_much_that_waits_loads_again(void **state)
{
    (void)state;
    const struct yc_limits limits = {.pending_bytes = 9600};
    struct yc_doc *doc = create(limits);
    struct wire wire = {0};
    const uint64_t far = UINT64_C(1) << 50;
    for (uint64_t part = 0; part < 2; part++) {
        const uint64_t count = part == 0 ? 900 : 450;
        put(&wire, 1);
        put_head(&wire, count, far, 1 + part);
        for (uint64_t i = 0; i < count; i++) {
            put_in_root(&wire, "t", "xy");
        }
        put(&wire, 0);
        assert_int_equal(apply(doc, &wire), YC_OK);
    }
    assert_int_equal(type_on(doc, 7, 0, "kept"), YC_OK);
    assert_loads(doc, limits);
    yc_doc_destroy(doc);
    free(wire.bytes);
}

/* A document that takes no more text takes what is no more: deletes, and what it has. */
static void test_a_full_document_can_be_emptied(void **state)
{
    (void)state;
    static char text[10000];
    memset(text, 'x', sizeof text - 1);
    for (int own = 0; own < 2; own++) {
        struct yc_doc *doc = create((struct yc_limits){.bytes = 1 << 20});
        struct yc_type *root;
        struct yc_txn *txn;
        struct wire wire = {0};
        uint64_t clock = 0;
        assert_int_equal(yc_root(doc, yc_str("t"), YC_TEXT, &root), YC_OK);
        while (!own && type_on(doc, 1, clock, text) == YC_OK) {
            clock += sizeof text - 1;
        }
        if (own) {
            assert_int_equal(yc_begin(doc, 1, &txn), YC_OK);
            while (yc_text_insert(txn, root, clock, yc_str(text), everything) == YC_OK) {
                clock += sizeof text - 1;
            }
            assert_true(yc_commit(txn).len > 0);
        }
        assert_true(yc_length(root) > 300000);
        assert_int_equal(yc_begin(doc, 2, &txn), YC_OK);
        assert_int_equal(yc_delete(txn, root, 5, 100), YC_OK);
        assert_true(yc_commit(txn).len > 0);
        put(&wire, 0);
        put(&wire, 0);
        assert_int_equal(apply(doc, &wire), YC_OK);
        put(&wire, 0); /* no structs; of one client, 1, one range */
        put(&wire, 1);
        put(&wire, 1);
        put(&wire, 1);
        put(&wire, 0);
        put(&wire, clock);
        assert_int_equal(apply(doc, &wire), YC_OK);
        assert_int_equal(yc_length(root), 0);
        yc_doc_destroy(doc);
        free(wire.bytes);
    }
}

/* What an update that was refused set aside is given back. */
static void test_a_refused_update_leaves_no_weight(void **state)
{
    (void)state;
    static char text[600000];
    memset(text, 'x', sizeof text - 1);
    struct yc_doc *doc = create((struct yc_limits){.bytes = 1 << 20});
    struct wire wire = {0};
    assert_int_equal(type_on(doc, 1, 0, text), YC_OK);
    assert_int_equal(type_on(doc, 2, 0, "small"), YC_OK);
    size_t before = stats_of(doc).bytes;
    put(&wire, 1);
    put_head(&wire, 5200, 3, 0);
    for (int i = 0; i < 5200; i++) {
        put(&wire, GC);
        put(&wire, 1);
    }
    put(&wire, 0);
    assert_int_equal(apply(doc, &wire), YC_LIMIT);
    assert_true(stats_of(doc).bytes < before + 65536);
    assert_int_equal(type_on(doc, 2, 5, "er"), YC_OK);
    yc_doc_destroy(doc);
    free(wire.bytes);
}

/* The update of a transaction is part of the document's memory only for a while. */
static void test_news_do_not_fill_a_document(void **state)
{
    (void)state;
    static char text[700000];
    memset(text, 'x', sizeof text - 1);
    struct yc_doc *doc = create((struct yc_limits){.bytes = 1 << 20});
    struct yc_type *root;
    struct yc_txn *txn;
    assert_int_equal(type_on(doc, 1, 0, text), YC_OK);
    assert_int_equal(yc_begin(doc, 5, &txn), YC_OK);
    assert_int_equal(yc_root(doc, yc_str("t"), YC_TEXT, &root), YC_OK);
    assert_int_equal(yc_text_insert(txn, root, 0, yc_str("a"), everything), YC_OK);
    assert_true(yc_commit(txn).len > 0);
    yc_doc_destroy(doc);
}

/* --- places ---------------------------------------------------------------------------------------- */

/* A chain of letters, each typed behind the one before it, and beside each link a letter of another:
 * where these go is found without going through the chain for each. */
static void test_letters_beside_a_chain(void **state)
{
    (void)state;
    enum { LINKS = 20000 };
    static char expected[2 * LINKS + 1];
    struct yc_doc *doc = create((struct yc_limits){0});
    struct wire wire = {0};
    put(&wire, 2);
    put_head(&wire, LINKS, 2, 0);
    for (uint64_t i = 0; i < LINKS; i++) {
        put_text_behind(&wire, 1, i, i % 2 ? "b" : "c");
    }
    put_head(&wire, LINKS, 1, 0);
    put_in_root(&wire, "t", "a");
    for (uint64_t i = 1; i < LINKS; i++) {
        put_text_behind(&wire, 1, i - 1, "a");
    }
    put(&wire, 0);
    assert_int_equal(apply(doc, &wire), YC_OK);
    memset(expected, 'a', LINKS);
    for (size_t i = 0; i < LINKS; i++) {
        expected[LINKS + i] = (LINKS - 1 - i) % 2 ? 'b' : 'c';
    }
    check_text(doc, expected);
    yc_doc_destroy(doc);
    free(wire.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_depth_cannot_be_talked_away),
        cmocka_unit_test(test_what_waits_refuses_nobody),
        cmocka_unit_test(test_what_is_refused_drops_nothing),
        cmocka_unit_test(test_much_that_waits_comes_in),
        cmocka_unit_test(test_a_full_document_loads_again),
        cmocka_unit_test(test_much_that_waits_loads_again),
        cmocka_unit_test(test_a_full_document_can_be_emptied),
        cmocka_unit_test(test_a_refused_update_leaves_no_weight),
        cmocka_unit_test(test_news_do_not_fill_a_document),
        cmocka_unit_test(test_letters_beside_a_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
