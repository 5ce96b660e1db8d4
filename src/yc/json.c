/* See json.h: JSON text. Checking is one pass with a stack of fixed height for what is open; what
 * takes text apart relies on it. */
#include "json.h"

#include "utf8.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- checking -------------------------------------------------------------------------------- */

struct text {
    const char *at;
    const char *end;
};

static void skip_space(struct text *text)
{
    while (text->at < text->end &&
           (*text->at == ' ' || *text->at == '\t' || *text->at == '\n' || *text->at == '\r')) {
        text->at++;
    }
}

/* The next character, or 0 at the end; a NUL in the text is refused wherever it stands. */
static char peek(const struct text *text)
{
    if (text->at == text->end) {
        return '\0';
    }
    return *text->at;
}

static bool accept(struct text *text, char wanted)
{
    if (wanted == '\0' || peek(text) != wanted) {
        return false;
    }
    text->at++;
    return true;
}

static bool accept_word(struct text *text, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(text->end - text->at) < len || memcmp(text->at, word, len) != 0) {
        return false;
    }
    text->at += len;
    return true;
}

static bool digits(struct text *text)
{
    const char *begin = text->at;
    while (peek(text) >= '0' && peek(text) <= '9') {
        text->at++;
    }
    return text->at > begin;
}

static bool exponent(struct text *text)
{
    if (!accept(text, 'e') && !accept(text, 'E')) {
        return true;
    }
    if (!accept(text, '+')) {
        accept(text, '-');
    }
    return digits(text);
}

/* More digits than a double can tell apart; no Yjs writes more than 25 characters. */
#define NUMBER_MAX 700

static bool number(struct text *text)
{
    const char *begin = text->at;
    accept(text, '-');
    if (!accept(text, '0') && !digits(text)) {
        return false;
    }
    if (accept(text, '.') && !digits(text)) {
        return false;
    }
    return exponent(text) && text->at - begin <= NUMBER_MAX;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool escape(struct text *text)
{
    char c = peek(text);
    if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL) {
        return false;
    }
    text->at++;
    for (int i = 0; c == 'u' && i < 4; i++) {
        if (!is_hex(peek(text))) {
            return false;
        }
        text->at++;
    }
    return true;
}

static bool string(struct text *text)
{
    if (!accept(text, '"')) {
        return false;
    }
    while (text->at < text->end) {
        char c = *text->at++;
        if (c == '"') {
            return true;
        }
        if ((unsigned char)c < 0x20 || (c == '\\' && !escape(text))) {
            return false;
        }
    }
    return false;
}

static bool member_key(struct text *text)
{
    skip_space(text);
    if (!string(text)) {
        return false;
    }
    skip_space(text);
    return accept(text, ':');
}

static bool scalar(struct text *text)
{
    switch (peek(text)) {
    case '"':
        return string(text);
    case 't':
        return accept_word(text, "true");
    case 'f':
        return accept_word(text, "false");
    case 'n':
        return accept_word(text, "null");
    default:
        return number(text);
    }
}

/* Closes what the value just read was the last of. False: something else follows than may. */
static bool after_value(struct text *text, const char *closers, unsigned *depth)
{
    while (*depth > 0) {
        skip_space(text);
        if (accept(text, closers[*depth - 1])) {
            (*depth)--;
        } else if (accept(text, ',')) {
            return closers[*depth - 1] == ']' || member_key(text);
        } else {
            return false;
        }
    }
    return true;
}

/* An array or object begins; an empty one ends at once and is then a value like any other. */
static bool open_list(struct text *text, char *closers, unsigned *depth, bool *empty)
{
    char closer = *text->at++ == '[' ? ']' : '}';
    skip_space(text);
    *empty = accept(text, closer);
    if (*empty) {
        return true;
    }
    closers[(*depth)++] = closer;
    return closer == ']' || member_key(text);
}

static bool value(struct text *text, unsigned max_depth)
{
    char closers[YCP_MAX_DEPTH];
    unsigned depth = 0;
    do {
        bool complete = true;
        skip_space(text);
        if (peek(text) == '[' || peek(text) == '{') {
            if (depth == max_depth || !open_list(text, closers, &depth, &complete)) {
                return false;
            }
        } else if (!scalar(text)) {
            return false;
        }
        if (complete && !after_value(text, closers, &depth)) {
            return false;
        }
    } while (depth > 0);
    return true;
}

bool ycp_json_valid(struct yc_slice bytes, unsigned max_depth)
{
    if (bytes.len == 0 || !ycp_utf8_valid(bytes)) {
        return false;
    }
    struct text text = {(const char *)bytes.data, (const char *)bytes.data + bytes.len};
    if (!value(&text, max_depth < YCP_MAX_DEPTH ? max_depth : YCP_MAX_DEPTH)) {
        return false;
    }
    skip_space(&text);
    return text.at == text.end;
}

/* --- taking apart ---------------------------------------------------------------------------- */

struct json ycp_json(struct yc_slice valid)
{
    return (struct json){(const char *)valid.data, (const char *)valid.data + valid.len};
}

static const char *string_end(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++) {
        at += *at == '\\';
    }
    return at + 1;
}

static const char *word_end(const char *at, const char *end)
{
    while (at < end && strchr(",:]} \t\r\n", *at) == NULL) {
        at++;
    }
    return at;
}

static enum json_token token_of(char first)
{
    switch (first) {
    case '[':
        return JSON_OPEN_ARRAY;
    case '{':
        return JSON_OPEN_OBJECT;
    case ']':
    case '}':
        return JSON_CLOSE;
    case '"':
        return JSON_STRING;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    default:
        return JSON_NUMBER;
    }
}

enum json_token ycp_json_next(struct json *json, struct yc_slice *text)
{
    while (json->at < json->end && strchr(",: \t\r\n", *json->at) != NULL) {
        json->at++;
    }
    if (json->at == json->end) {
        return JSON_END;
    }
    const char *start = json->at;
    enum json_token token = token_of(*start);
    if (token == JSON_STRING) {
        json->at = string_end(start, json->end);
    } else if (token >= JSON_OPEN_ARRAY) {
        json->at++;
    } else {
        json->at = word_end(start, json->end);
    }
    if (text != NULL) {
        *text = (struct yc_slice){(const uint8_t *)start, (size_t)(json->at - start)};
    }
    return token;
}

struct yc_slice ycp_json_value(struct json *json)
{
    struct yc_slice first;
    size_t depth = 0;
    enum json_token token = ycp_json_next(json, &first);
    for (;; token = ycp_json_next(json, NULL)) {
        depth += token == JSON_OPEN_ARRAY || token == JSON_OPEN_OBJECT;
        depth -= token == JSON_CLOSE;
        if (depth == 0) {
            size_t len = (size_t)(json->at - (const char *)first.data);
            return (struct yc_slice){first.data, len};
        }
    }
}

uint64_t ycp_json_count(struct json opened, bool object)
{
    uint64_t values = 0;
    size_t depth = 1;
    while (depth > 0) {
        enum json_token token = ycp_json_next(&opened, NULL);
        values += depth == 1 && token != JSON_CLOSE;
        depth += token == JSON_OPEN_ARRAY || token == JSON_OPEN_OBJECT;
        depth -= token == JSON_CLOSE;
    }
    return object ? values / 2 : values;
}

static uint32_t hex4(const uint8_t *digits)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t c = digits[i];
        uint32_t digit = c <= '9' ? c - (uint32_t)'0' : (c | 0x20u) - 'a' + 10u;
        value = value << 4 | digit;
    }
    return value;
}

static void put_code_point(struct yc_buf *out, uint32_t code)
{
    uint8_t bytes[4];
    bytes[0] = (uint8_t)code;
    size_t len = 1;
    if (code >= 0x10000) {
        bytes[0] = (uint8_t)(0xf0 | code >> 18);
        bytes[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
        bytes[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        bytes[3] = (uint8_t)(0x80 | (code & 0x3f));
        len = 4;
    } else if (code >= 0x800) {
        bytes[0] = (uint8_t)(0xe0 | code >> 12);
        bytes[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        bytes[2] = (uint8_t)(0x80 | (code & 0x3f));
        len = 3;
    } else if (code >= 0x80) {
        bytes[0] = (uint8_t)(0xc0 | code >> 6);
        bytes[1] = (uint8_t)(0x80 | (code & 0x3f));
        len = 2;
    }
    ycp_put_raw(out, bytes, len);
}

/* Writes what the escape at a backslash stands for; where it ends. */
static const uint8_t *put_unescaped(struct yc_buf *out, const uint8_t *at, const uint8_t *end)
{
    static const char letters[] = "bfnrt";
    static const char meant[] = "\b\f\n\r\t";
    if (at[1] != 'u') {
        const char *letter = strchr(letters, at[1]);
        ycp_put_u8(out, letter == NULL ? at[1] : (uint8_t)meant[letter - letters]);
        return at + 2;
    }
    uint32_t code = hex4(at + 2);
    at += 6;
    if (code >= 0xd800 && code < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        uint32_t low = hex4(at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        }
    }
    put_code_point(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
    return at;
}

void ycp_json_unescape(struct yc_buf *out, struct yc_slice string)
{
    const uint8_t *at = string.data + 1;
    const uint8_t *end = string.data + string.len - 1;
    while (at < end) {
        const uint8_t *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape == NULL ? end : escape) - at);
        ycp_put_raw(out, at, plain);
        at += plain;
        if (escape != NULL) {
            at = put_unescaped(out, at, end);
        }
    }
}

/* strtod wants the locale's decimal point, which may be several bytes, and a text that ends. */
double ycp_json_number(struct yc_slice text)
{
    char copy[NUMBER_MAX + 16];
    const char *begin = (const char *)text.data;
    const char *point = memchr(begin, '.', text.len);
    const char *own = localeconv()->decimal_point;
    int whole = (int)(point == NULL ? text.len : (size_t)(point - begin));
    int rest = point == NULL ? 0 : (int)text.len - whole - 1;
    (void)snprintf(copy, sizeof copy, "%.*s%s%.*s", whole, begin, rest > 0 ? own : "", rest,
                   rest > 0 ? point + 1 : "");
    return strtod(copy, NULL);
}

/* --- writing --------------------------------------------------------------------------------- */

static void put_escape(struct yc_buf *out, uint8_t c)
{
    static const char shorts[] = "\b\t\n\f\r\"\\";
    static const char letters[] = "btnfr\"\\";
    static const char digits[] = "0123456789abcdef";
    const char *found = c == 0 ? NULL : strchr(shorts, c);
    if (found != NULL) {
        ycp_put_u8(out, '\\');
        ycp_put_u8(out, (uint8_t)letters[found - shorts]);
    } else {
        ycp_put_text(out, "\\u00");
        ycp_put_u8(out, (uint8_t)digits[c >> 4]);
        ycp_put_u8(out, (uint8_t)digits[c & 15]);
    }
}

static void put_escaped(struct yc_buf *out, struct yc_slice text)
{
    size_t start = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c < 0x20 || c == '"' || c == '\\') {
            ycp_put_raw(out, text.data + start, i - start);
            put_escape(out, c);
            start = i + 1;
        }
    }
    if (text.len > start) {
        ycp_put_raw(out, text.data + start, text.len - start);
    }
}

void ycp_put_json_string(struct yc_buf *out, struct yc_slice text)
{
    ycp_put_u8(out, '"');
    put_escaped(out, text);
    ycp_put_u8(out, '"');
}

/* Adds one to the last digit of d.ddde[+-]x; false when that is a nine. */
static bool next_digit(char *text)
{
    char *last = strchr(text, 'e') - 1;
    bool adds = *last >= '0' && *last < '9';
    if (adds) {
        (*last)++;
    }
    return adds;
}

/* The shortest digits that read back as the same number: d.ddde[+-]x. The decimal point may be
 * another character in the caller's locale, so it is skipped, not looked for. */
static int shortest_digits(double number, char *digits, int *count)
{
    char text[48];
    /* 15 digits come back as they were, so fewer need trying only below the normal numbers. */
    for (int precision = number < DBL_MIN ? 0 : 14; precision <= 16; precision++) {
        (void)snprintf(text, sizeof text, "%.*e", precision, number);
        if (strtod(text, NULL) == number) {
            break;
        }
        /* Below a power of two numbers lie twice as close: then the next digits may be the ones. */
        if (precision == 15 && next_digit(text) && strtod(text, NULL) == number) {
            break;
        }
    }
    const char *exponent = strchr(text, 'e');
    *count = 0;
    for (const char *at = text; at < exponent; at++) {
        if (*at >= '0' && *at <= '9') {
            digits[(*count)++] = *at;
        }
    }
    return (int)strtol(exponent + 1, NULL, 10) + 1;
}

/* point: how many of the digits stand in front of the decimal point. */
static void put_digits(struct yc_buf *out, const char *digits, int count, int point)
{
    if (point > 21 || point < -5) {
        char exponent[16];
        ycp_put_raw(out, digits, 1);
        if (count > 1) {
            ycp_put_u8(out, '.');
            ycp_put_raw(out, digits + 1, (size_t)count - 1);
        }
        (void)snprintf(exponent, sizeof exponent, "e%+d", point - 1);
        ycp_put_text(out, exponent);
        return;
    }
    if (point <= 0) {
        ycp_put_text(out, "0.");
    }
    for (int i = point < 0 ? point : 0; i < count || i < point; i++) {
        if (i > 0 && i == point) {
            ycp_put_u8(out, '.');
        }
        ycp_put_u8(out, i < 0 || i >= count ? '0' : (uint8_t)digits[i]);
    }
}

void ycp_put_json_number(struct yc_buf *out, double number)
{
    if (!isfinite(number)) {
        ycp_put_text(out, "null");
        return;
    }
    if (number == 0) {
        ycp_put_u8(out, '0');
        return;
    }
    if (number < 0) {
        ycp_put_u8(out, '-');
        number = -number;
    }
    char digits[32];
    int count;
    int point = shortest_digits(number, digits, &count);
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    put_digits(out, digits, count, point);
}
