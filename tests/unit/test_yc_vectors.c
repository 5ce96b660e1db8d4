/* Bytes that Yjs and its protocols have printed (tests/yc/vectors.json): integers, strings and
 * values, both ways, and frames. Each vector is found by its name in a table below, or its name says
 * the value; what is in no table fails. Those about updates are for tests/yc/vectors.test.js. */
#include "yc.h"

#include "yc/bytes.h"
#include "yc/json.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_VECTORS 256

/* --- the file -------------------------------------------------------------------------------- */

struct vector {
    struct yc_buf name;
    struct yc_buf bytes;
};

static struct vector vectors[MAX_VECTORS];
static size_t vector_count;

static struct yc_slice read_file(uint8_t *room, size_t cap)
{
    char path[PATH_MAX];
    char here[] = __FILE__; /* absolute, as CMake names sources */
    *strrchr(here, '/') = '\0';
    snprintf(path, sizeof path, "%.4000s/../yc/vectors.json", here);
    FILE *file = fopen(path, "rb");
    size_t len = file == NULL ? 0 : fread(room, 1, cap, file);
    if (file != NULL) {
        fclose(file);
    }
    return (struct yc_slice){room, len};
}

static uint8_t nibble(uint8_t digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* Takes the members of an opened object; those not wanted are passed over. */
static void take_vector(struct json *json, struct vector *vector)
{
    struct yc_slice key;
    while (ycp_json_next(json, &key) != JSON_CLOSE) {
        struct yc_slice value = ycp_json_value(json);
        if (key.len == 6 && memcmp(key.data, "\"name\"", 6) == 0) {
            ycp_json_unescape(&vector->name, value);
            ycp_put_u8(&vector->name, '\0');
        } else if (key.len == 5 && memcmp(key.data, "\"hex\"", 5) == 0) {
            for (size_t i = 1; i + 2 < value.len; i += 2) {
                const uint8_t *digits = value.data + i;
                ycp_put_u8(&vector->bytes,
                           (uint8_t)(nibble(digits[0]) << 4 | nibble(digits[1])));
            }
        }
    }
}

static int load(void **state)
{
    (void)state;
    static uint8_t room[1 << 16];
    struct yc_slice text = read_file(room, sizeof room);
    if (text.len == sizeof room || !ycp_json_valid(text, 4)) {
        return -1;
    }
    struct json json = ycp_json(text);
    bool listed = ycp_json_next(&json, NULL) == JSON_OPEN_ARRAY;
    while (listed && vector_count < MAX_VECTORS &&
           ycp_json_next(&json, NULL) == JSON_OPEN_OBJECT) {
        take_vector(&json, &vectors[vector_count++]);
    }
    return vector_count > 0 && vector_count < MAX_VECTORS ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        yc_buf_free(&vectors[i].name);
        yc_buf_free(&vectors[i].bytes);
    }
    return 0;
}

/* Calls check with each vector whose name begins so, and with the rest of the name. */
static void each(const char *prefix, void (*check)(const char *rest, struct yc_slice bytes))
{
    size_t found = 0;
    for (size_t i = 0; i < vector_count; i++) {
        const char *name = (const char *)vectors[i].name.data;
        if (strncmp(name, prefix, strlen(prefix)) == 0) {
            check(name + strlen(prefix), yc_buf_slice(&vectors[i].bytes));
            found++;
        }
    }
    assert_true(found > 0);
}

static struct yc_slice slice(const char *text)
{
    return (struct yc_slice){(const uint8_t *)text, strlen(text)};
}

static void assert_same(struct yc_slice actual, struct yc_slice expected)
{
    assert_int_equal(actual.len, expected.len);
    assert_memory_equal(actual.data, expected.data, expected.len);
}

static void assert_written(struct yc_buf *buf, struct yc_slice expected)
{
    assert_int_equal(ycp_buf_end(buf), YC_OK);
    assert_same(yc_buf_slice(buf), expected);
    yc_buf_free(buf);
}

static void assert_read_whole(const struct reader *reader)
{
    assert_false(reader->bad);
    assert_int_equal(ycp_left(reader), 0);
}

/* --- integers and strings: the name says the value --------------------------------------------- */

static void check_varuint(const char *rest, struct yc_slice bytes)
{
    char *end;
    uint64_t value = strtoull(rest, &end, 10);
    struct reader reader = ycp_reader(bytes);
    struct yc_buf buf = {0};
    assert_int_equal(*end, '\0');
    assert_true(ycp_get_varuint(&reader) == value);
    assert_read_whole(&reader);
    ycp_put_varuint(&buf, value);
    assert_written(&buf, bytes);
}

static void check_varint(const char *rest, struct yc_slice bytes)
{
    char *end;
    bool negative = *rest == '-';
    uint64_t magnitude = strtoull(rest + negative, &end, 10);
    struct reader reader = ycp_reader(bytes);
    struct yc_buf buf = {0};
    bool sign;
    assert_int_equal(*end, '\0');
    assert_true(ycp_get_varint(&reader, &sign) == magnitude);
    assert_int_equal(sign, negative);
    assert_read_whole(&reader);
    ycp_put_varint(&buf, magnitude, negative);
    assert_written(&buf, bytes);
}

/* The rest is a JSON string. */
static void check_varstring(const char *rest, struct yc_slice bytes)
{
    struct reader reader = ycp_reader(bytes);
    struct yc_buf text = {0};
    struct yc_buf buf = {0};
    assert_true(ycp_json_valid(slice(rest), 1));
    ycp_json_unescape(&text, slice(rest));
    assert_int_equal(ycp_buf_end(&text), YC_OK);
    assert_same(ycp_get_string(&reader), yc_buf_slice(&text));
    assert_read_whole(&reader);
    ycp_put_bytes(&buf, yc_buf_slice(&text));
    assert_written(&buf, bytes);
    yc_buf_free(&text);
}

static void test_varuints(void **state)
{
    (void)state;
    each("varUint ", check_varuint);
}

static void test_varints(void **state)
{
    (void)state;
    each("varInt ", check_varint);
}

static void test_varstrings(void **state)
{
    (void)state;
    each("varString ", check_varstring);
}

/* --- values ------------------------------------------------------------------------------------- */

/* What JSON.stringify makes of it, and what JSON.parse makes it of; NULL: no JSON does. */
static const struct {
    const char *name;
    const char *json;
    const char *from;
} values[] = {
    {"0", "0", "0"},
    {"64", "64", "64"},
    {"undefined", "null", NULL},
    {"null", "null", "null"},
    {"true", "true", "true"},
    {"false", "false", "false"},
    {"-1", "-1", "-1"},
    {"2^31-1", "2147483647", "2147483647"},
    {"2^31", "2147483648", "2147483648"},
    {"-0", "0", "-0"},
    {"1.5 (f32)", "1.5", "1.5"},
    {"0.1 (f64)", "0.1", "0.1"},
    {"2^53-1", "9007199254740991", "9007199254740991"},
    {"NaN", "null", NULL},
    {"bigint1", "1", NULL},
    {"bigint-1", "-1", NULL},
    {"str", "\"hi\"", "\"hi\""},
    {"obj", "{\"a\":1}", "{\"a\":1}"},
    {"arr", "[1,\"x\"]", "[1,\"x\"]"},
    {"bytes", "{\"0\":1,\"1\":2}", NULL},
    {"emptyObj", "{}", "{}"},
    {"emptyArr", "[]", "[]"},
};

static void check_any(const char *rest, struct yc_slice bytes)
{
    size_t row = 0;
    while (row < sizeof values / sizeof *values && strcmp(values[row].name, rest) != 0) {
        row++;
    }
    assert_true(row < sizeof values / sizeof *values);
    struct reader reader = ycp_reader(bytes);
    struct reader again = reader;
    struct yc_buf buf = {0};
    assert_int_equal(ycp_any_is_undefined(&reader), strcmp(rest, "undefined") == 0);
    ycp_any_skip(&reader, YCP_MAX_DEPTH);
    assert_read_whole(&reader);
    ycp_any_to_json(&buf, &again);
    assert_read_whole(&again);
    assert_written(&buf, slice(values[row].json));
    if (values[row].from != NULL) {
        ycp_any_from_json(&buf, slice(values[row].from));
        assert_written(&buf, bytes);
    }
}

static void test_any_values(void **state)
{
    (void)state;
    each("any ", check_any);
}

/* --- frames ------------------------------------------------------------------------------------- */

enum frame { FRAME_SYNC, FRAME_AWARENESS, FRAME_AUTH, FRAME_QUERY };

static const uint8_t insert_a[] = {1, 1, 1, 0, 4, 1, 1, 't', 1, 'a', 0};
static const struct yc_slice update_a = {insert_a, sizeof insert_a};

static struct yc_doc *doc_with(struct yc_slice update)
{
    struct yc_doc *doc = yc_doc_create(NULL);
    assert_non_null(doc);
    if (update.len > 0) {
        assert_int_equal(yc_apply(doc, update, NULL), YC_OK);
    }
    return doc;
}

/* The type is the transport's; what is behind it is the engine's. */
static struct yc_slice behind(struct yc_slice frame, enum frame type)
{
    struct reader reader = ycp_reader(frame);
    assert_int_equal(ycp_get_varuint(&reader), type);
    return ycp_get_raw(&reader, ycp_left(&reader));
}

static struct yc_slice body_of(struct yc_slice frame, enum yc_sync_kind kind)
{
    struct yc_sync sync;
    assert_int_equal(yc_sync_read(behind(frame, FRAME_SYNC), &sync), YC_OK);
    assert_int_equal(sync.kind, kind);
    return sync.body;
}

static void check_step1(struct yc_slice frame, struct yc_slice held)
{
    struct yc_doc *doc = doc_with(held);
    struct yc_buf out = {0};
    assert_int_equal(yc_encode_state_vector(doc, &out), YC_OK);
    assert_written(&out, body_of(frame, YC_SYNC_STEP1));
    assert_int_equal(yc_sync_step1(doc, &out), YC_OK);
    assert_written(&out, behind(frame, FRAME_SYNC));
    yc_doc_destroy(doc);
}

static void check_first_step(struct yc_slice frame)
{
    check_step1(frame, (struct yc_slice){NULL, 0});
}

static void check_step_with_text(struct yc_slice frame)
{
    check_step1(frame, update_a);
}

/* The answer to somebody who holds that much; it brings them up to the whole. */
static void check_step2(struct yc_slice frame, struct yc_slice held, struct yc_slice vector)
{
    struct yc_doc *doc = doc_with(update_a);
    struct yc_doc *peer = doc_with(held);
    struct yc_buf out = {0};
    assert_int_equal(yc_sync_step2(doc, vector, &out), YC_OK);
    assert_written(&out, behind(frame, FRAME_SYNC));
    assert_int_equal(yc_apply(peer, body_of(frame, YC_SYNC_STEP2), NULL), YC_OK);
    assert_true(yc_hash(peer) == yc_hash(doc));
    yc_doc_destroy(doc);
    yc_doc_destroy(peer);
}

static void check_answer(struct yc_slice frame)
{
    static const uint8_t nobody[] = {0};
    check_step2(frame, (struct yc_slice){NULL, 0}, (struct yc_slice){nobody, sizeof nobody});
}

static void check_empty_answer(struct yc_slice frame)
{
    static const uint8_t level[] = {1, 1, 1};
    check_step2(frame, update_a, (struct yc_slice){level, sizeof level});
}

static void check_update(struct yc_slice frame)
{
    struct yc_doc *doc = doc_with((struct yc_slice){NULL, 0});
    struct yc_buf out = {0};
    struct yc_slice news;
    assert_int_equal(yc_apply(doc, body_of(frame, YC_SYNC_UPDATE), &news), YC_OK);
    assert_same(news, update_a);
    assert_int_equal(yc_sync_write(YC_SYNC_UPDATE, news, &out), YC_OK);
    assert_written(&out, behind(frame, FRAME_SYNC));
    yc_doc_destroy(doc);
}

static const char present[] = "{\"user\":{\"name\":\"x\"}}";

static struct yc_slice entries_of(struct yc_slice frame)
{
    struct reader reader = ycp_reader(behind(frame, FRAME_AWARENESS));
    struct yc_slice entries = ycp_get_bytes(&reader);
    assert_read_whole(&reader);
    return entries;
}

/* Client 1 at clock 1, as its own client would tell it. */
static struct yc_awareness *one_present(struct yc_buf *told)
{
    struct yc_awareness *awareness = yc_awareness_create(NULL, NULL);
    assert_non_null(awareness);
    ycp_put_varuint(told, 1);
    ycp_put_varuint(told, 1);
    ycp_put_varuint(told, 1);
    ycp_put_bytes(told, slice(present));
    assert_int_equal(yc_awareness_apply(awareness, yc_buf_slice(told), 0, NULL), YC_OK);
    return awareness;
}

static void check_awareness(struct yc_slice frame)
{
    struct yc_buf out = {0};
    struct yc_awareness *awareness = one_present(&out);
    assert_written(&out, entries_of(frame));
    assert_int_equal(yc_awareness_encode(awareness, &out), YC_OK);
    assert_written(&out, entries_of(frame));
    assert_same(yc_awareness_state(awareness, 1), slice(present));
    yc_awareness_destroy(awareness);
}

static void check_removal(struct yc_slice frame)
{
    struct yc_buf out = {0};
    struct yc_awareness *here = one_present(&out);
    yc_buf_free(&out);
    struct yc_awareness *there = one_present(&out);
    yc_buf_free(&out);
    assert_int_equal(yc_awareness_remove(here, 1, 0, &out), YC_OK);
    assert_written(&out, entries_of(frame));
    assert_int_equal(yc_awareness_apply(there, entries_of(frame), 0, NULL), YC_OK);
    assert_int_equal(yc_awareness_count(there), 0);
    yc_awareness_destroy(here);
    yc_awareness_destroy(there);
}

static void check_query(struct yc_slice frame)
{
    assert_int_equal(behind(frame, FRAME_QUERY).len, 0);
}

static void check_denied(struct yc_slice frame)
{
    struct reader reader = ycp_reader(behind(frame, FRAME_AUTH));
    assert_int_equal(ycp_get_varuint(&reader), 0);
    assert_same(ycp_get_string(&reader), slice("no"));
    assert_read_whole(&reader);
}

static const struct {
    const char *name;
    void (*check)(struct yc_slice frame);
} frames[] = {
    {"SyncStep1 of empty doc", check_first_step},
    {"SyncStep1", check_step_with_text},
    {"SyncStep2 (answer to empty sv)", check_answer},
    {"SyncStep2 with nothing new", check_empty_answer},
    {"Update", check_update},
    {"Awareness (client 1, clock 1)", check_awareness},
    {"Awareness removal (state null)", check_removal},
    {"query awareness", check_query},
    {"auth permission denied 'no'", check_denied},
};

static void check_frame(const char *rest, struct yc_slice bytes)
{
    size_t row = 0;
    while (row < sizeof frames / sizeof *frames && strcmp(frames[row].name, rest) != 0) {
        row++;
    }
    assert_true(row < sizeof frames / sizeof *frames);
    frames[row].check(bytes);
}

static void test_frames(void **state)
{
    (void)state;
    each("frame ", check_frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_varuints),   cmocka_unit_test(test_varints),
        cmocka_unit_test(test_varstrings), cmocka_unit_test(test_any_values),
        cmocka_unit_test(test_frames),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
