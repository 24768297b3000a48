// SPDX-License-Identifier: Apache-2.0
// The state machine of transactions and idempotent repeats (ra/README.md, "Repeats").
#pragma once

#include "ra/decide.h"
#include "ra/pkcs10.h"
#include "ra/store.h"

// SHA-256(transactionID ‖ 00 ‖ signer's SPKI): nobody can ask for another's transaction.
void transaction_key(const struct request *request, uint8_t ret_key[SHA256_LEN]);

// What was found about a request's past, and the certificate it is about.
struct transaction_past {
    enum past past;
    struct store_certificate certificate; // PAST_SAME_REQUEST, PAST_SAME_KEY: what to answer with
    bool has_record;                      // an ISSUED record stands under the key...
    uint8_t recorded_serial[SERIAL_LEN];  // ...for this certificate
};

// Half of the certificate's life, and not revoked: until then repeats get the same certificate.
bool transaction_is_replayable(const struct store_certificate *certificate, int64_t now);

// CertPoll: by transactionID and key alone. ret_past->past is PAST_SAME_REQUEST or PAST_NONE.
enum err_code transaction_find(struct store *store, const uint8_t key[SHA256_LEN], int64_t now,
                               struct transaction_past *ret_past, struct err *err) MUST_CHECK;

// PKCSReq: by transaction and PKCS#10, then by key (a client that repeats under a new
// transactionID), then by subject. `challenge_hash` is that of the presented challenge.
// Errors: ERR_IO, ERR_NOMEM.
struct names;
enum err_code transaction_find_request(struct store *store, const uint8_t key[SHA256_LEN],
                                       const struct pkcs10 *pkcs10, const struct names *names,
                                       const uint8_t challenge_hash[SHA256_LEN],
                                       bool refuse_duplicates, int64_t now,
                                       struct transaction_past *ret_past,
                                       struct err *err) MUST_CHECK;
void transaction_past_done(struct transaction_past *past);
