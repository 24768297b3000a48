// SPDX-License-Identifier: Apache-2.0
// What a phone keeps of a request that is not decided yet, and polling with it (RFC 8894, 3.3.3
// and 4.4).
#pragma once

#include "tests/phone/session.h"

struct ticket {
    struct credential by;         // signed the request
    EVP_PKEY *cert_key;           // in its PKCS#10
    X509_NAME *subject;           // of its PKCS#10
    struct octets transaction_id; // text
};

// Takes references and copies.
struct ticket ticket_make(const struct request *request, X509_REQ *csr);
void ticket_done(struct ticket *ticket);

// Files of a folder: key.pem, signer.pem, signer-key.pem, subject.der, transaction. Errors:
// OUTCOME_TROUBLE.
enum outcome ticket_save(const struct ticket *ticket, const char *folder,
                         struct trouble *trouble) MUST_CHECK;
enum outcome ticket_load(const char *folder, struct ticket *ret_ticket,
                         struct trouble *trouble) MUST_CHECK;

// Sends CertPoll, and again every TICKET_INTERVAL_MS while the answer is PENDING or HTTP 503, until
// `wait_sec` are over (0 = once). Errors: those of exchange_read(); OUTCOME_PENDING when the time
// is over.
#define TICKET_INTERVAL_MS 1000 // what a server need not take for a flood
enum outcome ticket_poll(const struct session *session, const struct ticket *ticket,
                         unsigned long wait_sec, X509 **ret_cert,
                         struct trouble *trouble) MUST_CHECK;
