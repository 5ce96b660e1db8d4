/* What the document needs of merging and diffing besides what yc.h has. */
#ifndef YC_MERGE_H
#define YC_MERGE_H

#include "yc.h"

/* As yc_diff_update, but a struct that is held in part is left out, and what is behind it then waits for
 * it. */
enum yc_status ycp_diff_whole(struct yc_slice update, struct yc_slice state_vector,
                              struct yc_buf *out);

#endif
