/* See doc.h: creating and ending documents, their types, and the table of keys and root names. */
#include "doc.h"

#include "hash.h"
#include "item.h"
#include "ready.h"
#include "utf8.h"

#include <string.h>

/* --- keys ------------------------------------------------------------------------------------ */

/* With the type in it, so that the same key of many types spreads. */
static uint32_t hash_key(const struct yc_doc *doc, const struct yc_type *type,
                         struct yc_slice key)
{
    return (uint32_t)ycp_hash_bytes(doc->store.seed + (uintptr_t)type, key);
}

struct entry *ycp_entry_find(const struct yc_doc *doc, const struct yc_type *type,
                             struct yc_slice key)
{
    if (doc->bucket_count == 0) {
        return NULL;
    }
    uint32_t hash = hash_key(doc, type, key);
    struct entry *entry = doc->buckets[hash & (doc->bucket_count - 1)];
    while (entry != NULL &&
           !(entry->hash == hash && entry->type == type && entry->len == key.len &&
             (key.len == 0 || memcmp(entry->key, key.data, key.len) == 0))) {
        entry = entry->chain;
    }
    return entry;
}

struct entry *ycp_entry_create(struct yc_doc *doc, struct yc_slice key)
{
    struct entry *entry = ycp_alloc(&doc->store.heap, sizeof *entry + key.len);
    if (entry != NULL) {
        entry->len = (uint32_t)key.len;
        if (key.len > 0) {
            memcpy(entry->key, key.data, key.len);
        }
    }
    return entry;
}

/* A table that cannot grow stays as it is: chains get longer, nothing fails. */
static void table_grow(struct yc_doc *doc)
{
    size_t count = doc->bucket_count == 0 ? 8 : doc->bucket_count * 2;
    struct entry **buckets = ycp_alloc(&doc->store.heap, count * sizeof(struct entry *));
    if (buckets == NULL) {
        return;
    }
    for (size_t i = 0; i < doc->bucket_count; i++) {
        for (struct entry *entry = doc->buckets[i]; entry != NULL;) {
            struct entry *next = entry->chain;
            entry->chain = buckets[entry->hash & (count - 1)];
            buckets[entry->hash & (count - 1)] = entry;
            entry = next;
        }
    }
    ycp_free(&doc->store.heap, doc->buckets, doc->bucket_count * sizeof(struct entry *));
    doc->buckets = buckets;
    doc->bucket_count = count;
}

void ycp_entry_insert(struct yc_doc *doc, struct yc_type *type, struct entry *entry)
{
    if (doc->entry_count >= doc->bucket_count) {
        table_grow(doc);
    }
    entry->type = type;
    entry->hash = hash_key(doc, type, (struct yc_slice){entry->key, entry->len});
    struct entry **bucket = &doc->buckets[entry->hash & (doc->bucket_count - 1)];
    entry->chain = *bucket;
    *bucket = entry;
    doc->entry_count++;
    if (type != NULL) {
        *(type->entries == NULL ? &type->entries : &type->last_entry->next) = entry;
        type->last_entry = entry;
    }
}

static void entry_unchain(struct yc_doc *doc, const struct entry *entry)
{
    struct entry **at = &doc->buckets[entry->hash & (doc->bucket_count - 1)];
    while (*at != entry) {
        at = &(*at)->chain;
    }
    *at = entry->chain;
    doc->entry_count--;
}

void ycp_entry_destroy(struct yc_doc *doc, struct entry *entry)
{
    if (entry != NULL) {
        ycp_free(&doc->store.heap, entry, sizeof *entry + entry->len);
    }
}

/* --- types ----------------------------------------------------------------------------------- */

struct yc_type *ycp_type_create(struct yc_doc *doc, enum yc_kind kind, struct yc_slice xml_name)
{
    struct heap *heap = &doc->store.heap;
    struct yc_type *type = ycp_alloc(heap, sizeof *type);
    if (type == NULL) {
        return NULL;
    }
    type->doc = doc;
    type->kind = kind;
    if (xml_name.len > 0) {
        uint8_t *name = ycp_resize(heap, NULL, 0, xml_name.len);
        if (name == NULL) {
            ycp_free(heap, type, sizeof *type);
            return NULL;
        }
        memcpy(name, xml_name.data, xml_name.len);
        type->xml_name = (struct yc_slice){name, xml_name.len};
    }
    return type;
}

void ycp_type_destroy(struct yc_type *type)
{
    struct yc_doc *doc = type->doc;
    for (struct entry *entry = type->entries; entry != NULL;) {
        struct entry *next = entry->next;
        entry_unchain(doc, entry);
        ycp_entry_destroy(doc, entry);
        entry = next;
    }
    ycp_free(&doc->store.heap, (void *)(uintptr_t)type->xml_name.data, type->xml_name.len);
    ycp_free(&doc->store.heap, type, sizeof *type);
}

/* --- roots ----------------------------------------------------------------------------------- */

struct yc_type *yc_find_root(const struct yc_doc *doc, struct yc_slice name)
{
    const struct entry *entry = ycp_entry_find(doc, NULL, name);
    return entry == NULL ? NULL : entry->is.root;
}

/* A root is of no kind until somebody says so. */
static enum yc_status settle_kind(struct yc_type *root, enum yc_kind kind)
{
    if (kind != YC_ANY_KIND && root->kind != YC_ANY_KIND && kind != root->kind) {
        return YC_KIND;
    }
    root->kind = kind == YC_ANY_KIND ? root->kind : kind;
    return YC_OK;
}

enum yc_status yc_root(struct yc_doc *doc, struct yc_slice name, enum yc_kind kind,
                       struct yc_type **root)
{
    *root = NULL;
    if ((int)kind < 0 || kind > YC_ANY_KIND) {
        return YC_KIND;
    }
    struct yc_type *found = yc_find_root(doc, name);
    if (found != NULL) {
        enum yc_status status = settle_kind(found, kind);
        *root = status == YC_OK ? found : NULL;
        return status;
    }
    if (!ycp_utf8_valid(name)) {
        return YC_UTF8;
    }
    if (doc->root_count >= doc->limits.roots || name.len > doc->limits.name_bytes) {
        return YC_LIMIT;
    }
    struct entry *entry = ycp_entry_create(doc, name);
    struct yc_type *type = ycp_type_create(doc, kind, (struct yc_slice){NULL, 0});
    if (doc->bucket_count == 0) {
        table_grow(doc);
    }
    if (entry == NULL || type == NULL || doc->bucket_count == 0) {
        ycp_entry_destroy(doc, entry);
        ycp_free(&doc->store.heap, type, sizeof *type);
        return ycp_refusal(&doc->store.heap);
    }
    ycp_entry_insert(doc, NULL, entry);
    entry->is.root = type;
    type->name = entry;
    *(doc->roots == NULL ? &doc->roots : &doc->last_root->next) = type;
    doc->last_root = type;
    doc->root_count++;
    *root = type;
    return YC_OK;
}

static void root_destroy(struct yc_doc *doc, struct yc_type *root)
{
    entry_unchain(doc, root->name);
    ycp_entry_destroy(doc, root->name);
    ycp_type_destroy(root);
}

void ycp_roots_truncate(struct yc_doc *doc, uint32_t count)
{
    if (doc->root_count <= count) {
        return;
    }
    struct yc_type *last = NULL;
    struct yc_type *root = doc->roots;
    for (uint32_t i = 0; i < count; i++) {
        last = root;
        root = root->next;
    }
    *(last == NULL ? &doc->roots : &last->next) = NULL;
    doc->last_root = last;
    doc->root_count = count;
    while (root != NULL) {
        struct yc_type *next = root->next;
        root_destroy(doc, root);
        root = next;
    }
}

struct yc_type *yc_next_root(const struct yc_doc *doc, const struct yc_type *previous)
{
    return previous == NULL ? doc->roots : previous->next;
}

/* --- the document ---------------------------------------------------------------------------- */

static void *resize_counted(void *ctx, void *ptr, size_t old_size, size_t size)
{
    return ycp_resize(ctx, ptr, old_size, size);
}

static void set_limits(struct yc_limits *limits)
{
    struct yc_limits defaults = {(size_t)64 << 20, (size_t)1 << 20, 65536, 1024, 64, 4096,
                                 UINT32_MAX};
    limits->bytes = limits->bytes == 0 ? defaults.bytes : limits->bytes;
    limits->pending_bytes =
        limits->pending_bytes == 0 ? defaults.pending_bytes : limits->pending_bytes;
    limits->clients = limits->clients == 0 ? defaults.clients : limits->clients;
    limits->roots = limits->roots == 0 ? defaults.roots : limits->roots;
    if (limits->depth == 0 || limits->depth > defaults.depth) {
        limits->depth = defaults.depth;
    }
    limits->name_bytes = limits->name_bytes == 0 ? defaults.name_bytes : limits->name_bytes;
    if (limits->clock == 0 || limits->clock > UINT32_MAX) {
        limits->clock = UINT32_MAX;
    }
}

size_t ycp_bytes_to_hold(const struct yc_doc *doc)
{
    return doc->limits.bytes - doc->limits.bytes / 8;
}

struct yc_doc *yc_doc_create(const struct yc_options *options)
{
    struct yc_options own = options == NULL ? (struct yc_options){0} : *options;
    const struct yc_allocator *allocator =
        own.allocator == NULL ? &ycp_libc_allocator : own.allocator;
    struct yc_doc *doc = allocator->resize(allocator->ctx, NULL, 0, sizeof *doc);
    if (doc == NULL) {
        return NULL;
    }
    memset(doc, 0, sizeof *doc);
    set_limits(&own.limits);
    uint64_t seed = own.hash_seed != 0 ? own.hash_seed : (uintptr_t)doc;
    doc->limits = own.limits;
    ycp_store_init(&doc->store, allocator, own.limits.bytes, seed);
    doc->counted = (struct yc_allocator){resize_counted, &doc->store.heap};
    doc->out.allocator = &doc->counted;
    doc->waits.bytes.allocator = &doc->counted;
    doc->txn.doc = doc;
    doc->txn.scratch.allocator = &doc->counted;
    return doc;
}

static void release_items(struct yc_doc *doc)
{
    struct store_walk walk = {0};
    for (struct item *item; (item = ycp_store_walk(&doc->store, &walk)) != NULL;) {
        ycp_item_release(doc, item);
    }
}

void yc_doc_destroy(struct yc_doc *doc)
{
    if (doc == NULL) {
        return;
    }
    struct heap *heap = &doc->store.heap;
    release_items(doc);
    ycp_roots_truncate(doc, 0);
    if (doc->chunk != NULL) {
        ycp_free(heap, doc->chunk, sizeof(struct chunk) + doc->chunk->cap);
    }
    ycp_free(heap, doc->buckets, doc->bucket_count * sizeof(struct entry *));
    ycp_idset_free(&doc->txn.deletes, heap);
    ycp_free(heap, doc->txn.cuts, doc->txn.cut_cap * sizeof(struct spot));
    ycp_free(heap, doc->txn.changed, doc->txn.changed_cap * sizeof(struct part));
    ycp_apply_free(doc);
    yc_buf_free(&doc->txn.scratch);
    yc_buf_free(&doc->out);
    ycp_waits_free(&doc->waits, heap);
    ycp_idset_free(&doc->pending_deletes, heap);
    ycp_store_finish(&doc->store);
    struct yc_allocator allocator = heap->allocator;
    allocator.resize(allocator.ctx, doc, sizeof *doc, 0);
}

size_t ycp_pending_bytes(const struct yc_doc *doc)
{
    return doc->waits.bytes.len + doc->pending_deletes.count * sizeof(struct id_range);
}

void yc_doc_stats(const struct yc_doc *doc, struct yc_stats *stats)
{
    *stats = (struct yc_stats){
        .bytes = doc->store.heap.used + sizeof *doc,
        .items = doc->store.item_count,
        .clients = (uint32_t)doc->store.client_count,
        .roots = doc->root_count,
        .pending_bytes = ycp_pending_bytes(doc),
        .pending = ycp_pending_bytes(doc) > 0,
        .version = doc->version,
    };
}
