/* Where a peer listens: "unix:/path" or "tcp://host:port", taken apart. Pure. */
#ifndef VVE_BASE_ADDRESS_H
#define VVE_BASE_ADDRESS_H

#include "base/err.h"

#include <stdbool.h>

struct address {
    char path[108]; /* "" for TCP */
    char host[256];
    int port;
};

bool address_parse(const char *text, struct address *address, struct err *err);

#endif
