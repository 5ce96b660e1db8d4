/* See idset.h. */
#include "idset.h"

#include <stdlib.h>
#include <string.h>

void ycp_idset_free(struct id_set *set, struct heap *heap)
{
    ycp_free(heap, set->ranges, set->cap * sizeof *set->ranges);
    *set = (struct id_set){0};
}

static bool append(struct id_set *set, struct heap *heap, struct id_range range)
{
    if (!ycp_grow(heap, &set->ranges, &set->cap, set->count + 1, sizeof *set->ranges)) {
        return false;
    }
    set->ranges[set->count++] = range;
    return true;
}

bool ycp_idset_add(struct id_set *set, struct heap *heap, struct id_range range)
{
    if (set->count > 0) {
        struct id_range *last = &set->ranges[set->count - 1];
        if (last->client == range.client && last->clock + last->len == range.clock) {
            last->len += range.len;
            return true;
        }
    }
    return append(set, heap, range);
}

int ycp_by_client_and_clock(const void *a, const void *b)
{
    const struct id_range *left = a;
    const struct id_range *right = b;
    if (left->client != right->client) {
        return left->client > right->client ? -1 : 1;
    }
    return (left->clock > right->clock) - (left->clock < right->clock);
}

/* As those of honest updates are. */
static bool is_sorted(const struct id_set *set)
{
    for (size_t i = 1; i < set->count; i++) {
        if (ycp_by_client_and_clock(&set->ranges[i - 1], &set->ranges[i]) > 0) {
            return false;
        }
    }
    return true;
}

void ycp_idset_normalize(struct id_set *set)
{
    if (set->count < 2) {
        return;
    }
    if (!is_sorted(set)) {
        qsort(set->ranges, set->count, sizeof *set->ranges, ycp_by_client_and_clock);
    }
    size_t kept = 0;
    for (size_t i = 1; i < set->count; i++) {
        struct id_range *last = &set->ranges[kept];
        const struct id_range *next = &set->ranges[i];
        if (last->client == next->client && last->clock + last->len >= next->clock) {
            uint64_t end = next->clock + next->len;
            last->len = end - last->clock > last->len ? end - last->clock : last->len;
        } else {
            set->ranges[++kept] = *next;
        }
    }
    set->count = kept + 1;
}

static bool is_grouped(const struct id_set *set)
{
    for (size_t i = 1; i < set->count; i++) {
        if (set->ranges[i - 1].client < set->ranges[i].client) {
            return false;
        }
    }
    return true;
}

/* Merges from[low..middle) and from[middle..high); of one client the left ones come first. */
static void merge_runs(const struct id_range *from, struct id_range *to, size_t low,
                       size_t middle, size_t high)
{
    size_t left = low;
    size_t right = middle;
    for (size_t i = low; i < high; i++) {
        bool take_left =
            left < middle && (right == high || from[left].client >= from[right].client);
        to[i] = take_left ? from[left++] : from[right++];
    }
}

/* Honest sets come grouped. For others a stable sort, since a peer chooses their order. */
bool ycp_idset_group(struct id_set *set, struct heap *heap)
{
    if (is_grouped(set)) {
        return true;
    }
    size_t spare_cap = 0;
    struct id_range *spare = NULL;
    if (!ycp_grow(heap, &spare, &spare_cap, set->cap, sizeof *spare)) {
        return false;
    }
    for (size_t width = 1; width < set->count; width *= 2) {
        for (size_t low = 0; low < set->count; low += 2 * width) {
            size_t middle = low + width < set->count ? low + width : set->count;
            size_t high = middle + width < set->count ? middle + width : set->count;
            merge_runs(set->ranges, spare, low, middle, high);
        }
        struct id_range *merged = spare;
        spare = set->ranges;
        set->ranges = merged;
    }
    ycp_free(heap, spare, spare_cap * sizeof *spare);
    return true;
}

bool ycp_idset_read(struct id_set *set, struct heap *heap, struct reader *reader)
{
    uint64_t clients = ycp_get_varuint(reader);
    for (uint64_t i = 0; i < clients && !reader->bad; i++) {
        uint64_t client = ycp_get_varuint(reader);
        uint64_t ranges = ycp_get_varuint(reader);
        for (uint64_t j = 0; j < ranges && !reader->bad; j++) {
            struct id_range range = {.client = client, .clock = ycp_get_varuint(reader)};
            range.len = ycp_get_varuint(reader);
            if (range.len == 0 || range.len > YCP_MAX_INTEGER - range.clock) {
                reader->bad = true;
            }
            if (!reader->bad && !append(set, heap, range)) {
                return false;
            }
        }
    }
    return !reader->bad;
}

void ycp_idset_put(struct yc_buf *out, const struct id_set *set)
{
    uint64_t clients = 0;
    for (size_t i = 0; i < set->count; i++) {
        clients += i == 0 || set->ranges[i].client != set->ranges[i - 1].client;
    }
    ycp_put_varuint(out, clients);
    for (size_t i = 0; i < set->count;) {
        size_t end = i;
        while (end < set->count && set->ranges[end].client == set->ranges[i].client) {
            end++;
        }
        ycp_put_varuint(out, set->ranges[i].client);
        ycp_put_varuint(out, end - i);
        for (; i < end; i++) {
            ycp_put_varuint(out, set->ranges[i].clock);
            ycp_put_varuint(out, set->ranges[i].len);
        }
    }
}
