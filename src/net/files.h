/* The built page, served from memory-mapped files that were listed once at start, so no request
 * ever names a path on disk. Picks `.br` or `.gz` beside a file by Accept-Encoding. Loop thread
 * only. */
#ifndef VVE_NET_FILES_H
#define VVE_NET_FILES_H

#include "base/err.h"
#include "net/http.h"

#include <stdbool.h>

struct files;

/* Maps every file below `root`. Fails when there is no index.html in it. */
struct files *files_open(const char *root, struct err *err);
void files_close(struct files *files); /* accepts NULL */

/* Answers GET and HEAD for a known file: ETag and 304, /assets/<file> immutable for a year, the
 * rest no-cache. "/" and "/r/<anything>" give index.html. False: no such file, nothing was
 * answered. */
bool files_serve(const struct files *files, struct http_exchange *exchange);

#endif
