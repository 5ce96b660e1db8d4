/* See plan.h. Structs are planned by states alone: a struct can be placed when its client's earlier
 * clocks and everything it names are held by then. A run that is stuck waits in the list of the
 * client that holds it up and goes on when that client's planned state passes what it wants, so each
 * struct is looked at twice at most, whatever order they come in. */
#include "plan.h"

#include "begins.h"
#include "depth.h"
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

/* The block is the next one of the newest blocks' run. */
static enum yc_status take_block(struct plan *plan, struct run *run, const struct block *block)
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
    run->end = plan->block_count;
    return check_block(plan, block);
}

/* Room for all that a client's head announces: too many are refused before they are read. */
static enum yc_status room_to_read(struct plan *plan, const struct block_reader *reader)
{
    struct heap *heap = &plan->doc->store.heap;
    size_t count = plan->block_count + 1 + (size_t)reader->structs_left;
    return ycp_grow(heap, &plan->blocks, &plan->block_cap, count, sizeof *plan->blocks)
               ? YC_OK
               : ycp_refusal(heap);
}

/* Reads structs into runs. */
static enum yc_status read_blocks(struct plan *plan, struct block_reader *reader)
{
    struct block block;
    struct yc_id expected = {UINT64_MAX, 0};
    enum yc_status status = YC_OK;
    while (status == YC_OK && ycp_block_next(reader, &block)) {
        if (block.id.client != expected.client || block.id.clock != expected.clock) {
            status = begin_run(plan, &block);
            status = status == YC_OK ? room_to_read(plan, reader) : status;
        }
        if (status == YC_OK) {
            status = take_block(plan, &plan->runs[plan->run_count - 1], &block);
        }
        expected = (struct yc_id){block.id.client, block.id.clock + block.content.len};
    }
    return status == YC_OK && reader->reader.bad ? YC_MALFORMED : status;
}

static enum yc_status read_update(struct plan *plan, struct yc_slice update)
{
    struct heap *heap = &plan->doc->store.heap;
    struct block_reader reader = ycp_block_reader(update, plan->doc->limits.depth);
    enum yc_status status = read_blocks(plan, &reader);
    if (status == YC_OK && !ycp_idset_read(&plan->deletes, heap, &reader.reader)) {
        return reader.reader.bad ? YC_MALFORMED : ycp_refusal(heap);
    }
    return status == YC_OK && ycp_left(&reader.reader) > 0 ? YC_MALFORMED : status;
}

/* --- planning -------------------------------------------------------------------------------- */

/* Whether a clock of another client is held by then; if not, that is what the run wants. */
static bool is_held(const struct plan *plan, struct run *run, struct yc_id id)
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

bool ycp_plan_can_place(const struct plan *plan, struct run *run, const struct block *block)
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

/* What a known block names does not matter, and it must never wait: a peer's other struct of the same
 * id could take the place of the one that is held when a state is encoded. */
bool ycp_plan_knows(const struct plan *plan, const struct run *run, const struct block *block)
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
    if (client == NO_CLIENT) {
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

/* What wants a clock of this client may be due now. */
static void note_advance(struct plan *plan, uint32_t index)
{
    struct client *client = plan->doc->store.clients[index];
    if (!client->advanced) {
        client->advanced = true;
        client->next_advanced = plan->advanced;
        plan->advanced = index + 1;
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
    if (plan->doc->waits.count > 0) {
        note_advance(plan, run->client);
    }
}

static bool room_to_place(struct plan *plan)
{
    return ycp_grow(&plan->doc->store.heap, &plan->order, &plan->order_cap, plan->block_count,
                    sizeof *plan->order);
}

/* The next struct of a source becomes the run's next; or that of a new run, when others have been read
 * since. */
static enum yc_status take_next(struct plan *plan, size_t *number, const struct block *block)
{
    struct run *run = &plan->runs[*number];
    if (run->end != plan->block_count) {
        uint32_t source = run->source;
        run->source = 0;
        enum yc_status status = begin_run(plan, block);
        if (status != YC_OK) {
            return status;
        }
        *number = plan->run_count - 1;
        run = &plan->runs[*number];
        run->source = source;
    }
    enum yc_status status = take_block(plan, run, block);
    return status != YC_OK || room_to_place(plan) ? status
                                                  : ycp_refusal(&plan->doc->store.heap);
}

/* Reads on in what a run comes from. False: there is no more, or plan->status is bad. */
static bool read_on(struct plan *plan, size_t *number)
{
    const struct run *run = &plan->runs[*number];
    struct block block;
    if (run->source == 0 || plan->status != YC_OK) {
        return false;
    }
    struct block_reader *reader = &plan->sources[run->source - 1];
    if (!ycp_block_next(reader, &block)) {
        plan->status = reader->reader.bad ? YC_MALFORMED : YC_OK;
        return false;
    }
    plan->status = take_next(plan, number, &block);
    return plan->status == YC_OK;
}

static void advance(struct plan *plan, size_t number, uint32_t *ready)
{
    while (plan->runs[number].next < plan->runs[number].end || read_on(plan, &number)) {
        struct run *run = &plan->runs[number];
        const struct block *block = &plan->blocks[run->next];
        if (block->ref == REF_SKIP || ycp_plan_knows(plan, run, block)) {
            run->next++;
        } else if (ycp_plan_can_place(plan, run, block)) {
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
static void sort_runs(struct plan *plan)
{
    if (plan->run_count > 1) {
        qsort(plan->runs, plan->run_count, sizeof *plan->runs, by_client_descending);
    }
    for (size_t i = 0; i < plan->run_count; i++) {
        plan->doc->store.clients[plan->runs[i].client]->run = (uint32_t)i + 1;
    }
}

static enum yc_status plan_runs(struct plan *plan)
{
    sort_runs(plan);
    if (!room_to_place(plan) || !ycp_begins_note(plan)) {
        return ycp_refusal(&plan->doc->store.heap);
    }
    for (size_t i = 0; i < plan->run_count; i++) {
        go_on(plan, i);
    }
    return YC_OK;
}

/* --- what waited ------------------------------------------------------------------------------ */

/* As far as it can be placed; what is behind that is not read. */
static enum yc_status plan_section(struct plan *plan, struct yc_slice section)
{
    struct heap *heap = &plan->doc->store.heap;
    struct block_reader reader = ycp_section_reader(section, plan->doc->limits.depth);
    struct block block;
    if (!ycp_block_next(&reader, &block)) {
        return YC_MALFORMED;
    }
    if (!ycp_grow(heap, &plan->sources, &plan->source_cap, plan->source_count + 1,
                  sizeof *plan->sources)) {
        return ycp_refusal(heap);
    }
    plan->status = begin_run(plan, &block);
    if (plan->status == YC_OK) {
        size_t number = plan->run_count - 1;
        plan->sources[plan->source_count++] = reader;
        plan->runs[number].source = (uint32_t)plan->source_count;
        plan->status = take_next(plan, &number, &block);
    }
    if (plan->status == YC_OK) {
        go_on(plan, plan->run_count - 1);
    }
    return plan->status;
}

/* A section that is due, if it is not taken yet, is planned, or with drops only given up. */
static enum yc_status take_section(struct plan *plan, uint32_t number, bool drops)
{
    struct waits *waits = &plan->doc->waits;
    struct wait *wait = &waits->all[number];
    if (wait->due) {
        return YC_OK;
    }
    wait->due = true;
    plan->due_count++;
    plan->due_bytes += wait->len;
    if (drops) {
        return YC_OK;
    }
    plan->wire_bytes += wait->len;
    return plan_section(plan, ycp_waits_section(waits, number));
}

/* Takes what wants clocks of a client that are held by now. */
static enum yc_status take_due_of(struct plan *plan, struct client *client, bool drops)
{
    const struct waits *waits = &plan->doc->waits;
    uint32_t from = client->checked != 0 ? client->checked : client->state;
    enum yc_status status = YC_OK;
    for (size_t i = ycp_waits_find(waits, (struct yc_id){client->id, from});
         status == YC_OK && i < waits->count && waits->wishes[i].id.client == client->id &&
         waits->wishes[i].id.clock < planned_state(client);
         i++) {
        status = take_section(plan, waits->wishes[i].wait, drops);
    }
    client->checked = planned_state(client);
    return status;
}

/* Takes all of which the document holds already what it wants. */
static enum yc_status take_all_due(struct plan *plan, bool drops)
{
    const struct waits *waits = &plan->doc->waits;
    enum yc_status status = YC_OK;
    for (size_t i = 0; status == YC_OK && i < waits->count; i++) {
        struct wish wish = waits->wishes[i];
        if (wish.id.clock < ycp_planned_state(plan->doc, wish.id.client)) {
            status = take_section(plan, wish.wait, drops);
        }
    }
    return status;
}

/* Takes what is due, and what is due then. */
static enum yc_status take_due(struct plan *plan, bool drops)
{
    struct store *store = &plan->doc->store;
    enum yc_status status = plan->doc->wishes_held ? take_all_due(plan, drops) : YC_OK;
    while (status == YC_OK && plan->advanced != 0) {
        struct client *client = store->clients[plan->advanced - 1];
        plan->advanced = client->next_advanced;
        client->advanced = false;
        status = take_due_of(plan, client, drops);
    }
    for (size_t i = 0; i < plan->source_count; i++) {
        plan->wire_bytes -= ycp_left(&plan->sources[i].reader);
    }
    return status;
}

/* --- all of it ------------------------------------------------------------------------------- */

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
                          .rest = {.bytes = {.allocator = &doc->counted}}};
    enum yc_status status = read_update(plan, update);
    plan->update_runs = plan->run_count;
    ycp_idset_normalize(&plan->deletes);
    status = status == YC_OK ? plan_runs(plan) : status;
    status = status == YC_OK && doc->waits.count > 0 ? take_due(plan, drops_due) : status;
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
    client->checked = 0;
    client->advanced = false;
}

void ycp_plan_finish(struct plan *plan)
{
    struct store *store = &plan->doc->store;
    struct waits *waits = &plan->doc->waits;
    for (size_t i = 0; plan->due_count > 0 && i < waits->count; i++) {
        waits->all[i].due = false;
    }
    for (size_t i = 0; i < plan->run_count; i++) {
        forget(store->clients[plan->runs[i].client]);
        uint32_t wanted = ycp_client_find(store, plan->runs[i].wanted.client);
        if (wanted != NO_CLIENT) {
            forget(store->clients[wanted]); /* of whether anything waits for it */
        }
    }
    bool large = plan->block_cap > PLAN_KEPT || plan->run_cap > PLAN_KEPT ||
                 plan->order_cap > PLAN_KEPT || plan->deletes.cap > PLAN_KEPT;
    if (large) {
        ycp_plan_free(plan, &store->heap);
    }
    ycp_idset_free(&plan->deletes_later, &store->heap);
    ycp_waits_free(&plan->rest, &store->heap);
    ycp_free(&store->heap, plan->sources, plan->source_cap * sizeof *plan->sources);
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
