/* A view is a borrowed run of bytes, with or without a NUL behind it. It owns nothing and is
 * valid for as long as the bytes it was made from. */
#ifndef VVE_BASE_VIEW_H
#define VVE_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct view {
    const char *at;
    size_t len;
};

static inline struct view view_of(const char *text)
{
    return (struct view){text, strlen(text)};
}

static inline bool view_equals(struct view v, const char *text)
{
    return v.len == strlen(text) && memcmp(v.at, text, v.len) == 0;
}

static inline bool view_starts(struct view v, const char *prefix)
{
    size_t len = strlen(prefix);
    return v.len >= len && memcmp(v.at, prefix, len) == 0;
}

#endif
