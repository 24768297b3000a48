// SPDX-License-Identifier: Apache-2.0
// A direct-mapped table. Which slot a key falls into depends on a secret, so that nobody can choose
// a key to push another's bucket out. Tokens are counted in shares, so that a second is worth some
// at any rate.
#include "ra/rate_limit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_COUNT      4096 // buckets of 48 octets
#define SHARES_OF_TOKEN 60   // a minute fills `per_minute` tokens, a second as many shares
#define SECONDS_TO_FILL 3600 // after so long every bucket is full

struct bucket {
    uint8_t key[SHA256_LEN]; // zeroes = free
    int64_t shares;
    int64_t filled_at; // seconds since 1970
};

struct rate_limit {
    uint8_t secret[SHA256_LEN];
    pthread_mutex_t lock; // guards buckets
    struct bucket buckets[SLOT_COUNT];
};

enum err_code rate_limit_new(struct rate_limit **ret_limit, struct err *err)
{
    struct rate_limit *limit = calloc(1, sizeof *limit);
    if (limit == NULL || pthread_mutex_init(&limit->lock, NULL) != 0) {
        free(limit);
        return err_set(err, ERR_NOMEM, "no memory to count requests");
    }
    enum err_code code = ossl_random(limit->secret, sizeof limit->secret, err);
    if (code != ERR_OK) {
        rate_limit_free(limit);
        return code;
    }
    *ret_limit = limit;
    return ERR_OK;
}

void rate_limit_free(struct rate_limit *limit)
{
    if (limit != NULL) {
        pthread_mutex_destroy(&limit->lock);
        free(limit);
    }
}

static struct bucket *bucket_of(struct rate_limit *limit, const uint8_t key[SHA256_LEN])
{
    struct view parts[] = {
        view_of(limit->secret, sizeof limit->secret),
        view_of(key, SHA256_LEN),
    };
    uint8_t digest[SHA256_LEN];
    uint32_t index;
    ossl_sha256(parts, sizeof parts / sizeof parts[0], digest);
    memcpy(&index, digest, sizeof index);
    return &limit->buckets[index % SLOT_COUNT];
}

static void fill(struct bucket *bucket, const struct rate *rate, int64_t now)
{
    int64_t most = (int64_t)rate->burst * SHARES_OF_TOKEN;
    int64_t passed = now - bucket->filled_at;
    bucket->filled_at = now;
    if (passed > 0) {
        passed = passed < SECONDS_TO_FILL ? passed : SECONDS_TO_FILL;
        bucket->shares += passed * rate->per_minute;
    }
    if (bucket->shares > most) {
        bucket->shares = most;
    }
}

// The key's bucket as it is at `now`. Under the lock.
static struct bucket *present_bucket(struct rate_limit *limit, const uint8_t key[SHA256_LEN],
                                     const struct rate *rate, int64_t now)
{
    struct bucket *bucket = bucket_of(limit, key);
    if (memcmp(bucket->key, key, SHA256_LEN) != 0) {
        *bucket =
            (struct bucket){.shares = (int64_t)rate->burst * SHARES_OF_TOKEN, .filled_at = now};
        memcpy(bucket->key, key, SHA256_LEN);
    }
    fill(bucket, rate, now);
    return bucket;
}

bool rate_limit_take(struct rate_limit *limit, const uint8_t key[SHA256_LEN],
                     const struct rate *rate, int64_t now)
{
    pthread_mutex_lock(&limit->lock);
    struct bucket *bucket = present_bucket(limit, key, rate, now);
    bool is_taken = bucket->shares >= SHARES_OF_TOKEN;
    if (is_taken) {
        bucket->shares -= SHARES_OF_TOKEN;
    }
    pthread_mutex_unlock(&limit->lock);
    return is_taken;
}

bool rate_limit_allows(struct rate_limit *limit, const uint8_t key[SHA256_LEN],
                       const struct rate *rate, int64_t now)
{
    pthread_mutex_lock(&limit->lock);
    bool is_allowed = present_bucket(limit, key, rate, now)->shares >= SHARES_OF_TOKEN;
    pthread_mutex_unlock(&limit->lock);
    return is_allowed;
}
