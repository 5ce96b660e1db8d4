/* See formats.h. A text has a handful of formats at a time: they are searched one by one. Of more,
 * which a peer may make to cost others time, there is a table. */
#include "formats.h"

#include "hash.h"

#include <string.h>

/* Formats that are searched one by one. */
#define FORMATS_FEW 16

void ycp_formats_free(struct formats *formats, struct heap *heap)
{
    ycp_free(heap, formats->all, formats->cap * sizeof *formats->all);
    ycp_free(heap, formats->table, formats->table_size * sizeof *formats->table);
    *formats = (struct formats){.seed = formats->seed};
}

void ycp_formats_clear(struct formats *formats)
{
    formats->used = 0;
    formats->count = 0;
    if (formats->table != NULL) {
        memset(formats->table, 0, formats->table_size * sizeof *formats->table);
    }
}

/* The slot of a key, or the free one where it would be. */
static uint32_t *slot_of_key(const struct formats *formats, struct yc_slice key)
{
    size_t mask = formats->table_size - 1;
    size_t slot = (size_t)ycp_hash_bytes(formats->seed, key) & mask;
    while (formats->table[slot] != 0) {
        struct yc_slice other = formats->all[formats->table[slot] - 1].key;
        if (other.data != NULL && ycp_slice_equal(other, key)) {
            break;
        }
        slot = (slot + 1) & mask;
    }
    return &formats->table[slot];
}

/* Closes the gaps, and makes the table anew. */
static void close_gaps(struct formats *formats)
{
    size_t at = 0;
    size_t used = 0;
    for (const struct format *format = ycp_formats_next(formats, &at); format != NULL;
         format = ycp_formats_next(formats, &at)) {
        formats->all[used++] = *format;
    }
    formats->used = used;
    if (formats->table != NULL) {
        memset(formats->table, 0, formats->table_size * sizeof *formats->table);
        for (size_t i = 0; i < used; i++) {
            *slot_of_key(formats, formats->all[i].key) = (uint32_t)i + 1;
        }
    }
}

/* Twice the room, so that gaps are closed once for many that were made; a table twice as large. */
bool ycp_formats_reserve(struct formats *formats, struct heap *heap, size_t count)
{
    if (count > UINT32_MAX / 8) {
        heap->over = true;
        return false;
    }
    size_t cap = formats->cap;
    if (!ycp_grow(heap, &formats->all, &formats->cap, 2 * count, sizeof *formats->all)) {
        return false;
    }
    if (formats->cap == cap || count <= FORMATS_FEW) {
        return true;
    }
    size_t size = 64;
    while (size < 2 * formats->cap) {
        size *= 2;
    }
    uint32_t *table = ycp_resize(heap, formats->table, formats->table_size * sizeof *table,
                                 size * sizeof *table);
    if (table == NULL) {
        return false; /* and the caller ends: the table is too small for all of the room */
    }
    formats->table = table;
    formats->table_size = size;
    close_gaps(formats);
    return true;
}

const struct format *ycp_formats_next(const struct formats *formats, size_t *at)
{
    while (formats->all != NULL && *at < formats->used) {
        const struct format *format = &formats->all[(*at)++];
        if (format->key.data != NULL) {
            return format;
        }
    }
    return NULL;
}

bool ycp_slice_equal(struct yc_slice a, struct yc_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool ycp_is_null(struct yc_slice json)
{
    const char *spaces = " \t\r\n";
    for (; json.len > 0 && strchr(spaces, json.data[0]) != NULL; json.len--) {
        json.data++;
    }
    return json.len > 0 && json.data[0] == 'n'; /* it is valid */
}

const struct format *ycp_formats_find(const struct formats *formats, struct yc_slice key)
{
    if (formats->table != NULL) {
        uint32_t number = *slot_of_key(formats, key);
        return number == 0 ? NULL : &formats->all[number - 1];
    }
    for (size_t i = 0; i < formats->used; i++) {
        struct yc_slice other = formats->all[i].key;
        if (other.data != NULL && ycp_slice_equal(other, key)) {
            return &formats->all[i];
        }
    }
    return NULL;
}

void ycp_formats_set(struct formats *formats, struct format format)
{
    if (formats->all == NULL) {
        return; /* no room was asked for */
    }
    const struct format *found = ycp_formats_find(formats, format.key);
    if (found != NULL) {
        formats->all[found - formats->all] = format;
        return;
    }
    if (formats->used == formats->cap) {
        close_gaps(formats);
    }
    formats->all[formats->used++] = format;
    formats->count++;
    if (formats->table != NULL) {
        *slot_of_key(formats, format.key) = (uint32_t)formats->used;
    }
}

void ycp_formats_remove(struct formats *formats, struct yc_slice key)
{
    const struct format *found = ycp_formats_find(formats, key);
    if (found != NULL) {
        formats->all[found - formats->all].key = (struct yc_slice){NULL, 0};
        formats->count--;
    }
}

struct format ycp_item_format(const struct item *item)
{
    struct format format;
    format.key = ycp_content_format(ycp_item_content(item).bytes, &format.value);
    return format;
}

void ycp_formats_pass(struct formats *formats, const struct item *item)
{
    struct format format = ycp_item_format(item);
    if (ycp_is_null(format.value)) {
        ycp_formats_remove(formats, format.key);
    } else {
        ycp_formats_set(formats, format);
    }
}
