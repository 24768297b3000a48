// SPDX-License-Identifier: Apache-2.0
#include "server/web/host.h"

#include <string.h>
#include <strings.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#define NAME_LEN     64 // bytes with NUL of what can be one of ours
#define LOOPBACK_NET 127

// An address of either family; IPv4 as IPv6 sees it.
static bool read_address(const char *text, struct in6_addr *ret_address)
{
    struct in_addr v4;
    if (inet_pton(AF_INET6, text, ret_address) == 1) {
        return true;
    }
    if (inet_pton(AF_INET, text, &v4) != 1) {
        return false;
    }
    *ret_address = (struct in6_addr)IN6ADDR_ANY_INIT;
    ret_address->s6_addr[10] = 0xFF;
    ret_address->s6_addr[11] = 0xFF;
    memcpy(&ret_address->s6_addr[12], &v4, sizeof v4);
    return true;
}

static bool is_loopback(const struct in6_addr *address)
{
    return IN6_IS_ADDR_LOOPBACK(address) ||
           (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == LOOPBACK_NET);
}

static bool is_local(const struct in6_addr *address, const struct sockaddr *local)
{
    struct in6_addr own = IN6ADDR_ANY_INIT;
    if (local == NULL) {
        return false;
    }
    if (local->sa_family == AF_INET6) {
        memcpy(&own, &((const struct sockaddr_in6 *)(const void *)local)->sin6_addr, sizeof own);
    } else if (local->sa_family == AF_INET) {
        own.s6_addr[10] = 0xFF;
        own.s6_addr[11] = 0xFF;
        memcpy(&own.s6_addr[12], &((const struct sockaddr_in *)(const void *)local)->sin_addr,
               sizeof(struct in_addr));
    } else {
        return false;
    }
    return memcmp(&own, address, sizeof own) == 0;
}

// Without port and brackets.
static bool read_name(const char *host, char name[NAME_LEN])
{
    bool is_bracketed = host[0] == '[';
    const char *from = is_bracketed ? host + 1 : host;
    size_t len = strcspn(from, is_bracketed ? "]" : ":");
    const char *rest = from + len + (is_bracketed && from[len] == ']' ? 1 : 0);
    bool has_port = rest[0] == ':' && strspn(rest + 1, "0123456789") == strlen(rest + 1);
    if (len == 0 || len >= NAME_LEN || (rest[0] != '\0' && !has_port) ||
        (is_bracketed && from[len] != ']')) {
        return false;
    }
    memcpy(name, from, len);
    name[len] = '\0';
    return true;
}

bool host_is_ours(const char *host, const struct sockaddr *local)
{
    char name[NAME_LEN];
    struct in6_addr address;
    if (host == NULL || !read_name(host, name)) {
        return false;
    }
    if (strcasecmp(name, "localhost") == 0) {
        return true;
    }
    return read_address(name, &address) && (is_loopback(&address) || is_local(&address, local));
}
