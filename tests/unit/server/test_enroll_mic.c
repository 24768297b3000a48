// SPDX-License-Identifier: Apache-2.0
// Phones that prove who they are by the manufacturer's certificate, through the whole conveyor.
#include "ra/enroll.h"

#include "server/enroll_bench.h"

#define ISSUED_MIC   "manufacturer's certificate"
#define REPEAT       "repeat of an answered request"
#define NOT_ACCEPTED "manufacturer's certificate is not accepted here"
#define EXPIRED      "signer certificate has expired"
#define NOT_YET      "signer certificate is not valid yet"
#define GENERIC      "generic manufacturer's certificate names no device"
#define UNTRUSTED    "signer certificate is not self-signed, and of no CA that is trusted here"
#define OTHER_NAMES  "the names asked for are not those of the signer"
#define UNLISTED     "device is not on the device list"
#define NOT_A_PKCS10 "not exactly one DER PKCS#10"

#define PHONE_8861     "CP-8861-SEP2C3124C9F8E1"
#define PHONE_8861_MAC "2C3124C9F8E1"
#define THE_9871       "CP-9871-SEP001A2B3C4D5E"
#define THE_9871_MAC   "001A2B3C4D5E"

// A request for `common_name`, signed by the MIC `mic`, with the new key of phone 0.
static struct ask mic_ask(const char *mic, const char *common_name)
{
    return (struct ask){
        .common_name = common_name,
        .signer = mic_cert(site.mics, mic),
        .signer_key = mic_key(site.mics, mic),
    };
}

// ---- issuing ----

static void expect_mic_report(const struct answer *answer)
{
    const struct enroll_report *report = &answer->report;
    assert_int_equal(report->signer_class, SIGNER_MIC);
    assert_string_equal(report->trust_store, "test MICs");
    assert_string_equal(report->mac, PHONE_8861_MAC);
    assert_string_equal(report->model, "CP-8861");
    assert_string_equal(report->serial_number, "FCH2133E8B9");
}

// Row 4 of tests/phone_rows.txt.
static void a_mic_authorises_its_phone(void **state)
{
    struct bench *bench = *state;
    static const char *const types[] = {"19", "17"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct ask ask = mic_ask("phone-8861", PHONE_8861);
        ask.type = ask.transaction_id = types[i];
        struct answer answer = send_ask(bench, &ask);
        expect_success(&answer, "issue", ISSUED_MIC);
        expect_subject(&answer, PHONE_8861);
        expect_mic_report(&answer);
        assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(answer.cert), site.phones[0].key), 1);
        struct store_certificate stored = stored_of(bench, &answer);
        const uint8_t none[SHA256_LEN] = {0};
        assert_int_equal(stored.origin, ORIGIN_MIC);
        assert_int_equal(stored.signer_class, SIGNER_MIC);
        assert_string_equal(stored.device, PHONE_8861_MAC);
        assert_string_equal(stored.model, "CP-8861");
        assert_string_equal(stored.serial_number, "FCH2133E8B9");
        assert_true(stored.mic_not_after > KIT_NOW);
        assert_memory_equal(stored.renews, none, SERIAL_LEN);
        assert_memory_equal(stored.challenge_hash, none, SHA256_LEN);
        assert_memory_equal(stored.issuer, credentials_issuing(bench->policy->credentials)->id,
                            SHA256_LEN);
        store_certificate_done(&stored);
        answer_done(&answer);
    }
    assert_int_equal(count_certificates(bench), 2);
}

// DHCP option 15 and no CN at all.
static void the_names_are_the_phones_own(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *asked;
        const char *issued;
    } tests[] = {
        {PHONE_8861 ".example.nl", PHONE_8861 ".example.nl"},
        {"", PHONE_8861},
        {"cp-8861-sep2c3124c9f8e1", "cp-8861-sep2c3124c9f8e1"},
    };
    struct settings *settings = bench->policy->settings;
    const struct settings_texts domains = settings->phone.domains;
    settings->phone.domains = (struct settings_texts){.list = {"example.nl"}, .count = 1};
    settings->phone.added_sans[0] = SETTINGS_ADD_DNS;
    settings->phone.added_sans_count = 1;
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct answer answer = send_ask(bench, &(struct ask){
                                                   .common_name = tests[i].asked,
                                                   .signer = mic_cert(site.mics, "phone-8861"),
                                                   .signer_key = mic_key(site.mics, "phone-8861"),
                                               });
        expect_success(&answer, "issue", ISSUED_MIC);
        expect_subject(&answer, tests[i].issued);
        assert_string_equal(answer.report.mac, PHONE_8861_MAC);
        assert_int_equal(X509_check_host(answer.cert, tests[i].issued, 0,
                                         X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL),
                         1);
        answer_done(&answer);
    }
    settings->phone.domains = domains;
}

// A genuine phone is never refused because it has a certificate already, and IDs made from the
// signer's key repeat themselves. Row 5 of tests/phone_rows.txt.
static void a_phone_may_enrol_any_number_of_times(void **state)
{
    struct bench *bench = *state;
    bench->policy->settings->phone.duplicate_subject = SETTINGS_DUPLICATE_REFUSE;
    struct ask ask = mic_ask("phone-8861", PHONE_8861);
    struct answer first = send_ask(bench, &ask);
    expect_success(&first, "issue", ISSUED_MIC);
    ask.key = site.phones[1].key;
    struct answer second = send_ask(bench, &ask);
    expect_success(&second, "issue", ISSUED_MIC);
    struct answer repeat = send_ask(bench, &ask);
    expect_success(&repeat, "replay", REPEAT);
    assert_int_equal(X509_cmp(second.cert, repeat.cert), 0);
    // The newest is the device's, the first one is superseded and still counts.
    struct store_certificate stored = stored_of(bench, &first);
    assert_int_equal(stored.status, CERTIFICATE_VALID);
    assert_int_equal(stored.superseded_at, KIT_NOW);
    store_certificate_done(&stored);
    assert_int_equal(count_certificates(bench), 2);
    answer_done(&first);
    answer_done(&second);
    answer_done(&repeat);
}

static void a_poll_finds_what_a_mic_got(void **state)
{
    struct bench *bench = *state;
    struct ask ask = mic_ask("phone-8861", PHONE_8861);
    struct answer issued = send_ask(bench, &ask);
    ask.type = "20";
    struct answer polled = send_ask(bench, &ask);
    expect_success(&polled, "replay", "poll after success");
    assert_int_equal(X509_cmp(issued.cert, polled.cert), 0);
    answer_done(&issued);
    answer_done(&polled);
}

// ---- refusing ----

static void signers_that_do_not_count(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *mic;
        const char *fail_info;
        const char *text;
    } tests[] = {
        {"phone-expired", "badTime", EXPIRED},
        {"phone-future", "badTime", NOT_YET},
        {"phone-7841", "badRequest", NOT_ACCEPTED},
        {"switch-c9300", "badRequest", NOT_ACCEPTED},
        {"generic", "badRequest", GENERIC},
        {"forged-9871", "badRequest", UNTRUSTED},
        {"forged-serial", "badRequest", UNTRUSTED},
        {"lookalike-9871", "badRequest", UNTRUSTED},
        {"minted-9871", "badRequest", UNTRUSTED},
        {"phone-newline", "badRequest", UNTRUSTED},
        {"phone-nul", "badRequest", UNTRUSTED},
        {"phone-ec", "badAlg", "algorithm or key not accepted"},
        {"spa-962-small", "badAlg", "algorithm or key not accepted"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct ask ask = mic_ask(tests[i].mic, "CP-9871-SEP001A2B3C4D5E");
        struct answer answer = send_ask(bench, &ask);
        bool is_verdict = strcmp(tests[i].fail_info, "badAlg") != 0;
        expect_refusal(&answer, &(struct expected_refusal){
                                    .fail_info = tests[i].fail_info,
                                    .text = tests[i].text,
                                    .reason = is_verdict ? tests[i].text : answer.report.reason,
                                    .is_reason_longer = true});
        // Why is in the log, and nothing was decrypted for it.
        assert_true(strlen(answer.report.reason) > (is_verdict ? strlen(tests[i].text) : 0));
        assert_int_equal(answer.report.stage_us[STAGE_DECRYPT], 0);
        answer_done(&answer);
    }
    assert_int_equal(count_certificates(bench), 0);
}

// Whoever is refused is found by what he says about himself; only an accepted chain proves that.
static void who_is_refused_says_who_he_is(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *mic;
        const char *common_name;
        const char *mac;
        const char *model;
        const char *issuer; // a part of it
        bool is_claimed;
    } tests[] = {
        {"phone-expired", "CP-8851-SEP001A2B3C4D61", "001A2B3C4D61", "CP-8851", "CN=High", false},
        {"phone-7841", "CP-7841-SEP0C7524A1B2C3", "0C7524A1B2C3", "CP-7841", "CN=Cisco Manu", true},
        {"generic", "", "", "", "CN=Cisco 2k", false},
        {"minted-9871", THE_9871, THE_9871_MAC, "DP-9871", "CN=DP-9861-SEP001A2B3C4D60", true},
        {"forged-9871", THE_9871, THE_9871_MAC, "DP-9871", "CN=High", true},
        {"phone-nul", "", "", "", "CN=High", false},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct ask ask = mic_ask(tests[i].mic, "CP-9871-SEP001A2B3C4DFF");
        struct answer answer = send_ask(bench, &ask);
        const struct enroll_report *report = &answer.report;
        assert_string_equal(report->common_name, tests[i].common_name);
        assert_string_equal(report->mac, tests[i].mac);
        assert_string_equal(report->model, tests[i].model);
        assert_non_null(strstr(report->mic_issuer, tests[i].issuer));
        assert_int_equal(report->is_claimed, tests[i].is_claimed);
        assert_false(report->is_opened); // so nothing was decrypted for it
        answer_done(&answer);
    }
    assert_int_equal(count_certificates(bench), 0);
}

// The exact reason, whole.
static void nobody_here_knows_its_manufacturer(void **state)
{
    static const char issuer[] =
        "CN=DP-9861-SEP001A2B3C4D60,O=Cisco,serialNumber=PID:DP-9861 SN:FVH27330ABC";
    char reason[ERR_TEXT_LEN];
    struct ask ask = mic_ask("minted-9871", THE_9871);
    struct answer answer = send_ask(*state, &ask);
    snprintf(reason, sizeof reason,
             UNTRUSTED ": no trust store in mic fits its issuer %s by name "
                       "and key",
             issuer);
    expect_refusal(&answer, &(struct expected_refusal){.text = UNTRUSTED, .reason = reason});
    assert_string_equal(answer.report.mic_issuer, issuer);
    assert_true(answer.report.is_claimed);
    answer_done(&answer);
}

// The same name proves nothing without the right challenge, and everything with it.
static void a_self_signed_name_is_a_claim(void **state)
{
    static const struct {
        const char *common_name;
        const char *challenge;
        enum refusal refusal;
        bool is_claimed;
    } tests[] = {
        {PHONE_8861, "wrong", REFUSAL_WRONG_CHALLENGE, true},
        {PHONE_8861 "$MAU", STATIC_CHALLENGE, REFUSAL_BAD_NAMES, false},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct answer answer = send_ask(*state, &(struct ask){
                                                    .common_name = tests[i].common_name,
                                                    .challenge = tests[i].challenge,
                                                });
        assert_int_equal(answer.report.refusal, tests[i].refusal);
        assert_string_equal(answer.report.common_name, tests[i].common_name);
        assert_int_equal(answer.report.is_claimed, tests[i].is_claimed);
        assert_string_equal(answer.report.mic_issuer, "");
        answer_done(&answer);
    }
}

static void names_of_others_are_refused_like_everything_unproven(void **state)
{
    struct bench *bench = *state;
    static const char *const tests[] = {
        "CP-8861-SEP2C3124C9F8E2",
        PHONE_8861 ".example.com",
        PHONE_8861 "x",
        "2C3124C9F8E1",
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct ask ask = mic_ask("phone-8861", tests[i]);
        struct answer answer = send_ask(bench, &ask);
        expect_refusal(&answer, &(struct expected_refusal){.reason = OTHER_NAMES ": " PHONE_8861});
        assert_string_equal(answer.report.common_name, tests[i]);
        assert_string_equal(answer.report.mac, PHONE_8861_MAC);
        assert_true(answer.report.is_claimed);
        answer_done(&answer);
    }
    struct ask ask = mic_ask("phone-8861", PHONE_8861);
    struct kit_message garbage = message_of(bench, &ask, view_of_text("garbage"));
    struct answer answer = send_message(bench, &garbage);
    expect_refusal(&answer,
                   &(struct expected_refusal){.reason = NOT_A_PKCS10, .is_reason_longer = true});
    answer_done(&answer);
    assert_int_equal(count_certificates(bench), 0);
}

// Somebody's envelope under a MIC's signature.
static void a_mic_does_not_open_others_envelopes(void **state)
{
    struct bench *bench = *state;
    struct buf csr = csr_of(bench, &(struct ask){.challenge = STATIC_CHALLENGE});
    struct kit_message message = message_of(bench, &(struct ask){0}, buf_view(&csr));
    struct buf envelope = kit_envelope_der(&message.envelope, message.ra);
    message.content = buf_view(&envelope);
    struct answer first = send_message(bench, &message);
    expect_success(&first, "issue", "static challenge");
    message.signer = mic_cert(site.mics, "phone-8861");
    message.key = mic_key(site.mics, "phone-8861");
    struct answer second = send_message(bench, &message);
    expect_refusal(&second, &(struct expected_refusal){.reason = OTHER_NAMES ": " PHONE_8861,
                                                       .challenge = CHALLENGE_STATIC,
                                                       .alarm = ALARM_ENVELOPE});
    answer_done(&first);
    answer_done(&second);
    buf_done(&envelope);
    buf_done(&csr);
}

// Somebody else's key does not become this phone's, whatever name it has.
static void a_key_of_another_device_stays_its_own(void **state)
{
    struct bench *bench = *state;
    struct answer first = send_ask(bench, &(struct ask){.challenge = STATIC_CHALLENGE});
    expect_success(&first, "issue", "static challenge");
    static const char *const names[] = {PHONE_8861, ""};
    static const char text[] = "public key already certified for another subject";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct ask ask = mic_ask("phone-8861", names[i]);
        struct answer answer = send_ask(bench, &ask);
        expect_refusal(&answer, &(struct expected_refusal){.text = text, .reason = text});
        answer_done(&answer);
    }
    answer_done(&first);
}

static void a_challenge_is_ignored_unless_strict(void **state)
{
    struct bench *bench = *state;
    char text[CHALLENGE_TEXT_LEN];
    struct store_challenge given = give_challenge(bench, &(struct store_challenge){0}, text);
    struct ask ask = mic_ask("phone-8861", PHONE_8861);
    ask.challenge = "wrong";
    struct answer answer = send_ask(bench, &ask);
    expect_success(&answer, "issue", ISSUED_MIC);
    answer_done(&answer);
    bench->policy->settings->renewal.challenge = SETTINGS_PROVEN_STRICT;
    ask.transaction_id = "strict";
    answer = send_ask(bench, &ask);
    expect_refusal(&answer, &(struct expected_refusal){.reason = "wrong challenge password",
                                                       .challenge = CHALLENGE_WRONG});
    answer_done(&answer);
    ask.challenge = text;
    answer = send_ask(bench, &ask);
    expect_success(&answer, "issue", ISSUED_MIC);
    answer_done(&answer);
    // Not what authorised it, so it is not used up.
    assert_int_equal(uses_left(bench, &given), 1);
}

// ---- only our phones ----

static void list_device(struct bench *bench, const struct store_device *device)
{
    struct err err = {0};
    struct write_order order = {
        .kind = WRITE_DEVICES, .now = KIT_NOW, .devices = device, .device_count = 1};
    if (writer_submit_and_wait(bench->writer, &order, &err) != ERR_OK) {
        fail_msg("writer: %s", err.text);
    }
}

// Row 27 of tests/phone_rows.txt.
static void only_listed_phones_when_set(void **state)
{
    struct bench *bench = *state;
    struct ask ask = mic_ask("phone-8861", PHONE_8861);
    bench->policy->settings->devices.accept = SETTINGS_DEVICES_LISTED;
    struct answer answer = send_ask(bench, &ask);
    expect_refusal(
        &answer, &(struct expected_refusal){.text = UNLISTED,
                                            .reason = UNLISTED
                                            ": the device list has no entry for MAC " PHONE_8861_MAC
                                            " or serial number FCH2133E8B9"});
    answer_done(&answer);
    list_device(bench, &(struct store_device){
                           .mac = PHONE_8861_MAC, .serial_number = "FCH2133E8B9", .model = "8861"});
    answer = send_ask(bench, &ask);
    expect_success(&answer, "issue", ISSUED_MIC);
    answer_done(&answer);
    list_device(bench, &(struct store_device){.mac = PHONE_8861_MAC, .model = "CP-8841"});
    ask.transaction_id = "again";
    answer = send_ask(bench, &ask);
    expect_refusal(&answer,
                   &(struct expected_refusal){.text = UNLISTED,
                                              .reason = UNLISTED ": the device says model CP-8861",
                                              .is_reason_longer = true});
    answer_done(&answer);
}

// Two devices with one MAC, or a typing error: somebody should look at it.
static void a_contradiction_with_the_list_is_an_alarm(void **state)
{
    struct bench *bench = *state;
    struct ask ask = mic_ask("phone-8861", PHONE_8861);
    bench->policy->settings->devices.accept = SETTINGS_DEVICES_LISTED;
    list_device(bench, &(struct store_device){.mac = PHONE_8861_MAC, .serial_number = "FCH9"});
    struct answer answer = send_ask(bench, &ask);
    expect_refusal(&answer,
                   &(struct expected_refusal){
                       .text = UNLISTED,
                       .reason = UNLISTED ": the device says",
                       .is_reason_longer = true,
                       .alarm = "the device list has another serial number or MAC for this "
                                "device"});
    answer_done(&answer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        TEST(a_mic_authorises_its_phone),
        TEST(the_names_are_the_phones_own),
        TEST(a_phone_may_enrol_any_number_of_times),
        TEST(a_poll_finds_what_a_mic_got),
        TEST(signers_that_do_not_count),
        TEST(who_is_refused_says_who_he_is),
        TEST(nobody_here_knows_its_manufacturer),
        TEST(a_self_signed_name_is_a_claim),
        TEST(names_of_others_are_refused_like_everything_unproven),
        TEST(a_mic_does_not_open_others_envelopes),
        TEST(a_key_of_another_device_stays_its_own),
        TEST(a_challenge_is_ignored_unless_strict),
        TEST(only_listed_phones_when_set),
        TEST(a_contradiction_with_the_list_is_an_alarm),
    };
    return cmocka_run_group_tests(tests, set_up_mic_site, tear_down_site);
}
