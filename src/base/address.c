/* See address.h. */
#include "base/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_tcp(const char *text, struct address *address)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon != NULL ? (size_t)(colon - text) : 0;
    if (len == 0 || len >= sizeof address->host) {
        return false;
    }
    char *end;
    long port = strtol(colon + 1, &end, 10);
    if (colon[1] == '\0' || *end != '\0' || port < 1 || port > 65535) {
        return false;
    }
    if (text[0] == '[' && text[len - 1] == ']') { /* IPv6 */
        text++;
        len -= 2;
    }
    memcpy(address->host, text, len);
    address->port = (int)port;
    return true;
}

bool address_parse(const char *text, struct address *address, struct err *err)
{
    *address = (struct address){0};
    bool ok = false;
    if (strncmp(text, "unix:/", 6) == 0) {
        int len = snprintf(address->path, sizeof address->path, "%s", text + 5);
        ok = len > 0 && (size_t)len < sizeof address->path;
    } else if (strncmp(text, "tcp://", 6) == 0) {
        ok = parse_tcp(text + 6, address);
    }
    return ok || err_set(err, "bad_address",
                         "\"%.100s\" is neither unix:/path nor tcp://host:port.", text);
}
