/* JSON text and lib0's "any" values: checked before they are taken in, turned into each other.
 * Nothing here recurses; nesting is bounded by the caller. */
#ifndef YC_JSON_H
#define YC_JSON_H

#include "bytes.h"

/* The deepest nesting that any call here can be asked for. */
#define YCP_MAX_DEPTH 256

/* --- JSON text --------------------------------------------------------------------------------- */

/* Whether text is one JSON value as JSON.parse takes it (RFC 8259, UTF-8 checked), nested at most
 * max_depth (<= YCP_MAX_DEPTH) arrays and objects deep. */
bool ycp_json_valid(struct yc_slice text, unsigned max_depth);

/* Valid JSON text that is being taken apart, from front to back. */
struct json {
    const char *at;
    const char *end;
};

enum json_token {
    JSON_END, /* of the text */
    JSON_NULL,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_OPEN_ARRAY,
    JSON_OPEN_OBJECT,
    JSON_CLOSE, /* of the innermost array or object */
};

struct json ycp_json(struct yc_slice valid);
/* The next token; commas and colons are passed over. text (may be NULL) becomes its characters, a
 * string's with the quotes. */
enum json_token ycp_json_next(struct json *json, struct yc_slice *text);
/* Passes over one value, whole; its text without the space around it. */
struct yc_slice ycp_json_value(struct json *json);
/* How many values follow in the array, or members in the object, that was just opened. */
uint64_t ycp_json_count(struct json opened, bool object);
/* Writes what a string with its quotes stands for, as UTF-8: half of a surrogate pair is U+FFFD. */
void ycp_json_unescape(struct yc_buf *out, struct yc_slice string);

/* Writes text as a JSON string, as JSON.stringify does. */
void ycp_put_json_string(struct yc_buf *out, struct yc_slice text);
/* Writes bytes as JSON.stringify writes an Uint8Array: {"0":1,"1":255}. */
void ycp_put_json_bytes(struct yc_buf *out, struct yc_slice bytes);
/* The number that a number's text stands for, whatever the locale. */
double ycp_json_number(struct yc_slice text);
/* Writes a number as JavaScript does; null when it is none. */
void ycp_put_json_number(struct yc_buf *out, double number);

/* --- any --------------------------------------------------------------------------------------- */

/* Reads past one any value and checks it whole; bad when it is no value or too deep. */
void ycp_any_skip(struct reader *reader, unsigned max_depth);
/* Reads past one checked value and writes it as JSON.stringify would, a big integer in digits.
 * undefined is left out of objects and is null elsewhere. */
void ycp_any_to_json(struct yc_buf *out, struct reader *reader);
/* Whether the next value is undefined. */
bool ycp_any_is_undefined(const struct reader *reader);
/* Whether it is null or undefined. */
bool ycp_any_is_nothing(const struct reader *reader);
/* Takes the next value when it is a string or bytes; ANY_OTHER: it is neither, and is not read. */
enum any_form { ANY_OTHER, ANY_TEXT, ANY_BYTES };
enum any_form ycp_any_take(struct reader *reader, struct yc_slice *bytes);
void ycp_any_put_text(struct yc_buf *out, struct yc_slice text);
/* Writes one valid JSON value as any, in lib0's shortest forms. */
void ycp_any_from_json(struct yc_buf *out, struct yc_slice valid);

#endif
