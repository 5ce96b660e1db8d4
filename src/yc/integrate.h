/* YATA: where an item goes among concurrent ones. */
#ifndef YC_INTEGRATE_H
#define YC_INTEGRATE_H

#include "item.h"

/* Puts an item into its list and behind its client's structs. Filled in: id, length, origins,
 * content, owner; left and right are the items that its origins name (ending, beginning there), or
 * NULL. Without an owner type it becomes GC. It continues its client's clocks. */
void ycp_integrate(struct yc_doc *doc, struct item *item);

#endif
