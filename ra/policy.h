// SPDX-License-Identifier: Apache-2.0
// Everything a request is judged by, loaded together and immutable: settings, credentials,
// challenge secrets. A reload makes a new one; requests under way keep theirs by reference.
#pragma once

#include "conf/settings.h"
#include "ra/challenge.h"
#include "ra/credentials.h"
#include "ra/pkcs10.h"

struct policy {
    const struct settings *settings;
    const struct credentials *credentials;
    struct challenge_secrets secrets;
    struct pkcs10 *decoy;
    char capabilities[CAPABILITIES_LEN];
    // private:
    int references; // atomic
};

// Takes `take_settings` (freed with the policy, or on failure) and loads what it names. The caller
// owns one reference. Errors: as credentials_load() and challenge_secrets_load().
enum err_code policy_new(struct settings *take_settings, int64_t now, struct policy **ret_policy,
                         struct err *err) MUST_CHECK;
struct policy *policy_ref(struct policy *policy);
void policy_unref(struct policy *policy);
