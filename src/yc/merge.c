/* Updates without a document: many into one, the part of one that somebody lacks, the state vector
 * of one. Structs are copied from update to update one by one; only one struct per input and one
 * that is about to be written are held, and the output is as Yjs writes it. */
#include "merge.h"

#include "block.h"
#include "idset.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64

static struct heap scratch_heap(const struct yc_buf *out)
{
    return (struct heap){.allocator = out->allocator ? *out->allocator : ycp_libc_allocator,
                         .limit = SIZE_MAX};
}

static uint64_t end_of(const struct block *block)
{
    return block->id.clock + block->content.len;
}

/* --- writing --------------------------------------------------------------------------------- */

/* Collects structs into blocks of clients: a block's head has the number of its structs, which is
 * known at its end. */
struct writer {
    struct yc_buf *out;    /* finished blocks */
    struct yc_buf structs; /* of the present block */
    struct yc_id first;
    uint64_t next; /* the clock that continues the block */
    uint64_t count;
    uint64_t clients;
};

static void writer_flush(struct writer *writer)
{
    if (writer->count == 0) {
        return;
    }
    ycp_put_varuint(writer->out, writer->count);
    ycp_put_varuint(writer->out, writer->first.client);
    ycp_put_varuint(writer->out, writer->first.clock);
    ycp_put_raw(writer->out, writer->structs.data, writer->structs.len);
    if (writer->structs.failed) {
        writer->out->failed = true;
    }
    ycp_buf_begin(&writer->structs);
    writer->count = 0;
    writer->clients++;
}

static void writer_put(struct writer *writer, const struct block *block, uint64_t offset)
{
    struct yc_id id = {block->id.client, block->id.clock + offset};
    /* No Yjs writes a client twice, but a peer may have, with a gap in between. */
    if (writer->count > 0 && (writer->first.client != id.client || writer->next != id.clock)) {
        writer_flush(writer);
    }
    if (writer->count == 0) {
        writer->first = id;
    }
    ycp_block_put(&writer->structs, block, offset);
    writer->next = block->id.clock + block->content.len;
    writer->count++;
}

/* Puts the number of clients in front of the blocks, and the deletes behind them. */
static enum yc_status writer_end(struct writer *writer, const struct id_set *deletes)
{
    struct yc_buf *out = writer->out;
    writer_flush(writer);
    size_t head = ycp_varuint_size(writer->clients);
    if (ycp_buf_reserve(out, head)) {
        memmove(out->data + head, out->data, out->len);
        out->len += head;
        uint64_t value = writer->clients;
        for (size_t i = 0; i < head; i++, value >>= 7) {
            out->data[i] = (uint8_t)(value & 0x7f) | (i + 1 < head ? 0x80 : 0);
        }
    }
    ycp_idset_put(out, deletes);
    return ycp_buf_end(out);
}

/* --- reading --------------------------------------------------------------------------------- */

/* An update that is being read; its present struct is block while there is one. */
struct source {
    struct block_reader reader;
    struct block block;
    bool has_block;
    int64_t turn; /* among sources that stand at the same clock the lowest goes first */
};

static void source_next(struct source *source)
{
    source->has_block = ycp_block_next(&source->reader, &source->block);
}

static void source_next_known(struct source *source)
{
    do {
        source_next(source);
    } while (source->has_block && source->block.ref == REF_SKIP);
}

/* The delete set behind the structs, and then the end. */
static enum yc_status read_deletes(struct source *source, struct id_set *deletes,
                                   struct heap *heap)
{
    struct reader *reader = &source->reader.reader;
    if (!reader->bad && !ycp_idset_read(deletes, heap, reader) && !reader->bad) {
        return YC_MEMORY;
    }
    return reader->bad || ycp_left(reader) > 0 ? YC_MALFORMED : YC_OK;
}

static enum yc_status check(struct yc_slice update, struct heap *heap)
{
    struct source source = {.reader = ycp_block_reader(update, MAX_DEPTH)};
    struct id_set deletes = {0};
    do {
        source_next(&source);
    } while (source.has_block);
    enum yc_status status = read_deletes(&source, &deletes, heap);
    ycp_idset_free(&deletes, heap);
    return status;
}

/* --- merging --------------------------------------------------------------------------------- */

/* The sources that have structs left, as a binary heap: on top the one whose struct is to be written
 * next. Clients descend, clocks ascend; the source that was on top goes before its equals, as in
 * Yjs, which sorts its list again each time. */
struct merge {
    struct source *sources;
    struct source **queue;
    size_t count;
    int64_t next_turn; /* descends */
    struct writer writer;
    struct block last; /* about to be written, without its first offset clocks */
    uint64_t offset;
    bool has_last;
};

static bool goes_before(const struct source *a, const struct source *b)
{
    if (a->block.id.client != b->block.id.client) {
        return a->block.id.client > b->block.id.client;
    }
    if (a->block.id.clock != b->block.id.clock) {
        return a->block.id.clock < b->block.id.clock;
    }
    return a->turn < b->turn;
}

/* Moves the source at a place down to where nothing below goes before it. */
static void sink(struct merge *merge, size_t at)
{
    struct source *source = merge->queue[at];
    for (size_t child = 2 * at + 1; child < merge->count; child = 2 * at + 1) {
        if (child + 1 < merge->count &&
            goes_before(merge->queue[child + 1], merge->queue[child])) {
            child++;
        }
        if (!goes_before(merge->queue[child], source)) {
            break;
        }
        merge->queue[at] = merge->queue[child];
        at = child;
    }
    merge->queue[at] = source;
}

/* The first source has moved on: to its new place with it. */
static void requeue_first(struct merge *merge)
{
    struct source *source = merge->queue[0];
    if (source->has_block) {
        source->turn = merge->next_turn--;
    } else {
        merge->queue[0] = merge->queue[--merge->count];
    }
    if (merge->count > 0) {
        sink(merge, 0);
    }
}

static void write_last(struct merge *merge)
{
    writer_put(&merge->writer, &merge->last, merge->offset);
}

static void set_last(struct merge *merge, const struct block *block, uint64_t offset)
{
    merge->last = *block;
    merge->offset = offset;
    merge->has_last = true;
}

/* The present struct continues, overlaps or leaves a gap behind the last one of its client. */
static void follow(struct merge *merge, struct source *source)
{
    const struct block *block = &source->block;
    uint64_t end = end_of(&merge->last);
    if (end < block->id.clock) {
        write_last(merge);
        struct block skip = {.id = {block->id.client, end}, .ref = REF_SKIP};
        skip.content.len = block->id.clock - end;
        set_last(merge, &skip, 0);
        return;
    }
    uint64_t known = end - block->id.clock;
    if (merge->last.ref == REF_GC && block->ref == REF_GC) {
        merge->last.content.len += block->content.len - known;
        return;
    }
    write_last(merge);
    set_last(merge, block, known);
    source_next_known(source);
}

/* Passes over what the last written struct covers. False: the order of sources must be looked at
 * again before the present struct is written. */
static bool pass_known(struct merge *merge, struct source *source)
{
    uint64_t client = source->block.id.client;
    uint64_t end = end_of(&merge->last);
    bool passed = false;
    while (source->has_block && end_of(&source->block) <= end &&
           source->block.id.client >= merge->last.id.client) {
        source_next_known(source);
        passed = true;
    }
    return source->has_block && source->block.id.client == client &&
           !(passed && source->block.id.clock > end);
}

static void step(struct merge *merge)
{
    struct source *source = merge->queue[0];
    uint64_t client = source->block.id.client;
    if (!merge->has_last) {
        set_last(merge, &source->block, 0);
        source_next_known(source);
    } else if (!pass_known(merge, source)) {
        requeue_first(merge);
        return;
    } else if (client != merge->last.id.client) {
        write_last(merge);
        set_last(merge, &source->block, 0);
        source_next_known(source);
    } else {
        follow(merge, source);
    }
    while (source->has_block && source->block.id.client == client &&
           source->block.id.clock == end_of(&merge->last)) {
        write_last(merge);
        set_last(merge, &source->block, 0);
        source_next_known(source);
    }
    requeue_first(merge);
}

static enum yc_status merge_sources(struct merge *merge, size_t count, struct heap *heap)
{
    struct id_set deletes = {0};
    while (merge->count > 0) {
        step(merge);
    }
    if (merge->has_last) {
        write_last(merge);
    }
    enum yc_status status = YC_OK;
    for (size_t i = 0; status == YC_OK && i < count; i++) {
        status = read_deletes(&merge->sources[i], &deletes, heap);
    }
    ycp_idset_normalize(&deletes);
    status = status == YC_OK ? writer_end(&merge->writer, &deletes) : status;
    ycp_idset_free(&deletes, heap);
    return status;
}

static void open_sources(struct merge *merge, const struct yc_slice *updates, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct source *source = &merge->sources[i];
        *source = (struct source){.reader = ycp_block_reader(updates[i], MAX_DEPTH),
                                  .turn = (int64_t)i};
        source_next_known(source);
        if (source->has_block) {
            merge->queue[merge->count++] = source;
        }
    }
    for (size_t i = merge->count / 2; i > 0; i--) {
        sink(merge, i - 1);
    }
    merge->next_turn = -1;
}

static enum yc_status merge_many(const struct yc_slice *updates, size_t count,
                                 struct yc_buf *out)
{
    struct heap heap = scratch_heap(out);
    struct merge merge = {.writer = {.out = out, .structs = {.allocator = out->allocator}}};
    size_t source_cap = 0;
    size_t queue_cap = 0;
    enum yc_status status = YC_MEMORY;
    if (ycp_grow(&heap, &merge.sources, &source_cap, count, sizeof *merge.sources) &&
        ycp_grow(&heap, &merge.queue, &queue_cap, count, sizeof(struct source *))) {
        open_sources(&merge, updates, count);
        status = merge_sources(&merge, count, &heap);
    }
    yc_buf_free(&merge.writer.structs);
    ycp_free(&heap, merge.sources, source_cap * sizeof *merge.sources);
    ycp_free(&heap, merge.queue, queue_cap * sizeof(struct source *));
    return status;
}

/* A result is whole or empty. */
static enum yc_status settle(struct yc_buf *out, enum yc_status status)
{
    if (status != YC_OK) {
        ycp_buf_begin(out);
    }
    return status;
}

enum yc_status yc_merge_updates(const struct yc_slice *updates, size_t count,
                                struct yc_buf *out)
{
    ycp_buf_begin(out);
    if (count != 1) {
        return settle(out, merge_many(updates, count, out));
    }
    struct heap heap = scratch_heap(out);
    enum yc_status status = check(updates[0], &heap);
    if (status == YC_OK) {
        ycp_put_raw(out, updates[0].data, updates[0].len);
        status = ycp_buf_end(out);
    }
    return settle(out, status);
}

/* --- the part that somebody lacks ------------------------------------------------------------ */

/* Of a client that is named twice the last counts, as in Yjs. */
static void keep_last(struct id_set *states)
{
    size_t kept = 0;
    if (states->count > 1) {
        qsort(states->ranges, states->count, sizeof *states->ranges, ycp_by_client_and_clock);
    }
    for (size_t i = 0; i < states->count; i++) {
        bool again = kept > 0 && states->ranges[kept - 1].client == states->ranges[i].client;
        kept -= again;
        states->ranges[kept++] = states->ranges[i];
    }
    states->count = kept;
}

/* What a state vector says of clients: len is the state. */
static bool read_state_vector(struct id_set *states, struct heap *heap, struct yc_slice bytes,
                              bool *malformed)
{
    struct reader reader = ycp_reader(bytes);
    uint64_t count = bytes.len == 0 ? 0 : ycp_get_varuint(&reader);
    bool enough = true;
    for (uint64_t i = 0; i < count && !reader.bad && enough; i++) {
        struct id_range state = {.client = ycp_get_varuint(&reader), .clock = i};
        state.len = ycp_get_varuint(&reader);
        enough = ycp_grow(heap, &states->ranges, &states->cap, states->count + 1, sizeof state);
        if (enough) {
            states->ranges[states->count++] = state;
        }
    }
    *malformed = reader.bad || ycp_left(&reader) > 0;
    keep_last(states);
    return enough;
}

static uint64_t state_of(const struct id_set *states, uint64_t client)
{
    size_t low = 0;
    size_t high = states->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (states->ranges[middle].client > client) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < states->count && states->ranges[low].client == client ? states->ranges[low].len
                                                                       : 0;
}

/* The rest of a client's structs, from the first that is news on. */
static void copy_client(struct writer *writer, struct source *source, uint64_t state, bool cuts)
{
    uint64_t client = source->block.id.client;
    uint64_t clock = source->block.id.clock;
    if (cuts || state <= clock) {
        writer_put(writer, &source->block, state > clock ? state - clock : 0);
    }
    source_next(source);
    while (source->has_block && source->block.id.client == client) {
        writer_put(writer, &source->block, 0);
        source_next(source);
    }
}

static enum yc_status diff(struct yc_slice update, const struct id_set *states, bool cuts,
                           struct heap *heap, struct yc_buf *out)
{
    struct writer writer = {.out = out, .structs = {.allocator = out->allocator}};
    struct source source = {.reader = ycp_block_reader(update, MAX_DEPTH)};
    struct id_set deletes = {0};
    source_next(&source);
    while (source.has_block) {
        uint64_t state = state_of(states, source.block.id.client);
        if (source.block.ref != REF_SKIP && end_of(&source.block) > state) {
            copy_client(&writer, &source, state, cuts);
        } else {
            source_next(&source);
        }
    }
    enum yc_status status = read_deletes(&source, &deletes, heap);
    if (status == YC_OK) {
        status = ycp_idset_group(&deletes, heap) ? writer_end(&writer, &deletes) : YC_MEMORY;
    }
    ycp_idset_free(&deletes, heap);
    yc_buf_free(&writer.structs);
    return status;
}

static enum yc_status diff_update(struct yc_slice update, struct yc_slice state_vector,
                                  bool cuts, struct yc_buf *out)
{
    struct heap heap = scratch_heap(out);
    struct id_set states = {0};
    bool malformed = false;
    ycp_buf_begin(out);
    enum yc_status status = YC_MEMORY;
    if (read_state_vector(&states, &heap, state_vector, &malformed)) {
        status = malformed ? YC_MALFORMED : diff(update, &states, cuts, &heap, out);
    }
    ycp_idset_free(&states, &heap);
    return settle(out, status);
}

enum yc_status yc_diff_update(struct yc_slice update, struct yc_slice state_vector,
                              struct yc_buf *out)
{
    return diff_update(update, state_vector, true, out);
}

enum yc_status ycp_diff_whole(struct yc_slice update, struct yc_slice state_vector,
                              struct yc_buf *out)
{
    return diff_update(update, state_vector, false, out);
}

/* --- the state vector of an update ----------------------------------------------------------- */

/* Clocks from 0 on without a hole, of the client at hand. */
static uint64_t pass_client(struct source *source)
{
    uint64_t client = source->block.id.client;
    uint64_t state = 0;
    bool whole = true;
    while (source->has_block && source->block.id.client == client) {
        whole = whole && source->block.ref != REF_SKIP && source->block.id.clock == state;
        if (whole) {
            state = end_of(&source->block);
        }
        source_next(source);
    }
    return state;
}

enum yc_status yc_state_vector_of_update(struct yc_slice update, struct yc_buf *out)
{
    struct heap heap = scratch_heap(out);
    struct source source = {.reader = ycp_block_reader(update, MAX_DEPTH)};
    struct id_set states = {0};
    struct id_set deletes = {0};
    bool enough = true;
    ycp_buf_begin(out);
    source_next(&source);
    while (source.has_block && enough) {
        struct id_range state = {.client = source.block.id.client};
        state.len = pass_client(&source);
        enough = state.len == 0 || ycp_idset_add(&states, &heap, state);
    }
    enum yc_status status = enough ? read_deletes(&source, &deletes, &heap) : YC_MEMORY;
    ycp_put_varuint(out, states.count);
    for (size_t i = 0; i < states.count; i++) {
        ycp_put_varuint(out, states.ranges[i].client);
        ycp_put_varuint(out, states.ranges[i].len);
    }
    ycp_idset_free(&states, &heap);
    ycp_idset_free(&deletes, &heap);
    return settle(out, status == YC_OK ? ycp_buf_end(out) : status);
}
