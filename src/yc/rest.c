/* See rest.h. */
#include "rest.h"

#include "pending.h"

/* Writes the stuck rest of the runs from first to end as an update; len 0 when there is none. Runs
 * stand with their clients descending. */
static void put_rest(struct plan *plan, size_t first, size_t end, struct yc_buf *out)
{
    uint64_t stuck = 0;
    for (size_t i = first; i < end; i++) {
        stuck += plan->runs[i].stuck;
    }
    ycp_buf_begin(out);
    if (stuck == 0) {
        return;
    }
    ycp_put_varuint(out, stuck);
    for (size_t i = first; i < end; i++) {
        const struct run *run = &plan->runs[i];
        if (!run->stuck) {
            continue;
        }
        ycp_put_varuint(out, run->end - run->next);
        ycp_put_varuint(out, run->id);
        ycp_put_varuint(out, plan->blocks[run->next].id.clock);
        for (size_t block = run->next; block < run->end; block++) {
            ycp_block_put(out, &plan->blocks[block], 0);
        }
    }
    ycp_put_varuint(out, 0);
}

/* What the stuck runs want. */
static enum yc_status note_wanted(struct plan *plan)
{
    struct heap *heap = &plan->doc->store.heap;
    for (size_t i = 0; i < plan->run_count; i++) {
        const struct run *run = &plan->runs[i];
        struct id_range want = {run->wanted.client, run->wanted.clock, 1};
        if (run->stuck && !ycp_idset_add(&plan->wanted, heap, want)) {
            return ycp_refusal(heap);
        }
    }
    return YC_OK;
}

/* The rest of this update is to be kept behind what waits: room for it. */
static enum yc_status join_rest(struct plan *plan, struct yc_buf *rest)
{
    struct yc_doc *doc = plan->doc;
    struct heap *heap = &doc->store.heap;
    const size_t length = 8;
    struct yc_buf empty = plan->pending;
    plan->pending = *rest;
    *rest = empty;
    plan->pending_joins = true;
    size_t held = doc->late.len;
    bool ok = ycp_buf_reserve(&doc->late, plan->pending.len + length) &&
              ycp_grow(heap, &doc->wanted.ranges, &doc->wanted.cap,
                       doc->wanted.count + plan->wanted.count, sizeof(struct id_range));
    doc->late.len = held; /* a buffer that cannot grow is emptied, but not of bytes */
    doc->late.failed = false;
    return ok ? YC_OK : ycp_refusal(heap);
}

/* All that waits, with the rest of this update, as one; and all that it wants. */
static enum yc_status merge_rest(struct plan *plan, const struct yc_buf *rest)
{
    struct yc_doc *doc = plan->doc;
    struct yc_buf old = {.allocator = &doc->counted};
    if (!plan->pending_taken) {
        for (size_t i = 0; i < doc->wanted.count; i++) {
            if (!ycp_idset_add(&plan->wanted, &doc->store.heap, doc->wanted.ranges[i])) {
                return ycp_refusal(&doc->store.heap);
            }
        }
        ycp_idset_normalize(&plan->wanted);
        return ycp_pending_merge(doc, yc_buf_slice(rest), &plan->pending);
    }
    put_rest(plan, plan->pending_runs, plan->run_count, &old);
    enum yc_status status = ycp_buf_end(&old);
    struct yc_slice parts[2];
    size_t count = 0;
    if (old.len > 0) {
        parts[count++] = yc_buf_slice(&old);
    }
    if (rest->len > 0) {
        parts[count++] = yc_buf_slice(rest);
    }
    if (status == YC_OK && count > 0) {
        status = yc_merge_updates(parts, count, &plan->pending);
    }
    yc_buf_free(&old);
    return status;
}

static enum yc_status keep_rest(struct plan *plan)
{
    struct yc_doc *doc = plan->doc;
    struct yc_buf rest = {.allocator = &doc->counted};
    enum yc_status status = note_wanted(plan);
    put_rest(plan, 0, plan->pending_runs, &rest);
    status = status == YC_OK ? ycp_buf_end(&rest) : status;
    if (status == YC_OK) {
        bool joins = !plan->pending_taken && ycp_pending_keeps(doc, rest.len);
        status = joins ? join_rest(plan, &rest) : merge_rest(plan, &rest);
    }
    yc_buf_free(&rest);
    return status == YC_MEMORY ? ycp_refusal(&doc->store.heap) : status;
}

static bool any_stuck(const struct plan *plan)
{
    for (size_t i = 0; i < plan->run_count; i++) {
        if (plan->runs[i].stuck) {
            return true;
        }
    }
    return false;
}

/* Of a range of deletes, what lies beyond the planned state. */
static bool delete_later(struct plan *plan, struct id_range range)
{
    uint64_t state = ycp_planned_state(plan->doc, range.client);
    uint64_t end = range.clock + range.len;
    if (end <= state) {
        return true;
    }
    range.clock = range.clock < state ? state : range.clock;
    range.len = end - range.clock;
    return ycp_idset_add(&plan->deletes_later, &plan->doc->store.heap, range);
}

/* Whether pending deletes have become due, or new ones must wait. */
static bool deletes_change(const struct plan *plan)
{
    const struct id_set *pending = &plan->doc->pending_deletes;
    for (size_t i = 0; i < pending->count; i++) {
        if (pending->ranges[i].clock <
            ycp_planned_state(plan->doc, pending->ranges[i].client)) {
            return true;
        }
    }
    for (size_t i = 0; i < plan->deletes.count; i++) {
        const struct id_range *range = &plan->deletes.ranges[i];
        if (range->clock + range->len > ycp_planned_state(plan->doc, range->client)) {
            return true;
        }
    }
    return false;
}

static enum yc_status plan_deletes(struct plan *plan)
{
    plan->deletes_stay = !deletes_change(plan);
    if (plan->deletes_stay) {
        return YC_OK;
    }
    const struct id_set *sets[] = {&plan->deletes, &plan->doc->pending_deletes};
    for (size_t s = 0; s < 2; s++) {
        for (size_t i = 0; i < sets[s]->count; i++) {
            if (!delete_later(plan, sets[s]->ranges[i])) {
                return ycp_refusal(&plan->doc->store.heap);
            }
        }
    }
    ycp_idset_normalize(&plan->deletes_later);
    return YC_OK;
}

static bool fits_pending(const struct plan *plan)
{
    const struct yc_doc *doc = plan->doc;
    bool stays = plan->pending_stays || plan->pending_joins;
    const struct id_set *deletes =
        plan->deletes_stay ? &doc->pending_deletes : &plan->deletes_later;
    size_t bytes = plan->pending.len + (stays ? doc->pending.len + doc->late.len : 0) +
                   deletes->count * sizeof(struct id_range);
    return bytes <= doc->limits.pending_bytes || bytes <= ycp_pending_bytes(doc);
}

/* What of this update must wait does not. */
static void drop_rest(struct plan *plan)
{
    for (size_t i = 0; i < plan->pending_runs; i++) {
        plan->runs[i].stuck = false;
    }
    plan->wanted.count = 0;
    plan->pending_joins = false;
    ycp_buf_begin(&plan->pending);
}

static enum yc_status plan_waiting(struct plan *plan)
{
    plan->pending_stays = !plan->pending_taken && !any_stuck(plan);
    enum yc_status status = YC_OK;
    if (!plan->pending_stays) {
        status = keep_rest(plan);
    }
    return status;
}

/* A state that is loaded is not refused because too much of it would have to wait: merged, it may be
 * longer than what was taken in bit by bit. */
enum yc_status ycp_plan_rest(struct plan *plan)
{
    enum yc_status status = plan_waiting(plan);
    status = status == YC_OK ? plan_deletes(plan) : status;
    bool loads = plan->doc->store.item_count == 0 && plan->order_count > 0;
    if (status == YC_OK && loads && !fits_pending(plan)) {
        drop_rest(plan);
        status = plan_waiting(plan);
    }
    plan->pending_full = status == YC_OK && !fits_pending(plan);
    return plan->pending_full ? YC_LIMIT : status;
}
