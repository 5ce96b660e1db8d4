/* What the readers of a document share. */
#ifndef YC_READ_H
#define YC_READ_H

#include "item.h"

/* An item that a reader meets: not deleted, and a position counts it. */
bool ycp_item_visible(const struct item *item);
/* A value that JSON leaves out of objects. */
bool ycp_item_is_undefined(const struct item *item);
/* Kinds whose list is text. */
bool ycp_is_text(enum yc_kind kind);
/* The item of a list that holds an index, and how far in; NULL behind the end. */
struct item *ycp_list_find(const struct yc_type *list, uint64_t index, uint64_t *offset);
/* Writes the characters of a visible string item. */
void ycp_put_item_text(struct yc_buf *out, const struct item *item);
/* Writes one value of an item as JSON, and for a type its whole content. */
void ycp_put_item_json(struct yc_buf *out, const struct item *item, uint64_t index);
/* Writes XML, or a text's characters, as toString() of Yjs does. */
void ycp_put_type_text(struct yc_buf *out, const struct yc_type *type);

#endif
