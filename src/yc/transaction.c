/* The notes that a transaction keeps, and what is done when it ends: deleted content is collected,
 * neighbours that belong together melt into one. The same pairs are tried as in Yjs, so that the
 * same updates in the same order leave the same structs. */
#include "crowd.h"
#include "item.h"

/* --- notes ----------------------------------------------------------------------------------- */

bool ycp_txn_reserve(struct yc_doc *doc, size_t deletes, size_t cuts, size_t clients)
{
    struct heap *heap = &doc->store.heap;
    struct yc_txn *txn = &doc->txn;
    return ycp_grow(heap, &txn->deletes.ranges, &txn->deletes.cap, txn->deletes.count + deletes,
                    sizeof(struct id_range)) &&
           ycp_grow(heap, &txn->cuts, &txn->cut_cap, txn->cut_count + cuts,
                    sizeof(struct spot)) &&
           ycp_grow(heap, &txn->changed, &txn->changed_cap, txn->changed_count + clients,
                    sizeof(struct part));
}

void ycp_txn_note_delete(struct yc_doc *doc, const struct item *item)
{
    uint64_t id = doc->store.clients[item->client]->id;
    struct id_range range = {id, item->clock, item->len};
    (void)ycp_idset_add(&doc->txn.deletes, &doc->store.heap, range); /* the room is there */
}

void ycp_txn_note_cut(struct yc_doc *doc, const struct item *item)
{
    doc->txn.cuts[doc->txn.cut_count++] = (struct spot){item->client, item->clock};
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
        owner->seam = 0;
        doc->txn.changed[doc->txn.changed_count++] =
            (struct part){owner->id, client, owner->before};
    }
}

/* Room for the notes of ordinary transactions stays, that of large ones does not. */
static void notes_trim(struct yc_doc *doc)
{
    const size_t kept = 256;
    struct heap *heap = &doc->store.heap;
    struct yc_txn *txn = &doc->txn;
    if (txn->deletes.cap > kept) {
        ycp_idset_free(&txn->deletes, heap);
    }
    if (txn->cut_cap > kept) {
        ycp_free(heap, txn->cuts, txn->cut_cap * sizeof(struct spot));
        txn->cuts = NULL;
        txn->cut_cap = 0;
    }
    if (txn->changed_cap > kept) {
        ycp_free(heap, txn->changed, txn->changed_cap * sizeof(struct part));
        txn->changed = NULL;
        txn->changed_cap = 0;
    }
}

void ycp_txn_clear(struct yc_doc *doc)
{
    struct yc_txn *txn = &doc->txn;
    for (size_t i = 0; i < txn->changed_count; i++) {
        doc->store.clients[txn->changed[i].client]->changed = false;
    }
    txn->changed_count = 0;
    txn->deletes.count = 0;
    txn->cut_count = 0;
    notes_trim(doc);
    ycp_content_trim(doc);
    ycp_store_trim(&doc->store);
}

/* --- collecting ------------------------------------------------------------------------------ */

static void collect(struct yc_doc *doc, const struct id_range *deleted)
{
    struct store *store = &doc->store;
    uint32_t client = ycp_client_find(store, deleted->client);
    struct place place = ycp_store_find(store, client, (uint32_t)deleted->clock);
    do {
        struct item *item = ycp_store_at(store, client, place);
        if (item->clock >= deleted->clock + deleted->len) {
            return;
        }
        if (ycp_item_deleted(item)) {
            ycp_item_collect(doc, item);
        }
    } while (ycp_place_next(store, client, &place));
}

/* --- melting --------------------------------------------------------------------------------- */

/* Melts the struct at a place into the ones left of it, as far as it goes; place moves to what is
 * left. Returns how many are gone. From left to right, so that what grows is written to at its end
 * and not copied with each step. */
static size_t melt_leftwards(struct yc_doc *doc, uint32_t client, struct place *place)
{
    struct store *store = &doc->store;
    size_t more = 0;
    struct place left = *place;
    enum ref ref = (enum ref)ycp_store_at(store, client, left)->ref;
    if (doc->txn.stays_apart && ref != REF_GC && ref != REF_DELETED) {
        return 0;
    }
    for (struct place at = *place;
         ycp_place_prev(store, client, &at) &&
         ycp_item_can_melt(ycp_store_at(store, client, at), ycp_store_at(store, client, left));
         left = at) {
        more++;
    }
    size_t gone = 0;
    *place = left;
    for (; more > 0; more--) {
        struct place right = *place;
        ycp_place_next(store, client, &right);
        if (ycp_item_melt(doc, ycp_store_at(store, client, *place),
                          ycp_store_at(store, client, right))) {
            ycp_store_remove(store, client, right);
            gone++;
        } else {
            doc->txn.stays_apart = true;
            *place = right;
        }
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

static void melt_deleted(struct yc_doc *doc, const struct id_range *deleted)
{
    struct store *store = &doc->store;
    uint32_t client = ycp_client_find(store, deleted->client);
    uint32_t last = (uint32_t)(deleted->clock + deleted->len - 1);
    struct place place = ycp_store_find(store, client, last);
    ycp_place_next(store, client, &place);
    melt_down_to(doc, client, place, (uint32_t)deleted->clock);
}

static void melt_new(struct yc_doc *doc, uint32_t client)
{
    const struct client *owner = doc->store.clients[client];
    uint32_t last = (uint32_t)owner->leaf_count - 1;
    struct place place = {last, owner->leaves[last].leaf->count - 1};
    melt_down_to(doc, client, place, owner->before);
}

static void melt_cut(struct yc_doc *doc, const struct spot *cut)
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
    ycp_crowds_free(doc); /* items are about to move */
    txn->passed = 0;
    txn->stays_apart = false;
    ycp_idset_normalize(&txn->deletes);
    for (size_t i = 0; i < txn->deletes.count; i++) {
        collect(doc, &txn->deletes.ranges[i]);
    }
    for (size_t i = 0; i < txn->deletes.count; i++) {
        melt_deleted(doc, &txn->deletes.ranges[i]);
    }
    for (size_t i = 0; i < txn->changed_count; i++) {
        melt_new(doc, txn->changed[i].client);
    }
    for (size_t i = txn->cut_count; i > 0; i--) {
        melt_cut(doc, &txn->cuts[i - 1]);
    }
}
