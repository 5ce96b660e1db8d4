/* See formats.h. A text has a handful of formats at a time: they are searched one by one. */
#include "formats.h"

#include <string.h>

void ycp_formats_free(struct formats *formats, struct heap *heap)
{
    ycp_free(heap, formats->all, formats->cap * sizeof *formats->all);
    *formats = (struct formats){0};
}

bool ycp_formats_reserve(struct formats *formats, struct heap *heap, size_t count)
{
    return ycp_grow(heap, &formats->all, &formats->cap, count, sizeof *formats->all);
}

bool ycp_slice_equal(struct yc_slice a, struct yc_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool ycp_is_null(struct yc_slice json)
{
    return json.len == 4 && memcmp(json.data, "null", 4) == 0;
}

const struct format *ycp_formats_find(const struct formats *formats, struct yc_slice key)
{
    for (size_t i = 0; i < formats->count; i++) {
        if (ycp_slice_equal(formats->all[i].key, key)) {
            return &formats->all[i];
        }
    }
    return NULL;
}

void ycp_formats_set(struct formats *formats, struct format format)
{
    const struct format *found = ycp_formats_find(formats, format.key);
    size_t at = found == NULL ? formats->count++ : (size_t)(found - formats->all);
    formats->all[at] = format;
}

void ycp_formats_remove(struct formats *formats, struct yc_slice key)
{
    const struct format *found = ycp_formats_find(formats, key);
    if (found != NULL) {
        size_t at = (size_t)(found - formats->all);
        formats->count--;
        memmove(&formats->all[at], &formats->all[at + 1],
                (formats->count - at) * sizeof *formats->all);
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
