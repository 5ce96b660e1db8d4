/* See ready.h. */
#include "ready.h"

#include "begins.h"
#include "update.h"

#include <stdlib.h>
#include <string.h>

struct apply *ycp_apply_begin(struct yc_doc *doc, bool tells)
{
    if (doc->apply == NULL) {
        doc->apply = ycp_alloc(&doc->store.heap, sizeof *doc->apply);
        if (doc->apply == NULL) {
            return NULL;
        }
    }
    struct apply *apply = doc->apply;
    apply->ready_count = 0;
    apply->place_count = 0;
    apply->touched_count = 0;
    apply->bytes = 0;
    apply->deletes = 0;
    apply->leaves = 0;
    apply->tells = tells;
    apply->integrated = false;
    return apply;
}

/* --- counting -------------------------------------------------------------------------------- */

/* One more struct for a client. */
static bool touch(struct apply *apply, uint32_t client)
{
    struct store *store = &apply->plan.doc->store;
    if (store->clients[client]->inserts++ == 0) {
        if (!ycp_grow(&store->heap, &apply->touched, &apply->touched_cap,
                      apply->touched_count + 1, sizeof *apply->touched)) {
            store->clients[client]->inserts = 0;
            return false;
        }
        apply->touched[apply->touched_count++] = client;
    }
    return true;
}

/* An item may be cut so that one begins there. */
static bool note_place(struct apply *apply, uint32_t client, uint64_t clock)
{
    struct heap *heap = &apply->plan.doc->store.heap;
    if (client == NO_CLIENT || clock > UINT32_MAX) {
        return true; /* not held */
    }
    if (!ycp_grow(heap, &apply->places, &apply->place_cap, apply->place_count + 1,
                  sizeof *apply->places)) {
        return false;
    }
    apply->places[apply->place_count++] = (struct spot){client, (uint32_t)clock};
    return true;
}

static bool count_block(struct apply *apply, const struct block *block, uint32_t client)
{
    ycp_note_long(apply->plan.doc, block->ref, &block->content);
    bool typed_on = block->has_origin && block->origin.client == block->id.client &&
                    block->origin.clock + 1 == block->id.clock;
    apply->bytes += block->ref == REF_TYPE ? 0 : block->content.bytes.len;
    apply->deletes += 2; /* itself, and the value before it */
    return touch(apply, client) &&
           (!block->has_origin || typed_on ||
            note_place(apply, ycp_named_client(apply, block, client, block->origin),
                       block->origin.clock + 1)) &&
           (!block->has_right ||
            note_place(apply, ycp_named_client(apply, block, client, block->right),
                       block->right.clock));
}

static bool count_range(struct apply *apply, const struct id_range *range)
{
    size_t structs = apply->plan.doc->store.item_count + apply->plan.order_count;
    apply->deletes += range->len < structs ? (size_t)range->len : structs;
    apply->deletes += 2;
    uint32_t client = ycp_client_find(&apply->plan.doc->store, range->client);
    return note_place(apply, client, range->clock) &&
           note_place(apply, client, range->clock + range->len);
}

static int by_place(const void *a, const void *b)
{
    const struct spot *left = a;
    const struct spot *right = b;
    return ycp_spot_before(*right, *left) - ycp_spot_before(*left, *right);
}

/* Whether a planned struct begins at a clock, as far as one look tells. */
static bool begins_planned(const struct plan *plan, const struct client *client, uint64_t clock)
{
    if (client->run == 0 || client->several) {
        return false;
    }
    return ycp_begins_at(plan, &plan->runs[client->run - 1], clock);
}

/* Whether there may be an item to be cut at a place. */
static bool may_be_cut(const struct plan *plan, const struct spot *place)
{
    const struct store *store = &plan->doc->store;
    const struct client *client = store->clients[place->client];
    if (place->clock >= client->state) {
        return place->clock < client->planned && !begins_planned(plan, client, place->clock);
    }
    struct place at = ycp_store_find(store, place->client, place->clock);
    const struct item *item = ycp_store_at(store, place->client, at);
    return item->clock < place->clock && item->ref != REF_GC;
}

/* Of the places keeps those where there may be something to cut, in order and once each. */
static bool count_cuts(struct apply *apply)
{
    size_t kept = 0;
    for (size_t i = 0; i < apply->place_count; i++) {
        if (may_be_cut(&apply->plan, &apply->places[i])) {
            apply->places[kept++] = apply->places[i];
        }
    }
    if (kept > 1) {
        qsort(apply->places, kept, sizeof *apply->places, by_place);
    }
    apply->place_count = 0;
    for (size_t i = 0; i < kept; i++) {
        struct spot *place = &apply->places[i];
        if (i > 0 && !ycp_spot_before(apply->places[apply->place_count - 1], *place)) {
            continue;
        }
        apply->places[apply->place_count++] = *place;
        if (!touch(apply, place->client)) {
            return false;
        }
    }
    return true;
}

static bool count_needs(struct apply *apply)
{
    struct plan *plan = &apply->plan;
    const struct id_set *pending = &plan->doc->pending_deletes;
    bool ok = true;
    for (size_t i = 0; ok && i < plan->order_count; i++) {
        ok = count_block(apply, ycp_planned_block(plan, i), plan->order[i].client);
    }
    for (size_t i = 0; ok && i < plan->deletes.count; i++) {
        ok = count_range(apply, &plan->deletes.ranges[i]);
    }
    for (size_t i = 0; ok && !plan->deletes_stay && i < pending->count; i++) {
        ok = count_range(apply, &pending->ranges[i]);
    }
    return ok && count_cuts(apply);
}

/* --- setting aside --------------------------------------------------------------------------- */

static bool reserve(struct apply *apply)
{
    struct yc_doc *doc = apply->plan.doc;
    struct store *store = &doc->store;
    size_t structs = apply->plan.order_count + apply->place_count;
    /* What is passed on is what has come, but that runs may begin later and items be cut. */
    size_t told = apply->plan.run_count + apply->place_count;
    size_t nested = apply->deletes > 0 ? doc->nested_items + structs : 0;
    size_t all = store->item_count + structs; /* each dies once */
    size_t deletes = apply->deletes + nested < all ? apply->deletes + nested : all;
    size_t leaves = 0;
    for (size_t i = 0; i < apply->touched_count; i++) {
        uint32_t client = apply->touched[i];
        apply->leaves += store->clients[client]->inserts / LEAF_MAX + 1;
        if (!ycp_store_reserve_client(store, client, store->clients[client]->inserts,
                                      &leaves)) {
            return false;
        }
    }
    return ycp_store_reserve_items(store, structs) && ycp_store_reserve_leaves(store, leaves) &&
           ycp_content_reserve(doc, apply->bytes) &&
           ycp_txn_reserve(doc, deletes, apply->place_count + nested, apply->plan.run_count) &&
           (!apply->tells || ycp_encode_reserve(doc, told, apply->plan.wire_bytes, deletes));
}

static bool create_type(struct yc_doc *doc, struct item *item, struct yc_slice bytes)
{
    struct yc_slice name;
    enum yc_kind kind = ycp_content_type(bytes, &name);
    item->content.type = ycp_type_create(doc, kind, name);
    return item->content.type != NULL;
}

/* What a block says of itself goes into its item; neighbours and owner follow at integration. */
static enum yc_status make_ready(struct apply *apply, struct planned planned)
{
    struct yc_doc *doc = apply->plan.doc;
    const struct block *block = &apply->plan.blocks[planned.block];
    struct ready *ready = &apply->ready[planned.block];
    ready->item = ycp_item_take(&doc->store);
    struct item *item = ready->item;
    item->client = planned.client;
    item->ref = (uint8_t)block->ref;
    item->origin_client = NO_CLIENT;
    item->right_client = NO_CLIENT;
    if (block->ref == REF_TYPE && !create_type(doc, item, block->content.bytes)) {
        item->ref = REF_GC;
        return ycp_refusal(&doc->store.heap);
    }
    if (block->parent == PARENT_ROOT) {
        ready->root = yc_find_root(doc, block->root);
    }
    if (block->has_key) {
        ready->entry = ycp_entry_create(doc, block->key);
        if (ready->entry == NULL) {
            return ycp_refusal(&doc->store.heap);
        }
    }
    return YC_OK;
}

/* Before anything is set aside: too many roots are to leave nothing behind. */
static enum yc_status make_roots(struct apply *apply)
{
    struct yc_type *root;
    enum yc_status status = YC_OK;
    for (size_t i = 0; status == YC_OK && i < apply->plan.order_count; i++) {
        const struct block *block = ycp_planned_block(&apply->plan, i);
        if (block->parent == PARENT_ROOT) {
            status = yc_root(apply->plan.doc, block->root, YC_ANY_KIND, &root);
        }
    }
    return status;
}

/* Memory that is yet to be taken for what the blocks bring, besides their items and bytes. */
static size_t bytes_to_come(const struct apply *apply)
{
    size_t bytes = 0;
    for (size_t i = 0; i < apply->plan.order_count; i++) {
        const struct block *block = ycp_planned_block(&apply->plan, i);
        bytes += block->ref == REF_TYPE ? sizeof(struct yc_type) + block->content.bytes.len : 0;
        bytes += block->has_key ? sizeof(struct entry) + block->key.len : 0;
    }
    return bytes;
}

/* What is held for the length of this call only. */
static size_t scratch_bytes(const struct apply *apply)
{
    const struct plan *plan = &apply->plan;
    const struct yc_doc *doc = plan->doc;
    const struct yc_txn *txn = &doc->txn;
    size_t leaves = doc->store.spare_leaf_count;
    leaves -= leaves < apply->leaves ? leaves : apply->leaves;
    const struct waits *waits = plan->rest_is_all ? &doc->waits : &plan->rest;
    return ycp_waits_size(waits) + leaves * sizeof(struct leaf) +
           plan->block_cap * sizeof *plan->blocks + plan->run_cap * sizeof *plan->runs +
           plan->order_cap * sizeof *plan->order + plan->begins_cap * sizeof *plan->begins +
           plan->source_cap * sizeof *plan->sources +
           plan->deletes.cap * sizeof(struct id_range) +
           apply->ready_cap * sizeof *apply->ready + apply->place_cap * sizeof *apply->places +
           apply->touched_cap * sizeof *apply->touched +
           txn->deletes.cap * sizeof(struct id_range) + txn->cut_cap * sizeof(struct spot) +
           txn->changed_cap * sizeof(struct part) + plan->doc->out.cap;
}

enum yc_status ycp_make_ready(struct apply *apply)
{
    struct yc_doc *doc = apply->plan.doc;
    struct heap *heap = &doc->store.heap;
    size_t count = apply->plan.order_count;
    enum yc_status status = make_roots(apply);
    if (status != YC_OK) {
        return status;
    }
    if (!count_needs(apply) || !reserve(apply)) {
        return ycp_refusal(heap);
    }
    size_t blocks = count > 0 ? apply->plan.block_count : 0;
    if (!ycp_grow(heap, &apply->ready, &apply->ready_cap, blocks, sizeof *apply->ready)) {
        return ycp_refusal(heap);
    }
    /* Looked at before any item is taken: a slab that was once begun cannot be given back. */
    size_t needed = heap->used - scratch_bytes(apply) + bytes_to_come(apply);
    /* Not loaded, and not just deleted from. */
    size_t waiting = apply->plan.rest.count;
    bool grows = count + waiting > 0 && (doc->store.item_count > 0 || doc->waits.count > 0);
    size_t most = grows ? ycp_bytes_to_hold(doc) : doc->limits.bytes;
    if (count + waiting + apply->place_count > 0 && needed > most) {
        return YC_LIMIT;
    }
    if (blocks > 0) {
        memset(apply->ready, 0, blocks * sizeof *apply->ready);
    }
    apply->ready_count = blocks;
    for (size_t i = 0; status == YC_OK && i < count; i++) {
        status = make_ready(apply, apply->plan.order[i]);
    }
    return status;
}

/* --- the end --------------------------------------------------------------------------------- */

static void free_arrays(struct apply *apply, struct heap *heap)
{
    ycp_free(heap, apply->ready, apply->ready_cap * sizeof *apply->ready);
    ycp_free(heap, apply->places, apply->place_cap * sizeof *apply->places);
    ycp_free(heap, apply->touched, apply->touched_cap * sizeof *apply->touched);
    apply->ready = NULL;
    apply->places = NULL;
    apply->touched = NULL;
    apply->ready_cap = 0;
    apply->place_cap = 0;
    apply->touched_cap = 0;
}

void ycp_ready_finish(struct apply *apply)
{
    struct yc_doc *doc = apply->plan.doc;
    struct store *store = &doc->store;
    for (size_t i = 0; i < apply->ready_count; i++) {
        struct ready *ready = &apply->ready[i];
        ycp_entry_destroy(doc, ready->entry);
        if (ready->item != NULL && !apply->integrated) {
            ycp_item_release(doc, ready->item);
            ycp_item_give(store, ready->item);
        }
    }
    for (size_t i = 0; i < apply->touched_count; i++) {
        store->clients[apply->touched[i]]->inserts = 0;
    }
    if (apply->ready_cap > PLAN_KEPT || apply->place_cap > PLAN_KEPT ||
        apply->touched_cap > PLAN_KEPT) {
        free_arrays(apply, &store->heap);
    }
    ycp_plan_finish(&apply->plan);
}

void ycp_apply_free(struct yc_doc *doc)
{
    struct heap *heap = &doc->store.heap;
    if (doc->apply != NULL) {
        free_arrays(doc->apply, heap);
        ycp_plan_free(&doc->apply->plan, heap);
        ycp_free(heap, doc->apply, sizeof *doc->apply);
    }
}
