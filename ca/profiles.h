// SPDX-License-Identifier: Apache-2.0
// All profiles under which one CA issues, made when it is loaded, and what each asks of a request
// beyond the rest. Immutable once made: any thread.
#pragma once

#include "ca/csr.h"
#include "ca/profile.h"
#include "ca/server_names.h"
#include "conf/generations.h"

struct profiles;

// What the profiles of a CA are made from. Borrowed during the call.
struct profiles_plan {
    const struct settings *settings;
    enum generation_role role; // an old CA has PROFILE_OCSP alone
    const char *name;          // of the CA, for "{ca}" in URLs
    X509 *issuer;
};
// Caller frees *ret_profiles. Errors: as profile_new_phone().
enum err_code profiles_new(const struct profiles_plan *plan, struct profiles **ret_profiles,
                           struct err *err) MUST_CHECK;
void profiles_free(struct profiles *profiles);

// Errors: ERR_DENIED when this CA does not issue under it.
enum err_code profiles_find(const struct profiles *profiles, enum issue_profile id,
                            const struct profile **ret_profile, struct err *err) MUST_CHECK;
// What a PKCS#10 may be signed with. An OCSP signer may have a key on P-256. For servers and OCSP
// signers no MD5 and no SHA-1, whatever is allowed for old phones.
const struct csr_rules *profiles_csr_rules(const struct profiles *profiles, enum issue_profile id);
// The names, where the profile has a rule of its own (ca/server_names.h). Errors: as there.
enum err_code profiles_check_names(const struct profiles *profiles, const struct csr *csr,
                                   const struct issue_order *order, struct err *err) MUST_CHECK;
