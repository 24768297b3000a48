// SPDX-License-Identifier: Apache-2.0
#include "ra/policy.h"

#include <stdatomic.h>
#include <stdlib.h>

static void policy_free(struct policy *policy)
{
    buf_done(&policy->next_ca);
    buf_done(&policy->decoy);
    trust_free(policy->trust);
    challenge_secrets_done(&policy->secrets);
    credentials_free(policy->credentials);
    settings_free(policy->settings);
    free(policy);
}

static enum err_code load_parts(struct policy *policy, int64_t now, struct err *err)
{
    enum err_code code = credentials_load(policy->settings, now, &policy->credentials, err);
    if (code == ERR_OK) {
        code = challenge_secrets_load(policy->settings, &policy->secrets, err);
    }
    if (code == ERR_OK) {
        code = trust_load(policy->settings, &policy->trust, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    credentials_get_ca_caps(policy->settings, false, policy->capabilities);
    return pkcs10_make_decoy(&policy->decoy, err);
}

enum err_code policy_new(struct settings *take_settings, int64_t now, struct policy **ret_policy,
                         struct err *err)
{
    struct policy *policy = calloc(1, sizeof *policy);
    if (policy == NULL) {
        settings_free(take_settings);
        return err_set(err, ERR_NOMEM, "no memory for a policy");
    }
    policy->settings = take_settings;
    atomic_init(&policy->references, 1);
    enum err_code code = load_parts(policy, now, err);
    if (code != ERR_OK) {
        policy_free(policy);
        return code;
    }
    *ret_policy = policy;
    return ERR_OK;
}

void policy_set_next_ca(struct policy *policy, struct buf *take_answer)
{
    buf_done(&policy->next_ca);
    policy->next_ca = *take_answer;
    *take_answer = (struct buf){0};
    credentials_get_ca_caps(policy->settings, policy->next_ca.len > 0, policy->capabilities);
}

struct policy *policy_ref(struct policy *policy)
{
    atomic_fetch_add(&policy->references, 1);
    return policy;
}

void policy_unref(struct policy *policy)
{
    if (policy != NULL && atomic_fetch_sub(&policy->references, 1) == 1) {
        policy_free(policy);
    }
}
