/* See pending.h. */
#include "pending.h"

#include <stdlib.h>
#include <string.h>

void ycp_waits_clear(struct waits *waits)
{
    ycp_buf_begin(&waits->bytes);
    waits->count = 0;
    waits->melted = 0;
    waits->fresh = 0;
}

void ycp_waits_free(struct waits *waits, struct heap *heap)
{
    yc_buf_free(&waits->bytes);
    ycp_free(heap, waits->all, waits->all_cap * sizeof *waits->all);
    ycp_free(heap, waits->wishes, waits->wish_cap * sizeof *waits->wishes);
    *waits = (struct waits){.bytes = {.allocator = waits->bytes.allocator}};
}

size_t ycp_waits_size(const struct waits *waits)
{
    return waits->bytes.cap + waits->all_cap * sizeof *waits->all +
           waits->wish_cap * sizeof *waits->wishes;
}

/* --- finding --------------------------------------------------------------------------------- */

static bool wish_before(struct yc_id a, struct yc_id b)
{
    return a.client != b.client ? a.client < b.client : a.clock < b.clock;
}

static int by_wish(const void *a, const void *b)
{
    const struct wish *left = a;
    const struct wish *right = b;
    return wish_before(right->id, left->id) - wish_before(left->id, right->id);
}

void ycp_waits_sort(struct waits *waits)
{
    if (waits->count > 1) {
        qsort(waits->wishes, waits->count, sizeof *waits->wishes, by_wish);
    }
}

size_t ycp_waits_find(const struct waits *waits, struct yc_id id)
{
    size_t low = 0;
    for (size_t high = waits->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (wish_before(waits->wishes[middle].id, id)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct yc_slice ycp_waits_section(const struct waits *waits, size_t number)
{
    const struct wait *wait = &waits->all[number];
    return (struct yc_slice){waits->bytes.data + wait->at, wait->len};
}

/* --- adding ---------------------------------------------------------------------------------- */

static bool grow(struct waits *waits, struct heap *heap, size_t more)
{
    size_t count = waits->count + more;
    return count <= UINT32_MAX &&
           ycp_grow(heap, &waits->all, &waits->all_cap, count, sizeof *waits->all) &&
           ycp_grow(heap, &waits->wishes, &waits->wish_cap, count, sizeof *waits->wishes);
}

bool ycp_waits_note(struct waits *waits, struct heap *heap, size_t at, struct yc_id wanted,
                    bool fresh)
{
    size_t len = waits->bytes.len - at;
    if (!grow(waits, heap, 1)) {
        return false;
    }
    waits->all[waits->count] = (struct wait){.at = at, .len = len, .fresh = fresh};
    waits->fresh += fresh ? len : 0;
    waits->wishes[waits->count] = (struct wish){wanted, (uint32_t)waits->count};
    waits->count++;
    return true;
}

bool ycp_waits_reserve(struct waits *waits, struct heap *heap, size_t count, size_t bytes)
{
    size_t held = waits->bytes.len;
    bool room = ycp_buf_reserve(&waits->bytes, bytes);
    waits->bytes.len = held; /* a buffer that cannot grow is emptied, but not of bytes */
    waits->bytes.failed = false;
    return room && grow(waits, heap, count);
}

void ycp_waits_note_melted(struct waits *waits)
{
    for (size_t i = 0; i < waits->count; i++) {
        waits->all[i].fresh = false;
    }
    waits->fresh = 0;
}

void ycp_waits_join(struct waits *waits, struct waits *more)
{
    size_t left = waits->count;
    bool first = left == 0;
    for (size_t i = 0; i < more->count; i++) {
        struct wait *wait = &more->all[i];
        if (wait->due) {
            continue;
        }
        wait->moved = (uint32_t)waits->count;
        waits->all[waits->count++] =
            (struct wait){.at = waits->bytes.len, .len = wait->len, .fresh = wait->fresh};
        waits->fresh += wait->fresh ? wait->len : 0;
        ycp_put_raw(&waits->bytes, more->bytes.data + wait->at, wait->len);
        if (first && wait->at < more->melted) {
            waits->melted = waits->bytes.len;
        }
    }
    /* From the end, where the room is. */
    size_t to = waits->count;
    for (size_t right = more->count; right > 0; right--) {
        struct wish wish = more->wishes[right - 1];
        if (more->all[wish.wait].due) {
            continue;
        }
        while (left > 0 && wish_before(wish.id, waits->wishes[left - 1].id)) {
            waits->wishes[--to] = waits->wishes[--left];
        }
        waits->wishes[--to] = (struct wish){wish.id, more->all[wish.wait].moved};
    }
    if (waits->melted == waits->bytes.len) {
        ycp_waits_note_melted(waits);
    }
}

/* Shrinks an array of *cap elements to count. */
static void *shrink(struct heap *heap, void *array, size_t *cap, size_t count, size_t size)
{
    void *moved = ycp_resize(heap, array, *cap * size, count * size);
    if (moved == NULL && count > 0) {
        return array; /* it is where it was */
    }
    *cap = count;
    return moved;
}

void ycp_waits_trim(struct waits *waits, struct heap *heap)
{
    const size_t few = 64;
    if (waits->count == 0 && waits->all_cap > few) {
        ycp_waits_free(waits, heap);
    }
    if (waits->all_cap > 2 * waits->count + few) {
        waits->all =
            shrink(heap, waits->all, &waits->all_cap, waits->count, sizeof *waits->all);
    }
    if (waits->wish_cap > 2 * waits->count + few) {
        waits->wishes =
            shrink(heap, waits->wishes, &waits->wish_cap, waits->count, sizeof *waits->wishes);
    }
    if (waits->bytes.cap > 2 * waits->bytes.len + few) {
        ycp_buf_trim(&waits->bytes, few);
    }
}

/* --- melting --------------------------------------------------------------------------------- */

/* Updates in one buffer, one behind another. */
struct parts {
    struct yc_buf bytes;
    struct yc_buf
        slices; /* of them; their data is set at the end, when nothing moves any more */
    size_t count;
};

/* Ends the part that begins at a byte. */
static void end_part(struct parts *parts, size_t begin)
{
    ycp_put_varuint(&parts->bytes, 0); /* no deletes */
    struct yc_slice slice = {NULL, parts->bytes.len - begin};
    ycp_put_raw(&parts->slices, &slice, sizeof slice);
    parts->count++;
}

static void put_section(struct parts *parts, const struct waits *waits, size_t number)
{
    struct yc_slice section = ycp_waits_section(waits, number);
    ycp_put_raw(&parts->bytes, section.data, section.len);
}

/* What is melted is one update. */
static void add_melted(struct parts *parts, const struct waits *waits)
{
    size_t begin = parts->bytes.len;
    size_t end = 0;
    size_t sections = 0;
    for (; end < waits->count && waits->all[end].at < waits->melted; end++) {
        sections += !waits->all[end].due;
    }
    if (sections == 0) {
        return;
    }
    ycp_put_varuint(&parts->bytes, sections);
    for (size_t i = 0; i < end; i++) {
        if (!waits->all[i].due) {
            put_section(parts, waits, i);
        }
    }
    end_part(parts, begin);
}

/* Each other section is one. */
static void add_others(struct parts *parts, const struct waits *waits)
{
    for (size_t i = 0; i < waits->count; i++) {
        if (waits->all[i].at >= waits->melted && !waits->all[i].due) {
            size_t begin = parts->bytes.len;
            ycp_put_varuint(&parts->bytes, 1);
            put_section(parts, waits, i);
            end_part(parts, begin);
        }
    }
}

static enum yc_status merge_parts(struct parts *parts, struct yc_buf *out)
{
    if (parts->bytes.failed || parts->slices.failed) {
        return YC_MEMORY;
    }
    struct yc_slice *slices = (struct yc_slice *)(void *)parts->slices.data;
    const uint8_t *at = parts->bytes.data;
    for (size_t i = 0; i < parts->count; i++) {
        slices[i].data = at;
        at += slices[i].len;
    }
    return parts->count == 0 ? YC_OK : yc_merge_updates(slices, parts->count, out);
}

enum yc_status ycp_waits_merge(const struct waits *waits, const struct waits *more,
                               struct yc_buf *out)
{
    struct parts parts = {.bytes = {.allocator = out->allocator},
                          .slices = {.allocator = out->allocator}};
    ycp_buf_begin(out);
    add_melted(&parts, waits);
    add_others(&parts, waits);
    if (more != NULL) {
        add_melted(&parts, more);
        add_others(&parts, more);
    }
    enum yc_status status = merge_parts(&parts, out);
    yc_buf_free(&parts.bytes);
    yc_buf_free(&parts.slices);
    return status;
}
