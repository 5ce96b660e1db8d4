/* Why: the sync messages of y-protocols are one kind and one body, and rooms forward most of them
 * unread; so the envelope is taken apart here without a document. Bounded by the message. */
#include "yc.h"

#include "bytes.h"

enum yc_status yc_sync_read(struct yc_slice message, struct yc_sync *sync)
{
    struct reader reader = ycp_reader(message);
    uint64_t kind = ycp_get_varuint(&reader);
    struct yc_slice body = ycp_get_bytes(&reader);
    *sync = (struct yc_sync){0};
    if (reader.bad || kind > YC_SYNC_UPDATE || ycp_left(&reader) > 0) {
        return YC_MALFORMED;
    }
    *sync = (struct yc_sync){(enum yc_sync_kind)kind, body};
    return YC_OK;
}

enum yc_status yc_sync_write(enum yc_sync_kind kind, struct yc_slice body, struct yc_buf *out)
{
    ycp_buf_begin(out);
    ycp_put_varuint(out, kind);
    ycp_put_bytes(out, body);
    return ycp_buf_end(out);
}

/* The length of the body is known only when it is there: it is written apart, then behind its head. */
static enum yc_status put_message(enum yc_sync_kind kind, struct yc_buf *body,
                                  enum yc_status status, struct yc_buf *out)
{
    ycp_buf_begin(out);
    if (status == YC_OK) {
        status = yc_sync_write(kind, yc_buf_slice(body), out);
    }
    yc_buf_free(body);
    return status;
}

enum yc_status yc_sync_step1(const struct yc_doc *doc, struct yc_buf *out)
{
    struct yc_buf body = {.allocator = out->allocator};
    enum yc_status status = yc_encode_state_vector(doc, &body);
    return put_message(YC_SYNC_STEP1, &body, status, out);
}

enum yc_status yc_sync_step2(const struct yc_doc *doc, struct yc_slice state_vector,
                             struct yc_buf *out)
{
    struct yc_buf body = {.allocator = out->allocator};
    enum yc_status status =
        state_vector.len == 0 ? YC_MALFORMED : yc_encode_state(doc, state_vector, &body);
    return put_message(YC_SYNC_STEP2, &body, status, out);
}
