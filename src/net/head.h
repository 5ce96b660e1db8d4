/* A strict reader of an HTTP/1.1 request head: bytes in, decision out. Pure; any thread.
 *
 * It exists because libwebsockets 4.1.6 reads heads loosely: it accepts bare line feeds, and a
 * field whose name is the beginning of one it knows swallows the next line. Whoever reads a
 * head differently from the proxy in front of it can be made to see another request than the
 * proxy did, so here is only one reading, and whatever is open to two is refused. */
#ifndef VVE_NET_HEAD_H
#define VVE_NET_HEAD_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAD_MAX_BYTES 16384 /* with the empty line that ends it */
#define HEAD_MAX_FIELDS 100
#define HEAD_MAX_METHOD 32
#define HEAD_MAX_TARGET 2048

enum head_status { HEAD_MORE, HEAD_OK, HEAD_BAD };

/* Why a head is bad: the status to answer, and one sentence for people. */
struct head_refusal {
    int status;
    const char *problem;
};

struct head_field {
    struct view name;  /* as sent; compare without case */
    struct view value; /* without the white space around it */
};

/* All views point into the bytes that were parsed. */
struct head {
    size_t len; /* bytes of the head; the body begins there */
    struct view method;
    struct view path;        /* begins with '/'; not percent-decoded */
    struct view query;       /* without '?'; empty if none */
    int minor;               /* HTTP/1.<minor>: 0 or 1 */
    uint64_t content_length; /* 0 if absent */
    bool expects_continue;
    size_t field_count;
    struct head_field fields[HEAD_MAX_FIELDS];
    struct head_refusal refusal; /* for HEAD_BAD */
};

/* How far a growing head was looked at; starts as zeroes. Each byte is looked at once, so a
 * peer that sends byte by byte costs no more than one that does not. */
struct head_scan {
    size_t at;
    size_t line;  /* where the line under way begins */
    size_t lines; /* complete ones */
    bool skipped_empty_line;
};

/* Looks for the end of the head and for bytes and lengths that no head may have. HEAD_OK: it is
 * complete and head_parse may look at it; that may still find it bad. */
enum head_status head_scan(struct head_scan *scan, const char *bytes, size_t len,
                           struct head_refusal *refusal);

/* HEAD_MORE: what is there may become a good head. HEAD_BAD fills only `refusal`. Bytes behind
 * the head are not looked at. Refusals: 400, 411 (chunked body: we want a length), 414, 417,
 * 431, 501 (transfer coding or method that nobody has), 505. */
enum head_status head_parse(const char *bytes, size_t len, struct head *head);

/* The first field of that lower-case name, or NULL. */
const struct head_field *head_find(const struct head *head, const char *name);

/* Its value; empty if absent. */
struct view head_value(const struct head *head, const char *name);

/* Whether a list such as "keep-alive, Upgrade" has that word, in whatever case. */
bool head_lists(struct view list, const char *word);

/* Compares without regard to ASCII case. */
bool head_same(struct view value, const char *text);

#endif
