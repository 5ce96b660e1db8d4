/* See depth.h. Most updates bring fewer types than the document has depth to spare, and are not
 * looked into. For the others each planned struct's depth follows from the one that it names, which
 * is in the document or earlier in the plan. */
#include "depth.h"

#include <stdlib.h>

/* The clocks that a planned struct brings, and how many types it is in. */
struct level {
    struct yc_id id;
    uint64_t end;
    uint32_t depth;
};

struct levels {
    const struct yc_doc *doc;
    struct level *sorted; /* by id */
    size_t count;
};

static int by_id(const void *a, const void *b)
{
    const struct yc_id *left = &((const struct level *)a)->id;
    const struct yc_id *right = &((const struct level *)b)->id;
    if (left->client != right->client) {
        return left->client < right->client ? -1 : 1;
    }
    uint64_t left_end = ((const struct level *)a)->end;
    uint64_t right_end = ((const struct level *)b)->end;
    return (left_end > right_end) - (left_end < right_end);
}

/* Orders an id (the key) against the clocks of a level. */
static int by_holding(const void *key, const void *element)
{
    const struct yc_id *id = key;
    const struct level *level = element;
    if (id->client != level->id.client) {
        return id->client < level->id.client ? -1 : 1;
    }
    return id->clock < level->id.clock ? -1 : id->clock >= level->end;
}

static struct level *find_level(const struct levels *levels, struct yc_id id)
{
    return bsearch(&id, levels->sorted, levels->count, sizeof *levels->sorted, by_holding);
}

/* How many types the struct of an id is in. What has become a hole is in none. */
static uint32_t depth_at(const struct levels *levels, struct yc_id id)
{
    const struct store *store = &levels->doc->store;
    uint32_t client = ycp_client_find(store, id.client);
    if (id.clock >= ycp_client_state(store, client)) {
        const struct level *level = find_level(levels, id);
        return level == NULL ? 0 : level->depth;
    }
    struct place place = ycp_store_find(store, client, (uint32_t)id.clock);
    const struct item *item = ycp_store_at(store, client, place);
    return item->ref == REF_GC ? 0 : ycp_item_type(item)->depth;
}

/* first: its first clock that is new. A struct whose beginning is held goes on where that stands,
 * whatever it says of itself. */
static uint32_t depth_of_block(const struct levels *levels, const struct block *block,
                               uint64_t first)
{
    if (first > block->id.clock) {
        return depth_at(levels, (struct yc_id){block->id.client, first - 1});
    }
    if (block->parent == PARENT_ID) {
        return depth_at(levels, block->parent_id) + 1;
    }
    if (block->parent == PARENT_ROOT || (!block->has_origin && !block->has_right)) {
        return 0;
    }
    return depth_at(levels, block->has_origin ? block->origin : block->right);
}

static uint64_t first_new(const struct levels *levels, const struct block *block,
                          const struct level *level)
{
    const struct store *store = &levels->doc->store;
    uint64_t held = ycp_client_state(store, ycp_client_find(store, block->id.client));
    uint64_t first = level == NULL ? block->id.clock : level->id.clock;
    return first < held ? held : first;
}

static struct yc_id last_of(const struct block *block)
{
    return (struct yc_id){block->id.client, block->id.clock + block->content.len - 1};
}

static bool is_deep(const struct block *block)
{
    return block->ref == REF_TYPE && block->parent != PARENT_ROOT;
}

static enum yc_status check_levels(const struct plan *plan, struct levels *levels)
{
    for (size_t i = 0; i < levels->count; i++) {
        const struct block *block = ycp_planned_block(plan, i);
        levels->sorted[i] = (struct level){block->id, block->id.clock + block->content.len, 0};
    }
    qsort(levels->sorted, levels->count, sizeof *levels->sorted, by_id);
    /* Structs may overlap; the first to come has the clocks. */
    for (size_t i = 1; i < levels->count; i++) {
        const struct level *before = &levels->sorted[i - 1];
        struct yc_id *id = &levels->sorted[i].id;
        if (before->id.client == id->client && id->clock < before->end) {
            id->clock = before->end;
        }
    }
    for (size_t i = 0; i < levels->count; i++) {
        const struct block *block = ycp_planned_block(plan, i);
        struct level *level = find_level(levels, last_of(block));
        uint32_t depth = depth_of_block(levels, block, first_new(levels, block, level));
        if (block->ref == REF_TYPE && depth >= plan->doc->limits.depth) {
            return YC_LIMIT;
        }
        if (level != NULL) {
            level->depth = depth;
        }
    }
    return YC_OK;
}

enum yc_status ycp_plan_depth(const struct plan *plan)
{
    struct yc_doc *doc = plan->doc;
    size_t deep = 0;
    for (size_t i = 0; i < plan->order_count; i++) {
        deep += is_deep(ycp_planned_block(plan, i));
    }
    if (deep == 0 || doc->deepest + deep < doc->limits.depth) {
        return YC_OK;
    }
    struct levels levels = {doc, NULL, plan->order_count};
    size_t size = levels.count * sizeof *levels.sorted;
    levels.sorted = ycp_resize(&doc->store.heap, NULL, 0, size);
    if (levels.sorted == NULL) {
        return ycp_refusal(&doc->store.heap);
    }
    enum yc_status status = check_levels(plan, &levels);
    ycp_free(&doc->store.heap, levels.sorted, size);
    return status;
}
