// SPDX-License-Identifier: Apache-2.0
// CertRep octets (RFC 8894, 3.3.2), always DER. Both processes make them: scepd with the RA's key,
// scepd-ca with its own when the CA itself answers (scep.topology = "direct").
#pragma once

#include "conf/base/ossl.h"
#include "conf/limits.h"

// RFC 8894, 3.2.1.3.
enum certrep_status { CERTREP_SUCCESS = 0, CERTREP_FAILURE = 2, CERTREP_PENDING = 3 };

// RFC 8894, 3.2.1.4.
enum fail_info {
    FAIL_INFO_BAD_ALG = 0,
    FAIL_INFO_BAD_MESSAGE_CHECK = 1,
    FAIL_INFO_BAD_REQUEST = 2,
    FAIL_INFO_BAD_TIME = 3,
    FAIL_INFO_BAD_CERT_ID = 4,
};
const char *fail_info_name(enum fail_info fail_info); // "badAlg"...

#define FAIL_INFO_TEXT_LEN 200 // octets at most, UTF-8; it travels in clear
#define CERTREP_CERTS_MAX  2   // the one asked for, and the issuing CA's

// The longest start of `text` that may be one and ends with a whole character; NULL gives the empty
// view. Borrows.
struct view fail_info_clip(const char *text);

// What to answer; everything is borrowed.
struct certrep {
    enum certrep_status status;
    struct view transaction_id;  // the request's octets
    struct view recipient_nonce; // the request's senderNonce
    int digest_nid;              // of the signature; NID_undef = SHA-256
    // CERTREP_SUCCESS: sealed for `recipient`, the signer of the request, with `cipher_nid`.
    // Either certificates, the one asked for first, or one CRL.
    X509 *recipient;
    int cipher_nid;
    struct view certificates[CERTREP_CERTS_MAX]; // DER
    unsigned certificate_count;
    struct view crl; // DER; empty = none
    // CERTREP_FAILURE.
    enum fail_info fail_info;
    const char *fail_info_text; // NULL = none
};

// Encodes, seals and signs. FAILURE and PENDING have no envelope and no content at all. senderNonce
// is fresh. *ret_der is empty before. Errors: ERR_BAD_ALG when the recipient's key cannot receive
// or the cipher is not there; ERR_CRYPTO, ERR_NOMEM.
enum err_code certrep_encode(const struct certrep *certrep, X509 *signer, EVP_PKEY *signer_key,
                             struct buf *ret_der, struct err *err) MUST_CHECK;
