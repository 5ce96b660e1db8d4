/* Where the blocks of a plan begin: which block of a run holds a clock, told at once however many
 * there are. */
#ifndef YC_BEGINS_H
#define YC_BEGINS_H

#include "plan.h"

/* 64 clocks of a run. */
struct begins {
    uint64_t bits;   /* a bit for each clock at which a block begins */
    uint32_t before; /* blocks that begin before these clocks */
};

/* Notes them for all runs. False: memory refused. */
bool ycp_begins_note(struct plan *plan);
/* Whether a block of a run begins at a clock. */
bool ycp_begins_at(const struct plan *plan, const struct run *run, uint64_t clock);
/* The block of a run that holds a clock, which is at or behind the clock where the run begins; behind
 * its end the last block. */
size_t ycp_begins_find(const struct plan *plan, const struct run *run, uint64_t clock);

#endif
