/* See begins.h. Runs that are short, or whose blocks are far apart, have no notes: those are
 * searched. So notes take 16 bytes a block at most. */
#include "begins.h"

#include <string.h>

#define SHORT_RUN 8

static uint32_t count_bits(uint64_t bits)
{
    return (uint32_t)__builtin_popcountll(bits);
}

static uint64_t clock_in(const struct plan *plan, const struct run *run, size_t block)
{
    return plan->blocks[block].id.clock - plan->blocks[run->begin].id.clock;
}

static void note_run(struct plan *plan, struct run *run, size_t words)
{
    run->begins = plan->begins_count;
    run->begins_count = words;
    plan->begins_count += words;
    struct begins *begins = &plan->begins[run->begins];
    memset(begins, 0, words * sizeof *begins);
    for (size_t i = run->begin; i < run->end; i++) {
        uint64_t clock = clock_in(plan, run, i);
        begins[clock / 64].bits |= UINT64_C(1) << clock % 64;
    }
    for (size_t i = 1; i < words; i++) {
        begins[i].before = begins[i - 1].before + count_bits(begins[i - 1].bits);
    }
}

bool ycp_begins_note(struct plan *plan)
{
    struct heap *heap = &plan->doc->store.heap;
    for (size_t i = 0; i < plan->run_count; i++) {
        struct run *run = &plan->runs[i];
        uint64_t words = clock_in(plan, run, run->end - 1) / 64 + 1;
        if (run->end - run->begin < SHORT_RUN || words > run->end - run->begin) {
            continue;
        }
        if (!ycp_grow(heap, &plan->begins, &plan->begins_cap,
                      plan->begins_count + (size_t)words, sizeof *plan->begins)) {
            return false;
        }
        note_run(plan, run, (size_t)words);
    }
    return true;
}

/* The last block of a run that begins at or before a clock. */
static size_t search(const struct plan *plan, const struct run *run, uint64_t clock)
{
    size_t low = run->begin;
    for (size_t high = run->end; high - low > 1;) {
        size_t middle = low + (high - low) / 2;
        if (plan->blocks[middle].id.clock <= clock) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

bool ycp_begins_at(const struct plan *plan, const struct run *run, uint64_t clock)
{
    uint64_t first = plan->blocks[run->begin].id.clock;
    if (clock < first) {
        return false;
    }
    if (run->begins_count == 0) {
        return plan->blocks[search(plan, run, clock)].id.clock == clock;
    }
    uint64_t at = clock - first;
    return at / 64 < run->begins_count &&
           (plan->begins[run->begins + at / 64].bits >> at % 64 & 1) != 0;
}

size_t ycp_begins_find(const struct plan *plan, const struct run *run, uint64_t clock)
{
    if (run->begins_count == 0) {
        return search(plan, run, clock);
    }
    uint64_t at = clock - plan->blocks[run->begin].id.clock;
    if (at / 64 >= run->begins_count) {
        return run->end - 1;
    }
    const struct begins *begins = &plan->begins[run->begins + at / 64];
    return run->begin + begins->before + count_bits(begins->bits << (63 - at % 64)) - 1;
}
