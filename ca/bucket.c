// SPDX-License-Identifier: Apache-2.0
// A token bucket in whole numbers: in one microsecond, per_sec millionths of a token flow in.
#include "ca/bucket.h"

#define US_PER_SEC           1000000
#define MILLIONTHS_PER_TOKEN 1000000

static void fill(struct bucket *bucket, uint64_t capacity, uint32_t per_sec, int64_t now_us)
{
    bool is_full = !bucket->is_started || now_us - bucket->last_us >= US_PER_SEC;
    if (is_full) {
        bucket->millionths = capacity;
    } else if (now_us > bucket->last_us) {
        bucket->millionths += (uint64_t)(now_us - bucket->last_us) * per_sec;
    }
    if (bucket->millionths > capacity) {
        bucket->millionths = capacity;
    }
    bucket->is_started = true;
    bucket->last_us = now_us;
}

bool bucket_take(struct bucket *bucket, uint32_t per_sec, int64_t now_us)
{
    fill(bucket, (uint64_t)per_sec * MILLIONTHS_PER_TOKEN, per_sec, now_us);
    if (bucket->millionths < MILLIONTHS_PER_TOKEN) {
        return false;
    }
    bucket->millionths -= MILLIONTHS_PER_TOKEN;
    return true;
}
