/* What waits because it builds on something not seen yet: sections of updates, each the structs of
 * one client, found by the clock that is wanted first. So what has become due is taken out and read,
 * and nothing else is, however much waits.
 *
 * A client may have several sections, or the same structs twice. Melting all into one section a client
 * each time would cost a peer nothing and the document much, so it is done when the new ones have grown
 * to half of the old ones. */
#ifndef YC_PENDING_H
#define YC_PENDING_H

#include "idset.h"

/* A section: how many structs, whose, from which clock on, the structs. */
struct wait {
    size_t at; /* in the bytes */
    size_t len;
    uint32_t moved; /* where ycp_waits_join put it */
    bool due;       /* the present plan takes it */
    bool fresh;     /* came since all were melted */
};

/* What the first struct of a section that is not held wants. */
struct wish {
    struct yc_id id; /* not held */
    uint32_t wait;   /* number */
};

struct waits {
    struct yc_buf bytes; /* the sections, one behind another */
    struct wait *all;    /* in the order of the bytes */
    struct wish *wishes; /* one for each, sorted once ycp_waits_sort is called */
    size_t count;
    size_t all_cap;
    size_t wish_cap;
    size_t melted; /* bytes in front with one section a client, clients descending */
    size_t fresh;  /* bytes of the fresh ones */
};

/* Empties it. */
void ycp_waits_clear(struct waits *waits);
void ycp_waits_free(struct waits *waits, struct heap *heap);
/* Bytes of memory. */
size_t ycp_waits_size(const struct waits *waits);

/* The bytes from at on are one more section. False: memory refused. */
bool ycp_waits_note(struct waits *waits, struct heap *heap, size_t at, struct yc_id wanted,
                    bool fresh);
void ycp_waits_sort(struct waits *waits);
/* The number of the first wish at or behind an id. */
size_t ycp_waits_find(const struct waits *waits, struct yc_id id);
struct yc_slice ycp_waits_section(const struct waits *waits, size_t number);

/* Room behind these for so many more. False: refused, nothing lost. */
bool ycp_waits_reserve(struct waits *waits, struct heap *heap, size_t count, size_t bytes);
/* Puts others, but for those that are due, behind these, both sorted, into that room. */
void ycp_waits_join(struct waits *waits, struct waits *more);
/* None is fresh any more. */
void ycp_waits_note_melted(struct waits *waits);
/* Gives back memory that is not in use, if it is much. */
void ycp_waits_trim(struct waits *waits, struct heap *heap);

/* All that are not due, and more (may be NULL), as one update without deletes; len 0 when there is
 * none. YC_MEMORY: the allocator of out. */
enum yc_status ycp_waits_merge(const struct waits *waits, const struct waits *more,
                               struct yc_buf *out);

#endif
