// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/servers/dns_check.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

DEFINE_CLEANUP(struct addrinfo *, freeaddrinfo);

static bool has(const struct dns_addresses *addresses, const char *address)
{
    for (unsigned i = 0; i < addresses->count; i++) {
        if (strcmp(addresses->list[i], address) == 0) {
            return true;
        }
    }
    return false;
}

static void add(struct dns_addresses *addresses, const struct addrinfo *info)
{
    char text[NI_MAXHOST];
    if (addresses->count >= DNS_ADDRESSES_MAX ||
        getnameinfo(info->ai_addr, info->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) !=
            0 ||
        strlen(text) >= INET6_ADDRSTRLEN || has(addresses, text)) {
        return;
    }
    memcpy(addresses->list[addresses->count++], text, strlen(text) + 1);
}

enum err_code dns_lookup_system(const char *host, struct dns_addresses *ret_addresses,
                                struct err *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    CLEANUP(cleanup_freeaddrinfo) struct addrinfo *found = NULL;
    int problem = getaddrinfo(host, NULL, &hints, &found);
    if (problem != 0) {
        return err_set(err, ERR_NOT_FOUND, "%s has no address: %s", host, gai_strerror(problem));
    }
    *ret_addresses = (struct dns_addresses){0};
    for (const struct addrinfo *info = found; info != NULL; info = info->ai_next) {
        add(ret_addresses, info);
    }
    return ERR_OK;
}

// The one way an address is written in which it is compared.
static bool normalise(const char *address, char text[INET6_ADDRSTRLEN])
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address, &v4) == 1) {
        return inet_ntop(AF_INET, &v4, text, INET6_ADDRSTRLEN) != NULL;
    }
    return inet_pton(AF_INET6, address, &v6) == 1 &&
           inet_ntop(AF_INET6, &v6, text, INET6_ADDRSTRLEN) != NULL;
}

enum err_code dns_check(const struct dns_question *question, struct dns_addresses *ret_addresses,
                        struct err *err)
{
    char wanted[INET6_ADDRSTRLEN] = "";
    char text[DNS_TEXT_LEN];
    if (question->address != NULL && !normalise(question->address, wanted)) {
        return err_set(err, ERR_SYNTAX, "\"%.64s\" is not an IPv4 or IPv6 address",
                       question->address);
    }
    enum err_code code = question->lookup(question->host, ret_addresses, err);
    if (code != ERR_OK) {
        return code;
    }
    if (question->address != NULL && !has(ret_addresses, wanted)) {
        return err_set(err, ERR_CONFLICT,
                       "%s has the address %s, not %s; phones refuse a server whose name leads "
                       "elsewhere",
                       question->host, dns_format(ret_addresses, text), wanted);
    }
    return ERR_OK;
}

const char *dns_format(const struct dns_addresses *addresses, char text[DNS_TEXT_LEN])
{
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < addresses->count; i++) {
        int len = snprintf(text + used, DNS_TEXT_LEN - used, "%s%s", i > 0 ? ", " : "",
                           addresses->list[i]);
        used += len > 0 ? (size_t)len : 0;
    }
    return text;
}
