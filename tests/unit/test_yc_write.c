/* yc: writing and reading a document from C. That the bytes are those of Yjs is shown beside real
 * Yjs clients (tests/yc/write.test.js); here: what is refused, and that a refusal changes nothing. */
#include "yc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct yc_value json(const char *chars)
{
    return (struct yc_value){.form = YC_VALUE_JSON, .bytes = yc_str(chars)};
}

static struct yc_value type(enum yc_kind kind, const char *name)
{
    return (struct yc_value){.form = YC_VALUE_TYPE, .kind = kind, .bytes = yc_str(name)};
}

static const struct yc_slice none = {NULL, 0};

static struct yc_type *root(struct yc_doc *doc, const char *name, enum yc_kind kind)
{
    struct yc_type *found = NULL;
    assert_int_equal(yc_root(doc, yc_str(name), kind, &found), YC_OK);
    return found;
}

static void check_text(const struct yc_buf *out, const char *expected)
{
    assert_int_equal(out->len, strlen(expected));
    assert_memory_equal(out->data, expected, out->len);
}

static void check_json(const struct yc_type *of, const char *expected)
{
    struct yc_buf out = {0};
    assert_int_equal(yc_json(of, &out), YC_OK);
    check_text(&out, expected);
    yc_buf_free(&out);
}

/* --- a script of every kind of edit -------------------------------------------------------------- */

struct script {
    struct yc_doc *doc;
    struct yc_txn *txn;
    struct yc_type *t, *a, *m, *x;
};

static enum yc_status step_nested(struct script *s)
{
    struct yc_buf out = {0};
    struct yc_value value;
    enum yc_status status = yc_map_get(s->m, yc_str("text"), &value, &out);
    yc_buf_free(&out);
    return status != YC_OK
               ? status
               : yc_text_insert(s->txn, value.type, 0, yc_str("inner"), yc_str("{\"i\":1}"));
}

/* The steps one after another; YC_RANGE when there are no more. */
static enum yc_status step(struct script *s, int number)
{
    struct yc_value values[] = {json("1"),
                                json("{\"k\": [true, null, \"\\u00e9\"]}"),
                                {.form = YC_VALUE_BYTES, .bytes = yc_str("\x01\xff")},
                                type(YC_MAP, ""),
                                json("-1.5e300")};
    struct yc_value element = type(YC_XML_ELEMENT, "P");
    struct yc_value value;
    switch (number) {
    case 0:
        return yc_text_insert(s->txn, s->t, 0, yc_str("hello w\xf0\x9f\x98\x80rld"), none);
    case 1:
        return yc_text_format(s->txn, s->t, 2, 7, yc_str("{ \"bold\" : true, \"size\": 2 }"));
    case 2:
        return yc_text_insert(s->txn, s->t, 4, yc_str("XY"), yc_str("{\"bold\":false}"));
    case 3:
        value = json("{ \"image\" : \"a b\" }");
        return yc_text_embed(s->txn, s->t, 1, &value, yc_str("{\"alt\":\"z\"}"));
    case 4:
        return yc_delete(s->txn, s->t, 3, 4);
    case 5:
        return yc_insert(s->txn, s->a, 0, values, 5);
    case 6:
        return yc_delete(s->txn, s->a, 1, 2);
    case 7:
        return yc_map_set(s->txn, s->m, yc_str("k"), &values[1]);
    case 8:
        value = type(YC_TEXT, "");
        return yc_map_set(s->txn, s->m, yc_str("text"), &value);
    case 9:
        return step_nested(s);
    case 10:
        return yc_map_set(s->txn, s->m, yc_str("k"), &values[3]);
    case 11:
        return yc_insert(s->txn, s->x, 0, &element, 1);
    case 12:
        return yc_map_delete(s->txn, s->m, yc_str("k"));
    case 13:
        return yc_map_delete(s->txn, s->m, yc_str("text"));
    default:
        return YC_RANGE;
    }
}

static struct yc_doc *script_begin(struct script *s, const struct yc_options *options)
{
    s->doc = yc_doc_create(options);
    assert_non_null(s->doc);
    s->t = root(s->doc, "t", YC_TEXT);
    s->a = root(s->doc, "a", YC_ARRAY);
    s->m = root(s->doc, "m", YC_MAP);
    s->x = root(s->doc, "x", YC_XML_FRAGMENT);
    assert_int_equal(yc_begin(s->doc, 7, &s->txn), YC_OK);
    return s->doc;
}

/* --- memory that is refused ---------------------------------------------------------------------- */

struct miser {
    size_t calls;
    size_t fails_at; /* the number of the call, from 1; 0: never */
};

static void *miserly(void *ctx, void *ptr, size_t old_size, size_t size)
{
    struct miser *miser = ctx;
    (void)old_size;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    miser->calls++;
    return miser->calls == miser->fails_at ? NULL : realloc(ptr, size);
}

static void state_of(const struct yc_doc *doc, struct yc_buf *state)
{
    assert_int_equal(yc_encode_state(doc, none, state), YC_OK);
}

static void check_same(const struct yc_buf *a, const struct yc_buf *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->data, b->data, a->len);
}

/* Runs the step again and again, refusing its n-th allocation, until it needs none that is refused;
 * each time it fails nothing may have changed. */
static enum yc_status step_with_refusals(struct script *s, struct miser *miser, int number)
{
    struct yc_buf before = {0};
    struct yc_buf after = {0};
    enum yc_status status = YC_MEMORY;
    state_of(s->doc, &before);
    for (size_t n = 1; status == YC_MEMORY; n++) {
        *miser = (struct miser){.fails_at = n};
        status = step(s, number);
        if (status == YC_MEMORY) {
            state_of(s->doc, &after);
            check_same(&before, &after);
        }
    }
    *miser = (struct miser){0};
    yc_buf_free(&before);
    yc_buf_free(&after);
    return status;
}

static void test_refused_memory_changes_nothing(void **state)
{
    (void)state;
    struct miser miser = {0};
    struct yc_allocator allocator = {miserly, &miser};
    struct yc_options options = {.allocator = &allocator};
    struct script plain;
    struct script poor;
    struct yc_buf a = {0};
    struct yc_buf b = {0};
    script_begin(&plain, NULL);
    script_begin(&poor, &options);
    for (int i = 0;; i++) {
        enum yc_status status = step(&plain, i);
        assert_int_equal(step_with_refusals(&poor, &miser, i), status);
        state_of(plain.doc, &a);
        state_of(poor.doc, &b);
        check_same(&a, &b);
        if (status == YC_RANGE) {
            break;
        }
        assert_int_equal(status, YC_OK);
    }
    struct yc_slice update = yc_commit(poor.txn);
    struct yc_slice expected = yc_commit(plain.txn);
    assert_int_equal(update.len, expected.len);
    assert_memory_equal(update.data, expected.data, update.len);
    yc_buf_free(&a);
    yc_buf_free(&b);
    yc_doc_destroy(plain.doc);
    yc_doc_destroy(poor.doc);
}

/* --- reading back -------------------------------------------------------------------------------- */

static void test_reads_what_was_written(void **state)
{
    (void)state;
    struct script s;
    script_begin(&s, NULL);
    for (int i = 0; i <= 11; i++) {
        assert_int_equal(step(&s, i), YC_OK);
    }
    assert_true(yc_commit(s.txn).len > 0);
    check_json(s.a, "[1,{},-1.5e+300]");
    check_json(s.m, "{\"k\":{},\"text\":\"inner\"}");
    check_json(s.x, "\"<p></p>\"");
    check_json(s.t, "\"heo w\xf0\x9f\x98\x80rld\"");
    struct yc_buf out = {0};
    struct yc_value value;
    assert_int_equal(yc_delta(s.t, &out), YC_OK);
    check_text(&out, "[{\"insert\":\"h\"},"
                     "{\"insert\":{\"image\":\"a b\"},\"attributes\":{\"alt\":\"z\"}},"
                     "{\"insert\":\"e\"},"
                     "{\"insert\":\"o w\xf0\x9f\x98\x80\","
                     "\"attributes\":{\"bold\":true,\"size\":2}},"
                     "{\"insert\":\"rld\"}]");
    assert_int_equal(yc_get(s.x, 0, &value, &out), YC_OK);
    struct yc_type *nested = value.type;
    assert_int_equal(yc_type_kind(nested), YC_XML_ELEMENT);
    struct yc_slice name = yc_type_name(nested);
    assert_int_equal(name.len, 1);
    assert_memory_equal(name.data, "P", 1);
    struct yc_id id;
    assert_true(yc_type_id(nested, &id));
    assert_ptr_equal(yc_find_type(s.doc, id), nested);
    assert_false(yc_type_id(s.x, &id));
    id = (struct yc_id){7, 1u << 20};
    assert_null(yc_find_type(s.doc, id));
    yc_buf_free(&out);
    yc_doc_destroy(s.doc);
}

/* --- refusals ------------------------------------------------------------------------------------ */

static void test_kinds(void **state)
{
    (void)state;
    struct script s;
    struct yc_buf out = {0};
    struct yc_type *again;
    struct yc_value one = json("1");
    struct yc_value value;
    script_begin(&s, NULL);
    assert_int_equal(yc_root(s.doc, yc_str("t"), YC_ARRAY, &again), YC_KIND);
    assert_int_equal(yc_root(s.doc, yc_str("t"), YC_ANY_KIND, &again), YC_OK);
    assert_int_equal(yc_type_kind(again), YC_TEXT);
    assert_int_equal(yc_text_insert(s.txn, s.a, 0, yc_str("x"), none), YC_KIND);
    assert_int_equal(yc_text_format(s.txn, s.m, 0, 0, none), YC_KIND);
    assert_int_equal(yc_text_embed(s.txn, s.a, 0, &one, none), YC_KIND);
    assert_int_equal(yc_insert(s.txn, s.t, 0, &one, 1), YC_KIND);
    assert_int_equal(yc_insert(s.txn, s.x, 0, &one, 1), YC_KIND);
    assert_int_equal(yc_delete(s.txn, s.m, 0, 0), YC_KIND);
    assert_int_equal(yc_map_set(s.txn, s.a, yc_str("k"), &one), YC_KIND);
    assert_int_equal(yc_map_delete(s.txn, s.a, yc_str("k")), YC_KIND);
    one = type(YC_ANY_KIND, "");
    assert_int_equal(yc_insert(s.txn, s.a, 0, &one, 1), YC_KIND);
    assert_int_equal(yc_delta(s.a, &out), YC_KIND);
    assert_int_equal(yc_text(s.a, &out), YC_KIND);
    assert_int_equal(yc_get(s.m, 0, &value, &out), YC_KIND);
    assert_int_equal(yc_json(root(s.doc, "untold", YC_ANY_KIND), &out), YC_KIND);
    assert_int_equal(yc_commit(s.txn).len, 0);
    yc_buf_free(&out);
    yc_doc_destroy(s.doc);
}

static void test_ranges_and_values(void **state)
{
    (void)state;
    struct script s;
    struct yc_buf out = {0};
    struct yc_value bad = json("{\"a\":}");
    struct yc_value good = json("1");
    struct yc_value value;
    script_begin(&s, NULL);
    assert_int_equal(yc_text_insert(s.txn, s.t, 1, yc_str("x"), none), YC_RANGE);
    assert_int_equal(yc_text_insert(s.txn, s.t, 0, yc_str("\xff"), none), YC_UTF8);
    assert_int_equal(yc_text_insert(s.txn, s.t, 0, yc_str("x"), yc_str("[1]")), YC_JSON);
    assert_int_equal(yc_text_insert(s.txn, s.t, 0, yc_str("x"), yc_str("{\"a\"}")), YC_JSON);
    assert_int_equal(yc_text_insert(s.txn, s.t, 0, yc_str(""), none), YC_OK);
    assert_int_equal(yc_text_embed(s.txn, s.t, 1, &good, none), YC_RANGE);
    assert_int_equal(yc_text_embed(s.txn, s.t, 0, &bad, none), YC_JSON);
    assert_int_equal(yc_text_format(s.txn, s.t, 0, 1, yc_str("{}")), YC_RANGE);
    assert_int_equal(yc_insert(s.txn, s.a, 1, &good, 1), YC_RANGE);
    assert_int_equal(yc_insert(s.txn, s.a, 0, &bad, 1), YC_JSON);
    assert_int_equal(yc_insert(s.txn, s.a, 0, &bad, 0), YC_OK);
    assert_int_equal(yc_delete(s.txn, s.a, 0, 1), YC_RANGE);
    assert_int_equal(yc_delete(s.txn, s.a, UINT64_MAX, UINT64_MAX), YC_RANGE);
    assert_int_equal(yc_map_set(s.txn, s.m, yc_str("\xc0"), &good), YC_UTF8);
    assert_int_equal(yc_map_set(s.txn, s.m, yc_str("k"), &bad), YC_JSON);
    assert_int_equal(yc_map_delete(s.txn, s.m, yc_str("k")), YC_OK);
    assert_int_equal(yc_get(s.a, 0, &value, &out), YC_RANGE);
    assert_int_equal(yc_map_get(s.m, yc_str("k"), &value, &out), YC_OK);
    assert_int_equal(value.form, YC_VALUE_NONE);
    assert_int_equal(yc_commit(s.txn).len, 0);
    struct yc_stats stats;
    yc_doc_stats(s.doc, &stats);
    assert_int_equal(stats.clients, 0);
    yc_buf_free(&out);
    yc_doc_destroy(s.doc);
}

static void test_one_transaction_at_a_time(void **state)
{
    (void)state;
    struct script s;
    struct yc_txn *second;
    struct yc_slice news = yc_str("old");
    static const uint8_t nothing[] = {0, 0};
    script_begin(&s, NULL);
    assert_int_equal(yc_begin(s.doc, 8, &second), YC_BUSY);
    assert_int_equal(yc_apply(s.doc, (struct yc_slice){nothing, 2}, &news), YC_BUSY);
    assert_int_equal(news.len, 0);
    assert_int_equal(yc_commit(s.txn).len, 0);
    assert_int_equal(yc_begin(s.doc, (uint64_t)1 << 53, &second), YC_LIMIT);
    assert_int_equal(yc_begin(s.doc, 8, &second), YC_OK);
    assert_int_equal(yc_commit(second).len, 0);
    yc_doc_destroy(s.doc);
}

static void test_limits(void **state)
{
    (void)state;
    struct yc_options options = {
        .limits = {.clock = 8, .depth = 2, .name_bytes = 4, .clients = 1, .roots = 4}};
    struct script s;
    struct yc_value value = json("[[[1]]]");
    struct yc_type *nested = NULL;
    script_begin(&s, &options);
    assert_int_equal(yc_root(s.doc, yc_str("five"), YC_MAP, &nested), YC_LIMIT);
    assert_int_equal(yc_map_set(s.txn, s.m, yc_str("k"), &value), YC_JSON);
    assert_int_equal(yc_text_insert(s.txn, s.t, 0, yc_str("123456789"), none), YC_LIMIT);
    value = json("1");
    assert_int_equal(yc_map_set(s.txn, s.m, yc_str("abcde"), &value), YC_LIMIT);
    value = type(YC_XML_ELEMENT, "abcde");
    assert_int_equal(yc_map_set(s.txn, s.m, yc_str("k"), &value), YC_LIMIT);
    value = type(YC_MAP, "");
    assert_int_equal(yc_map_set(s.txn, s.m, yc_str("k"), &value), YC_OK);
    assert_int_equal(yc_map_set(s.txn, value.type, yc_str("k"), &value), YC_OK);
    assert_int_equal(yc_map_set(s.txn, value.type, yc_str("k"), &value), YC_LIMIT);
    assert_true(yc_commit(s.txn).len > 0);
    assert_int_equal(yc_begin(s.doc, 8, &s.txn), YC_OK);
    assert_int_equal(yc_text_insert(s.txn, s.t, 0, yc_str("1"), none),
                     YC_LIMIT); /* a client more */
    assert_int_equal(yc_commit(s.txn).len, 0);
    yc_doc_destroy(s.doc);
}

/* A change of what is encoded, and nothing else, makes another version. */
static void test_versions(void **state)
{
    (void)state;
    static const uint8_t later[] = {1, 1, 5, 1, 0x84, 5, 0, 1, 'b', 0};
    static const uint8_t nothing[] = {0, 0};
    struct script s;
    struct yc_stats stats[4];
    script_begin(&s, NULL);
    assert_int_equal(yc_commit(s.txn).len, 0);
    yc_doc_stats(s.doc, &stats[0]);
    assert_int_equal(yc_apply(s.doc, (struct yc_slice){nothing, sizeof nothing}, NULL), YC_OK);
    yc_doc_stats(s.doc, &stats[1]);
    assert_true(stats[1].version == stats[0].version);
    assert_int_equal(yc_apply(s.doc, (struct yc_slice){later, sizeof later}, NULL), YC_OK);
    yc_doc_stats(s.doc, &stats[2]);
    assert_true(stats[2].pending && stats[2].version > stats[1].version);
    assert_int_equal(yc_begin(s.doc, 7, &s.txn), YC_OK);
    assert_int_equal(yc_text_insert(s.txn, s.t, 0, yc_str("a"), none), YC_OK);
    assert_true(yc_commit(s.txn).len > 0);
    yc_doc_stats(s.doc, &stats[3]);
    assert_true(stats[3].version > stats[2].version);
    assert_string_equal(yc_version(), YC_VERSION);
    yc_doc_destroy(s.doc);
}

/* So does a surrogate pair that was cut in vain, which is not told to others. */
static void test_version_after_a_vain_cut(void **state)
{
    (void)state;
    struct script s;
    struct yc_stats before, after;
    struct yc_buf out = {0};
    script_begin(&s, NULL);
    struct yc_type *text = root(s.doc, "pairs", YC_TEXT);
    assert_int_equal(yc_text_insert(s.txn, text, 0, yc_str("a\U0001f600z"), none), YC_OK);
    assert_true(yc_commit(s.txn).len > 0);
    yc_doc_stats(s.doc, &before);
    assert_int_equal(yc_begin(s.doc, 7, &s.txn), YC_OK);
    struct yc_slice plain = yc_str("{\"bold\":null}");
    assert_int_equal(yc_text_format(s.txn, text, 2, 1, plain), YC_OK);
    assert_int_equal(yc_commit(s.txn).len, 0);
    yc_doc_stats(s.doc, &after);
    assert_true(after.version > before.version);
    assert_int_equal(yc_text(text, &out), YC_OK);
    check_text(&out, "a\uFFFD\uFFFDz");
    yc_buf_free(&out);
    yc_doc_destroy(s.doc);
}

/* One transaction may be long: what it sets aside does not grow with what was not deleted. */
static void test_long_transaction(void **state)
{
    (void)state;
    struct yc_options options = {.limits = {.bytes = (size_t)8 << 20}};
    struct script s;
    char key[16];
    script_begin(&s, &options);
    for (int i = 0; i < 5000; i++) {
        struct yc_value map = type(YC_MAP, "");
        struct yc_value one = json("1");
        (void)snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(yc_map_set(s.txn, s.m, yc_str(key), &map), YC_OK);
        assert_int_equal(yc_map_set(s.txn, map.type, yc_str("in"), &one), YC_OK);
        assert_int_equal(yc_text_insert(s.txn, s.t, yc_length(s.t) / 2, yc_str("ab"), none),
                         YC_OK);
        assert_int_equal(yc_delete(s.txn, s.t, yc_length(s.t) / 2, 1), YC_OK);
    }
    assert_true(yc_commit(s.txn).len > 0);
    yc_doc_destroy(s.doc);
}

static void test_roots(void **state)
{
    (void)state;
    struct script s;
    script_begin(&s, NULL);
    assert_ptr_equal(yc_find_root(s.doc, yc_str("m")), s.m);
    assert_null(yc_find_root(s.doc, yc_str("none")));
    const struct yc_type *in_order[] = {s.t, s.a, s.m, s.x};
    struct yc_type *at = NULL;
    for (size_t i = 0; i < 4; i++) {
        at = yc_next_root(s.doc, at);
        assert_ptr_equal(at, in_order[i]);
    }
    assert_null(yc_next_root(s.doc, at));
    assert_int_equal(yc_commit(s.txn).len, 0);
    yc_doc_destroy(s.doc);
}

/* One side asks, the other answers, and they are level. */
static void test_sync_of_two_documents(void **state)
{
    (void)state;
    struct script s;
    struct yc_doc *other = yc_doc_create(NULL);
    struct yc_buf asked = {0};
    struct yc_buf answered = {0};
    struct yc_sync message;
    script_begin(&s, NULL);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(step(&s, i), YC_OK);
    }
    assert_true(yc_commit(s.txn).len > 0);
    assert_int_equal(yc_sync_step1(other, &asked), YC_OK);
    assert_int_equal(yc_sync_read(yc_buf_slice(&asked), &message), YC_OK);
    assert_int_equal(message.kind, YC_SYNC_STEP1);
    assert_int_equal(yc_sync_step2(s.doc, message.body, &answered), YC_OK);
    assert_int_equal(yc_sync_read(yc_buf_slice(&answered), &message), YC_OK);
    assert_int_equal(message.kind, YC_SYNC_STEP2);
    assert_int_equal(yc_apply(other, message.body, NULL), YC_OK);
    assert_int_equal(yc_hash(other), yc_hash(s.doc));
    assert_int_equal(yc_sync_step2(s.doc, yc_str("\x05"), &answered), YC_MALFORMED);
    assert_int_equal(yc_sync_step2(s.doc, none, &answered), YC_MALFORMED);
    assert_int_equal(answered.len, 0);
    yc_buf_free(&asked);
    yc_buf_free(&answered);
    yc_doc_destroy(other);
    yc_doc_destroy(s.doc);
}

/* A chain of maps, each in the one before, from the other side of a wire. */
static void test_depth_of_types_in_updates(void **state)
{
    (void)state;
    struct yc_options deep = {.limits = {.depth = 40}};
    struct script s;
    script_begin(&s, &deep);
    struct yc_type *at = s.m;
    struct yc_value map = type(YC_MAP, "");
    for (int i = 0; i < 40; i++) {
        assert_int_equal(yc_map_set(s.txn, at, yc_str("k"), &map), YC_OK);
        at = map.type;
    }
    struct yc_slice update = yc_commit(s.txn);
    for (uint32_t depth = 39; depth <= 41; depth++) {
        struct yc_options options = {.limits = {.depth = depth}};
        struct yc_doc *doc = yc_doc_create(&options);
        assert_non_null(doc);
        assert_int_equal(yc_apply(doc, update, NULL), depth < 40 ? YC_LIMIT : YC_OK);
        assert_int_equal(yc_hash(doc) == yc_hash(s.doc), depth >= 40);
        yc_doc_destroy(doc);
    }
    yc_doc_destroy(s.doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_memory_changes_nothing),
        cmocka_unit_test(test_reads_what_was_written),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_ranges_and_values),
        cmocka_unit_test(test_one_transaction_at_a_time),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_version_after_a_vain_cut),
        cmocka_unit_test(test_long_transaction),
        cmocka_unit_test(test_roots),
        cmocka_unit_test(test_sync_of_two_documents),
        cmocka_unit_test(test_depth_of_types_in_updates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
