/* One struct of an update, as it stands on the wire: the currency of all code that reads or writes
 * updates, with a document or without. Its slices point into the update. */
#ifndef YC_BLOCK_H
#define YC_BLOCK_H

#include "content.h"

enum parent_form {
    PARENT_COPIED, /* the neighbour's; every block with an origin, and GC and Skip */
    PARENT_ROOT,
    PARENT_ID,
};

struct block {
    struct yc_id id;
    enum ref ref;
    enum parent_form parent;
    bool has_origin;
    bool has_right;
    bool has_key; /* only when the parent is written */
    union {
        struct { /* has_origin, has_right */
            struct yc_id origin;
            struct yc_id right;
        };
        struct { /* neither */
            union {
                struct yc_slice root;   /* PARENT_ROOT */
                struct yc_id parent_id; /* PARENT_ID */
            };
            struct yc_slice key;
        };
    };
    struct content content; /* of GC and Skip the length only */
};

/* Reads the blocks of an update one by one. */
struct block_reader {
    struct reader reader;
    uint64_t clients_left;
    uint64_t structs_left;
    uint64_t structs; /* of the present client's block, as its head says */
    struct yc_id next;
    unsigned max_depth;
};

struct block_reader ycp_block_reader(struct yc_slice update, unsigned max_depth);
/* Of one client's section alone. */
struct block_reader ycp_section_reader(struct yc_slice section, unsigned max_depth);
/* The next struct; false at the end of the structs (the delete set comes next) or when
 * reader.bad. Checked: counts against the bytes that are left, lengths >= 1, clocks and client ids
 * <= 2^53 - 1 in every sum, an origin or parent of the same client that is not older. A client
 * with no structs is passed over. */
bool ycp_block_next(struct block_reader *reader, struct block *block);

/* Writes a struct without its first offset clocks, as Yjs' Item.write does: an item that is cut has
 * the clock in front as its origin. */
void ycp_block_put(struct yc_buf *out, const struct block *block, uint64_t offset);
/* The same up to the content; has_key without a parent sets the flag and writes no key. */
void ycp_block_put_head(struct yc_buf *out, const struct block *block, uint64_t offset);

#endif
