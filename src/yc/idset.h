/* Sets of ids, kept as ranges: what an update deletes, what is deleted in a document. */
#ifndef YC_IDSET_H
#define YC_IDSET_H

#include "bytes.h"
#include "mem.h"

struct id_range {
    uint64_t client;
    uint64_t clock;
    uint64_t len;
};

/* Owns its ranges. Starts as {0}. */
struct id_set {
    struct id_range *ranges;
    size_t count;
    size_t cap;
};

void ycp_idset_free(struct id_set *set, struct heap *heap);
/* Adds a range at the end; joins it to the last one when it continues it. False: refused. */
bool ycp_idset_add(struct id_set *set, struct heap *heap, struct id_range range);
/* Sorts by client, highest first, then clock, and joins what touches or overlaps. Cannot fail. */
void ycp_idset_normalize(struct id_set *set);
/* The order of that, for qsort over ranges. */
int ycp_by_client_and_clock(const void *a, const void *b);
/* Groups by client, highest first, and keeps the order within a client. False: refused. */
bool ycp_idset_group(struct id_set *set, struct heap *heap);

/* Reads the delete set that ends an update and adds its ranges as they come, without
 * joining them. Counts are checked
 * against the bytes that are left; a length of 0 and an end above 2^53 - 1 are bad. False: the
 * reader is bad, or memory was refused (then the reader is not bad). */
bool ycp_idset_read(struct id_set *set, struct heap *heap, struct reader *reader);
/* Writes a grouped or normalized set. */
void ycp_idset_put(struct yc_buf *out, const struct id_set *set);

#endif
