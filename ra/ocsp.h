// SPDX-License-Identifier: Apache-2.0
// The OCSP responder (RFC 6960, in the profile of RFC 5019): what the store knows of a certificate,
// signed by a delegated signer of its CA (RFC 6960, 2.6). Signers' keys are made here, live in
// memory only, and get short certificates from scepd-ca.
#pragma once

#include "ca/client.h"
#include "conf/generations.h"
#include "ra/store/store.h"

#define OCSP_REQUEST_LEN 4096 // octets; one question has about 80
#define OCSP_ENTRIES_MAX 16   // questions in one request
#define OCSP_VALID_SEC   3600 // nextUpdate is so long after thisUpdate

struct ocsp;

// Without signers: all questions are answered tryLater. Errors: ERR_NOMEM.
enum err_code ocsp_new(struct ocsp **ret_ocsp, struct err *err) MUST_CHECK;
// NULL is fine.
void ocsp_free(struct ocsp *ocsp);

// Makes what is missing: a signer for each CA that has none, or one in the second half of its life.
// One that cannot be had does not keep the others from being made, and the old one goes on until
// its end. Signers of CAs that are no more are forgotten. Main thread. Errors: those of
// ca_client_issue(), ERR_PROTOCOL for a certificate that could not serve, ERR_CRYPTO, ERR_NOMEM:
// the first failure, which names its CA.
enum err_code ocsp_renew(struct ocsp *ocsp, const struct generations *generations,
                         struct ca_client *ca, int64_t now, struct err *err) MUST_CHECK;

struct ocsp_answer {
    struct buf der;      // an OCSPResponse; owned
    int64_t max_age_sec; // how long it may be kept; 0 = not at all
    const char *trouble; // NULL = successful; else as RFC 6960, 4.2.1, names it: "tryLater"
};

// Answers a request (DER, at most OCSP_REQUEST_LEN octets). Every certificate that the CA asked for
// issued to a phone or server and that the store has is `good` or `revoked`, others are `unknown`;
// a nonce of 1 to 32 octets (RFC 8954) is sent back. All questions of a request are for one CA;
// those for another are answered unknown. malformedRequest, unauthorized (none of our CAs),
// tryLater (no signer, store busy) and internalError are answers, too. Any thread; costs look-ups
// and one ECDSA signature. Errors: ERR_NOMEM, ERR_CRYPTO when not even these can be made.
enum err_code ocsp_answer(struct ocsp *ocsp, struct store *store, struct view request, int64_t now,
                          struct ocsp_answer *ret_answer, struct err *err) MUST_CHECK;
