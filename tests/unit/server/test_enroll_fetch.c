// SPDX-License-Identifier: Apache-2.0
// GetCert, GetCRL and all other messageTypes through the whole conveyor.
#include "ra/enroll.h"

#include "server/enroll_bench.h"

#define CERT_OFF    "GetCert is not served"
#define CRL_OFF     "GetCRL is not served"
#define NOT_CLIENT  "GetCert is only for clients that have a certificate"
#define NOT_TRUSTED "signer certificate is not trusted"
#define NOT_THERE   "what is asked for is not there"
#define NOT_ONE     "not exactly one IssuerAndSerialNumber"
#define NO_REQUEST  "messageType is not that of a request"
#define TYPES       256
#define TYPE_LEN    4 // bytes of "255" with NUL

static int set_up_serving(void **state)
{
    set_up(state);
    struct bench *bench = *state;
    bench->policy->settings->scep.get_cert = true;
    bench->policy->settings->scep.get_crl = true;
    return 0;
}

static const X509 *issuing_of(const struct bench *bench)
{
    return credentials_issuing(bench->policy->credentials)->cert;
}

static struct buf issuer_and_serial(const X509_NAME *issuer, struct view serial)
{
    struct buf der = {0};
    unsigned char *octets = NULL;
    PKCS7_ISSUER_AND_SERIAL *asked = PKCS7_ISSUER_AND_SERIAL_new();
    assert_int_equal(X509_NAME_set(&asked->issuer, issuer), 1);
    ASN1_STRING_set(asked->serial, serial.data, (int)serial.len);
    int len = i2d_PKCS7_ISSUER_AND_SERIAL(asked, &octets);
    assert_int_equal(buf_copy(view_of(octets, (size_t)len), &der, NULL), ERR_OK);
    OPENSSL_free(octets);
    PKCS7_ISSUER_AND_SERIAL_free(asked);
    return der;
}

// A GetCert ("21") or GetCRL ("22") of whoever `ask` says.
static struct answer fetch(struct bench *bench, const struct ask *ask, const X509_NAME *issuer,
                           struct view serial)
{
    struct buf der = issuer_and_serial(issuer, serial);
    struct kit_message message = message_of(bench, ask, buf_view(&der));
    struct answer answer = send_message(bench, &message);
    buf_done(&der);
    return answer;
}

static struct answer enrol(struct bench *bench, unsigned phone)
{
    struct answer answer =
        send_ask(bench, &(struct ask){.phone = phone, .challenge = STATIC_CHALLENGE});
    expect_success(&answer, "issue", "static challenge");
    return answer;
}

static struct answer get_cert(struct bench *bench, const struct ask *ask,
                              const struct answer *issued)
{
    return fetch(bench, ask, X509_get_issuer_name(issued->cert),
                 view_of(issued->report.serial, SERIAL_LEN));
}

// ---- GetCert ----

static void a_client_gets_any_certificate(void **state)
{
    struct bench *bench = *state;
    struct answer issued = enrol(bench, 0);
    struct answer others = enrol(bench, 1);
    const struct ask asks[] = {
        {.type = "21", .signer = issued.cert},                   // by its certificate
        {.type = "21", .transaction_id = "SSCEP transactionId"}, // by its key
    };
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        struct answer own = get_cert(bench, &asks[i], &issued);
        expect_success(&own, "give", "certificate");
        assert_int_equal(X509_cmp(own.cert, issued.cert), 0);
        struct answer other = get_cert(bench, &asks[i], &others);
        expect_success(&other, "give", "certificate");
        assert_int_equal(X509_cmp(other.cert, others.cert), 0);
        answer_done(&own);
        answer_done(&other);
    }
    answer_done(&issued);
    answer_done(&others);
}

static void what_is_not_there_is_not_found(void **state)
{
    struct bench *bench = *state;
    struct answer issued = enrol(bench, 0);
    const struct ask ask = {.type = "21"};
    const struct expected_refusal missing = {
        .fail_info = "badCertId", .text = NOT_THERE, .reason = NOT_THERE};
    struct view serial = view_of(issued.report.serial, SERIAL_LEN);
    const X509_NAME *issuer = X509_get_issuer_name(issued.cert);
    const uint8_t unknown[SERIAL_LEN] = {1};
    const struct {
        const X509_NAME *issuer;
        struct view serial;
    } tests[] = {
        {issuer, view_of(unknown, SERIAL_LEN)},
        {issuer, view_of(serial.data, SERIAL_LEN - 1)},
        {X509_get_subject_name(issued.cert), serial},
        {X509_get_subject_name(credentials_root(bench->policy->credentials)), serial},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct answer answer = fetch(bench, &ask, tests[i].issuer, tests[i].serial);
        expect_refusal(&answer, &missing);
        answer_done(&answer);
    }
    answer_done(&issued);
}

static void strangers_get_no_certificates(void **state)
{
    struct bench *bench = *state;
    struct answer issued = enrol(bench, 0);
    struct answer answer = get_cert(bench, &(struct ask){.phone = 1, .type = "21"}, &issued);
    expect_refusal(&answer, &(struct expected_refusal){.text = NOT_CLIENT, .reason = NOT_CLIENT});
    assert_int_equal(answer.report.stage_us[STAGE_DECRYPT], 0);
    answer_done(&answer);
    answer_done(&issued);
}

// ---- GetCRL ----

// A CRL of the issuing CA with one entry, stored.
static void make_crl(struct bench *bench, const struct answer *revoked)
{
    struct err err = {0};
    struct crl_entry entry = {.revoked_at = KIT_NOW, .reason = CRL_REASON_SUPERSEDED};
    struct store_crl crl = {
        .number = 7, .this_update = KIT_NOW, .next_update = KIT_NOW + 3600, .entries = 1};
    memcpy(entry.serial, revoked->report.serial, SERIAL_LEN);
    memcpy(crl.issuer, credentials_issuing(bench->policy->credentials)->id, SHA256_LEN);
    const struct crl_order order = {.issuer = view_of(crl.issuer, SHA256_LEN),
                                    .number = crl.number,
                                    .entries = &entry,
                                    .count = 1};
    if (ca_client_sign_crl(bench->ca, &order, &crl.der, &err) != ERR_OK) {
        fail_msg("CRL: %s", err.text);
    }
    struct write_order write = {.kind = WRITE_CRL, .now = KIT_NOW, .crl = &crl};
    assert_int_equal(writer_submit_and_wait(bench->writer, &write, NULL), ERR_OK);
    store_crl_done(&crl);
}

static void expect_crl(struct bench *bench, const struct answer *answer,
                       const struct answer *revoked)
{
    X509_REVOKED *entry = NULL;
    assert_int_equal(answer->outcome, ENROLL_REPLY);
    assert_string_equal(answer->report.reason, "CRL");
    assert_string_equal(answer->report.decision, "give");
    assert_string_equal(answer->status, "0");
    assert_non_null(answer->crl);
    assert_int_equal(X509_CRL_verify(answer->crl, X509_get0_pubkey(issuing_of(bench))), 1);
    assert_int_equal(X509_CRL_get0_by_cert(answer->crl, &entry, revoked->cert), 1);
}

// sscep asks with the issuer and serial number of the RA's certificate, or with the CA's own
// subject and serial number.
static void everybody_trusted_gets_the_crl(void **state)
{
    struct bench *bench = *state;
    struct answer issued = enrol(bench, 0);
    const X509 *ra = credentials_ra(bench->policy->credentials)->cert;
    const X509 *ca = issuing_of(bench);
    const struct {
        const X509_NAME *issuer;
        struct view serial;
    } tests[] = {
        {X509_get_issuer_name(ra), ossl_string_view(X509_get0_serialNumber(ra))},
        {X509_get_subject_name(ca), ossl_string_view(X509_get0_serialNumber(ca))},
        {X509_get_issuer_name(issued.cert), view_of(issued.report.serial, SERIAL_LEN)},
    };
    const struct ask asks[] = {{.type = "22", .signer = issued.cert}, {.type = "22", .phone = 1}};
    struct answer missing = fetch(bench, &asks[1], tests[0].issuer, tests[0].serial);
    expect_refusal(&missing, &(struct expected_refusal){
                                 .fail_info = "badCertId", .text = NOT_THERE, .reason = NOT_THERE});
    make_crl(bench, &issued);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        for (size_t j = 0; j < sizeof asks / sizeof asks[0]; j++) {
            struct answer answer = fetch(bench, &asks[j], tests[i].issuer, tests[i].serial);
            expect_crl(bench, &answer, &issued);
            answer_done(&answer);
        }
    }
    answer_done(&missing);
    answer_done(&issued);
}

static void strangers_get_no_crl(void **state)
{
    struct bench *bench = *state;
    struct answer issued = enrol(bench, 0);
    X509 *other_ca = kit_cert(site.phones[1].key, "CA", NULL, NULL, true, KIT_NOW, 5);
    X509 *stranger =
        kit_cert(site.phones[0].key, "SEP", other_ca, site.phones[1].key, false, KIT_NOW, 5);
    make_crl(bench, &issued);
    struct answer answer =
        fetch(bench, &(struct ask){.type = "22", .signer = stranger},
              X509_get_issuer_name(issued.cert), view_of(issued.report.serial, SERIAL_LEN));
    expect_refusal(&answer, &(struct expected_refusal){.text = NOT_TRUSTED,
                                                       .reason = NOT_TRUSTED,
                                                       .is_reason_longer = true});
    answer_done(&answer);
    answer_done(&issued);
    X509_free(stranger);
    X509_free(other_ca);
}

// ---- both ----

static void both_are_off_by_default(void **state)
{
    struct bench *bench = *state;
    struct answer issued = enrol(bench, 0);
    struct policy *fresh = site_policy(site.config);
    assert_false(fresh->settings->scep.get_cert);
    assert_false(fresh->settings->scep.get_crl);
    policy_unref(fresh);
    bench->policy->settings->scep.get_cert = false;
    bench->policy->settings->scep.get_crl = false;
    static const char *const tests[][2] = {{"21", CERT_OFF}, {"22", CRL_OFF}};
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        const struct ask ask = {.type = tests[i][0], .signer = issued.cert};
        struct answer answer = get_cert(bench, &ask, &issued);
        expect_refusal(&answer,
                       &(struct expected_refusal){.text = tests[i][1], .reason = tests[i][1]});
        assert_int_equal(answer.report.stage_us[STAGE_DECRYPT], 0);
        answer_done(&answer);
    }
    answer_done(&issued);
}

// What cannot be opened and what is none looks alike, whatever challenge.fail_info says.
static void envelopes_that_fail_get_one_answer(void **state)
{
    struct bench *bench = *state;
    struct answer issued = enrol(bench, 0);
    struct buf csr = csr_of(bench, &(struct ask){.challenge = STATIC_CHALLENGE});
    static const char *const types[] = {"21", "22"};
    bench->policy->settings->challenge.fail_info = SETTINGS_FAIL_BAD_MESSAGE_CHECK;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const struct ask ask = {.type = types[i]};
        const struct expected_refusal expected = {
            .fail_info = "badMessageCheck", .reason = "", .is_reason_longer = true};
        struct kit_message pkcs10 = message_of(bench, &ask, buf_view(&csr));
        struct answer answer = send_message(bench, &pkcs10);
        expect_refusal(&answer, &expected);
        assert_memory_equal(answer.report.reason, NOT_ONE, strlen(NOT_ONE));
        answer_done(&answer);
        X509 *lookalike = X509_dup(pkcs10.ra);
        assert_int_equal(X509_set_pubkey(lookalike, site.phones[1].key), 1);
        pkcs10.ra = lookalike;
        answer = send_message(bench, &pkcs10);
        expect_refusal(&answer, &expected);
        answer_done(&answer);
        X509_free(lookalike);
    }
    buf_done(&csr);
    answer_done(&issued);
}

// Everything that is not one of the five messageTypes is refused by name, and nothing issues but a
// PKCSReq (and a RenewalReq, which a self-signed one cannot sign).
static void other_types_never_issue(void **state)
{
    struct bench *bench = *state;
    const struct ask ask = {.challenge = STATIC_CHALLENGE};
    struct buf csr = csr_of(bench, &ask);
    static const char *const odd[] = {" 19",  "19 ",     "019", "+19",        "1 9",
                                      "0x13", "PKCSReq", "-1",  "4294967315", "19\n"};
    struct kit_message message = message_of(bench, &ask, buf_view(&csr));
    struct buf envelope = kit_envelope_der(&message.envelope, message.ra);
    message.content = buf_view(&envelope);
    for (unsigned type = 0; type < TYPES + sizeof odd / sizeof odd[0]; type++) {
        char text[TYPE_LEN] = "";
        if (type == MESSAGE_PKCS_REQ) {
            continue;
        }
        if (type < TYPES) {
            snprintf(text, sizeof text, "%u", type);
        }
        message.message_type.data = type < TYPES ? text : odd[type - TYPES];
        struct answer answer = send_message(bench, &message);
        assert_int_equal(answer.outcome, ENROLL_REPLY);
        assert_string_equal(answer.report.decision, "refuse");
        assert_int_equal(answer.report.stage_us[STAGE_CA], 0);
        bool is_known = type >= MESSAGE_RENEWAL_REQ && type <= MESSAGE_GET_CRL;
        if (!is_known) {
            assert_string_equal(answer.report.reason, NO_REQUEST);
            assert_string_equal(answer.fail_info, fail_info_digit("badRequest"));
        }
        answer_done(&answer);
    }
    message.message_type = (struct kit_attribute){.data = "19", .len = KIT_EMPTY};
    struct answer empty = send_message(bench, &message);
    assert_string_equal(empty.report.decision, "refuse");
    answer_done(&empty);
    assert_int_equal(count_certificates(bench), 0);
    buf_done(&envelope);
    buf_done(&csr);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_serving, tear_down)

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        TEST(a_client_gets_any_certificate),
        TEST(what_is_not_there_is_not_found),
        TEST(strangers_get_no_certificates),
        TEST(everybody_trusted_gets_the_crl),
        TEST(strangers_get_no_crl),
        TEST(both_are_off_by_default),
        TEST(envelopes_that_fail_get_one_answer),
        TEST(other_types_never_issue),
    };
    return cmocka_run_group_tests(tests, set_up_site, tear_down_site);
}
