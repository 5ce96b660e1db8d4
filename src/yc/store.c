/* See store.h. Leaves are filled to the end when a client types on, and halved when a cut puts an
 * item into a full one. A slab that items were taken from is never given back before the document
 * ends: its items are used again. What was set aside and not needed goes back after a transaction,
 * but for a little, so that ordinary edits allocate nothing. */
#include "store.h"

#include "hash.h"

#include <string.h>

/* Items of a slab, and spare leaves that stay for the next transaction. */
#define SLAB_MIN 4
#define SLAB_MAX 256
#define SPARE_LEAVES 8

struct slab {
    struct slab *next;
    size_t count; /* items in this slab */
    size_t taken; /* items that were handed out once; the rest is untouched memory */
    struct item items[];
};

/* --- beginning and end ----------------------------------------------------------------------- */

void ycp_store_init(struct store *store, const struct yc_allocator *allocator, size_t max_bytes,
                    uint64_t seed)
{
    memset(store, 0, sizeof *store);
    store->seed = seed;
    store->heap.allocator = *allocator;
    store->heap.limit = max_bytes;
}

static void client_destroy(struct store *store, struct client *client)
{
    for (size_t i = 0; i < client->leaf_count; i++) {
        ycp_free(&store->heap, client->leaves[i].leaf, sizeof(struct leaf));
    }
    ycp_free(&store->heap, client->leaves, client->leaf_cap * sizeof(struct branch));
    ycp_free(&store->heap, client, sizeof *client);
}

static size_t slab_size(size_t count)
{
    return sizeof(struct slab) + count * sizeof(struct item);
}

static void slabs_free(struct store *store, struct slab *slab)
{
    while (slab != NULL) {
        struct slab *next = slab->next;
        ycp_free(&store->heap, slab, slab_size(slab->count));
        slab = next;
    }
}

void ycp_store_finish(struct store *store)
{
    struct heap *heap = &store->heap;
    for (size_t i = 0; i < store->client_count; i++) {
        client_destroy(store, store->clients[i]);
    }
    ycp_free(heap, store->clients, store->client_cap * sizeof(struct client *));
    ycp_free(heap, store->client_table, store->table_size * sizeof *store->client_table);
    for (struct leaf *leaf = store->spare_leaves; leaf != NULL;) {
        struct leaf *next = leaf->next;
        ycp_free(heap, leaf, sizeof *leaf);
        leaf = next;
    }
    slabs_free(store, store->slabs);
    slabs_free(store, store->spare_slabs);
}

/* --- clients --------------------------------------------------------------------------------- */

static size_t slot_of(const struct store *store, uint64_t id)
{
    return (size_t)ycp_hash_u64(store->seed, id) & (store->table_size - 1);
}

uint32_t ycp_client_find(const struct store *store, uint64_t id)
{
    if (store->table_size == 0) {
        return NO_CLIENT;
    }
    for (size_t slot = slot_of(store, id);; slot = (slot + 1) & (store->table_size - 1)) {
        uint32_t entry = store->client_table[slot];
        if (entry == 0) {
            return NO_CLIENT;
        }
        if (store->clients[entry - 1]->id == id) {
            return entry - 1;
        }
    }
}

static void table_put(struct store *store, uint32_t client)
{
    size_t slot = slot_of(store, store->clients[client]->id);
    while (store->client_table[slot] != 0) {
        slot = (slot + 1) & (store->table_size - 1);
    }
    store->client_table[slot] = client + 1;
}

/* Keeps the table at most half full. */
static bool table_reserve(struct store *store)
{
    if ((store->client_count + 1) * 2 <= store->table_size) {
        return true;
    }
    size_t size = store->table_size == 0 ? 8 : store->table_size * 2;
    uint32_t *table = ycp_alloc(&store->heap, size * sizeof *table);
    if (table == NULL) {
        return false;
    }
    ycp_free(&store->heap, store->client_table,
             store->table_size * sizeof *store->client_table);
    store->client_table = table;
    store->table_size = size;
    for (size_t i = 0; i < store->client_count; i++) {
        table_put(store, (uint32_t)i);
    }
    return true;
}

uint32_t ycp_client_make(struct store *store, uint64_t id)
{
    uint32_t found = ycp_client_find(store, id);
    if (found != NO_CLIENT) {
        return found;
    }
    if (!table_reserve(store) || !ycp_grow(&store->heap, &store->clients, &store->client_cap,
                                           store->client_count + 1, sizeof(struct client *))) {
        return NO_CLIENT;
    }
    struct client *client = ycp_alloc(&store->heap, sizeof *client);
    if (client == NULL) {
        return NO_CLIENT;
    }
    client->id = id;
    uint32_t index = (uint32_t)store->client_count++;
    store->clients[index] = client;
    table_put(store, index);
    return index;
}

void ycp_clients_truncate(struct store *store, size_t count)
{
    if (store->client_count <= count) {
        return;
    }
    while (store->client_count > count) {
        client_destroy(store, store->clients[--store->client_count]);
    }
    memset(store->client_table, 0, store->table_size * sizeof *store->client_table);
    for (size_t i = 0; i < count; i++) {
        table_put(store, (uint32_t)i);
    }
}

uint32_t ycp_client_state(const struct store *store, uint32_t client)
{
    return client == NO_CLIENT ? 0 : store->clients[client]->state;
}

/* --- setting aside --------------------------------------------------------------------------- */

/* Items that the newest slab has not handed out yet. */
static size_t slab_left(const struct store *store)
{
    return store->slabs == NULL ? 0 : store->slabs->count - store->slabs->taken;
}

/* Puts aside a slab of so many items at least; a document that grows gets slabs that grow. */
static bool slab_add(struct store *store, size_t wanted)
{
    size_t usual = store->item_count / 4;
    usual = usual < wanted ? wanted : usual;
    size_t count = usual < SLAB_MIN ? SLAB_MIN : usual > SLAB_MAX ? SLAB_MAX : usual;
    struct slab *slab = ycp_resize(&store->heap, NULL, 0, slab_size(count));
    if (slab == NULL) {
        return false;
    }
    *slab = (struct slab){.next = store->spare_slabs, .count = count};
    store->spare_slabs = slab;
    store->spare_item_count += count;
    return true;
}

bool ycp_store_reserve_items(struct store *store, size_t items)
{
    size_t have = store->free_item_count + slab_left(store);
    while (have + store->spare_item_count < items) {
        if (!slab_add(store, items - have - store->spare_item_count)) {
            return false;
        }
    }
    return true;
}

/* The first spare slab becomes the one that items are taken from. */
static void slab_begin(struct store *store)
{
    struct slab *slab = store->spare_slabs;
    store->spare_slabs = slab->next;
    store->spare_item_count -= slab->count;
    slab->next = store->slabs;
    store->slabs = slab;
}

/* Each insert into a full leaf halves it, and what was halved is full again after half a leaf more;
 * appends fill leaves to the end. */
static size_t leaves_for(const struct client *client, size_t inserts)
{
    size_t most = client->leaf_count + inserts / (LEAF_MAX / 2) + 1;
    return inserts < most ? inserts : most;
}

bool ycp_store_reserve_client(struct store *store, uint32_t client, size_t inserts,
                              size_t *leaves)
{
    struct client *owner = store->clients[client];
    size_t more = leaves_for(owner, inserts);
    *leaves += more;
    return ycp_grow(&store->heap, &owner->leaves, &owner->leaf_cap, owner->leaf_count + more,
                    sizeof(struct branch));
}

void ycp_store_trim(struct store *store)
{
    while (store->spare_item_count > SLAB_MAX) {
        struct slab *slab = store->spare_slabs;
        store->spare_slabs = slab->next;
        store->spare_item_count -= slab->count;
        ycp_free(&store->heap, slab, slab_size(slab->count));
    }
    while (store->spare_leaf_count > SPARE_LEAVES) {
        struct leaf *leaf = store->spare_leaves;
        store->spare_leaves = leaf->next;
        store->spare_leaf_count--;
        ycp_free(&store->heap, leaf, sizeof *leaf);
    }
}

static void leaf_give(struct store *store, struct leaf *leaf)
{
    leaf->next = store->spare_leaves;
    store->spare_leaves = leaf;
    store->spare_leaf_count++;
}

bool ycp_store_reserve_leaves(struct store *store, size_t leaves)
{
    while (store->spare_leaf_count < leaves) {
        struct leaf *leaf = ycp_resize(&store->heap, NULL, 0, sizeof *leaf);
        if (leaf == NULL) {
            return false;
        }
        leaf_give(store, leaf);
    }
    return true;
}

/* --- items ----------------------------------------------------------------------------------- */

struct item *ycp_item_take(struct store *store)
{
    struct item *item = store->free_items;
    if (item != NULL) {
        store->free_items = item->right;
        store->free_item_count--;
    } else {
        if (slab_left(store) == 0) {
            slab_begin(store);
        }
        item = &store->slabs->items[store->slabs->taken++];
    }
    memset(item, 0, sizeof *item);
    return item;
}

void ycp_item_give(struct store *store, struct item *item)
{
    item->right = store->free_items;
    store->free_items = item;
    store->free_item_count++;
}

/* --- leaves ---------------------------------------------------------------------------------- */

/* Opens an empty leaf in front of the one at index (or behind the last). */
static struct leaf *leaf_insert(struct store *store, struct client *client, size_t index)
{
    struct leaf *leaf = store->spare_leaves;
    store->spare_leaves = leaf->next;
    store->spare_leaf_count--;
    leaf->next = NULL;
    leaf->count = 0;
    leaf->deleted = 0;
    memmove(&client->leaves[index + 1], &client->leaves[index],
            (client->leaf_count - index) * sizeof(struct branch));
    client->leaves[index] = (struct branch){leaf, 0};
    client->leaf_count++;
    return leaf;
}

/* The bits of a mask from one on, moved up, or down onto it. */
static uint32_t bits_open(uint32_t mask, uint32_t at)
{
    uint32_t below = (UINT32_C(1) << at) - 1;
    return (mask & below) | (mask & ~below) << 1;
}

static uint32_t bits_close(uint32_t mask, uint32_t at)
{
    uint32_t below = (UINT32_C(1) << at) - 1;
    return (mask & below) | (mask >> 1 & ~below);
}

static void leaf_put(struct leaf *leaf, uint32_t index, struct item *item)
{
    uint32_t moved = leaf->count - index;
    memmove(&leaf->items[index + 1], &leaf->items[index], moved * sizeof(struct item *));
    memmove(&leaf->clocks[index + 1], &leaf->clocks[index], moved * sizeof leaf->clocks[0]);
    leaf->items[index] = item;
    leaf->clocks[index] = item->clock;
    leaf->deleted = bits_open(leaf->deleted, index);
    leaf->deleted |= (item->flags & ITEM_DELETED ? UINT32_C(1) : 0) << index;
    leaf->count++;
}

void ycp_store_append(struct store *store, struct item *item)
{
    struct client *client = store->clients[item->client];
    struct leaf *last =
        client->leaf_count == 0 ? NULL : client->leaves[client->leaf_count - 1].leaf;
    if (last == NULL || last->count == LEAF_MAX) {
        last = leaf_insert(store, client, client->leaf_count);
        client->leaves[client->leaf_count - 1].first = item->clock;
    }
    leaf_put(last, last->count, item);
    client->state = item->clock + item->len;
    store->item_count++;
}

/* The upper half of a full leaf moves into a new one. */
static void leaf_halve(struct store *store, struct client *client, size_t index)
{
    struct leaf *left = client->leaves[index].leaf;
    struct leaf *right = leaf_insert(store, client, index + 1);
    right->count = LEAF_MAX / 2;
    left->count = LEAF_MAX - right->count;
    memcpy(right->items, &left->items[left->count], right->count * sizeof(struct item *));
    memcpy(right->clocks, &left->clocks[left->count], right->count * sizeof left->clocks[0]);
    right->deleted = left->deleted >> left->count;
    left->deleted &= (UINT32_C(1) << left->count) - 1;
    client->leaves[index + 1].first = right->clocks[0];
}

void ycp_store_insert_after(struct store *store, struct place place, struct item *item)
{
    struct client *client = store->clients[item->client];
    uint32_t index = place.index + 1;
    if (client->leaves[place.leaf].leaf->count == LEAF_MAX) {
        leaf_halve(store, client, place.leaf);
        if (index > client->leaves[place.leaf].leaf->count) {
            index -= client->leaves[place.leaf].leaf->count;
            place.leaf++;
        }
    }
    leaf_put(client->leaves[place.leaf].leaf, index, item);
    store->item_count++;
}

void ycp_store_remove(struct store *store, uint32_t client, struct place place)
{
    struct client *owner = store->clients[client];
    struct leaf *leaf = owner->leaves[place.leaf].leaf;
    leaf->count--;
    uint32_t moved = leaf->count - place.index;
    memmove(&leaf->items[place.index], &leaf->items[place.index + 1],
            moved * sizeof(struct item *));
    memmove(&leaf->clocks[place.index], &leaf->clocks[place.index + 1],
            moved * sizeof leaf->clocks[0]);
    leaf->deleted = bits_close(leaf->deleted, place.index);
    store->item_count--;
    if (leaf->count == 0) {
        owner->leaf_count--;
        memmove(&owner->leaves[place.leaf], &owner->leaves[place.leaf + 1],
                (owner->leaf_count - place.leaf) * sizeof(struct branch));
        leaf_give(store, leaf);
    } else {
        owner->leaves[place.leaf].first = leaf->clocks[0];
    }
}

/* --- finding --------------------------------------------------------------------------------- */

/* Most look-ups are for what was typed last. */
static uint32_t find_leaf(const struct client *client, uint32_t clock)
{
    size_t low = 0;
    size_t high = client->leaf_count - 1;
    if (clock >= client->leaves[high].first) {
        return (uint32_t)high;
    }
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (client->leaves[middle].first <= clock) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (uint32_t)low;
}

struct place ycp_store_find(const struct store *store, uint32_t client, uint32_t clock)
{
    const struct client *owner = store->clients[client];
    uint32_t index = find_leaf(owner, clock);
    const struct leaf *leaf = owner->leaves[index].leaf;
    uint32_t low = 0;
    uint32_t high = leaf->count;
    if (leaf->clocks[high - 1] <= clock) {
        return (struct place){index, high - 1};
    }
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (leaf->clocks[middle] <= clock) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (struct place){index, low};
}

void ycp_store_delete(struct store *store, struct item *item)
{
    struct place place = ycp_store_find(store, item->client, item->clock);
    item->flags |= ITEM_DELETED;
    store->clients[item->client]->leaves[place.leaf].leaf->deleted |= UINT32_C(1)
                                                                      << place.index;
}

/* The first place from one on whose item is deleted, or is not. */
static bool find_deleted(const struct client *client, struct place *place, bool deleted)
{
    for (; place->leaf < client->leaf_count; *place = (struct place){place->leaf + 1, 0}) {
        const struct leaf *leaf = client->leaves[place->leaf].leaf;
        uint32_t mask = deleted ? leaf->deleted : ~leaf->deleted;
        for (mask >>= place->index; place->index < leaf->count && mask != 0; mask >>= 1) {
            if (mask & 1) {
                return true;
            }
            place->index++;
        }
    }
    return false;
}

bool ycp_store_next_deleted(const struct store *store, uint32_t client, struct place *place,
                            uint32_t *start, uint32_t *end)
{
    const struct client *owner = store->clients[client];
    if (!find_deleted(owner, place, true)) {
        return false;
    }
    *start = owner->leaves[place->leaf].leaf->clocks[place->index];
    *end = find_deleted(owner, place, false)
               ? owner->leaves[place->leaf].leaf->clocks[place->index]
               : owner->state;
    return true;
}

bool ycp_place_next(const struct store *store, uint32_t client, struct place *place)
{
    const struct client *owner = store->clients[client];
    if (place->index + 1 < owner->leaves[place->leaf].leaf->count) {
        place->index++;
        return true;
    }
    if (place->leaf + 1 < owner->leaf_count) {
        *place = (struct place){place->leaf + 1, 0};
        return true;
    }
    return false;
}

bool ycp_place_prev(const struct store *store, uint32_t client, struct place *place)
{
    const struct client *owner = store->clients[client];
    if (place->index > 0) {
        place->index--;
        return true;
    }
    if (place->leaf > 0) {
        *place =
            (struct place){place->leaf - 1, owner->leaves[place->leaf - 1].leaf->count - 1};
        return true;
    }
    return false;
}

struct item *ycp_store_walk(const struct store *store, struct store_walk *walk)
{
    for (; walk->client < store->client_count;
         walk->client++, walk->next = (struct place){0, 0}) {
        const struct client *client = store->clients[walk->client];
        if (walk->next.leaf < client->leaf_count) {
            const struct leaf *leaf = client->leaves[walk->next.leaf].leaf;
            struct item *item = leaf->items[walk->next.index++];
            if (walk->next.index == leaf->count) {
                walk->next = (struct place){walk->next.leaf + 1, 0};
            }
            return item;
        }
    }
    return NULL;
}
