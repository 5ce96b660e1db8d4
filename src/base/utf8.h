/* Reading UTF-8 one character at a time, strictly: no overlong forms, no surrogates, nothing
 * above U+10FFFF. */
#ifndef VVE_BASE_UTF8_H
#define VVE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Looks at the character that begins at bytes[0] (len >= 1). Returns its length, 1..4, if it is
 * whole and valid; 0 if the bytes are the beginning of a valid character and more are needed;
 * -n if the first n bytes (1..3) can begin no character and stand for one U+FFFD. */
int utf8_next(const char *bytes, size_t len);

bool utf8_valid(const char *bytes, size_t len);

#endif
