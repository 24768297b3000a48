// SPDX-License-Identifier: Apache-2.0
#include "ra/renewal.h"

enum renewal_time renewal_judge_time(const struct store_certificate *present, uint32_t window_days,
                                     bool is_same_key, int64_t now)
{
    if (present->not_after - now <= (int64_t)window_days * DAY_SEC) {
        return RENEWAL_DUE;
    }
    return is_same_key ? RENEWAL_EARLY_SAME_KEY : RENEWAL_EARLY_NEW_KEY;
}

bool renewal_is_same_identity(const X509_NAME *signer, const X509_NAME *asked)
{
    return X509_NAME_entry_count(asked) == 0 || X509_NAME_cmp(signer, asked) == 0;
}
