/* Server-sent events over an HTTP stream: framing, and a comment line every 15 s so that
 * proxies keep an idle stream open. Loop thread only. */
#ifndef VVE_NET_SSE_H
#define VVE_NET_SSE_H

#include "base/view.h"
#include "net/http.h"

/* Turns the exchange into an event stream. The keep-alive ends with it. */
void sse_begin(struct http_exchange *exchange);

/* One event. `id` may be NULL (no id line); `data` is one line or several. One of more than 16
 * MiB breaks the stream off: without it what follows would make no sense. */
void sse_event(struct http_exchange *exchange, const char *id, const char *event,
               struct view data);

/* Ends the stream in order. */
void sse_end(struct http_exchange *exchange);

#endif
