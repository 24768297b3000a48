// SPDX-License-Identifier: Apache-2.0
// Having CRLs made: entries from the store, the signature from scepd-ca, the result back into the
// store, from where it is served.
#pragma once

#include "server/live.h"

enum crl_occasion {
    CRL_WHEN_DUE,   // at half of its life, or when there is none yet, or none since a revocation
    CRL_IN_ANY_CASE // after a revocation
};

// The number of the first CRL in a store that has none of its CA, at `now`: seconds since 2020, at
// least 1. The store may be new and the CA not, and a number must not go back (RFC 5280, 5.2.3):
// whatever stores the CA had before are beneath it, as long as they made fewer than one CRL a
// second.
uint64_t crl_first_number(int64_t now);

// For how long an entry outlives its certificate: whoever has a CRL from before sees it once more.
int64_t crl_keep_sec(struct live *live);

// Makes CRLs of the present CA, of the next one, and of old ones as long as a certificate of theirs
// is valid and for one CRL's life longer. One that cannot be made is logged and does not keep the
// others from being made. Main thread. Errors: the first failure.
enum err_code crl_publish(struct live *live, enum crl_occasion occasion, int64_t now,
                          struct err *err) MUST_CHECK;
