/* See content.h. */
#include "content.h"

#include "json.h"
#include "utf8.h"

#include <string.h>

/* What stands in front of the payload on the wire. */
enum prefix { PREFIX_NONE, PREFIX_COUNT, PREFIX_SIZE };

struct kind {
    bool countable;
    bool splittable;
    enum prefix prefix;
    /* Reads a payload of len elements (PREFIX_COUNT), or checks the bytes (PREFIX_SIZE); sets len
     * when it is not 1. */
    void (*read)(struct reader *reader, unsigned max_depth, uint64_t *len);
};

static void skip_nothing(struct reader *reader, unsigned max_depth, uint64_t *len)
{
    (void)reader;
    (void)max_depth;
    (void)len;
}

static void skip_rest(struct reader *reader, unsigned max_depth, uint64_t *len)
{
    (void)max_depth;
    (void)len;
    reader->at = reader->end;
}

static void skip_utf8(struct reader *reader, unsigned max_depth, uint64_t *len)
{
    struct yc_slice text = {reader->at, ycp_left(reader)};
    reader->bad = !ycp_utf8_valid(text);
    *len = ycp_utf8_units(text);
    skip_rest(reader, max_depth, len);
}

static void skip_json_text(struct reader *reader, unsigned max_depth, uint64_t *len)
{
    struct yc_slice text = {reader->at, ycp_left(reader)};
    reader->bad = !ycp_json_valid(text, max_depth);
    skip_rest(reader, max_depth, len);
}

static void skip_strings(struct reader *reader, unsigned max_depth, uint64_t *len)
{
    for (uint64_t i = 0; i < *len && !reader->bad; i++) {
        struct yc_slice text = ycp_get_string(reader);
        bool undefined = text.len == 9 && memcmp(text.data, "undefined", 9) == 0;
        reader->bad = reader->bad || (!undefined && !ycp_json_valid(text, max_depth));
    }
}

static void skip_format(struct reader *reader, unsigned max_depth, uint64_t *len)
{
    (void)len;
    ycp_get_string(reader);
    struct yc_slice value = ycp_get_string(reader);
    reader->bad = reader->bad || !ycp_json_valid(value, max_depth);
}

static void skip_type(struct reader *reader, unsigned max_depth, uint64_t *len)
{
    (void)max_depth;
    (void)len;
    uint64_t kind = ycp_get_varuint(reader);
    if (kind == YC_XML_ELEMENT || kind == YC_XML_HOOK) {
        ycp_get_string(reader);
    }
    reader->bad = reader->bad || kind > YC_XML_TEXT;
}

static void skip_values(struct reader *reader, unsigned max_depth, uint64_t *len)
{
    for (uint64_t i = 0; i < *len && !reader->bad; i++) {
        ycp_any_skip(reader, max_depth);
    }
}

static void skip_doc(struct reader *reader, unsigned max_depth, uint64_t *len)
{
    (void)len;
    ycp_get_string(reader);
    /* Yjs asks the options for their members: null and undefined would throw in every client. */
    reader->bad = reader->bad || ycp_any_is_nothing(reader);
    ycp_any_skip(reader, max_depth);
}

static const struct kind kinds[] = {
    [REF_DELETED] = {false, true, PREFIX_COUNT, skip_nothing},
    [REF_JSON] = {true, true, PREFIX_COUNT, skip_strings},
    [REF_BINARY] = {true, false, PREFIX_SIZE, skip_rest},
    [REF_STRING] = {true, true, PREFIX_SIZE, skip_utf8},
    [REF_EMBED] = {true, false, PREFIX_SIZE, skip_json_text},
    [REF_FORMAT] = {false, false, PREFIX_NONE, skip_format},
    [REF_TYPE] = {true, false, PREFIX_NONE, skip_type},
    [REF_ANY] = {true, true, PREFIX_COUNT, skip_values},
    [REF_DOC] = {true, false, PREFIX_NONE, skip_doc},
};

bool ycp_content_countable(enum ref ref)
{
    return kinds[ref].countable;
}

bool ycp_content_splittable(enum ref ref)
{
    return kinds[ref].splittable;
}

bool ycp_content_read(struct reader *reader, enum ref ref, unsigned max_depth,
                      struct content *content)
{
    const struct kind *kind = &kinds[ref];
    content->len = kind->prefix == PREFIX_COUNT ? ycp_get_varuint(reader) : 1;
    struct reader all = *reader;
    if (kind->prefix == PREFIX_SIZE) {
        all = ycp_reader(ycp_get_bytes(reader));
    }
    const uint8_t *start = all.at;
    if (ref != REF_DELETED && content->len > ycp_left(&all) && ref != REF_BINARY) {
        reader->bad = true;
    }
    if (!reader->bad) {
        kind->read(&all, max_depth, &content->len);
        content->bytes = (struct yc_slice){start, (size_t)(all.at - start)};
        reader->bad = all.bad || content->len == 0;
    }
    if (!reader->bad && kind->prefix != PREFIX_SIZE) {
        *reader = all;
    }
    return !reader->bad;
}

struct utf8_cut ycp_content_cut(enum ref ref, const struct content *content, uint64_t offset)
{
    if (ref == REF_STRING) {
        return ycp_utf8_cut(content->bytes, content->len, offset);
    }
    struct reader reader = ycp_reader(content->bytes);
    for (uint64_t i = 0; i < offset && ref != REF_DELETED; i++) {
        if (ref == REF_JSON) {
            ycp_get_bytes(&reader);
        } else {
            ycp_any_skip(&reader, YCP_MAX_DEPTH);
        }
    }
    size_t at = ref == REF_DELETED ? 0 : (size_t)(reader.at - content->bytes.data);
    return (struct utf8_cut){at, at};
}

void ycp_content_put(struct yc_buf *out, enum ref ref, const struct content *content,
                     uint64_t offset)
{
    struct utf8_cut cut = {0, 0};
    if (offset > 0) {
        cut = ycp_content_cut(ref, content, offset);
    }
    size_t head = cut.after != cut.before ? YCP_REPLACEMENT_SIZE : 0;
    size_t size = content->bytes.len - cut.after;
    if (kinds[ref].prefix == PREFIX_COUNT) {
        ycp_put_varuint(out, content->len - offset);
    } else if (kinds[ref].prefix == PREFIX_SIZE) {
        ycp_put_varuint(out, size + head);
    }
    ycp_put_raw(out, YCP_REPLACEMENT, head);
    if (size > 0) {
        ycp_put_raw(out, content->bytes.data + cut.after, size);
    }
}

enum yc_kind ycp_content_type(struct yc_slice bytes, struct yc_slice *name)
{
    struct reader reader = ycp_reader(bytes);
    enum yc_kind kind = (enum yc_kind)ycp_get_varuint(&reader);
    *name = kind == YC_XML_ELEMENT || kind == YC_XML_HOOK ? ycp_get_bytes(&reader)
                                                          : (struct yc_slice){NULL, 0};
    return kind;
}

struct yc_slice ycp_content_format(struct yc_slice bytes, struct yc_slice *value)
{
    struct reader reader = ycp_reader(bytes);
    struct yc_slice key = ycp_get_bytes(&reader);
    *value = ycp_get_bytes(&reader);
    return key;
}
