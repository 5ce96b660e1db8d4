/* See plan.h. Structs are planned by states alone: a struct can be placed when its client's earlier
 * clocks and everything it names are held by then. A run that is stuck waits in the list of the
 * client that holds it up and goes on when that client's planned state passes what it wants, so the
 * work is linear in the structs, whatever order they come in. */
#include "plan.h"

#include "begins.h"
#include "depth.h"
#include "pending.h"
#include "rest.h"

#include <stdlib.h>
#include <string.h>

static uint32_t planned_state(const struct client *client)
{
    return client->planned != 0 ? client->planned : client->state;
}

uint64_t ycp_planned_state(const struct yc_doc *doc, uint64_t id)
{
    uint32_t client = ycp_client_find(&doc->store, id);
    return client == NO_CLIENT ? 0 : planned_state(doc->store.clients[client]);
}

/* --- reading --------------------------------------------------------------------------------- */

static enum yc_status check_block(const struct plan *plan, const struct block *block)
{
    const struct yc_limits *limits = &plan->doc->limits;
    bool fits = block->id.clock + block->content.len <= limits->clock &&
                (!block->has_key || block->key.len <= limits->name_bytes) &&
                (block->parent != PARENT_ROOT || block->root.len <= limits->name_bytes);
    return fits ? YC_OK : YC_LIMIT;
}

/* The block begins a new client: all its structs are one run. */
static enum yc_status begin_run(struct plan *plan, const struct block *block)
{
    struct yc_doc *doc = plan->doc;
    struct heap *heap = &doc->store.heap;
    if (!ycp_grow(heap, &plan->runs, &plan->run_cap, plan->run_count + 1, sizeof *plan->runs)) {
        return ycp_refusal(heap);
    }
    uint32_t client = ycp_client_find(&doc->store, block->id.client);
    if (client == NO_CLIENT) {
        if (doc->store.client_count >= doc->limits.clients) {
            return YC_LIMIT;
        }
        client = ycp_client_make(&doc->store, block->id.client);
        if (client == NO_CLIENT) {
            return ycp_refusal(heap);
        }
    }
    size_t at = plan->block_count;
    plan->runs[plan->run_count++] = (struct run){
        .begin = at, .next = at, .end = at, .id = block->id.client, .client = client};
    struct client *owner = doc->store.clients[client];
    owner->several = owner->run != 0;
    owner->run = (uint32_t)plan->run_count;
    return YC_OK;
}

static enum yc_status take_block(struct plan *plan, const struct block *block)
{
    struct heap *heap = &plan->doc->store.heap;
    if (plan->block_count == UINT32_MAX) {
        return YC_LIMIT; /* struct planned counts so far */
    }
    if (!ycp_grow(heap, &plan->blocks, &plan->block_cap, plan->block_count + 1,
                  sizeof *plan->blocks)) {
        return ycp_refusal(heap);
    }
    plan->blocks[plan->block_count++] = *block;
    plan->runs[plan->run_count - 1].end = plan->block_count;
    return check_block(plan, block);
}

/* Reads the structs of an update into runs, and with deletes also its delete set. */
static enum yc_status read_update(struct plan *plan, struct yc_slice update,
                                  struct id_set *deletes)
{
    struct heap *heap = &plan->doc->store.heap;
    struct block_reader reader = ycp_block_reader(update, plan->doc->limits.depth);
    struct block block;
    struct yc_id expected = {UINT64_MAX, 0};
    enum yc_status status = YC_OK;
    while (status == YC_OK && ycp_block_next(&reader, &block)) {
        if (block.id.client != expected.client || block.id.clock != expected.clock) {
            status = begin_run(plan, &block);
        }
        if (status == YC_OK) {
            status = take_block(plan, &block);
        }
        expected = (struct yc_id){block.id.client, block.id.clock + block.content.len};
    }
    if (status == YC_OK && !reader.reader.bad && deletes != NULL &&
        !ycp_idset_read(deletes, heap, &reader.reader) && !reader.reader.bad) {
        return ycp_refusal(heap);
    }
    if (status == YC_OK &&
        (reader.reader.bad || (deletes != NULL && ycp_left(&reader.reader)))) {
        return YC_MALFORMED;
    }
    return status;
}

/* --- planning -------------------------------------------------------------------------------- */

/* Whether a clock of another client is held by then; if not, that is what the run wants. */
static bool is_held(struct plan *plan, struct run *run, struct yc_id id)
{
    const struct store *store = &plan->doc->store;
    if (store->clients[run->client]->id == id.client) {
        return true; /* earlier in the same run, or before it: the reader has checked */
    }
    uint32_t client = ycp_client_find(store, id.client);
    if (client != NO_CLIENT && id.clock < planned_state(store->clients[client])) {
        return true;
    }
    run->wanted = id;
    return false;
}

static bool can_be_placed(struct plan *plan, struct run *run, const struct block *block)
{
    uint32_t state = planned_state(plan->doc->store.clients[run->client]);
    if (block->id.clock > state) {
        run->wanted = (struct yc_id){block->id.client, block->id.clock - 1};
        return false;
    }
    return (!block->has_origin || is_held(plan, run, block->origin)) &&
           (!block->has_right || is_held(plan, run, block->right)) &&
           (block->parent != PARENT_ID || is_held(plan, run, block->parent_id));
}

/* All of it is held already. What it names does not matter then, and it must never wait: a peer's
 * other struct of the same id could take the place of the one that is held when a state is
 * encoded. */
static bool is_known(const struct plan *plan, const struct run *run, const struct block *block)
{
    uint32_t state = planned_state(plan->doc->store.clients[run->client]);
    return block->id.clock + block->content.len <= state;
}

/* Joins two heaps of waiting runs. */
static uint32_t meld(struct plan *plan, uint32_t a, uint32_t b)
{
    if (a == 0 || b == 0) {
        return a + b;
    }
    struct run *top = &plan->runs[a - 1];
    struct run *other = &plan->runs[b - 1];
    if (other->wanted.clock < top->wanted.clock) {
        other->sibling = 0;
        top->sibling = other->child;
        other->child = a;
        return b;
    }
    top->sibling = 0;
    other->sibling = top->child;
    top->child = b;
    return a;
}

/* What is left of a heap without its top: its children, joined in pairs and then from the last. */
static uint32_t without_top(struct plan *plan, uint32_t top)
{
    uint32_t pairs = 0;
    for (uint32_t left = plan->runs[top - 1].child; left != 0;) {
        uint32_t a = left;
        uint32_t b = plan->runs[a - 1].sibling;
        left = b == 0 ? 0 : plan->runs[b - 1].sibling;
        uint32_t pair = meld(plan, a, b);
        plan->runs[pair - 1].sibling = pairs;
        pairs = pair;
    }
    uint32_t heap = 0;
    while (pairs != 0) {
        uint32_t next = plan->runs[pairs - 1].sibling;
        plan->runs[pairs - 1].sibling = 0;
        heap = meld(plan, heap, pairs);
        pairs = next;
    }
    return heap;
}

static void wait_for(struct plan *plan, size_t number)
{
    struct run *run = &plan->runs[number];
    uint32_t client = ycp_client_find(&plan->doc->store, run->wanted.client);
    run->stuck = true;
    if (client == NO_CLIENT || run->wanted.clock >= UINT32_MAX) {
        return;
    }
    struct client *owner = plan->doc->store.clients[client];
    run->child = 0;
    run->sibling = 0;
    owner->waiters = meld(plan, owner->waiters, (uint32_t)number + 1);
}

/* Takes the runs whose wish a client's planned state has passed and puts them onto the list of runs
 * to go on with. */
static void wake(struct plan *plan, struct client *client, uint32_t *ready)
{
    while (client->waiters != 0) {
        uint32_t top = client->waiters;
        struct run *run = &plan->runs[top - 1];
        if (run->wanted.clock >= planned_state(client)) {
            return;
        }
        client->waiters = without_top(plan, top);
        run->stuck = false;
        run->sibling = *ready;
        *ready = top;
    }
}

static void place_block(struct plan *plan, struct run *run, const struct block *block,
                        uint32_t *ready)
{
    struct client *client = plan->doc->store.clients[run->client];
    plan->order[plan->order_count++] = (struct planned){(uint32_t)run->next, run->client};
    client->planned = (uint32_t)(block->id.clock + block->content.len);
    wake(plan, client, ready);
    run->next++;
}

static void advance(struct plan *plan, size_t number, uint32_t *ready)
{
    struct run *run = &plan->runs[number];
    while (run->next < run->end) {
        const struct block *block = &plan->blocks[run->next];
        if (block->ref == REF_SKIP || is_known(plan, run, block)) {
            run->next++;
        } else if (can_be_placed(plan, run, block)) {
            place_block(plan, run, block, ready);
        } else {
            wait_for(plan, number);
            return;
        }
    }
}

/* Advances a run, and the runs that this frees. */
static void go_on(struct plan *plan, size_t run)
{
    uint32_t ready = 0;
    advance(plan, run, &ready);
    while (ready != 0) {
        size_t number = ready - 1;
        ready = plan->runs[number].sibling;
        advance(plan, number, &ready);
    }
}

static int by_client_descending(const void *a, const void *b)
{
    const struct run *left = a;
    const struct run *right = b;
    if (left->id != right->id) {
        return left->id < right->id ? 1 : -1;
    }
    return (left->begin > right->begin) - (left->begin < right->begin);
}

/* As Yjs does, whatever order they come in. Of concurrent items the lower client's goes first, so
 * this is also the order in which least has to be passed over. */
static void sort_runs(struct plan *plan, size_t first)
{
    size_t count = plan->run_count - first;
    if (count > 1) {
        qsort(&plan->runs[first], count, sizeof *plan->runs, by_client_descending);
    }
    for (size_t i = first; i < plan->run_count; i++) {
        plan->doc->store.clients[plan->runs[i].client]->run = (uint32_t)i + 1;
    }
}

static enum yc_status plan_runs(struct plan *plan, size_t first)
{
    struct heap *heap = &plan->doc->store.heap;
    if (!ycp_grow(heap, &plan->order, &plan->order_cap, plan->block_count,
                  sizeof *plan->order)) {
        return ycp_refusal(heap);
    }
    sort_runs(plan, first);
    if (!ycp_begins_note(plan, first)) {
        return ycp_refusal(heap);
    }
    for (size_t i = first; i < plan->run_count; i++) {
        go_on(plan, i);
    }
    return YC_OK;
}

/* Runs that wanted a client that came to be known only with what was pending. */
static void plan_again(struct plan *plan)
{
    for (size_t i = 0; i < plan->pending_runs; i++) {
        struct run *run = &plan->runs[i];
        if (run->stuck &&
            run->wanted.clock < ycp_planned_state(plan->doc, run->wanted.client)) {
            run->stuck = false;
            go_on(plan, i);
        }
    }
}

/* --- what must wait -------------------------------------------------------------------------- */

static bool wanted_is_held(const struct yc_doc *doc)
{
    for (size_t i = 0; i < doc->wanted.count; i++) {
        uint32_t client = ycp_client_find(&doc->store, doc->wanted.ranges[i].client);
        if (client != NO_CLIENT &&
            doc->wanted.ranges[i].clock < planned_state(doc->store.clients[client])) {
            return true;
        }
    }
    return false;
}

/* --- all of it ------------------------------------------------------------------------------- */

/* Runs of what waits that are due are dropped; the others wait on. */
static void drop_due(struct plan *plan)
{
    sort_runs(plan, plan->pending_runs);
    for (size_t i = plan->pending_runs; i < plan->run_count; i++) {
        struct run *run = &plan->runs[i];
        while (run->next < run->end && (plan->blocks[run->next].ref == REF_SKIP ||
                                        is_known(plan, run, &plan->blocks[run->next]))) {
            run->next++;
        }
        run->stuck =
            run->next < run->end && !can_be_placed(plan, run, &plan->blocks[run->next]);
    }
}

/* What waits, and now need not. */
static enum yc_status take_pending(struct plan *plan, bool drops)
{
    struct yc_doc *doc = plan->doc;
    enum yc_status status = ycp_pending_merge(doc, (struct yc_slice){NULL, 0}, &plan->old);
    plan->wire_bytes += plan->old.len;
    status = status == YC_OK ? read_update(plan, yc_buf_slice(&plan->old), NULL)
                             : ycp_refusal(&doc->store.heap);
    if (status == YC_OK && drops) {
        drop_due(plan);
        return YC_OK;
    }
    status = status == YC_OK ? plan_runs(plan, plan->pending_runs) : status;
    if (status == YC_OK) {
        plan_again(plan);
    }
    return status;
}

enum yc_status ycp_plan(struct plan *plan, struct yc_doc *doc, struct yc_slice update,
                        bool drops_due)
{
    struct plan kept = *plan;
    *plan = (struct plan){.doc = doc,
                          .blocks = kept.blocks,
                          .block_cap = kept.block_cap,
                          .runs = kept.runs,
                          .run_cap = kept.run_cap,
                          .order = kept.order,
                          .order_cap = kept.order_cap,
                          .begins = kept.begins,
                          .begins_cap = kept.begins_cap,
                          .deletes = {kept.deletes.ranges, 0, kept.deletes.cap},
                          .wire_bytes = update.len,
                          .pending = {.allocator = &doc->counted},
                          .old = {.allocator = &doc->counted}};
    enum yc_status status = read_update(plan, update, &plan->deletes);
    plan->pending_runs = plan->run_count;
    ycp_idset_normalize(&plan->deletes);
    status = status == YC_OK ? plan_runs(plan, 0) : status;
    if (status == YC_OK && ycp_pending_structs(doc) && wanted_is_held(doc)) {
        plan->pending_taken = true;
        status = take_pending(plan, drops_due);
    }
    status = status == YC_OK ? ycp_plan_depth(plan) : status;
    return status == YC_OK ? ycp_plan_rest(plan) : status;
}

static void forget(struct client *client)
{
    client->planned = 0;
    client->waiters = 0;
    client->run = 0;
    client->several = false;
    client->inserts = 0;
}

void ycp_plan_finish(struct plan *plan)
{
    struct store *store = &plan->doc->store;
    for (size_t i = 0; i < plan->run_count; i++) {
        forget(store->clients[plan->runs[i].client]);
        if (plan->runs[i].stuck) {
            uint32_t client = ycp_client_find(store, plan->runs[i].wanted.client);
            if (client != NO_CLIENT) {
                forget(store->clients[client]);
            }
        }
    }
    bool large = plan->block_cap > PLAN_KEPT || plan->run_cap > PLAN_KEPT ||
                 plan->order_cap > PLAN_KEPT || plan->deletes.cap > PLAN_KEPT;
    if (large) {
        ycp_plan_free(plan, &store->heap);
    }
    ycp_idset_free(&plan->deletes_later, &store->heap);
    ycp_idset_free(&plan->wanted, &store->heap);
    yc_buf_free(&plan->pending);
    yc_buf_free(&plan->old);
}

void ycp_plan_free(struct plan *plan, struct heap *heap)
{
    ycp_free(heap, plan->blocks, plan->block_cap * sizeof *plan->blocks);
    ycp_free(heap, plan->runs, plan->run_cap * sizeof *plan->runs);
    ycp_free(heap, plan->order, plan->order_cap * sizeof *plan->order);
    ycp_free(heap, plan->begins, plan->begins_cap * sizeof *plan->begins);
    ycp_idset_free(&plan->deletes, heap);
    plan->blocks = NULL;
    plan->runs = NULL;
    plan->order = NULL;
    plan->begins = NULL;
    plan->block_cap = 0;
    plan->run_cap = 0;
    plan->order_cap = 0;
    plan->begins_cap = 0;
}
