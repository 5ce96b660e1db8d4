/* What waits in a document because it builds on something not seen yet: one update without deletes,
 * and behind it what has come since. Melting all into one each time would cost a peer nothing and
 * the document much, so it is done when the new ones have grown to half of the old one. */
#ifndef YC_PENDING_H
#define YC_PENDING_H

#include "doc.h"

bool ycp_pending_structs(const struct yc_doc *doc);
/* What the limit pending_bytes counts. */
size_t ycp_pending_bytes(const struct yc_doc *doc);
/* Whether one more update of that size is to be kept behind the others. */
bool ycp_pending_keeps(const struct yc_doc *doc, size_t size);
/* All of them and one more (may be empty) as one update; len 0 when there is none. YC_MEMORY: the
 * allocator of out. */
enum yc_status ycp_pending_merge(const struct yc_doc *doc, struct yc_slice more,
                                 struct yc_buf *out);

#endif
