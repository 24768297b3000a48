// SPDX-License-Identifier: Apache-2.0
// CRLs from the store's entries, by a CA at work: when one is made and when not, what is in it, and
// for how long an old CA gets them.
#include "server/crl.h"

#include "server/desk_kit.h"

#define HOUR_SEC 3600

static void publish(struct desk *desk, enum crl_occasion occasion)
{
    struct err err = {0};
    if (crl_publish(&desk->live, occasion, desk->bench.now, &err) != ERR_OK) {
        fail_msg("publish: %s", err.text);
    }
}

static void the_first_is_made_at_once(void **state)
{
    struct desk *desk = *state;
    const struct generation *ca = credentials_issuing(desk_credentials(desk));
    assert_int_equal(desk_number(desk), 0);
    publish(desk, CRL_WHEN_DUE);
    struct crl crl = desk_crl(desk, ca);
    assert_int_equal(crl.stored.number, crl_first_number(KIT_NOW));
    assert_int_equal(crl.stored.entries, 0);
    assert_memory_equal(crl.stored.issuer, ca->id, SHA256_LEN);
    assert_int_equal(crl.stored.this_update, KIT_NOW);
    assert_int_equal(crl.stored.next_update, KIT_NOW + 2 * DESK_CRL_HALF);
    assert_int_equal(X509_NAME_cmp(X509_CRL_get_issuer(crl.crl), X509_get_subject_name(ca->cert)),
                     0);
    crl_done(&crl);
}

// RFC 5280, 5.2.3: a store may be lost, and its CA goes on.
static void numbers_begin_with_the_time(void **state)
{
    struct desk *desk = *state;
    static const struct {
        int64_t now;
        uint64_t number;
    } rows[] = {
        {INT64_MIN, 1},           {0, 1},          {1577836799, 1},      {1577836800, 1},
        {1577836801, 1},          {1577836802, 2}, {KIT_NOW, 222163200}, {KIT_NOW + 1, 222163201},
        {4294967296, 2717130496},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(crl_first_number(rows[i].now), rows[i].number);
    }
    // An empty store an hour later is ahead of one that made a CRL a minute.
    for (unsigned i = 0; i < 3; i++) {
        publish(desk, CRL_IN_ANY_CASE);
    }
    struct crl last = desk_crl(desk, credentials_issuing(desk_credentials(desk)));
    assert_int_equal(last.stored.number, crl_first_number(KIT_NOW) + 2);
    desk_close(desk);
    desk_open(desk);
    desk_go_to(desk, KIT_NOW + HOUR_SEC);
    publish(desk, CRL_WHEN_DUE);
    struct crl first = desk_crl(desk, credentials_issuing(desk_credentials(desk)));
    assert_true(first.stored.number > last.stored.number);
    crl_done(&first);
    crl_done(&last);
}

// Revocations that an older store had are not known to a new one; who runs it is told, once.
static void the_first_crl_of_an_older_ca_is_told(void **state)
{
    struct desk *desk = *state;
    static struct desk_log captured;
    int64_t since = 0;
    const struct generation *ca = credentials_issuing(desk_credentials(desk));
    assert_true(ossl_time_read(X509_get0_notBefore(ca->cert), &since));
    log_set_level(LOG_LEVEL_WARNING);
    static const struct {
        int64_t age;
        bool is_told;
    } rows[] = {{DAY_SEC, false}, {DAY_SEC + 1, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        desk_go_to(desk, since + rows[i].age);
        for (unsigned time = 0; time < 2; time++) {
            desk_log_begin(&captured);
            publish(desk, CRL_IN_ANY_CASE);
            desk_log_end(&captured);
            bool is_told = strstr(captured.text, "older than a day") != NULL;
            assert_int_equal(is_told, rows[i].is_told && time == 0);
        }
        desk_close(desk);
        desk_open(desk);
    }
    log_set_level(LOG_LEVEL_ERROR);
}

static void the_next_comes_at_half_of_its_life(void **state)
{
    struct desk *desk = *state;
    publish(desk, CRL_WHEN_DUE);
    publish(desk, CRL_WHEN_DUE);
    assert_int_equal(desk_number(desk), 1);
    desk_go_to(desk, KIT_NOW + DESK_CRL_HALF - 1);
    publish(desk, CRL_WHEN_DUE);
    assert_int_equal(desk_number(desk), 1);
    desk_go_to(desk, KIT_NOW + DESK_CRL_HALF);
    publish(desk, CRL_WHEN_DUE);
    assert_int_equal(desk_number(desk), 2);
    // Its own life counts from then on.
    desk_go_to(desk, KIT_NOW + 2 * DESK_CRL_HALF - 1);
    publish(desk, CRL_WHEN_DUE);
    assert_int_equal(desk_number(desk), 2);
    desk_go_to(desk, KIT_NOW + 2 * DESK_CRL_HALF);
    publish(desk, CRL_WHEN_DUE);
    assert_int_equal(desk_number(desk), 3);
}

static void assert_reason(const struct crl *crl, const uint8_t serial[SERIAL_LEN], long reason)
{
    X509_REVOKED *entry = crl_entry(crl, serial);
    assert_non_null(entry);
    ASN1_ENUMERATED *code = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
    assert_int_equal(code != NULL ? ASN1_ENUMERATED_get(code) : 0, reason);
    assert_true(code != NULL || reason == 0); // unspecified is not said
    ASN1_ENUMERATED_free(code);
    time_t revoked_at = KIT_NOW;
    assert_int_equal(X509_cmp_time(X509_REVOKED_get0_revocationDate(entry), &revoked_at), -1);
    revoked_at--;
    assert_int_equal(X509_cmp_time(X509_REVOKED_get0_revocationDate(entry), &revoked_at), 1);
}

static void a_revocation_makes_one_in_any_case(void **state)
{
    struct desk *desk = *state;
    static const enum revocation_reason reasons[PHONES] = {
        REVOCATION_UNSPECIFIED, REVOCATION_KEY_COMPROMISE, REVOCATION_SUPERSEDED};
    uint8_t serials[PHONES][SERIAL_LEN];
    publish(desk, CRL_WHEN_DUE);
    for (unsigned i = 0; i < PHONES; i++) {
        desk_enrol_serial(desk, i, serials[i]);
    }
    for (unsigned i = 0; i < PHONES; i++) {
        desk_revoke(desk, serials[i], reasons[i]);
        publish(desk, CRL_IN_ANY_CASE);
        assert_int_equal(desk_number(desk), 2 + i);
        for (unsigned j = 0; j < PHONES; j++) {
            assert_int_equal(desk_lists(desk, serials[j]), j <= i);
        }
    }
    struct crl crl = desk_crl(desk, credentials_issuing(desk_credentials(desk)));
    for (unsigned i = 0; i < PHONES; i++) {
        assert_reason(&crl, serials[i], (long)reasons[i]);
    }
    crl_done(&crl);
    publish(desk, CRL_WHEN_DUE);
    assert_int_equal(desk_number(desk), 4);
}

// Who had a CRL from before sees the entry once more; then it goes.
static void entries_stay_for_one_life_more(void **state)
{
    struct desk *desk = *state;
    struct answer answer = desk_enrol(desk, 0);
    struct store_certificate stored = stored_of(&desk->bench, &answer);
    const int64_t last = stored.not_after + 2 * DESK_CRL_HALF;
    desk_revoke(desk, answer.report.serial, REVOCATION_UNSPECIFIED);
    desk_go_to(desk, last);
    publish(desk, CRL_IN_ANY_CASE);
    assert_true(desk_lists(desk, answer.report.serial));
    desk_go_to(desk, last + 1);
    publish(desk, CRL_IN_ANY_CASE);
    assert_false(desk_lists(desk, answer.report.serial));
    store_certificate_done(&stored);
    answer_done(&answer);
}

// The CA does not answer at a revocation: what is due is known from the store alone.
static void what_could_not_be_made_is_due(void **state)
{
    struct desk *desk = *state;
    struct err err = {0};
    uint8_t serial[SERIAL_LEN];
    static struct desk_log captured;
    desk_enrol_serial(desk, 0, serial);
    publish(desk, CRL_WHEN_DUE);
    desk_go_to(desk, KIT_NOW + HOUR_SEC);
    desk_revoke(desk, serial, REVOCATION_KEY_COMPROMISE);
    site_stop_ca(&desk->site);
    desk_log_begin(&captured);
    enum err_code code = crl_publish(&desk->live, CRL_IN_ANY_CASE, desk->bench.now, &err);
    desk_log_end(&captured);
    const char *name = credentials_issuing(desk_credentials(desk))->name;
    assert_int_equal(code, ERR_BUSY);
    assert_int_equal(err.code, ERR_BUSY);
    assert_says(err.text, "the CRL of CA ");
    assert_says(err.text, name);
    assert_says(captured.text, "event=crl ");
    assert_says(captured.text, name);
    assert_int_equal(desk_number(desk), 1);
    // An administrator does not ask again; the next look does.
    desk_go_to(desk, KIT_NOW + HOUR_SEC + 60);
    desk_log_begin(&captured);
    code = crl_publish(&desk->live, CRL_WHEN_DUE, desk->bench.now, NULL);
    desk_log_end(&captured);
    assert_int_equal(code, ERR_BUSY);
    site_start_ca(&desk->site, desk_ca_clock);
    publish(desk, CRL_WHEN_DUE);
    assert_int_equal(desk_number(desk), 2);
    assert_true(desk_lists(desk, serial));
    publish(desk, CRL_WHEN_DUE);
    assert_int_equal(desk_number(desk), 2);
}

// The last CRL was made when the clock was ahead: nobody takes it before it begins.
static void a_clock_set_back(void **state)
{
    struct desk *desk = *state;
    uint8_t serial[SERIAL_LEN];
    desk_enrol_serial(desk, 0, serial);
    desk->first_crl = KIT_NOW + DAY_SEC;
    desk_go_to(desk, desk->first_crl);
    desk_revoke(desk, serial, REVOCATION_UNSPECIFIED);
    publish(desk, CRL_WHEN_DUE);
    assert_int_equal(desk_number(desk), 1);
    desk_go_to(desk, KIT_NOW);
    publish(desk, CRL_WHEN_DUE);
    assert_int_equal(desk_number(desk), 2);
    assert_true(desk_lists(desk, serial));
    // The entry in the future is listed; it does not call for one CRL after the other.
    for (unsigned i = 1; i < 4; i++) {
        desk_go_to(desk, KIT_NOW + 60 * (int64_t)i);
        publish(desk, CRL_WHEN_DUE);
    }
    assert_int_equal(desk_number(desk), 2);
}

static void the_next_ca_has_one(void **state)
{
    struct desk *desk = *state;
    desk_prepare(desk);
    desk_must_reload(desk);
    publish(desk, CRL_WHEN_DUE);
    const struct generation *next = desk_generation(desk, GENERATION_NEXT);
    assert_non_null(next);
    assert_int_equal(desk_crl_number(desk, next), 1);
    assert_int_equal(desk_number(desk), 1);
}

// Up to one CRL's life after its last certificate. Entries follow the CA that issued.
static void an_old_ca_has_them_to_the_end(void **state)
{
    struct desk *desk = *state;
    struct answer answer = desk_enrol(desk, 0);
    struct store_certificate stored = stored_of(&desk->bench, &answer);
    const int64_t end = stored.not_after + 2 * DESK_CRL_HALF;
    desk_roll_over(desk);
    const struct generation *old = desk_generation(desk, GENERATION_OLD);
    assert_non_null(old);
    assert_memory_equal(old->id, stored.issuer, SHA256_LEN);
    publish(desk, CRL_WHEN_DUE);
    assert_int_equal(desk_crl_number(desk, old), 1);
    desk_revoke(desk, answer.report.serial, REVOCATION_UNSPECIFIED);
    publish(desk, CRL_IN_ANY_CASE);
    assert_false(desk_lists(desk, answer.report.serial)); // of the present CA
    struct crl crl = desk_crl(desk, old);
    assert_int_equal(crl.stored.number, crl_first_number(KIT_NOW) + 1);
    assert_true(crl_lists(&crl, answer.report.serial));
    crl_done(&crl);
    desk_go_to(desk, end);
    publish(desk, CRL_WHEN_DUE);
    assert_int_equal(desk_crl_number(desk, old), 3);
    assert_int_equal(desk_number(desk), 3);
    desk_go_to(desk, end + 1);
    publish(desk, CRL_IN_ANY_CASE);
    assert_int_equal(desk_crl_number(desk, old), 3);
    assert_int_equal(desk_number(desk), 4);
    desk_go_to(desk, end + DAY_SEC * 30);
    publish(desk, CRL_WHEN_DUE);
    assert_int_equal(desk_crl_number(desk, old), 3);
    assert_int_equal(desk_number(desk), 5);
    store_certificate_done(&stored);
    answer_done(&answer);
}

static void an_old_ca_without_certificates_has_none(void **state)
{
    struct desk *desk = *state;
    desk_roll_over(desk);
    publish(desk, CRL_IN_ANY_CASE);
    assert_int_equal(desk_crl_number(desk, desk_generation(desk, GENERATION_OLD)), 0);
    assert_int_equal(desk_number(desk), 1);
}

// scepd-ca does not know the next CA yet.
static void one_that_fails_does_not_keep_others(void **state)
{
    struct desk *desk = *state;
    struct err err = {0};
    static struct desk_log captured;
    desk_prepare(desk);
    desk_use(desk, site_policy(desk->site.config));
    const struct generation *next = desk_generation(desk, GENERATION_NEXT);
    assert_non_null(next);
    for (uint64_t i = 1; i < 3; i++) {
        desk_log_begin(&captured);
        enum err_code code = crl_publish(&desk->live, CRL_IN_ANY_CASE, KIT_NOW, &err);
        desk_log_end(&captured);
        assert_int_equal(code, ERR_DENIED);
        assert_says(err.text, next->name);
        assert_says(captured.text, next->name);
        assert_int_equal(desk_number(desk), i);
        assert_int_equal(desk_crl_number(desk, next), 0);
    }
}

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        DESK_TEST(the_first_is_made_at_once),
        DESK_TEST(numbers_begin_with_the_time),
        DESK_TEST(the_first_crl_of_an_older_ca_is_told),
        DESK_TEST(the_next_comes_at_half_of_its_life),
        DESK_TEST(a_revocation_makes_one_in_any_case),
        DESK_TEST(entries_stay_for_one_life_more),
        DESK_TEST(what_could_not_be_made_is_due),
        DESK_TEST(a_clock_set_back),
        DESK_TEST(the_next_ca_has_one),
        DESK_TEST(an_old_ca_has_them_to_the_end),
        DESK_TEST(an_old_ca_without_certificates_has_none),
        DESK_TEST(one_that_fails_does_not_keep_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
