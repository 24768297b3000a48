// SPDX-License-Identifier: Apache-2.0
// Everything a request is judged by, loaded together and immutable: settings, credentials,
// challenge secrets. A reload makes a new one; requests under way keep theirs by reference.
#pragma once

#include "conf/settings.h"
#include "ra/challenge.h"
#include "ra/credentials.h"
#include "ra/pkcs10.h"
#include "ra/trust.h"

struct policy {
    struct settings *settings;
    struct credentials *credentials;
    struct challenge_secrets secrets;
    struct trust *trust;                 // for manufacturer's certificates
    struct buf decoy;                    // DER; see pkcs10_make_decoy()
    struct buf next_ca;                  // the answer to GetNextCACert; empty = there is none
    char capabilities[CAPABILITIES_LEN]; // the answer to GetCACaps
    _Atomic unsigned references;         // policy.c's
};

// Takes `take_settings` (freed with the policy, or on failure) and loads what it names. The caller
// owns one reference. Errors: as credentials_load(), challenge_secrets_load() and
// trust_load().
enum err_code policy_new(struct settings *take_settings, int64_t now, struct policy **ret_policy,
                         struct err *err) MUST_CHECK;
// Sets the answer to GetNextCACert (empty = none) and the capability that goes with it. Before the
// policy is shared.
void policy_set_next_ca(struct policy *policy, struct buf *take_answer);
// One more reference to the same policy. Any thread.
struct policy *policy_ref(struct policy *policy);
// Gives a reference back; the last one frees everything, secrets wiped. NULL is fine. Any thread.
void policy_unref(struct policy *policy);
