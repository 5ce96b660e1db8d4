/* See integrate.h. The heart of the document, and why it converges:
 *
 * An item names the neighbours it had when it was typed: left (its origin) and right. Between the
 * two, others may have typed at the same time. All replicas see the same set of items there, though
 * in different orders of arrival, so the place must follow from the items alone:
 *
 *  - Items with the same origin stand in order of their client ids, the lower one left.
 *  - An item typed behind one of those (its origin lies among the items already passed) goes where
 *    that one goes: runs of typing never interleave.
 *  - The first item that is neither ends the search: its origin lies left of ours, so it and all
 *    behind it belong to somebody who typed further left, and our runs must not cross.
 *
 * So the items are a tree, an item being a child of its origin, written down parent first; and what
 * the search has to know of an item is how deep it stands: as deep as ours, it has the same origin;
 * deeper, it belongs to the last one that had; less deep, the search ends. A clock is one deeper
 * than the clock before it in the same item.
 *
 * Whole subtrees are passed at once: an item remembers how far behind it all items are known to
 * stand so deep or deeper. That stays so: what comes to stand between two items is a child of the
 * first one or of one that the first is below, so it is no less deep than the second. Who goes by
 * such notes lengthens those that it goes by, so that a long run is gone through once and not once
 * for each who typed beside it. Where very many have the same origin, crowd.h finds the place. */
#include "integrate.h"

#include "crowd.h"

static bool same_right(const struct item *a, const struct item *b)
{
    return a->right_client == b->right_client &&
           (a->right_client == NO_CLIENT || a->right_clock == b->right_clock);
}

/* The first item of the list (or of the key) that this one belongs to. */
static struct item *first_of(const struct item *item)
{
    return item->flags & ITEM_KEYED ? item->owner.entry->first : item->owner.type->start;
}

/* How deep an item stands, its first clock. */
static uint64_t depth_of(const struct item *item)
{
    return item->left == NULL ? 0 : item->left->depth + item->left->len;
}

/* --- subtrees -------------------------------------------------------------------------------- */

/* The item up to which one remembers what is behind it; itself when it remembers nothing. */
static struct item *noted(const struct yc_doc *doc, struct item *item)
{
    struct spot last = item->noted;
    if (last.client == NO_CLIENT) {
        return item;
    }
    struct place place = ycp_store_find(&doc->store, last.client, last.clock);
    return ycp_store_at(&doc->store, last.client, place);
}

/* The next item, or one further on when all between stand deeper than top, at which *least is how
 * deep the least deep of these stands; NULL when the subtree ends. */
static struct item *step_over(const struct yc_doc *doc, const struct item *top,
                              struct item *item, uint64_t *least)
{
    struct item *next = item->least_depth > top->depth ? noted(doc, item) : item;
    *least = item->least_depth;
    if (next == item) {
        next = item->right;
        *least = next == NULL ? 0 : next->depth;
    }
    return *least > top->depth ? next : NULL;
}

/* Where a search has been: items, and how deep it is from each to the next at least. */
#define PATH_MAX_LENGTH 16
struct path {
    size_t length;
    struct item *items[PATH_MAX_LENGTH];
    uint64_t least[PATH_MAX_LENGTH];
};

/* All items of a path note how far it went. */
static void note_path(struct path *path, const struct item *last)
{
    uint64_t least = UINT64_MAX;
    while (path->length > 0) {
        struct item *item = path->items[--path->length];
        least = path->least[path->length] < least ? path->least[path->length] : least;
        item->noted = (struct spot){last->client, ycp_item_last_clock(last)};
        item->least_depth = least;
    }
}

/* The last item of a subtree. What is stepped on notes how far the next few steps went, not how far
 * all of them did: whoever comes from deeper down can then still go most of the way by such notes. */
static struct item *end_of_subtree(const struct yc_doc *doc, struct item *top)
{
    struct path path = {.length = 0};
    struct item *last = top;
    uint64_t least;
    for (struct item *next = step_over(doc, top, top, &least); next != NULL;
         next = step_over(doc, top, last, &least)) {
        if (path.length == PATH_MAX_LENGTH) {
            note_path(&path, last);
        }
        path.items[path.length] = last;
        path.least[path.length++] = least;
        last = next;
    }
    note_path(&path, last);
    return last;
}

/* --- finding the place ----------------------------------------------------------------------- */

static bool lower_client(const struct yc_doc *doc, const struct item *a, const struct item *b)
{
    return doc->store.clients[a->client]->id < doc->store.clients[b->client]->id;
}

static bool has_company(const struct item *item)
{
    if (item->left == NULL) {
        return item->right == NULL || item->right->left != NULL;
    }
    return item->left->right != item->right;
}

/* The first item behind the origin of another. */
static struct item *first_behind_origin(const struct item *item)
{
    return item->left != NULL ? item->left->right : first_of(item);
}

/* Passes siblings to find the item that ours goes behind; NULL: it is the first. Returns how many
 * were passed. */
static size_t walk(const struct yc_doc *doc, const struct item *item, struct item **left)
{
    size_t passed = 0;
    bool moves = true;
    struct item *other = first_behind_origin(item);
    *left = item->left;
    while (other != NULL && other != item->right) {
        if (other->depth == item->depth) {
            moves = lower_client(doc, other, item);
            if (!moves && same_right(item, other)) {
                break;
            }
        } else if (other->depth < item->depth) {
            break;
        }
        struct item *last = end_of_subtree(doc, other);
        *left = moves ? last : *left;
        other = last->right;
        passed++;
    }
    return passed;
}

/* Puts the siblings of an item into its crowd; done once, and for good if it is refused. */
static void order_crowd(struct yc_doc *doc, struct crowd *crowd, const struct item *item)
{
    struct item *other = first_behind_origin(item);
    crowd->ordered = true;
    while (crowd->ordered && other != NULL && other->depth == item->depth) {
        crowd->ordered = ycp_crowd_append(doc, crowd, other);
        other = end_of_subtree(doc, other)->right;
    }
}

/* As the walk would, when there is an ordered crowd; false when there is none. */
static bool find_in_crowd(struct yc_doc *doc, struct item *item, struct item **left)
{
    struct crowd *crowd = ycp_crowd_find(doc, item);
    if (crowd != NULL && crowd->walks == CROWD_WALKS) {
        crowd->walks++;
        order_crowd(doc, crowd, item);
    }
    struct item *sibling;
    if (crowd == NULL || !crowd->ordered || !ycp_crowd_insert(doc, crowd, item, &sibling)) {
        return false;
    }
    *left = sibling == NULL ? item->left : end_of_subtree(doc, sibling);
    return true;
}

/* The item that ours goes behind; NULL: it is the first. */
static struct item *find_left(struct yc_doc *doc, struct item *item)
{
    struct item *left = item->left;
    if ((doc->crowds != NULL && find_in_crowd(doc, item, &left)) || !has_company(item)) {
        return left;
    }
    size_t passed = walk(doc, item, &left);
    doc->txn.passed += passed;
    if (passed >= CROWD_WALK && doc->txn.passed >= CROWD_PASSED) {
        ycp_crowd_note_walk(doc, item);
    }
    return left;
}

static void link_item(struct item *item)
{
    if (item->left != NULL) {
        item->right = item->left->right;
        item->left->right = item;
    } else {
        item->right = first_of(item);
        *(item->flags & ITEM_KEYED ? &item->owner.entry->first : &item->owner.type->start) =
            item;
    }
    if (item->right != NULL) {
        item->right->left = item;
    }
}

/* The rightmost item of a key is its value; the one that was before it is deleted. */
static void become_value(struct yc_doc *doc, struct item *item)
{
    if ((item->flags & ITEM_KEYED) && item->right == NULL) {
        item->owner.entry->is.last = item;
        if (item->left != NULL) {
            ycp_item_delete(doc, item->left);
        }
    }
}

static void integrate_content(struct yc_doc *doc, struct item *item)
{
    if (item->ref == REF_FORMAT && !(item->flags & ITEM_KEYED)) {
        item->owner.type->formatted = true;
    }
    if (item->ref == REF_TYPE) {
        struct yc_type *held = item->content.type;
        held->item = item;
        held->depth = (uint8_t)(ycp_item_type(item)->depth + 1);
        doc->deepest = held->depth > doc->deepest ? held->depth : doc->deepest;
    } else if (item->ref == REF_DELETED) {
        ycp_txn_note_delete(doc, item);
        ycp_store_delete(&doc->store, item);
    }
}

void ycp_integrate(struct yc_doc *doc, struct item *item)
{
    ycp_txn_note_change(doc, item->client);
    struct yc_type *type = item->owner.type == NULL ? NULL : ycp_item_type(item);
    if (type == NULL) {
        ycp_item_release(doc, item);
        ycp_item_become_gc(item);
        ycp_store_append(&doc->store, item);
        return;
    }
    item->depth = depth_of(item);
    item->noted.client = NO_CLIENT;
    item->left = find_left(doc, item);
    link_item(item);
    become_value(doc, item);
    if (!(item->flags & ITEM_KEYED) && ycp_content_countable((enum ref)item->ref)) {
        type->length += item->len;
    }
    doc->nested_items += type->item != NULL;
    ycp_store_append(&doc->store, item);
    integrate_content(doc, item);
    bool orphan = type->item != NULL && ycp_item_deleted(type->item);
    if (orphan || ((item->flags & ITEM_KEYED) && item->right != NULL)) {
        ycp_item_delete(doc, item);
    }
}
