// SPDX-License-Identifier: Apache-2.0
#include "ra/refusal.h"

#include <string.h>

static const char *const names[REFUSAL_MAX] = {
    [REFUSAL_NONE] = "",
    [REFUSAL_UNANSWERABLE] = "unanswerable",
    [REFUSAL_MALFORMED] = "malformed",
    [REFUSAL_BAD_ALGORITHM] = "bad_algorithm",
    [REFUSAL_BAD_SIGNATURE] = "bad_signature",
    [REFUSAL_WRONG_CLOCK] = "wrong_clock",
    [REFUSAL_WRONG_RECIPIENT] = "wrong_recipient",
    [REFUSAL_NOT_SERVED] = "not_served",
    [REFUSAL_UNDECRYPTABLE] = "undecryptable",
    [REFUSAL_BAD_CSR] = "bad_csr",
    [REFUSAL_BAD_NAMES] = "bad_names",
    [REFUSAL_OTHER_NAME] = "other_name",
    [REFUSAL_NO_CHALLENGE] = "no_challenge",
    [REFUSAL_WRONG_CHALLENGE] = "wrong_challenge",
    [REFUSAL_EXPIRED_CHALLENGE] = "expired_challenge",
    [REFUSAL_USED_CHALLENGE] = "used_challenge",
    [REFUSAL_REVOKED_CHALLENGE] = "revoked_challenge",
    [REFUSAL_FOREIGN_CHALLENGE] = "foreign_challenge",
    [REFUSAL_USELESS_CHALLENGE] = "useless_challenge",
    [REFUSAL_UNKNOWN_SIGNER] = "unknown_signer",
    [REFUSAL_CERTIFICATE_EXPIRED] = "certificate_expired",
    [REFUSAL_CERTIFICATE_REVOKED] = "certificate_revoked",
    [REFUSAL_CERTIFICATE_NOT_YET_VALID] = "certificate_not_yet_valid",
    [REFUSAL_MIC_EXPIRED] = "mic_expired",
    [REFUSAL_MIC_NOT_YET_VALID] = "mic_not_yet_valid",
    [REFUSAL_MIC_NOT_ACCEPTED] = "mic_not_accepted",
    [REFUSAL_MIC_GENERIC] = "mic_generic",
    [REFUSAL_NOT_LISTED] = "not_listed",
    [REFUSAL_RENEWAL_TOO_EARLY] = "renewal_too_early",
    [REFUSAL_RENEWAL_SELF_SIGNED] = "renewal_self_signed",
    [REFUSAL_TRANSACTION_REUSED] = "transaction_reused",
    [REFUSAL_KEY_REUSED] = "key_reused",
    [REFUSAL_DUPLICATE_SUBJECT] = "duplicate_subject",
    [REFUSAL_UNKNOWN_TRANSACTION] = "unknown_transaction",
    [REFUSAL_DENIED] = "denied",
    [REFUSAL_NOT_FOUND] = "not_found",
    [REFUSAL_NOT_A_CLIENT] = "not_a_client",
    [REFUSAL_TOO_MANY_PENDING] = "too_many_pending",
    [REFUSAL_RATE_LIMITED] = "rate_limited",
    [REFUSAL_CA_REFUSED] = "ca_refused",
    [REFUSAL_SERVER_TROUBLE] = "server_trouble",
    [REFUSAL_OTHER] = "other",
};

const char *refusal_name(enum refusal refusal)
{
    return (unsigned)refusal < REFUSAL_MAX ? names[refusal] : names[REFUSAL_OTHER];
}

enum refusal refusal_of_name(const char *name)
{
    for (unsigned i = 0; i < REFUSAL_MAX; i++) {
        if (strcmp(name, names[i]) == 0) {
            return (enum refusal)i;
        }
    }
    return REFUSAL_OTHER;
}
