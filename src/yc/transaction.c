/* The notes that a transaction keeps, and what is done when it ends: deleted content is collected,
 * neighbours that belong together melt into one. The same pairs are tried as in Yjs, so that the
 * same updates in the same order leave the same structs. */
#include "doc.h"
#include "item.h"

#include <stdlib.h>

/* --- notes ----------------------------------------------------------------------------------- */

bool ycp_txn_reserve(struct yc_doc *doc, size_t deletes, size_t cuts, size_t clients)
{
    struct heap *heap = &doc->store.heap;
    struct yc_txn *txn = &doc->txn;
    return ycp_grow(heap, &txn->deletes, &txn->delete_cap, txn->delete_count + deletes,
                    sizeof(struct span)) &&
           ycp_grow(heap, &txn->cuts, &txn->cut_cap, txn->cut_count + cuts,
                    sizeof(struct span)) &&
           ycp_grow(heap, &txn->changed, &txn->changed_cap, txn->changed_count + clients,
                    sizeof(struct part));
}

static struct span span_of(const struct yc_doc *doc, const struct item *item)
{
    uint64_t id = doc->store.clients[item->client]->id;
    return (struct span){id, item->client, item->clock, item->len};
}

void ycp_txn_note_delete(struct yc_doc *doc, const struct item *item)
{
    struct yc_txn *txn = &doc->txn;
    if (txn->delete_count > 0) {
        struct span *last = &txn->deletes[txn->delete_count - 1];
        if (last->client == item->client && last->clock + last->len == item->clock) {
            last->len += item->len;
            return;
        }
    }
    txn->deletes[txn->delete_count++] = span_of(doc, item);
}

void ycp_txn_note_cut(struct yc_doc *doc, const struct item *item)
{
    doc->txn.cuts[doc->txn.cut_count++] = span_of(doc, item);
}

bool ycp_txn_is_old(const struct yc_doc *doc, const struct item *item)
{
    const struct client *client = doc->store.clients[item->client];
    return item->clock < (client->changed ? client->before : client->state);
}

void ycp_txn_note_change(struct yc_doc *doc, uint32_t client)
{
    struct client *owner = doc->store.clients[client];
    if (!owner->changed) {
        owner->changed = true;
        owner->before = owner->state;
        doc->txn.changed[doc->txn.changed_count++] =
            (struct part){owner->id, client, owner->before};
    }
}

void ycp_txn_clear(struct yc_doc *doc)
{
    struct yc_txn *txn = &doc->txn;
    for (size_t i = 0; i < txn->changed_count; i++) {
        doc->store.clients[txn->changed[i].client]->changed = false;
    }
    txn->changed_count = 0;
    txn->delete_count = 0;
    txn->cut_count = 0;
}

/* --- deletes, in order ----------------------------------------------------------------------- */

/* Clients descending, as every delete set is written. */
static int by_client_and_clock(const void *a, const void *b)
{
    const struct span *left = a;
    const struct span *right = b;
    if (left->id != right->id) {
        return left->id > right->id ? -1 : 1;
    }
    return (left->clock > right->clock) - (left->clock < right->clock);
}

static void sort_deletes(struct yc_txn *txn)
{
    if (txn->delete_count < 2) {
        return;
    }
    qsort(txn->deletes, txn->delete_count, sizeof(struct span), by_client_and_clock);
    size_t kept = 0;
    for (size_t i = 1; i < txn->delete_count; i++) {
        struct span *last = &txn->deletes[kept];
        const struct span *next = &txn->deletes[i];
        if (last->client == next->client && last->clock + last->len >= next->clock) {
            uint32_t end = next->clock + next->len;
            last->len = end - last->clock > last->len ? end - last->clock : last->len;
        } else {
            txn->deletes[++kept] = *next;
        }
    }
    txn->delete_count = kept + 1;
}

/* --- collecting ------------------------------------------------------------------------------ */

static void collect(struct yc_doc *doc, const struct span *deleted)
{
    struct store *store = &doc->store;
    uint32_t end = deleted->clock + deleted->len;
    struct place place = ycp_store_find(store, deleted->client, deleted->clock);
    do {
        struct item *item = ycp_store_at(store, deleted->client, place);
        if (item->clock >= end) {
            return;
        }
        if (ycp_item_deleted(item)) {
            ycp_item_collect(doc, item);
        }
    } while (ycp_place_next(store, deleted->client, &place));
}

/* --- melting --------------------------------------------------------------------------------- */

/* Melts the struct at a place into the ones left of it, as far as it goes; place moves to what is
 * left. Returns how many are gone. */
static size_t melt_leftwards(struct yc_doc *doc, uint32_t client, struct place *place)
{
    struct store *store = &doc->store;
    size_t gone = 0;
    struct place left = *place;
    while (ycp_place_prev(store, client, &left) &&
           ycp_item_melt(doc, ycp_store_at(store, client, left),
                         ycp_store_at(store, client, *place))) {
        ycp_store_remove(store, client, *place);
        *place = left;
        gone++;
    }
    return gone;
}

/* Tries all structs from a place down to those that end above the clock floor. */
static void melt_down_to(struct yc_doc *doc, uint32_t client, struct place place,
                         uint32_t floor)
{
    const struct item *item;
    do {
        item = ycp_store_at(&doc->store, client, place);
        if (item->clock + item->len <= floor) {
            return;
        }
        melt_leftwards(doc, client, &place);
    } while (ycp_place_prev(&doc->store, client, &place));
}

static void melt_deleted(struct yc_doc *doc, const struct span *deleted)
{
    struct store *store = &doc->store;
    struct place place =
        ycp_store_find(store, deleted->client, deleted->clock + deleted->len - 1);
    ycp_place_next(store, deleted->client, &place);
    melt_down_to(doc, deleted->client, place, deleted->clock);
}

static void melt_new(struct yc_doc *doc, uint32_t client)
{
    const struct client *owner = doc->store.clients[client];
    uint32_t last = (uint32_t)owner->leaf_count - 1;
    struct place place = {last, owner->leaves[last]->count - 1};
    melt_down_to(doc, client, place, owner->before);
}

static void melt_cut(struct yc_doc *doc, const struct span *cut)
{
    struct store *store = &doc->store;
    struct place place = ycp_store_find(store, cut->client, cut->clock);
    struct place right = place;
    if (ycp_place_next(store, cut->client, &right) &&
        melt_leftwards(doc, cut->client, &right) > 1) {
        return;
    }
    place = ycp_store_find(store, cut->client, cut->clock);
    melt_leftwards(doc, cut->client, &place);
}

void ycp_txn_clean(struct yc_doc *doc)
{
    struct yc_txn *txn = &doc->txn;
    sort_deletes(txn);
    for (size_t i = 0; i < txn->delete_count; i++) {
        collect(doc, &txn->deletes[i]);
    }
    for (size_t i = 0; i < txn->delete_count; i++) {
        melt_deleted(doc, &txn->deletes[i]);
    }
    for (size_t i = 0; i < txn->changed_count; i++) {
        melt_new(doc, txn->changed[i].client);
    }
    for (size_t i = txn->cut_count; i > 0; i--) {
        melt_cut(doc, &txn->cuts[i - 1]);
    }
}
