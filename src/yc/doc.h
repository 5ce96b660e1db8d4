/* The document, its types and its present transaction: the structs that all floors above the store
 * share. */
#ifndef YC_DOC_H
#define YC_DOC_H

#include "pending.h"
#include "store.h"

/* A type: the list of its items and, by key, the items of its map. Roots are owned by the document,
 * nested types by the item that holds them. */
struct yc_type {
    struct yc_doc *doc;
    struct item *item;     /* the holder; NULL for a root */
    struct item *start;    /* first of the list */
    struct entry *entries; /* keys in order of first use */
    struct entry *last_entry;
    struct entry *name;       /* of a root */
    struct yc_type *next;     /* the next root; while a type dies, the next to die */
    struct yc_slice xml_name; /* owned; empty but for XML elements and hooks */
    uint64_t length;          /* countable clocks in the list that are not deleted */
    bool formatted;           /* a format has been in the list */
    uint8_t depth;            /* how many types it is in; 0 for a root */
    enum yc_kind kind;
};

/* A key of a type, or the name of a root. All of a document are in one hash table. */
struct entry {
    struct yc_type *type; /* whose key; NULL for the name of a root */
    union {
        struct item *last; /* rightmost item of the key: its value, unless deleted */
        struct yc_type *root;
    } is;
    struct item *first;  /* leftmost item of the key */
    struct entry *next;  /* of the same type */
    struct entry *chain; /* of the same bucket */
    uint32_t hash;
    uint32_t len;
    uint8_t key[];
};

/* A client's structs from a clock on. */
struct part {
    uint64_t id;
    uint32_t client;
    uint32_t from;
};

/* What the present transaction has done so far. The arrays have been grown ahead. */
struct yc_txn {
    struct yc_doc *doc;
    struct id_set deletes; /* normalized once the transaction is cleaned */
    struct spot *cuts; /* items that were cut, or died with their type: to be melted again */
    size_t cut_count;
    size_t cut_cap;
    struct part *changed; /* the new structs */
    size_t changed_count;
    size_t changed_cap;
    size_t passed;    /* siblings passed to find places, see crowd.h */
    bool stays_apart; /* memory for melting was refused: no more of it is tried */
    /* Of a transaction of this side: */
    bool open;
    uint64_t client;
    size_t known_clients; /* clients before it */
    size_t total_structs; /* the most that its calls so far can have added */
    size_t total_bytes;
    size_t total_deletes;
    struct yc_buf scratch; /* of the present call */
};

struct yc_doc {
    struct store store;
    struct yc_limits limits;
    struct yc_allocator counted; /* allocates from store.heap */
    struct entry **buckets;      /* a power of two */
    size_t bucket_count;
    size_t entry_count;
    struct yc_type *roots; /* in order of their making */
    struct yc_type *last_root;
    uint32_t root_count;
    struct chunk *chunk; /* being filled; may be NULL */
    uint64_t version;    /* see yc_stats */
    uint32_t deepest;    /* the depth of the deepest type there has been */
    size_t nested_items; /* items in nested types, deleted ones included */
    bool has_long;       /* there may be an item that is slow to cut */
    struct yc_txn txn;
    struct crowds *crowds; /* of the transaction; may be NULL */
    struct apply *apply;   /* what applying keeps from one update to the next; may be NULL */
    struct yc_buf out;     /* the update of the last transaction */
    /* What builds on something not seen yet: structs, and deletes. */
    struct waits waits;
    bool wishes_held; /* some of what they want may be held: all are to be looked at */
    struct id_set pending_deletes; /* normalized */
};

/* --- keys and roots ---------------------------------------------------------------------------- */

/* The entry of a key of a type, or with NULL the name of a root; NULL when there is none. */
struct entry *ycp_entry_find(const struct yc_doc *doc, const struct yc_type *type,
                             struct yc_slice key);
/* A new entry that is in no table yet; NULL when refused. */
struct entry *ycp_entry_create(struct yc_doc *doc, struct yc_slice key);
/* Puts it into the table and the type's list. It is not there yet. */
void ycp_entry_insert(struct yc_doc *doc, struct yc_type *type, struct entry *entry);
void ycp_entry_destroy(struct yc_doc *doc, struct entry *entry); /* in no table */

/* Forgets the newest roots, which are empty, so that count are left. */
void ycp_roots_truncate(struct yc_doc *doc, uint32_t count);

/* A type of this kind that nobody holds yet; NULL when refused. */
struct yc_type *ycp_type_create(struct yc_doc *doc, enum yc_kind kind,
                                struct yc_slice xml_name);
/* Frees a type and its entries; its items are gone already. */
void ycp_type_destroy(struct yc_type *type);

/* Memory that a document keeps to while it grows: below its limit, so that another one can take in all
 * of it at once, which may need more (arrays have grown in other steps, say), and so that there is
 * room for deleting. */
size_t ycp_bytes_to_hold(const struct yc_doc *doc);

/* What the limit pending_bytes counts. */
size_t ycp_pending_bytes(const struct yc_doc *doc);

/* --- the transaction --------------------------------------------------------------------------- */

void ycp_txn_note_delete(struct yc_doc *doc, const struct item *item);
void ycp_txn_note_cut(struct yc_doc *doc, const struct item *item);
/* Whether an item was there before the transaction. */
bool ycp_txn_is_old(const struct yc_doc *doc, const struct item *item);
/* Before a client gets its first new struct. */
void ycp_txn_note_change(struct yc_doc *doc, uint32_t client);
/* Room for that many more notes each. False: refused. */
bool ycp_txn_reserve(struct yc_doc *doc, size_t deletes, size_t cuts, size_t clients);
/* Collects what was deleted and melts neighbours, as Yjs does after each transaction. The notes
 * stay until ycp_txn_clear. */
void ycp_txn_clean(struct yc_doc *doc);
void ycp_txn_clear(struct yc_doc *doc);

#endif
