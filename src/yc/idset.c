/* See idset.h. */
#include "idset.h"

#include <stdlib.h>
#include <string.h>

void ycp_idset_free(struct id_set *set, struct heap *heap)
{
    ycp_free(heap, set->ranges, set->cap * sizeof *set->ranges);
    *set = (struct id_set){0};
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
    if (!ycp_grow(heap, &set->ranges, &set->cap, set->count + 1, sizeof *set->ranges)) {
        return false;
    }
    set->ranges[set->count++] = range;
    return true;
}

static int by_client_and_clock(const void *a, const void *b)
{
    const struct id_range *left = a;
    const struct id_range *right = b;
    if (left->client != right->client) {
        return left->client > right->client ? -1 : 1;
    }
    return (left->clock > right->clock) - (left->clock < right->clock);
}

void ycp_idset_normalize(struct id_set *set)
{
    if (set->count < 2) {
        return;
    }
    qsort(set->ranges, set->count, sizeof *set->ranges, by_client_and_clock);
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

/* A client's ranges come together in honest sets, and then this is one pass. */
void ycp_idset_group(struct id_set *set)
{
    for (size_t i = 1; i < set->count; i++) {
        struct id_range range = set->ranges[i];
        size_t low = 0;
        size_t high = i;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (set->ranges[middle].client >= range.client) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        memmove(&set->ranges[low + 1], &set->ranges[low], (i - low) * sizeof range);
        set->ranges[low] = range;
    }
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
            if (!reader->bad && !ycp_idset_add(set, heap, range)) {
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
