// SPDX-License-Identifier: Apache-2.0
// The strict reader of CertRep messages (RFC 8894, 3.3.2).
#pragma once

#include "tests/phone/authority.h"
#include "tests/phone/degenerate.h"
#include "tests/phone/request.h"

// RFC 8894, 3.2.1.3 and 3.2.1.4.
enum pki_status { PKI_STATUS_SUCCESS = 0, PKI_STATUS_FAILURE = 2, PKI_STATUS_PENDING = 3 };

#define FAIL_INFO_MAX      4
#define FAIL_INFO_TEXT_LEN 256 // bytes with the final NUL

struct reply {
    enum pki_status status;
    int fail_info;                           // 0 to FAIL_INFO_MAX with FAILURE
    char fail_info_text[FAIL_INFO_TEXT_LEN]; // "" = none
    X509 *cert;                              // with SUCCESS, unless it is
    X509_CRL *crl;                           // a CRL that was asked for
};
// "badAlg" to "badCertId".
const char *fail_info_name(int fail_info);

// What SUCCESS has to bring.
enum wanted {
    WANTED_OWN,  // a certificate for the request's cert_key that chains to the root
    WANTED_CERT, // GetCert: the one certificate of this issuer and serial number
    WANTED_CRL,  // GetCRL: this issuer's CRL
};

// What an answer is checked against.
struct reply_rules {
    const struct authority *authority;
    const struct request *request;
    bool is_legacy; // old server: chunked answers, another cipher or digest than the request's
    enum wanted wanted;
    X509 *issuer;               // WANTED_CERT, WANTED_CRL: signed what is asked for
    const ASN1_INTEGER *serial; // WANTED_CERT
};

// Checks every rule there is for an answer. *ret_reply is to be done with reply_done(). Errors:
// OUTCOME_TROUBLE (no answer, HTTP error), OUTCOME_UNTRUSTED with the rule that is broken.
enum outcome reply_read(const struct http_answer *answer, const struct reply_rules *rules,
                        struct reply *ret_reply, struct trouble *trouble) MUST_CHECK;
void reply_done(struct reply *reply);
