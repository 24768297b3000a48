// SPDX-License-Identifier: Apache-2.0
// What each kind of certificate looks like. A profile is made once, with the extensions that are
// the same in all its certificates; then it is immutable and any thread may use it.
#pragma once

#include "ca/frame.h"
#include "conf/base/ossl.h"

#define PROFILE_RA_NAME   "SCEP RA" // CN of every RA
#define PROFILE_RA_DAYS   730       // 2 years; scepd has it renewed by itself
#define PROFILE_OCSP_NAME "SCEP OCSP"
#define PROFILE_OCSP_DAYS 30 // nobody can revoke it, so it is short

// Where relying parties find the CA's CRL, certificate and OCSP responder; texts are borrowed.
struct profile_urls {
    const char *crl;  // NULL = no cRLDistributionPoints
    const char *ca;   // NULL = no caIssuers in the authorityInfoAccess
    const char *ocsp; // NULL = no OCSP in it; both NULL = none at all
};

// What the administrator may choose about the profile "phone".
struct profile_phone {
    uint32_t validity_days;        // 1 and more
    uint32_t validity_jitter_days; // less than validity_days
    struct profile_urls urls;
};

struct profile;

// PROFILE_PHONE under `issuer`: keyUsage digitalSignature + keyEncipherment (critical), EKU
// clientAuth, CA:FALSE, AKI, and the URLs. Errors: ERR_CONFIG, ERR_CRYPTO, ERR_NOMEM.
enum err_code profile_new_phone(const struct profile_phone *settings, X509 *issuer,
                                struct profile **ret_profile, struct err *err) MUST_CHECK;
// PROFILE_RA under `issuer`: the same without EKU, for PROFILE_RA_DAYS, and with a subject of its
// own: the issuer's without CN, then CN=PROFILE_RA_NAME. Errors: as above.
enum err_code profile_new_ra(const struct profile_urls *urls, X509 *issuer,
                             struct profile **ret_profile, struct err *err) MUST_CHECK;
// PROFILE_OCSP under `issuer` (RFC 6960, 4.2.2.2): keyUsage digitalSignature, EKU OCSPSigning,
// id-pkix-ocsp-nocheck, CA:FALSE, AKI, no URLs, for PROFILE_OCSP_DAYS; its subject as the RA's,
// with CN=PROFILE_OCSP_NAME. Errors: as above.
enum err_code profile_new_ocsp(X509 *issuer, struct profile **ret_profile,
                               struct err *err) MUST_CHECK;
// PROFILE_SERVER under `issuer`: as a phone's with EKU serverAuth, for `validity_days`, no jitter.
// Errors: as above.
enum err_code profile_new_server(uint32_t validity_days, const struct profile_urls *urls,
                                 X509 *issuer, struct profile **ret_profile,
                                 struct err *err) MUST_CHECK;
void profile_free(struct profile *profile);
DEFINE_CLEANUP(struct profile *, profile_free);

// Adds the profile's own extensions to a certificate. Errors: ERR_CRYPTO.
enum err_code profile_add_extensions(const struct profile *profile, X509 *cert,
                                     struct err *err) MUST_CHECK;
// The subject of all its certificates; NULL = each has its own, from the order. Borrowed.
const X509_NAME *profile_subject(const struct profile *profile);
int64_t profile_validity_sec(const struct profile *profile);
// A certificate ends at most this much earlier than its validity says, so that phones enrolled
// together do not all renew together.
int64_t profile_jitter_sec(const struct profile *profile);
