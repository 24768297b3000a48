// SPDX-License-Identifier: Apache-2.0
// How often something may happen under one key: polls of one transaction, failed challenges from
// one address. Token buckets in a fixed-size table; old entries are overwritten, to their keys'
// favour.
#pragma once

#include <stdbool.h>

#include "conf/base/ossl.h"

struct rate {
    uint32_t burst;      // that may come at once
    uint32_t per_minute; // and so many a minute after them
};

struct rate_limit;

// Any thread may use it. Errors: ERR_NOMEM, ERR_CRYPTO.
enum err_code rate_limit_new(struct rate_limit **ret_limit, struct err *err) MUST_CHECK;
void rate_limit_free(struct rate_limit *limit);

// Takes a token of the key; false when it has none left at `now`, seconds since 1970. A clock that
// is set back costs nobody anything. One table is for one rate; another rate counts from now on.
bool rate_limit_take(struct rate_limit *limit, const uint8_t key[SHA256_LEN],
                     const struct rate *rate, int64_t now);
// Whether there is one to take.
bool rate_limit_allows(struct rate_limit *limit, const uint8_t key[SHA256_LEN],
                       const struct rate *rate, int64_t now);
