// SPDX-License-Identifier: Apache-2.0
// What each kind of certificate looks like. A profile is made once, with the extensions that are
// the same in all its certificates; then it is immutable and any thread may use it.
#pragma once

#include "ca/frame.h"
#include "conf/base/ossl.h"

// What the administrator may choose about the profile "phone"; texts are borrowed.
struct profile_phone {
    uint32_t validity_days;        // 1 and more
    uint32_t validity_jitter_days; // less than validity_days
    const char *crl_url;           // NULL = no cRLDistributionPoints
    const char *ca_url;            // NULL = no authorityInfoAccess
};

struct profile;

// PROFILE_PHONE under `issuer`: keyUsage digitalSignature + keyEncipherment (critical), EKU
// clientAuth, CA:FALSE, AKI, and the URLs. Errors: ERR_CONFIG, ERR_CRYPTO, ERR_NOMEM.
enum err_code profile_new_phone(const struct profile_phone *settings, X509 *issuer,
                                struct profile **ret_profile, struct err *err) MUST_CHECK;
void profile_free(struct profile *profile);
DEFINE_CLEANUP(struct profile *, profile_free);

// Adds the profile's own extensions to a certificate. Errors: ERR_CRYPTO.
enum err_code profile_add_extensions(const struct profile *profile, X509 *cert,
                                     struct err *err) MUST_CHECK;
int64_t profile_validity_sec(const struct profile *profile);
// A certificate ends at most this much earlier than its validity says, so that phones enrolled
// together do not all renew together.
int64_t profile_jitter_sec(const struct profile *profile);
