// SPDX-License-Identifier: Apache-2.0
// The state machine of transactions and idempotent repeats (ra/README.md, "Repeats").
#pragma once

#include "ra/decide.h"
#include "ra/pkcs10.h"
#include "ra/store.h"

// SHA-256(transactionID ‖ 00 ‖ signer's SPKI): nobody can ask for another's transaction, and no
// client can choose the length of a key in the store.
void transaction_key(const struct request *request, uint8_t ret_key[SHA256_LEN]);

// What was found about a request's past, and the certificate it is about.
struct transaction_past {
    enum past past;
    struct store_certificate certificate; // PAST_SAME_REQUEST, PAST_SAME_KEY: what to answer with
    bool has_record;                      // an ISSUED record stands under the key...
    uint8_t recorded_serial[SERIAL_LEN];  // ...for this certificate
    bool has_key_record;                  // the key has certificates...
    uint8_t key_serial[SERIAL_LEN];       // ...of which this is the newest
};
void transaction_past_done(struct transaction_past *past);

// The replay window: the first half of the certificate's life, unless it was revoked.
bool transaction_is_replayable(const struct store_certificate *certificate, int64_t now);

// For CertPoll: by transactionID and key alone (RFC 8894, 3.3.3). ret_past->past is
// PAST_SAME_REQUEST or PAST_NONE. *ret_past is empty before and to be done with
// transaction_past_done(). Any thread. Errors: ERR_IO, ERR_NOMEM.
enum err_code transaction_find(struct store *store, const uint8_t key[SHA256_LEN], int64_t now,
                               struct transaction_past *ret_past, struct err *err) MUST_CHECK;

// What a PKCSReq asks for, as far as the past is concerned.
struct transaction_query {
    uint8_t key[SHA256_LEN]; // transaction_key()
    const struct pkcs10 *pkcs10;
    const struct names *names;
    uint8_t challenge_hash[SHA256_LEN]; // keyed hash of the presented challenge; zeroes = none
    bool refuse_duplicates;             // setting phone.duplicate_subject
    int64_t now;
};

// For PKCSReq: by transaction and PKCS#10, then by key (a client that repeats under a new
// transactionID, RFC 8894, 5.2), then by subject. Otherwise as transaction_find().
enum err_code transaction_find_request(struct store *store, const struct transaction_query *query,
                                       struct transaction_past *ret_past,
                                       struct err *err) MUST_CHECK;
