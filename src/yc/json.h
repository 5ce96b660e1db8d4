/* JSON text and lib0's "any" values, checked before they are taken in. Nothing here recurses;
 * nesting is bounded by the caller. */
#ifndef YC_JSON_H
#define YC_JSON_H

#include "bytes.h"

/* The deepest nesting that any call here can be asked for. */
#define YCP_MAX_DEPTH 256

/* Whether text is one JSON value as JSON.parse takes it (RFC 8259, UTF-8 checked), nested at most
 * max_depth (<= YCP_MAX_DEPTH) arrays and objects deep. */
bool ycp_json_valid(struct yc_slice text, unsigned max_depth);

/* Reads past one any value and checks it whole; bad when it is no value or too deep. */
void ycp_any_skip(struct reader *reader, unsigned max_depth);

#endif
