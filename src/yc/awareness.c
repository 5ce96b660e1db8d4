/* Why: who is in a room, and where each cursor stands, is no part of a document: one JSON state a
 * client, replaced as a whole, and forgotten when its client goes. Bounded by its limits in clients
 * and in bytes of states; a frame costs time in its own length and the logarithm of the clients.
 *
 * An update is taken in by stages: what it changes is noted beside what is held, then copied, then
 * told as news; each of these can fail, and is undone. Only then do the notes become what is held,
 * which cannot fail. */
#include "yc.h"

#include "bytes.h"
#include "json.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define STATE_DEPTH 64
#define MIN_ENTRY_SIZE 3 /* a client, a clock and the length of a state, a byte each */

/* A client that is here, or one that is gone and whose clock is still known. */
struct member {
    uint64_t client;
    uint64_t clock;    /* 0 only while the first update of this client is being taken in */
    uint64_t since_ms; /* when it was last renewed, or when it went */
    uint8_t *state;    /* NULL: gone */
    size_t state_len;

    /* What the update at hand makes of it. */
    bool changed;
    uint64_t next_clock;
    struct yc_slice next_state; /* within the update; without data: gone */
    uint8_t *next_copy;
    struct member *next_changed;
};

struct yc_awareness {
    struct heap heap;
    struct yc_awareness_limits limits;
    struct member **members; /* by client; a search is short whichever ids a peer chooses */
    size_t count;
    size_t cap;
    size_t here;
    size_t state_bytes;
};

/* One entry of an update. */
struct presence {
    uint64_t client;
    uint64_t clock;
    struct yc_slice state;
};

/* The members that a call changes, in order of the first change. */
struct changes {
    struct member *first;
    struct member **end;
    size_t count;
};

/* --- making ------------------------------------------------------------------------------------ */

static struct yc_awareness_limits with_defaults(const struct yc_awareness_limits *given)
{
    struct yc_awareness_limits limits = {0};
    if (given != NULL) {
        limits = *given;
    }
    limits.clients = limits.clients != 0 ? limits.clients : 1024;
    limits.state_bytes = limits.state_bytes != 0 ? limits.state_bytes : 16 << 10;
    limits.bytes = limits.bytes != 0 ? limits.bytes : 1 << 20;
    limits.forget_ms = limits.forget_ms != 0 ? limits.forget_ms : 60000;
    return limits;
}

struct yc_awareness *yc_awareness_create(const struct yc_awareness_limits *limits,
                                         const struct yc_allocator *allocator)
{
    struct heap heap = {
        .allocator = allocator != NULL ? *allocator : ycp_libc_allocator,
        .limit = SIZE_MAX, /* clients and states have limits of their own */
    };
    struct yc_awareness *awareness = ycp_alloc(&heap, sizeof *awareness);
    if (awareness != NULL) {
        awareness->heap = heap;
        awareness->limits = with_defaults(limits);
    }
    return awareness;
}

static void free_member(struct yc_awareness *awareness, struct member *member)
{
    ycp_free(&awareness->heap, member->state, member->state_len);
    ycp_free(&awareness->heap, member, sizeof *member);
}

void yc_awareness_destroy(struct yc_awareness *awareness)
{
    if (awareness == NULL) {
        return;
    }
    for (size_t i = 0; i < awareness->count; i++) {
        free_member(awareness, awareness->members[i]);
    }
    struct heap heap = awareness->heap;
    ycp_free(&heap, awareness->members, awareness->cap * sizeof(struct member *));
    ycp_free(&heap, awareness, sizeof *awareness);
}

/* --- members by client -------------------------------------------------------------------------- */

/* Where a client is, or would be. */
static size_t place_of(const struct yc_awareness *awareness, uint64_t client)
{
    size_t low = 0;
    size_t high = awareness->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (awareness->members[middle]->client < client) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* NULL when it is not known. */
static struct member *member_at(const struct yc_awareness *awareness, size_t place,
                                uint64_t client)
{
    if (place < awareness->count && awareness->members[place]->client == client) {
        return awareness->members[place];
    }
    return NULL;
}

static struct member *find(const struct yc_awareness *awareness, uint64_t client)
{
    return member_at(awareness, place_of(awareness, client), client);
}

static enum yc_status add(struct yc_awareness *awareness, size_t place, uint64_t client,
                          struct member **added)
{
    struct heap *heap = &awareness->heap;
    size_t count = awareness->count;
    if (count >= awareness->limits.clients) {
        return YC_LIMIT;
    }
    if (!ycp_grow(heap, &awareness->members, &awareness->cap, count + 1,
                  sizeof(struct member *))) {
        return ycp_refusal(heap);
    }
    struct member *member = ycp_alloc(heap, sizeof *member);
    if (member == NULL) {
        return ycp_refusal(heap);
    }
    member->client = client;
    struct member **at = awareness->members + place;
    memmove(at + 1, at, (count - place) * sizeof(struct member *));
    *at = member;
    awareness->count++;
    *added = member;
    return YC_OK;
}

/* --- entries of an update ----------------------------------------------------------------------- */

/* The number of entries; a count that the bytes cannot hold makes the reader bad. */
static uint64_t read_count(struct reader *reader)
{
    uint64_t count = ycp_get_varuint(reader);
    if (count > ycp_left(reader) / MIN_ENTRY_SIZE) {
        reader->bad = true;
        return 0;
    }
    return count;
}

static struct presence read_entry(struct reader *reader)
{
    struct presence entry;
    entry.client = ycp_get_varuint(reader);
    entry.clock = ycp_get_varuint(reader);
    entry.state = ycp_get_bytes(reader);
    return entry;
}

static void put_entry(struct yc_buf *out, struct presence entry)
{
    ycp_put_varuint(out, entry.client);
    ycp_put_varuint(out, entry.clock);
    if (entry.state.data == NULL) {
        ycp_put_bytes(out, (struct yc_slice){(const uint8_t *)"null", 4});
    } else {
        ycp_put_bytes(out, entry.state);
    }
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* Whether valid JSON says null, with the white space that JSON.parse passes over. */
static bool is_null(struct yc_slice json)
{
    while (json.len > 0 && is_space(json.data[0])) {
        json.data++;
        json.len--;
    }
    return json.len > 0 && json.data[0] == 'n';
}

enum yc_status yc_awareness_peek(struct yc_slice update, uint64_t *client, uint64_t *count)
{
    struct reader reader = ycp_reader(update);
    uint64_t entries = read_count(&reader);
    uint64_t first = 0;
    for (uint64_t i = 0; i < entries && !reader.bad; i++) {
        struct presence entry = read_entry(&reader);
        first = i == 0 ? entry.client : first;
    }
    bool good = !reader.bad && ycp_left(&reader) == 0;
    *client = good ? first : 0;
    *count = good ? entries : 0;
    return good ? YC_OK : YC_MALFORMED;
}

/* --- changes ------------------------------------------------------------------------------------ */

static void note(struct changes *changes, struct member *member, uint64_t clock,
                 struct yc_slice state)
{
    if (!member->changed) {
        member->changed = true;
        member->next_changed = NULL;
        *changes->end = member;
        changes->end = &member->next_changed;
        changes->count++;
    }
    member->next_clock = clock;
    member->next_state = state;
}

/* Clocks first: most entries of a room come back from those they were sent to, and say nothing.
 * Only null can be news at a clock that is known, and only of a client that is here. */
static bool is_news(const struct member *member, struct presence entry)
{
    if (member == NULL) {
        return entry.clock > 0;
    }
    uint64_t known = member->changed ? member->next_clock : member->clock;
    const uint8_t *state = member->changed ? member->next_state.data : member->state;
    return entry.clock > known ||
           (entry.clock == known && state != NULL && is_null(entry.state));
}

static enum yc_status stage_entry(struct yc_awareness *awareness, struct presence entry,
                                  struct changes *changes)
{
    size_t place = place_of(awareness, entry.client);
    struct member *member = member_at(awareness, place, entry.client);
    if (!is_news(member, entry)) {
        return YC_OK;
    }
    if (entry.state.len > awareness->limits.state_bytes) {
        return YC_LIMIT;
    }
    if (!ycp_json_valid(entry.state, STATE_DEPTH)) {
        return YC_MALFORMED;
    }
    if (member == NULL) {
        enum yc_status status = add(awareness, place, entry.client, &member);
        if (status != YC_OK) {
            return status;
        }
    }
    struct yc_slice gone = {NULL, 0};
    note(changes, member, entry.clock, is_null(entry.state) ? gone : entry.state);
    return YC_OK;
}

static enum yc_status stage_update(struct yc_awareness *awareness, struct yc_slice update,
                                   struct changes *changes)
{
    struct reader reader = ycp_reader(update);
    uint64_t entries = read_count(&reader);
    for (uint64_t i = 0; i < entries; i++) {
        struct presence entry = read_entry(&reader);
        if (reader.bad) {
            return YC_MALFORMED;
        }
        enum yc_status status = stage_entry(awareness, entry, changes);
        if (status != YC_OK) {
            return status;
        }
    }
    return reader.bad || ycp_left(&reader) > 0 ? YC_MALFORMED : YC_OK;
}

/* Bytes of all states once the changes are made. */
static size_t bytes_after(const struct yc_awareness *awareness, const struct changes *changes)
{
    size_t bytes = awareness->state_bytes;
    for (const struct member *at = changes->first; at != NULL; at = at->next_changed) {
        bytes = bytes - at->state_len + at->next_state.len;
    }
    return bytes;
}

static enum yc_status copy_states(struct yc_awareness *awareness, struct changes *changes)
{
    if (bytes_after(awareness, changes) > awareness->limits.bytes) {
        return YC_LIMIT;
    }
    for (struct member *at = changes->first; at != NULL; at = at->next_changed) {
        if (at->next_state.data == NULL) {
            continue;
        }
        at->next_copy = ycp_alloc(&awareness->heap, at->next_state.len);
        if (at->next_copy == NULL) {
            return ycp_refusal(&awareness->heap);
        }
        memcpy(at->next_copy, at->next_state.data, at->next_state.len);
    }
    return YC_OK;
}

static enum yc_status write_news(const struct changes *changes, struct yc_buf *news)
{
    if (news == NULL || changes->count == 0) {
        return YC_OK;
    }
    ycp_put_varuint(news, changes->count);
    for (const struct member *at = changes->first; at != NULL; at = at->next_changed) {
        put_entry(news, (struct presence){at->client, at->next_clock, at->next_state});
    }
    return ycp_buf_end(news);
}

static void clear_note(struct member *member)
{
    member->changed = false;
    member->next_state = (struct yc_slice){NULL, 0};
    member->next_copy = NULL;
}

static void commit(struct yc_awareness *awareness, struct changes *changes, uint64_t now_ms)
{
    awareness->state_bytes = bytes_after(awareness, changes);
    for (struct member *at = changes->first; at != NULL; at = at->next_changed) {
        awareness->here -= at->state != NULL;
        awareness->here += at->next_copy != NULL;
        ycp_free(&awareness->heap, at->state, at->state_len);
        at->state = at->next_copy;
        at->state_len = at->next_state.len;
        at->clock = at->next_clock;
        at->since_ms = now_ms;
        clear_note(at);
    }
}

/* A clock that ran backwards all the same makes nobody old. */
static uint64_t age_ms(const struct member *member, uint64_t now_ms)
{
    return now_ms > member->since_ms ? now_ms - member->since_ms : 0;
}

/* Lets go of members that an update has brought but not kept, and of those gone for so long. */
static void sweep(struct yc_awareness *awareness, uint64_t now_ms, uint64_t forget_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < awareness->count; i++) {
        struct member *member = awareness->members[i];
        bool forgotten = member->state == NULL && age_ms(member, now_ms) >= forget_ms;
        if (member->clock == 0 || forgotten) {
            free_member(awareness, member);
        } else {
            awareness->members[kept++] = member;
        }
    }
    awareness->count = kept;
}

static void roll_back(struct yc_awareness *awareness, struct changes *changes)
{
    for (struct member *at = changes->first; at != NULL; at = at->next_changed) {
        ycp_free(&awareness->heap, at->next_copy, at->next_state.len);
        clear_note(at);
    }
    sweep(awareness, 0, UINT64_MAX);
}

/* Tells the changes and makes them, or undoes them when status or the telling says so. */
static enum yc_status finish_changes(struct yc_awareness *awareness, struct changes *changes,
                                     enum yc_status status, uint64_t now_ms,
                                     struct yc_buf *news)
{
    if (news != NULL) {
        ycp_buf_begin(news);
    }
    if (status == YC_OK) {
        status = write_news(changes, news);
    }
    if (status == YC_OK) {
        commit(awareness, changes, now_ms);
    } else {
        roll_back(awareness, changes);
    }
    return status;
}

static void begin_changes(struct changes *changes)
{
    *changes = (struct changes){.end = &changes->first};
}

/* --- what others call --------------------------------------------------------------------------- */

enum yc_status yc_awareness_apply(struct yc_awareness *awareness, struct yc_slice update,
                                  uint64_t now_ms, struct yc_buf *news)
{
    struct changes changes;
    begin_changes(&changes);
    enum yc_status status = stage_update(awareness, update, &changes);
    if (status == YC_OK) {
        status = copy_states(awareness, &changes);
    }
    return finish_changes(awareness, &changes, status, now_ms, news);
}

enum yc_status yc_awareness_remove(struct yc_awareness *awareness, uint64_t client,
                                   uint64_t now_ms, struct yc_buf *news)
{
    struct changes changes;
    begin_changes(&changes);
    struct member *member = find(awareness, client);
    if (member != NULL && member->state != NULL) {
        note(&changes, member, member->clock, (struct yc_slice){NULL, 0});
    }
    return finish_changes(awareness, &changes, YC_OK, now_ms, news);
}

enum yc_status yc_awareness_expire(struct yc_awareness *awareness, uint64_t now_ms,
                                   uint64_t timeout_ms, struct yc_buf *news)
{
    struct changes changes;
    begin_changes(&changes);
    for (size_t i = 0; i < awareness->count; i++) {
        struct member *member = awareness->members[i];
        if (member->state != NULL && age_ms(member, now_ms) >= timeout_ms) {
            note(&changes, member, member->clock, (struct yc_slice){NULL, 0});
        }
    }
    enum yc_status status = finish_changes(awareness, &changes, YC_OK, now_ms, news);
    if (status == YC_OK) {
        sweep(awareness, now_ms, awareness->limits.forget_ms);
    }
    return status;
}

enum yc_status yc_awareness_encode(const struct yc_awareness *awareness, struct yc_buf *out)
{
    ycp_buf_begin(out);
    if (awareness->here == 0) {
        return YC_OK;
    }
    ycp_put_varuint(out, awareness->here);
    for (size_t i = 0; i < awareness->count; i++) {
        const struct member *at = awareness->members[i];
        if (at->state != NULL) {
            struct yc_slice state = {at->state, at->state_len};
            put_entry(out, (struct presence){at->client, at->clock, state});
        }
    }
    return ycp_buf_end(out);
}

static int by_number(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void put_clients(struct yc_buf *out, struct yc_slice update)
{
    struct reader reader = ycp_reader(update);
    for (uint64_t left = read_count(&reader); left > 0 && !reader.bad; left--) {
        struct presence entry = read_entry(&reader);
        ycp_put_raw(out, &entry.client, sizeof entry.client);
    }
}

/* Makes members, of which nothing is known, for all clients of some updates: in order, which costs
 * less than one by one as they come. */
static enum yc_status add_all(struct yc_awareness *awareness, const struct yc_slice *updates,
                              size_t count)
{
    struct yc_buf clients = {.allocator = &awareness->heap.allocator};
    for (size_t i = 0; i < count; i++) {
        put_clients(&clients, updates[i]);
    }
    enum yc_status status = ycp_buf_end(&clients);
    uint64_t *ids = (uint64_t *)(void *)clients.data;
    size_t id_count = clients.len / sizeof *ids;
    if (id_count > 1) {
        qsort(ids, id_count, sizeof *ids, by_number);
    }
    for (size_t i = 0; i < id_count && status == YC_OK; i++) {
        struct member *member;
        if (i == 0 || ids[i] != ids[i - 1]) {
            status = add(awareness, awareness->count, ids[i], &member);
        }
    }
    yc_buf_free(&clients);
    return status;
}

/* To one who knows nothing all of it is news, which he tells in one piece. */
enum yc_status yc_awareness_merge(const struct yc_slice *updates, size_t count,
                                  struct yc_buf *out)
{
    static const struct yc_awareness_limits none = {
        .clients = UINT32_MAX, .state_bytes = UINT32_MAX, .bytes = SIZE_MAX};
    struct yc_awareness *newcomer = yc_awareness_create(&none, out->allocator);
    struct changes changes;
    begin_changes(&changes);
    enum yc_status status = newcomer != NULL ? add_all(newcomer, updates, count) : YC_MEMORY;
    for (size_t i = 0; i < count && status == YC_OK; i++) {
        status = stage_update(newcomer, updates[i], &changes);
    }
    ycp_buf_begin(out);
    if (status == YC_OK) {
        status = write_news(&changes, out);
    }
    yc_awareness_destroy(newcomer);
    return status;
}

size_t yc_awareness_count(const struct yc_awareness *awareness)
{
    return awareness->here;
}

bool yc_awareness_next(const struct yc_awareness *awareness, uint64_t *client)
{
    for (size_t i = place_of(awareness, *client); i < awareness->count; i++) {
        if (awareness->members[i]->state != NULL) {
            *client = awareness->members[i]->client;
            return true;
        }
    }
    return false;
}

/* Said to oneself as a peer would say it. */
enum yc_status yc_awareness_set(struct yc_awareness *awareness, uint64_t client,
                                struct yc_slice json, uint64_t now_ms, struct yc_buf *news)
{
    const struct member *member = find(awareness, client);
    uint64_t clock = member == NULL ? 1 : member->clock + 1;
    struct yc_buf update = {.allocator = &awareness->heap.allocator};
    if (news != NULL) {
        ycp_buf_begin(news);
    }
    if (client > YCP_MAX_INTEGER || clock > YCP_MAX_INTEGER) {
        return YC_LIMIT;
    }
    if (!ycp_json_valid(json, STATE_DEPTH)) {
        return YC_JSON;
    }
    ycp_put_varuint(&update, 1);
    ycp_put_varuint(&update, client);
    ycp_put_varuint(&update, clock);
    ycp_put_bytes(&update, json);
    enum yc_status status = ycp_buf_end(&update);
    if (status == YC_OK) {
        status = yc_awareness_apply(awareness, yc_buf_slice(&update), now_ms, news);
    }
    yc_buf_free(&update);
    return status;
}

struct yc_slice yc_awareness_state(const struct yc_awareness *awareness, uint64_t client)
{
    const struct member *member = find(awareness, client);
    return member == NULL ? (struct yc_slice){NULL, 0}
                          : (struct yc_slice){member->state, member->state_len};
}
