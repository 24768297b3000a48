// SPDX-License-Identifier: Apache-2.0
// What a trial says of capabilities, of the server's certificates, of answers and of the issued
// certificate: each fault with its level and its words.
#include "kit/kit.h"

#include <stdio.h>
#include <string.h>

#include "server/phone/judge.h"

#define DAYS 1000
#define CN   "CP-9871-SEP000000000000"

enum { KEY_ROOT, KEY_ISSUING, KEY_RA, KEY_OTHER, KEY_PHONE };

static struct fixture {
    X509 *root;
    X509 *issuing;
    X509 *ra;
    X509 *other;
    struct pin pin;
} fixture;

static int set_up(void **state)
{
    (void)state;
    char text[PIN_TEXT_LEN];
    EVP_PKEY *root_key = kit_key(KEY_ROOT);
    EVP_PKEY *issuing_key = kit_key(KEY_ISSUING);
    fixture.root = kit_cert(root_key, "root", NULL, NULL, true, KIT_NOW, DAYS);
    fixture.issuing = kit_cert(issuing_key, "issuing", fixture.root, root_key, true, KIT_NOW, DAYS);
    fixture.ra =
        kit_cert(kit_key(KEY_RA), "ra", fixture.issuing, issuing_key, false, KIT_NOW, DAYS);
    fixture.other = kit_cert(kit_key(KEY_OTHER), "other", NULL, NULL, true, KIT_NOW, DAYS);
    fixture.pin.len = SHA256_LEN;
    pin_format_cert(&fixture.pin, fixture.root, text);
    return pin_parse(text, &fixture.pin, NULL) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    X509_free(fixture.root);
    X509_free(fixture.issuing);
    X509_free(fixture.ra);
    X509_free(fixture.other);
    return 0;
}

static struct judge judge_with(struct findings *findings, bool is_fips)
{
    return (struct judge){
        .findings = findings, .pin = &fixture.pin, .is_fips = is_fips, .now = KIT_NOW + 60};
}

static void show(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        print_message("%s %s: %s | %s\n", finding_level_name(finding->level), finding->step,
                      finding->seen, finding->phone != NULL ? finding->phone : "");
    }
}

// One finding has this level and these words.
static void assert_found(const struct findings *findings, enum finding_level level,
                         const char *said)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        if (finding->level == level && strstr(finding->seen, said) != NULL) {
            return;
        }
    }
    show(findings);
    fail_msg("no finding %s \"%s\"", finding_level_name(level), said);
}

static void assert_explained(const struct findings *findings, const char *said)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->list[i].phone != NULL && strstr(findings->list[i].phone, said) != NULL) {
            return;
        }
    }
    show(findings);
    fail_msg("no finding explains \"%s\"", said);
}

// --- Address and capabilities

static void test_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        enum finding_level level;
        const char *seen;
        const char *explained;
    } rows[] = {
        {"https://ra/scep", FINDING_PROBLEM, "is https, not http", "https is not supported"},
        {"ftp://ra/scep", FINDING_PROBLEM, "is ftp, not http", "https is not supported"},
        {"10.79.57.91", FINDING_OK, "http://10.79.57.91/cgi-bin/pkiclient.exe", "not documented"},
        {"http://ra/scep", FINDING_OK, "asked as http://ra/scep", "needs DNS"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct findings findings = {0};
        struct phone_address address = {0};
        struct judge judge = judge_with(&findings, false);
        assert_int_equal(phone_address_read(rows[i].given, &address, NULL), ERR_OK);
        judge_address(&judge, &address, rows[i].given);
        assert_int_equal(findings.count, 1);
        assert_found(&findings, rows[i].level, rows[i].seen);
        assert_explained(&findings, rows[i].explained);
        findings_done(&findings);
    }
}

static struct phone_answer answer_of(long status, const char *type, const char *body)
{
    struct phone_answer answer = {.status = status, .peer = "192.0.2.1:80"};
    snprintf(answer.type, sizeof answer.type, "%s", type);
    assert_int_equal(buf_copy(view_of_text(body), &answer.body, NULL), ERR_OK);
    return answer;
}

static void test_capabilities(void **state)
{
    (void)state;
    static const struct {
        long status;
        const char *body;
        bool is_fips;
        enum finding_level worst;
        const char *said; // at that level
    } rows[] = {
        {200, "AES\nPOSTPKIOperation\nRenewal\nSHA-256\n", true, FINDING_OK,
         "GetCACaps: AES, POSTPKIOperation, Renewal, SHA-256"},
        {200, "SCEPStandard\nRenewal\n", true, FINDING_OK, "SCEPStandard"},
        {200, "AES\nPOSTPKIOperation\nSHA-256\n", true, FINDING_WARNING, "no Renewal"},
        {200, "AES\nRenewal\nSHA-512\n", true, FINDING_WARNING, "no POSTPKIOperation"},
        {200, "DES3\nPOSTPKIOperation\nRenewal\nSHA-256\n", false, FINDING_WARNING, "no AES"},
        {200, "DES3\nPOSTPKIOperation\nRenewal\nSHA-256\n", true, FINDING_PROBLEM, "no AES"},
        {200, "AES\nPOSTPKIOperation\nRenewal\nSHA-1\n", false, FINDING_WARNING, "no SHA-256"},
        {200, "AES\nPOSTPKIOperation\nRenewal\nSHA-1\n", true, FINDING_PROBLEM, "no SHA-256"},
        {200, "", false, FINDING_WARNING, "no known keyword"},
        {200, "<html>It works!</html>", false, FINDING_WARNING, "no known keyword"},
        {404, "AES", false, FINDING_WARNING, "HTTP status 404"},
        {301, "", false, FINDING_PROBLEM, "redirects to another place (status 301)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct findings findings = {0};
        struct judge judge = judge_with(&findings, rows[i].is_fips);
        struct phone_answer answer = answer_of(rows[i].status, "text/plain", rows[i].body);
        judge_caps(&judge, &answer);
        assert_found(&findings, rows[i].worst, rows[i].said);
        assert_int_equal(findings_worst(&findings), rows[i].worst);
        phone_answer_done(&answer);
        findings_done(&findings);
    }
}

// --- Certificates of the server

// A list up to the first NULL, as if it had been read.
static struct phone_authority authority_of(X509 *const *certs, X509 *root, X509 *recipient)
{
    struct phone_authority authority = {
        .certs = sk_X509_new_null(), .is_bundle = true, .root = root, .recipient = recipient};
    for (; *certs != NULL; certs++) {
        assert_int_equal(X509_add_cert(authority.certs, *certs, X509_ADD_FLAG_UP_REF), 1);
    }
    authority.issuing = fixture.issuing;
    return authority;
}

#define TYPE_BUNDLE "application/x-x509-ca-ra-cert"

static void test_good_authority(void **state)
{
    (void)state;
    X509 *certs[] = {fixture.ra, fixture.issuing, fixture.root, NULL};
    struct findings findings = {0};
    struct judge judge = judge_with(&findings, true);
    struct phone_answer answer = answer_of(200, TYPE_BUNDLE, "octets");
    struct phone_authority authority = authority_of(certs, fixture.root, fixture.ra);
    char fingerprint[PIN_TEXT_LEN];
    judge_authority(&judge, &authority, &answer);
    assert_int_equal(findings_worst(&findings), FINDING_OK);
    assert_found(&findings, FINDING_OK, "3 certificates as " TYPE_BUNDLE ", 6 octets");
    assert_found(&findings, FINDING_OK, "issuing CA: \"CN=issuing\", RSA, 2048 bits");
    assert_found(&findings, FINDING_OK, "root: \"CN=root\" has the given SHA-256 fingerprint");
    assert_found(&findings, FINDING_OK, "chain: all certificates lead to the root");
    assert_found(&findings, FINDING_OK, "RA: \"CN=ra\" has KeyUsage");
    assert_found(&findings, FINDING_OK, pin_format_cert(&fixture.pin, fixture.ra, fingerprint));
    findings_done(&findings);
    phone_answer_done(&answer);
    phone_authority_done(&authority);
}

static void test_types(void **state)
{
    (void)state;
    static const char *const types[] = {"", "application/x-x509-ca-cert",
                                        "application/x-x509-ca-ra-cert; charset=utf-8",
                                        "Application/X-X509-CA-RA-Cert", "text/html"};
    X509 *certs[] = {fixture.ra, fixture.issuing, fixture.root, NULL};
    struct phone_authority authority = authority_of(certs, fixture.root, fixture.ra);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct findings findings = {0};
        struct judge judge = judge_with(&findings, false);
        struct phone_answer answer = answer_of(200, types[i], "octets");
        judge_authority(&judge, &authority, &answer);
        assert_int_equal(findings_worst(&findings), FINDING_WARNING);
        assert_found(&findings, FINDING_WARNING, types[i]);
        assert_explained(&findings, "wants " TYPE_BUNDLE ", exactly");
        findings_done(&findings);
        phone_answer_done(&answer);
    }
    phone_authority_done(&authority);
}

// What one thing wrong makes of an otherwise good list.
static void assert_judged(struct phone_authority *take_authority, bool is_fips,
                          enum finding_level level, const char *said)
{
    struct findings findings = {0};
    struct judge judge = judge_with(&findings, is_fips);
    struct phone_answer answer = answer_of(200, TYPE_BUNDLE, "octets");
    judge_authority(&judge, take_authority, &answer);
    assert_found(&findings, level, said);
    assert_int_equal(findings_worst(&findings), level);
    findings_done(&findings);
    phone_answer_done(&answer);
    phone_authority_done(take_authority);
}

static void test_roots(void **state)
{
    (void)state;
    char fingerprint[PIN_TEXT_LEN];
    X509 *without[] = {fixture.ra, fixture.issuing, NULL};
    X509 *wrong[] = {fixture.ra, fixture.issuing, fixture.other, NULL};
    struct phone_authority authority = authority_of(without, NULL, fixture.ra);
    assert_judged(&authority, false, FINDING_PROBLEM, "no certificate of GetCACert has the given");
    authority = authority_of(without, fixture.issuing, fixture.ra);
    assert_judged(&authority, false, FINDING_WARNING, "which is no root");
    authority = authority_of(without, fixture.ra, fixture.ra);
    assert_judged(&authority, false, FINDING_PROBLEM, "which is no root");
    struct findings findings = {0};
    struct judge judge = judge_with(&findings, false);
    struct phone_answer answer = answer_of(200, TYPE_BUNDLE, "octets");
    authority = authority_of(wrong, NULL, fixture.ra);
    judge_authority(&judge, &authority, &answer);
    assert_explained(&findings, pin_format_cert(&fixture.pin, fixture.other, fingerprint));
    findings_done(&findings);
    phone_answer_done(&answer);
    phone_authority_done(&authority);
}

static void test_recipients(void **state)
{
    (void)state;
    X509 *certs[] = {fixture.ra, fixture.issuing, fixture.root, NULL};
    struct phone_authority authority = authority_of(certs, fixture.root, NULL);
    assert_judged(&authority, false, FINDING_PROBLEM, "no certificate has an RSA key and KeyUsage");
    // A CA without the use: KeyUsage is keyCertSign and cRLSign.
    authority = authority_of(certs, fixture.root, fixture.issuing);
    assert_judged(&authority, false, FINDING_WARNING, "without KeyUsage keyEncipherment");
}

static void test_bad_certificates(void **state)
{
    (void)state;
    EVP_PKEY *issuing_key = kit_key(KEY_ISSUING);
    EVP_PKEY *small = kit_rsa_key(1024);
    X509 *expired = kit_cert(kit_key(KEY_RA), "expired", fixture.issuing, issuing_key, false,
                             KIT_NOW - 86400 * 10, 5);
    X509 *future = kit_cert(kit_key(KEY_RA), "future", fixture.issuing, issuing_key, false,
                            KIT_NOW + 86400, 100);
    X509 *ending =
        kit_cert(kit_key(KEY_RA), "ending", fixture.issuing, issuing_key, false, KIT_NOW, 20);
    X509 *weak = kit_cert(small, "weak", fixture.issuing, issuing_key, false, KIT_NOW, DAYS);
    X509 *sha1 =
        kit_cert(kit_key(KEY_RA), "sha1", fixture.issuing, issuing_key, false, KIT_NOW, DAYS);
    assert_true(X509_sign(sha1, issuing_key, EVP_sha1()) > 0);
    const struct {
        X509 *ra;
        bool is_fips;
        enum finding_level level;
        const char *said;
    } rows[] = {
        {expired, false, FINDING_PROBLEM, "RA: \"CN=expired\""},
        {expired, false, FINDING_PROBLEM,
         "chain: \"CN=expired\" does not lead to the root: "
         "certificate has expired"},
        {future, false, FINDING_PROBLEM, "RA: \"CN=future\""},
        {ending, true, FINDING_WARNING, "RA: \"CN=ending\""},
        {weak, false, FINDING_WARNING, "RA: \"CN=weak\", RSA, 1024 bits"},
        {weak, true, FINDING_PROBLEM, "RA: \"CN=weak\", RSA, 1024 bits"},
        {sha1, false, FINDING_WARNING, "signed by RSA-SHA1"},
        {sha1, true, FINDING_PROBLEM, "signed by RSA-SHA1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        X509 *certs[] = {rows[i].ra, fixture.issuing, fixture.root, NULL};
        struct phone_authority authority = authority_of(certs, fixture.root, rows[i].ra);
        assert_judged(&authority, rows[i].is_fips, rows[i].level, rows[i].said);
    }
    // Nobody needs this one.
    X509 *certs[] = {fixture.ra, fixture.issuing, fixture.root, expired, NULL};
    struct phone_authority authority = authority_of(certs, fixture.root, fixture.ra);
    assert_judged(&authority, true, FINDING_WARNING, "other RA: \"CN=expired\"");
    X509_free(expired);
    X509_free(future);
    X509_free(ending);
    X509_free(weak);
    X509_free(sha1);
    EVP_PKEY_free(small);
}

// --- Answers

static struct phone_reply good_reply(enum certrep_status status)
{
    return (struct phone_reply){
        .status = status,
        .is_message_type_right = true,
        .is_transaction_ours = true,
        .is_nonce_echoed = true,
        .has_sender_nonce = true,
        .digest_nid = NID_sha256,
        .cipher_nid = NID_aes_128_cbc,
        .signer = fixture.ra,
        .fail_info = PHONE_NO_FAIL_INFO,
    };
}

static const struct phone_request asked = {.digest_nid = NID_sha256, .cipher_nid = NID_aes_128_cbc};

static void assert_reply(const struct phone_reply *reply, bool is_fips, enum finding_level level,
                         const char *said)
{
    struct findings findings = {0};
    struct judge judge = judge_with(&findings, is_fips);
    judge_reply(&judge, &asked, reply, false);
    assert_found(&findings, level, said);
    assert_int_equal(findings_worst(&findings), level);
    findings_done(&findings);
}

static void test_rules(void **state)
{
    (void)state;
    struct phone_reply reply = good_reply(CERTREP_PENDING);
    assert_reply(&reply, true, FINDING_WARNING, "PENDING, somebody must approve");
    reply.is_message_type_right = false;
    assert_reply(&reply, false, FINDING_PROBLEM, "messageType is not 3");
    reply = good_reply(CERTREP_PENDING);
    reply.is_transaction_ours = false;
    assert_reply(&reply, false, FINDING_PROBLEM, "transactionID is not the request's");
    reply = good_reply(CERTREP_PENDING);
    reply.is_nonce_echoed = false;
    assert_reply(&reply, false, FINDING_PROBLEM, "recipientNonce");
    reply = good_reply(CERTREP_PENDING);
    reply.has_sender_nonce = false;
    assert_reply(&reply, false, FINDING_WARNING, "no senderNonce of 16 octets");
    reply = good_reply(CERTREP_PENDING);
    reply.digest_nid = NID_sha1;
    assert_reply(&reply, false, FINDING_WARNING, "signed with SHA1, asked with SHA256");
    assert_reply(&reply, true, FINDING_PROBLEM, "signed with SHA1, asked with SHA256");
}

static void test_failures(void **state)
{
    (void)state;
    static const struct {
        int fail_info;
        const char *text;
        bool is_by_mic;
        const char *seen;
        const char *explained;
    } rows[] = {
        {FAIL_INFO_BAD_ALG, NULL, false, "failInfo 0 (badAlg)", "algorithms"},
        {FAIL_INFO_BAD_MESSAGE_CHECK, NULL, false, "failInfo 1 (badMessageCheck)", "signature"},
        {FAIL_INFO_BAD_REQUEST, NULL, false, "failInfo 2 (badRequest)", "shows an input screen"},
        {FAIL_INFO_BAD_REQUEST, NULL, true, "failInfo 2 (badRequest)",
         "manufacturer's certificate"},
        {FAIL_INFO_BAD_TIME, "your clock", false, "failInfo 3 (badTime): \"your clock\"", "clock"},
        {FAIL_INFO_BAD_CERT_ID, NULL, false, "failInfo 4 (badCertId)", "does not know"},
        {PHONE_NO_FAIL_INFO, NULL, false, "without a failInfo", "not why"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct findings findings = {0};
        struct judge judge = judge_with(&findings, false);
        struct phone_reply reply = good_reply(CERTREP_FAILURE);
        reply.fail_info = rows[i].fail_info;
        assert_int_equal(buf_copy(view_of_text(rows[i].text), &reply.fail_info_text, NULL), ERR_OK);
        judge_reply(&judge, &asked, &reply, rows[i].is_by_mic);
        assert_found(&findings, FINDING_PROBLEM, rows[i].seen);
        assert_explained(&findings, rows[i].explained);
        findings_done(&findings);
        phone_reply_done(&reply);
    }
}

// --- Issued certificates

// A SUCCESS of these certificates, up to the first NULL, for the phone's key.
static X509 *judge_certs(struct findings *findings, bool is_fips, X509 *const *certs)
{
    X509 *known[] = {fixture.ra, fixture.issuing, fixture.root, NULL};
    struct phone_authority authority = authority_of(known, fixture.root, fixture.ra);
    struct judge judge = judge_with(findings, is_fips);
    struct phone_request request = {
        .key = kit_key(KEY_PHONE), .digest_nid = NID_sha256, .cipher_nid = NID_aes_128_cbc};
    struct phone_reply reply = good_reply(CERTREP_SUCCESS);
    reply.certs = sk_X509_new_null();
    for (; *certs != NULL; certs++) {
        assert_int_equal(X509_add_cert(reply.certs, *certs, X509_ADD_FLAG_UP_REF), 1);
    }
    judge_reply(&judge, &request, &reply, false);
    X509 *cert = judge_issued(&judge, &authority, &request, &reply, CN);
    if (cert != NULL) {
        judge_renewal(&judge, cert, false);
    }
    phone_reply_done(&reply);
    phone_authority_done(&authority);
    return cert;
}

static X509 *issue(const char *name, int64_t from, int days)
{
    return kit_cert(kit_key(KEY_PHONE), name, fixture.issuing, kit_key(KEY_ISSUING), false, from,
                    days);
}

// The certificate with one extension replaced or added, signed again, and read anew, because
// OpenSSL keeps what it read of the extensions.
static X509 *with_extension(X509 *take_cert, int nid, const char *value)
{
    X509V3_CTX context;
    struct buf der = {0};
    X509 *fresh = NULL;
    int at = X509_get_ext_by_NID(take_cert, nid, -1);
    X509_EXTENSION_free(at >= 0 ? X509_delete_ext(take_cert, at) : NULL);
    X509V3_set_ctx(&context, NULL, take_cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_int_equal(X509_add_ext(take_cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
    assert_true(X509_sign(take_cert, kit_key(KEY_ISSUING), EVP_sha256()) > 0);
    assert_int_equal(ossl_cert_to_der(take_cert, &der, NULL), ERR_OK);
    assert_int_equal(ossl_cert_from_der(buf_view(&der), &fresh, NULL), ERR_OK);
    buf_done(&der);
    X509_free(take_cert);
    return fresh;
}

static void test_good_certificate(void **state)
{
    (void)state;
    X509 *cert = with_extension(issue(CN, KIT_NOW, 730), NID_ext_key_usage, "clientAuth");
    X509 *certs[] = {cert, NULL};
    struct findings findings = {0};
    assert_ptr_equal(judge_certs(&findings, true, certs), cert);
    assert_int_equal(findings_worst(&findings), FINDING_OK);
    assert_found(&findings, FINDING_OK, "SUCCESS, 1 certificate, encrypted with AES-128-CBC");
    assert_found(&findings, FINDING_OK, "certificate: \"CN=" CN "\", serial number ");
    assert_found(&findings, FINDING_OK, "certificate: leads to the root");
    assert_found(&findings, FINDING_OK, "are those of a TLS client");
    assert_found(&findings, FINDING_OK, "renewal: from 2028-12-30T08:00:00Z on"); // 15 days less
    assert_explained(&findings, "every 4 hours");
    findings_done(&findings);
    X509_free(cert);
}

static void test_certificate_of_others(void **state)
{
    (void)state;
    X509 *certs[] = {fixture.ra, NULL};
    struct findings findings = {0};
    assert_null(judge_certs(&findings, false, certs));
    assert_found(&findings, FINDING_PROBLEM, "none in the answer is for the request's key");
    findings_done(&findings);
    // Behind another one.
    X509 *cert = issue(CN, KIT_NOW, 730);
    X509 *behind[] = {fixture.issuing, cert, NULL};
    assert_ptr_equal(judge_certs(&findings, false, behind), cert);
    assert_found(&findings, FINDING_WARNING, "it is number 2 in the answer");
    findings_done(&findings);
    X509_free(cert);
}

static void test_bad_issued(void **state)
{
    (void)state;
    const struct {
        X509 *take_cert;
        enum finding_level level;
        const char *said;
    } rows[] = {
        {issue("somebody", KIT_NOW, 730), FINDING_WARNING, "its common name is \"somebody\""},
        {issue(CN, KIT_NOW + 86400, 730), FINDING_PROBLEM, "begins in the future"},
        {issue(CN, KIT_NOW + 121, 730), FINDING_PROBLEM, "begins in the future"},
        {issue(CN, KIT_NOW + 120, 730), FINDING_WARNING, "begins in 60 seconds"},
        {issue(CN, KIT_NOW - 86400 * 20, 10), FINDING_PROBLEM, "it has expired"},
        {issue(CN, KIT_NOW, 15), FINDING_WARNING, "within the 15 in which phones renew"},
        {with_extension(issue(CN, KIT_NOW, 730), NID_ext_key_usage, "serverAuth"), FINDING_PROBLEM,
         "without clientAuth"},
        {with_extension(issue(CN, KIT_NOW, 730), NID_key_usage, "keyEncipherment"), FINDING_PROBLEM,
         "KeyUsage without digitalSignature"},
        {with_extension(issue(CN, KIT_NOW, 730), NID_key_usage, "digitalSignature"),
         FINDING_WARNING, "KeyUsage without keyEncipherment"},
        {kit_cert(kit_key(KEY_PHONE), CN, fixture.issuing, kit_key(KEY_ISSUING), true, KIT_NOW,
                  730),
         FINDING_PROBLEM, "it is a CA's"},
        {kit_cert(kit_key(KEY_PHONE), CN, fixture.other, kit_key(KEY_OTHER), false, KIT_NOW, 730),
         FINDING_PROBLEM, "does not lead to the root"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct findings findings = {0};
        X509 *certs[] = {rows[i].take_cert, NULL};
        assert_ptr_equal(judge_certs(&findings, false, certs), rows[i].take_cert);
        assert_found(&findings, rows[i].level, rows[i].said);
        assert_int_equal(findings_worst(&findings), rows[i].level);
        findings_done(&findings);
        X509_free(rows[i].take_cert);
    }
}

static void test_outdated_hash(void **state)
{
    (void)state;
    for (int is_fips = 0; is_fips <= 1; is_fips++) {
        struct findings findings = {0};
        X509 *cert = issue(CN, KIT_NOW, 730);
        X509 *certs[] = {cert, NULL};
        assert_true(X509_sign(cert, kit_key(KEY_ISSUING), EVP_sha1()) > 0);
        judge_certs(&findings, is_fips != 0, certs);
        assert_found(&findings, is_fips != 0 ? FINDING_PROBLEM : FINDING_WARNING,
                     "signed with an outdated hash");
        findings_done(&findings);
        X509_free(cert);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_good_authority),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_roots),
        cmocka_unit_test(test_recipients),
        cmocka_unit_test(test_bad_certificates),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_good_certificate),
        cmocka_unit_test(test_certificate_of_others),
        cmocka_unit_test(test_bad_issued),
        cmocka_unit_test(test_outdated_hash),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
