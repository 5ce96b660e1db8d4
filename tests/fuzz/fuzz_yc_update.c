/* Updates from a peer: the first byte says where the input is cut in two; from 128 on the input is
 * many short updates, each with its length in a byte, and when it is odd little may wait. All of them
 * are applied to one document. Whatever they are, a refused one must have changed nothing, what is
 * passed on must be accepted by others, and what the document says of itself must load again, up to the
 * same clocks when nothing waits. (Deletes may differ after updates that no client makes, as they do
 * between Yjs clients: a cut in a map's value of many clocks, say, makes another value.) */
#include "yc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool same(const struct yc_buf *a, const struct yc_buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

#define MANY 128

static const struct yc_slice everything = {NULL, 0};

static void apply(struct yc_doc *doc, struct yc_doc *follower, struct yc_slice update)
{
    struct yc_buf before = {0};
    struct yc_buf after = {0};
    struct yc_slice news;
    must(yc_encode_state(doc, everything, &before) == YC_OK);
    enum yc_status status = yc_apply(doc, update, &news);
    must(yc_encode_state(doc, everything, &after) == YC_OK);
    if (status != YC_OK) {
        must(same(&before, &after) && news.len == 0);
    } else if (news.len > 0) {
        must(yc_apply(follower, news, NULL) == YC_OK);
    }
    yc_buf_free(&before);
    yc_buf_free(&after);
}

static void apply_many(struct yc_doc *doc, struct yc_doc *follower, struct yc_slice input)
{
    for (size_t at = 0; at < input.len;) {
        size_t len = input.data[at];
        len = len < input.len - at - 1 ? len : input.len - at - 1;
        apply(doc, follower, (struct yc_slice){input.data + at + 1, len});
        at += 1 + len;
    }
}

/* Whatever a root is taken for, it can be read. */
static void read_all(struct yc_doc *doc)
{
    struct yc_buf out = {0};
    for (struct yc_type *root = yc_next_root(doc, NULL); root != NULL;
         root = yc_next_root(doc, root)) {
        struct yc_slice name = yc_type_name(root);
        enum yc_kind kind = (enum yc_kind)((name.len > 0 ? name.data[0] : 0) % 7);
        must(yc_root(doc, name, kind, &root) == YC_OK);
        must(yc_json(root, &out) == YC_OK);
        enum yc_status status = yc_delta(root, &out);
        must(status == YC_OK || status == YC_KIND);
        struct yc_walk walk = {0};
        struct yc_value value = {.form = YC_VALUE_JSON};
        while (status == YC_OK && value.form != YC_VALUE_NONE) {
            status = yc_next(root, &walk, &value, &out);
        }
        must(status == YC_OK || status == YC_KIND);
    }
    yc_buf_free(&out);
}

static void reload(struct yc_doc *doc, const struct yc_options *options)
{
    struct yc_doc *copy = yc_doc_create(options);
    struct yc_buf state = {0};
    struct yc_buf vector = {0};
    struct yc_buf other = {0};
    must(copy != NULL && yc_encode_state(doc, everything, &state) == YC_OK);
    must(yc_apply(copy, yc_buf_slice(&state), NULL) == YC_OK);
    must(yc_encode_state_vector(doc, &vector) == YC_OK);
    must(yc_encode_state_vector(copy, &other) == YC_OK);
    struct yc_stats stats;
    yc_doc_stats(doc, &stats);
    must(stats.pending || same(&vector, &other));
    must(yc_encode_delete_set(copy, &other) == YC_OK);
    yc_buf_free(&state);
    yc_buf_free(&vector);
    yc_buf_free(&other);
    yc_doc_destroy(copy);
}

static void without_document(const struct yc_slice *parts)
{
    struct yc_buf out = {0};
    struct yc_buf vector = {0};
    if (yc_merge_updates(parts, 2, &out) == YC_OK &&
        yc_state_vector_of_update(yc_buf_slice(&out), &vector) == YC_OK) {
        struct yc_buf rest = {0};
        must(yc_diff_update(yc_buf_slice(&out), yc_buf_slice(&vector), &rest) == YC_OK);
        yc_buf_free(&rest);
    }
    yc_buf_free(&out);
    yc_buf_free(&vector);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    size_t first = data[0] < size ? data[0] : size - 1;
    const struct yc_slice parts[2] = {{data + 1, first}, {data + 1 + first, size - 1 - first}};
    struct yc_options options = {.limits = {.bytes = 32 << 20}};
    if (data[0] >= MANY && data[0] % 2 == 1) {
        options.limits.pending_bytes = 64;
    }
    struct yc_doc *doc = yc_doc_create(&options);
    struct yc_doc *follower = yc_doc_create(NULL);
    must(doc != NULL && follower != NULL);
    if (data[0] >= MANY) {
        apply_many(doc, follower, (struct yc_slice){data + 1, size - 1});
    } else {
        apply(doc, follower, parts[0]);
        apply(doc, follower, parts[1]);
        without_document(parts);
    }
    reload(doc, &options);
    read_all(doc);
    yc_doc_destroy(doc);
    yc_doc_destroy(follower);
    return 0;
}
