/* Reading what a document holds. */
#include "item.h"
#include "utf8.h"

struct yc_slice yc_type_name(const struct yc_type *type)
{
    return (struct yc_slice){type->name->key, type->name->len};
}

uint64_t yc_length(const struct yc_type *type)
{
    return type->length;
}

enum yc_status yc_text(const struct yc_type *text, struct yc_buf *out)
{
    ycp_buf_begin(out);
    for (const struct item *item = text->start; item != NULL; item = item->right) {
        if (item->ref != REF_STRING || ycp_item_deleted(item)) {
            continue;
        }
        struct content content = ycp_item_content(item);
        if (item->flags & ITEM_CUT_HEAD) {
            ycp_put_raw(out, YCP_REPLACEMENT, YCP_REPLACEMENT_SIZE);
        }
        ycp_put_raw(out, content.bytes.data, content.bytes.len);
    }
    return ycp_buf_end(out);
}
