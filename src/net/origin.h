/* Which pages of other sites may call us, and by which name. Pure; any thread. */
#ifndef VVE_NET_ORIGIN_H
#define VVE_NET_ORIGIN_H

#include "base/view.h"

#include <stdbool.h>

/* The Origin header names the host that the Host header names. The scheme is not compared: a
 * proxy in front may speak TLS. A port that is the scheme's own may be written or not. */
bool origin_is_same(const char *origin, struct view host);

/* `allowed`: NULL-terminated origins; may be NULL. In each, one '*' may stand for a letter, a digit
 * or a '-', or for several of them. */
bool origin_is_allowed(const char *origin, char *const *allowed);

/* The Host header is an IP address or localhost, with a port or without. Any other name may be
 * somebody else's who has it resolve to this machine, so that his page is of the same origin as
 * we are. True also without a Host header: no browser leaves it out. */
bool origin_host_is_own(struct view host);

#endif
