// SPDX-License-Identifier: Apache-2.0
// A request that has to wait for an administrator: the record of it.
#pragma once

#include "conf/settings.h"
#include "ra/names.h"
#include "ra/pkcs10.h"
#include "ra/signer.h"
#include "ra/store/store.h"

// What is known of the request; everything is borrowed.
struct pending_request {
    const uint8_t *transaction_key; // SHA256_LEN octets
    const struct pkcs10 *pkcs10;    // without a challengePassword: it is stored whole
    const struct names *names;
    const struct signer *signer;
    const uint8_t *issuer; // SHA256_LEN octets: the CA that shall issue
    const char *source;    // the address it came from
    uint32_t expiry_days;
    int64_t now;
};

// The record to be written. Done with store_pending_done(). Errors: ERR_INTERNAL when there is a
// challengePassword, ERR_NOMEM.
enum err_code pending_make(const struct pending_request *request, struct store_pending *ret_pending,
                           struct err *err) MUST_CHECK;
