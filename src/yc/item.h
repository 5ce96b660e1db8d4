/* Items: cut, melted, deleted, collected. Nothing here can fail; melting may decline. */
#ifndef YC_ITEM_H
#define YC_ITEM_H

#include "doc.h"

struct yc_type *ycp_item_type(const struct item *item); /* NULL for GC */
/* The key it has in its type; NULL in a list. */
struct entry *ycp_item_entry(const struct item *item);
static inline uint32_t ycp_item_last_clock(const struct item *item)
{
    return item->clock + (item->len - 1);
}
static inline bool ycp_item_deleted(const struct item *item)
{
    return (item->flags & ITEM_DELETED) != 0;
}

/* The payload, as content.h has it, without the U+FFFD of ITEM_CUT_HEAD; len counts only the
 * bytes' clocks. Not for REF_TYPE. */
struct content ycp_item_content(const struct item *item);

/* Whether a place in its content is found only by going through much of it. */
bool ycp_item_is_long(const struct item *item);
/* The document may come to have such an item, of this content. */
void ycp_note_long(struct yc_doc *doc, enum ref ref, const struct content *content);

/* The item that begins, or ends, at this clock < state; cuts the one that holds it if need be. GC is
 * never cut. */
struct item *ycp_item_clean_start(struct yc_doc *doc, uint32_t client, uint32_t clock);
struct item *ycp_item_clean_end(struct yc_doc *doc, uint32_t client, uint32_t clock);

/* Deletes an item and, when it holds a type, all that is in it. Contents stay until collected. */
void ycp_item_delete(struct yc_doc *doc, struct item *item);
/* Frees the content of a deleted item; what a type held becomes GC, the item itself becomes a
 * deleted content of its length. */
void ycp_item_collect(struct yc_doc *doc, struct item *item);
/* Makes a hole of its length of an item whose content is let go of. */
void ycp_item_become_gc(struct item *item);
/* Whether two neighbours in clock order belong together. */
bool ycp_item_can_melt(const struct item *left, const struct item *right);
/* Takes the right one of two neighbours in clock order into the left one, and gives its memory back
 * (it is still in its leaf). False: they do not belong together. */
bool ycp_item_melt(struct yc_doc *doc, struct item *left, struct item *right);

/* Room for size bytes of content to come. False: refused. */
bool ycp_content_reserve(struct yc_doc *doc, size_t size);
/* Gives that room back when nothing was put into it. */
void ycp_content_trim(struct yc_doc *doc);
/* Copies bytes for an item's content into that room. */
void ycp_item_set_bytes(struct yc_doc *doc, struct item *item, struct yc_slice bytes);
/* Lets go of an item's bytes or type, for items that never came into the document as well. */
void ycp_item_release(struct yc_doc *doc, struct item *item);

#endif
