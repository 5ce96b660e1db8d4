/* How deep types are nested: browsers recurse into them, so the depth is bounded. */
#ifndef YC_DEPTH_H
#define YC_DEPTH_H

#include "plan.h"

/* Whether the planned structs keep within limits.depth: YC_OK, YC_LIMIT, or memory was refused. */
enum yc_status ycp_plan_depth(const struct plan *plan);

#endif
