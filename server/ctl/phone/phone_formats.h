// SPDX-License-Identifier: Apache-2.0
// Option 43 as DHCP servers want it: hexadecimal, the text of Cisco Network Registrar, and ready
// configuration for ISC dhcpd, Kea and dnsmasq.
#pragma once

#include "server/phone/option43.h"

#define PHONE_FORMATS       "hex, cnr, isc, kea or dnsmasq"
#define PHONE_FORMAT_CHOICE "hex|cnr|isc|kea|dnsmasq"

struct phone_format_input {
    const struct option43 *option;
    const struct option43_octets *octets; // the same, encoded
    const char *domain;                   // option 15; NULL = none
};

struct phone_format {
    const char *name;
    bool has_classes; // it has option 60 and 15, too
    // Appends the text, with a line end, to *out. Errors: ERR_SYNTAX (the format cannot say this),
    // ERR_NOMEM.
    enum err_code (*write)(const struct phone_format_input *input, struct buf *out,
                           struct err *err);
};

// The format of that name. Errors: ERR_SYNTAX with those that are allowed.
enum err_code phone_format_find(const char *name, const struct phone_format **ret_format,
                                struct err *err) MUST_CHECK;
// Option 60 of the phones that take option 43; NULL at the end. Static.
const char *const *phone_format_models(void);
