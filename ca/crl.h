// SPDX-License-Identifier: Apache-2.0
// Builds and signs a CRL (RFC 5280, 5): complete, for one CA and all of its certificates; no delta,
// no indirect one, no issuingDistributionPoint. Stateless; any thread.
#pragma once

#include "ca/frame.h"
#include "ca/key.h"

// What a CRL is made of. All borrowed.
struct crl_plan {
    X509 *issuer; // read only
    const struct ca_key *key;
    uint64_t number;                 // cRLNumber
    int64_t now;                     // thisUpdate, seconds since 1970
    uint32_t hours;                  // nextUpdate is so much later
    const struct crl_entry *entries; // listed in this order
    size_t count;
};

// *ret_der (empty before) gets the CRL: version 2, authorityKeyIdentifier (keyIdentifier alone),
// cRLNumber, a list only when there are entries, a reasonCode unless it is unspecified.
// Errors: ERR_LIMIT (more than LIMIT_CRL_ENTRIES, longer than LIMIT_CRL_LEN); ERR_BAD_REQUEST for
// an entry with a serial number that is none of ours, an unknown reason, or a time before 1950 or
// after 9999; ERR_CRYPTO, ERR_NOMEM.
enum err_code crl_build(const struct crl_plan *plan, struct buf *ret_der,
                        struct err *err) MUST_CHECK;
