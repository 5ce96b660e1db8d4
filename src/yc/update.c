/* A document and an update: what was planned (plan.h) and made ready (ready.h) is integrated, which
 * cannot fail. */
#include "begins.h"
#include "integrate.h"
#include "ready.h"
#include "rest.h"
#include "update.h"

#include <stdlib.h>
#include <string.h>

/* --- cutting ahead --------------------------------------------------------------------------- */

/* Finding where to cut a long content means to go through it. A peer that has it cut at many places
 * in a bad order would make that quadratic, so long ones are cut ahead, from left to right: then each
 * cut goes on where the last one ended. */

/* Cuts what is held of long items at the places from first on that lie before end. */
static void cut_places(struct apply *apply, size_t first, struct spot end)
{
    struct yc_doc *doc = apply->plan.doc;
    for (size_t i = first; i < apply->place_count; i++) {
        struct spot at = apply->places[i];
        if (!ycp_spot_before(at, end)) {
            return;
        }
        if (at.clock < ycp_client_state(&doc->store, at.client)) {
            struct place place = ycp_store_find(&doc->store, at.client, at.clock);
            const struct item *item = ycp_store_at(&doc->store, at.client, place);
            if (item->clock < at.clock && ycp_item_is_long(item)) {
                ycp_item_clean_start(doc, at.client, at.clock);
            }
        }
    }
}

static void cut_ahead(struct apply *apply)
{
    if (apply->plan.doc->has_long) {
        cut_places(apply, 0, (struct spot){NO_CLIENT, 0});
    }
}

/* The same for an item that has just come in. */
static void cut_new(struct apply *apply, const struct item *item)
{
    if (!ycp_item_is_long(item) || apply->place_count == 0) {
        return;
    }
    struct spot begin = {item->client, item->clock};
    size_t low = 0;
    for (size_t high = apply->place_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (ycp_spot_before(apply->places[middle], begin)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    cut_places(apply, low, (struct spot){item->client, item->clock + item->len});
}

/* --- integrating ----------------------------------------------------------------------------- */

static bool is_gc(const struct item *item)
{
    return item != NULL && item->ref == REF_GC;
}

/* The item that holds a clock, if it is one of this update: most of what a state names comes with it,
 * and need not be looked for in the store. */
static struct item *find_new(const struct apply *apply, uint32_t client, uint32_t clock)
{
    const struct plan *plan = &apply->plan;
    const struct client *owner = plan->doc->store.clients[client];
    if (owner->run == 0 || owner->several) {
        return NULL;
    }
    const struct run *run = &plan->runs[owner->run - 1];
    if (clock < plan->blocks[run->begin].id.clock) {
        return NULL;
    }
    struct item *item = apply->ready[ycp_begins_find(plan, run, clock)].item;
    return item != NULL && clock >= item->clock && clock - item->clock < item->len ? item
                                                                                   : NULL;
}

static struct item *clean_start(struct apply *apply, uint32_t client, uint32_t clock)
{
    struct item *item = find_new(apply, client, clock);
    return item != NULL && item->clock == clock
               ? item
               : ycp_item_clean_start(apply->plan.doc, client, clock);
}

static struct item *clean_end(struct apply *apply, uint32_t client, uint32_t clock)
{
    struct item *item = find_new(apply, client, clock);
    return item != NULL && ycp_item_last_clock(item) == clock
               ? item
               : ycp_item_clean_end(apply->plan.doc, client, clock);
}

static void find_neighbours(struct apply *apply, struct item *item, const struct block *block,
                            uint64_t offset)
{
    if (offset > 0 || block->has_origin) {
        struct yc_id origin =
            offset > 0 ? (struct yc_id){block->id.client, item->clock - 1} : block->origin;
        uint32_t client = ycp_named_client(apply, block, item->client, origin);
        item->left = clean_end(apply, client, (uint32_t)origin.clock);
        item->origin_client = client;
        item->origin_clock = ycp_item_last_clock(item->left);
    }
    if (block->has_right) {
        uint32_t client = ycp_named_client(apply, block, item->client, block->right);
        item->right = clean_start(apply, client, (uint32_t)block->right.clock);
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
static void find_owner(struct yc_doc *doc, struct ready *ready, const struct block *block,
                       uint64_t offset)
{
    struct item *item = ready->item;
    if (is_gc(item->left) || is_gc(item->right) || block->ref == REF_GC) {
        return;
    }
    if (block->parent == PARENT_COPIED || offset > 0) {
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

static void integrate_block(struct apply *apply, struct planned planned)
{
    const struct block *block = &apply->plan.blocks[planned.block];
    struct ready *ready = &apply->ready[planned.block];
    struct yc_doc *doc = apply->plan.doc;
    struct item *item = ready->item;
    uint64_t offset = ycp_client_state(&doc->store, item->client) - block->id.clock;
    set_content(doc, item, block, offset);
    find_neighbours(apply, item, block, offset);
    find_owner(doc, ready, block, offset);
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
        place = ycp_store_find(store, client, (uint32_t)range->clock);
    }
    for (;;) {
        if (!ycp_item_deleted(item)) {
            if (end < (uint64_t)item->clock + item->len) {
                ycp_item_clean_start(doc, client, (uint32_t)end);
            }
            ycp_item_delete(doc, item);
        }
        if (end <= (uint64_t)item->clock + item->len) {
            return;
        }
        ycp_place_next(store, client, &place);
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

/* What the plan found must wait becomes, or joins, what waits. */
static void keep_pending(struct yc_doc *doc, struct plan *plan)
{
    if (plan->rest_is_all) {
        struct waits kept = doc->waits;
        doc->waits = plan->rest;
        plan->rest = kept;
    } else if (plan->rest.count > 0) {
        ycp_waits_join(&doc->waits, &plan->rest);
    }
    ycp_melt_waits(plan);
    doc->wishes_held = plan->wishes_held;
    if (!plan->deletes_stay) {
        swap_sets(&doc->pending_deletes, &plan->deletes_later);
    }
}

static void integrate_all(struct apply *apply)
{
    struct plan *plan = &apply->plan;
    struct yc_doc *doc = plan->doc;
    apply->integrated = true;
    cut_ahead(apply);
    for (size_t i = 0; i < plan->order_count; i++) {
        integrate_block(apply, plan->order[i]);
    }
    bool waits = plan->due_count > 0 || plan->rest.count > 0 || !plan->deletes_stay;
    delete_ranges(doc, &plan->deletes);
    if (!plan->deletes_stay) {
        delete_ranges(doc, &doc->pending_deletes);
    }
    keep_pending(doc, plan);
    doc->version += waits || doc->txn.changed_count > 0 || doc->txn.deletes.count > 0;
    ycp_txn_clean(doc);
}

/* --- applying -------------------------------------------------------------------------------- */

/* While an update is applied, four times as much again as a document may hold: what a document that
 * is full of the smallest structs needs to be loaded in one update. */
static size_t limit_with_scratch(const struct yc_doc *doc)
{
    size_t bytes = doc->limits.bytes;
    return bytes < SIZE_MAX / 5 ? bytes * 5 : SIZE_MAX;
}

/* drops_due: see ycp_plan. *again: it was refused for what waits in the document and has become
 * due, and can be tried without that. */
static enum yc_status apply_update(struct apply *apply, struct yc_doc *doc,
                                   struct yc_slice update, bool drops_due, bool *again)
{
    size_t clients = doc->store.client_count;
    uint32_t roots = doc->root_count;
    struct plan *plan = &apply->plan;
    ycp_encode_begin(doc);
    enum yc_status status = ycp_plan(plan, doc, update, drops_due);
    status = status == YC_OK ? ycp_make_ready(apply) : status;
    if (status == YC_OK) {
        integrate_all(apply);
        ycp_encode_transaction(doc, apply->tells);
    }
    *again = status == YC_LIMIT && plan->due_count > 0 && !plan->pending_full;
    ycp_ready_finish(apply);
    ycp_txn_clear(doc);
    if (status != YC_OK) {
        ycp_encode_begin(doc);
        ycp_clients_truncate(&doc->store, clients);
        ycp_roots_truncate(doc, roots);
        ycp_waits_trim(&doc->waits, &doc->store.heap); /* of the room that was set aside */
    }
    return status;
}

enum yc_status yc_apply(struct yc_doc *doc, struct yc_slice update, struct yc_slice *effective)
{
    if (effective != NULL) {
        *effective = (struct yc_slice){NULL, 0};
    }
    if (doc->txn.open) {
        return YC_BUSY;
    }
    struct apply *apply = ycp_apply_begin(doc, effective != NULL);
    if (apply == NULL) {
        return ycp_refusal(&doc->store.heap);
    }
    doc->store.heap.limit = limit_with_scratch(doc);
    bool again;
    enum yc_status status = apply_update(apply, doc, update, false, &again);
    if (again) {
        /* What waits has become due and passes a limit. That is not this update's doing. */
        apply = ycp_apply_begin(doc, effective != NULL);
        status = apply_update(apply, doc, update, true, &again);
    }
    doc->store.heap.limit = doc->limits.bytes;
    if (effective != NULL && status == YC_OK) {
        *effective = yc_buf_slice(&doc->out);
    }
    return status;
}
