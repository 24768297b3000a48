// SPDX-License-Identifier: Apache-2.0
// The rules of a renewal (RFC 8894, 2.5): whose it is and when it may come. Pure functions.
#pragma once

#include "ra/decide.h"
#include "ra/store/store.h"

// Whether a renewal of `present` at `now` comes in its last `window_days` days or later.
// `is_same_key`: the PKCS#10 has its key.
enum renewal_time renewal_judge_time(const struct store_certificate *present, uint32_t window_days,
                                     bool is_same_key, int64_t now);

// Whether the subject asked for is the signer's own, or an empty one, which is then filled with
// the signer's CN.
bool renewal_is_same_identity(const X509_NAME *signer, const X509_NAME *asked);
