/* UTF-8 with an eye on UTF-16, in whose code units Yjs counts. */
#ifndef YC_UTF8_H
#define YC_UTF8_H

#include "yc.h"

/* U+FFFD, which stands for half a surrogate pair. */
#define YCP_REPLACEMENT "\xef\xbf\xbd"
#define YCP_REPLACEMENT_SIZE 3

/* Strict: no overlong forms, no surrogates, nothing above U+10FFFF. Pure ASCII is checked eight
 * bytes at a time. */
bool ycp_utf8_valid(struct yc_slice text);
/* Bytes of the character that a lead byte begins; 0 when none may begin with it. */
size_t ycp_utf8_size(uint8_t lead);
/* UTF-16 code units of valid UTF-8. */
uint64_t ycp_utf8_units(struct yc_slice text);

/* Where a number of code units ends in valid UTF-8. units <= ycp_utf8_units(text), which the caller
 * knows and passes as total: the scan starts at the nearer end, and ASCII needs none. */
struct utf8_cut {
    size_t before; /* bytes of the whole characters in front of the cut */
    size_t
        after; /* where the bytes behind the cut begin: before, or before + 4 inside a pair */
};
struct utf8_cut ycp_utf8_cut(struct yc_slice text, uint64_t total, uint64_t units);

#endif
