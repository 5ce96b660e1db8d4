/* The plan of an update: everything about it that could fail, worked out before the document is
 * touched. Which structs can be placed, in which order; which must wait, and for what. */
#ifndef YC_PLAN_H
#define YC_PLAN_H

#include "block.h"
#include "item.h"

/* The structs of one client in an update (or in what waited), in clock order. */
struct run {
    uint64_t id; /* of the client */
    size_t begin;
    size_t next; /* block to be placed next */
    size_t end;
    size_t begins; /* first of its notes (begins.h), and how many it has */
    size_t begins_count;
    uint32_t client; /* index */
    /* Runs that wait for the same client are a pairing heap, the lowest wanted clock on top; runs to
     * go on with are linked by sibling. Numbers + 1: */
    uint32_t child;
    uint32_t sibling;
    struct yc_id wanted; /* when it is stuck: a clock that is not held */
    bool stuck;
    uint32_t source; /* number + 1 of what waited and is read on here; 0: all has been read */
};

/* A block that can be placed. */
struct planned {
    uint32_t block;  /* number */
    uint32_t client; /* index */
};

struct plan {
    struct yc_doc *doc;
    struct block *blocks; /* first those of the update, then those of what waited */
    size_t block_count;
    size_t block_cap;
    struct run *runs;
    size_t run_count;
    size_t run_cap;
    size_t update_runs; /* those of the update; what waited and is due comes behind them */
    struct block_reader *sources; /* of what waited: read as far as it can be placed */
    size_t source_count;
    size_t source_cap;
    struct begins *begins; /* notes of all runs; a block has one at most */
    size_t begins_count;
    size_t begins_cap;
    struct planned *order; /* in which blocks are placed: some of them, each once */
    size_t order_count;
    size_t order_cap;
    struct id_set deletes;       /* of the update */
    struct id_set deletes_later; /* of these and of pending ones, what is beyond the states */
    struct waits rest;           /* what must wait from now on */
    size_t wire_bytes;           /* of all that is in the plan */
    size_t due_count;            /* of what waits: no longer */
    size_t due_bytes;
    uint32_t advanced;     /* index + 1 of the first client whose state may make others due */
    bool rest_is_all;      /* what waits is to be replaced by the rest, not added to */
    bool wishes_held;      /* what doc->wishes_held becomes */
    bool pending_full;     /* refused: too much would have to wait */
    enum yc_status status; /* of reading on */
    bool deletes_stay;     /* doc->pending_deletes is to stay as it is */
};

static inline const struct block *ycp_planned_block(const struct plan *plan, size_t number)
{
    return &plan->blocks[plan->order[number].block];
}

/* Arrays of up to so many elements are kept from one update to the next. */
#define PLAN_KEPT 32

/* Reads and checks an update and plans it. What plan holds of the last one is used again (at first it
 * is {0}). drops_due: what waits and has become due is not planned, and waits no more. On failure the
 * document is as it was, but for new clients without structs. The update must outlive the plan. */
enum yc_status ycp_plan(struct plan *plan, struct yc_doc *doc, struct yc_slice update,
                        bool drops_due);
/* All of a block is held by then. */
bool ycp_plan_knows(const struct plan *plan, const struct run *run, const struct block *block);
/* Whether a block can be placed by then; if not, sets run->wanted to what it waits for. */
bool ycp_plan_can_place(const struct plan *plan, struct run *run, const struct block *block);
/* The state of a client once what is planned so far is placed. */
uint64_t ycp_planned_state(const struct yc_doc *doc, uint64_t id);
void ycp_plan_finish(struct plan *plan);
/* Frees what is kept from one to the next. */
void ycp_plan_free(struct plan *plan, struct heap *heap);

#endif
