/* The rest of a plan: what of an update, and of what waits already, must wait from now on. It becomes
 * what the document keeps (pending.h) when the update is integrated. */
#ifndef YC_REST_H
#define YC_REST_H

#include "plan.h"

/* All structs have been planned. YC_LIMIT (plan->pending_full: too much would wait), YC_MEMORY. */
enum yc_status ycp_plan_rest(struct plan *plan);
/* Once the rest is the document's: melts what waits when much of it is fresh. Without memory it stays as
 * it is. */
void ycp_melt_waits(struct plan *plan);

#endif
