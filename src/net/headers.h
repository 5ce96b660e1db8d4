/* The header lines that every reply carries, wherever it is written. Loop thread only. */
#ifndef VVE_NET_HEADERS_H
#define VVE_NET_HEADERS_H

#include "base/buf.h"

/* Date, Connection: close, and what tells a browser to be careful with us. */
void headers_common(struct buf *out);

/* "OK", "Not Found", ...; "Unknown" for a status that this server never sends. */
const char *headers_reason(int status);

#endif
