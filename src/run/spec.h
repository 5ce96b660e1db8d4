/* What a program's container is allowed to be: the body of the Engine's create call. Made from
 * the configuration alone, once at start; nothing that a user sends ever reaches it. */
#ifndef VVE_RUN_SPEC_H
#define VVE_RUN_SPEC_H

#include "base/err.h"
#include "base/view.h"
#include "conf/conf.h"

#include <stdbool.h>

#define SPEC_SECCOMP_MAX_BYTES ((size_t)256 * 1024)

/* The body as JSON on the heap, for free(). `seccomp` is the profile's text (JSON), `worker`
 * the slot's name for the label. */
char *spec_format(const struct conf *conf, struct view seccomp, const char *worker);

/* Reads the seccomp profile and makes it one line. NULL: seccomp_unreadable, seccomp_invalid.
 */
char *spec_read_seccomp(const char *path, struct err *err);

/* Whether the limits hold in spite of what the Engine warned of when it created a container.
 * `warnings` is one sentence a line; `host_swaps`: this machine has swap space in use. False:
 * err (limits_not_applied) repeats the sentence. */
bool spec_limits_hold(const char *warnings, bool host_swaps, struct err *err);

#endif
