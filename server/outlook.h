// SPDX-License-Identifier: Apache-2.0
// What will become of a device's present certificate: whether its renewal is due or late, and what
// will make it fail. Servers do not renew by themselves, so theirs is never late, and no renewal
// fails. A pure function over facts: no store, no clock.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ra/store/store.h"

// A phone that has not renewed this long before the end has missed a day of tries (it looks every
// 4 hours in the last 15 days).
#define OUTLOOK_LATE_DAYS 14

enum outlook_state {
    OUTLOOK_OK,      // not due in the time asked about
    OUTLOOK_DUE,     // ends in the time asked about
    OUTLOOK_LATE,    // the phone should have renewed by now
    OUTLOOK_EXPIRED, // ended; the phone has to enrol anew
    OUTLOOK_REVOKED, // nothing signed by it counts
    OUTLOOK_STATE_MAX
};
const char *outlook_state_name(enum outlook_state state); // "ok", "due"...

// Reasons for a renewal to fail; a set of bits.
enum outlook_trouble {
    OUTLOOK_MIC_EXPIRED = 1,  // the MIC that the phone shows is over when it renews
    OUTLOOK_NOT_LISTED = 2,   // the device was removed from the device list
    OUTLOOK_LISTED_OTHER = 4, // the list has another MAC, serial number or model for it
    OUTLOOK_WAS_REVOKED = 8,  // a renewal signed by a revoked certificate is refused
    OUTLOOK_CA_ENDS = 16,     // the CA ends too early for a certificate that a phone can use
    OUTLOOK_TROUBLE_MAX = 32,
};
// One of them in words.
const char *outlook_trouble_text(enum outlook_trouble trouble);

struct outlook_facts {
    const struct store_certificate *certificate; // the device's present one
    int64_t now;
    int64_t within_sec;       // what "due" means
    bool accepts_expired_mic; // some trust store does
    bool asks_list;           // devices.accept = "listed"
    bool is_listed;
    bool is_listed_otherwise; // an entry contradicts what the device is
    int64_t ca_not_after;     // of the CA that would issue
};

struct outlook {
    enum outlook_state state;
    int64_t renews_at; // when the phone begins to try; 0 = a server, which never does
    unsigned troubles; // of enum outlook_trouble
};
struct outlook outlook_of(const struct outlook_facts *facts);
