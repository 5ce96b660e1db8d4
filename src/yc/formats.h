/* The formats that hold at a place in a text: keys with JSON values, in the order in which they were
 * set, as a JavaScript Map has them. */
#ifndef YC_FORMATS_H
#define YC_FORMATS_H

#include "item.h"

struct format {
    struct yc_slice key;
    struct yc_slice value; /* JSON text */
};

/* Slices point into the document or wherever the caller has them. Starts as {0}, or with the seed of
 * the document's hash tables. */
struct formats {
    struct format *all; /* with gaps where some were removed: their key has no data */
    size_t used;        /* of all */
    size_t cap;
    size_t count; /* without the gaps */
    uint64_t seed;
    uint32_t *table; /* of many: number in all + 1, open addressing; may be NULL */
    size_t table_size;
};

void ycp_formats_free(struct formats *formats, struct heap *heap);
/* Room for so many in all. False: refused. */
bool ycp_formats_reserve(struct formats *formats, struct heap *heap, size_t count);
/* None is set any more; the room stays. */
void ycp_formats_clear(struct formats *formats);
/* The next in order: *at is 0 at first; NULL at the end. */
const struct format *ycp_formats_next(const struct formats *formats, size_t *at);
/* NULL when the key is not set. Good until one is set or removed. */
const struct format *ycp_formats_find(const struct formats *formats, struct yc_slice key);
/* Sets a key; the room is there. */
void ycp_formats_set(struct formats *formats, struct format format);
void ycp_formats_remove(struct formats *formats, struct yc_slice key);
/* What a format item does to them: null removes, all else sets. */
void ycp_formats_pass(struct formats *formats, const struct item *item);

struct format ycp_item_format(const struct item *item);
bool ycp_slice_equal(struct yc_slice a, struct yc_slice b);
bool ycp_is_null(struct yc_slice json);

#endif
