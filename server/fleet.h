// SPDX-License-Identifier: Apache-2.0
// The fleet at a glance: how many devices there are and how they stand, when their certificates
// end, and how the CA and the store are. The one source of /v1/fleet, /metrics and the web page.
// Of phones only keys of the store are looked at, and servers are few; where there are many devices
// the result is kept for some seconds, so that who asks often does not load the server.
#pragma once

#include "ra/store/store.h"
#include "server/refusals.h"

#define FLEET_BUCKETS     9
#define FLEET_LATELY_DAYS 30    // a server whose certificate is over for longer is probably gone
#define FLEET_SMALL       10000 // devices that are counted anew for everybody who asks: 0.2 ms
#define FLEET_KEEP_SEC    10    // for more of them a count is good for so long: 50 ms for a million

// Devices by the end of their present certificate: from `from` to before `until`; INT64_MIN and
// INT64_MAX are no bound. Revoked ones are in the first bucket only, when they are over.
struct fleet_bucket {
    int64_t from;
    int64_t until;
    uint64_t count;
};

// Servers' present certificates, which nothing renews by itself.
struct fleet_servers {
    uint64_t valid;
    uint64_t expired;
    uint64_t expired_lately; // of these, not more than FLEET_LATELY_DAYS ago
    uint64_t revoked;
    int64_t next_not_after;         // of the valid ones, the first to end; 0 = there is none
    char next_name[STORE_NAME_LEN]; // its common name
};

// Times are seconds since 1970. Every device is one of ok, due, late, expired, revoked
// (server/outlook.h says what that is), but a revoked certificate that is over counts as expired.
struct fleet {
    int64_t as_of; // 0 = never computed
    uint64_t enrolled;
    uint64_t ok;
    uint64_t due;
    uint64_t late;
    uint64_t expired;
    uint64_t revoked;
    struct fleet_bucket expiry[FLEET_BUCKETS]; // past, up to 15, 30, 60, 90, 180, 365, 730 days, on
    struct fleet_servers servers;
    struct store_counts store;
    struct refusals_day refused;
    // The CRL of the present CA.
    bool has_crl;
    uint64_t crl_number;
    uint32_t crl_entries;
    int64_t crl_this_update;
    int64_t crl_next_update;
    // Ends of certificates; 0 = cannot be read.
    int64_t ra_not_after;
    int64_t issuing_not_after;
    int64_t root_not_after;
};

struct live;
// The fleet at `now`, or as it was when it was last counted (`as_of`). *ret_fleet stays `live`'s
// and as it is until the next call. Main thread. Errors: ERR_IO, ERR_NOMEM, ERR_BUSY.
enum err_code fleet_get(struct live *live, int64_t now, const struct fleet **ret_fleet,
                        struct err *err) MUST_CHECK;
