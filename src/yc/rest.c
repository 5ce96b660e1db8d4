/* See rest.h. */
#include "rest.h"

/* Sections one behind another, as long as their clients descend, are as good as melted. */
static bool note_section(struct plan *plan, struct waits *rest, size_t at,
                         const struct run *run, uint64_t client_before, bool fresh)
{
    bool melted = rest->melted == at && (at == 0 || run->id < client_before);
    rest->melted = melted ? rest->bytes.len : rest->melted;
    return ycp_waits_note(rest, &plan->doc->store.heap, at, run->wanted, fresh);
}

/* What is stuck of a run, and what has not been read for that. */
static void put_run(const struct plan *plan, const struct run *run, struct yc_buf *out)
{
    const struct block_reader *source =
        run->source == 0 ? NULL : &plan->sources[run->source - 1];
    ycp_put_varuint(out, run->end - run->next + (source == NULL ? 0 : source->structs_left));
    ycp_put_varuint(out, run->id);
    ycp_put_varuint(out, plan->blocks[run->next].id.clock);
    for (size_t block = run->next; block < run->end; block++) {
        ycp_block_put(out, &plan->blocks[block], 0);
    }
    if (source != NULL) {
        ycp_put_raw(out, source->reader.at, ycp_left(&source->reader));
    }
}

/* Writes the rests of the runs from first on that are stuck. */
static enum yc_status put_rest(struct plan *plan, size_t first)
{
    struct waits *rest = &plan->rest;
    uint64_t client_before = 0;
    bool noted = true;
    ycp_waits_clear(rest);
    for (size_t i = first; noted && i < plan->run_count; i++) {
        const struct run *run = &plan->runs[i];
        if (!run->stuck) {
            continue;
        }
        size_t at = rest->bytes.len;
        put_run(plan, run, &rest->bytes);
        noted = note_section(plan, rest, at, run, client_before, i < plan->update_runs);
        client_before = run->id;
    }
    ycp_waits_sort(rest);
    return noted ? ycp_buf_end(&rest->bytes) : YC_MEMORY;
}

/* --- melting --------------------------------------------------------------------------------- */

/* Ends the section from at on. What its first new struct waits for is what it waits for; when there is
 * no such struct it is left out. */
static bool end_section(struct plan *plan, struct waits *all, size_t at, struct run *run)
{
    if (!run->stuck) {
        all->bytes.len = at;
        return true;
    }
    all->melted = all->bytes.len;
    return ycp_waits_note(all, &plan->doc->store.heap, at, run->wanted, false);
}

/* A block of a section that waits, before any of it is known to be stuck. */
static void look_at_block(struct plan *plan, struct run *run, const struct block *block)
{
    if (block->ref == REF_SKIP || ycp_plan_knows(plan, run, block)) {
        return;
    }
    run->stuck = true;
    if (ycp_plan_can_place(plan, run, block)) {
        /* What was in front of it, and waited, came in another version; so it is not at clock 0. The
         * next update will see to it. */
        run->wanted = (struct yc_id){block->id.client, block->id.clock - 1};
        plan->wishes_held = true;
    }
}

/* Takes a melted update apart. */
static enum yc_status take_apart(struct plan *plan, struct yc_slice update, struct waits *all)
{
    struct block_reader reader = ycp_block_reader(update, plan->doc->limits.depth);
    struct block block;
    struct run run = {.id = UINT64_MAX};
    size_t at = 0;
    bool noted = true;
    while (noted && ycp_block_next(&reader, &block)) {
        if (block.id.client != run.id) {
            noted = run.id == UINT64_MAX || end_section(plan, all, at, &run);
            run = (struct run){.id = block.id.client};
            run.client = ycp_client_find(&plan->doc->store, run.id);
            at = all->bytes.len;
            ycp_put_varuint(&all->bytes, reader.structs);
            ycp_put_varuint(&all->bytes, run.id);
            ycp_put_varuint(&all->bytes, block.id.clock);
        }
        if (!run.stuck) {
            look_at_block(plan, &run, &block);
        }
        ycp_block_put(&all->bytes, &block, 0);
    }
    noted = noted && (run.id == UINT64_MAX || end_section(plan, all, at, &run));
    ycp_waits_sort(all);
    return noted ? ycp_buf_end(&all->bytes) : YC_MEMORY;
}

/* Melts what waits, and more (may be NULL), into all. */
static enum yc_status melt(struct plan *plan, const struct waits *waits,
                           const struct waits *more, struct waits *all)
{
    struct yc_buf update = {.allocator = &plan->doc->counted};
    enum yc_status status = ycp_waits_merge(waits, more, &update);
    status = status == YC_OK ? take_apart(plan, yc_buf_slice(&update), all) : status;
    yc_buf_free(&update);
    return status;
}

void ycp_melt_waits(struct plan *plan)
{
    const size_t few = 512;
    struct yc_doc *doc = plan->doc;
    struct waits *waits = &doc->waits;
    if (waits->fresh <= waits->bytes.len / 3 + few) {
        return;
    }
    struct waits all = {.bytes = {.allocator = &doc->counted}};
    enum yc_status status = melt(plan, waits, NULL, &all);
    /* Cut structs are longer: then it stays as it is, until as much again has come. */
    if (status == YC_OK && all.bytes.len <= waits->bytes.len) {
        struct waits kept = *waits;
        *waits = all;
        all = kept;
    }
    ycp_waits_note_melted(waits);
    ycp_waits_free(&all, &doc->store.heap);
}

/* --- what waits ------------------------------------------------------------------------------ */

/* Bytes that wait when the rest is put behind what waits on. */
static size_t bytes_with_rest(const struct plan *plan)
{
    return plan->doc->waits.bytes.len - plan->due_bytes + plan->rest.bytes.len;
}

/* The rest becomes all that waits. */
static void replace_rest(struct plan *plan, struct waits *all)
{
    struct waits kept = plan->rest;
    plan->rest = *all;
    plan->rest_is_all = true;
    *all = kept;
}

/* What waits on, and the rest. The bytes of what is due must stay where they are until it is
 * integrated. */
static bool copy_rest(struct plan *plan)
{
    struct yc_doc *doc = plan->doc;
    struct heap *heap = &doc->store.heap;
    struct waits all = {.bytes = {.allocator = &doc->counted}};
    size_t count = doc->waits.count - plan->due_count + plan->rest.count;
    bool room = ycp_waits_reserve(&all, heap, count, bytes_with_rest(plan));
    if (room) {
        ycp_waits_join(&all, &doc->waits);
        ycp_waits_join(&all, &plan->rest);
        replace_rest(plan, &all);
    }
    ycp_waits_free(&all, heap);
    return room;
}

/* What waits in a state is melted, and may be several times longer than it was before. */
#define MELTED_TIMES 4

/* Too much would wait. When much of it is new, some of it may be there twice. */
static void try_melted(struct plan *plan)
{
    struct yc_doc *doc = plan->doc;
    struct waits all = {.bytes = {.allocator = &doc->counted}};
    size_t bytes = bytes_with_rest(plan);
    bool may_fit = bytes / MELTED_TIMES <= doc->limits.pending_bytes;
    if (bytes <= doc->limits.pending_bytes || !may_fit || plan->rest.fresh <= bytes / 8) {
        return;
    }
    if (melt(plan, &doc->waits, &plan->rest, &all) == YC_OK && all.bytes.len < bytes) {
        replace_rest(plan, &all);
    }
    ycp_waits_free(&all, &doc->store.heap);
}

/* first: the first run whose rest is kept. */
static enum yc_status plan_waiting(struct plan *plan, size_t first)
{
    struct yc_doc *doc = plan->doc;
    struct heap *heap = &doc->store.heap;
    struct waits *rest = &plan->rest;
    enum yc_status status = put_rest(plan, first);
    if (status == YC_OK) {
        try_melted(plan);
    }
    bool room = true;
    if (status == YC_OK && !plan->rest_is_all && plan->due_count > 0) {
        room = copy_rest(plan);
    } else if (status == YC_OK && !plan->rest_is_all && rest->count > 0) {
        room = ycp_waits_reserve(&doc->waits, heap, rest->count, rest->bytes.len);
    }
    return room && status != YC_MEMORY ? status : ycp_refusal(heap);
}

/* --- deletes --------------------------------------------------------------------------------- */

/* States of clients, asked for in order of the clients. */
struct states {
    const struct yc_doc *doc;
    uint64_t client;
    uint64_t state;
    bool known;
};

static uint64_t look_up_state(struct states *states, uint64_t client)
{
    if (!states->known || states->client != client) {
        states->client = client;
        states->state = ycp_planned_state(states->doc, client);
        states->known = true;
    }
    return states->state;
}

/* Of a range of deletes, what lies beyond the planned state. */
static bool delete_later(struct plan *plan, struct states *states, struct id_range range)
{
    uint64_t state = look_up_state(states, range.client);
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
    struct states states = {.doc = plan->doc};
    for (size_t i = 0; i < pending->count; i++) {
        if (pending->ranges[i].clock < look_up_state(&states, pending->ranges[i].client)) {
            return true;
        }
    }
    for (size_t i = 0; i < plan->deletes.count; i++) {
        const struct id_range *range = &plan->deletes.ranges[i];
        if (range->clock + range->len > look_up_state(&states, range->client)) {
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
    const struct id_set *come = &plan->deletes;
    const struct id_set *held = &plan->doc->pending_deletes;
    struct states states = {.doc = plan->doc};
    for (size_t i = 0, j = 0; i < come->count || j < held->count;) {
        bool first = j == held->count;
        if (i < come->count && j < held->count) {
            first = ycp_by_client_and_clock(&come->ranges[i], &held->ranges[j]) < 0;
        }
        if (!delete_later(plan, &states, first ? come->ranges[i++] : held->ranges[j++])) {
            return ycp_refusal(&plan->doc->store.heap);
        }
    }
    ycp_idset_normalize(&plan->deletes_later);
    return YC_OK;
}

/* In a document without anything there may be more. */
static bool fits_pending(const struct plan *plan)
{
    const struct yc_doc *doc = plan->doc;
    const struct id_set *deletes =
        plan->deletes_stay ? &doc->pending_deletes : &plan->deletes_later;
    size_t structs = plan->rest_is_all ? plan->rest.bytes.len : bytes_with_rest(plan);
    size_t bytes = structs + deletes->count * sizeof(struct id_range);
    size_t held = ycp_pending_bytes(doc);
    bool empty = doc->store.item_count == 0 && held == 0;
    return bytes / (empty ? MELTED_TIMES : 1) <= doc->limits.pending_bytes || bytes <= held;
}

/* A state that is loaded is not refused because too much of it would have to wait. */
enum yc_status ycp_plan_rest(struct plan *plan)
{
    enum yc_status status = plan_waiting(plan, 0);
    status = status == YC_OK ? plan_deletes(plan) : status;
    bool loads = plan->doc->store.item_count == 0 && plan->order_count > 0;
    if (status == YC_OK && loads && !fits_pending(plan)) {
        plan->rest_is_all = false;
        status = plan_waiting(plan, plan->update_runs);
    }
    plan->pending_full = status == YC_OK && !fits_pending(plan);
    return plan->pending_full ? YC_LIMIT : status;
}
