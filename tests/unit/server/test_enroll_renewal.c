// SPDX-License-Identifier: Apache-2.0
// Renewals through the whole conveyor: decided by who signed, not by messageType.
#include "ra/enroll.h"

#include "server/enroll_bench.h"

#define RENEWED       "renewal"
#define ISSUED_STATIC "static challenge"
#define REPEAT        "repeat of an answered request"
#define EARLY_SAME    "too early for a renewal: the present certificate again"
#define EARLY_NEW     "too early for a renewal with a new key"
#define EXPIRED       "signer certificate has expired"
#define NOT_YET       "signer certificate is not valid yet"
#define REVOKED       "signer certificate was revoked"
#define OTHER_NAMES   "the names asked for are not those of the signer"
#define UNLISTED      "device is not on the device list"
#define GRACE_DAYS    7

static int64_t end_of(struct bench *bench, const struct answer *answer)
{
    struct store_certificate stored = stored_of(bench, answer);
    int64_t end = stored.not_after;
    store_certificate_done(&stored);
    return end;
}

static int64_t window_of(const struct bench *bench)
{
    return (int64_t)bench->policy->settings->renewal.window_days * DAY_SEC;
}

// Phone 0's first certificate, and the clock at the first moment of its renewal window.
static struct answer enrol_and_wait(struct bench *bench)
{
    struct answer first = send_ask(bench, &(struct ask){.challenge = STATIC_CHALLENGE});
    expect_success(&first, "issue", ISSUED_STATIC);
    go_to(bench, end_of(bench, &first) - window_of(bench));
    return first;
}

// A renewal by the certificate in `signer`, with the key of phone 0.
static struct ask renewal_of(const struct answer *signer, EVP_PKEY *key)
{
    return (struct ask){.signer = signer->cert, .signer_key = site.phones[0].key, .key = key};
}

static void revoke_certificate(struct bench *bench, const struct answer *answer)
{
    struct write_order order = {.kind = WRITE_REVOKE, .now = bench->now};
    memcpy(order.certificate.serial, answer->report.serial, SERIAL_LEN);
    assert_int_equal(writer_submit_and_wait(bench->writer, &order, NULL), ERR_OK);
}

// ---- in time ----

static void expect_renewed(struct bench *bench, const struct answer *first,
                           const struct answer *second)
{
    struct store_certificate old = stored_of(bench, first);
    struct store_certificate new = stored_of(bench, second);
    assert_memory_equal(new.renews, old.serial, SERIAL_LEN);
    assert_string_equal(new.device, old.device);
    assert_string_equal(new.common_name, old.common_name);
    assert_int_equal(new.origin, old.origin);
    assert_int_equal(new.signer_class, SIGNER_OURS);
    assert_true(new.not_after > old.not_after);
    assert_int_equal(new.superseded_at, 0);
    // The phone keeps the old one until it has the new one.
    assert_int_equal(old.status, CERTIFICATE_VALID);
    assert_int_equal(old.superseded_at, bench->now);
    store_certificate_done(&old);
    store_certificate_done(&new);
}

// Row 7 of tests/phone_rows.txt.
static void a_certificate_renews_itself(void **state)
{
    struct bench *bench = *state;
    const struct {
        const char *type;
        EVP_PKEY *key; // NULL = the same
    } tests[] = {{"17", NULL}, {"19", kit_key(4)}, {"17", kit_key(5)}};
    struct answer first = enrol_and_wait(bench);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct ask ask = renewal_of(&first, tests[i].key);
        char id[2] = {(char)('a' + i), '\0'};
        ask.type = tests[i].type;
        ask.transaction_id = id;
        go_to(bench, bench->now + 1);
        struct answer second = send_ask(bench, &ask);
        expect_success(&second, "issue", RENEWED);
        expect_subject(&second, site.phones[0].common_name);
        assert_int_equal(second.report.signer_class, SIGNER_OURS);
        EVP_PKEY *key = tests[i].key != NULL ? tests[i].key : site.phones[0].key;
        assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(second.cert), key), 1);
        struct store_certificate stored = stored_of(bench, &second);
        assert_memory_equal(stored.renews, first.report.serial, SERIAL_LEN);
        store_certificate_done(&stored);
        if (i == 0) {
            expect_renewed(bench, &first, &second);
        }
        answer_done(&second);
    }
    answer_done(&first);
}

// The reply was lost, and the phone begins anew: another transactionID, the same key.
static void a_lost_renewal_is_not_issued_twice(void **state)
{
    struct bench *bench = *state;
    struct answer first = enrol_and_wait(bench);
    struct ask ask = renewal_of(&first, NULL);
    ask.type = "19";
    ask.transaction_id = "a";
    struct answer second = send_ask(bench, &ask);
    expect_success(&second, "issue", RENEWED);
    ask.type = "17";
    ask.transaction_id = "b";
    struct answer third = send_ask(bench, &ask);
    expect_success(&third, "replay", REPEAT " under a new transactionID");
    assert_int_equal(X509_cmp(second.cert, third.cert), 0);
    answer_done(&third);
    answer_done(&second);
    answer_done(&first);
}

// sscep and strongSwan come with the first enrolment's transactionID and PKCS#10.
static void the_same_request_renews_when_the_certificate_signs(void **state)
{
    struct bench *bench = *state;
    struct answer first = enrol_and_wait(bench);
    struct buf csr = csr_of(bench, &(struct ask){.challenge = STATIC_CHALLENGE});
    struct ask ask = renewal_of(&first, NULL);
    struct kit_message message = message_of(bench, &ask, buf_view(&csr));
    struct answer second = send_message(bench, &message);
    expect_success(&second, "issue", RENEWED);
    // The reply was lost: the same again, and a poll, get the same again.
    struct answer repeat = send_message(bench, &message);
    expect_success(&repeat, "replay", REPEAT);
    assert_int_equal(X509_cmp(second.cert, repeat.cert), 0);
    message.message_type.data = "20";
    struct answer polled = send_message(bench, &message);
    expect_success(&polled, "replay", "poll after success");
    assert_int_equal(X509_cmp(second.cert, polled.cert), 0);
    assert_int_equal(count_certificates(bench), 2);
    answer_done(&first);
    answer_done(&second);
    answer_done(&repeat);
    answer_done(&polled);
    buf_done(&csr);
}

static void an_empty_subject_is_the_signers(void **state)
{
    struct bench *bench = *state;
    struct answer first = enrol_and_wait(bench);
    struct ask ask = renewal_of(&first, NULL);
    ask.common_name = "";
    struct answer second = send_ask(bench, &ask);
    expect_success(&second, "issue", RENEWED);
    expect_subject(&second, site.phones[0].common_name);
    answer_done(&first);
    answer_done(&second);
}

// ---- too early ----

static void too_early_gets_what_there_is(void **state)
{
    struct bench *bench = *state;
    struct answer first = enrol_and_wait(bench);
    go_to(bench, bench->now - 1);
    struct ask ask = renewal_of(&first, NULL);
    struct answer same = send_ask(bench, &ask);
    expect_success(&same, "replay", EARLY_SAME);
    assert_int_equal(X509_cmp(first.cert, same.cert), 0);
    ask.key = kit_key(4);
    struct answer other = send_ask(bench, &ask);
    expect_refusal(&other, &(struct expected_refusal){.text = EARLY_NEW, .reason = EARLY_NEW});
    assert_int_equal(count_certificates(bench), 1);
    answer_done(&first);
    answer_done(&same);
    answer_done(&other);
}

// A changed parameter makes the phone enrol anew, challenge and all.
static void too_early_with_a_challenge_is_a_new_enrolment(void **state)
{
    struct bench *bench = *state;
    struct answer first = enrol_and_wait(bench);
    go_to(bench, bench->now - 1);
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge like = {.expires_at = bench->now + DAY_SEC};
    struct store_challenge given = give_challenge(bench, &like, text);
    struct ask ask = renewal_of(&first, NULL);
    ask.challenge = text;
    struct answer second = send_ask(bench, &ask);
    expect_success(&second, "issue", "one-time challenge");
    assert_int_equal(uses_left(bench, &given), 0);
    struct store_certificate stored = stored_of(bench, &second);
    assert_memory_equal(stored.renews, first.report.serial, SERIAL_LEN);
    assert_memory_equal(stored.challenge_hash, given.hash, SHA256_LEN);
    store_certificate_done(&stored);
    answer_done(&first);
    answer_done(&second);
}

// ---- challenges that prove nothing more ----

static void a_challenge_is_ignored_unless_strict(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge given = give_challenge(bench, &(struct store_challenge){0}, text);
    struct answer first = send_ask(bench, &(struct ask){.challenge = text});
    expect_success(&first, "issue", "one-time challenge");
    go_to(bench, end_of(bench, &first) - window_of(bench));
    struct ask ask = renewal_of(&first, kit_key(4));
    ask.challenge = text;
    ask.transaction_id = "strict";
    bench->policy->settings->renewal.challenge = SETTINGS_PROVEN_STRICT;
    struct answer strict = send_ask(bench, &ask);
    expect_refusal(&strict,
                   &(struct expected_refusal){.reason = "the challenge password is used up",
                                              .challenge = CHALLENGE_USED_UP});
    bench->policy->settings->renewal.challenge = SETTINGS_PROVEN_IGNORE;
    struct answer second = send_ask(bench, &ask);
    expect_success(&second, "issue", RENEWED);
    struct store_certificate stored = stored_of(bench, &second);
    const uint8_t none[SHA256_LEN] = {0};
    assert_memory_equal(stored.challenge_hash, none, SHA256_LEN);
    store_certificate_done(&stored);
    assert_int_equal(uses_left(bench, &given), 0);
    answer_done(&first);
    answer_done(&strict);
    answer_done(&second);
}

// A used-up challenge is no alarm when it comes from who used it.
static void an_own_used_challenge_is_no_alarm(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge like = {.expires_at = (int64_t)KIT_NOW + 1000 * (int64_t)DAY_SEC};
    give_challenge(bench, &like, text);
    struct answer first = send_ask(bench, &(struct ask){.challenge = text});
    go_to(bench, end_of(bench, &first) - window_of(bench));
    struct ask ask = renewal_of(&first, NULL);
    ask.challenge = text;
    struct answer second = send_ask(bench, &ask);
    expect_success(&second, "issue", RENEWED);
    assert_int_equal(second.report.challenge, CHALLENGE_USED_UP);
    answer_done(&first);
    answer_done(&second);
}

// ---- signers that do not count ----

// Renewal fails, and the phone's initial enrolment after it works, key and all: row 9 of
// tests/phone_rows.txt.
static void an_expired_certificate_starts_anew(void **state)
{
    struct bench *bench = *state;
    struct answer first = enrol_and_wait(bench);
    int64_t end = end_of(bench, &first);
    struct ask ask = renewal_of(&first, NULL);
    const struct expected_refusal expired = {
        .fail_info = "badTime", .text = EXPIRED, .reason = EXPIRED ": CP-8841-SEP001122334400"};
    go_to(bench, end + 1);
    struct answer refused = send_ask(bench, &ask);
    expect_refusal(&refused, &expired);
    assert_int_equal(refused.report.stage_us[STAGE_DECRYPT], 0);
    struct answer initial = send_ask(bench, &(struct ask){.challenge = STATIC_CHALLENGE});
    expect_success(&initial, "issue", ISSUED_STATIC);
    answer_done(&first);
    answer_done(&refused);
    answer_done(&initial);
}

static void a_grace_lets_it_renew_after_all(void **state)
{
    struct bench *bench = *state;
    struct answer first = enrol_and_wait(bench);
    int64_t end = end_of(bench, &first);
    struct ask ask = renewal_of(&first, NULL);
    bench->policy->settings->renewal.grace_days = GRACE_DAYS;
    go_to(bench, end + (int64_t)GRACE_DAYS * DAY_SEC + 1);
    struct answer refused = send_ask(bench, &ask);
    expect_refusal(&refused, &(struct expected_refusal){.fail_info = "badTime",
                                                        .text = EXPIRED,
                                                        .reason = EXPIRED,
                                                        .is_reason_longer = true});
    go_to(bench, end + (int64_t)GRACE_DAYS * DAY_SEC);
    struct answer renewed = send_ask(bench, &ask);
    expect_success(&renewed, "issue", RENEWED);
    answer_done(&first);
    answer_done(&refused);
    answer_done(&renewed);
}

static void a_clock_before_the_certificate_is_wrong(void **state)
{
    struct bench *bench = *state;
    struct answer first = send_ask(bench, &(struct ask){.challenge = STATIC_CHALLENGE});
    struct ask ask = renewal_of(&first, NULL);
    bench->now = (int64_t)KIT_NOW - DAY_SEC;
    struct answer refused = send_ask(bench, &ask);
    expect_refusal(&refused, &(struct expected_refusal){.fail_info = "badTime",
                                                        .text = NOT_YET,
                                                        .reason = NOT_YET,
                                                        .is_reason_longer = true});
    answer_done(&first);
    answer_done(&refused);
}

static void a_revoked_certificate_renews_nothing(void **state)
{
    struct bench *bench = *state;
    struct answer first = enrol_and_wait(bench);
    revoke_certificate(bench, &first);
    static const char *const types[] = {"17", "19"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct ask ask = renewal_of(&first, NULL);
        ask.type = types[i];
        ask.challenge = STATIC_CHALLENGE;
        struct answer refused = send_ask(bench, &ask);
        expect_refusal(&refused, &(struct expected_refusal){
                                     .text = REVOKED, .reason = REVOKED, .is_reason_longer = true});
        answer_done(&refused);
    }
    assert_int_equal(count_certificates(bench), 1);
    answer_done(&first);
}

// ---- other names ----

static void only_the_own_name_is_renewed(void **state)
{
    struct bench *bench = *state;
    struct answer first = enrol_and_wait(bench);
    static const char *const names[] = {"CP-8841-SEP001122334401",
                                        "CP-8841-SEP001122334400.example.nl"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct ask ask = renewal_of(&first, kit_key(4));
        ask.common_name = names[i];
        struct answer refused = send_ask(bench, &ask);
        expect_refusal(&refused, &(struct expected_refusal){.reason = OTHER_NAMES
                                                            ": CP-8841-SEP001122334400"});
        assert_string_equal(refused.report.common_name, names[i]);
        answer_done(&refused);
    }
    assert_int_equal(count_certificates(bench), 1);
    answer_done(&first);
}

// ---- what came from a manufacturer's certificate ----

static void a_renewal_keeps_what_the_mic_proved(void **state)
{
    struct bench *bench = *state;
    const struct ask mic = {.common_name = "CP-8861-SEP2C3124C9F8E1",
                            .signer = mic_cert(site.mics, "phone-8861"),
                            .signer_key = mic_key(site.mics, "phone-8861")};
    struct answer first = send_ask(bench, &mic);
    expect_success(&first, "issue", "manufacturer's certificate");
    go_to(bench, end_of(bench, &first) - window_of(bench));
    struct ask ask = renewal_of(&first, NULL);
    ask.common_name = mic.common_name;
    bench->policy->settings->devices.accept = SETTINGS_DEVICES_LISTED;
    struct answer refused = send_ask(bench, &ask);
    expect_refusal(&refused, &(struct expected_refusal){
                                 .text = UNLISTED, .reason = UNLISTED, .is_reason_longer = true});
    bench->policy->settings->devices.accept = SETTINGS_DEVICES_ANY;
    struct answer second = send_ask(bench, &ask);
    expect_success(&second, "issue", RENEWED);
    struct store_certificate old = stored_of(bench, &first);
    struct store_certificate new = stored_of(bench, &second);
    assert_int_equal(new.origin, ORIGIN_MIC);
    assert_string_equal(new.model, "CP-8861");
    assert_string_equal(new.serial_number, "FCH2133E8B9");
    assert_string_equal(new.mac, "2C3124C9F8E1");
    assert_int_equal(new.mic_not_after, old.mic_not_after);
    store_certificate_done(&old);
    store_certificate_done(&new);
    answer_done(&first);
    answer_done(&refused);
    answer_done(&second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        TEST(a_certificate_renews_itself),
        TEST(a_lost_renewal_is_not_issued_twice),
        TEST(the_same_request_renews_when_the_certificate_signs),
        TEST(an_empty_subject_is_the_signers),
        TEST(too_early_gets_what_there_is),
        TEST(too_early_with_a_challenge_is_a_new_enrolment),
        TEST(a_challenge_is_ignored_unless_strict),
        TEST(an_own_used_challenge_is_no_alarm),
        TEST(an_expired_certificate_starts_anew),
        TEST(a_grace_lets_it_renew_after_all),
        TEST(a_clock_before_the_certificate_is_wrong),
        TEST(a_revoked_certificate_renews_nothing),
        TEST(only_the_own_name_is_renewed),
        TEST(a_renewal_keeps_what_the_mic_proved),
    };
    return cmocka_run_group_tests(tests, set_up_mic_site, tear_down_site);
}
