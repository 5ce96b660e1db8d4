/* Updates without a document: the first byte says how many there are (2 to 4), the next three how
 * long all but the last are. A merge must be refused when one of them is, be taken by every other
 * call, cover what each of them covers, and be the same when it is merged again. What holds only
 * of updates as clients make them is asked only of those: each client once, the highest first. */
#include "yc.h"

#include "yc/block.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_UPDATES 4
#define COPIES 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static const struct yc_slice nobody = {(const uint8_t *)"", 1};

static void must_be_same(const struct yc_buf *a, const struct yc_buf *b)
{
    must(a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0));
}

static size_t split(const uint8_t *data, size_t size, struct yc_slice *updates)
{
    size_t count = 2 + data[0] % (MAX_UPDATES - 1);
    const uint8_t *at = data + MAX_UPDATES;
    size_t left = size - MAX_UPDATES;
    for (size_t i = 0; i < count; i++) {
        size_t len = i + 1 < count && data[1 + i] < left ? data[1 + i] : left;
        updates[i] = (struct yc_slice){at, len};
        at += len;
        left -= len;
    }
    return count;
}

/* --- state vectors --------------------------------------------------------------------------- */

static uint64_t state_of(const struct yc_buf *vector, uint64_t client)
{
    struct reader reader = ycp_reader(yc_buf_slice(vector));
    uint64_t state = 0;
    for (uint64_t count = ycp_get_varuint(&reader); count > 0; count--) {
        bool is_it = ycp_get_varuint(&reader) == client;
        uint64_t clock = ycp_get_varuint(&reader);
        state = is_it ? clock : state;
    }
    must(!reader.bad && ycp_left(&reader) == 0);
    return state;
}

/* Whether one state vector is nowhere behind another. */
static bool covers(const struct yc_buf *vector, const struct yc_buf *other)
{
    struct reader reader = ycp_reader(yc_buf_slice(other));
    bool covered = true;
    for (uint64_t count = ycp_get_varuint(&reader); count > 0; count--) {
        uint64_t client = ycp_get_varuint(&reader);
        covered = ycp_get_varuint(&reader) <= state_of(vector, client) && covered;
    }
    return covered;
}

/* --- one update ------------------------------------------------------------------------------ */

/* Each client once, the highest first. */
static bool is_orderly(struct yc_slice update)
{
    struct block_reader reader = ycp_block_reader(update, 64);
    struct yc_id expected = {UINT64_MAX, 0};
    struct block block;
    bool orderly = true;
    while (ycp_block_next(&reader, &block)) {
        bool goes_on = block.id.client == expected.client && block.id.clock == expected.clock;
        orderly = orderly && (goes_on || block.id.client < expected.client);
        expected = (struct yc_id){block.id.client, block.id.clock + block.content.len};
    }
    return orderly;
}

static size_t count_blocks(struct yc_slice update)
{
    struct block_reader reader = ycp_block_reader(update, 64);
    struct block block;
    size_t count = 0;
    while (ycp_block_next(&reader, &block)) {
        count++;
    }
    return count;
}

/* What a holder of a state vector is said to lack lies beyond that state vector. */
static void lacks_nothing_held(const struct yc_buf *update, const struct yc_buf *vector)
{
    struct yc_buf rest = {0};
    struct block block;
    must(yc_diff_update(yc_buf_slice(update), yc_buf_slice(vector), &rest) == YC_OK);
    struct block_reader reader = ycp_block_reader(yc_buf_slice(&rest), 64);
    while (ycp_block_next(&reader, &block)) {
        must(block.id.clock >= state_of(vector, block.id.client));
    }
    must(!reader.reader.bad);
    yc_buf_free(&rest);
}

/* --- merges ---------------------------------------------------------------------------------- */

/* Merged with itself it is the same, however often; but the first time, as in Yjs, a cut item loses
 * the flag of a key that it does not name. An input that makes this slow ends in the fuzzer's time
 * limit. */
static void stays_the_same(const struct yc_buf *merged, const struct yc_buf *vector)
{
    struct yc_slice copies[COPIES] = {yc_buf_slice(merged), yc_buf_slice(merged)};
    struct yc_buf once = {0};
    struct yc_buf again = {0};
    must(yc_merge_updates(copies, 2, &once) == YC_OK && once.len == merged->len);
    for (size_t i = 0; i < COPIES; i++) {
        copies[i] = yc_buf_slice(&once);
    }
    must(yc_merge_updates(copies, COPIES, &again) == YC_OK);
    must_be_same(&once, &again);
    must(yc_diff_update(yc_buf_slice(merged), nobody, &again) == YC_OK);
    must_be_same(&once, &again);
    must(yc_state_vector_of_update(yc_buf_slice(&once), &again) == YC_OK);
    must_be_same(vector, &again);
    yc_buf_free(&once);
    yc_buf_free(&again);
}

/* Two by two they cover as much as all at once. */
static void one_by_one(const struct yc_slice *updates, size_t count,
                       const struct yc_buf *vector)
{
    struct yc_buf folded = {0};
    struct yc_buf next = {0};
    must(yc_merge_updates(updates, 2, &folded) == YC_OK);
    for (size_t i = 2; i < count; i++) {
        struct yc_slice pair[2] = {updates[i], yc_buf_slice(&folded)};
        must(yc_merge_updates(pair, 2, &next) == YC_OK);
        struct yc_buf kept = folded;
        folded = next;
        next = kept;
    }
    must(yc_state_vector_of_update(yc_buf_slice(&folded), &next) == YC_OK);
    must_be_same(vector, &next);
    yc_buf_free(&folded);
    yc_buf_free(&next);
}

/* The merge goes as far as each of them, and who holds one of them gets only what is beyond. */
static void cover_each(const struct yc_slice *updates, size_t count,
                       const struct yc_buf *merged, const struct yc_buf *vector)
{
    struct yc_buf own = {0};
    for (size_t i = 0; i < count; i++) {
        must(yc_state_vector_of_update(updates[i], &own) == YC_OK);
        must(covers(vector, &own));
        lacks_nothing_held(merged, &own);
    }
    yc_buf_free(&own);
}

/* --- documents ------------------------------------------------------------------------------- */

/* Whether a document took all of these updates and waits for nothing; then vector is its state. */
static bool load(const struct yc_slice *updates, size_t count, struct yc_buf *vector)
{
    struct yc_doc *doc = yc_doc_create(&(struct yc_options){.limits = {.bytes = 32 << 20}});
    struct yc_stats stats;
    bool whole = true;
    must(doc != NULL);
    for (size_t i = 0; i < count; i++) {
        enum yc_status status = yc_apply(doc, updates[i], NULL);
        must(status == YC_OK || status == YC_LIMIT);
        whole = whole && status == YC_OK;
    }
    yc_doc_stats(doc, &stats);
    must(yc_encode_state_vector(doc, vector) == YC_OK);
    yc_doc_destroy(doc);
    return whole && !stats.pending;
}

/* A document holds nothing that the merge does not say; and where nothing waits, all of it, as does
 * one that takes the updates one by one. */
static void apply_both_ways(const struct yc_slice *updates, size_t count,
                            const struct yc_buf *merged, const struct yc_buf *vector)
{
    struct yc_slice whole = yc_buf_slice(merged);
    struct yc_buf state = {0};
    bool settled = load(&whole, 1, &state);
    must(covers(vector, &state));
    must(!settled || covers(&state, vector));
    settled = load(updates, count, &state);
    must(covers(vector, &state));
    must(!settled || covers(&state, vector));
    yc_buf_free(&state);
}

static void check_merge(const struct yc_slice *updates, size_t count,
                        const struct yc_buf *merged)
{
    struct yc_buf vector = {0};
    bool orderly = true;
    size_t blocks = 0;
    for (size_t i = 0; i < count; i++) {
        orderly = orderly && is_orderly(updates[i]);
        blocks += count_blocks(updates[i]);
    }
    must(yc_state_vector_of_update(yc_buf_slice(merged), &vector) == YC_OK);
    must(count_blocks(yc_buf_slice(merged)) <= 2 * blocks); /* each with a hole before it */
    if (orderly) {
        must(is_orderly(yc_buf_slice(merged)));
        lacks_nothing_held(merged, &vector);
        stays_the_same(merged, &vector);
        one_by_one(updates, count, &vector);
        cover_each(updates, count, merged, &vector);
        apply_both_ways(updates, count, merged, &vector);
    } else {
        struct yc_buf out = {0};
        struct yc_slice whole = yc_buf_slice(merged);
        struct yc_slice twice[2] = {whole, whole};
        must(yc_merge_updates(twice, 2, &out) == YC_OK);
        must(yc_diff_update(whole, yc_buf_slice(&vector), &out) == YC_OK);
        load(&whole, 1, &out);
        yc_buf_free(&out);
    }
    yc_buf_free(&vector);
}

/* All three calls read the whole of an update, so they agree about it. */
static bool is_taken(struct yc_slice update)
{
    struct yc_buf out = {0};
    bool taken = yc_merge_updates(&update, 1, &out) == YC_OK;
    must(taken || out.len == 0);
    must((yc_diff_update(update, nobody, &out) == YC_OK) == taken);
    must((yc_state_vector_of_update(update, &out) == YC_OK) == taken);
    yc_buf_free(&out);
    return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < MAX_UPDATES) {
        return 0;
    }
    struct yc_slice updates[MAX_UPDATES];
    size_t count = split(data, size, updates);
    struct yc_buf merged = {0};
    bool all_taken = true;
    for (size_t i = 0; i < count; i++) {
        all_taken = is_taken(updates[i]) && all_taken;
    }
    must((yc_merge_updates(updates, count, &merged) == YC_OK) == all_taken);
    if (all_taken) {
        check_merge(updates, count, &merged);
    } else {
        must(merged.len == 0);
    }
    yc_buf_free(&merged);
    return 0;
}
