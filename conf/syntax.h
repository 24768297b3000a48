// SPDX-License-Identifier: Apache-2.0
// The few syntaxes that values of settings have beyond their type. Any thread.
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "conf/base/err.h"

union syntax_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

// "ADDR:PORT" with an IPv4 address, or "[ADDR]:PORT" with an IPv6 one; decimal port, 0 to 65535.
// `any.sa_family` tells which. Errors: ERR_SYNTAX with what is wrong.
enum err_code syntax_listen(const char *text, union syntax_address *ret_address,
                            struct err *err) MUST_CHECK;
// An absolute http:// URL with a host and no space, control character or quote. Behind the host
// "{ca}" may be in it once (generation_expand()), with which it has at most LIMIT_NAME_VALUE
// octets. No https: who checks a certificate would need another one checked first. Errors:
// ERR_SYNTAX.
enum err_code syntax_url(const char *text, struct err *err) MUST_CHECK;
// A path that is served here: it begins with "/", has no space, '?', '#' or '%' (it is compared
// with what an HTTP library has decoded), and "{ca}" and length are as above. Errors: ERR_SYNTAX.
enum err_code syntax_url_path(const char *text, struct err *err) MUST_CHECK;
// A DNS name: labels of 1 to 63 letters, digits and hyphens, none of these at an end, 253 octets
// at most in all, no final dot. Errors: ERR_SYNTAX.
enum err_code syntax_domain(const char *text, struct err *err) MUST_CHECK;
// 1 to SCHEMA_LABEL_LEN printable ASCII characters. Errors: ERR_SYNTAX.
enum err_code syntax_label(const char *text, struct err *err) MUST_CHECK;
// The text begins with a URI scheme ("file:", "pkcs11:"), so it is not a path.
bool syntax_is_uri(const char *text);
// The path in a file: URI (borrows), NULL when `text` is a URI of another scheme or names another
// host. A text that is no URI is its own path.
const char *syntax_key_path(const char *text);
// The URI has a PIN in it, which would be shown wherever the URI is.
bool syntax_has_pin(const char *text);
