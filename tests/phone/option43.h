// SPDX-License-Identifier: Apache-2.0
// DHCP option 43 as Cisco phones take it after a factory reset: plain code-length-value suboptions
// with all that an enrolment needs.
#pragma once

#include "tests/phone/text.h"

#define OPTION43_LEN_MAX  255 // octets of the whole option: DHCP counts them in one octet
#define OPTION43_TEXT_MAX 207 // octets of server URL and challenge together

// A suboption that is a switch.
enum option43_switch { OPTION43_ABSENT = 0, OPTION43_NO, OPTION43_YES };

struct option43 {
    enum option43_switch fips;             // 10
    char server[OPTION43_TEXT_MAX + 1];    // 11: a URL or a bare address
    struct fingerprint fingerprint;        // 12: of the root, by its length
    bool has_challenge;                    // 13 is there
    char challenge[OPTION43_TEXT_MAX + 1]; // 13, in clear text
    enum option43_switch ieee8021x;        // 14
    enum option43_switch custom_cert;      // 15: yes = custom, no = manufacturer's certificate
};

// Reads the option from hexadecimal digits without separators. Errors: OUTCOME_USAGE with what is
// wrong and where: no digits or an odd number of them, more than OPTION43_LEN_MAX octets, a
// suboption that ends too early, that is there twice or that phones do not know, a wrong length or
// value, texts that are too long together, no server or no fingerprint.
enum outcome option43_parse(const char *hex, struct option43 *ret_option,
                            struct trouble *trouble) MUST_CHECK;
