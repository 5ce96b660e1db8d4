/* The plan of an update: everything about it that could fail, worked out before the document is
 * touched. Which structs can be placed, in which order; which must wait, and for what. */
#ifndef YC_PLAN_H
#define YC_PLAN_H

#include "block.h"
#include "item.h"

/* The structs of one client in an update (or in what was pending), in clock order. */
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
};

/* A block that can be placed. */
struct planned {
    uint32_t block;  /* number */
    uint32_t client; /* index */
};

struct plan {
    struct yc_doc *doc;
    struct block *blocks; /* first those of the update, then those of what was pending */
    size_t block_count;
    size_t block_cap;
    struct run *runs;
    size_t run_count;
    size_t run_cap;
    size_t pending_runs;   /* number of the first run of what was pending */
    struct begins *begins; /* notes of all runs; a block has one at most */
    size_t begins_count;
    size_t begins_cap;
    struct planned *order; /* in which blocks are placed: some of them, each once */
    size_t order_count;
    size_t order_cap;
    struct id_set deletes;       /* of the update */
    struct id_set deletes_later; /* of these and of pending ones, what is beyond the states */
    struct id_set wanted;        /* what doc->wanted becomes */
    struct yc_buf pending;       /* what doc->pending becomes */
    struct yc_buf old;           /* what was pending, when it is part of the plan */
    size_t wire_bytes;           /* of all updates in the plan */
    bool pending_taken;          /* what was pending is part of the plan */
    bool pending_full;           /* refused: too much would have to wait */
    bool pending_joins; /* pending and wanted are to be added to those of the document */
    bool pending_stays; /* doc->pending and doc->wanted are to stay as they are */
    bool deletes_stay;  /* doc->pending_deletes is to stay as it is */
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
/* The state of a client once what is planned so far is placed. */
uint64_t ycp_planned_state(const struct yc_doc *doc, uint64_t id);
void ycp_plan_finish(struct plan *plan);
/* Frees what is kept as well. */
void ycp_plan_free(struct plan *plan, struct heap *heap);

#endif
