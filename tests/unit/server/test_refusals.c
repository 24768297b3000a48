// SPDX-License-Identifier: Apache-2.0
// Refusals of the last day, with the clock as a parameter.
#include "kit/kit.h"

#include <pthread.h>

#include "ra/writer_kit.h"
#include "server/refusals.h"

#define HOUR       ((int64_t)3600)
#define BASE       ((int64_t)KIT_NOW / HOUR * HOUR) // the beginning of an hour
#define THREADS    4
#define PER_THREAD 1000

static struct refusals *refusals_of(struct writer_kit *kit, int64_t now)
{
    struct refusals *refusals = NULL;
    assert_int_equal(refusals_new(kit->store, now, &refusals, NULL), ERR_OK);
    return refusals;
}

static uint64_t total(struct refusals *refusals, int64_t now)
{
    struct refusals_day day;
    refusals_last_day(refusals, now, &day);
    return day.total;
}

static void nothing_was_refused_at_first(void **state)
{
    struct refusals_day day;
    struct refusals *refusals = refusals_of(*state, BASE);
    refusals_last_day(refusals, BASE, &day);
    assert_int_equal(day.total, 0);
    assert_int_equal(day.reason_count, 0);
    refusals_free(refusals);
    refusals_free(NULL);
    refusals_add(NULL, BASE, REFUSAL_OTHER);
    refusals_last_day(NULL, BASE, &day);
    assert_int_equal(day.total, 0);
}

static void the_most_frequent_come_first(void **state)
{
    struct refusals_day day;
    struct refusals *refusals = refusals_of(*state, BASE);
    static const struct {
        enum refusal reason;
        unsigned count;
    } rows[] = {
        {REFUSAL_NO_CHALLENGE, 2},  {REFUSAL_WRONG_CHALLENGE, 5},
        {REFUSAL_BAD_ALGORITHM, 2}, {REFUSAL_NONE, 9},
        {REFUSAL_MAX, 9},           {(enum refusal)1000, 9},
    };
    for (size_t i = 0; i < 6; i++) {
        for (unsigned k = 0; k < rows[i].count; k++) {
            refusals_add(refusals, BASE + k * HOUR, rows[i].reason);
        }
    }
    refusals_last_day(refusals, BASE + 5 * HOUR, &day);
    assert_int_equal(day.total, 9);
    assert_int_equal(day.reason_count, 3);
    assert_string_equal(day.reasons[0].reason, "wrong_challenge");
    assert_int_equal(day.reasons[0].count, 5);
    assert_string_equal(day.reasons[1].reason, "bad_algorithm"); // equally often: by name
    assert_string_equal(day.reasons[2].reason, "no_challenge");
    refusals_free(refusals);
}

static void a_day_passes(void **state)
{
    struct refusals *refusals = refusals_of(*state, BASE);
    refusals_add(refusals, BASE, REFUSAL_OTHER);
    refusals_add(refusals, BASE + HOUR - 1, REFUSAL_OTHER);
    refusals_add(refusals, BASE + HOUR, REFUSAL_OTHER);
    assert_int_equal(total(refusals, BASE + HOUR), 3);
    assert_int_equal(total(refusals, BASE + 24 * HOUR - 1), 3);
    assert_int_equal(total(refusals, BASE + 24 * HOUR), 1);
    assert_int_equal(total(refusals, BASE + 25 * HOUR), 0);
    // The place of an old hour is used again.
    refusals_add(refusals, BASE + 24 * HOUR, REFUSAL_OTHER);
    assert_int_equal(total(refusals, BASE + 24 * HOUR), 2);
    assert_int_equal(total(refusals, BASE + 1000 * HOUR), 0);
    refusals_free(refusals);
}

static void a_clock_that_goes_back_shows_no_future(void **state)
{
    struct refusals *refusals = refusals_of(*state, BASE);
    refusals_add(refusals, BASE + 30 * HOUR, REFUSAL_OTHER);
    assert_int_equal(total(refusals, BASE + 29 * HOUR), 0);
    refusals_add(refusals, BASE + 29 * HOUR, REFUSAL_OTHER);
    assert_int_equal(total(refusals, BASE + 29 * HOUR), 1);
    refusals_add(refusals, BASE + 6 * HOUR, REFUSAL_OTHER); // where hour 30 is
    assert_int_equal(total(refusals, BASE + 6 * HOUR), 0);
    assert_int_equal(total(refusals, BASE + 30 * HOUR), 2);
    refusals_free(refusals);
}

static void a_restart_counts_what_was_stored(void **state)
{
    struct writer_kit *kit = *state;
    static const struct {
        int64_t before; // seconds before now
        enum event_kind kind;
        const char *reason;
    } rows[] = {
        {30 * HOUR, EVENT_REFUSED, "wrong_challenge"},
        {20 * HOUR, EVENT_REFUSED, "wrong_challenge"},
        {20 * HOUR, EVENT_ISSUED, ""},
        {3 * HOUR, EVENT_REVOKED, "keyCompromise"},
        {2 * HOUR, EVENT_REFUSED, "of a later version"},
        {0, EVENT_REFUSED, "not_listed"},
        {0, EVENT_PENDING, "not_listed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct store_event event = store_kit_event(1);
        event.at = (BASE + 30 * HOUR - rows[i].before) * STORE_US_PER_SEC;
        event.kind = rows[i].kind;
        store_event_text(event.reason, sizeof event.reason, rows[i].reason);
        writer_add_event(kit->writer, &event);
    }
    writer_stop(kit->writer);
    struct refusals_day day;
    struct refusals *refusals = refusals_of(kit, BASE + 30 * HOUR);
    refusals_last_day(refusals, BASE + 30 * HOUR, &day);
    assert_int_equal(day.total, 3);
    assert_int_equal(day.reason_count, 3);
    assert_string_equal(day.reasons[0].reason, "not_listed");
    assert_string_equal(day.reasons[1].reason, "other");
    assert_string_equal(day.reasons[2].reason, "wrong_challenge");
    refusals_free(refusals);
    assert_int_equal(writer_start(kit->store, &kit->writer, NULL), ERR_OK);
}

static void *count_many(void *context)
{
    for (unsigned i = 0; i < PER_THREAD; i++) {
        refusals_add(context, BASE + i, REFUSAL_RATE_LIMITED);
    }
    return NULL;
}

static void threads_count_together(void **state)
{
    pthread_t threads[THREADS];
    struct refusals *refusals = refusals_of(*state, BASE);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, refusals), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(total(refusals, BASE + PER_THREAD), THREADS * PER_THREAD);
    refusals_free(refusals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WRITER_KIT(nothing_was_refused_at_first),
        WITH_WRITER_KIT(the_most_frequent_come_first),
        WITH_WRITER_KIT(a_day_passes),
        WITH_WRITER_KIT(a_clock_that_goes_back_shows_no_future),
        WITH_WRITER_KIT(a_restart_counts_what_was_stored),
        WITH_WRITER_KIT(threads_count_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
