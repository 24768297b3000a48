// SPDX-License-Identifier: Apache-2.0
// The server's address as it is written into a phone's configuration (CDC_Server): a bare address
// or a URL.
#pragma once

#include <stdbool.h>

#include "conf/base/err.h"

#define PHONE_URL_LEN  600 // bytes of a complete URL with NUL
#define PHONE_HOST_LEN 256 // bytes with NUL

// Where RFC 8894 (4.1) has clients ask when they were told nothing else.
#define PHONE_DEFAULT_PATH "/cgi-bin/pkiclient.exe"

struct phone_address {
    char scheme[16];           // "http" when none was given
    char host[PHONE_HOST_LEN]; // without brackets
    bool has_scheme;
    bool has_path;
    bool is_ip;              // an address and no name
    char url[PHONE_URL_LEN]; // to ask: with scheme and path; PHONE_DEFAULT_PATH when none was given
};

// Takes `given` apart: "10.79.57.91", "[2001:db8::1]:8080", "http://scep.example.com/scep". Schemes
// are for the caller to judge. Errors: ERR_SYNTAX for what is neither address nor URL and for
// URLs with user, query or fragment; ERR_LIMIT.
enum err_code phone_address_read(const char *given, struct phone_address *ret_address,
                                 struct err *err) MUST_CHECK;
