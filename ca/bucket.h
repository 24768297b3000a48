// SPDX-License-Identifier: Apache-2.0
// A token bucket: how often something may happen a second. The caller has the lock and the clock.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// {0} is a full bucket.
struct bucket {
    bool is_started;
    int64_t last_us;     // when it was filled up last
    uint64_t millionths; // of a token, at most one second's worth
};

// Takes one token; false when there is none. `per_sec` tokens flow in a second, and as many fit in;
// it may change between calls, and 0 gives none. `now_us` comes from a clock in microseconds; one
// that goes backwards fills nothing.
bool bucket_take(struct bucket *bucket, uint32_t per_sec, int64_t now_us);
