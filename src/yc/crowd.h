/* Crowds: very many items with the same origin, as when two have typed at the front of a list for a
 * long time, apart. Walking past them for each one more would be quadratic; an ordered crowd finds
 * the place in a logarithm of steps. Ordering one is worth many walks, so that comes only after as
 * many, and it all ends with the transaction. */
#ifndef YC_CROWD_H
#define YC_CROWD_H

#include "doc.h"

#ifndef CROWD_WALK /* tests make crowds of few */
/* Siblings that a long walk passes, and the transaction before there are any. */
#define CROWD_WALK 64
#define CROWD_PASSED 4096
/* Long walks among the same siblings before these are ordered. */
#define CROWD_WALKS 32
#endif

struct node;

/* Whose siblings: see siblings_of. */
struct siblings {
    uint32_t client;
    uint32_t clock;
    const void *list;
};

struct crowd {
    struct siblings of;
    unsigned walks; /* long ones so far */
    bool ordered;   /* all its items are in the trees */
    struct node *root[2];
    struct node *last_made;
    struct crowd *next; /* of the same bucket */
};

/* The crowd that an item, which is not linked yet, will belong to; NULL when there is none. */
struct crowd *ycp_crowd_find(const struct yc_doc *doc, const struct item *item);
/* Counts a long walk for an item. */
void ycp_crowd_note_walk(struct yc_doc *doc, const struct item *item);
/* Adds a sibling behind all others. False: memory was refused. */
bool ycp_crowd_append(struct yc_doc *doc, struct crowd *crowd, struct item *item);
/* Adds an item that is not linked yet to an ordered crowd, and sets *sibling to the one behind whose
 * subtree it goes; NULL: right behind its origin. False: memory was refused, and the crowd is ordered
 * no more. */
bool ycp_crowd_insert(struct yc_doc *doc, struct crowd *crowd, struct item *item,
                      struct item **sibling);
/* Ends all crowds of the document. */
void ycp_crowds_free(struct yc_doc *doc);

#endif
