// SPDX-License-Identifier: Apache-2.0
// Builds and signs a whole TBSCertificate (RFC 5280, 4.1). Nothing the other side encoded is
// signed: key and names are decoded, checked and encoded anew.
#pragma once

#include "ca/key.h"
#include "ca/profile.h"
#include "conf/csr_parse.h"

// What a certificate is made of. All borrowed.
struct issue {
    X509 *issuer; // read only; the subject and the validity of the CA
    const struct ca_key *key;
    const struct profile *profile;
    const struct csr *csr; // checked by csr_read()
    const struct issue_order *order;
    int64_t now; // seconds since 1970
};

// Issues. Caller frees *ret_cert. Errors: ERR_BAD_REQUEST for names that are not allowed, among
// them any name in an order for a profile that has its own subject; ERR_CONFIG when the CA
// certificate is not valid now; ERR_CRYPTO.
enum err_code issue_certificate(const struct issue *issue, X509 **ret_cert,
                                struct err *err) MUST_CHECK;

// When a certificate is valid, and what limits that. All in seconds.
struct issue_window {
    int64_t now;
    int64_t validity_sec;     // as the profile says
    int64_t jitter_sec;       // drawn for this certificate
    int64_t max_validity_sec; // as the order says; 0 = no limit
    int64_t issuer_not_before;
    int64_t issuer_not_after;
};
// notBefore is BACKDATE_SEC before now, notAfter now + validity - jitter; neither goes beyond the
// issuer's or the order's limit. Errors: ERR_CONFIG when the issuer is not valid now.
enum err_code issue_choose_validity(const struct issue_window *window, int64_t *ret_not_before,
                                    int64_t *ret_not_after, struct err *err) MUST_CHECK;

// Uniformly random from 0 to `most`, both included. Errors: ERR_CRYPTO.
enum err_code issue_random_up_to(uint64_t most, uint64_t *ret_value, struct err *err) MUST_CHECK;

// Steps that ceremony.c shares. Version 3, a serial number of SERIAL_LEN random octets of which the
// first is 01 to 7F, and the validity (UTCTime to 2049, GeneralizedTime from 2050). Errors:
// ERR_CRYPTO.
enum err_code issue_set_frame(X509 *cert, int64_t not_before, int64_t not_after,
                              struct err *err) MUST_CHECK;
// A certificate's time in seconds since 1970. Errors: ERR_SYNTAX.
enum err_code issue_time_of(const ASN1_TIME *time, int64_t *ret_time, struct err *err) MUST_CHECK;
