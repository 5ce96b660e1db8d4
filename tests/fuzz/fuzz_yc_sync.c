/* Sync messages from a peer: the input is one message. What is none must be refused, also with a
 * byte missing or too many; what is one must come back from being written anew. Its body then goes
 * where a room would pass it: a state vector is answered, an update is applied, both by a document
 * that already holds something. */
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

static const struct yc_slice everything = {NULL, 0};

static bool same(struct yc_slice a, struct yc_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool is_message(struct yc_slice bytes)
{
    struct yc_sync sync;
    bool taken = yc_sync_read(bytes, &sync) == YC_OK;
    must(taken || (sync.body.data == NULL && sync.body.len == 0));
    must(sync.kind <= YC_SYNC_UPDATE);
    return taken;
}

/* A message's own length says where it ends. */
static void only_whole(struct yc_slice message)
{
    uint8_t *longer = malloc(message.len + 1);
    must(longer != NULL);
    memcpy(longer, message.data, message.len);
    longer[message.len] = 0;
    must(!is_message((struct yc_slice){longer, message.len + 1}));
    free(longer);
    must(!is_message((struct yc_slice){message.data, message.len - 1}));
}

/* No longer than it came, since Yjs writes no overlong integers, and with the same meaning. */
static void write_again(const struct yc_sync *sync, struct yc_slice message)
{
    struct yc_buf out = {0};
    struct yc_sync again;
    must(yc_sync_write(sync->kind, sync->body, &out) == YC_OK && out.len <= message.len);
    must(yc_sync_read(yc_buf_slice(&out), &again) == YC_OK && again.kind == sync->kind);
    must(same(again.body, sync->body));
    must(out.len < message.len || same(yc_buf_slice(&out), message));
    yc_buf_free(&out);
}

/* 'a😀bc' of client 2, a map's value of client 1, and b deleted. */
static struct yc_doc *begin(void)
{
    static const uint8_t update[] = {
        2, 1, 2,    0, 4, 1,   1, 't', 7, 'a',  0xf0, 0x9f, 0x98, 0x80, 'b', 'c', 1,
        1, 0, 0x28, 1, 1, 'm', 1, 'k', 1, 0x7d, 1,    1,    2,    1,    3,   1,
    };
    struct yc_doc *doc = yc_doc_create(&(struct yc_options){.limits = {.bytes = 32 << 20}});
    must(doc != NULL);
    must(yc_apply(doc, (struct yc_slice){update, sizeof update}, NULL) == YC_OK);
    return doc;
}

/* Whoever asked can take the answer in. */
static void answer(const struct yc_doc *doc, struct yc_slice vector)
{
    struct yc_buf out = {0};
    struct yc_buf other = {0};
    enum yc_status status = yc_encode_state(doc, vector, &out);
    must(status == YC_OK || (status == YC_MALFORMED && out.len == 0));
    if (status == YC_OK) {
        struct yc_doc *peer = yc_doc_create(NULL);
        must(peer != NULL && yc_apply(peer, yc_buf_slice(&out), NULL) == YC_OK);
        yc_doc_destroy(peer);
    }
    must(yc_encode_state(doc, everything, &out) == YC_OK);
    must(vector.len == 0 ||
         (yc_diff_update(yc_buf_slice(&out), vector, &other) == YC_OK) == (status == YC_OK));
    yc_buf_free(&out);
    yc_buf_free(&other);
}

static void apply(struct yc_doc *doc, struct yc_slice update)
{
    struct yc_doc *follower = begin();
    struct yc_buf before = {0};
    struct yc_buf after = {0};
    struct yc_slice news;
    uint64_t hash = yc_hash(doc);
    must(yc_encode_state(doc, everything, &before) == YC_OK);
    enum yc_status status = yc_apply(doc, update, &news);
    must(yc_encode_state(doc, everything, &after) == YC_OK);
    if (status != YC_OK) {
        must(same(yc_buf_slice(&before), yc_buf_slice(&after)));
        must(news.len == 0 && yc_hash(doc) == hash);
    } else if (news.len > 0) {
        must(yc_apply(follower, news, NULL) == YC_OK);
    }
    must(status == YC_OK || status == YC_LIMIT || status == YC_MALFORMED);
    yc_buf_free(&before);
    yc_buf_free(&after);
    yc_doc_destroy(follower);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yc_slice message = {data, size};
    struct yc_sync sync;
    if (!is_message(message)) {
        return 0;
    }
    must(yc_sync_read(message, &sync) == YC_OK);
    only_whole(message);
    write_again(&sync, message);
    struct yc_doc *doc = begin();
    if (sync.kind == YC_SYNC_STEP1) {
        answer(doc, sync.body);
    } else {
        apply(doc, sync.body);
    }
    yc_doc_destroy(doc);
    return 0;
}
