/* The content of an item, one table row a kind. In memory a content is a length in clocks and the
 * bytes of its payload without the count or size in front:
 *
 *   deleted  none                        string   UTF-8
 *   json     the strings, each with its  embed    the JSON text
 *            length in front             format   key and value, each with its length in front
 *   binary   the bytes                   type     the type number and, for some, a name
 *   any      the values                  doc      guid with its length in front, and any options
 */
#ifndef YC_CONTENT_H
#define YC_CONTENT_H

#include "bytes.h"

enum ref {
    REF_GC, /* not a content: a hole of deleted clocks */
    REF_DELETED,
    REF_JSON,
    REF_BINARY,
    REF_STRING,
    REF_EMBED,
    REF_FORMAT,
    REF_TYPE,
    REF_ANY,
    REF_DOC,
    REF_SKIP, /* not a content: clocks nothing is known of */
};

struct content {
    uint64_t len; /* clocks */
    struct yc_slice bytes;
};

/* Whether a position counts it: all but deleted and format. */
bool ycp_content_countable(enum ref ref);
/* Whether it can be longer than 1: deleted, json, string, any. */
bool ycp_content_splittable(enum ref ref);

/* Reads and checks a payload in full: UTF-8, JSON and any of bounded depth, counts against what is
 * left, length >= 1, known type numbers (0 to 6). bytes stay where they are. False: bad. */
bool ycp_content_read(struct reader *reader, enum ref ref, unsigned max_depth,
                      struct content *content);

/* Where offset (0 < offset < len) cuts the bytes. Inside a surrogate pair before and after differ
 * by 4, and each side has a U+FFFD for its half; otherwise they are equal. */
struct utf8_cut ycp_content_cut(enum ref ref, const struct content *content, uint64_t offset);

/* Writes the payload from offset on, as Yjs does. */
void ycp_content_put(struct yc_buf *out, enum ref ref, const struct content *content,
                     uint64_t offset);

/* Takes a checked type payload apart: kind, and name ({NULL, 0} for kinds without). */
enum yc_kind ycp_content_type(struct yc_slice bytes, struct yc_slice *name);
/* Takes a checked format payload apart: key, and value as JSON text. */
struct yc_slice ycp_content_format(struct yc_slice bytes, struct yc_slice *value);

#endif
