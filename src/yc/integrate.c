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
 * The walk marks what it passes with rising stamps: "passed" is a stamp from this walk, "passed
 * since the last move" one from the last move on. No set is built, nothing is allocated. */
#include "integrate.h"

static bool same_origin(const struct item *a, const struct item *b)
{
    return a->origin_client == b->origin_client &&
           (a->origin_client == NO_CLIENT || a->origin_clock == b->origin_clock);
}

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

/* Stamps rise for the life of the document; when they run out all are wiped. */
static void stamps_restart(struct yc_doc *doc)
{
    struct store_walk walk = {0};
    for (struct item *item; (item = ycp_store_walk(&doc->store, &walk)) != NULL;) {
        item->stamp = 0;
    }
    doc->stamp = 0;
}

static struct item *origin_of(const struct yc_doc *doc, const struct item *item)
{
    struct place place = ycp_store_find(&doc->store, item->origin_client, item->origin_clock);
    return ycp_store_at(&doc->store, item->origin_client, place);
}

static bool lower_client(const struct yc_doc *doc, const struct item *a, const struct item *b)
{
    return doc->store.clients[a->client]->id < doc->store.clients[b->client]->id;
}

/* The item that ours goes behind; NULL: it is the first. */
static struct item *find_left(struct yc_doc *doc, const struct item *item)
{
    struct item *left = item->left;
    struct item *other = left != NULL ? left->right : first_of(item);
    if (doc->stamp > UINT32_MAX - (uint32_t)doc->store.item_count - 1) {
        stamps_restart(doc);
    }
    uint32_t passed = doc->stamp + 1;
    uint32_t since_move = passed;
    for (; other != NULL && other != item->right; other = other->right) {
        other->stamp = ++doc->stamp;
        bool moves;
        if (same_origin(item, other)) {
            moves = lower_client(doc, other, item);
            if (!moves && same_right(item, other)) {
                break;
            }
        } else {
            const struct item *origin =
                other->origin_client == NO_CLIENT ? NULL : origin_of(doc, other);
            if (origin == NULL || origin->stamp < passed) {
                break;
            }
            moves = origin->stamp < since_move;
        }
        if (moves) {
            left = other;
            since_move = doc->stamp + 1;
        }
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
        item->content.type->item = item;
        uint32_t depth = ycp_type_depth(item->content.type);
        doc->deepest = depth > doc->deepest ? depth : doc->deepest;
    } else if (item->ref == REF_DELETED) {
        ycp_txn_note_delete(doc, item);
        ycp_store_delete(&doc->store, item);
    }
}

static bool has_company(const struct item *item)
{
    if (item->left == NULL) {
        return item->right == NULL || item->right->left != NULL;
    }
    return item->left->right != item->right;
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
    if (has_company(item)) {
        item->left = find_left(doc, item);
    }
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
