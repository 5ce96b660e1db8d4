/* See client.h. */
#include "net/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const unsigned char mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void set_ipv4(struct client_address *address, const void *ipv4)
{
    memcpy(address->bytes, mapped_prefix, sizeof mapped_prefix);
    memcpy(address->bytes + sizeof mapped_prefix, ipv4, 4);
}

static bool is_ipv4(const struct client_address *address)
{
    return memcmp(address->bytes, mapped_prefix, sizeof mapped_prefix) == 0;
}

bool client_address_parse(struct view text, struct client_address *address)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr ipv4;
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.at, '\0', text.len) != NULL) {
        return false;
    }
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, &ipv4) == 1) {
        set_ipv4(address, &ipv4);
        return true;
    }
    return inet_pton(AF_INET6, copy, address->bytes) == 1;
}

bool client_address_of(const struct sockaddr_storage *peer, struct client_address *address)
{
    if (peer->ss_family == AF_INET) {
        set_ipv4(address, &((const struct sockaddr_in *)(const void *)peer)->sin_addr);
        return true;
    }
    if (peer->ss_family == AF_INET6) {
        memcpy(address->bytes, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr,
               16);
        return true;
    }
    return false;
}

bool client_trusted(const struct client_address *peer, char *const *trusted)
{
    struct client_address proxy;
    for (; trusted != NULL && *trusted != NULL; trusted++) {
        if (client_address_parse(view_of(*trusted), &proxy) &&
            memcmp(proxy.bytes, peer->bytes, sizeof proxy.bytes) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_loopback(const struct client_address *address)
{
    static const unsigned char loopback[16] = {[15] = 1};
    return is_ipv4(address) ? address->bytes[12] == 127
                            : memcmp(address->bytes, loopback, sizeof loopback) == 0;
}

static void write_name(const struct client_address *address, char name[CLIENT_NAME_CAP])
{
    if (is_ipv4(address)) {
        inet_ntop(AF_INET, address->bytes + 12, name, CLIENT_NAME_CAP);
        return;
    }
    char text[INET6_ADDRSTRLEN];
    struct client_address network = *address;
    memset(network.bytes + 8, 0, 8);
    inet_ntop(AF_INET6, network.bytes, text, sizeof text);
    snprintf(name, CLIENT_NAME_CAP, "%s/64", text);
}

/* Takes the last comma-separated item off `list`. */
static struct view take_last(struct view *list)
{
    size_t begin = list->len;
    while (begin > 0 && list->at[begin - 1] != ',') {
        begin--;
    }
    struct view item = {list->at + begin, list->len - begin};
    list->len = begin > 0 ? begin - 1 : 0;
    while (item.len > 0 && (item.at[0] == ' ' || item.at[0] == '\t')) {
        item = (struct view){item.at + 1, item.len - 1};
    }
    while (item.len > 0 && (item.at[item.len - 1] == ' ' || item.at[item.len - 1] == '\t')) {
        item.len--;
    }
    return item;
}

/* False: nobody but the peer can be named. */
static bool find_forwarded(const struct view *forwarded, size_t count, char *const *trusted,
                           struct client_address *found)
{
    while (count > 0) {
        struct view line = forwarded[--count];
        while (line.len > 0) {
            if (!client_address_parse(take_last(&line), found)) {
                return false;
            }
            if (!client_trusted(found, trusted)) {
                return true;
            }
        }
    }
    return false;
}

void client_name(const struct client_address *peer, const struct view *forwarded, size_t count,
                 bool proxied, char *const *trusted, struct client *client)
{
    struct client_address found;
    bool other =
        client_trusted(peer, trusted) && find_forwarded(forwarded, count, trusted, &found);
    write_name(other ? &found : peer, client->name);
    client->loopback = is_loopback(peer) && !proxied && count == 0;
}
