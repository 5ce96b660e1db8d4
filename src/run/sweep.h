/* Removing what dead workers have left behind: containers of ours whose worker is no more. */
#ifndef VVE_RUN_SWEEP_H
#define VVE_RUN_SWEEP_H

#include "base/err.h"
#include "run/claim.h"
#include "run/docker.h"

#include <stdbool.h>

/* Tells the sweeps of other daemons on this host that the worker of this name lives, for as
 * long as the descriptor that is returned stays open. -1: it cannot be told. */
int sweep_show_alive(const char *worker);

enum sweep_outcome {
    SWEEP_DONE,
    SWEEP_LATER,  /* Redis did not say who lives */
    SWEEP_FAILED, /* the Engine's error is in err */
};

#define SWEEP_KEEP_MAX 4

/* `worker` is whose sweep it is; of its own containers those named in `keep` (empty strings:
 * none) stay. A worker that shows itself alive on this host keeps its own even without a
 * heartbeat, since it may have another Redis; one of this host that does not is dead. */
enum sweep_outcome sweep_run(struct docker *docker, struct claim *claim, const char *worker,
                             const char *const keep[SWEEP_KEEP_MAX], struct err *err);

#endif
