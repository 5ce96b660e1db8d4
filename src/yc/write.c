/* See write.h: transactions of this side, and what their calls have in common. */
#include "write.h"

#include "integrate.h"
#include "json.h"
#include "update.h"
#include "utf8.h"

/* --- transactions ---------------------------------------------------------------------------- */

enum yc_status yc_begin(struct yc_doc *doc, uint64_t client, struct yc_txn **txn)
{
    if (doc->txn.open) {
        return YC_BUSY;
    }
    if (client > YCP_MAX_INTEGER) {
        return YC_LIMIT;
    }
    ycp_encode_begin(doc);
    doc->txn.open = true;
    doc->txn.client = client;
    doc->txn.known_clients = doc->store.client_count;
    doc->txn.total_structs = 0;
    doc->txn.total_bytes = 0;
    doc->txn.total_deletes = 0;
    *txn = &doc->txn;
    return YC_OK;
}

/* Whether anything waits for what the transaction has written. */
static bool wishes_held(const struct yc_doc *doc)
{
    for (size_t i = 0; i < doc->txn.changed_count; i++) {
        const struct part *part = &doc->txn.changed[i];
        size_t first = ycp_waits_find(&doc->waits, (struct yc_id){part->id, part->from});
        if (first < doc->waits.count && doc->waits.wishes[first].id.client == part->id &&
            doc->waits.wishes[first].id.clock < ycp_client_state(&doc->store, part->client)) {
            return true;
        }
    }
    return false;
}

struct yc_slice yc_commit(struct yc_txn *txn)
{
    struct yc_doc *doc = txn->doc;
    doc->version += txn->changed_count > 0 || txn->deletes.count > 0;
    doc->wishes_held = doc->wishes_held || wishes_held(doc);
    ycp_txn_clean(doc);
    ycp_encode_transaction(doc, true);
    ycp_txn_clear(doc);
    yc_buf_free(&txn->scratch);
    txn->open = false;
    /* A client that has written nothing in the end is none. */
    if (ycp_client_state(&doc->store, ycp_client_find(&doc->store, txn->client)) == 0) {
        ycp_clients_truncate(&doc->store, txn->known_clients);
    }
    return yc_buf_slice(&doc->out);
}

/* --- setting aside --------------------------------------------------------------------------- */

static enum yc_status own_client(struct yc_txn *txn, size_t clocks, uint32_t *client)
{
    struct yc_doc *doc = txn->doc;
    *client = ycp_client_find(&doc->store, txn->client);
    if (*client == NO_CLIENT) {
        if (doc->store.client_count >= doc->limits.clients) {
            return YC_LIMIT;
        }
        *client = ycp_client_make(&doc->store, txn->client);
        if (*client == NO_CLIENT) {
            return ycp_refusal(&doc->store.heap);
        }
    }
    uint64_t state = ycp_client_state(&doc->store, *client);
    return clocks > doc->limits.clock - state ? YC_LIMIT : YC_OK;
}

static bool reserve_leaves(struct store *store, uint32_t own, const struct needs *needs,
                           size_t structs)
{
    size_t leaves = 0;
    bool ok = ycp_store_reserve_client(store, own, structs, &leaves);
    for (size_t i = 0; i < 2 && ok; i++) {
        if (needs->cut[i] != NULL) {
            ok = ycp_store_reserve_client(store, needs->cut[i]->client, structs, &leaves);
        }
    }
    return ok && ycp_store_reserve_leaves(store, leaves);
}

enum yc_status ycp_write_reserve(struct yc_txn *txn, const struct needs *needs)
{
    struct yc_doc *doc = txn->doc;
    struct store *store = &doc->store;
    uint32_t own;
    enum yc_status status = own_client(txn, needs->clocks, &own);
    if (status != YC_OK) {
        return status;
    }
    size_t cuts = (needs->cut[0] != NULL ? 1u : 0u) + (needs->cut[1] != NULL ? 1u : 0u);
    size_t structs = needs->items + cuts;
    size_t told = needs->bytes + needs->names;
    size_t nested = needs->types ? doc->nested_items + structs : 0;
    /* What is written into a type that was deleted before is deleted at once. */
    size_t deletes = needs->deletes + needs->items + nested;
    /* Nothing is deleted twice. */
    size_t most = store->item_count + structs;
    size_t total_deletes =
        txn->total_deletes + deletes < most ? txn->total_deletes + deletes : most;
    ycp_buf_begin(&doc->out); /* an earlier call may have been refused */
    bool ok = reserve_leaves(store, own, needs, structs) &&
              ycp_store_reserve_items(store, structs) &&
              ycp_content_reserve(doc, needs->bytes) &&
              ycp_txn_reserve(doc, deletes, cuts + nested, 1) &&
              ycp_encode_reserve(doc, txn->total_structs + structs, txn->total_bytes + told,
                                 total_deletes);
    if (!ok) {
        return ycp_refusal(&store->heap);
    }
    if (needs->items > 0 && store->heap.used - doc->out.cap > ycp_bytes_to_hold(doc)) {
        return YC_LIMIT;
    }
    txn->total_structs += structs;
    txn->total_bytes += told;
    txn->total_deletes = total_deletes;
    return YC_OK;
}

struct item *ycp_write_item(struct yc_txn *txn, struct gap gap, enum ref ref,
                            const struct content *content, struct yc_type *type)
{
    struct yc_doc *doc = txn->doc;
    struct item *item = ycp_item_take(&doc->store);
    item->client = ycp_client_find(&doc->store, txn->client);
    item->clock = ycp_client_state(&doc->store, item->client);
    item->len = (uint32_t)content->len;
    item->ref = (uint8_t)ref;
    item->left = gap.left;
    item->right = gap.right;
    item->origin_client = gap.left == NULL ? NO_CLIENT : gap.left->client;
    item->origin_clock = gap.left == NULL ? 0 : ycp_item_last_clock(gap.left);
    item->right_client = gap.right == NULL ? NO_CLIENT : gap.right->client;
    item->right_clock = gap.right == NULL ? 0 : gap.right->clock;
    if (gap.entry != NULL) {
        item->owner.entry = gap.entry;
        item->flags = ITEM_KEYED;
    } else {
        item->owner.type = gap.type;
    }
    if (ref == REF_TYPE) {
        item->content.type = type;
    } else {
        ycp_item_set_bytes(doc, item, content->bytes);
    }
    ycp_integrate(doc, item);
    return item;
}

/* --- lists ----------------------------------------------------------------------------------- */

bool ycp_in_range(const struct yc_type *list, uint64_t index, uint64_t len)
{
    return index <= list->length && len <= list->length - index;
}

bool ycp_range_has_types(const struct yc_type *list, uint64_t index, uint64_t len)
{
    uint64_t offset;
    const struct item *item = ycp_list_find(list, index, &offset);
    for (uint64_t left = offset + len; item != NULL && left > 0; item = item->right) {
        if (ycp_item_visible(item)) {
            if (item->ref == REF_TYPE) {
                return true;
            }
            left -= item->len < left ? item->len : left;
        }
    }
    return false;
}

size_t ycp_deletes_for(const struct yc_doc *doc, uint64_t len)
{
    return len < doc->store.item_count ? (size_t)len : doc->store.item_count + 2;
}

/* --- values ---------------------------------------------------------------------------------- */

static enum yc_status check_type(const struct yc_doc *doc, const struct yc_type *parent,
                                 const struct yc_value *value)
{
    if ((int)value->kind < 0 || value->kind >= YC_ANY_KIND) {
        return YC_KIND;
    }
    if (!ycp_utf8_valid(value->bytes)) {
        return YC_UTF8;
    }
    bool fits = value->bytes.len <= doc->limits.name_bytes && parent->depth < doc->limits.depth;
    return fits ? YC_OK : YC_LIMIT;
}

enum yc_status ycp_value_check(struct yc_txn *txn, const struct yc_type *type,
                               const struct yc_value *value)
{
    struct yc_doc *doc = txn->doc;
    if (value->form == YC_VALUE_TYPE) {
        return check_type(doc, type, value);
    }
    if (value->bytes.len > UINT32_MAX) {
        return YC_LIMIT;
    }
    if (value->form == YC_VALUE_BYTES) {
        return YC_OK;
    }
    if (value->form == YC_VALUE_TEXT) {
        if (!ycp_utf8_valid(value->bytes)) {
            return YC_UTF8;
        }
        ycp_any_put_text(&txn->scratch, value->bytes);
        return txn->scratch.failed ? ycp_refusal(&doc->store.heap) : YC_OK;
    }
    if (value->form != YC_VALUE_JSON || !ycp_json_valid(value->bytes, doc->limits.depth)) {
        return YC_JSON;
    }
    ycp_any_from_json(&txn->scratch, value->bytes);
    return txn->scratch.failed ? ycp_refusal(&doc->store.heap) : YC_OK;
}

struct yc_type *ycp_value_type(struct yc_txn *txn, const struct yc_value *value)
{
    bool named = value->kind == YC_XML_ELEMENT || value->kind == YC_XML_HOOK;
    struct yc_slice name = named ? value->bytes : (struct yc_slice){NULL, 0};
    return ycp_type_create(txn->doc, value->kind, name);
}
