// SPDX-License-Identifier: Apache-2.0
// The state machine of transactions and idempotent repeats (ra/README.md, "Repeats").
#pragma once

#include "ra/decide.h"
#include "ra/pkcs10.h"
#include "ra/store/store.h"

// SHA-256(transactionID ‖ 00 ‖ signer's SPKI): nobody can ask for another's transaction, and no
// client can choose the length of a key in the store.
void transaction_key(const struct request *request, uint8_t ret_key[SHA256_LEN]);

// What was found about a request's past, and what it is about.
struct transaction_past {
    enum past past;
    struct store_certificate certificate; // PAST_SAME_REQUEST, PAST_SAME_KEY: what to answer with
    struct store_pending pending;         // PAST_PENDING, PAST_PENDING_OTHER, PAST_APPROVED
    bool has_record;                      // an ISSUED record stands under the key...
    uint8_t recorded_serial[SERIAL_LEN];  // ...for this certificate
    bool has_key_record;                  // the PKCS#10's key has certificates...
    uint8_t key_serial[SERIAL_LEN];       // ...of which this is the newest
};
void transaction_past_done(struct transaction_past *past);

// The replay window: the first half of the certificate's life, unless it was revoked.
bool transaction_is_replayable(const struct store_certificate *certificate, int64_t now);

// For CertPoll: by transactionID and key alone (RFC 8894, 3.3.3). ret_past->past is
// PAST_SAME_REQUEST, PAST_PENDING, PAST_APPROVED, PAST_DENIED or PAST_NONE; what waits is found by
// the class of signer that asked for it, or by one that is not trusted any more, only. *ret_past is
// empty before and to be done with transaction_past_done(). Any thread. Errors: ERR_IO, ERR_NOMEM,
// ERR_BUSY.
struct transaction_poll {
    uint8_t key[SHA256_LEN]; // transaction_key()
    enum signer_class signer_class;
    int64_t now;
};
enum err_code transaction_find(struct store *store, const struct transaction_poll *poll,
                               struct transaction_past *ret_past, struct err *err) MUST_CHECK;

// What a PKCSReq or RenewalReq asks for, as far as the past is concerned; everything is borrowed.
struct transaction_query {
    uint8_t key[SHA256_LEN]; // transaction_key()
    const struct pkcs10 *pkcs10;
    const struct names *names;
    const char *common_name; // the certificate's when the PKCS#10 has none; "" = unknown
    const char *mac;         // of the signer's device; "" = unknown
    enum signer_class signer_class;
    uint8_t signer_serial[SERIAL_LEN];  // SIGNER_OURS: of the certificate that signed
    uint8_t challenge_hash[SHA256_LEN]; // keyed hash of the presented challenge; zeroes = none
    bool refuse_duplicates; // setting phone.duplicate_subject; counts for SIGNER_SELF_SIGNED
    int64_t now;
};

// By transaction and PKCS#10, then by key (a client that repeats under a new transactionID, RFC
// 8894, 5.2), then by subject. Transaction IDs are often made from the signer's key and so come
// again with a renewal: a signer with a certificate repeats only what was issued to that very
// signer for the same PKCS#10, and everything else is a new request that replaces the record.
// Otherwise as transaction_find().
enum err_code transaction_find_request(struct store *store, const struct transaction_query *query,
                                       struct transaction_past *ret_past,
                                       struct err *err) MUST_CHECK;

// For a poll that found PAST_APPROVED: looks at the key again, which may have been certified while
// the request waited (PAST_FOREIGN_KEY). Otherwise as transaction_find_request().
enum err_code transaction_check_approved(struct store *store, const struct transaction_query *query,
                                         struct transaction_past *past, struct err *err) MUST_CHECK;
