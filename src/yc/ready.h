/* What stands between the plan of an update and its integration: items are filled in, types, roots
 * and keys made, room set aside for every cut, note and byte. All of that can fail and leaves the
 * document as it was; nothing after it can. */
#ifndef YC_READY_H
#define YC_READY_H

#include "plan.h"

/* A planned block's item, and what it still has to know when it is integrated. */
struct ready {
    struct item *item;
    struct entry *entry; /* for its key, unless the type has that key by then */
    struct yc_type *root;
};

struct apply {
    struct plan plan;
    struct ready *ready; /* by number of the block; those that are not planned have none */
    size_t ready_count;
    size_t ready_cap;
    struct spot *places; /* where items may be cut, so that one begins there */
    size_t place_count;
    size_t place_cap;
    uint32_t *touched; /* clients that get structs, or whose structs may be cut */
    size_t touched_count;
    size_t touched_cap;
    size_t bytes;
    size_t deletes;
    size_t leaves;   /* that the structs will fill when none is halved */
    bool tells;      /* the caller wants the effective update */
    bool integrated; /* the items are the document's */
};

/* The client that a block of a client names, by index; NO_CLIENT when nothing is known of it. */
static inline uint32_t ycp_named_client(const struct apply *apply, const struct block *block,
                                        uint32_t client, struct yc_id named)
{
    return named.client == block->id.client
               ? client
               : ycp_client_find(&apply->plan.doc->store, named.client);
}

/* The order of places. */
static inline bool ycp_spot_before(struct spot a, struct spot b)
{
    return a.client != b.client ? a.client < b.client : a.clock < b.clock;
}

/* The document's, for its next update; NULL when refused. */
struct apply *ycp_apply_begin(struct yc_doc *doc, bool tells);
/* Frees it with the document. */
void ycp_apply_free(struct yc_doc *doc);

/* Counts what the plan needs and makes all of it. YC_LIMIT, YC_MEMORY. */
enum yc_status ycp_make_ready(struct apply *apply);
/* Lets go of all that, used or not, and of the plan. */
void ycp_ready_finish(struct apply *apply);

#endif
