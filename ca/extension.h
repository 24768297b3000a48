// SPDX-License-Identifier: Apache-2.0
// Builders of single extensions of certificates and CRLs (RFC 5280, 4.2, 5.2, 5.3) through
// OpenSSL's typed structures, never from text in its configuration language. Stateless; any thread.
// Callers free *ret_extension. Errors of all of them: ERR_CRYPTO, which here means no memory.
#pragma once

#include "ca/frame.h"
#include "conf/base/ossl.h"

#define EXTENSION_NOT_A_CA    (-2) // basicConstraints CA:FALSE
#define EXTENSION_NO_PATH_LEN (-1) // a CA without pathLenConstraint

// Critical. `usage` is made of OpenSSL's KU_* of the first octet (not KU_DECIPHER_ONLY).
enum err_code extension_key_usage(unsigned usage, X509_EXTENSION **ret_extension,
                                  struct err *err) MUST_CHECK;
// extendedKeyUsage with this purpose alone (NID_client_auth...); not critical.
enum err_code extension_purpose(int purpose_nid, X509_EXTENSION **ret_extension,
                                struct err *err) MUST_CHECK;
// id-pkix-ocsp-nocheck (RFC 6960, 4.2.2.2.1): an OCSP signer's own status is not asked for.
enum err_code extension_ocsp_no_check(X509_EXTENSION **ret_extension, struct err *err) MUST_CHECK;
// `path_len` from 0, or one of the two constants above. Critical for a CA only.
enum err_code extension_basic_constraints(int path_len, X509_EXTENSION **ret_extension,
                                          struct err *err) MUST_CHECK;
// Method 1 of RFC 5280, 4.2.1.2: SHA-1 of the subjectPublicKey bits.
enum err_code extension_subject_key_id(const X509 *cert, X509_EXTENSION **ret_extension,
                                       struct err *err) MUST_CHECK;
// keyIdentifier only: the issuer's own SKI, by method 1 where it has none. Issuer and serial would
// tie the certificate to one certificate of the issuer and break a rollover.
enum err_code extension_authority_key_id(X509 *issuer, X509_EXTENSION **ret_extension,
                                         struct err *err) MUST_CHECK;
// subjectAltName; not critical, since the subject is never empty.
enum err_code extension_alt_names(const GENERAL_NAMES *names, X509_EXTENSION **ret_extension,
                                  struct err *err) MUST_CHECK;
// cRLDistributionPoints with one URL; authorityInfoAccess with an OCSP URL and a caIssuers URL, of
// which one may be NULL. ASCII text.
enum err_code extension_crl_url(const char *url, X509_EXTENSION **ret_extension,
                                struct err *err) MUST_CHECK;
enum err_code extension_access_urls(const char *ocsp_url, const char *ca_url,
                                    X509_EXTENSION **ret_extension, struct err *err) MUST_CHECK;

// cRLNumber and an entry's reasonCode; not critical. `reason` is not REVOCATION_UNSPECIFIED, which
// is said by leaving the extension out.
enum err_code extension_crl_number(uint64_t number, X509_EXTENSION **ret_extension,
                                   struct err *err) MUST_CHECK;
enum err_code extension_crl_reason(enum revocation_reason reason, X509_EXTENSION **ret_extension,
                                   struct err *err) MUST_CHECK;

// Adds the extension to the certificate and frees it, also on failure.
enum err_code extension_add(X509 *cert, X509_EXTENSION *take_extension, struct err *err) MUST_CHECK;
