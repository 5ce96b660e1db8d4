/* See origin.h. */
#include "net/origin.h"

#include "net/client.h"

#include <stddef.h>
#include <strings.h>

static bool ends_with(struct view v, const char *end)
{
    size_t len = strlen(end);
    return v.len > len && memcmp(v.at + v.len - len, end, len) == 0;
}

static struct view without_port(struct view host, const char *port)
{
    if (ends_with(host, port)) {
        host.len -= strlen(port);
    }
    return host;
}

bool origin_is_same(const char *origin, struct view host)
{
    static const struct {
        const char *scheme;
        const char *port;
    } schemes[] = {{"http://", ":80"}, {"https://", ":443"}};
    struct view v = view_of(origin);
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (view_starts(v, schemes[i].scheme)) {
            size_t skip = strlen(schemes[i].scheme);
            struct view a =
                without_port((struct view){v.at + skip, v.len - skip}, schemes[i].port);
            struct view b = without_port(host, schemes[i].port);
            return a.len > 0 && a.len == b.len && strncasecmp(a.at, b.at, a.len) == 0;
        }
    }
    return false;
}

/* What a '*' stands for cannot leave the label that it is in. */
static bool fits(const char *origin, const char *pattern)
{
    const char *star = strchr(pattern, '*');
    if (star == NULL) {
        return strcmp(origin, pattern) == 0;
    }
    size_t before = (size_t)(star - pattern);
    size_t behind = strlen(star + 1);
    size_t len = strlen(origin);
    return len > before + behind && strncmp(origin, pattern, before) == 0 &&
           strcmp(origin + len - behind, star + 1) == 0 &&
           strspn(origin + before, "abcdefghijklmnopqrstuvwxyz0123456789-") >=
               len - before - behind;
}

bool origin_is_allowed(const char *origin, char *const *allowed)
{
    for (; allowed != NULL && *allowed != NULL; allowed++) {
        if (fits(origin, *allowed)) {
            return true;
        }
    }
    return false;
}

/* Takes the port off, if there is one. Not for an IPv6 address without brackets. */
static struct view host_name(struct view host)
{
    size_t len = host.len;
    while (len > 0 && host.at[len - 1] >= '0' && host.at[len - 1] <= '9') {
        len--;
    }
    if (len > 0 && host.at[len - 1] == ':') {
        host.len = len - 1;
    }
    return host;
}

bool origin_host_is_own(struct view host)
{
    static const char localhost[] = "localhost";
    struct client_address address;
    struct view name = host_name(host);
    if (host.len == 0) {
        return true;
    }
    if (name.len > 2 && name.at[0] == '[' && name.at[name.len - 1] == ']') {
        struct view inside = {name.at + 1, name.len - 2};
        return memchr(inside.at, ':', inside.len) != NULL &&
               client_address_parse(inside, &address);
    }
    return (name.len == sizeof localhost - 1 &&
            strncasecmp(name.at, localhost, name.len) == 0) ||
           (memchr(name.at, ':', name.len) == NULL && client_address_parse(name, &address));
}
