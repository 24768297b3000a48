// SPDX-License-Identifier: Apache-2.0
// A trial against made-up servers: how far it goes, and what it has said by then.
#include "server/phone_kit.h"

#include "conf/cms/certs_only.h"
#include "server/phone/trial.h"

#define DAYS        1000
#define TIMEOUT_SEC 20L
#define CAPS        "AES\nPOSTPKIOperation\nRenewal\nSHA-256\nSCEPStandard\n"
#define TYPE_BUNDLE "application/x-x509-ca-ra-cert"
#define TYPE_REPLY  "application/x-pki-message"

enum { KEY_ROOT, KEY_RA };

static struct fixture {
    struct buf bundle;
    struct pin pin;
} fixture;

static int set_up(void **state)
{
    (void)state;
    char text[PIN_TEXT_LEN];
    struct buf ders[2] = {{0}};
    EVP_PKEY *root_key = kit_key(KEY_ROOT);
    X509 *root = kit_cert(root_key, "root", NULL, NULL, true, KIT_NOW, DAYS);
    X509 *ra = kit_cert(kit_key(KEY_RA), "ra", root, root_key, false, KIT_NOW, DAYS);
    assert_int_equal(ossl_cert_to_der(ra, &ders[0], NULL), ERR_OK);
    assert_int_equal(ossl_cert_to_der(root, &ders[1], NULL), ERR_OK);
    const struct view views[] = {buf_view(&ders[0]), buf_view(&ders[1])};
    assert_int_equal(certs_only_encode(views, 2, &fixture.bundle, NULL), ERR_OK);
    fixture.pin.len = SHA256_LEN;
    pin_format_cert(&fixture.pin, root, text);
    assert_int_equal(pin_parse(text, &fixture.pin, NULL), ERR_OK);
    buf_done(&ders[0]);
    buf_done(&ders[1]);
    X509_free(root);
    X509_free(ra);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_done(&fixture.bundle);
    return 0;
}

static const struct finding *last_of(const struct findings *findings)
{
    assert_true(findings->count > 0);
    return &findings->list[findings->count - 1];
}

static bool is_said(const struct findings *findings, enum finding_level level, const char *said)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->list[i].level == level && strstr(findings->list[i].seen, said) != NULL) {
            return true;
        }
    }
    return false;
}

// Walks at `given`; a challenge of NULL makes it a dry look.
static void walk(const char *given, const char *challenge, struct findings *findings)
{
    struct err err = {0};
    struct phone_address address = {0};
    struct trial_result result = {0};
    assert_int_equal(phone_address_read(given, &address, NULL), ERR_OK);
    const struct trial_plan plan = {
        .address = &address,
        .given = given,
        .pin = fixture.pin,
        .now = KIT_NOW + 60,
        .timeout_sec = TIMEOUT_SEC,
        .challenge = view_of_text(challenge),
        .common_name = "trial",
    };
    if (trial_run(&plan, findings, &result, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    assert_null(result.cert);
    trial_result_done(&result);
}

// What the server answers, and how a trial of it ends.
struct row {
    struct canned answers[4];
    const char *challenge;
    enum finding_level worst;
    const char *step; // the last one
    const char *said; // by the last one
};

static void assert_row(const struct row *row)
{
    struct phone_kit *kit = phone_kit_start(row->answers);
    struct findings findings = {0};
    walk(kit->url, row->challenge, &findings);
    const struct finding *last = last_of(&findings);
    if (strstr(last->seen, row->said) == NULL || strcmp(last->step, row->step) != 0) {
        fail_msg("\"%s\" is not in \"%s\" (%s)", row->said, last->seen, last->step);
    }
    assert_int_equal(findings_worst(&findings), row->worst);
    findings_done(&findings);
    phone_kit_stop(kit);
}

static struct canned good_caps(void)
{
    return (struct canned){"GetCACaps", 200, "text/plain", view_of_text(CAPS)};
}

static struct canned good_certs(void)
{
    return (struct canned){"GetCACert", 200, TYPE_BUNDLE, buf_view(&fixture.bundle)};
}

static void test_dry(void **state)
{
    (void)state;
    const struct row rows[] = {
        {{good_caps(), good_certs()}, NULL, FINDING_OK, "end", "neither a challenge nor a MIC"},
        {{{"GetCACaps", 404, NULL, VIEW_EMPTY}, good_certs()},
         NULL,
         FINDING_WARNING,
         "end",
         "neither a challenge nor a MIC"},
        {{good_caps(), {"GetCACert", 404, "text/html", view_of_text("<html>")}},
         NULL,
         FINDING_PROBLEM,
         "ca_certificates",
         "GetCACert: HTTP status 404"},
        {{good_caps(), {"GetCACert", 200, "text/html", view_of_text("<html>")}},
         NULL,
         FINDING_PROBLEM,
         "ca_certificates",
         "6 octets that are no PKCS#7 SignedData"},
        {{good_caps(), {"GetCACert", 200, TYPE_BUNDLE, VIEW_EMPTY}},
         NULL,
         FINDING_PROBLEM,
         "ca_certificates",
         "an empty answer"},
        {{good_caps(),
          {"GetCACert", 0, NULL, view_of_text("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")}},
         NULL,
         FINDING_PROBLEM,
         "http",
         "HTTP: GetCACert at"},
        {{{"GetCACaps", 302, NULL, VIEW_EMPTY}},
         NULL,
         FINDING_PROBLEM,
         "http",
         "redirects to another place"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_row(&rows[i]);
    }
}

static void test_answers(void **state)
{
    (void)state;
    const struct row rows[] = {
        {{good_caps(), good_certs(), {"PKIOperation", 500, "text/plain", view_of_text("no")}},
         "secret",
         FINDING_PROBLEM,
         "answer",
         "answer: HTTP status 500"},
        {{good_caps(), good_certs(), {"PKIOperation", 503, NULL, VIEW_EMPTY}},
         "secret",
         FINDING_PROBLEM,
         "answer",
         "answer: HTTP status 503"},
        {{good_caps(), good_certs(), {"PKIOperation", 200, TYPE_REPLY, VIEW_EMPTY}},
         "secret",
         FINDING_PROBLEM,
         "answer",
         "0 octets that are no CMS SignedData"},
        {{good_caps(), good_certs(), {"PKIOperation", 200, TYPE_REPLY, buf_view(&fixture.bundle)}},
         "secret",
         FINDING_PROBLEM,
         "answer",
         "0 signatures; expected one"},
        {{good_caps(), good_certs()}, "secret", FINDING_PROBLEM, "http", "HTTP: PKIOperation at"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_row(&rows[i]);
    }
}

// How a request goes out: by POST where the server knows it, else by GET.
static void test_methods(void **state)
{
    (void)state;
    const struct canned by_get[] = {{"GetCACaps", 200, NULL, view_of_text("AES\nSHA-256\nRenewal")},
                                    good_certs(),
                                    {"PKIOperation", 500, NULL, VIEW_EMPTY},
                                    {0}};
    const struct canned by_post[] = {
        good_caps(), good_certs(), {"PKIOperation", 500, NULL, VIEW_EMPTY}, {0}};
    struct findings findings = {0};
    struct phone_kit *kit = phone_kit_start(by_get);
    walk(kit->url, "secret", &findings);
    assert_non_null(strstr(kit->asked, "GET /scep?operation=PKIOperation&message=MII"));
    phone_kit_stop(kit);
    findings_done(&findings);
    kit = phone_kit_start(by_post);
    walk(kit->url, "secret", &findings);
    assert_non_null(strstr(kit->asked, "POST /scep?operation=PKIOperation HTTP"));
    phone_kit_stop(kit);
    findings_done(&findings);
}

// Whoever is given a bare address may ask at "/".
static void test_bare_address(void **state)
{
    (void)state;
    const struct canned everywhere[] = {good_caps(), good_certs(), {0}};
    const struct canned one_path[] = {
        {"/cgi-bin/pkiclient.exe?operation=GetCACaps", 200, NULL, view_of_text(CAPS)},
        {"GetCACaps", 404, NULL, VIEW_EMPTY},
        good_certs(),
        {0}};
    struct findings findings = {0};
    struct phone_kit *kit = phone_kit_start(everywhere);
    walk(kit->host, NULL, &findings);
    assert_int_equal(findings_worst(&findings), FINDING_OK);
    phone_kit_stop(kit);
    findings_done(&findings);
    kit = phone_kit_start(one_path);
    walk(kit->host, NULL, &findings);
    assert_true(is_said(&findings, FINDING_WARNING, "nothing is served at http://127.0.0.1:"));
    assert_int_equal(findings_worst(&findings), FINDING_WARNING);
    phone_kit_stop(kit);
    findings_done(&findings);
}

static void test_https_asks_nobody(void **state)
{
    (void)state;
    const struct canned answers[] = {good_caps(), good_certs(), {0}};
    char given[80];
    struct findings findings = {0};
    struct phone_kit *kit = phone_kit_start(answers);
    snprintf(given, sizeof given, "https://%s/scep", kit->host);
    walk(given, "secret", &findings);
    assert_int_equal(findings.count, 1);
    assert_true(is_said(&findings, FINDING_PROBLEM, "is https, not http"));
    assert_string_equal(kit->asked, "");
    phone_kit_stop(kit);
    findings_done(&findings);
}

// A server whose root is another one gets no request, and no challenge.
static void test_wrong_root(void **state)
{
    (void)state;
    const struct canned answers[] = {
        good_caps(), good_certs(), {"PKIOperation", 500, NULL, VIEW_EMPTY}, {0}};
    struct findings findings = {0};
    struct phone_kit *kit = phone_kit_start(answers);
    fixture.pin.octets[0] ^= 1;
    walk(kit->url, "secret", &findings);
    fixture.pin.octets[0] ^= 1;
    assert_true(is_said(&findings, FINDING_PROBLEM, "no certificate of GetCACert has the given"));
    // A phone stops there, and so does what is told of it.
    assert_int_equal(findings.list[findings.count - 1].level, FINDING_PROBLEM);
    assert_string_equal(findings.list[findings.count - 1].step, "root");
    assert_null(strstr(kit->asked, "PKIOperation"));
    phone_kit_stop(kit);
    findings_done(&findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dry),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_bare_address),
        cmocka_unit_test(test_https_asks_nobody),
        cmocka_unit_test(test_wrong_root),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
