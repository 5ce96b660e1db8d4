/* See json.h: lib0's any values. A list or object that is open is a number of values still to come,
 * on a stack of fixed height. */
#include "json.h"

enum tag {
    TAG_BYTES = 116,
    TAG_ARRAY = 117,
    TAG_OBJECT = 118,
    TAG_STRING = 119,
    TAG_TRUE = 120,
    TAG_FALSE = 121,
    TAG_INT64 = 122,
    TAG_FLOAT64 = 123,
    TAG_FLOAT32 = 124,
    TAG_INTEGER = 125,
    TAG_NULL = 126,
    TAG_UNDEFINED = 127,
};

struct walk {
    uint64_t left[YCP_MAX_DEPTH + 1]; /* values to come at each depth */
    bool keyed[YCP_MAX_DEPTH + 1];
    unsigned depth;
    unsigned max_depth;
};

/* A list or object begins. */
static void open_values(struct walk *walk, struct reader *reader, bool keyed)
{
    uint64_t count = ycp_get_varuint(reader);
    if (walk->depth == walk->max_depth || count > ycp_left(reader)) {
        reader->bad = true;
        return;
    }
    walk->depth++;
    walk->left[walk->depth] = count;
    walk->keyed[walk->depth] = keyed;
}

static void skip_value(struct walk *walk, struct reader *reader)
{
    bool negative;
    switch (ycp_get_u8(reader)) {
    case TAG_UNDEFINED:
    case TAG_NULL:
    case TAG_TRUE:
    case TAG_FALSE:
        return;
    case TAG_INTEGER:
        ycp_get_varint(reader, &negative);
        return;
    case TAG_FLOAT32:
        ycp_get_raw(reader, 4);
        return;
    case TAG_FLOAT64:
    case TAG_INT64:
        ycp_get_raw(reader, 8);
        return;
    case TAG_STRING:
        ycp_get_string(reader);
        return;
    case TAG_BYTES:
        ycp_get_bytes(reader);
        return;
    case TAG_OBJECT:
        open_values(walk, reader, true);
        return;
    case TAG_ARRAY:
        open_values(walk, reader, false);
        return;
    default:
        reader->bad = true;
    }
}

void ycp_any_skip(struct reader *reader, unsigned max_depth)
{
    struct walk walk;
    walk.depth = 0;
    walk.max_depth = max_depth < YCP_MAX_DEPTH ? max_depth : YCP_MAX_DEPTH;
    walk.left[0] = 1;
    walk.keyed[0] = false;
    while (!reader->bad) {
        while (walk.left[walk.depth] == 0) {
            if (walk.depth == 0) {
                return;
            }
            walk.depth--;
        }
        walk.left[walk.depth]--;
        if (walk.keyed[walk.depth]) {
            ycp_get_string(reader);
        }
        skip_value(&walk, reader);
    }
}
