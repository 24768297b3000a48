// SPDX-License-Identifier: Apache-2.0
// Certificates of OCSP signers and of servers, issued by a whole CA: field by field, and every
// request that must not become one.
#include "ca/profiles.h"

#include <stdlib.h>

#include "fixture.h"

#define SERVER_DAYS 90

static struct issue_order server_order(const struct buf *csr, const char *host)
{
    struct issue_order order = order_for(csr);
    order.profile = PROFILE_SERVER;
    order.sans[0] = (struct san){SAN_DNS, view_of_text(host)};
    order.san_count = 1;
    return order;
}

static void set_up(struct fixture *fixture)
{
    fixture_init(fixture, NULL, CA_DAYS);
    fixture->settings.servers.domains =
        (struct settings_texts){.list = {"telco.net", "voice.com"}, .count = 2};
    fixture->settings.servers.validity_days = SERVER_DAYS;
    fixture->settings.phone.crl_url = "http://pki.example/ca.crl";
    fixture->settings.phone.ca_url = "http://pki.example/ca.cer";
    fixture->settings.phone.ocsp_url = "http://pki.example/ocsp";
    fixture_load(fixture);
}

static int64_t end_of(const X509 *cert)
{
    int64_t end = 0;
    assert_true(ossl_time_read(X509_get0_notAfter(cert), &end));
    return end;
}

static void assert_access(X509 *cert, int at, int nid, const char *url)
{
    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
    const ACCESS_DESCRIPTION *entry = sk_ACCESS_DESCRIPTION_value(access, at);
    assert_int_equal(OBJ_obj2nid(entry->method), nid);
    assert_true(view_is_text(ossl_string_view(entry->location->d.uniformResourceIdentifier), url));
    AUTHORITY_INFO_ACCESS_free(access);
}

static void server_certificate(void **state)
{
    (void)state;
    static const struct {
        const char *common_name;
        const char *host;
    } cases[] = {
        {"sprov.telco.net", "sprov.telco.net"},
        {"pv.telco.net/mailto:admin@telco.net", "pv.telco.net"},
        {"prof.voice.com/info@voice.com", "prof.voice.com"},
        {"Prof.Voice.COM", "prof.voice.com"},
    };
    struct fixture fixture;
    set_up(&fixture);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct kit_csr content = {.common_name = cases[i].common_name};
        struct buf csr = kit_csr_der(kit_key(PHONE_KEY), &content);
        struct issue_order order = server_order(&csr, cases[i].host);
        X509 *cert = issue_at(&fixture, &order, KIT_NOW);
        assert_int_equal(X509_get_key_usage(cert), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
        assert_int_equal(X509_get_extended_key_usage(cert), XKU_SSL_SERVER);
        assert_int_equal(X509_check_ca(cert), 0);
        assert_int_equal(
            X509_check_host(cert, cases[i].host, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL), 1);
        assert_int_equal(end_of(cert), KIT_NOW + SERVER_DAYS * (int64_t)DAY_SEC);
        assert_access(cert, 0, NID_ad_OCSP, "http://pki.example/ocsp");
        assert_access(cert, 1, NID_ad_ca_issuers, "http://pki.example/ca.cer");
        assert_int_equal(X509_get_ext_count(cert), 8);
        assert_verifies(cert, fixture.cert, NULL, KIT_NOW, X509_PURPOSE_SSL_SERVER);
        X509_free(cert);
        order.max_validity_sec = DAY_SEC;
        cert = issue_at(&fixture, &order, KIT_NOW);
        assert_int_equal(end_of(cert), KIT_NOW + DAY_SEC);
        X509_free(cert);
        order.max_validity_sec = 10 * SERVER_DAYS * (uint32_t)DAY_SEC;
        cert = issue_at(&fixture, &order, KIT_NOW);
        assert_int_equal(end_of(cert), KIT_NOW + SERVER_DAYS * (int64_t)DAY_SEC);
        X509_free(cert);
        buf_done(&csr);
    }
    fixture_done(&fixture);
}

static void refuse(const struct fixture *fixture, const struct issue_order *order,
                   enum err_code expected, const char *text)
{
    struct buf der = {0};
    struct authority_issued issued;
    struct err err = {0};
    assert_refused(authority_issue(fixture->authority, order, KIT_NOW, &der, &issued, &err),
                   expected, &err, text);
    assert_null(der.data);
}

static void refuses_server_names(void **state)
{
    (void)state;
    static const struct {
        const char *common_name;
        const char *host; // the dNSName of the order
        enum err_code code;
        const char *text;
    } cases[] = {
        {"*.telco.net", "telco.net", ERR_BAD_REQUEST, "a wildcard"},
        {"192.0.2.7", "pv.telco.net", ERR_BAD_REQUEST, "an IP address"},
        {"2001:db8::7", "pv.telco.net", ERR_BAD_REQUEST, "an IP address"},
        {"pv", "pv.telco.net", ERR_BAD_REQUEST, "no domain"},
        {"pv.telco.net/", "pv.telco.net", ERR_BAD_REQUEST, "ends in"},
        {"pv.example.nl", "pv.example.nl", ERR_DENIED, "in none of the domains"},
        {"eviltelco.net", "eviltelco.net", ERR_DENIED, "in none of the domains"},
        {"pv.telco.net.evil.nl", "pv.telco.net", ERR_DENIED, "in none of the domains"},
        {"pv.telco.net", "pv.example.nl", ERR_DENIED, "in none of the domains"},
        {"pv.telco.net", "*.telco.net", ERR_BAD_REQUEST, "a wildcard"},
        {"pv.telco.net", "192.0.2.7", ERR_BAD_REQUEST, "an IP address"},
        {"pv.telco.net", "other.telco.net", ERR_BAD_REQUEST, "not among the dNSNames"},
        {NULL, "pv.telco.net", ERR_BAD_REQUEST, "no common name"},
    };
    struct fixture fixture;
    set_up(&fixture);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct kit_csr content = {.common_name = cases[i].common_name};
        struct buf csr = kit_csr_der(kit_key(PHONE_KEY), &content);
        struct issue_order order = server_order(&csr, cases[i].host);
        order.common_name = view_of_text("pv.telco.net"); // counts nothing
        refuse(&fixture, &order, cases[i].code, cases[i].text);
        buf_done(&csr);
    }
    fixture_done(&fixture);
}

static void refuses_server_orders(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    const struct kit_csr content = {.common_name = "pv.telco.net"};
    struct buf csr = kit_csr_der(kit_key(PHONE_KEY), &content);
    struct issue_order order = server_order(&csr, "pv.telco.net");
    order.san_count = 0;
    refuse(&fixture, &order, ERR_BAD_REQUEST, "not among the dNSNames");
    order.san_count = 2;
    order.sans[1] = (struct san){SAN_EMAIL, view_of_text("admin@telco.net")};
    refuse(&fixture, &order, ERR_BAD_REQUEST, "of kind 2");
    fixture.settings.servers.domains.count = 0;
    fixture_load(&fixture);
    order.san_count = 1;
    refuse(&fixture, &order, ERR_DENIED, "servers.domains");
    buf_done(&csr);
    fixture_done(&fixture);
}

static struct buf two_names(void)
{
    X509_REQ *req = req_begin(kit_key(PHONE_KEY));
    X509_NAME *name = X509_REQ_get_subject_name(req);
    X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, 0));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                    (const unsigned char *)"pv.telco.net", -1, -1,
                                                    i == 0 ? 0 : -1),
                         1);
    }
    return req_end(req, kit_key(PHONE_KEY));
}

static struct buf signed_with(const char *digest)
{
    const struct kit_csr content = {.common_name = "pv.telco.net", .digest = digest};
    return kit_csr_der(kit_key(PHONE_KEY), &content);
}

static struct buf md5(void)
{
    return signed_with("MD5");
}

static struct buf sha1(void)
{
    return signed_with("SHA1");
}

static struct buf of_key(EVP_PKEY *take_key)
{
    const struct kit_csr content = {.common_name = "pv.telco.net"};
    struct buf der = kit_csr_der(take_key, &content);
    EVP_PKEY_free(take_key);
    return der;
}

static struct buf rsa_1024(void)
{
    return of_key(kit_rsa_key(1024));
}

static struct buf p256(void)
{
    return of_key(kit_ec_key("P-256"));
}

static struct buf forged(void)
{
    return req_end(req_begin(kit_key(PHONE_KEY)), kit_key(OTHER_KEY));
}

static void refuses_server_requests(void **state)
{
    (void)state;
    static const struct {
        struct buf (*make)(void);
        enum err_code code;
        const char *text;
    } cases[] = {
        {two_names, ERR_BAD_REQUEST, "more than one common name"},
        {md5, ERR_BAD_ALG, "md5WithRSAEncryption, which is not allowed; allowed: SHA-256"},
        {sha1, ERR_BAD_ALG, "sha1WithRSAEncryption, which is not allowed; allowed: SHA-256"},
        {rsa_1024, ERR_BAD_ALG, "an RSA key of 1024 bits; allowed: 2048 to 4096"},
        {p256, ERR_BAD_ALG, "must be RSA"},
        {forged, ERR_BAD_REQUEST, "own signature does not verify"},
    };
    struct fixture fixture;
    set_up(&fixture);
    fixture.settings.algorithms.sha1 = true; // of phones only
    fixture.settings.algorithms.legacy = true;
    fixture_load(&fixture);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf csr = cases[i].make();
        struct issue_order order = server_order(&csr, "pv.telco.net");
        refuse(&fixture, &order, cases[i].code, cases[i].text);
        buf_done(&csr);
    }
    fixture_done(&fixture);
}

static void assert_ocsp_signer(const struct fixture *fixture, const struct authority *authority,
                               EVP_PKEY *key)
{
    struct buf csr = kit_csr_der(key, &(struct kit_csr){.common_name = "counts nothing"});
    struct issue_order order = order_for(&csr);
    order.profile = PROFILE_OCSP;
    struct buf der = {0};
    struct authority_issued issued;
    struct err err = {0};
    assert_ok(authority_issue(authority, &order, KIT_NOW, &der, &issued, &err), &err);
    X509 *cert = parse_cert(&der);
    assert_string_equal(issued.common_name, PROFILE_OCSP_NAME);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), key), 1);
    assert_int_equal(X509_get_key_usage(cert), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_extended_key_usage(cert), XKU_OCSP_SIGN);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_id_pkix_OCSP_noCheck, -1) >= 0, 1);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_crl_distribution_points, -1), -1);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_info_access, -1), -1);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_subject_alt_name, -1), -1);
    assert_int_equal(X509_get_ext_count(cert), 6);
    assert_int_equal(X509_check_ca(cert), 0);
    assert_int_equal(end_of(cert), KIT_NOW + PROFILE_OCSP_DAYS * (int64_t)DAY_SEC);
    assert_verifies(cert, fixture->cert, NULL, KIT_NOW, X509_PURPOSE_OCSP_HELPER);
    X509_free(cert);
    buf_done(&der);
    buf_done(&csr);
}

static void ocsp_signers_of_every_ca(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    EVP_PKEY *ec_key = kit_ec_key("P-256");
    for (int role = GENERATION_CURRENT; role <= GENERATION_OLD; role++) {
        struct generation generation = {
            .role = (enum generation_role)role, .cert = fixture.cert, .key = fixture.key_path};
        memcpy(generation.id, fixture.id, sizeof generation.id);
        struct authority *authority = NULL;
        struct err err = {0};
        assert_ok(authority_load(&fixture.settings, &generation, KIT_NOW, &authority, &err), &err);
        assert_ocsp_signer(&fixture, authority, ec_key);
        assert_ocsp_signer(&fixture, authority, kit_key(PHONE_KEY));
        authority_free(authority);
    }
    EVP_PKEY_free(ec_key);
    fixture_done(&fixture);
}

static void refuses_ocsp_orders(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    fixture.settings.algorithms.sha1 = true;
    fixture_load(&fixture);
    struct buf csr = p256();
    struct issue_order order = order_for(&csr);
    order.profile = PROFILE_OCSP;
    order.common_name = view_of_text("x");
    refuse(&fixture, &order, ERR_BAD_REQUEST, "the CA names");
    order.common_name = VIEW_EMPTY;
    order.profile = PROFILE_PHONE;
    refuse(&fixture, &order, ERR_BAD_ALG, "must be RSA");
    order.profile = PROFILE_RA;
    refuse(&fixture, &order, ERR_BAD_ALG, "must be RSA");
    order.profile = (enum issue_profile)9;
    refuse(&fixture, &order, ERR_DENIED, "no profile 9");
    buf_done(&csr);
    csr = sha1();
    order = order_for(&csr);
    order.profile = PROFILE_OCSP;
    refuse(&fixture, &order, ERR_BAD_ALG, "sha1WithRSAEncryption");
    buf_done(&csr);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_certificate),       cmocka_unit_test(refuses_server_names),
        cmocka_unit_test(refuses_server_orders),    cmocka_unit_test(refuses_server_requests),
        cmocka_unit_test(ocsp_signers_of_every_ca), cmocka_unit_test(refuses_ocsp_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
