// SPDX-License-Identifier: Apache-2.0
// Phones compare the address of the server they reach with what DNS says of the name in its
// certificate: so does this, before there is a certificate.
#pragma once

#include <arpa/inet.h>

#include "conf/base/attributes.h"
#include "conf/base/err.h"

#define DNS_ADDRESSES_MAX 16
#define DNS_TEXT_LEN      (DNS_ADDRESSES_MAX * (INET6_ADDRSTRLEN + 2))

struct dns_addresses {
    char list[DNS_ADDRESSES_MAX][INET6_ADDRSTRLEN];
    unsigned count;
};

// Finds the addresses of a host, each once, at most DNS_ADDRESSES_MAX. Errors: ERR_NOT_FOUND with
// the resolver's words.
typedef enum err_code dns_lookup(const char *host, struct dns_addresses *ret_addresses,
                                 struct err *err);
// The machine's own resolver (getaddrinfo).
enum err_code dns_lookup_system(const char *host, struct dns_addresses *ret_addresses,
                                struct err *err) MUST_CHECK;

// Whether `host` has addresses and, unless `address` is NULL, that one among them. *ret_addresses
// says which it has. Errors: ERR_SYNTAX (`address` is no IP address), ERR_NOT_FOUND,
// ERR_CONFLICT (another address).
struct dns_question {
    const char *host;
    const char *address; // IPv4 or IPv6; NULL = any will do
    dns_lookup *lookup;
};
enum err_code dns_check(const struct dns_question *question, struct dns_addresses *ret_addresses,
                        struct err *err) MUST_CHECK;
// "192.0.2.1, 192.0.2.2". Returns `text`.
const char *dns_format(const struct dns_addresses *addresses, char text[DNS_TEXT_LEN]);
