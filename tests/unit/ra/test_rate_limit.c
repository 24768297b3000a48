// SPDX-License-Identifier: Apache-2.0
#include "kit/kit.h"

#include <string.h>

#include "ra/rate_limit.h"

#define MANY       1000
#define BURST      5
#define PER_SEC    1
#define LONG_WHILE (30LL * 24 * 3600)

static const struct rate a_rate = {.burst = BURST, .per_minute = 60 * PER_SEC};

static int set_up(void **state)
{
    struct rate_limit *limit = NULL;
    assert_int_equal(rate_limit_new(&limit, NULL), ERR_OK);
    *state = limit;
    return 0;
}

static int tear_down(void **state)
{
    rate_limit_free(*state);
    return 0;
}

// How many of MANY polls at one moment are let through.
static unsigned take_many(struct rate_limit *limit, const uint8_t transaction[SHA256_LEN],
                          int64_t now)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < MANY; i++) {
        taken += rate_limit_take(limit, transaction, &a_rate, now) ? 1 : 0;
    }
    return taken;
}

static void a_flood_gets_the_burst_and_then_the_rate(void **state)
{
    const uint8_t transaction[SHA256_LEN] = {1};
    assert_int_equal(take_many(*state, transaction, KIT_NOW), BURST);
    assert_int_equal(take_many(*state, transaction, KIT_NOW + 1), PER_SEC);
    assert_int_equal(take_many(*state, transaction, KIT_NOW + 3), 2 * PER_SEC);
    assert_int_equal(take_many(*state, transaction, KIT_NOW + 3 + BURST), BURST);
}

static void a_patient_client_is_never_told_to_wait(void **state)
{
    const uint8_t transaction[SHA256_LEN] = {1};
    for (int64_t i = 0; i < MANY; i++) {
        assert_true(rate_limit_take(*state, transaction, &a_rate, KIT_NOW + i));
    }
    // A long silence is worth a burst, no more.
    assert_int_equal(take_many(*state, transaction, KIT_NOW + LONG_WHILE), BURST);
}

static void transactions_have_buckets_of_their_own(void **state)
{
    const uint8_t flooded[SHA256_LEN] = {1};
    uint8_t others[8][SHA256_LEN] = {{0}};
    unsigned taken = 0;
    assert_int_equal(take_many(*state, flooded, 0), BURST);
    for (uint8_t i = 0; i < 8; i++) {
        memset(others[i], i + 2, SHA256_LEN);
        taken += take_many(*state, others[i], 0);
    }
    assert_int_equal(taken, 8 * BURST);
}

// A clock that is set back gives nothing, and goes on from there.
static void a_clock_set_back_goes_on(void **state)
{
    const uint8_t transaction[SHA256_LEN] = {1};
    assert_int_equal(take_many(*state, transaction, KIT_NOW), BURST);
    assert_false(rate_limit_take(*state, transaction, &a_rate, KIT_NOW - LONG_WHILE));
    assert_true(rate_limit_take(*state, transaction, &a_rate, KIT_NOW - LONG_WHILE + 1));
    assert_false(rate_limit_take(*state, transaction, &a_rate, KIT_NOW - LONG_WHILE + 1));
}

// Ten a minute: one in six seconds, and looking takes nothing.
static void a_slow_rate_fills_by_and_by(void **state)
{
    const struct rate slow = {.burst = 10, .per_minute = 10};
    const uint8_t key[SHA256_LEN] = {1};
    for (unsigned i = 0; i < slow.burst; i++) {
        assert_true(rate_limit_allows(*state, key, &slow, KIT_NOW));
        assert_true(rate_limit_take(*state, key, &slow, KIT_NOW));
    }
    assert_false(rate_limit_allows(*state, key, &slow, KIT_NOW));
    assert_false(rate_limit_take(*state, key, &slow, KIT_NOW + 5));
    assert_true(rate_limit_allows(*state, key, &slow, KIT_NOW + 6));
    assert_true(rate_limit_take(*state, key, &slow, KIT_NOW + 6));
    assert_false(rate_limit_allows(*state, key, &slow, KIT_NOW + 6));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flood_gets_the_burst_and_then_the_rate),
        TEST(a_patient_client_is_never_told_to_wait),
        TEST(transactions_have_buckets_of_their_own),
        TEST(a_clock_set_back_goes_on),
        TEST(a_slow_rate_fills_by_and_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
