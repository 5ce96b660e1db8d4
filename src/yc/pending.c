/* See pending.h. */
#include "pending.h"

/* The updates one by one; starts with {0}. */
struct pending_walk {
    bool begun;
    struct reader late;
};

static bool walk_next(const struct yc_doc *doc, struct pending_walk *walk,
                      struct yc_slice *update)
{
    if (!walk->begun) {
        walk->begun = true;
        walk->late = ycp_reader(yc_buf_slice(&doc->late));
        if (doc->pending.len > 0) {
            *update = yc_buf_slice(&doc->pending);
            return true;
        }
    }
    if (ycp_left(&walk->late) == 0) {
        return false;
    }
    *update = ycp_get_bytes(&walk->late);
    return true;
}

bool ycp_pending_structs(const struct yc_doc *doc)
{
    return doc->pending.len > 0 || doc->late.len > 0;
}

size_t ycp_pending_bytes(const struct yc_doc *doc)
{
    return doc->pending.len + doc->late.len +
           doc->pending_deletes.count * sizeof(struct id_range);
}

bool ycp_pending_keeps(const struct yc_doc *doc, size_t size)
{
    const size_t few = 512;
    return doc->pending.len > 0 && doc->late.len + size <= doc->pending.len / 2 + few;
}

enum yc_status ycp_pending_merge(const struct yc_doc *doc, struct yc_slice more,
                                 struct yc_buf *out)
{
    struct yc_buf parts = {.allocator = out->allocator}; /* slices */
    struct pending_walk walk = {0};
    struct yc_slice part;
    size_t count = 0;
    for (; walk_next(doc, &walk, &part); count++) {
        ycp_put_raw(&parts, &part, sizeof part);
    }
    if (more.len > 0) {
        ycp_put_raw(&parts, &more, sizeof more);
        count++;
    }
    ycp_buf_begin(out);
    enum yc_status status = ycp_buf_end(&parts);
    if (status == YC_OK && count > 0) {
        status =
            yc_merge_updates((const struct yc_slice *)(const void *)parts.data, count, out);
    }
    yc_buf_free(&parts);
    return status;
}
