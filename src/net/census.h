/* How many connections each client holds. Loop thread only; owned by the gate. */
#ifndef VVE_NET_CENSUS_H
#define VVE_NET_CENSUS_H

#include "base/list.h"

#include <stddef.h>

#define CENSUS_BUCKETS 64

/* One entry for each client that holds a connection, so there are never more than connections.
 */
struct census {
    struct list buckets[CENSUS_BUCKETS];
    size_t total;
};

void census_init(struct census *census);
void census_finish(struct census *census);

/* Counts one more, and says how many the client holds now. */
size_t census_enter(struct census *census, const char *client);

/* Counts one less; the client must have entered. */
void census_leave(struct census *census, const char *client);

#endif
