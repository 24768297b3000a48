// SPDX-License-Identifier: Apache-2.0
// The token bucket: how many come through in which time.
#include <stddef.h>

#include "ca/bucket.h"
#include "kit/kit.h"

#define SECOND 1000000 // microseconds
#define START  5000000

static unsigned take_many(struct bucket *bucket, uint32_t per_sec, int64_t now_us, unsigned tries)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < tries; i++) {
        taken += bucket_take(bucket, per_sec, now_us) ? 1 : 0;
    }
    return taken;
}

static void starts_full(void **state)
{
    (void)state;
    struct bucket bucket = {0};
    assert_int_equal(take_many(&bucket, 5, START, 100), 5);
    struct bucket at_boot = {0};
    assert_int_equal(take_many(&at_boot, 5, 0, 100), 5);
}

static void fills_with_time(void **state)
{
    (void)state;
    static const struct {
        uint32_t per_sec;
        int64_t later_us;
        unsigned expected;
    } cases[] = {
        {10, 0, 0},
        {10, SECOND / 10 - 1, 0},
        {10, SECOND / 10, 1},
        {10, SECOND / 2, 5},
        {10, SECOND, 10},
        {10, 100 * (int64_t)SECOND, 10}, // never more than a second's worth
        {1, SECOND - 1, 0},
        {1, SECOND, 1},
        {10, INT64_MAX - START, 10},
        {UINT32_MAX, 1, 4294}, // as many as flow in within a microsecond
        {0, SECOND, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bucket bucket = {.is_started = true, .last_us = START};
        unsigned taken =
            take_many(&bucket, cases[i].per_sec, START + cases[i].later_us, 2 * 4294 + 1);
        if (taken != cases[i].expected) {
            fail_msg("case %zu: %u taken", i, taken);
        }
    }
}

// Tokens come one by one, and nothing is lost between calls that are closer than a token.
static void counts_fractions(void **state)
{
    (void)state;
    struct bucket bucket = {.is_started = true, .last_us = START};
    unsigned taken = 0;
    for (int64_t now_us = START; now_us <= START + 3 * (int64_t)SECOND; now_us += 7) {
        taken += bucket_take(&bucket, 100, now_us) ? 1 : 0;
    }
    assert_in_range(taken, 299, 300);
}

static void clock_goes_backwards(void **state)
{
    (void)state;
    struct bucket bucket = {0};
    assert_int_equal(take_many(&bucket, 3, START, 10), 3);
    assert_int_equal(take_many(&bucket, 3, START - 2 * (int64_t)SECOND, 10), 0);
    assert_int_equal(take_many(&bucket, 3, START - SECOND, 10), 3);
}

static void rate_changes(void **state)
{
    (void)state;
    struct bucket bucket = {0};
    assert_int_equal(take_many(&bucket, 100, START, 1), 1);
    assert_int_equal(take_many(&bucket, 2, START, 100), 2); // 99 were left
    assert_int_equal(take_many(&bucket, 0, START + SECOND, 100), 0);
    assert_int_equal(take_many(&bucket, 100, START + 2 * (int64_t)SECOND, 1000), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_full),      cmocka_unit_test(fills_with_time),
        cmocka_unit_test(counts_fractions), cmocka_unit_test(clock_goes_backwards),
        cmocka_unit_test(rate_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
