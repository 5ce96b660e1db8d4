/* See json.h: JSON text. One pass, with a stack of fixed height for what is open. */
#include "json.h"

#include "utf8.h"

#include <string.h>

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

static bool number(struct text *text)
{
    accept(text, '-');
    if (!accept(text, '0') && !digits(text)) {
        return false;
    }
    if (accept(text, '.') && !digits(text)) {
        return false;
    }
    if (accept(text, 'e') || accept(text, 'E')) {
        if (!accept(text, '+')) {
            accept(text, '-');
        }
        return digits(text);
    }
    return true;
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
