/* From the document to bytes: whole states, differences, the update of a transaction, state
 * vectors, delete sets, the hash. */
#include "block.h"
#include "item.h"
#include "merge.h"
#include "update.h"

#include <stdlib.h>
#include <string.h>

/* --- clients in order ------------------------------------------------------------------------ */

static int by_id_descending(const void *a, const void *b)
{
    const struct part *left = a;
    const struct part *right = b;
    return (left->id < right->id) - (left->id > right->id);
}

/* --- structs --------------------------------------------------------------------------------- */

static struct yc_id id_of(const struct yc_doc *doc, uint32_t client, uint32_t clock)
{
    return (struct yc_id){doc->store.clients[client]->id, clock};
}

static void block_parent(const struct yc_doc *doc, const struct item *item, struct block *block)
{
    const struct yc_type *type = ycp_item_type(item);
    if (type->item == NULL) {
        block->parent = PARENT_ROOT;
        block->root = (struct yc_slice){type->name->key, type->name->len};
    } else {
        block->parent = PARENT_ID;
        block->parent_id = id_of(doc, type->item->client, type->item->clock);
    }
}

static void type_payload(const struct yc_type *type, struct yc_buf *out)
{
    ycp_put_varuint(out, (uint64_t)type->kind);
    if (type->kind == YC_XML_ELEMENT || type->kind == YC_XML_HOOK) {
        ycp_put_bytes(out, type->xml_name);
    }
}

/* What stands behind the seam, which lies at offset. */
static void put_behind_seam(struct yc_buf *out, const struct item *item, uint32_t offset,
                            uint32_t seam)
{
    struct content content = ycp_item_content(item);
    content.bytes.data += seam;
    content.bytes.len -= seam;
    content.len = item->len - offset;
    ycp_content_put(out, (enum ref)item->ref, &content, 0);
}

/* Text that begins with half a pair: its U+FFFD is not among the bytes. */
static void put_rest_of_text(struct yc_buf *out, const struct item *item, uint32_t offset)
{
    struct content content = ycp_item_content(item);
    if (offset > 0) {
        ycp_content_put(out, (enum ref)item->ref, &content, offset - 1);
        return;
    }
    ycp_put_varuint(out, content.bytes.len + YCP_REPLACEMENT_SIZE);
    ycp_put_raw(out, YCP_REPLACEMENT, YCP_REPLACEMENT_SIZE);
    ycp_put_raw(out, content.bytes.data, content.bytes.len);
}

/* seam: where the bytes of offset begin, or 0: not known. */
static void put_item(const struct yc_doc *doc, struct yc_buf *out, const struct item *item,
                     uint32_t offset, uint32_t seam)
{
    struct block block = {.id = id_of(doc, item->client, item->clock),
                          .ref = (enum ref)item->ref,
                          .content = {.len = item->len}};
    if (item->ref == REF_GC) {
        ycp_block_put(out, &block, offset);
        return;
    }
    block.has_origin = item->origin_client != NO_CLIENT;
    block.has_right = item->right_client != NO_CLIENT;
    if (block.has_origin) {
        block.origin = id_of(doc, item->origin_client, item->origin_clock);
    }
    if (block.has_right) {
        block.right = id_of(doc, item->right_client, item->right_clock);
    }
    const struct entry *entry = ycp_item_entry(item);
    block.has_key = entry != NULL;
    if (!block.has_origin && !block.has_right) {
        block_parent(doc, item, &block);
        if (entry != NULL) {
            block.key = (struct yc_slice){entry->key, entry->len};
        }
    }
    ycp_block_put_head(out, &block, offset);
    if (item->ref == REF_TYPE) {
        type_payload(item->content.type, out);
    } else if (offset > 0 && seam > 0 && item->size > 0) {
        put_behind_seam(out, item, offset, seam);
    } else if (item->flags & ITEM_CUT_HEAD) {
        put_rest_of_text(out, item, offset);
    } else {
        struct content content = ycp_item_content(item);
        ycp_content_put(out, (enum ref)item->ref, &content, offset);
    }
}

/* Items lie all over the memory: they are asked for a little before they are needed. */
static void fetch_ahead(const struct leaf *leaf, uint32_t index)
{
#if defined(__GNUC__)
    if (index + 4 < leaf->count) {
        __builtin_prefetch(leaf->items[index + 4]);
        __builtin_prefetch((const char *)leaf->items[index + 4] + 64);
    }
#else
    (void)leaf;
    (void)index;
#endif
}

/* The structs of one client from a clock < its state on. */
static void put_part(const struct yc_doc *doc, struct yc_buf *out, const struct part *part)
{
    const struct store *store = &doc->store;
    const struct client *client = store->clients[part->client];
    struct place place = ycp_store_find(store, part->client, part->from);
    size_t count = client->leaves[place.leaf].leaf->count - place.index;
    for (size_t leaf = place.leaf + 1; leaf < client->leaf_count; leaf++) {
        count += client->leaves[leaf].leaf->count;
    }
    ycp_put_varuint(out, count);
    ycp_put_varuint(out, part->id);
    ycp_put_varuint(out, part->from);
    uint32_t offset = part->from - ycp_store_at(store, part->client, place)->clock;
    uint32_t seam = client->changed && part->from == client->before ? client->seam : 0;
    for (; place.leaf < client->leaf_count; place = (struct place){place.leaf + 1, 0}) {
        const struct leaf *leaf = client->leaves[place.leaf].leaf;
        for (; place.index < leaf->count; place.index++) {
            fetch_ahead(leaf, place.index);
            put_item(doc, out, leaf->items[place.index], offset, seam);
            offset = 0;
            seam = 0;
        }
    }
}

static void put_parts(const struct yc_doc *doc, struct yc_buf *out, struct part *parts,
                      size_t count)
{
    if (count > 1) {
        qsort(parts, count, sizeof *parts, by_id_descending);
    }
    ycp_put_varuint(out, count);
    for (size_t i = 0; i < count; i++) {
        put_part(doc, out, &parts[i]);
    }
}

/* --- the update of a transaction ------------------------------------------------------------- */

bool ycp_encode_reserve(struct yc_doc *doc, size_t structs, size_t bytes, size_t deletes)
{
    /* Per struct: info, two ids, a parent, lengths, and a character that was cut in two. Per
     * deleted range: its client, count, clock and length. */
    const size_t struct_max = 64;
    const size_t delete_max = 32;
    const size_t heads = 64;
    if (structs > SIZE_MAX / 256 || deletes > SIZE_MAX / 256) {
        doc->store.heap.over = true;
        return false;
    }
    return ycp_buf_reserve(&doc->out,
                           heads + structs * struct_max + deletes * delete_max + bytes);
}

/* Room for an update that stays for the next one. */
#define OUT_KEPT 4096

void ycp_encode_begin(struct yc_doc *doc)
{
    ycp_buf_begin(&doc->out);
    ycp_buf_trim(&doc->out, OUT_KEPT);
}

void ycp_encode_transaction(struct yc_doc *doc, bool wanted)
{
    struct yc_txn *txn = &doc->txn;
    ycp_buf_begin(&doc->out);
    if (wanted && (txn->changed_count > 0 || txn->deletes.count > 0)) {
        put_parts(doc, &doc->out, txn->changed, txn->changed_count);
        ycp_idset_put(&doc->out, &txn->deletes);
    }
    ycp_buf_trim(&doc->out, OUT_KEPT);
}

/* --- whole states ---------------------------------------------------------------------------- */

/* All clients that have structs, highest id first. */
struct census {
    struct heap heap;
    struct part *parts;
    size_t cap;
    size_t count;
};

static bool census_take(struct census *census, const struct yc_doc *doc,
                        const struct yc_allocator *allocator)
{
    *census = (struct census){0};
    census->heap.allocator = allocator != NULL ? *allocator : ycp_libc_allocator;
    census->heap.limit = SIZE_MAX;
    if (!ycp_grow(&census->heap, &census->parts, &census->cap, doc->store.client_count,
                  sizeof *census->parts)) {
        return false;
    }
    for (size_t i = 0; i < doc->store.client_count; i++) {
        if (doc->store.clients[i]->state > 0) {
            census->parts[census->count++] =
                (struct part){doc->store.clients[i]->id, (uint32_t)i, 0};
        }
    }
    if (census->count > 1) {
        qsort(census->parts, census->count, sizeof *census->parts, by_id_descending);
    }
    return true;
}

static void census_finish(struct census *census)
{
    ycp_free(&census->heap, census->parts, census->cap * sizeof *census->parts);
}

enum yc_status yc_encode_state_vector(const struct yc_doc *doc, struct yc_buf *out)
{
    struct census census;
    ycp_buf_begin(out);
    if (!census_take(&census, doc, out->allocator)) {
        return YC_MEMORY;
    }
    ycp_put_varuint(out, census.count);
    for (size_t i = 0; i < census.count; i++) {
        ycp_put_varuint(out, census.parts[i].id);
        ycp_put_varuint(out, ycp_client_state(&doc->store, census.parts[i].client));
    }
    census_finish(&census);
    return ycp_buf_end(out);
}

static bool gather_deleted(const struct yc_doc *doc, struct census *census, uint32_t client,
                           struct id_set *deleted)
{
    uint64_t id = doc->store.clients[client]->id;
    struct place place = {0};
    uint32_t start;
    uint32_t end;
    while (ycp_store_next_deleted(&doc->store, client, &place, &start, &end)) {
        struct id_range range = {id, start, end - start};
        if (!ycp_idset_add(deleted, &census->heap, range)) {
            return false;
        }
    }
    return true;
}

/* The delete set of the document. */
static void put_deleted(const struct yc_doc *doc, struct yc_buf *out, struct census *census)
{
    struct id_set deleted = {0};
    for (size_t i = 0; i < census->count && !out->failed; i++) {
        out->failed = !gather_deleted(doc, census, census->parts[i].client, &deleted);
    }
    ycp_idset_put(out, &deleted);
    ycp_idset_free(&deleted, &census->heap);
}

enum yc_status yc_encode_delete_set(const struct yc_doc *doc, struct yc_buf *out)
{
    struct census census;
    ycp_buf_begin(out);
    if (!census_take(&census, doc, out->allocator)) {
        return YC_MEMORY;
    }
    put_deleted(doc, out, &census);
    census_finish(&census);
    return ycp_buf_end(out);
}

/* Moves the census's parts on to what a state vector lacks. Of a client named twice the last
 * counts, as in Yjs. False: malformed. */
static bool census_move_on(const struct yc_doc *doc, struct census *census,
                           struct yc_slice state_vector)
{
    struct reader reader = ycp_reader(state_vector);
    uint64_t count = ycp_get_varuint(&reader);
    if (count > ycp_left(&reader) / 2) {
        return false;
    }
    for (uint64_t i = 0; i < count && !reader.bad; i++) {
        struct part key = {.id = ycp_get_varuint(&reader)};
        uint64_t clock = ycp_get_varuint(&reader);
        struct part *part = census->count == 0
                                ? NULL
                                : bsearch(&key, census->parts, census->count,
                                          sizeof *census->parts, by_id_descending);
        if (part != NULL) {
            uint32_t state = ycp_client_state(&doc->store, part->client);
            part->from = clock < state ? (uint32_t)clock : state;
        }
    }
    return !reader.bad && ycp_left(&reader) == 0;
}

/* The state without what is pending. */
static void put_state(const struct yc_doc *doc, struct yc_buf *out, struct census *census)
{
    size_t lacking = 0;
    for (size_t i = 0; i < census->count; i++) {
        lacking +=
            census->parts[i].from < ycp_client_state(&doc->store, census->parts[i].client);
    }
    ycp_put_varuint(out, lacking);
    for (size_t i = 0; i < census->count; i++) {
        const struct part *part = &census->parts[i];
        if (part->from < ycp_client_state(&doc->store, part->client)) {
            put_part(doc, out, part);
        }
    }
    put_deleted(doc, out, census);
}

/* The pending structs that a holder of state_vector lacks, and none of clocks that the document
 * holds itself: what is held stands above what waits. What is held in part, then in another version, is
 * not cut: the rest would no longer wait. */
static enum yc_status pending_structs(const struct yc_doc *doc, struct yc_slice state_vector,
                                      struct yc_buf *out)
{
    struct yc_buf all = {.allocator = out->allocator};
    struct yc_buf own = {.allocator = out->allocator};
    struct yc_buf beyond = {.allocator = out->allocator};
    enum yc_status status = ycp_waits_merge(&doc->waits, NULL, &all);
    status = status == YC_OK ? yc_encode_state_vector(doc, &own) : status;
    if (status == YC_OK) {
        status = ycp_diff_whole(yc_buf_slice(&all), yc_buf_slice(&own), &beyond);
    }
    if (status == YC_OK) {
        status = yc_diff_update(yc_buf_slice(&beyond), state_vector, out);
    }
    yc_buf_free(&all);
    yc_buf_free(&own);
    yc_buf_free(&beyond);
    return status;
}

/* The state in out, melted with what is pending of structs and deletes. */
static enum yc_status add_pending(const struct yc_doc *doc, struct yc_slice state_vector,
                                  struct yc_buf *out)
{
    struct yc_buf state = *out;
    struct yc_buf deletes = {.allocator = out->allocator};
    struct yc_buf structs = {.allocator = out->allocator};
    static const uint8_t nothing[] = {0};
    struct yc_slice vector =
        state_vector.len > 0 ? state_vector : (struct yc_slice){nothing, 1};
    *out = (struct yc_buf){.allocator = state.allocator};
    struct yc_slice parts[3] = {yc_buf_slice(&state)};
    size_t count = 1;
    enum yc_status status = YC_OK;
    if (doc->pending_deletes.count > 0) {
        ycp_buf_begin(&deletes);
        ycp_put_varuint(&deletes, 0);
        ycp_idset_put(&deletes, &doc->pending_deletes);
        status = ycp_buf_end(&deletes);
        parts[count++] = yc_buf_slice(&deletes);
    }
    if (status == YC_OK && doc->waits.count > 0) {
        status = pending_structs(doc, vector, &structs);
        parts[count++] = yc_buf_slice(&structs);
    }
    if (status == YC_OK) {
        status = yc_merge_updates(parts, count, out);
    }
    yc_buf_free(&state);
    yc_buf_free(&deletes);
    yc_buf_free(&structs);
    return status;
}

enum yc_status yc_encode_state(const struct yc_doc *doc, struct yc_slice state_vector,
                               struct yc_buf *out)
{
    struct census census;
    ycp_buf_begin(out);
    if (!census_take(&census, doc, out->allocator)) {
        return YC_MEMORY;
    }
    bool good = state_vector.len == 0 || census_move_on(doc, &census, state_vector);
    if (good) {
        put_state(doc, out, &census);
    }
    census_finish(&census);
    enum yc_status status = good ? ycp_buf_end(out) : YC_MALFORMED;
    if (status == YC_OK && ycp_pending_bytes(doc) > 0) {
        status = add_pending(doc, state_vector, out);
    }
    return status;
}

/* --- the hash -------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ (hash >> 32);
}

/* One client's share: its state and the clocks that are deleted in it. */
static uint64_t hash_client(const struct yc_doc *doc, uint32_t client)
{
    const struct store *store = &doc->store;
    uint64_t hash = mix(mix(UINT64_C(0x9e3779b97f4a7c15), store->clients[client]->id),
                        store->clients[client]->state);
    struct place place = {0};
    uint32_t start;
    uint32_t end;
    while (ycp_store_next_deleted(store, client, &place, &start, &end)) {
        hash = mix(mix(hash, start), end);
    }
    return hash;
}

/* Clients are summed up, so that their order does not matter and nothing has to be sorted. */
uint64_t yc_hash(const struct yc_doc *doc)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < doc->store.client_count; i++) {
        if (doc->store.clients[i]->state > 0) {
            hash += hash_client(doc, i);
        }
    }
    return mix(hash, 0);
}
