/* See json.h: lib0's any values. A list or object that is open is a number of values still to come,
 * on a stack of fixed height. */
#include "json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

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
    bool follows[YCP_MAX_DEPTH + 1]; /* a value was there before */
    unsigned depth;
    unsigned max_depth;
};

static void walk_begin(struct walk *walk, unsigned max_depth)
{
    walk->depth = 0;
    walk->max_depth = max_depth < YCP_MAX_DEPTH ? max_depth : YCP_MAX_DEPTH;
    walk->left[0] = 1;
    walk->keyed[0] = false;
    walk->follows[0] = false;
}

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
    walk->follows[walk->depth] = false;
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
    walk_begin(&walk, max_depth);
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

/* --- to JSON --------------------------------------------------------------------------------- */

bool ycp_any_is_undefined(const struct reader *reader)
{
    return reader->at < reader->end && *reader->at == TAG_UNDEFINED;
}

bool ycp_any_is_nothing(const struct reader *reader)
{
    return ycp_any_is_undefined(reader) ||
           (reader->at < reader->end && *reader->at == TAG_NULL);
}

static uint64_t big_endian(struct yc_slice bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        value = value << 8 | bytes.data[i];
    }
    return value;
}

static void put_integer(struct yc_buf *out, uint64_t magnitude, bool negative)
{
    char text[32];
    bool sign = negative && magnitude > 0;
    (void)snprintf(text, sizeof text, "%s%llu", sign ? "-" : "", (unsigned long long)magnitude);
    ycp_put_text(out, text);
}

static void float_to_json(struct yc_buf *out, struct reader *reader)
{
    uint32_t bits = (uint32_t)big_endian(ycp_get_raw(reader, 4));
    float number;
    memcpy(&number, &bits, sizeof number);
    ycp_put_json_number(out, number);
}

static void double_to_json(struct yc_buf *out, struct reader *reader)
{
    uint64_t bits = big_endian(ycp_get_raw(reader, 8));
    double number;
    memcpy(&number, &bits, sizeof number);
    ycp_put_json_number(out, number);
}

static void int64_to_json(struct yc_buf *out, struct reader *reader)
{
    uint64_t bits = big_endian(ycp_get_raw(reader, 8));
    bool negative = bits >> 63 != 0;
    put_integer(out, negative ? -bits : bits, negative);
}

void ycp_put_json_bytes(struct yc_buf *out, struct yc_slice bytes)
{
    ycp_put_u8(out, '{');
    for (size_t i = 0; i < bytes.len; i++) {
        char member[48];
        (void)snprintf(member, sizeof member, "%s\"%zu\":%u", i == 0 ? "" : ",", i,
                       bytes.data[i]);
        ycp_put_text(out, member);
    }
    ycp_put_u8(out, '}');
}

static void value_to_json(struct walk *walk, struct yc_buf *out, struct reader *reader)
{
    bool negative = false;
    uint64_t magnitude;
    switch (ycp_get_u8(reader)) {
    case TAG_TRUE:
        ycp_put_text(out, "true");
        return;
    case TAG_FALSE:
        ycp_put_text(out, "false");
        return;
    case TAG_INTEGER:
        magnitude = ycp_get_varint(reader, &negative);
        put_integer(out, magnitude, negative);
        return;
    case TAG_FLOAT32:
        float_to_json(out, reader);
        return;
    case TAG_FLOAT64:
        double_to_json(out, reader);
        return;
    case TAG_INT64:
        int64_to_json(out, reader);
        return;
    case TAG_STRING:
        ycp_put_json_string(out, ycp_get_bytes(reader));
        return;
    case TAG_BYTES:
        ycp_put_json_bytes(out, ycp_get_bytes(reader));
        return;
    case TAG_OBJECT:
        open_values(walk, reader, true);
        ycp_put_u8(out, '{');
        return;
    case TAG_ARRAY:
        open_values(walk, reader, false);
        ycp_put_u8(out, '[');
        return;
    default: /* null, undefined */
        ycp_put_text(out, "null");
    }
}

/* The key of the next member and what goes in front of it. Members that are undefined are read
 * past, up to the end of the object if need be: then false. */
static bool key_to_json(struct walk *walk, struct yc_buf *out, struct reader *reader)
{
    for (;;) {
        struct yc_slice key = ycp_get_bytes(reader);
        if (!ycp_any_is_undefined(reader)) {
            ycp_put_text(out, walk->follows[walk->depth] ? "," : "");
            ycp_put_json_string(out, key);
            ycp_put_u8(out, ':');
            return true;
        }
        ycp_get_u8(reader);
        if (walk->left[walk->depth] == 0) {
            return false;
        }
        walk->left[walk->depth]--;
    }
}

/* Closes what is complete. False: all is. */
static bool close_values(struct walk *walk, struct yc_buf *out)
{
    while (walk->left[walk->depth] == 0) {
        if (walk->depth == 0) {
            return false;
        }
        ycp_put_u8(out, walk->keyed[walk->depth] ? '}' : ']');
        walk->depth--;
    }
    return true;
}

void ycp_any_to_json(struct yc_buf *out, struct reader *reader)
{
    struct walk walk;
    walk_begin(&walk, YCP_MAX_DEPTH);
    while (!reader->bad && close_values(&walk, out)) {
        unsigned depth = walk.depth;
        walk.left[depth]--;
        if (walk.keyed[depth]) {
            if (!key_to_json(&walk, out, reader)) {
                continue;
            }
        } else if (walk.follows[depth]) {
            ycp_put_u8(out, ',');
        }
        walk.follows[depth] = true;
        value_to_json(&walk, out, reader);
    }
}

enum any_form ycp_any_take(struct reader *reader, struct yc_slice *bytes)
{
    uint8_t tag = reader->at < reader->end ? *reader->at : 0;
    if (tag != TAG_STRING && tag != TAG_BYTES) {
        return ANY_OTHER;
    }
    ycp_get_u8(reader);
    *bytes = ycp_get_bytes(reader);
    return tag == TAG_STRING ? ANY_TEXT : ANY_BYTES;
}

void ycp_any_put_text(struct yc_buf *out, struct yc_slice text)
{
    ycp_put_u8(out, TAG_STRING);
    ycp_put_bytes(out, text);
}

/* --- from JSON ------------------------------------------------------------------------------- */

static void put_big_endian(struct yc_buf *out, uint64_t bits, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        ycp_put_u8(out, (uint8_t)(bits >> (8 * i)));
    }
}

/* The form that lib0 takes: an integer if it has 31 bits, a float if that is exact, a double. */
static void number_from_json(struct yc_buf *out, struct yc_slice text)
{
    double number = ycp_json_number(text);
    if (fabs(number) <= INT32_MAX && (double)(int32_t)number == number) {
        ycp_put_u8(out, TAG_INTEGER);
        ycp_put_varint(out, (uint64_t)fabs(number), signbit(number) != 0);
        return;
    }
    if (fabs(number) <= (double)FLT_MAX && (double)(float)number == number) {
        float narrow = (float)number;
        uint32_t bits;
        memcpy(&bits, &narrow, sizeof bits);
        ycp_put_u8(out, TAG_FLOAT32);
        put_big_endian(out, bits, 4);
        return;
    }
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    ycp_put_u8(out, TAG_FLOAT64);
    put_big_endian(out, bits, 8);
}

/* A string's bytes are known in number only when they are written: they are, behind the text so far,
 * and then moved behind their length. */
static void string_from_json(struct yc_buf *out, struct yc_slice text)
{
    size_t start = out->len;
    ycp_json_unescape(out, text);
    if (out->failed) {
        return;
    }
    size_t len = out->len - start;
    size_t head = ycp_varuint_size(len);
    if (!ycp_buf_reserve(out, head)) {
        return;
    }
    memmove(out->data + start + head, out->data + start, len);
    out->len = start;
    ycp_put_varuint(out, len);
    out->len = start + head + len;
}

void ycp_any_from_json(struct yc_buf *out, struct yc_slice valid)
{
    struct json json = ycp_json(valid);
    bool keyed[YCP_MAX_DEPTH + 1] = {false};
    bool key_next = false;
    unsigned depth = 0;
    do {
        struct yc_slice text;
        enum json_token token = ycp_json_next(&json, &text);
        if (token == JSON_CLOSE) {
            depth--;
            key_next = keyed[depth];
            continue;
        }
        if (key_next) {
            string_from_json(out, text);
            key_next = false;
            continue;
        }
        key_next = keyed[depth];
        if (token == JSON_OPEN_ARRAY || token == JSON_OPEN_OBJECT) {
            keyed[++depth] = token == JSON_OPEN_OBJECT;
            key_next = keyed[depth];
            ycp_put_u8(out, key_next ? TAG_OBJECT : TAG_ARRAY);
            ycp_put_varuint(out, ycp_json_count(json, key_next));
        } else if (token == JSON_STRING) {
            ycp_put_u8(out, TAG_STRING);
            string_from_json(out, text);
        } else if (token == JSON_NUMBER) {
            number_from_json(out, text);
        } else {
            ycp_put_u8(out, token == JSON_NULL   ? TAG_NULL
                            : token == JSON_TRUE ? TAG_TRUE
                                                 : TAG_FALSE);
        }
    } while (depth > 0);
}
