/* A document and update bytes: applying, in two phases, and encoding.
 *
 * An update is planned (plan.h), then made ready: items are filled in, types and keys created, room
 * set aside for every cut, note and byte that integration can need. All of that can fail and leaves
 * the document as it was. Then the items are integrated, which cannot fail. */
#include "integrate.h"
#include "plan.h"
#include "update.h"

#include <stdlib.h>
#include <string.h>

/* --- making ready ---------------------------------------------------------------------------- */

/* A planned block's item, and what it still has to know when it is integrated. */
struct ready {
    struct item *item;
    struct entry *entry; /* for its key, unless the type has that key by then */
    struct yc_type *root;
};

struct apply {
    struct plan plan;
    struct ready *ready; /* one for each planned block, in the plan's order */
    size_t ready_count;
    struct yc_id *places; /* where items may be cut, so that one begins there */
    size_t place_count;
    size_t place_cap;
    uint32_t *touched; /* clients that get structs, or whose structs may be cut */
    size_t touched_count;
    size_t touched_cap;
    size_t bytes;
    size_t deletes;
    bool tells; /* the caller wants the effective update */
};

static struct block *planned_block(struct apply *apply, size_t number)
{
    return &apply->plan.blocks[apply->plan.order[number]];
}

/* One more struct for a client. */
static bool touch(struct apply *apply, uint64_t id)
{
    struct store *store = &apply->plan.doc->store;
    uint32_t client = ycp_client_find(store, id);
    if (client == NO_CLIENT) {
        return true;
    }
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
static bool note_place(struct apply *apply, uint64_t client, uint64_t clock)
{
    struct heap *heap = &apply->plan.doc->store.heap;
    if (!ycp_grow(heap, &apply->places, &apply->place_cap, apply->place_count + 1,
                  sizeof *apply->places)) {
        return false;
    }
    apply->places[apply->place_count++] = (struct yc_id){client, clock};
    return true;
}

static bool count_block(struct apply *apply, const struct block *block)
{
    ycp_note_long(apply->plan.doc, block->ref, &block->content);
    bool typed_on = block->has_origin && block->origin.client == block->id.client &&
                    block->origin.clock + 1 == block->id.clock;
    apply->bytes += block->content.bytes.len + block->key.len + block->root.len;
    apply->deletes += 2; /* itself, and the value before it */
    return touch(apply, block->id.client) &&
           (!block->has_origin || typed_on ||
            note_place(apply, block->origin.client, block->origin.clock + 1)) &&
           (!block->has_right || note_place(apply, block->right.client, block->right.clock));
}

static bool count_range(struct apply *apply, const struct id_range *range)
{
    size_t structs = apply->plan.doc->store.item_count + apply->plan.order_count;
    apply->deletes += range->len < structs ? (size_t)range->len : structs;
    apply->deletes += 2;
    return note_place(apply, range->client, range->clock) &&
           note_place(apply, range->client, range->clock + range->len);
}

static int by_place(const void *a, const void *b)
{
    const struct yc_id *left = a;
    const struct yc_id *right = b;
    if (left->client != right->client) {
        return left->client < right->client ? -1 : 1;
    }
    return (left->clock > right->clock) - (left->clock < right->clock);
}

/* Whether a planned struct begins at a clock, as far as one look tells. */
static bool begins_planned(const struct plan *plan, const struct client *client, uint64_t clock)
{
    if (client->run == 0 || client->several) {
        return false;
    }
    const struct run *run = &plan->runs[client->run - 1];
    size_t low = run->begin;
    for (size_t high = run->end; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (plan->blocks[middle].id.clock < clock) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < run->end && plan->blocks[low].id.clock == clock;
}

/* Whether there may be an item to be cut at a place. */
static bool may_be_cut(const struct plan *plan, const struct yc_id *place)
{
    const struct store *store = &plan->doc->store;
    uint32_t index = ycp_client_find(store, place->client);
    if (index == NO_CLIENT) {
        return false;
    }
    const struct client *client = store->clients[index];
    if (place->clock >= client->state) {
        return place->clock < client->planned && !begins_planned(plan, client, place->clock);
    }
    struct place at = ycp_store_find(store, index, (uint32_t)place->clock);
    const struct item *item = ycp_store_at(store, index, at);
    return item->clock < place->clock && item->ref != REF_GC;
}

/* Of the places keeps those where there may be something to cut, in order and once each. */
static bool count_cuts(struct apply *apply)
{
    size_t kept = 0;
    if (apply->place_count > 1) {
        qsort(apply->places, apply->place_count, sizeof *apply->places, by_place);
    }
    for (size_t i = 0; i < apply->place_count; i++) {
        struct yc_id place = apply->places[i];
        bool again = kept > 0 && by_place(&apply->places[kept - 1], &place) == 0;
        if (!again && may_be_cut(&apply->plan, &place)) {
            apply->places[kept++] = place;
            if (!touch(apply, place.client)) {
                return false;
            }
        }
    }
    apply->place_count = kept;
    return true;
}

static bool count_needs(struct apply *apply)
{
    struct plan *plan = &apply->plan;
    const struct id_set *pending = &plan->doc->pending_deletes;
    bool ok = true;
    for (size_t i = 0; ok && i < plan->order_count; i++) {
        ok = count_block(apply, planned_block(apply, i));
    }
    for (size_t i = 0; ok && i < plan->deletes.count; i++) {
        ok = count_range(apply, &plan->deletes.ranges[i]);
    }
    for (size_t i = 0; ok && !plan->deletes_stay && i < pending->count; i++) {
        ok = count_range(apply, &pending->ranges[i]);
    }
    return ok && count_cuts(apply);
}

static bool reserve(struct apply *apply)
{
    struct yc_doc *doc = apply->plan.doc;
    struct store *store = &doc->store;
    size_t structs = apply->plan.order_count + apply->place_count;
    size_t nested = apply->deletes > 0 ? doc->nested_items + structs : 0;
    size_t leaves = 0;
    for (size_t i = 0; i < apply->touched_count; i++) {
        uint32_t client = apply->touched[i];
        if (!ycp_store_reserve_client(store, client, store->clients[client]->inserts,
                                      &leaves)) {
            return false;
        }
    }
    return ycp_store_reserve_items(store, structs) && ycp_store_reserve_leaves(store, leaves) &&
           ycp_content_reserve(doc, apply->bytes) &&
           ycp_txn_reserve(doc, apply->deletes + nested, apply->place_count + nested,
                           apply->plan.run_count) &&
           (!apply->tells ||
            ycp_encode_reserve(doc, structs, apply->bytes, apply->deletes + nested));
}

static bool create_type(struct yc_doc *doc, struct item *item, struct yc_slice bytes)
{
    struct yc_slice name;
    enum yc_kind kind = ycp_content_type(bytes, &name);
    item->content.type = ycp_type_create(doc, kind, name);
    return item->content.type != NULL;
}

/* What a block says of itself goes into its item; neighbours and owner follow at integration. */
static enum yc_status make_ready(struct apply *apply, const struct block *block)
{
    struct yc_doc *doc = apply->plan.doc;
    struct ready *ready = &apply->ready[apply->ready_count++];
    *ready = (struct ready){.item = ycp_item_take(&doc->store)};
    struct item *item = ready->item;
    item->client = ycp_client_find(&doc->store, block->id.client);
    item->ref = (uint8_t)block->ref;
    item->origin_client = NO_CLIENT;
    item->right_client = NO_CLIENT;
    if (block->ref == REF_TYPE && !create_type(doc, item, block->content.bytes)) {
        item->ref = REF_GC;
        return ycp_refusal(&doc->store.heap);
    }
    if (block->parent == PARENT_ROOT) {
        ready->root = yc_find_root(doc, (const char *)block->root.data, block->root.len);
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
        const struct block *block = planned_block(apply, i);
        if (block->parent == PARENT_ROOT) {
            status = yc_root(apply->plan.doc, (const char *)block->root.data, block->root.len,
                             YC_ANY_KIND, &root);
        }
    }
    return status;
}

/* What is held for the length of this call only. */
static size_t scratch_bytes(const struct apply *apply)
{
    const struct plan *plan = &apply->plan;
    const struct yc_txn *txn = &plan->doc->txn;
    return plan->block_cap * sizeof *plan->blocks + plan->run_cap * sizeof *plan->runs +
           plan->order_cap * sizeof *plan->order + plan->deletes.cap * sizeof(struct id_range) +
           apply->ready_count * sizeof *apply->ready +
           apply->place_cap * sizeof *apply->places +
           apply->touched_cap * sizeof *apply->touched +
           txn->deletes.cap * sizeof(struct id_range) + txn->cut_cap * sizeof(struct spot) +
           txn->changed_cap * sizeof(struct part) + plan->doc->out.cap;
}

static enum yc_status make_all_ready(struct apply *apply)
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
    if (count > 0) {
        apply->ready = ycp_resize(heap, NULL, 0, count * sizeof *apply->ready);
        if (apply->ready == NULL) {
            return ycp_refusal(heap);
        }
    }
    for (size_t i = 0; status == YC_OK && i < count; i++) {
        status = make_ready(apply, planned_block(apply, i));
    }
    bool fits = heap->used - scratch_bytes(apply) <= doc->limits.bytes;
    return status == YC_OK && !fits ? YC_LIMIT : status;
}

/* --- cutting ahead --------------------------------------------------------------------------- */

/* Finding where to cut a long content means to go through it. A peer that has it cut at many places
 * in a bad order would make that quadratic, so long ones are cut ahead, from left to right: then each
 * cut goes on where the last one ended. */

/* Cuts what is held of long items at the places from first on that lie before end. */
static void cut_places(struct apply *apply, size_t first, struct yc_id end)
{
    struct yc_doc *doc = apply->plan.doc;
    for (size_t i = first; i < apply->place_count; i++) {
        const struct yc_id *at = &apply->places[i];
        if (by_place(at, &end) >= 0) {
            return;
        }
        uint32_t client = ycp_client_find(&doc->store, at->client);
        if (at->clock < ycp_client_state(&doc->store, client)) {
            struct place place = ycp_store_find(&doc->store, client, (uint32_t)at->clock);
            const struct item *item = ycp_store_at(&doc->store, client, place);
            if (item->clock < at->clock && ycp_item_is_long(item)) {
                ycp_item_clean_start(doc, client, (uint32_t)at->clock);
            }
        }
    }
}

static void cut_ahead(struct apply *apply)
{
    if (apply->plan.doc->has_long) {
        cut_places(apply, 0, (struct yc_id){UINT64_MAX, UINT64_MAX});
    }
}

/* The same for an item that has just come in. */
static void cut_new(struct apply *apply, const struct item *item)
{
    if (!ycp_item_is_long(item) || apply->place_count == 0) {
        return;
    }
    struct yc_id id = {apply->plan.doc->store.clients[item->client]->id, item->clock};
    size_t low = 0;
    for (size_t high = apply->place_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (by_place(&apply->places[middle], &id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    cut_places(apply, low, (struct yc_id){id.client, id.clock + item->len});
}

/* --- integrating ----------------------------------------------------------------------------- */

static bool is_gc(const struct item *item)
{
    return item != NULL && item->ref == REF_GC;
}

static void find_neighbours(struct yc_doc *doc, struct item *item, const struct block *block,
                            uint64_t offset)
{
    if (offset > 0 || block->has_origin) {
        struct yc_id origin =
            offset > 0 ? (struct yc_id){block->id.client, item->clock - 1} : block->origin;
        uint32_t client = ycp_client_find(&doc->store, origin.client);
        item->left = ycp_item_clean_end(doc, client, (uint32_t)origin.clock);
        item->origin_client = client;
        item->origin_clock = ycp_item_last_clock(item->left);
    }
    if (block->has_right) {
        uint32_t client = ycp_client_find(&doc->store, block->right.client);
        item->right = ycp_item_clean_start(doc, client, (uint32_t)block->right.clock);
        item->right_client = client;
        item->right_clock = item->right->clock;
    }
}

static struct yc_type *type_at(const struct yc_doc *doc, struct yc_id id)
{
    uint32_t client = ycp_client_find(&doc->store, id.client);
    struct place place = ycp_store_find(&doc->store, client, (uint32_t)id.clock);
    const struct item *item = ycp_store_at(&doc->store, client, place);
    return item->ref == REF_TYPE ? item->content.type : NULL;
}

/* The type and key that a block names or takes over from a neighbour; none makes it GC. */
static void find_owner(struct yc_doc *doc, struct ready *ready, const struct block *block)
{
    struct item *item = ready->item;
    if (is_gc(item->left) || is_gc(item->right) || block->ref == REF_GC) {
        return;
    }
    if (block->parent == PARENT_COPIED) {
        const struct item *neighbour = item->left != NULL ? item->left : item->right;
        item->owner = neighbour->owner;
        item->flags |= neighbour->flags & ITEM_KEYED;
        return;
    }
    struct yc_type *type =
        block->parent == PARENT_ROOT ? ready->root : type_at(doc, block->parent_id);
    item->owner.type = type;
    if (type != NULL && block->has_key) {
        struct entry *entry = ycp_entry_find(doc, type, block->key);
        if (entry == NULL) {
            entry = ready->entry;
            ready->entry = NULL;
            ycp_entry_insert(doc, type, entry);
        }
        item->owner.entry = entry;
        item->flags |= ITEM_KEYED;
    }
}

static void set_content(struct yc_doc *doc, struct item *item, const struct block *block,
                        uint64_t offset)
{
    item->clock = (uint32_t)(block->id.clock + offset);
    item->len = (uint32_t)(block->content.len - offset);
    if (block->ref == REF_TYPE || block->ref == REF_GC || block->ref == REF_DELETED) {
        return;
    }
    struct yc_slice bytes = block->content.bytes;
    if (offset > 0) {
        struct utf8_cut cut = ycp_content_cut(block->ref, &block->content, offset);
        bytes.data += cut.after;
        bytes.len -= cut.after;
        if (cut.after != cut.before) {
            item->flags |= ITEM_CUT_HEAD;
        }
    }
    ycp_item_set_bytes(doc, item, bytes);
}

static void integrate_block(struct apply *apply, struct ready *ready, const struct block *block)
{
    struct yc_doc *doc = apply->plan.doc;
    struct item *item = ready->item;
    uint64_t offset = ycp_client_state(&doc->store, item->client) - block->id.clock;
    set_content(doc, item, block, offset);
    find_neighbours(doc, item, block, offset);
    find_owner(doc, ready, block);
    ready->item = NULL;
    ycp_integrate(doc, item);
    cut_new(apply, item);
}

/* Deletes what is held of a range. */
static void delete_range(struct yc_doc *doc, const struct id_range *range)
{
    struct store *store = &doc->store;
    uint32_t client = ycp_client_find(store, range->client);
    uint64_t state = ycp_client_state(store, client);
    if (range->clock >= state) {
        return;
    }
    uint64_t end = range->clock + range->len < state ? range->clock + range->len : state;
    struct place place = ycp_store_find(store, client, (uint32_t)range->clock);
    struct item *item = ycp_store_at(store, client, place);
    if (!ycp_item_deleted(item) && item->clock < range->clock) {
        item = ycp_item_clean_start(doc, client, (uint32_t)range->clock);
    }
    for (;;) {
        if (!ycp_item_deleted(item)) {
            if (end < (uint64_t)item->clock + item->len) {
                ycp_item_clean_start(doc, client, (uint32_t)end);
            }
            ycp_item_delete(doc, item);
        }
        uint64_t next = (uint64_t)item->clock + item->len;
        if (next >= end) {
            return;
        }
        place = ycp_store_find(store, client, (uint32_t)next);
        item = ycp_store_at(store, client, place);
    }
}

static void delete_ranges(struct yc_doc *doc, const struct id_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        delete_range(doc, &set->ranges[i]);
    }
}

static void swap_sets(struct id_set *a, struct id_set *b)
{
    struct id_set kept = *a;
    *a = *b;
    *b = kept;
}

/* What the plan found must wait becomes what waits. */
static void keep_pending(struct yc_doc *doc, struct plan *plan)
{
    if (!plan->pending_stays) {
        struct yc_buf kept = doc->pending;
        doc->pending = plan->pending;
        plan->pending = kept;
        swap_sets(&doc->wanted, &plan->wanted);
    }
    if (!plan->deletes_stay) {
        swap_sets(&doc->pending_deletes, &plan->deletes_later);
    }
}

static void integrate_all(struct apply *apply)
{
    struct plan *plan = &apply->plan;
    struct yc_doc *doc = plan->doc;
    cut_ahead(apply);
    for (size_t i = 0; i < plan->order_count; i++) {
        integrate_block(apply, &apply->ready[i], planned_block(apply, i));
    }
    delete_ranges(doc, &plan->deletes);
    if (!plan->deletes_stay) {
        delete_ranges(doc, &doc->pending_deletes);
    }
    keep_pending(doc, plan);
    ycp_txn_clean(doc);
}

/* The room for news that stays for the next update. */
#define OUT_KEPT 4096

/* --- applying -------------------------------------------------------------------------------- */

static void apply_finish(struct apply *apply)
{
    struct yc_doc *doc = apply->plan.doc;
    struct store *store = &doc->store;
    for (size_t i = 0; i < apply->ready_count; i++) {
        struct ready *ready = &apply->ready[i];
        ycp_entry_destroy(doc, ready->entry);
        if (ready->item != NULL) {
            ycp_item_release(doc, ready->item);
            ycp_item_give(store, ready->item);
        }
    }
    for (size_t i = 0; i < apply->touched_count; i++) {
        store->clients[apply->touched[i]]->inserts = 0;
    }
    ycp_free(&store->heap, apply->ready, apply->plan.order_count * sizeof *apply->ready);
    ycp_free(&store->heap, apply->places, apply->place_cap * sizeof *apply->places);
    ycp_free(&store->heap, apply->touched, apply->touched_cap * sizeof *apply->touched);
    ycp_plan_finish(&apply->plan);
}

/* While an update is applied, twice as much again as a document may hold. */
static size_t limit_with_scratch(const struct yc_doc *doc)
{
    size_t bytes = doc->limits.bytes;
    return bytes < SIZE_MAX / 3 ? bytes * 3 : SIZE_MAX;
}

enum yc_status yc_apply(struct yc_doc *doc, struct yc_slice update, struct yc_slice *effective)
{
    struct apply apply = {.tells = effective != NULL};
    size_t clients = doc->store.client_count;
    uint32_t roots = doc->root_count;
    if (effective != NULL) {
        *effective = (struct yc_slice){NULL, 0};
    }
    if (doc->txn.open) {
        return YC_BUSY;
    }
    if (doc->out.cap > OUT_KEPT) {
        yc_buf_free(&doc->out);
    }
    ycp_buf_begin(&doc->out);
    doc->store.heap.limit = limit_with_scratch(doc);
    enum yc_status status = ycp_plan(&apply.plan, doc, update);
    status = status == YC_OK ? make_all_ready(&apply) : status;
    if (status == YC_OK) {
        integrate_all(&apply);
        ycp_encode_transaction(doc, apply.tells);
    }
    apply_finish(&apply);
    ycp_txn_clear(doc);
    doc->store.heap.limit = doc->limits.bytes;
    if (status != YC_OK) {
        ycp_clients_truncate(&doc->store, clients);
        ycp_roots_truncate(doc, roots);
    }
    if (effective != NULL && status == YC_OK) {
        *effective = yc_buf_slice(&doc->out);
    }
    return status;
}
