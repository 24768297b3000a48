// SPDX-License-Identifier: Apache-2.0
// A whole CA: start-up checks, and certificates read field by field and verified strictly.
#include <stdlib.h>

#include <openssl/pem.h>

#include "fixture.h"

static struct buf phone_csr(void)
{
    const struct kit_csr content = {.common_name = "SEP001A2B3C4D5E", .san_dns = "not.copied"};
    return kit_csr_der(kit_key(PHONE_KEY), &content);
}

static int64_t time_of(const ASN1_TIME *time)
{
    int days = 0;
    int seconds = 0;
    ASN1_TIME *base = ASN1_TIME_set(NULL, KIT_NOW);
    assert_int_equal(ASN1_TIME_diff(&days, &seconds, base, time), 1);
    ASN1_TIME_free(base);
    return KIT_NOW + (int64_t)days * 86400 + seconds;
}

static void assert_signature(const X509 *cert, int nid)
{
    assert_int_equal(X509_get_signature_nid(cert), nid);
    const X509_ALGOR *outside = NULL;
    X509_get0_signature(NULL, &outside, cert);
    assert_int_equal(X509_ALGOR_cmp(outside, X509_get0_tbs_sigalg(cert)), 0);
}

static void assert_names_and_ids(X509 *cert, X509 *ca)
{
    struct buf issuer = {0};
    struct buf ca_subject = {0};
    assert_int_equal(ossl_name_to_der(X509_get_issuer_name(cert), &issuer, NULL), ERR_OK);
    assert_int_equal(ossl_name_to_der(X509_get_subject_name(ca), &ca_subject, NULL), ERR_OK);
    assert_true(view_equal(buf_view(&issuer), buf_view(&ca_subject)));
    buf_done(&issuer);
    buf_done(&ca_subject);
    assert_true(view_equal(ossl_string_view(X509_get0_authority_key_id(cert)),
                           ossl_string_view(X509_get0_subject_key_id(ca))));
    assert_null(X509_get0_authority_issuer(cert));
    assert_null(X509_get0_authority_serial(cert));
    unsigned char digest[EVP_MAX_MD_SIZE];
    assert_int_equal(X509_pubkey_digest(cert, EVP_sha1(), digest, NULL), 1);
    assert_true(view_equal(ossl_string_view(X509_get0_subject_key_id(cert)), view_of(digest, 20)));
}

static void every_field(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, CA_DAYS);
    fixture_load(&fixture);
    struct buf csr = phone_csr();
    struct issue_order order = order_for(&csr);
    struct buf der = {0};
    struct authority_issued issued;
    struct err err = {0};
    assert_ok(authority_issue(fixture.authority, &order, KIT_NOW, &der, &issued, &err), &err);
    X509 *cert = parse_cert(&der);
    assert_int_equal(X509_get_version(cert), X509_VERSION_3);
    assert_true(view_equal(ossl_string_view(X509_get0_serialNumber(cert)),
                           view_of(issued.serial, SERIAL_LEN)));
    assert_string_equal(issued.common_name, "SEP001A2B3C4D5E");
    assert_string_equal(issued.key_type, "rsa:2048");
    assert_signature(cert, NID_sha256WithRSAEncryption);
    assert_int_equal(time_of(X509_get0_notBefore(cert)), KIT_NOW - BACKDATE_SEC);
    assert_int_equal(time_of(X509_get0_notAfter(cert)), KIT_NOW + VALIDITY_DAYS * DAY_SEC);
    assert_int_equal(issued.not_after, KIT_NOW + VALIDITY_DAYS * DAY_SEC);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), kit_key(PHONE_KEY)), 1);
    assert_names_and_ids(cert, fixture.cert);
    assert_int_equal(X509_get_key_usage(cert), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    assert_int_equal(X509_get_extended_key_usage(cert), XKU_SSL_CLIENT);
    assert_int_equal(X509_check_ca(cert), 0);
    assert_int_equal(X509_check_purpose(cert, X509_PURPOSE_SSL_CLIENT, 0), 1);
    assert_int_equal(X509_check_purpose(cert, X509_PURPOSE_SSL_SERVER, 0), 0);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_subject_alt_name, -1), -1);
    assert_int_equal(X509_get_ext_count(cert), 5);
    assert_int_equal(X509_verify(cert, kit_key(CA_KEY_INDEX)), 1);
    assert_verifies(cert, fixture.cert, NULL, KIT_NOW, X509_PURPOSE_SSL_CLIENT);
    X509_free(cert);
    buf_done(&der);
    buf_done(&csr);
    fixture_done(&fixture);
}

static void names_of_the_order(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, CA_DAYS);
    fixture.settings.phone.crl_url = "http://pki.example/ca.crl";
    fixture.settings.phone.ca_url = "http://pki.example/ca.cer";
    fixture_load(&fixture);
    struct buf csr = phone_csr();
    struct issue_order order = order_for(&csr);
    order.sans[0] = (struct san){SAN_DNS, view_of_text("phone.example")};
    order.sans[1] = (struct san){SAN_UPN, view_of_text("phone@example")};
    order.san_count = 2;
    X509 *cert = issue_at(&fixture, &order, KIT_NOW);
    int critical = -1;
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);
    assert_int_equal(critical, 0);
    assert_int_equal(sk_GENERAL_NAME_num(names), 2);
    GENERAL_NAMES_free(names);
    assert_int_equal(X509_check_host(cert, "phone.example", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(cert, "not.copied", 0, 0, NULL), 0);
    assert_int_equal(X509_get_ext_count(cert), 8);
    assert_verifies(cert, fixture.cert, NULL, KIT_NOW, X509_PURPOSE_SSL_CLIENT);
    X509_free(cert);
    order.sans[1].text = view_of_text("$MA@example");
    struct buf der = {0};
    struct authority_issued issued;
    struct err err = {0};
    assert_refused(authority_issue(fixture.authority, &order, KIT_NOW, &der, &issued, &err),
                   ERR_BAD_REQUEST, &err, "literal $");
    buf_done(&csr);
    fixture_done(&fixture);
}

static void empty_subject_gets_the_orders_name(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, CA_DAYS);
    fixture_load(&fixture);
    struct buf csr = kit_csr_der(kit_key(PHONE_KEY), &(struct kit_csr){0});
    struct issue_order order = order_for(&csr);
    struct buf der = {0};
    struct authority_issued issued;
    struct err err = {0};
    assert_refused(authority_issue(fixture.authority, &order, KIT_NOW, &der, &issued, &err),
                   ERR_BAD_REQUEST, &err, "subject is empty");
    order.common_name = view_of_text("SEP001A2B3C4D5E");
    assert_ok(authority_issue(fixture.authority, &order, KIT_NOW, &der, &issued, &err), &err);
    assert_string_equal(issued.common_name, "SEP001A2B3C4D5E");
    buf_done(&der);
    buf_done(&csr);
    fixture_done(&fixture);
}

static void refuse(const struct fixture *fixture, struct buf take_csr, enum err_code code,
                   const char *text)
{
    struct issue_order order = order_for(&take_csr);
    struct buf der = {0};
    struct authority_issued issued;
    struct err err = {0};
    assert_refused(authority_issue(fixture->authority, &order, KIT_NOW, &der, &issued, &err), code,
                   &err, text);
    assert_null(der.data);
    buf_done(&take_csr);
}

#define CHARS_65 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef+"

static void refuses_orders(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, CA_DAYS);
    fixture_load(&fixture);
    EVP_PKEY *key = kit_key(PHONE_KEY);
    int type = V_ASN1_UTF8STRING;
    refuse(&fixture, req_with_name(key, NID_commonName, type, view_of("a\0b", 3)), ERR_BAD_REQUEST,
           "NUL");
    refuse(&fixture, req_with_name(key, NID_commonName, type, view_of_text("$MA")), ERR_BAD_REQUEST,
           "literal $");
    refuse(&fixture, req_with_name(key, NID_commonName, type, view_of_text(CHARS_65)),
           ERR_BAD_REQUEST, "65 characters");
    refuse(&fixture, req_with_name(key, NID_commonName, type, view_of_text(CA_COMMON_NAME)),
           ERR_BAD_REQUEST, "CA's own name");
    refuse(&fixture, kit_csr_der(key, &(struct kit_csr){.common_name = "a", .digest = "MD5"}),
           ERR_BAD_ALG, "md5");
    struct buf csr = phone_csr();
    struct issue_order order = order_for(&csr);
    order.profile = (enum issue_profile)7;
    struct buf der = {0};
    struct authority_issued issued;
    struct err err = {0};
    assert_refused(authority_issue(fixture.authority, &order, KIT_NOW, &der, &issued, &err),
                   ERR_DENIED, &err, "no profile 7");
    buf_done(&csr);
    fixture_done(&fixture);
}

static void caps_validity(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, 100);
    fixture_load(&fixture);
    struct buf csr = phone_csr();
    struct issue_order order = order_for(&csr);
    X509 *cert = issue_at(&fixture, &order, KIT_NOW);
    assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(cert), X509_get0_notAfter(fixture.cert)),
                     0);
    X509_free(cert);
    order.max_validity_sec = 86400;
    cert = issue_at(&fixture, &order, KIT_NOW);
    assert_int_equal(time_of(X509_get0_notAfter(cert)), KIT_NOW + 86400);
    X509_free(cert);
    int64_t ca_start = KIT_NOW - 86400;
    cert = issue_at(&fixture, &order, ca_start + 10);
    assert_int_equal(time_of(X509_get0_notBefore(cert)), ca_start);
    X509_free(cert);
    struct buf der = {0};
    struct authority_issued issued;
    struct err err = {0};
    assert_refused(
        authority_issue(fixture.authority, &order, KIT_NOW + 100 * DAY_SEC, &der, &issued, &err),
        ERR_CONFIG, &err, "not valid at present");
    buf_done(&csr);
    fixture_done(&fixture);
}

static void jitter_shortens(void **state)
{
    (void)state;
    enum { CERTIFICATES = 12 };
    struct fixture fixture;
    fixture_init(&fixture, NULL, CA_DAYS);
    fixture.settings.phone.validity_jitter_days = 30;
    fixture_load(&fixture);
    struct buf csr = phone_csr();
    struct issue_order order = order_for(&csr);
    int64_t full = KIT_NOW + VALIDITY_DAYS * DAY_SEC;
    int64_t first = 0;
    bool is_varied = false;
    for (int i = 0; i < CERTIFICATES; i++) {
        X509 *cert = issue_at(&fixture, &order, KIT_NOW);
        int64_t not_after = time_of(X509_get0_notAfter(cert));
        assert_true(not_after <= full && not_after >= full - 30 * DAY_SEC);
        is_varied = is_varied || (i > 0 && not_after != first);
        first = i == 0 ? not_after : first;
        X509_free(cert);
    }
    assert_true(is_varied);
    buf_done(&csr);
    fixture_done(&fixture);
}

static void generalized_time_from_2050(void **state)
{
    (void)state;
    enum { DAYS_TO_2061 = 12400 };
    struct fixture fixture;
    fixture_init(&fixture, NULL, DAYS_TO_2061);
    fixture_load(&fixture);
    struct buf csr = phone_csr();
    struct issue_order order = order_for(&csr);
    int64_t in_2049 = 2524608000 - 30 * DAY_SEC;
    X509 *cert = issue_at(&fixture, &order, in_2049);
    assert_int_equal(ASN1_STRING_type(X509_get0_notBefore(cert)), V_ASN1_UTCTIME);
    assert_int_equal(ASN1_STRING_type(X509_get0_notAfter(cert)), V_ASN1_GENERALIZEDTIME);
    assert_verifies(cert, fixture.cert, NULL, in_2049, X509_PURPOSE_SSL_CLIENT);
    X509_free(cert);
    buf_done(&csr);
    fixture_done(&fixture);
}

static void ec_authority(void **state)
{
    (void)state;
    static const struct {
        const char *curve;
        const char *type;
        int signature;
    } cases[] = {
        {"P-256", "ec:P-256", NID_ecdsa_with_SHA256},
        {"P-384", "ec:P-384", NID_ecdsa_with_SHA384},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        fixture_init(&fixture, kit_ec_key(cases[i].curve), CA_DAYS);
        fixture_load(&fixture);
        assert_string_equal(authority_key_type(fixture.authority), cases[i].type);
        struct buf csr = phone_csr();
        struct issue_order order = order_for(&csr);
        X509 *cert = issue_at(&fixture, &order, KIT_NOW);
        assert_signature(cert, cases[i].signature);
        assert_verifies(cert, fixture.cert, NULL, KIT_NOW, X509_PURPOSE_SSL_CLIENT);
        X509_free(cert);
        buf_done(&csr);
        fixture_done(&fixture);
    }
}

static enum err_code load(const struct settings *settings, enum generation_role role, int64_t now,
                          struct authority **ret_authority, struct err *err)
{
    CLEANUP(generations_done) struct generations generations = {0};
    enum err_code code = generations_read(settings, &generations, err);
    if (code == ERR_OK) {
        generations.list[0].role = role;
        code = authority_load(settings, &generations.list[0], now, ret_authority, err);
    }
    return code;
}

static void refuse_load(const struct fixture *fixture, enum generation_role role, int64_t now,
                        enum err_code expected, const char *text)
{
    struct authority *authority = NULL;
    struct err err = {0};
    assert_refused(load(&fixture->settings, role, now, &authority, &err), expected, &err, text);
    assert_null(authority);
}

static void refuse_start(struct fixture *fixture, X509 *take_cert, int64_t now, const char *text)
{
    char *path = write_cert(fixture->folder, "bad.pem", take_cert);
    fixture->settings.ca.certificate = path;
    refuse_load(fixture, GENERATION_CURRENT, now, ERR_CONFIG, text);
    fixture->settings.ca.certificate = fixture->cert_path;
    free(path);
    X509_free(take_cert);
}

static void startup_checks(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, 10);
    EVP_PKEY *key = kit_key(CA_KEY_INDEX);
    refuse_start(&fixture, kit_cert(kit_key(OTHER_KEY), "x", NULL, NULL, true, KIT_NOW, 1), KIT_NOW,
                 "does not belong");
    refuse_start(&fixture, kit_cert(key, "x", NULL, NULL, false, KIT_NOW, 1), KIT_NOW,
                 "not a CA's");
    refuse_start(&fixture, kit_cert(key, "x", fixture.cert, key, false, KIT_NOW, 1), KIT_NOW,
                 "not a CA's");
    refuse_start(&fixture, kit_cert(key, "x", NULL, NULL, true, KIT_NOW, 1), KIT_NOW - 1,
                 "not valid yet");
    refuse_start(&fixture, kit_cert(key, "x", NULL, NULL, true, KIT_NOW, 1), KIT_NOW + 86400,
                 "expired");
    fixture.settings.ca.certificate = fixture.key_path;
    refuse_load(&fixture, GENERATION_CURRENT, KIT_NOW, ERR_CONFIG, "no certificate");
    fixture.settings.ca.certificate = "/nonexistent/ca.pem";
    refuse_load(&fixture, GENERATION_CURRENT, KIT_NOW, ERR_NOT_FOUND, "/nonexistent/ca.pem");
    fixture.settings.ca.certificate = fixture.cert_path;
    fixture.settings.phone.validity_days = 0;
    refuse_load(&fixture, GENERATION_CURRENT, KIT_NOW, ERR_CONFIG, "validity of 0 days");
    fixture_done(&fixture);
}

// The next CA may not be valid yet, an old one may have expired.
static void time_by_role(void **state)
{
    (void)state;
    static const struct {
        enum generation_role role;
        int64_t now;
        const char *text; // NULL = loads
    } cases[] = {
        {GENERATION_CURRENT, KIT_NOW - 2 * DAY_SEC, "not valid yet"},
        {GENERATION_CURRENT, KIT_NOW, NULL},
        {GENERATION_CURRENT, KIT_NOW + 10 * DAY_SEC, "has expired"},
        {GENERATION_NEXT, KIT_NOW - 2 * DAY_SEC, NULL},
        {GENERATION_NEXT, KIT_NOW, NULL},
        {GENERATION_NEXT, KIT_NOW + 10 * DAY_SEC, "has expired"},
        {GENERATION_OLD, KIT_NOW - 2 * DAY_SEC, NULL},
        {GENERATION_OLD, KIT_NOW, NULL},
        {GENERATION_OLD, KIT_NOW + 10 * DAY_SEC, NULL},
    };
    struct fixture fixture;
    fixture_init(&fixture, NULL, 10);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (cases[i].text != NULL) {
            refuse_load(&fixture, cases[i].role, cases[i].now, ERR_CONFIG, cases[i].text);
            continue;
        }
        struct authority *authority = NULL;
        struct err err = {0};
        assert_ok(load(&fixture.settings, cases[i].role, cases[i].now, &authority, &err), &err);
        assert_int_equal(authority_role(authority), cases[i].role);
        assert_memory_equal(authority_id(authority), fixture.id, SHA256_LEN);
        authority_free(authority);
    }
    fixture_done(&fixture);
}

static void issues_by_role(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, 10);
    struct buf csr = phone_csr();
    static const enum issue_profile profiles[] = {PROFILE_PHONE, PROFILE_RA};
    for (int role = GENERATION_CURRENT; role <= GENERATION_OLD; role++) {
        struct authority *authority = NULL;
        struct err err = {0};
        assert_ok(load(&fixture.settings, (enum generation_role)role, KIT_NOW, &authority, &err),
                  &err);
        for (size_t i = 0; i < 2; i++) {
            struct issue_order order = order_for(&csr);
            order.profile = profiles[i];
            struct buf der = {0};
            struct authority_issued issued;
            enum err_code code = authority_issue(authority, &order, KIT_NOW, &der, &issued, &err);
            if (role == GENERATION_OLD) {
                assert_refused(code, ERR_DENIED, &err,
                               "is an old one and issues nothing but for OCSP");
                assert_null(der.data);
            } else {
                assert_ok(code, &err);
            }
            buf_done(&der);
        }
        authority_free(authority);
    }
    buf_done(&csr);
    fixture_done(&fixture);
}

static void ca_key_usage(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, 10);
    refuse_start(&fixture, ca_with_usage("critical,cRLSign"), KIT_NOW, "lacks keyCertSign");
    refuse_start(&fixture, ca_with_usage(NULL), KIT_NOW, "lacks keyCertSign");
    fixture_done(&fixture);
}

// RFC 8894, 2.1.2: who answers SCEP itself needs both usages, and RSA.
static void direct_needs_usages(void **state)
{
    (void)state;
    static const struct {
        const char *usage;
        bool is_enough;
    } cases[] = {
        {"critical,keyCertSign,cRLSign", false},
        {"critical,keyCertSign,cRLSign,digitalSignature", false},
        {"critical,keyCertSign,cRLSign,keyEncipherment", false},
        {"critical,keyCertSign,cRLSign,digitalSignature,keyEncipherment", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        fixture_init(&fixture, NULL, 10);
        X509 *cert = ca_with_usage(cases[i].usage);
        free(write_cert(fixture.folder, "ca.pem", cert));
        X509_free(cert);
        fixture_load(&fixture);
        fixture.settings.scep.topology = SETTINGS_TOPOLOGY_DIRECT;
        if (cases[i].is_enough) {
            fixture_load(&fixture);
        } else {
            refuse_load(&fixture, GENERATION_CURRENT, KIT_NOW, ERR_CONFIG, "keyEncipherment");
            refuse_load(&fixture, GENERATION_NEXT, KIT_NOW, ERR_CONFIG, "keyEncipherment");
        }
        fixture_done(&fixture);
    }
    struct fixture fixture;
    fixture_init(&fixture, kit_ec_key("P-256"), 10);
    fixture.settings.scep.topology = SETTINGS_TOPOLOGY_DIRECT;
    refuse_load(&fixture, GENERATION_CURRENT, KIT_NOW, ERR_CONFIG, "ec:P-256");
    fixture_done(&fixture);
}

static void crl_sign_usage(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, 10);
    fixture_load(&fixture);
    const struct authority_crl order = {.number = 1, .now = KIT_NOW};
    struct buf der = {0};
    struct err err = {0};
    assert_ok(authority_sign_crl(fixture.authority, &order, &der, &err), &err);
    buf_done(&der);
    X509 *cert = ca_with_usage("critical,keyCertSign");
    free(write_cert(fixture.folder, "ca.pem", cert));
    X509_free(cert);
    fixture_load(&fixture);
    assert_refused(authority_sign_crl(fixture.authority, &order, &der, &err), ERR_DENIED, &err,
                   "lacks cRLSign");
    assert_null(der.data);
    fixture_done(&fixture);
}

// The certificates of each CA name that CA's own CRL and certificate.
static void urls_name_the_ca(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, CA_DAYS);
    fixture.settings.phone.crl_url = "http://pki.example/{ca}.crl";
    fixture.settings.phone.ca_url = "http://pki.example/{ca}/{ca}.cer";
    fixture_load(&fixture);
    struct buf csr = phone_csr();
    struct issue_order order = order_for(&csr);
    X509 *cert = issue_at(&fixture, &order, KIT_NOW);
    char *crl_url = NULL;
    char *ca_url = NULL;
    const char *name = authority_name(fixture.authority);
    assert_true(asprintf(&crl_url, "http://pki.example/%s.crl", name) > 0);
    assert_true(asprintf(&ca_url, "http://pki.example/%s/%s.cer", name, name) > 0);
    CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
    const GENERAL_NAMES *names = sk_DIST_POINT_value(points, 0)->distpoint->name.fullname;
    assert_true(view_is_text(
        ossl_string_view(sk_GENERAL_NAME_value(names, 0)->d.uniformResourceIdentifier), crl_url));
    assert_true(view_is_text(
        ossl_string_view(
            sk_ACCESS_DESCRIPTION_value(access, 0)->location->d.uniformResourceIdentifier),
        ca_url));
    CRL_DIST_POINTS_free(points);
    AUTHORITY_INFO_ACCESS_free(access);
    free(crl_url);
    free(ca_url);
    X509_free(cert);
    buf_done(&csr);
    fixture_done(&fixture);
}

static void ra_certificate(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, CA_DAYS);
    fixture.settings.phone.validity_jitter_days = 100; // of phones only
    fixture.settings.phone.crl_url = "http://pki.example/ca.crl";
    fixture_load(&fixture);
    struct buf csr = phone_csr(); // its subject and its SAN count nothing
    struct issue_order order = order_for(&csr);
    order.profile = PROFILE_RA;
    X509 *cert = issue_at(&fixture, &order, KIT_NOW);
    const X509_NAME *subject = X509_get_subject_name(cert);
    assert_int_equal(X509_NAME_entry_count(subject), 1);
    const ASN1_STRING *name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, 0));
    assert_true(view_is_text(ossl_string_view(name), "SCEP RA"));
    assert_signature(cert, NID_sha256WithRSAEncryption);
    assert_int_equal(time_of(X509_get0_notBefore(cert)), KIT_NOW - BACKDATE_SEC);
    assert_int_equal(time_of(X509_get0_notAfter(cert)), KIT_NOW + PROFILE_RA_DAYS * DAY_SEC);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), kit_key(PHONE_KEY)), 1);
    assert_names_and_ids(cert, fixture.cert);
    assert_int_equal(X509_get_key_usage(cert), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_ext_key_usage, -1), -1);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_subject_alt_name, -1), -1);
    assert_int_equal(X509_check_ca(cert), 0);
    assert_int_equal(X509_get_ext_count(cert), 5);
    assert_verifies(cert, fixture.cert, NULL, KIT_NOW, X509_PURPOSE_ANY);
    X509_free(cert);
    order.max_validity_sec = DAY_SEC;
    cert = issue_at(&fixture, &order, KIT_NOW);
    assert_int_equal(time_of(X509_get0_notAfter(cert)), KIT_NOW + DAY_SEC);
    X509_free(cert);
    buf_done(&csr);
    fixture_done(&fixture);
}

static void ra_certificate_ends_with_the_ca(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, 100);
    fixture_load(&fixture);
    struct buf csr = phone_csr();
    struct issue_order order = order_for(&csr);
    order.profile = PROFILE_RA;
    X509 *cert = issue_at(&fixture, &order, KIT_NOW);
    assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(cert), X509_get0_notAfter(fixture.cert)),
                     0);
    X509_free(cert);
    buf_done(&csr);
    fixture_done(&fixture);
}

static void refuses_ra_orders(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, CA_DAYS);
    fixture_load(&fixture);
    struct buf csr = phone_csr();
    struct issue_order named = order_for(&csr);
    named.profile = PROFILE_RA;
    named.common_name = view_of_text("SCEP RA");
    struct issue_order with_san = order_for(&csr);
    with_san.profile = PROFILE_RA;
    with_san.sans[0] = (struct san){SAN_DNS, view_of_text("ra.example")};
    with_san.san_count = 1;
    const struct issue_order *const bad[] = {&named, &with_san};
    struct buf der = {0};
    struct authority_issued issued;
    struct err err = {0};
    for (size_t i = 0; i < 2; i++) {
        assert_refused(authority_issue(fixture.authority, bad[i], KIT_NOW, &der, &issued, &err),
                       ERR_BAD_REQUEST, &err, "the CA names");
    }
    // Signed by another key than the one in it.
    struct buf forged = req_end(req_begin(kit_key(PHONE_KEY)), kit_key(OTHER_KEY));
    struct issue_order order = order_for(&forged);
    order.profile = PROFILE_RA;
    assert_refused(authority_issue(fixture.authority, &order, KIT_NOW, &der, &issued, &err),
                   ERR_BAD_REQUEST, &err, "signature");
    assert_null(der.data);
    buf_done(&forged);
    buf_done(&csr);
    fixture_done(&fixture);
}

static void der_certificate_file(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, CA_DAYS);
    struct buf der = {0};
    assert_int_equal(ossl_cert_to_der(fixture.cert, &der, NULL), ERR_OK);
    char *path = kit_write(fixture.folder, "ca.der", buf_view(&der));
    fixture.settings.ca.certificate = path;
    fixture_load(&fixture);
    assert_int_equal(authority_not_after(fixture.authority),
                     KIT_NOW - 86400 + CA_DAYS * (int64_t)DAY_SEC);
    free(path);
    buf_done(&der);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field),
        cmocka_unit_test(names_of_the_order),
        cmocka_unit_test(empty_subject_gets_the_orders_name),
        cmocka_unit_test(refuses_orders),
        cmocka_unit_test(caps_validity),
        cmocka_unit_test(jitter_shortens),
        cmocka_unit_test(generalized_time_from_2050),
        cmocka_unit_test(ec_authority),
        cmocka_unit_test(startup_checks),
        cmocka_unit_test(ca_key_usage),
        cmocka_unit_test(time_by_role),
        cmocka_unit_test(issues_by_role),
        cmocka_unit_test(direct_needs_usages),
        cmocka_unit_test(crl_sign_usage),
        cmocka_unit_test(urls_name_the_ca),
        cmocka_unit_test(ra_certificate),
        cmocka_unit_test(ra_certificate_ends_with_the_ca),
        cmocka_unit_test(refuses_ra_orders),
        cmocka_unit_test(der_certificate_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
