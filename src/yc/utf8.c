/* Why: a client's decoder throws on bytes that are not UTF-8, so none may pass, and Yjs counts in
 * UTF-16 units what is kept here as UTF-8. Bounded by the slice; nothing is allocated. */
#include "utf8.h"

#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

static const uint8_t *skip_ascii(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        if ((word & HIGH_BITS) != 0) {
            break;
        }
        at += 8;
    }
    while (at != end && *at < 0x80) {
        at++;
    }
    return at;
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

size_t ycp_utf8_size(uint8_t lead)
{
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xc2) {
        return 0;
    }
    if (lead < 0xe0) {
        return 2;
    }
    if (lead < 0xf0) {
        return 3;
    }
    return lead < 0xf5 ? 4 : 0;
}

/* The second byte alone tells overlong forms, surrogates and what lies above U+10FFFF. */
static bool second_fits(uint8_t lead, uint8_t second)
{
    switch (lead) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second < 0xa0;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second < 0x90;
    default:
        return true;
    }
}

bool ycp_utf8_valid(struct yc_slice text)
{
    if (text.len == 0) {
        return true;
    }
    const uint8_t *end = text.data + text.len;
    const uint8_t *at = skip_ascii(text.data, end);
    while (at != end) {
        size_t size = ycp_utf8_size(*at);
        if (size == 0 || size > (size_t)(end - at)) {
            return false;
        }
        for (size_t i = 1; i < size; i++) {
            if (!is_continuation(at[i])) {
                return false;
            }
        }
        if (size > 1 && !second_fits(at[0], at[1])) {
            return false;
        }
        at += size;
        if (at != end && *at < 0x80) {
            at = skip_ascii(at, end);
        }
    }
    return true;
}

uint64_t ycp_utf8_units(struct yc_slice text)
{
    /* A character is one unit, and another one when it takes four bytes. */
    uint64_t units = 0;
    for (size_t i = 0; i < text.len; i++) {
        units += !is_continuation(text.data[i]);
        units += text.data[i] >= 0xf0;
    }
    return units;
}

static uint64_t units_of_size(size_t size)
{
    return size == 4 ? 2 : 1;
}

static struct utf8_cut cut_from_start(struct yc_slice text, uint64_t units)
{
    size_t at = 0;
    while (units > 0 && at < text.len) {
        size_t size = ycp_utf8_size(text.data[at]);
        if (units < units_of_size(size)) {
            return (struct utf8_cut){at, at + size};
        }
        units -= units_of_size(size);
        at += size;
    }
    return (struct utf8_cut){at, at};
}

/* units: those behind the cut. */
static struct utf8_cut cut_from_end(struct yc_slice text, uint64_t units)
{
    size_t at = text.len;
    while (units > 0 && at > 0) {
        size_t start = at - 1;
        while (start > 0 && is_continuation(text.data[start])) {
            start--;
        }
        if (units < units_of_size(at - start)) {
            return (struct utf8_cut){start, at};
        }
        units -= units_of_size(at - start);
        at = start;
    }
    return (struct utf8_cut){at, at};
}

struct utf8_cut ycp_utf8_cut(struct yc_slice text, uint64_t total, uint64_t units)
{
    if (total == text.len) {
        return (struct utf8_cut){(size_t)units, (size_t)units};
    }
    return units <= total / 2 ? cut_from_start(text, units) : cut_from_end(text, total - units);
}
