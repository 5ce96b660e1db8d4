/* See item.h. An item's bytes are a slice of a chunk: cutting copies nothing, and an item that is
 * typed on grows in place until somebody else's text follows in the chunk; then it moves, once,
 * into a chunk of its own that doubles as it grows. Types die by a list, not by recursion. */
#include "item.h"

#include "utf8.h"

#include <string.h>

/* --- looking --------------------------------------------------------------------------------- */

struct yc_type *ycp_item_type(const struct item *item)
{
    return item->flags & ITEM_KEYED ? item->owner.entry->type : item->owner.type;
}

struct entry *ycp_item_entry(const struct item *item)
{
    return item->flags & ITEM_KEYED ? item->owner.entry : NULL;
}

static bool has_bytes(const struct item *item)
{
    return item->ref != REF_GC && item->ref != REF_DELETED && item->ref != REF_TYPE;
}

struct content ycp_item_content(const struct item *item)
{
    struct content content = {item->len - (item->flags & ITEM_CUT_HEAD ? 1u : 0u), {NULL, 0}};
    if (has_bytes(item) && item->content.chunk != NULL) {
        content.bytes.data = item->content.chunk->bytes + item->offset;
        content.bytes.len = item->size;
    }
    return content;
}

/* Bytes from which on a content that is not plain ASCII is long. */
#define LONG_BYTES 1024

static bool is_long(enum ref ref, const struct content *content)
{
    return content->bytes.len > LONG_BYTES && ycp_content_splittable(ref) &&
           (ref != REF_STRING || content->bytes.len != content->len);
}

bool ycp_item_is_long(const struct item *item)
{
    if (!has_bytes(item)) {
        return false;
    }
    struct content content = ycp_item_content(item);
    return is_long((enum ref)item->ref, &content);
}

void ycp_note_long(struct yc_doc *doc, enum ref ref, const struct content *content)
{
    doc->has_long = doc->has_long || is_long(ref, content);
}

/* --- chunks ---------------------------------------------------------------------------------- */

static size_t chunk_size(size_t cap)
{
    return sizeof(struct chunk) + cap;
}

static struct chunk *chunk_create(struct yc_doc *doc, size_t cap)
{
    if (cap > UINT32_MAX) {
        doc->store.heap.over = true;
        return NULL;
    }
    struct chunk *chunk = ycp_resize(&doc->store.heap, NULL, 0, chunk_size(cap));
    if (chunk != NULL) {
        *chunk = (struct chunk){.refs = 1, .cap = (uint32_t)cap};
    }
    return chunk;
}

static void chunk_unref(struct yc_doc *doc, struct chunk *chunk)
{
    if (chunk != NULL && --chunk->refs == 0) {
        ycp_free(&doc->store.heap, chunk, chunk_size(chunk->cap));
    }
}

bool ycp_content_reserve(struct yc_doc *doc, size_t size)
{
    if (size == 0 || (doc->chunk != NULL && doc->chunk->cap - doc->chunk->used >= size)) {
        return true;
    }
    /* Small documents have small chunks. */
    size_t usual = doc->store.heap.used / 8;
    usual = usual < 64 ? 64 : usual > 4096 ? 4096 : usual;
    struct chunk *chunk = chunk_create(doc, size < usual ? usual : size);
    if (chunk == NULL) {
        return false;
    }
    chunk_unref(doc, doc->chunk);
    doc->chunk = chunk;
    return true;
}

void ycp_content_trim(struct yc_doc *doc)
{
    if (doc->chunk != NULL && doc->chunk->used == 0) {
        chunk_unref(doc, doc->chunk);
        doc->chunk = NULL;
    }
}

void ycp_item_set_bytes(struct yc_doc *doc, struct item *item, struct yc_slice bytes)
{
    if (bytes.len == 0) {
        return;
    }
    struct chunk *chunk = doc->chunk;
    memcpy(chunk->bytes + chunk->used, bytes.data, bytes.len);
    item->content.chunk = chunk;
    item->offset = chunk->used;
    item->size = (uint32_t)bytes.len;
    chunk->used += item->size;
    chunk->refs++;
}

void ycp_item_release(struct yc_doc *doc, struct item *item)
{
    if (item->ref == REF_TYPE) {
        if (item->content.type != NULL) {
            ycp_type_destroy(item->content.type);
        }
    } else if (has_bytes(item)) {
        chunk_unref(doc, item->content.chunk);
    }
    item->content.chunk = NULL;
    item->size = 0;
    item->flags &= (uint8_t)~ITEM_CUT_HEAD;
}

/* --- cutting --------------------------------------------------------------------------------- */

/* Divides the bytes of an item between it and right, its other part. A cut inside a surrogate pair
 * leaves a U+FFFD on either side: over the pair's own bytes on the left, as a flag on the right. */
static void cut_bytes(struct yc_doc *doc, struct item *item, struct item *right, uint32_t units)
{
    struct content content = ycp_item_content(item);
    if (item->flags & ITEM_CUT_HEAD) {
        units--;
    }
    struct utf8_cut cut = {0, 0};
    if (units > 0) {
        cut = ycp_content_cut(item->ref, &content, units);
    }
    right->content.chunk = item->content.chunk;
    right->offset = item->offset + (uint32_t)cut.after;
    right->size = item->size - (uint32_t)cut.after;
    item->size = (uint32_t)cut.before;
    if (cut.after != cut.before) {
        memcpy(item->content.chunk->bytes + item->offset + cut.before, YCP_REPLACEMENT,
               YCP_REPLACEMENT_SIZE);
        item->size += YCP_REPLACEMENT_SIZE;
        right->flags |= ITEM_CUT_HEAD;
        doc->version++;
    }
    right->content.chunk->refs++;
}

/* Cuts the item at a place so that its right part, which is returned, begins diff clocks on. */
static struct item *cut(struct yc_doc *doc, struct place place, struct item *item,
                        uint32_t diff)
{
    struct item *right = ycp_item_take(&doc->store);
    right->client = item->client;
    right->clock = item->clock + diff;
    right->len = item->len - diff;
    right->origin_client = item->client;
    right->origin_clock = right->clock - 1;
    right->right_client = item->right_client;
    right->right_clock = item->right_clock;
    right->depth = item->depth + diff;
    right->noted.client = NO_CLIENT;
    if (item->least_depth > right->depth) {
        item->least_depth = right->depth;
    }
    right->owner = item->owner;
    right->ref = item->ref;
    right->flags = item->flags & (uint8_t)~ITEM_CUT_HEAD;
    if (has_bytes(item) && item->content.chunk != NULL) {
        cut_bytes(doc, item, right, diff);
    }
    item->len = diff;
    right->left = item;
    right->right = item->right;
    item->right = right;
    if (right->right != NULL) {
        right->right->left = right;
    } else if (right->flags & ITEM_KEYED) {
        right->owner.entry->is.last = right;
    }
    ycp_store_insert_after(&doc->store, place, right);
    struct yc_type *type = ycp_item_type(right);
    doc->nested_items += type->item != NULL;
    ycp_txn_note_cut(doc, right);
    return right;
}

struct item *ycp_item_clean_start(struct yc_doc *doc, uint32_t client, uint32_t clock)
{
    struct place place = ycp_store_find(&doc->store, client, clock);
    struct item *item = ycp_store_at(&doc->store, client, place);
    if (item->clock < clock && item->ref != REF_GC) {
        return cut(doc, place, item, clock - item->clock);
    }
    return item;
}

struct item *ycp_item_clean_end(struct yc_doc *doc, uint32_t client, uint32_t clock)
{
    struct place place = ycp_store_find(&doc->store, client, clock);
    struct item *item = ycp_store_at(&doc->store, client, place);
    if (clock != ycp_item_last_clock(item) && item->ref != REF_GC) {
        cut(doc, place, item, clock - item->clock + 1);
    }
    return item;
}

/* --- deleting -------------------------------------------------------------------------------- */

/* Marks one item; the type that it holds joins the dying ones. */
static void mark_deleted(struct yc_doc *doc, struct item *item, struct yc_type **dying)
{
    if (!(item->flags & ITEM_KEYED) && ycp_content_countable(item->ref)) {
        item->owner.type->length -= item->len;
    }
    ycp_store_delete(&doc->store, item);
    ycp_txn_note_delete(doc, item);
    if (item->ref == REF_TYPE) {
        item->content.type->next = *dying;
        *dying = item->content.type;
    }
}

/* One item of a dying type. What was deleted long ago may melt with what is deleted now. */
static void mark_child(struct yc_doc *doc, struct item *item, struct yc_type **dying)
{
    if (!ycp_item_deleted(item)) {
        mark_deleted(doc, item, dying);
    } else if (ycp_txn_is_old(doc, item)) {
        ycp_txn_note_cut(doc, item);
    }
}

void ycp_item_delete(struct yc_doc *doc, struct item *item)
{
    struct yc_type *dying = NULL;
    if (ycp_item_deleted(item)) {
        return;
    }
    mark_deleted(doc, item, &dying);
    while (dying != NULL) {
        struct yc_type *type = dying;
        dying = type->next;
        type->next = NULL;
        for (struct item *child = type->start; child != NULL; child = child->right) {
            mark_child(doc, child, &dying);
        }
        for (struct entry *entry = type->entries; entry != NULL; entry = entry->next) {
            mark_child(doc, entry->is.last, &dying);
        }
    }
}

/* --- collecting ------------------------------------------------------------------------------ */

void ycp_item_become_gc(struct item *item)
{
    item->ref = REF_GC;
    item->flags = ITEM_DELETED;
    item->content.chunk = NULL;
    item->owner.type = NULL;
    item->left = NULL;
    item->right = NULL;
    item->origin_client = NO_CLIENT;
    item->right_client = NO_CLIENT;
}

/* What is left of a child whose type was collected: a hole of its length. */
static void collect_child(struct yc_doc *doc, struct item *item, struct yc_type **dying)
{
    if (item->ref == REF_TYPE) {
        item->content.type->next = *dying;
        *dying = item->content.type;
    } else {
        ycp_item_release(doc, item);
    }
    ycp_item_become_gc(item);
    doc->nested_items--;
}

static void collect_list(struct yc_doc *doc, struct item *item, bool leftwards,
                         struct yc_type **dying)
{
    while (item != NULL) {
        struct item *next = leftwards ? item->left : item->right;
        collect_child(doc, item, dying);
        item = next;
    }
}

static void collect_types(struct yc_doc *doc, struct yc_type *dying)
{
    while (dying != NULL) {
        struct yc_type *type = dying;
        dying = type->next;
        collect_list(doc, type->start, false, &dying);
        for (struct entry *entry = type->entries; entry != NULL; entry = entry->next) {
            collect_list(doc, entry->is.last, true, &dying);
        }
        ycp_type_destroy(type);
    }
}

void ycp_item_collect(struct yc_doc *doc, struct item *item)
{
    if (item->ref == REF_GC || item->ref == REF_DELETED) {
        return;
    }
    if (item->ref == REF_TYPE) {
        struct yc_type *type = item->content.type;
        type->next = NULL;
        collect_types(doc, type);
    } else {
        ycp_item_release(doc, item);
    }
    item->ref = REF_DELETED;
    item->content.chunk = NULL;
    item->size = 0;
    item->flags &= (uint8_t)~ITEM_CUT_HEAD;
}

/* --- melting --------------------------------------------------------------------------------- */

static bool continues(const struct item *left, const struct item *right)
{
    return left->right == right && right->origin_client == left->client &&
           right->origin_clock == ycp_item_last_clock(left) &&
           left->right_client == right->right_client &&
           (left->right_client == NO_CLIENT || left->right_clock == right->right_clock) &&
           ycp_content_splittable(left->ref);
}

/* Moves left's bytes to a chunk of its own, with room for half as much again, or less near the limit. */
static bool move_to_own_chunk(struct yc_doc *doc, struct item *left, size_t more)
{
    size_t need = left->size + more;
    bool tight = doc->store.heap.used + need + need / 2 > ycp_bytes_to_hold(doc);
    size_t cap = need + need / (tight ? 16 : 2);
    if (doc->store.heap.used + cap > doc->limits.bytes) {
        return false; /* although there is more room while an update is applied */
    }
    struct chunk *chunk = chunk_create(doc, cap);
    if (chunk == NULL) {
        return false;
    }
    const struct chunk *old = left->content.chunk;
    if (old != NULL) {
        memcpy(chunk->bytes, old->bytes + left->offset, left->size);
    }
    chunk->used = left->size;
    chunk_unref(doc, left->content.chunk);
    left->content.chunk = chunk;
    left->offset = 0;
    return true;
}

/* Whether more bytes can follow those of an item where they are. */
static bool can_grow(const struct item *item, size_t more)
{
    const struct chunk *chunk = item->content.chunk;
    return chunk != NULL && item->offset + item->size == chunk->used &&
           chunk->cap - chunk->used >= more;
}

static void append_bytes(struct item *item, const void *bytes, uint32_t size)
{
    struct chunk *chunk = item->content.chunk;
    memcpy(chunk->bytes + chunk->used, bytes, size);
    chunk->used += size;
    item->size += size;
}

/* Without memory nothing is lost: the two just stay two. Half a pair has no bytes, and so perhaps
 * no chunk. */
static bool join_bytes(struct yc_doc *doc, struct item *left, const struct item *right)
{
    const struct chunk *from = right->content.chunk;
    bool head = (right->flags & ITEM_CUT_HEAD) != 0;
    if (!head && left->content.chunk == from && left->offset + left->size == right->offset) {
        left->size += right->size;
        return true;
    }
    size_t more = right->size + (head ? YCP_REPLACEMENT_SIZE : 0u);
    if (!can_grow(left, more) && !move_to_own_chunk(doc, left, more)) {
        return false;
    }
    if (head) {
        append_bytes(left, YCP_REPLACEMENT, YCP_REPLACEMENT_SIZE);
    }
    if (from != NULL) {
        append_bytes(left, from->bytes + right->offset, right->size);
    }
    return true;
}

bool ycp_item_can_melt(const struct item *left, const struct item *right)
{
    return left->ref == right->ref && ycp_item_deleted(left) == ycp_item_deleted(right) &&
           (left->ref == REF_GC || continues(left, right));
}

/* An item melts into one that had so many bytes. Notes where the new structs of the client
 * begin in it, so that they are found there when they are passed on. */
static void note_seam(struct yc_doc *doc, uint32_t size, const struct item *right)
{
    struct client *client = doc->store.clients[right->client];
    if (!client->changed || client->before < right->clock ||
        client->before - right->clock >= right->len) {
        return;
    }
    if (client->before == right->clock) {
        client->seam = size;
    } else if (client->seam > 0) {
        client->seam += size + (right->flags & ITEM_CUT_HEAD ? YCP_REPLACEMENT_SIZE : 0);
    }
}

bool ycp_item_melt(struct yc_doc *doc, struct item *left, struct item *right)
{
    if (!ycp_item_can_melt(left, right)) {
        return false;
    }
    if (left->ref != REF_GC) {
        uint32_t size = left->size;
        if (has_bytes(left) && !join_bytes(doc, left, right)) {
            return false;
        }
        note_seam(doc, size, right);
        left->right = right->right;
        if (right->right != NULL) {
            right->right->left = left;
        } else if (right->flags & ITEM_KEYED) {
            right->owner.entry->is.last = left;
        }
        doc->nested_items -= ycp_item_type(right)->item != NULL;
    }
    left->len += right->len;
    doc->has_long = doc->has_long || ycp_item_is_long(left);
    ycp_item_release(doc, right);
    ycp_item_give(&doc->store, right);
    return true;
}
