/* yc: what waits. Writers that see only some of one another make updates, which come in any order, some
 * of them twice. At each step a document must stand where one stands that is given all of them at once:
 * whatever can be placed is placed, and no more. */
#include "yc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WRITERS 5
#define EDITS 60
#define HISTORIES 400

static const struct yc_slice everything = {NULL, 0};

/* --- chance -------------------------------------------------------------------------------------- */

static uint64_t state;

static uint32_t below(uint32_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 16) % bound);
}

/* --- writing ------------------------------------------------------------------------------------- */

static struct yc_type *root(struct yc_doc *doc, const char *name, enum yc_kind kind)
{
    struct yc_type *type;
    assert_int_equal(yc_root(doc, yc_str(name), kind, &type), YC_OK);
    return type;
}

static void write_text(struct yc_txn *txn, struct yc_type *text)
{
    uint64_t length = yc_length(text);
    if (length > 3 && below(3) == 0) {
        assert_int_equal(yc_delete(txn, text, below((uint32_t)length - 2), 2), YC_OK);
    } else {
        const char *const words[] = {"a", "bc", "\xf0\x9f\x98\x80", "def"};
        uint64_t at = below((uint32_t)length + 1);
        assert_int_equal(yc_text_insert(txn, text, at, yc_str(words[below(4)]), everything),
                         YC_OK);
    }
}

static void write_map(struct yc_txn *txn, struct yc_type *map)
{
    struct yc_value value = {.form = YC_VALUE_JSON, .bytes = yc_str("1")};
    if (below(2) == 0) {
        value = (struct yc_value){.form = YC_VALUE_TYPE, .kind = YC_MAP};
    }
    assert_int_equal(yc_map_set(txn, map, yc_str("k"), &value), YC_OK);
    if (value.form == YC_VALUE_TYPE) {
        write_map(txn, value.type);
    }
}

static void copy(struct yc_buf *to, struct yc_slice bytes)
{
    *to = (struct yc_buf){.data = malloc(bytes.len), .len = bytes.len, .cap = bytes.len};
    assert_non_null(to->data);
    memcpy(to->data, bytes.data, bytes.len);
}

static bool edit(struct yc_doc *doc, uint64_t client, struct yc_buf *update)
{
    struct yc_txn *txn;
    struct yc_type *text = root(doc, "t", YC_TEXT);
    struct yc_type *map = root(doc, "m", YC_MAP);
    assert_int_equal(yc_begin(doc, client, &txn), YC_OK);
    if (below(4) > 0) {
        write_text(txn, text);
    } else {
        write_map(txn, map);
    }
    struct yc_slice news = yc_commit(txn);
    if (news.len > 0) {
        copy(update, news);
    }
    return news.len > 0;
}

static void learn(struct yc_doc *doc, const struct yc_doc *other)
{
    struct yc_buf all = {0};
    assert_int_equal(yc_encode_state(other, everything, &all), YC_OK);
    assert_int_equal(yc_apply(doc, yc_buf_slice(&all), NULL), YC_OK);
    yc_buf_free(&all);
}

static size_t write_history(struct yc_buf *updates)
{
    struct yc_doc *docs[WRITERS];
    size_t count = 0;
    for (size_t i = 0; i < WRITERS; i++) {
        docs[i] = yc_doc_create(NULL);
        assert_non_null(docs[i]);
    }
    while (count < EDITS) {
        uint32_t writer = below(WRITERS);
        if (below(3) == 0) {
            learn(docs[writer], docs[below(WRITERS)]);
        }
        count += edit(docs[writer], 100 + writer, &updates[count]);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        yc_doc_destroy(docs[i]);
    }
    return count;
}

/* --- reading ------------------------------------------------------------------------------------- */

static void put_picture(struct yc_doc *doc, struct yc_buf *out)
{
    struct yc_buf parts[4] = {{0}, {0}, {0}, {0}};
    assert_int_equal(yc_encode_state_vector(doc, &parts[0]), YC_OK);
    assert_int_equal(yc_encode_delete_set(doc, &parts[1]), YC_OK);
    assert_int_equal(yc_json(root(doc, "t", YC_TEXT), &parts[2]), YC_OK);
    assert_int_equal(yc_json(root(doc, "m", YC_MAP), &parts[3]), YC_OK);
    size_t len = 0;
    for (size_t i = 0; i < 4; i++) {
        len += parts[i].len;
    }
    *out = (struct yc_buf){.data = malloc(len), .cap = len};
    assert_non_null(out->data);
    for (size_t i = 0; i < 4; i++) {
        memcpy(out->data + out->len, parts[i].data, parts[i].len);
        out->len += parts[i].len;
        yc_buf_free(&parts[i]);
    }
}

static void assert_same(struct yc_doc *a, struct yc_doc *b)
{
    struct yc_buf left;
    struct yc_buf right;
    put_picture(a, &left);
    put_picture(b, &right);
    assert_int_equal(left.len, right.len);
    assert_memory_equal(left.data, right.data, left.len);
    yc_buf_free(&left);
    yc_buf_free(&right);
}

static struct yc_doc *at_once(const struct yc_slice *updates, size_t count)
{
    struct yc_buf all = {0};
    struct yc_doc *doc = yc_doc_create(NULL);
    assert_non_null(doc);
    assert_int_equal(yc_merge_updates(updates, count, &all), YC_OK);
    assert_int_equal(yc_apply(doc, yc_buf_slice(&all), NULL), YC_OK);
    yc_buf_free(&all);
    return doc;
}

/* --- the test ------------------------------------------------------------------------------------ */

static void shuffle(struct yc_buf *updates, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = below((uint32_t)i);
        struct yc_buf kept = updates[i - 1];
        updates[i - 1] = updates[j];
        updates[j] = kept;
    }
}

/* As a daemon does that stores a room and loads it again. */
static struct yc_doc *reloaded(struct yc_doc *doc)
{
    struct yc_doc *again = yc_doc_create(NULL);
    assert_non_null(again);
    learn(again, doc);
    yc_doc_destroy(doc);
    return again;
}

static void deliver(const struct yc_buf *updates, size_t count)
{
    struct yc_slice delivered[EDITS];
    struct yc_doc *doc = yc_doc_create(NULL);
    struct yc_stats stats;
    assert_non_null(doc);
    for (size_t i = 0; i < count; i++) {
        delivered[i] = yc_buf_slice(&updates[i]);
        assert_int_equal(yc_apply(doc, delivered[i], NULL), YC_OK);
        if (below(4) == 0) {
            assert_int_equal(yc_apply(doc, delivered[below((uint32_t)i + 1)], NULL), YC_OK);
        }
        doc = below(16) == 0 ? reloaded(doc) : doc;
        struct yc_doc *whole = at_once(delivered, i + 1);
        assert_same(doc, whole);
        yc_doc_destroy(whole);
    }
    yc_doc_stats(doc, &stats);
    assert_int_equal(stats.pending_bytes, 0);
    yc_doc_destroy(doc);
}

static void test_any_order(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        struct yc_buf updates[EDITS];
        state = seed * UINT64_C(0x9e3779b97f4a7c15);
        size_t count = write_history(updates);
        shuffle(updates, count);
        deliver(updates, count);
        for (size_t i = 0; i < count; i++) {
            yc_buf_free(&updates[i]);
        }
    }
}

/* What a transaction of this side brings may be what others waited for: its client wrote elsewhere
 * before, and only what builds on that came here. */
static void test_due_by_own_writing(void **unused)
{
    (void)unused;
    /* Client 8 writes "x" behind the clock 0 of client 7, which is not here yet. */
    static const uint8_t waiting[] = {1, 1, 8, 0, 0x84, 7, 0, 1, 'x', 0};
    static const uint8_t other[] = {1, 1, 9, 0, 4, 1, 1, 'u', 1, 'y', 0};
    struct yc_doc *doc = yc_doc_create(NULL);
    struct yc_txn *txn;
    struct yc_buf text = {0};
    assert_non_null(doc);
    assert_int_equal(yc_apply(doc, (struct yc_slice){waiting, sizeof waiting}, NULL), YC_OK);
    struct yc_type *root_text = root(doc, "t", YC_TEXT);
    assert_int_equal(yc_begin(doc, 7, &txn), YC_OK);
    assert_int_equal(yc_text_insert(txn, root_text, 0, yc_str("w"), everything), YC_OK);
    (void)yc_commit(txn);
    assert_int_equal(yc_apply(doc, (struct yc_slice){other, sizeof other}, NULL), YC_OK);
    assert_int_equal(yc_text(root_text, &text), YC_OK);
    assert_int_equal(text.len, 2);
    assert_memory_equal(text.data, "wx", 2);
    yc_buf_free(&text);
    yc_doc_destroy(doc);
}

/* --- what peers make up ------------------------------------------------------------------------------ */

struct bytes {
    uint8_t data[1 << 20];
    size_t len;
};

static struct bytes made;

static void put(uint64_t number)
{
    for (; number >= 0x80; number >>= 7) {
        made.data[made.len++] = (uint8_t)(number | 0x80);
    }
    made.data[made.len++] = (uint8_t)number;
}

static void put_letters(size_t count)
{
    put(count);
    memset(made.data + made.len, 'x', count);
    made.len += count;
}

static void put_head(uint64_t structs, uint64_t client, uint64_t clock)
{
    put(structs);
    put(client);
    put(clock);
}

/* Letters in the root "t", behind a clock, or in front of one. */
static void put_first(size_t letters)
{
    made.data[made.len++] = 4;
    put(1);
    put(1);
    made.data[made.len++] = 't';
    put_letters(letters);
}

static void put_behind(uint64_t client, uint64_t clock, size_t letters)
{
    made.data[made.len++] = 0x84;
    put(client);
    put(clock);
    put_letters(letters);
}

static void put_before(uint64_t client, uint64_t clock, size_t letters)
{
    made.data[made.len++] = 0x44;
    put(client);
    put(clock);
    put_letters(letters);
}

static void put_skip(uint64_t clocks)
{
    made.data[made.len++] = 10;
    put(clocks);
}

static void begin_update(uint64_t clients)
{
    made.len = 0;
    put(clients);
}

/* Without deletes. */
static enum yc_status apply_made(struct yc_doc *doc)
{
    put(0);
    return yc_apply(doc, (struct yc_slice){made.data, made.len}, NULL);
}

static enum yc_status type_on(struct yc_doc *doc, uint64_t client, uint64_t clock)
{
    begin_update(1);
    put_head(1, client, clock);
    if (clock == 0) {
        put_first(1);
    } else {
        put_behind(client, clock - 1, 1);
    }
    return apply_made(doc);
}

static struct yc_doc *doc_with(struct yc_limits limits)
{
    const struct yc_options options = {.limits = limits};
    struct yc_doc *doc = yc_doc_create(&options);
    assert_non_null(doc);
    return doc;
}

/* Of a state that has more that waits than may wait that is dropped; a client that it waited for, and
 * that waits here itself, must not remember. */
static void test_dropped_runs(void **unused)
{
    (void)unused;
    struct yc_doc *doc = doc_with((struct yc_limits){.pending_bytes = 250});
    begin_update(1);
    put_head(1, 7, 5);
    put_first(1);
    assert_int_equal(apply_made(doc), YC_OK);
    begin_update(41);
    for (uint64_t i = 0; i < 40; i++) {
        put_head(1, 200 - i, 0);
        put_behind(7, i == 39 ? 0 : 3, 100);
    }
    put_head(1, 9, 0);
    put_first(1);
    assert_int_equal(apply_made(doc), YC_OK);
    assert_int_equal(type_on(doc, 7, 0), YC_OK);
    yc_doc_destroy(doc);
}

/* Structs with holes, and others over the holes: melted, they are cut and longer. */
static void fill_with_overlaps(struct yc_doc *doc)
{
    const uint64_t client = (UINT64_C(1) << 53) - 5;
    const size_t count = 700;
    begin_update(1);
    put_head(2 * count - 1, client, 0);
    for (size_t i = 0; i < count; i++) {
        put_before(7, 0, 10);
        if (i < count - 1) {
            put_skip(1);
        }
    }
    assert_int_equal(apply_made(doc), YC_OK);
    enum yc_status status = YC_OK;
    for (uint64_t at = 9; status == YC_OK && at < 11 * count - 500;) {
        const size_t few = 30;
        begin_update(1);
        put_head(2 * few - 1, client, at);
        for (size_t i = 0; i < few; i++) {
            put_before(7, 0, 3);
            if (i < few - 1) {
                put_skip(8);
            }
        }
        at += 11 * few;
        status = apply_made(doc);
    }
}

static void assert_loads(struct yc_doc *doc, struct yc_limits limits)
{
    struct yc_doc *again = doc_with(limits);
    struct yc_buf all = {0};
    assert_int_equal(yc_encode_state(doc, everything, &all), YC_OK);
    assert_int_equal(yc_apply(again, yc_buf_slice(&all), NULL), YC_OK);
    yc_buf_free(&all);
    yc_doc_destroy(again);
}

static void test_longer_when_melted(void **unused)
{
    (void)unused;
    const struct yc_limits limits = {.pending_bytes = 20000};
    struct yc_doc *empty = doc_with(limits);
    fill_with_overlaps(empty);
    assert_loads(empty, limits);
    yc_doc_destroy(empty);

    /* Neither does it hold up who places what is due in part. */
    struct yc_doc *doc = doc_with(limits);
    assert_int_equal(type_on(doc, 1, 0), YC_OK);
    begin_update(1);
    put_head(2, 50, 0);
    put_behind(1, 1, 1500);
    put_behind(99, 0, 1);
    assert_int_equal(apply_made(doc), YC_OK);
    fill_with_overlaps(doc);
    assert_int_equal(type_on(doc, 1, 1), YC_OK);
    assert_int_equal(type_on(doc, 1, 2), YC_OK);
    assert_loads(doc, limits);
    yc_doc_destroy(doc);
}

/* What many clients wait with takes more memory than bytes. */
static void test_waiting_fills_memory(void **unused)
{
    (void)unused;
    const struct yc_limits limits = {.bytes = 4 << 20};
    enum yc_status status = YC_LIMIT;
    for (uint64_t count = 40000; status != YC_OK; count -= 1000) {
        struct yc_doc *doc = doc_with(limits);
        assert_int_equal(type_on(doc, 1, 0), YC_OK);
        begin_update(count);
        for (uint64_t i = 0; i < count; i++) {
            put_head(1, 70000 + count - i, 5);
            made.data[made.len++] = 0; /* a hole */
            put(1);
        }
        status = apply_made(doc);
        assert_true(status == YC_OK || status == YC_LIMIT);
        assert_int_equal(type_on(doc, 1, 1), YC_OK);
        assert_loads(doc, limits);
        yc_doc_destroy(doc);
    }
}

/* What has waited and is placed and deleted takes no memory any more. */
static void test_memory_comes_back(void **unused)
{
    (void)unused;
    const size_t size = 900000;
    struct yc_stats stats;
    struct yc_doc *doc = doc_with((struct yc_limits){0});
    assert_int_equal(type_on(doc, 1, 0), YC_OK);
    begin_update(1);
    put_head(1, 9, 0);
    put_behind(1, 1, size);
    assert_int_equal(apply_made(doc), YC_OK);
    assert_int_equal(type_on(doc, 1, 1), YC_OK);
    static const uint8_t deletes[] = {0, 1, 9, 1, 0, 0xa0, 0xf7, 0x36}; /* all of them */
    assert_int_equal(yc_apply(doc, (struct yc_slice){deletes, sizeof deletes}, NULL), YC_OK);
    assert_int_equal(type_on(doc, 1, 2), YC_OK);
    yc_doc_stats(doc, &stats);
    assert_int_equal(stats.pending_bytes, 0);
    assert_in_range(stats.bytes, 0, 16384);
    yc_doc_destroy(doc);
}

/* A client's struct that waits, of which the beginning is held in another version, waits on in whoever
 * loads the state. */
static void test_held_in_part(void **unused)
{
    (void)unused;
    struct yc_doc *doc = doc_with((struct yc_limits){0});
    struct yc_doc *again = doc_with((struct yc_limits){0});
    begin_update(1);
    put_head(2, 9, 2);
    put_behind(99, 0, 4);
    put_behind(9, 5, 1);
    assert_int_equal(apply_made(doc), YC_OK);
    begin_update(1);
    put_head(1, 9, 0);
    put_first(3);
    assert_int_equal(apply_made(doc), YC_OK);
    learn(again, doc);
    struct yc_buf text = {0};
    assert_int_equal(yc_text(root(again, "t", YC_TEXT), &text), YC_OK);
    assert_int_equal(text.len, 3);
    yc_buf_free(&text);
    yc_doc_destroy(doc);
    yc_doc_destroy(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_due_by_own_writing),
        cmocka_unit_test(test_dropped_runs),
        cmocka_unit_test(test_longer_when_melted),
        cmocka_unit_test(test_waiting_fills_memory),
        cmocka_unit_test(test_memory_comes_back),
        cmocka_unit_test(test_held_in_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
