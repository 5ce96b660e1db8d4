/* See crowd.h. With the siblings in their order, the walk of integrate.c amounts to this:
 *
 *  - It stops at the item's right neighbour or, before that, at the first sibling with the same right
 *    neighbour whose client is not lower.
 *  - The place is behind the last sibling before the stop whose client is lower.
 *
 * Siblings with the same right neighbour stand in order of their clients, of one client the newest
 * first: each was put behind all that were lower and in front of the first that was not. So the stop
 * is found in a tree ordered by right neighbour, client and clock, and the place in another one, in
 * the order of the list, where each node knows the lowest client below it. Both are treaps: search
 * trees that random priorities keep flat. */
#include "crowd.h"

#include "hash.h"
#include "item.h"

/* A node stands in both trees. */
enum tree {
    BY_PLACE,
    BY_RIGHT,
    TREES,
};

struct node {
    struct item *item;
    uint64_t client;   /* its id */
    uint64_t lowest;   /* client below it by place, itself included */
    uint64_t priority; /* not above its parent's */
    struct node *parent[TREES];
    struct node *child[TREES][2];
    struct node *made_before;
};

#define BUCKETS 1024

struct crowds {
    struct crowd *buckets[BUCKETS];
};

/* --- trees ----------------------------------------------------------------------------------- */

static void note_lowest(struct node *node)
{
    node->lowest = node->client;
    for (int side = 0; side < 2; side++) {
        const struct node *child = node->child[BY_PLACE][side];
        if (child != NULL && child->lowest < node->lowest) {
            node->lowest = child->lowest;
        }
    }
}

static int side_of(const struct node *node, enum tree tree)
{
    return node->parent[tree]->child[tree][1] == node;
}

static void adopt(struct crowd *crowd, enum tree tree, struct node *parent, int side,
                  struct node *child)
{
    if (parent == NULL) {
        crowd->root[tree] = child;
    } else {
        parent->child[tree][side] = child;
    }
    if (child != NULL) {
        child->parent[tree] = parent;
    }
}

/* A node changes places with its parent. */
static void rotate_up(struct crowd *crowd, enum tree tree, struct node *node)
{
    struct node *parent = node->parent[tree];
    struct node *above = parent->parent[tree];
    int side = side_of(node, tree);
    int above_side = above != NULL && side_of(parent, tree);
    adopt(crowd, tree, parent, side, node->child[tree][!side]);
    adopt(crowd, tree, node, !side, parent);
    adopt(crowd, tree, above, above_side, node);
    if (tree == BY_PLACE) {
        note_lowest(parent);
        note_lowest(node);
    }
}

/* Puts a node directly behind another one; NULL: in front of all. */
static void insert_behind(struct crowd *crowd, enum tree tree, struct node *before,
                          struct node *node)
{
    struct node *parent = before;
    int side = 1;
    struct node *next = before == NULL ? crowd->root[tree] : before->child[tree][1];
    while (next != NULL) {
        parent = next;
        side = 0;
        next = next->child[tree][0];
    }
    adopt(crowd, tree, parent, side, node);
    while (node->parent[tree] != NULL && node->parent[tree]->priority < node->priority) {
        rotate_up(crowd, tree, node);
    }
    if (tree == BY_PLACE) {
        for (struct node *above = node; above != NULL; above = above->parent[BY_PLACE]) {
            note_lowest(above);
        }
    }
}

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* The order by right neighbour: of one client the newest comes first. */
static int compare_by_right(const struct item *item, uint64_t client, const struct node *node)
{
    const struct item *other = node->item;
    int order = compare(item->right_client, other->right_client);
    if (order == 0 && item->right_client != NO_CLIENT) {
        order = compare(item->right_clock, other->right_clock);
    }
    order = order != 0 ? order : compare(client, node->client);
    return order != 0 ? order : compare(other->clock, item->clock);
}

/* The last node by right neighbour that stands before an item, and in *next what stands there or
 * behind. */
static struct node *find_by_right(const struct crowd *crowd, const struct item *item,
                                  uint64_t client, struct node **next)
{
    struct node *before = NULL;
    *next = NULL;
    for (struct node *node = crowd->root[BY_RIGHT]; node != NULL;) {
        bool behind = compare_by_right(item, client, node) > 0;
        *(behind ? &before : next) = node;
        node = node->child[BY_RIGHT][behind];
    }
    return before;
}

/* The last node of a subtree by place whose client is lower. */
static struct node *last_lower(struct node *node, uint64_t client)
{
    while (node != NULL && node->lowest < client) {
        struct node *right = node->child[BY_PLACE][1];
        if (right != NULL && right->lowest < client) {
            node = right;
        } else if (node->client < client) {
            return node;
        } else {
            node = node->child[BY_PLACE][0];
        }
    }
    return NULL;
}

/* The last node in front of another one whose client is lower. */
static struct node *last_lower_before(struct node *node, uint64_t client)
{
    struct node *found = last_lower(node->child[BY_PLACE][0], client);
    while (found == NULL && node->parent[BY_PLACE] != NULL) {
        bool behind = side_of(node, BY_PLACE) == 1;
        node = node->parent[BY_PLACE];
        if (behind) {
            found = node->client < client ? node : last_lower(node->child[BY_PLACE][0], client);
        }
    }
    return found;
}

/* Beyond the limit if need be: an update that has used up its scratch must not bring back the long
 * walks. It is no more than a node for each of its structs and of the document's. */
static void *alloc_beyond(struct heap *heap, size_t size)
{
    size_t limit = heap->limit;
    heap->limit = SIZE_MAX;
    void *object = ycp_alloc(heap, size);
    heap->limit = limit;
    return object;
}

/* --- crowds ---------------------------------------------------------------------------------- */

/* What siblings have in common: the last clock of the item they stand behind or, in front of all,
 * their list (type or entry). An item that is not linked yet has that item on its left. */
static struct siblings siblings_of(const struct item *item)
{
    if (item->left != NULL) {
        return (struct siblings){item->left->client, ycp_item_last_clock(item->left), NULL};
    }
    bool keyed = item->flags & ITEM_KEYED;
    const void *list = keyed ? (const void *)item->owner.entry : item->owner.type;
    return (struct siblings){NO_CLIENT, 0, list};
}

static size_t bucket_of(const struct yc_doc *doc, struct siblings siblings)
{
    uint64_t key = siblings.client == NO_CLIENT
                       ? (uint64_t)(uintptr_t)siblings.list
                       : (uint64_t)siblings.client << 32 | siblings.clock;
    return ycp_hash_u64(doc->store.seed, key) % BUCKETS;
}

struct crowd *ycp_crowd_find(const struct yc_doc *doc, const struct item *item)
{
    if (doc->crowds == NULL) {
        return NULL;
    }
    struct siblings own = siblings_of(item);
    struct crowd *crowd = doc->crowds->buckets[bucket_of(doc, own)];
    while (crowd != NULL && (crowd->of.client != own.client || crowd->of.clock != own.clock ||
                             crowd->of.list != own.list)) {
        crowd = crowd->next;
    }
    return crowd;
}

static struct crowd *crowd_create(struct yc_doc *doc, const struct item *item)
{
    struct heap *heap = &doc->store.heap;
    if (doc->crowds == NULL) {
        doc->crowds = alloc_beyond(heap, sizeof *doc->crowds);
    }
    struct crowd *crowd = doc->crowds == NULL ? NULL : alloc_beyond(heap, sizeof *crowd);
    if (crowd != NULL) {
        crowd->of = siblings_of(item);
        struct crowd **bucket = &doc->crowds->buckets[bucket_of(doc, crowd->of)];
        crowd->next = *bucket;
        *bucket = crowd;
    }
    return crowd;
}

void ycp_crowd_note_walk(struct yc_doc *doc, const struct item *item)
{
    struct crowd *crowd = ycp_crowd_find(doc, item);
    crowd = crowd != NULL ? crowd : crowd_create(doc, item);
    if (crowd != NULL && crowd->walks < CROWD_WALKS) {
        crowd->walks++;
    }
}

static struct node *node_create(struct yc_doc *doc, struct crowd *crowd, struct item *item)
{
    struct node *node = alloc_beyond(&doc->store.heap, sizeof *node);
    if (node == NULL) {
        return NULL;
    }
    node->item = item;
    node->client = doc->store.clients[item->client]->id;
    node->lowest = node->client;
    node->priority = ycp_hash_u64(doc->store.seed, (uint64_t)item->client << 32 | item->clock);
    node->made_before = crowd->last_made;
    crowd->last_made = node;
    return node;
}

bool ycp_crowd_append(struct yc_doc *doc, struct crowd *crowd, struct item *item)
{
    struct node *node = node_create(doc, crowd, item);
    if (node == NULL) {
        return false;
    }
    struct node *last = crowd->root[BY_PLACE];
    while (last != NULL && last->child[BY_PLACE][1] != NULL) {
        last = last->child[BY_PLACE][1];
    }
    insert_behind(crowd, BY_PLACE, last, node);
    struct node *next;
    insert_behind(crowd, BY_RIGHT, find_by_right(crowd, item, node->client, &next), node);
    return true;
}

/* Where the walk stops; NULL: behind all. */
static struct node *find_stop(const struct yc_doc *doc, const struct crowd *crowd,
                              const struct item *item, struct node *same_right)
{
    const struct item *other = same_right == NULL ? NULL : same_right->item;
    if (other != NULL && other->right_client == item->right_client &&
        (item->right_client == NO_CLIENT || other->right_clock == item->right_clock)) {
        return same_right;
    }
    const struct item *right = item->right;
    if (right == NULL) {
        return NULL;
    }
    struct node *stop;
    find_by_right(crowd, right, doc->store.clients[right->client]->id, &stop);
    return stop != NULL && stop->item == right ? stop : NULL;
}

bool ycp_crowd_insert(struct yc_doc *doc, struct crowd *crowd, struct item *item,
                      struct item **sibling)
{
    struct node *node = node_create(doc, crowd, item);
    if (node == NULL) {
        crowd->ordered = false;
        return false;
    }
    struct node *next;
    struct node *before = find_by_right(crowd, item, node->client, &next);
    struct node *stop = find_stop(doc, crowd, item, next);
    struct node *left = stop == NULL ? last_lower(crowd->root[BY_PLACE], node->client)
                                     : last_lower_before(stop, node->client);
    insert_behind(crowd, BY_PLACE, left, node);
    insert_behind(crowd, BY_RIGHT, before, node);
    *sibling = left == NULL ? NULL : left->item;
    return true;
}

void ycp_crowds_free(struct yc_doc *doc)
{
    struct heap *heap = &doc->store.heap;
    for (size_t i = 0; doc->crowds != NULL && i < BUCKETS; i++) {
        struct crowd *next_crowd;
        for (struct crowd *crowd = doc->crowds->buckets[i]; crowd != NULL; crowd = next_crowd) {
            next_crowd = crowd->next;
            struct node *before;
            for (struct node *node = crowd->last_made; node != NULL; node = before) {
                before = node->made_before;
                ycp_free(heap, node, sizeof *node);
            }
            ycp_free(heap, crowd, sizeof *crowd);
        }
    }
    ycp_free(heap, doc->crowds, sizeof *doc->crowds);
    doc->crowds = NULL;
}
