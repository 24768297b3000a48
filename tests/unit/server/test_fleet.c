// SPDX-License-Identifier: Apache-2.0
// The fleet at KIT_NOW: states by the outlook's definition, buckets, CA and CRL; how long a count
// is good; and /v1/fleet.
#include "admin_client.h"

#include "server/admin/admin_resources.h"
#include "server/outlook.h"

#define DAY ((int64_t)DAY_SEC)

static const struct fleet *look(struct fixture *fixture, int64_t now)
{
    struct err err = {0};
    const struct fleet *fleet = NULL;
    if (fleet_get(&fixture->live, now, &fleet, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    return fleet;
}

static void add(struct fixture *fixture, uint8_t number, int64_t left_sec)
{
    char cn[32];
    snprintf(cn, sizeof cn, "phone-%u", number);
    fixture_add_certificate(fixture, number, cn, "", KIT_NOW + left_sec);
}

static void revoke_number(struct fixture *fixture, uint8_t number)
{
    struct write_order order = {.kind = WRITE_REVOKE, .now = KIT_NOW, .revocation_reason = 4};
    order.certificate.serial[0] = 1;
    order.certificate.serial[1] = number;
    assert_int_equal(writer_submit_and_wait(fixture->live.writer, &order, NULL), ERR_OK);
}

static void assert_states(const struct fleet *fleet, const uint64_t states[OUTLOOK_STATE_MAX])
{
    assert_int_equal(fleet->ok, states[OUTLOOK_OK]);
    assert_int_equal(fleet->due, states[OUTLOOK_DUE]);
    assert_int_equal(fleet->late, states[OUTLOOK_LATE]);
    assert_int_equal(fleet->expired, states[OUTLOOK_EXPIRED]);
    assert_int_equal(fleet->revoked, states[OUTLOOK_REVOKED]);
    assert_int_equal(fleet->enrolled,
                     fleet->ok + fleet->due + fleet->late + fleet->expired + fleet->revoked);
}

static void nobody_is_enrolled(void **state)
{
    const struct fleet *fleet = look(*state, KIT_NOW);
    assert_states(fleet, (const uint64_t[OUTLOOK_STATE_MAX]){0});
    assert_int_equal(fleet->as_of, KIT_NOW);
    assert_false(fleet->has_crl);
    assert_int_equal(fleet->refused.total, 0);
    assert_true(fleet->ra_not_after > 0);
    assert_true(fleet->issuing_not_after >= fleet->ra_not_after);
    assert_true(fleet->root_not_after >= fleet->issuing_not_after);
}

// The same rows through outlook_of(): there is one definition.
static void states_are_those_of_the_outlook(void **state)
{
    static const int64_t left_sec[] = {-400 * DAY,   -1,        0,         1,
                                       14 * DAY - 1, 14 * DAY,  15 * DAY,  30 * DAY - 1,
                                       30 * DAY,     100 * DAY, 5000 * DAY};
    uint64_t expected[OUTLOOK_STATE_MAX] = {0};
    for (size_t i = 0; i < sizeof left_sec / sizeof left_sec[0]; i++) {
        struct store_certificate record =
            fixture_certificate((uint8_t)i, "x", "", KIT_NOW + left_sec[i]);
        const struct outlook_facts facts = {
            .certificate = &record, .now = KIT_NOW, .within_sec = ADMIN_DUE_DAYS * DAY};
        expected[outlook_of(&facts).state]++;
        add(*state, (uint8_t)i, left_sec[i]);
    }
    assert_states(look(*state, KIT_NOW), expected);
}

// One that is over, too, is expired: lists of revoked certificates forget it.
static void revoked_ones_are_neither_due_nor_late(void **state)
{
    static const int64_t left_sec[] = {-DAY, DAY, 20 * DAY, 200 * DAY, 201 * DAY};
    for (uint8_t i = 0; i < 5; i++) {
        add(*state, i, left_sec[i]);
    }
    for (uint8_t i = 0; i < 4; i++) {
        revoke_number(*state, i);
    }
    assert_states(look(*state, KIT_NOW), (const uint64_t[]){[OUTLOOK_OK] = 1,
                                                            [OUTLOOK_DUE] = 0,
                                                            [OUTLOOK_LATE] = 0,
                                                            [OUTLOOK_EXPIRED] = 1,
                                                            [OUTLOOK_REVOKED] = 3});
}

static void add_server(struct fixture *fixture, uint8_t number, const char *cn, int64_t left_sec)
{
    struct store_certificate record = fixture_certificate(number, cn, "", KIT_NOW + left_sec);
    record.kind = CERTIFICATE_OF_SERVER;
    record.origin = ORIGIN_ADMINISTRATOR;
    fixture_write_certificate(fixture, &record);
}

static void servers_are_counted_apart(void **state)
{
    static const uint64_t nobody[OUTLOOK_STATE_MAX];
    add_server(*state, 1, "late.example", DAY);
    add_server(*state, 2, "revoked.example", DAY - 1);
    add_server(*state, 3, "over.example", 0);
    add_server(*state, 4, "gone.example", -31 * DAY);
    add_server(*state, 5, "good.example", 300 * DAY);
    revoke_number(*state, 2);
    const struct fleet *fleet = look(*state, KIT_NOW);
    assert_states(fleet, nobody);
    for (size_t i = 0; i < FLEET_BUCKETS; i++) {
        assert_int_equal(fleet->expiry[i].count, 0);
    }
    assert_int_equal(fleet->servers.valid, 2);
    assert_int_equal(fleet->servers.revoked, 1);
    assert_int_equal(fleet->servers.expired, 2);
    assert_int_equal(fleet->servers.expired_lately, 1);
    assert_int_equal(fleet->servers.next_not_after, KIT_NOW + DAY);
    assert_string_equal(fleet->servers.next_name, "late.example");
    expect(*state, (const char *const[]){"GET", "/v1/fleet", NULL}, 200, "\"servers\":{\"valid\":");
}

static void buckets_join_without_gaps(void **state)
{
    static const int64_t ends[FLEET_BUCKETS - 2] = {15, 30, 60, 90, 180, 365, 730};
    uint8_t number = 0;
    add(*state, number++, -DAY);
    for (size_t i = 0; i < FLEET_BUCKETS - 2; i++) {
        add(*state, number++, ends[i] * DAY - 1); // in the bucket that ends there
        add(*state, number++, ends[i] * DAY);     // in the one behind it
    }
    const struct fleet *fleet = look(*state, KIT_NOW);
    assert_true(fleet->expiry[0].from == INT64_MIN);
    assert_int_equal(fleet->expiry[0].until, KIT_NOW);
    assert_int_equal(fleet->expiry[0].count, 1);
    uint64_t all = fleet->expiry[0].count;
    for (size_t i = 1; i < FLEET_BUCKETS; i++) {
        const struct fleet_bucket *bucket = &fleet->expiry[i];
        bool is_last = i == FLEET_BUCKETS - 1;
        assert_int_equal(bucket->from, fleet->expiry[i - 1].until);
        assert_true(bucket->until == (is_last ? INT64_MAX : KIT_NOW + ends[i - 1] * DAY));
        assert_int_equal(bucket->count, i == 1 || is_last ? 1 : 2);
        all += bucket->count;
    }
    assert_int_equal(all, fleet->enrolled);
}

static void a_small_fleet_is_counted_for_everybody(void **state)
{
    add(*state, 1, 100 * DAY);
    assert_int_equal(look(*state, KIT_NOW)->enrolled, 1);
    add(*state, 2, 100 * DAY);
    assert_int_equal(look(*state, KIT_NOW)->enrolled, 2);
}

// As if there were many: the count itself says how many there were.
static void a_large_one_is_counted_now_and_then(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, 1, 100 * DAY);
    static const struct {
        int64_t later_sec;
        bool is_kept;
    } rows[] = {{0, true},
                {FLEET_KEEP_SEC - 1, true},
                {FLEET_KEEP_SEC, false},
                {-1, false}}; // the clock was set back
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)look(fixture, KIT_NOW);
        fixture->live.fleet.enrolled = FLEET_SMALL + 1;
        uint64_t enrolled = look(fixture, KIT_NOW + rows[i].later_sec)->enrolled;
        assert_int_equal(enrolled, rows[i].is_kept ? FLEET_SMALL + 1 : 1);
        fixture->live.fleet.enrolled = 0;
    }
}

static void refusals_are_in_it(void **state)
{
    struct fixture *fixture = *state;
    struct refusals *refusals = NULL;
    assert_int_equal(refusals_new(fixture->live.store, KIT_NOW, &refusals, NULL), ERR_OK);
    refusals_add(refusals, KIT_NOW, REFUSAL_WRONG_CHALLENGE);
    refusals_add(refusals, KIT_NOW, REFUSAL_WRONG_CHALLENGE);
    refusals_add(refusals, KIT_NOW, REFUSAL_BAD_NAMES);
    fixture->live.refusals = refusals;
    const struct admin_request request = {.live = &fixture->live, .now = KIT_NOW};
    json_t *body = NULL;
    assert_int_equal(admin_get_fleet(&request, &body, NULL), ERR_OK);
    const json_t *refused = json_object_get(body, "refused_last_day");
    const json_t *first = json_array_get(json_object_get(refused, "reasons"), 0);
    assert_int_equal(json_integer_value(json_object_get(refused, "total")), 3);
    assert_string_equal(text_of(first, "reason"), "wrong_challenge");
    assert_int_equal(json_integer_value(json_object_get(first, "count")), 2);
    json_decref(body);
    fixture->live.refusals = NULL;
    refusals_free(refusals);
}

static void assert_number(const json_t *object, const char *key, int64_t expected)
{
    const json_t *number = json_object_get(object, key);
    if (!json_is_integer(number) || json_integer_value(number) != expected) {
        fail_msg("%s is not %jd", key, (intmax_t)expected);
    }
}

static void is_told_as_json(void **state)
{
    struct fixture *fixture = *state;
    struct store_crl crl = {
        .number = 7, .this_update = KIT_NOW - 100, .next_update = KIT_NOW + DAY, .entries = 2};
    assert_int_equal(buf_copy(view_of_text("crl"), &crl.der, NULL), ERR_OK);
    struct policy *policy = live_policy_get(fixture->live.policy);
    memcpy(crl.issuer, credentials_issuing(policy->credentials)->id, SHA256_LEN);
    policy_unref(policy);
    struct write_order order = {.kind = WRITE_CRL, .now = KIT_NOW, .crl = &crl};
    assert_int_equal(writer_submit_and_wait(fixture->live.writer, &order, NULL), ERR_OK);
    add(fixture, 1, 100 * DAY);
    add(fixture, 2, 20 * DAY);
    add(fixture, 3, DAY);
    const struct admin_request request = {.live = &fixture->live, .now = KIT_NOW};
    json_t *body = NULL;
    assert_int_equal(admin_get_fleet(&request, &body, NULL), ERR_OK);
    assert_string_equal(text_of(body, "as_of"), "2027-01-15T08:00:00Z");
    static const char *const keys[] = {"enrolled", "valid",   "due",    "late",
                                       "expired",  "revoked", "pending"};
    static const int64_t values[] = {3, 3, 1, 1, 0, 0, 0};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_number(body, keys[i], values[i]);
    }
    const json_t *expiry = json_object_get(body, "expiry");
    assert_int_equal(json_array_size(expiry), FLEET_BUCKETS);
    assert_true(json_is_null(json_object_get(json_array_get(expiry, 0), "from")));
    assert_string_equal(text_of(json_array_get(expiry, 0), "until"), "2027-01-15T08:00:00Z");
    assert_true(json_is_null(json_object_get(json_array_get(expiry, FLEET_BUCKETS - 1), "until")));
    const json_t *told = json_object_get(body, "crl");
    assert_number(told, "number", 7);
    assert_number(told, "entries", 2);
    assert_number(told, "age_seconds", 100);
    assert_string_equal(text_of(told, "next_update"), "2027-01-16T08:00:00Z");
    assert_true(json_is_false(json_object_get(json_object_get(body, "ca"), "answering")));
    assert_non_null(json_string_value(json_object_get(json_object_get(body, "ra"), "not_after")));
    assert_number(json_object_get(body, "store"), "certificates", 3);
    json_decref(body);
    store_crl_done(&crl);
    expect(*state, (const char *const[]){"GET", "/v1/fleet", NULL}, 200, "\"as_of\"");
    expect(*state, (const char *const[]){"GET", "/v1/fleet?days=3", NULL}, 400, "no arguments");
    expect(*state, (const char *const[]){"POST", "/v1/fleet", "{}"}, 405, "method");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(nobody_is_enrolled),
        FIXTURE_TEST(states_are_those_of_the_outlook),
        FIXTURE_TEST(revoked_ones_are_neither_due_nor_late),
        FIXTURE_TEST(servers_are_counted_apart),
        FIXTURE_TEST(buckets_join_without_gaps),
        FIXTURE_TEST(a_small_fleet_is_counted_for_everybody),
        FIXTURE_TEST(a_large_one_is_counted_now_and_then),
        FIXTURE_TEST(refusals_are_in_it),
        FIXTURE_TEST(is_told_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
