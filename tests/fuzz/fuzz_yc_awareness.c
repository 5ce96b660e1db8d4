/* Awareness frames from a peer: the first byte says where the input is cut in two, the second who
 * leaves and when the rest is looked through. Both parts go to one awareness whose limits are soon
 * reached. A refused frame must have changed nothing; the news, given to a follower, must keep it
 * level; and what everybody is told must say the same to a newcomer. */
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

static void must_be_same(const struct yc_buf *a, const struct yc_buf *b)
{
    must(a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0));
}

static void must_be_level(const struct yc_awareness *a, const struct yc_awareness *b)
{
    struct yc_buf of_a = {0};
    struct yc_buf of_b = {0};
    must(yc_awareness_encode(a, &of_a) == YC_OK && yc_awareness_encode(b, &of_b) == YC_OK);
    must_be_same(&of_a, &of_b);
    must(yc_awareness_count(a) == yc_awareness_count(b));
    yc_buf_free(&of_a);
    yc_buf_free(&of_b);
}

/* The follower knows as many clocks, of those gone too: all that is news there changes something. */
static void follow(struct yc_awareness *follower, const struct yc_buf *news, uint64_t now_ms)
{
    if (news->len > 0) {
        struct yc_buf again = {0};
        must(yc_awareness_apply(follower, yc_buf_slice(news), now_ms, &again) == YC_OK);
        must_be_same(news, &again);
        yc_buf_free(&again);
    }
}

static void apply(struct yc_awareness *awareness, struct yc_awareness *follower,
                  struct yc_slice update, uint64_t now_ms)
{
    struct yc_buf before = {0};
    struct yc_buf after = {0};
    struct yc_buf news = {0};
    uint64_t client;
    uint64_t count;
    must(yc_awareness_encode(awareness, &before) == YC_OK);
    bool framed = yc_awareness_peek(update, &client, &count) == YC_OK;
    enum yc_status status = yc_awareness_apply(awareness, update, now_ms, &news);
    must(yc_awareness_encode(awareness, &after) == YC_OK);
    must(framed || status != YC_OK);
    if (status != YC_OK || news.len == 0) {
        must_be_same(&before, &after);
        must(news.len == 0);
    }
    follow(follower, &news, now_ms);
    must_be_level(awareness, follower);
    /* Nothing is news twice. */
    if (status == YC_OK) {
        must(yc_awareness_apply(awareness, yc_buf_slice(&news), now_ms, &before) ==
             (news.len > 0 ? YC_OK : YC_MALFORMED));
        must(before.len == 0);
    }
    yc_buf_free(&before);
    yc_buf_free(&after);
    yc_buf_free(&news);
}

static void leave(struct yc_awareness *awareness, struct yc_awareness *follower,
                  uint64_t client, uint64_t now_ms)
{
    struct yc_buf news = {0};
    must(yc_awareness_remove(awareness, client, now_ms, &news) == YC_OK);
    must(yc_awareness_state(awareness, client).data == NULL);
    follow(follower, &news, now_ms);
    must(yc_awareness_expire(awareness, now_ms, 30, &news) == YC_OK);
    follow(follower, &news, now_ms);
    must(yc_awareness_expire(follower, now_ms, 30, &news) == YC_OK && news.len == 0);
    must_be_level(awareness, follower);
    yc_buf_free(&news);
}

static void tell_newcomer(const struct yc_awareness *awareness)
{
    struct yc_awareness *newcomer = yc_awareness_create(NULL, NULL);
    struct yc_buf all = {0};
    must(newcomer != NULL && yc_awareness_encode(awareness, &all) == YC_OK);
    must((all.len > 0) == (yc_awareness_count(awareness) > 0));
    follow(newcomer, &all, 0);
    must_be_level(awareness, newcomer);
    yc_buf_free(&all);
    yc_awareness_destroy(newcomer);
}

/* Whoever hears two updates, or one made of both, knows the same. */
static void merge(struct yc_slice first, struct yc_slice second)
{
    const struct yc_slice updates[] = {first, second};
    static const struct yc_awareness_limits none = {.clients = UINT32_MAX, .bytes = SIZE_MAX};
    struct yc_awareness *of_two = yc_awareness_create(&none, NULL);
    struct yc_awareness *of_one = yc_awareness_create(&none, NULL);
    struct yc_buf merged = {0};
    must(of_two != NULL && of_one != NULL);
    bool good = yc_awareness_apply(of_two, first, 0, NULL) == YC_OK &&
                yc_awareness_apply(of_two, second, 0, NULL) == YC_OK;
    enum yc_status status = yc_awareness_merge(updates, 2, &merged);
    must(!good || status == YC_OK);
    if (good && merged.len > 0) {
        follow(of_one, &merged, 0);
    }
    if (good) {
        must_be_level(of_two, of_one);
    }
    yc_buf_free(&merged);
    yc_awareness_destroy(of_two);
    yc_awareness_destroy(of_one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    const uint8_t *bytes = data + 2;
    size_t len = size - 2;
    size_t first = data[0] < len ? data[0] : len;
    const struct yc_awareness_limits limits = {
        .clients = 6, .state_bytes = 48, .bytes = 128, .forget_ms = 60};
    merge((struct yc_slice){bytes, first}, (struct yc_slice){bytes + first, len - first});
    struct yc_awareness *awareness = yc_awareness_create(&limits, NULL);
    struct yc_awareness *follower = yc_awareness_create(&limits, NULL);
    must(awareness != NULL && follower != NULL);
    apply(awareness, follower, (struct yc_slice){bytes, first}, 0);
    leave(awareness, follower, data[1] % 8, data[1]);
    apply(awareness, follower, (struct yc_slice){bytes + first, len - first}, data[1]);
    tell_newcomer(awareness);
    leave(awareness, follower, data[1] / 8, (uint64_t)data[1] * 2);
    yc_awareness_destroy(awareness);
    yc_awareness_destroy(follower);
    return 0;
}
