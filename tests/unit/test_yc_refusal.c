/* yc: updates that are refused. For want of memory, at each allocation in turn, with the updates of
 * the stored cases (tests/yc/cases); and for each limit of a document. A refusal leaves the document
 * as it was, and the same update is taken once there is room. */
#include "yc.h"

#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_UPDATES 16

static const struct yc_slice everything = {NULL, 0};

/* --- memory that runs out ---------------------------------------------------------------------- */

/* Gives memory a number of times; counts what is out. */
struct purse {
    size_t left;
    size_t held;
    bool refused;
};

static void *spend(void *ctx, void *ptr, size_t old_size, size_t size)
{
    struct purse *purse = ctx;
    if (size > 0 && purse->left == 0) {
        purse->refused = true;
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

/* --- what a document is -------------------------------------------------------------------------- */

struct picture {
    struct yc_buf state;
    struct yc_buf vector;
    struct yc_buf deletes;
    struct yc_stats stats;
    uint64_t hash;
};

static void take_picture(const struct yc_doc *doc, struct picture *picture)
{
    assert_int_equal(yc_encode_state(doc, everything, &picture->state), YC_OK);
    assert_int_equal(yc_encode_state_vector(doc, &picture->vector), YC_OK);
    assert_int_equal(yc_encode_delete_set(doc, &picture->deletes), YC_OK);
    yc_doc_stats(doc, &picture->stats);
    picture->hash = yc_hash(doc);
}

static void free_picture(struct picture *picture)
{
    yc_buf_free(&picture->state);
    yc_buf_free(&picture->vector);
    yc_buf_free(&picture->deletes);
}

static void assert_same_bytes(const struct yc_buf *a, const struct yc_buf *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->data, b->data, b->len);
}

static void assert_same_meaning(const struct picture *a, const struct picture *b)
{
    assert_same_bytes(&a->vector, &b->vector);
    assert_same_bytes(&a->deletes, &b->deletes);
    assert_true(a->hash == b->hash);
}

/* All but the bytes of memory: room that was made ahead may stay. */
static void assert_pictured(const struct yc_doc *doc, const struct picture *before)
{
    struct picture now = {0};
    take_picture(doc, &now);
    assert_same_bytes(&now.state, &before->state);
    assert_same_meaning(&now, before);
    assert_int_equal(now.stats.items, before->stats.items);
    assert_int_equal(now.stats.clients, before->stats.clients);
    assert_int_equal(now.stats.roots, before->stats.roots);
    assert_int_equal(now.stats.pending_bytes, before->stats.pending_bytes);
    assert_int_equal(now.stats.pending, before->stats.pending);
    free_picture(&now);
}

/* --- each allocation in turn --------------------------------------------------------------------- */

static struct yc_doc *rich_doc(const struct yc_allocator *allocator,
                               const struct yc_slice *updates, size_t count)
{
    struct yc_doc *doc = yc_doc_create(&(struct yc_options){.allocator = allocator});
    assert_non_null(doc);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(yc_apply(doc, updates[i], NULL), YC_OK);
    }
    return doc;
}

/* Structs that memory did not suffice to melt say the same, and melt wherever they are loaded. */
static void assert_melts(const struct yc_doc *doc, const struct picture *expected)
{
    struct picture now = {0};
    struct picture loaded = {0};
    take_picture(doc, &now);
    assert_same_meaning(&now, expected);
    struct yc_slice states[] = {yc_buf_slice(&now.state), yc_buf_slice(&expected->state)};
    struct yc_doc *copy = rich_doc(NULL, &states[1], 1);
    take_picture(copy, &loaded);
    yc_doc_destroy(copy);
    copy = rich_doc(NULL, &states[0], 1);
    assert_pictured(copy, &loaded);
    yc_doc_destroy(copy);
    free_picture(&loaded);
    free_picture(&now);
}

/* Whether the update needs no more than that many allocations. If it does, it is refused without a
 * trace, and taken when there is memory again; or it is taken and less is melted. */
static bool attempt(const struct yc_slice *updates, size_t count, struct yc_slice update,
                    size_t allocations, const struct picture *expected)
{
    struct purse purse = {.left = SIZE_MAX};
    const struct yc_allocator allocator = {spend, &purse};
    struct yc_doc *doc = rich_doc(&allocator, updates, count);
    struct picture before = {0};
    struct yc_slice news = {NULL, 0};
    take_picture(doc, &before);
    purse.left = allocations;
    enum yc_status status = yc_apply(doc, update, &news);
    purse.left = SIZE_MAX;
    if (status != YC_OK) {
        assert_int_equal(status, YC_MEMORY);
        assert_int_equal(news.len, 0);
        assert_pictured(doc, &before);
        assert_int_equal(yc_apply(doc, update, &news), YC_OK);
    }
    if (status == YC_OK && purse.refused) {
        assert_melts(doc, expected);
    } else {
        assert_pictured(doc, expected);
    }
    free_picture(&before);
    yc_doc_destroy(doc);
    assert_int_equal(purse.held, 0);
    return !purse.refused;
}

/* The number of allocations that were refused. */
static size_t refuse_each(const struct yc_slice *updates, size_t count, struct yc_slice update)
{
    struct yc_doc *doc = rich_doc(NULL, updates, count);
    struct picture expected = {0};
    assert_int_equal(yc_apply(doc, update, NULL), YC_OK);
    take_picture(doc, &expected);
    size_t refused = 0;
    while (!attempt(updates, count, update, refused, &expected)) {
        refused++;
    }
    free_picture(&expected);
    yc_doc_destroy(doc);
    return refused;
}

/* --- the stored cases ---------------------------------------------------------------------------- */

static void cases_path(char path[PATH_MAX])
{
    char here[] = __FILE__; /* absolute, as CMake names sources */
    *strrchr(here, '/') = '\0';
    snprintf(path, PATH_MAX, "%.2000s/../yc/cases", here);
}

/* A file in a heap block of exactly its size; {NULL, 0} when it is not there. */
static struct yc_slice read_update(const char *folder, size_t number)
{
    char path[PATH_MAX];
    static uint8_t room[1 << 16];
    snprintf(path, sizeof path, "%.3000s/%zu.bin", folder, number);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return (struct yc_slice){NULL, 0};
    }
    size_t len = fread(room, 1, sizeof room, file);
    fclose(file);
    uint8_t *exact = malloc(len);
    assert_true(len > 0 && len < sizeof room && exact != NULL);
    memcpy(exact, room, len);
    return (struct yc_slice){exact, len};
}

/* Each update of a case, over those before it; and all but the first as one, which is more at once
 * than any of them. */
static size_t refuse_case(const char *folder)
{
    struct yc_slice updates[MAX_UPDATES];
    struct yc_buf rest = {0};
    size_t count = 0;
    size_t refused = 0;
    for (;;) {
        assert_true(count < MAX_UPDATES);
        updates[count] = read_update(folder, count);
        if (updates[count].data == NULL) {
            break;
        }
        refused += refuse_each(updates, count, updates[count]);
        count++;
    }
    assert_true(count > 0);
    assert_int_equal(yc_merge_updates(updates + 1, count - 1, &rest), YC_OK);
    refused += refuse_each(updates, 1, yc_buf_slice(&rest));
    yc_buf_free(&rest);
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)updates[i].data);
    }
    return refused;
}

static void test_refused_memory(void **state)
{
    (void)state;
    char path[PATH_MAX];
    size_t cases = 0;
    size_t refusals = 0;
    cases_path(path);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] != '.') {
            char name[PATH_MAX];
            snprintf(name, sizeof name, "%.2500s/%.255s", path, entry->d_name);
            size_t refused = refuse_case(name);
            assert_true(refused > 0);
            refusals += refused;
            cases++;
        }
    }
    closedir(folder);
    print_message("%zu allocations refused in %zu cases\n", refusals, cases);
    assert_true(cases >= 25 && refusals > 1000);
}

/* --- limits -------------------------------------------------------------------------------------- */

static uint8_t nibble(char digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* The bytes that hexadecimal digits spell, in a heap block of exactly that size. */
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

static enum yc_status apply_hex(struct yc_doc *doc, const char *hex, struct yc_slice *news)
{
    struct yc_slice update = bytes_of(hex);
    enum yc_status status = yc_apply(doc, update, news);
    free((void *)(uintptr_t)update.data);
    return status;
}

/* Client 1 has written 'a' in the root t; a character of client 9 waits, and a delete of its. */
static const char held[] = "02 01 09 05 84 09 04 01 7a 01 01 00 04 01 01 74 01 61"
                           "01 09 01 03 01";

struct row {
    const char *what;
    struct yc_limits limits;
    const char *fits; /* goes up to the limit */
    const char *passes;
};

/* A row's second update is refused, after the first one and before it; without limits it is fine. */
static void check_limit(const struct row *row, enum yc_status also)
{
    for (int first = 0; first < 2; first++) {
        struct yc_doc *doc = yc_doc_create(&(struct yc_options){.limits = row->limits});
        struct picture before = {0};
        struct yc_slice news;
        assert_non_null(doc);
        assert_int_equal(apply_hex(doc, held, NULL), YC_OK);
        if (first == 0) {
            assert_int_equal(apply_hex(doc, row->fits, NULL), YC_OK);
        }
        take_picture(doc, &before);
        enum yc_status status = apply_hex(doc, row->passes, &news);
        if (status != YC_LIMIT && status != also) {
            fail_msg("%s: %s", row->what, yc_status_text(status));
        }
        assert_int_equal(news.len, 0);
        assert_pictured(doc, &before);
        assert_int_equal(apply_hex(doc, row->fits, NULL), YC_OK);
        free_picture(&before);
        yc_doc_destroy(doc);
    }
    struct yc_doc *doc = yc_doc_create(NULL);
    assert_int_equal(apply_hex(doc, held, NULL), YC_OK);
    assert_int_equal(apply_hex(doc, row->passes, NULL), YC_OK);
    yc_doc_destroy(doc);
}

static const struct row rows[] = {
    {"clients: structs of a third",
     {.clients = 3},
     "01 01 02 00 04 01 01 74 01 62 00",
     "02 01 03 00 04 01 01 74 01 63 01 02 00 04 01 01 74 01 62 00"},
    {"clients: structs of another that wait",
     {.clients = 2},
     "00 00",
     "01 01 03 05 84 03 04 01 63 00"},
    {"roots",
     {.roots = 2},
     "01 01 02 00 04 01 01 75 01 62 00",
     "01 02 02 00 04 01 01 75 01 62 04 01 01 76 01 63 00"},
    {"name_bytes: a root",
     {.name_bytes = 4},
     "01 01 02 00 04 01 04 75 75 75 75 01 62 00",
     "01 01 02 00 04 01 05 75 75 75 75 75 01 62 00"},
    {"name_bytes: a key",
     {.name_bytes = 4},
     "01 01 02 00 28 01 01 6d 04 6b 6b 6b 6b 01 78 00",
     "01 01 02 00 28 01 01 6d 05 6b 6b 6b 6b 6b 01 78 00"},
    {"clock: of a struct", {.clock = 10}, "01 01 02 00 00 0a 00", "01 01 02 00 00 0b 00"},
    {"clock: of one that waits",
     {.clock = 10},
     "01 01 02 09 84 02 08 01 62 00",
     "01 01 02 0a 84 02 09 01 62 00"},
    {"depth: types",
     {.depth = 2},
     "01 02 02 00 07 01 01 61 00 07 00 02 00 00 00",
     "01 03 02 00 07 01 01 61 00 07 00 02 00 00 07 00 02 01 00 00"},
    {"pending_bytes: structs",
     {.pending_bytes = 80},
     "01 01 02 05 84 02 04 01 62 00",
     "01 01 02 05 84 02 04 30"
     "62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62"
     "62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 00"},
    {"pending_bytes: deletes",
     {.pending_bytes = 80},
     "00 01 09 01 20 01",
     "00 01 09 05 20 01 30 01 40 01 50 01 60 01"},
};

/* Met while a value is read, where it may be called malformed. */
static const struct row rows_of_values[] = {
    {"depth: any",
     {.depth = 2},
     "01 01 02 00 08 01 01 61 01 75 01 75 01 7e 00",
     "01 01 02 00 08 01 01 61 01 75 01 75 01 75 01 7e 00"},
    {"depth: JSON",
     {.depth = 2},
     "01 01 02 00 05 01 01 74 04 5b 5b 5d 5d 00",
     "01 01 02 00 05 01 01 74 06 5b 5b 5b 5d 5d 5d 00"},
};

static void test_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_limit(&rows[i], YC_LIMIT);
    }
    for (size_t i = 0; i < sizeof rows_of_values / sizeof *rows_of_values; i++) {
        check_limit(&rows_of_values[i], YC_MALFORMED);
    }
}

/* What waits is kept in parts; one more of them that is refused takes nothing from the others. */
static void test_refused_memory_while_others_wait(void **state)
{
    (void)state;
    struct yc_slice updates[4];
    for (int i = 0; i < 4; i++) {
        char hex[2 * 26 + 1 + 2 * 600];
        int text = i == 3 ? 300 : 5; /* the last one does not fit into the room that is there */
        int len = snprintf(hex, sizeof hex, "0101%02x0084%02x00", 10 + i, 1 + i);
        len += i == 3 ? snprintf(hex + len, sizeof hex - (size_t)len, "ac02")
                      : snprintf(hex + len, sizeof hex - (size_t)len, "05");
        for (int k = 0; k < text; k++) {
            len += snprintf(hex + len, sizeof hex - (size_t)len, "7a");
        }
        snprintf(hex + len, sizeof hex - (size_t)len, "00");
        updates[i] = bytes_of(hex);
    }
    assert_true(refuse_each(updates, 3, updates[3]) > 5);
    for (int i = 0; i < 4; i++) {
        free((void *)(uintptr_t)updates[i].data);
    }
}

/* However much of the memory for a long text there is, less than all of it is refused. */
static void test_limit_of_bytes(void **state)
{
    (void)state;
    enum { TEXT = 20000 };
    static uint8_t update[TEXT + 12] = {1, 1, 2, 0, 4, 1, 1, 't', 0xa0, 0x9c, 0x01};
    memset(update + 11, 'x', TEXT);
    const struct yc_slice large = {update, sizeof update};
    struct picture before = {0};
    struct yc_slice news;
    size_t refused = 0;
    enum yc_status status = YC_LIMIT;
    for (size_t bytes = 8192; status == YC_LIMIT; bytes += 512) {
        struct yc_doc *doc = yc_doc_create(&(struct yc_options){.limits = {.bytes = bytes}});
        assert_non_null(doc);
        assert_int_equal(apply_hex(doc, held, NULL), YC_OK);
        take_picture(doc, &before);
        status = yc_apply(doc, large, &news);
        if (status != YC_OK) {
            assert_int_equal(status, YC_LIMIT);
            assert_int_equal(news.len, 0);
            assert_pictured(doc, &before);
            assert_int_equal(apply_hex(doc, "01 01 01 01 84 01 00 01 62 00", NULL), YC_OK);
            refused++;
        }
        yc_doc_stats(doc, &before.stats);
        /* The news stay until the next change. */
        assert_true(before.stats.bytes <= bytes + 4096 + 2 * news.len);
        yc_doc_destroy(doc);
    }
    assert_true(refused > 10);
    free_picture(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_memory),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_limit_of_bytes),
        cmocka_unit_test(test_refused_memory_while_others_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
