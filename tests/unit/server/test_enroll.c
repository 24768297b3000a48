// SPDX-License-Identifier: Apache-2.0
// One request after the other through the whole conveyor: what is issued, what is repeated, and
// what an authorised requester or a poll hears.
#include "ra/enroll.h"

#include "ra/decide.h"
#include "server/enroll_bench.h"

#define YEAR_SEC       (365 * DAY_SEC)
#define LONG_NAME      "a-name-of-65-characters-a-name-of-65-characters-a-name-of-65-char"
#define REPEAT         "repeat of an answered request"
#define REPEAT_NEW_ID  "repeat of an answered request under a new transactionID"
#define ISSUED_ONCE    "one-time challenge"
#define ISSUED_STATIC  "static challenge"
#define UNKNOWN_POLL   "no such transaction of this key"
#define MALFORMED      "malformed request"
#define NOT_A_REQUEST  "messageType is not that of a request"
#define NOT_SERVED     "messageType is not served"
#define NOT_SELFSIGNED "signer certificate is not self-signed, and of no CA that is trusted here"
#define SELF_RENEWAL   "RenewalReq with a self-signed signer certificate"

static void assert_same_cert(const struct answer *a, const struct answer *b)
{
    assert_int_equal(X509_cmp(a->cert, b->cert), 0);
}

// ---- issuing ----

static void assert_stored(struct bench *bench, const struct answer *answer)
{
    struct store_certificate stored = {0};
    struct buf der = {0};
    assert_int_equal(store_find_serial(bench->store, answer->report.serial, &stored, NULL), ERR_OK);
    assert_int_equal(ossl_cert_to_der(answer->cert, &der, NULL), ERR_OK);
    assert_true(view_equal(buf_view(&stored.der), buf_view(&der)));
    assert_int_equal(stored.issued_at, KIT_NOW);
    assert_int_equal(stored.signer_class, SIGNER_SELF_SIGNED);
    assert_string_equal(stored.mac, answer->report.mac);
    store_certificate_done(&stored);
    buf_done(&der);
}

static void assert_certificate(const struct bench *bench, const struct answer *answer,
                               const struct phone *phone)
{
    char text[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(answer->cert), NID_commonName, text,
                              sizeof text);
    assert_string_equal(text, phone->common_name);
    assert_string_equal(answer->report.common_name, phone->common_name);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(answer->cert), phone->key), 1);
    EVP_PKEY *issuer = X509_get0_pubkey(credentials_issuing(bench->policy->credentials)->cert);
    assert_int_equal(X509_verify(answer->cert, issuer), 1);
}

static void issues_for_a_one_time_challenge(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge given = give_challenge(bench, &(struct store_challenge){0}, text);
    struct answer answer = send_ask(bench, &(struct ask){.challenge = text});
    expect_success(&answer, "issue", ISSUED_ONCE);
    assert_certificate(bench, &answer, &site.phones[0]);
    assert_stored(bench, &answer);
    const struct enroll_report *report = &answer.report;
    assert_int_equal(report->type, MESSAGE_PKCS_REQ);
    assert_true(view_is_text(buf_view(&report->transaction_id), GOOD_ID));
    assert_true(report->is_signer_known);
    assert_int_equal(report->signer_class, SIGNER_SELF_SIGNED);
    assert_string_equal(report->mac, "001122334400");
    assert_string_equal(report->digest, "SHA256");
    assert_string_equal(report->cipher, "AES-128-CBC");
    assert_int_equal(report->challenge, CHALLENGE_ONE_TIME);
    assert_string_equal(report->challenge_id, given.id);
    assert_int_equal(uses_left(bench, &given), 0);
    assert_int_equal(count_certificates(bench), 1);
    answer_done(&answer);
}

static void issues_for_the_static_challenge(void **state)
{
    struct bench *bench = *state;
    for (unsigned phone = 0; phone < PHONES; phone++) {
        struct answer answer =
            send_ask(bench, &(struct ask){.phone = phone, .challenge = STATIC_CHALLENGE});
        expect_success(&answer, "issue", ISSUED_STATIC);
        assert_certificate(bench, &answer, &site.phones[phone]);
        assert_int_equal(answer.report.challenge, CHALLENGE_STATIC);
        assert_string_equal(answer.report.challenge_id, "");
        answer_done(&answer);
    }
    assert_int_equal(count_certificates(bench), PHONES);
}

static void fills_an_empty_subject_from_the_challenge(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge like = {0};
    snprintf(like.common_name, sizeof like.common_name, "%s", site.phones[0].common_name);
    give_challenge(bench, &like, text);
    const struct ask ask = {.challenge = text, .common_name = ""};
    struct answer first = send_ask(bench, &ask);
    expect_success(&first, "issue", ISSUED_ONCE);
    assert_certificate(bench, &first, &site.phones[0]);
    assert_string_equal(first.report.mac, "001122334400");
    assert_stored(bench, &first);
    struct answer second = send_ask(bench, &ask);
    expect_success(&second, "replay", REPEAT);
    assert_same_cert(&first, &second);
    answer_done(&first);
    answer_done(&second);
}

// ---- repeating ----

static void repeats_for_the_same_octets(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge given =
        give_challenge(bench, &(struct store_challenge){.uses_allowed = 2}, text);
    const struct ask ask = {.challenge = text};
    struct buf octets = ask_der(bench, &ask);
    struct kit_message asked = message_of(bench, &ask, VIEW_EMPTY);
    struct answer first = send_octets(bench, &asked, &octets);
    expect_success(&first, "issue", ISSUED_ONCE);
    struct answer second = send_octets(bench, &asked, &octets);
    expect_success(&second, "replay", REPEAT);
    assert_same_cert(&first, &second);
    assert_string_equal(second.report.common_name, site.phones[0].common_name);
    assert_int_equal(uses_left(bench, &given), 1);
    assert_int_equal(count_certificates(bench), 1);
    buf_done(&octets);
    answer_done(&first);
    answer_done(&second);
}

static void repeats_under_a_new_transaction_id(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge given =
        give_challenge(bench, &(struct store_challenge){.uses_allowed = 2}, text);
    struct answer first = send_ask(bench, &(struct ask){.challenge = text});
    struct answer second =
        send_ask(bench, &(struct ask){.challenge = text, .transaction_id = "another"});
    expect_success(&first, "issue", ISSUED_ONCE);
    expect_success(&second, "replay", REPEAT_NEW_ID);
    assert_true(view_is_text(buf_view(&second.report.transaction_id), "another"));
    assert_same_cert(&first, &second);
    assert_int_equal(uses_left(bench, &given), 1);
    assert_int_equal(count_certificates(bench), 1);
    answer_done(&first);
    answer_done(&second);
}

// A repeat's reply goes to who asks now: fresh nonce, this message's cipher.
static void repeats_in_a_new_message(void **state)
{
    struct bench *bench = *state;
    const struct ask ask = {.challenge = STATIC_CHALLENGE};
    struct buf csr = csr_of(bench, &ask);
    struct kit_message message = message_of(bench, &ask, buf_view(&csr));
    struct answer first = send_message(bench, &message);
    message.sender_nonce.data = "fedcba9876543210";
    message.envelope.cipher = "AES-256-CBC";
    struct answer second = send_message(bench, &message);
    expect_success(&second, "replay", REPEAT);
    assert_string_equal(second.report.cipher, "AES-256-CBC");
    assert_same_cert(&first, &second);
    buf_done(&csr);
    answer_done(&first);
    answer_done(&second);
}

// Past the first half of the certificate's life the same request is a new one.
static void issues_anew_after_the_window(void **state)
{
    struct bench *bench = *state;
    const struct ask ask = {.challenge = STATIC_CHALLENGE};
    struct answer first = send_ask(bench, &ask);
    struct store_certificate stored = {0};
    assert_int_equal(store_find_serial(bench->store, first.report.serial, &stored, NULL), ERR_OK);
    int64_t half_life = stored.not_before + (stored.not_after - stored.not_before) / 2;
    store_certificate_done(&stored);
    bench->now = half_life - 1;
    struct answer before = send_ask(bench, &ask);
    expect_success(&before, "replay", REPEAT);
    bench->now = half_life;
    ca_now = bench->now;
    struct answer after = send_ask(bench, &ask);
    expect_success(&after, "issue", ISSUED_STATIC);
    assert_int_not_equal(X509_cmp(first.cert, after.cert), 0);
    struct answer repeat = send_ask(bench, &ask);
    expect_success(&repeat, "replay", REPEAT);
    assert_same_cert(&after, &repeat);
    assert_int_equal(count_certificates(bench), 2);
    answer_done(&first);
    answer_done(&before);
    answer_done(&after);
    answer_done(&repeat);
}

static void answers_a_poll_after_success(void **state)
{
    struct bench *bench = *state;
    struct kit_message poll = message_of(bench, &(struct ask){0}, view_of_text("anything"));
    poll.message_type.data = "20";
    const struct expected_refusal unknown = {
        .fail_info = "badCertId", .text = UNKNOWN_POLL, .reason = UNKNOWN_POLL};
    struct answer too_early = send_message(bench, &poll);
    expect_refusal(&too_early, &unknown);
    struct answer issued = send_ask(bench, &(struct ask){.challenge = STATIC_CHALLENGE});
    struct answer polled = send_message(bench, &poll);
    expect_success(&polled, "replay", "poll after success");
    assert_int_equal(polled.report.type, MESSAGE_CERT_POLL);
    assert_same_cert(&issued, &polled);
    // Another phone gets nothing under the same transactionID.
    poll.key = site.phones[1].key;
    poll.signer = site.phones[1].cert;
    struct answer stranger = send_message(bench, &poll);
    expect_refusal(&stranger, &unknown);
    answer_done(&too_early);
    answer_done(&issued);
    answer_done(&polled);
    answer_done(&stranger);
}

// ---- refusing those who presented the right challenge ----

static void tells_the_authorised_what_is_wrong(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *name;
        const char *text;
    } tests[] = {
        {LONG_NAME, "a CN of 65 characters; allowed: 1 to 64"},
        {"CP-8841-SEP$MAC", "a name with a literal '$': a macro that the phone did not expand"},
        {"a\tb", "a name with a control character"},
    };
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge given = give_challenge(bench, &(struct store_challenge){0}, text);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        const struct ask ask = {.challenge = text, .common_name = tests[i].name};
        struct expected_refusal expected = {
            .text = tests[i].text, .reason = tests[i].text, .challenge = CHALLENGE_ONE_TIME};
        bench->policy->settings->scep.fail_info_text = true;
        struct answer told = send_ask(bench, &ask);
        expect_refusal(&told, &expected);
        bench->policy->settings->scep.fail_info_text = false;
        expected.text = NULL;
        struct answer untold = send_ask(bench, &ask);
        expect_refusal(&untold, &expected);
        answer_done(&told);
        answer_done(&untold);
    }
    assert_int_equal(uses_left(bench, &given), 1);
    assert_int_equal(count_certificates(bench), 0);
}

// Refusals that come from what was issued before to phone 0.
static void refuses_what_contradicts_the_past(void **state)
{
    struct bench *bench = *state;
    const struct {
        struct ask ask;
        const char *text;
    } tests[] = {
        {{.common_name = "other"}, "transactionID already used for another request"},
        {{.common_name = "other", .transaction_id = "T"},
         "public key already certified for another subject"},
        {{.phone = 1, .common_name = site.phones[0].common_name},
         "subject already has a valid certificate"},
    };
    bench->policy->settings->phone.duplicate_subject = SETTINGS_DUPLICATE_REFUSE;
    struct answer first = send_ask(bench, &(struct ask){.challenge = STATIC_CHALLENGE});
    expect_success(&first, "issue", ISSUED_STATIC);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct ask ask = tests[i].ask;
        ask.challenge = STATIC_CHALLENGE;
        struct answer answer = send_ask(bench, &ask);
        expect_refusal(&answer, &(struct expected_refusal){.text = tests[i].text,
                                                           .reason = tests[i].text,
                                                           .challenge = CHALLENGE_STATIC});
        answer_done(&answer);
    }
    assert_int_equal(count_certificates(bench), 1);
    answer_done(&first);
}

// The CA has the last word, and the phone hears it.
static void passes_on_the_cas_refusal(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge given = give_challenge(bench, &(struct store_challenge){0}, text);
    struct answer answer = send_ask(bench, &(struct ask){.challenge = text, .common_name = ""});
    expect_refusal(&answer, &(struct expected_refusal){.text = answer.report.reason,
                                                       .reason = answer.report.reason,
                                                       .challenge = CHALLENGE_ONE_TIME});
    assert_non_null(strstr(answer.text, "subject"));
    assert_true(answer.report.stage_us[STAGE_CA] > 0);
    assert_int_equal(uses_left(bench, &given), 1);
    assert_int_equal(count_certificates(bench), 0);
    answer_done(&answer);
}

// ---- refusing whole messages ----

static void refuses_other_message_types(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *type;
        const char *reason;
        const char *text;
    } tests[] = {
        {"17", SELF_RENEWAL, SELF_RENEWAL},
        {"18", NOT_SERVED, NOT_SERVED},
        {"21", "GetCert is not served", "GetCert is not served"},
        {"22", "GetCRL is not served", "GetCRL is not served"},
        {"3", NOT_A_REQUEST, MALFORMED},
        {"99", NOT_A_REQUEST, MALFORMED},
    };
    const struct ask ask = {.challenge = STATIC_CHALLENGE};
    struct buf csr = csr_of(bench, &ask);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct kit_message message = message_of(bench, &ask, buf_view(&csr));
        message.message_type.data = tests[i].type;
        struct answer answer = send_message(bench, &message);
        expect_refusal(
            &answer, &(struct expected_refusal){.text = tests[i].text, .reason = tests[i].reason});
        answer_done(&answer);
    }
    buf_done(&csr);
    assert_int_equal(count_certificates(bench), 0);
}

// A stranger's certificate authorises nothing, whatever else is right.
static void refuses_signers_of_strangers(void **state)
{
    struct bench *bench = *state;
    X509 *other_ca = kit_cert(site.phones[1].key, "CA", NULL, NULL, true, KIT_NOW, 5);
    X509 *stranger =
        kit_cert(site.phones[0].key, "SEP", other_ca, site.phones[1].key, false, KIT_NOW, 5);
    static const char *const types[] = {"17", "19"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const struct ask ask = {
            .challenge = STATIC_CHALLENGE, .type = types[i], .signer = stranger};
        struct answer answer = send_ask(bench, &ask);
        expect_refusal(&answer, &(struct expected_refusal){.text = NOT_SELFSIGNED,
                                                           .reason = NOT_SELFSIGNED,
                                                           .is_reason_longer = true});
        assert_true(answer.report.is_signer_known);
        assert_int_equal(answer.report.signer_class, SIGNER_UNKNOWN);
        assert_int_equal(answer.report.stage_us[STAGE_DECRYPT], 0);
        answer_done(&answer);
    }
    assert_int_equal(count_certificates(bench), 0);
    X509_free(stranger);
    X509_free(other_ca);
}

static void refuses_what_everybody_can_see(void **state)
{
    struct bench *bench = *state;
    const struct ask ask = {.challenge = STATIC_CHALLENGE};
    struct buf csr = csr_of(bench, &ask);
    struct kit_message for_another = message_of(bench, &ask, buf_view(&csr));
    for_another.ra = site.phones[1].cert;
    struct answer answer = send_message(bench, &for_another);
    expect_refusal(&answer, &(struct expected_refusal){
                                .text = MALFORMED,
                                .reason = "no recipient of the envelope is this server's RA"});
    answer_done(&answer);
    bench->policy->settings->scep.signing_time_window_sec = DAY_SEC;
    struct kit_message late = message_of(bench, &ask, buf_view(&csr));
    late.signing_time = KIT_NOW - YEAR_SEC;
    answer = send_message(bench, &late);
    expect_refusal(&answer,
                   &(struct expected_refusal){.fail_info = "badTime",
                                              .text = "signingTime too far from the server's clock",
                                              .reason = answer.report.reason});
    answer_done(&answer);
    buf_done(&csr);
    assert_int_equal(count_certificates(bench), 0);
}

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(issues_for_a_one_time_challenge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(issues_for_the_static_challenge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fills_an_empty_subject_from_the_challenge, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(repeats_for_the_same_octets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(repeats_under_a_new_transaction_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(repeats_in_a_new_message, set_up, tear_down),
        cmocka_unit_test_setup_teardown(issues_anew_after_the_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_a_poll_after_success, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_the_authorised_what_is_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_contradicts_the_past, set_up, tear_down),
        cmocka_unit_test_setup_teardown(passes_on_the_cas_refusal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_other_message_types, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_signers_of_strangers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_everybody_can_see, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, set_up_site, tear_down_site);
}
