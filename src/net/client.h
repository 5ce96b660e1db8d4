/* Which client a connection counts as: its TCP peer, or the address that a trusted proxy
 * vouches for. Pure; any thread. */
#ifndef VVE_NET_CLIENT_H
#define VVE_NET_CLIENT_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define CLIENT_NAME_CAP 64

struct client {
    char name[CLIENT_NAME_CAP]; /* "203.0.113.7" or "2001:db8:1:2::/64" */
    bool loopback;              /* the peer is this machine, and no proxy spoke for another */
};

/* One IP address. IPv4 is held as IPv4-mapped IPv6, so that the two ways to write it are one.
 */
struct client_address {
    unsigned char bytes[16];
};

/* False: not an IP address. */
bool client_address_parse(struct view text, struct client_address *address);
bool client_address_of(const struct sockaddr_storage *peer, struct client_address *address);

/* `trusted`: NULL-terminated addresses; may be NULL. */
bool client_trusted(const struct client_address *peer, char *const *trusted);

/* `forwarded`: the X-Forwarded-For lines in their order. They count only if the peer is
 * trusted: then the client is the rightmost address in them that is not trusted itself. If
 * there is none, or something that is no address comes first, it is the peer. `proxied`:
 * somebody says that this request was passed on. */
void client_name(const struct client_address *peer, const struct view *forwarded, size_t count,
                 bool proxied, char *const *trusted, struct client *client);

#endif
