// SPDX-License-Identifier: Apache-2.0
// What a request adds to: one result, one duration, and of a message its algorithms and refusal.
#include "kit/kit.h"
#include "server/counters.h"

static uint64_t sum(const _Atomic uint64_t *counts, size_t count)
{
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++) {
        all += counts[i];
    }
    return all;
}

static void each_request_has_one_result(void **state)
{
    (void)state;
    static const struct {
        const char *decision; // NULL = no message was looked at
        unsigned status;
        enum counters_result result;
    } rows[] = {
        {NULL, 200, RESULT_OK},
        {NULL, 404, RESULT_BAD_HTTP},
        {NULL, 413, RESULT_BAD_HTTP},
        {NULL, 500, RESULT_ERROR},
        {NULL, 503, RESULT_ERROR},
        {"issue", 200, RESULT_ISSUE},
        {"replay", 200, RESULT_REPLAY},
        {"give", 200, RESULT_GIVE},
        {"pending", 200, RESULT_PENDING},
        {"refuse", 200, RESULT_REFUSE},
        {"unanswerable", 400, RESULT_UNANSWERABLE},
        {"unavailable", 503, RESULT_UNAVAILABLE},
        {"something new", 200, RESULT_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct counters counters = {0};
        const struct enroll_report report = {.decision = rows[i].decision};
        const struct request_line line = {
            .operation = OPERATION_PKI,
            .status = rows[i].status,
            .report = rows[i].decision != NULL ? &report : NULL,
        };
        counters_add(&counters, &line);
        assert_int_equal(counters.requests[OPERATION_PKI][rows[i].result], 1);
        assert_int_equal(sum(&counters.requests[0][0], OPERATION_MAX * RESULT_MAX), 1);
        assert_int_equal(sum(counters.digests, COUNTERS_DIGESTS), 0);
        assert_int_equal(sum(counters.refusals, REFUSAL_MAX), 0);
    }
}

static void durations_have_bounds(void **state)
{
    (void)state;
    static const struct {
        int64_t took_us;
        size_t bucket;
    } rows[] = {{-5, 0},     {0, 0},       {1000, 0},         {1001, 1},
                {999999, 9}, {1000000, 9}, {10000000, 11},    {10000001, 12},
                {24999, 4},  {2500, 1},    {3600000000LL, 12}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct counters counters = {0};
        const struct request_line line = {
            .operation = OPERATION_GET_CA_CERT, .status = 200, .total_us = rows[i].took_us};
        counters_add(&counters, &line);
        const struct counters_durations *durations = &counters.durations[OPERATION_GET_CA_CERT];
        assert_int_equal(durations->counts[rows[i].bucket], 1);
        assert_int_equal(sum(durations->counts, COUNTERS_BOUNDS + 1), 1);
        assert_int_equal(durations->sum_us, rows[i].took_us > 0 ? rows[i].took_us : 0);
    }
    for (size_t i = 1; i < COUNTERS_BOUNDS; i++) {
        assert_true(counters_bound_us(i) > counters_bound_us(i - 1));
    }
}

static void algorithms_and_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *digest;
        const char *cipher;
        const char *digest_counted;
        const char *cipher_counted;
    } rows[] = {
        {"SHA1", "DES-EDE3-CBC", "SHA1", "DES-EDE3-CBC"},
        {"SHA256", "AES-128-CBC", "SHA256", "AES-128-CBC"},
        {"MD5", "DES-CBC", "MD5", "DES-CBC"},
        {"SHAKE256\"} 1\n", "RC2-CBC", "other", "other"}, // a client must not make families grow
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct counters counters = {0};
        const struct enroll_report report = {.decision = "refuse",
                                             .digest = rows[i].digest,
                                             .cipher = rows[i].cipher,
                                             .refusal = REFUSAL_WRONG_CHALLENGE};
        const struct request_line line = {
            .operation = OPERATION_PKI, .status = 200, .report = &report};
        counters_add(&counters, &line);
        assert_int_equal(sum(counters.digests, COUNTERS_DIGESTS), 1);
        assert_int_equal(sum(counters.ciphers, COUNTERS_CIPHERS), 1);
        assert_int_equal(counters.refusals[REFUSAL_WRONG_CHALLENGE], 1);
        for (size_t j = 0; j < COUNTERS_DIGESTS; j++) {
            bool is_counted = strcmp(counters_digest_name(j), rows[i].digest_counted) == 0;
            assert_int_equal(counters.digests[j], is_counted);
        }
        for (size_t j = 0; j < COUNTERS_CIPHERS; j++) {
            bool is_counted = strcmp(counters_cipher_name(j), rows[i].cipher_counted) == 0;
            assert_int_equal(counters.ciphers[j], is_counted);
        }
    }
}

static void what_is_out_of_range_is_counted_elsewhere_or_not(void **state)
{
    (void)state;
    struct counters counters = {0};
    const struct enroll_report report = {.decision = "refuse", .refusal = REFUSAL_MAX};
    const struct request_line line = {
        .operation = (enum operation)1000, .status = 200, .report = &report};
    counters_add(&counters, &line);
    assert_int_equal(counters.requests[OPERATION_UNKNOWN][RESULT_REFUSE], 1);
    assert_int_equal(sum(counters.refusals, REFUSAL_MAX), 0);
    assert_string_equal(counters_result_name(RESULT_MAX), "?");
    assert_string_equal(counters_digest_name(1000), "other");
    assert_string_equal(counters_cipher_name(1000), "other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_has_one_result),
        cmocka_unit_test(durations_have_bounds),
        cmocka_unit_test(algorithms_and_refusals),
        cmocka_unit_test(what_is_out_of_range_is_counted_elsewhere_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
