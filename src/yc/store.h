/* The store: everything a document knows, found by id.
 *
 * A client's structs are items in clock order without gaps, in leaves of at most LEAF_MAX, so that
 * finding one is two binary searches and inserting one moves little, however long a document
 * lives. Items come from slabs and never move: the linked lists of the types hold pointers.
 *
 * Whatever integration needs is set aside first (ycp_store_reserve); from then on nothing here can
 * fail. */
#ifndef YC_STORE_H
#define YC_STORE_H

#include "content.h"
#include "mem.h"

#define LEAF_MAX 32
#define NO_CLIENT UINT32_MAX

struct entry;

/* Text and other bytes of contents. Slices of it belong to items; only the bytes behind used are
 * ever written, so a slice that ends there can grow in place. */
struct chunk {
    uint32_t refs; /* items, and the document while it fills the chunk */
    uint32_t used;
    uint32_t cap;
    uint8_t bytes[];
};

/* Where a struct is: a client's index and a clock of it. */
struct spot {
    uint32_t client;
    uint32_t clock;
};

enum item_flag {
    ITEM_DELETED = 1,
    ITEM_KEYED = 2,    /* owner.entry, else owner.type */
    ITEM_CUT_HEAD = 4, /* the text begins with a U+FFFD that is not among the bytes */
};

struct item {
    struct item *left; /* neighbours in the list of the type, or of the key */
    struct item *right;
    union {
        struct yc_type *type; /* whose list it is in; NULL for GC */
        struct entry *entry;  /* the key, which knows its type */
    } owner;
    union {
        struct chunk *chunk;  /* kinds with bytes */
        struct yc_type *type; /* REF_TYPE */
    } content;
    /* For integrate.c. How deep it stands; and a note that all items behind this one, up to the one of
     * a clock, stand least_depth deep or deeper (its client is NO_CLIENT: no note). */
    uint64_t depth;
    uint64_t least_depth;
    struct spot noted;
    uint32_t offset; /* of the content in the chunk, bytes */
    uint32_t size;   /* of the content, bytes */
    uint32_t client; /* index of the client */
    uint32_t clock;
    uint32_t len;           /* clocks, >= 1 */
    uint32_t origin_client; /* index, or NO_CLIENT; then origin_clock means nothing */
    uint32_t origin_clock;
    uint32_t right_client;
    uint32_t right_clock;
    uint8_t ref;   /* enum ref; never REF_SKIP */
    uint8_t flags; /* enum item_flag */
};

/* Clocks and deletions stand here as well, so that looking for them touches no item. */
struct leaf {
    struct leaf *next;         /* spare leaf */
    uint32_t count;            /* >= 1 */
    uint32_t deleted;          /* a bit for each item */
    uint32_t clocks[LEAF_MAX]; /* where the items begin */
    struct item *items[LEAF_MAX];
};

struct branch {
    struct leaf *leaf;
    uint32_t first; /* the clock where it begins */
};

struct client {
    uint64_t id;
    struct branch *leaves; /* none is empty */
    size_t leaf_count;
    size_t leaf_cap;
    uint32_t state;  /* first clock not held */
    uint32_t before; /* the state when the present transaction first changed it */
    uint32_t
        seam; /* bytes in front of its first new struct, of the item that this melted into */
    bool changed; /* in the present transaction */
    /* Of the plan of the update that is being applied (see plan.h); 0 in between: */
    uint32_t planned; /* the state that the plan reaches, when not 0 */
    uint32_t waiters; /* number + 1 of the run that waits for this client's lowest clock */
    uint32_t run;     /* number + 1 of the newest run of its structs */
    bool several;     /* it has others too */
    uint32_t inserts; /* structs that the plan may add */
    uint32_t checked; /* what wants an earlier clock is taken; 0: the state */
    uint32_t next_advanced; /* index + 1 */
    bool advanced;          /* in the list of those to be checked */
};

/* A place among a client's structs. */
struct place {
    uint32_t leaf;
    uint32_t index;
};

struct store {
    struct heap heap;
    uint64_t seed;           /* of all hash tables of the document */
    struct client **clients; /* by index, in order of arrival */
    size_t client_count;
    size_t client_cap;
    uint32_t *client_table; /* open addressing: index + 1, 0 = free; a power of two of slots */
    size_t table_size;
    struct slab *slabs;       /* that items have been taken from; the first is not used up */
    struct slab *spare_slabs; /* set aside, untouched */
    size_t spare_item_count;
    struct item *free_items; /* linked by right */
    size_t free_item_count;
    struct leaf *spare_leaves;
    size_t spare_leaf_count;
    size_t item_count; /* in leaves */
};

void ycp_store_init(struct store *store, const struct yc_allocator *allocator, size_t max_bytes,
                    uint64_t seed);
void ycp_store_finish(struct store *store); /* items' contents are the caller's to release */

/* NO_CLIENT when there is none. */
uint32_t ycp_client_find(const struct store *store, uint64_t id);
/* The index of a client, made when it is not there; NO_CLIENT when memory is refused. */
uint32_t ycp_client_make(struct store *store, uint64_t id);
/* Forgets the newest clients, which have no structs, so that count are left. */
void ycp_clients_truncate(struct store *store, size_t count);
/* First clock not held; 0 for NO_CLIENT. */
uint32_t ycp_client_state(const struct store *store, uint32_t client);

/* Sets aside what adding up to items structs takes. False: refused, nothing lost. */
bool ycp_store_reserve_items(struct store *store, size_t items);
/* Makes a client ready to get up to inserts of them; *leaves grows by the leaves that this may
 * take, which ycp_store_reserve_leaves then sets aside for all clients together. */
bool ycp_store_reserve_client(struct store *store, uint32_t client, size_t inserts,
                              size_t *leaves);
bool ycp_store_reserve_leaves(struct store *store, size_t leaves);

/* Gives back most of what was set aside and not used. */
void ycp_store_trim(struct store *store);

/* A zeroed item out of what was set aside. */
struct item *ycp_item_take(struct store *store);
/* The item goes back; it is in no leaf any more. */
void ycp_item_give(struct store *store, struct item *item);

/* Appends at the client's state, which moves on by item->len. */
void ycp_store_append(struct store *store, struct item *item);
/* The struct that holds a clock < state. */
struct place ycp_store_find(const struct store *store, uint32_t client, uint32_t clock);
static inline struct item *ycp_store_at(const struct store *store, uint32_t client,
                                        struct place place)
{
    return store->clients[client]->leaves[place.leaf].leaf->items[place.index];
}
/* Inserts behind a place; the item continues the clocks of the struct there (which was cut). */
void ycp_store_insert_after(struct store *store, struct place place, struct item *item);
/* Takes the struct at a place out of the client's clocks (it was melted into its left one). Places
 * in front of it stay good. */
void ycp_store_remove(struct store *store, uint32_t client, struct place place);
/* Marks an item that is in its leaf as deleted. */
void ycp_store_delete(struct store *store, struct item *item);
/* The next run of deleted clocks of a client, from a place on, which moves behind it and is {0} at first;
 * false when there is none. */
bool ycp_store_next_deleted(const struct store *store, uint32_t client, struct place *place,
                            uint32_t *start, uint32_t *end);
/* Moves to the neighbour; false at the end, and the place stays. */
bool ycp_place_next(const struct store *store, uint32_t client, struct place *place);
bool ycp_place_prev(const struct store *store, uint32_t client, struct place *place);

/* Walks all structs of all clients: starts with {0}; NULL at the end. */
struct store_walk {
    uint32_t client;
    struct place next;
};
struct item *ycp_store_walk(const struct store *store, struct store_walk *walk);

#endif
