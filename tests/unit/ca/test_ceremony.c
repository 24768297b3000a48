// SPDX-License-Identifier: Apache-2.0
// The founding of a CA: chains that verify strictly, the right keys, nothing left behind.
#include <stdlib.h>

#include <openssl/pem.h>

#include "ca/ceremony.h"
#include "ca/key.h"
#include "fixture.h"

static X509 *cert_of(const struct buf *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(cert);
    return cert;
}

static void assert_pair(const struct buf *key_pem, const X509 *cert, const char *type)
{
    BIO *bio = BIO_new_mem_buf(key_pem->data, (int)key_pem->len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(key);
    assert_int_equal(X509_check_private_key(cert, key), 1);
    char actual[KEY_TYPE_LEN];
    assert_string_equal(key_describe(key, actual), type);
    EVP_PKEY_free(key);
}

static void assert_subject(const X509 *cert, const char *organization, const char *common_name)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    char text[128];
    assert_int_equal(X509_NAME_entry_count(subject), organization != NULL ? 2 : 1);
    if (organization != NULL) {
        X509_NAME_get_text_by_NID(subject, NID_organizationName, text, sizeof text);
        assert_string_equal(text, organization);
    }
    X509_NAME_get_text_by_NID(subject, NID_commonName, text, sizeof text);
    assert_string_equal(text, common_name);
}

static void assert_ca(X509 *cert, long path_len, int years)
{
    assert_int_equal(X509_check_ca(cert), 1);
    assert_int_equal(X509_get_pathlen(cert), path_len);
    assert_int_equal(X509_get_key_usage(cert), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    int at = X509_get_ext_by_NID(cert, NID_key_usage, -1);
    assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(cert, at)), 1);
    at = X509_get_ext_by_NID(cert, NID_basic_constraints, -1);
    assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(cert, at)), 1);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_ext_key_usage, -1), -1);
    assert_non_null(X509_get0_subject_key_id(cert));
    int days = 0;
    int seconds = 0;
    ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(cert), X509_get0_notAfter(cert));
    assert_int_equal(days, years * 36525 / 100);
}

static void assert_ra(X509 *cert, X509 *issuer)
{
    assert_int_equal(X509_check_ca(cert), 0);
    assert_int_equal(X509_get_key_usage(cert), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_ext_key_usage, -1), -1);
    assert_int_equal(X509_get_ext_count(cert), 4);
    assert_non_null(X509_get0_subject_key_id(cert));
    assert_true(view_equal(ossl_string_view(X509_get0_authority_key_id(cert)),
                           ossl_string_view(X509_get0_subject_key_id(issuer))));
    int days = 0;
    int seconds = 0;
    ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(cert), X509_get0_notAfter(cert));
    assert_int_equal(days, 730);
}

static void assert_fingerprints(const struct ceremony_result *result, const X509 *root)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    assert_int_equal(X509_digest(root, EVP_sha256(), digest, NULL), 1);
    assert_memory_equal(result->root_sha256, digest, SHA256_LEN);
    assert_int_equal(X509_digest(root, EVP_sha1(), digest, NULL), 1);
    assert_memory_equal(result->root_sha1, digest, CEREMONY_SHA1_LEN);
}

static void two_tiers(const char *ca_key, const char *root_type, const char *ca_type)
{
    const struct ceremony_order order = {
        .tiers = 2, .ca_key = ca_key, .organization = "K\xc3\xb6ln GmbH", .now = KIT_NOW};
    struct ceremony_result result = {0};
    struct err err = {0};
    assert_ok(ceremony_run(&order, &result, &err), &err);
    X509 *root = cert_of(&result.root_certificate);
    X509 *ca = cert_of(&result.ca_certificate);
    X509 *ra = cert_of(&result.ra_certificate);
    assert_pair(&result.root_key, root, root_type);
    assert_pair(&result.ca_key, ca, ca_type);
    assert_pair(&result.ra_key, ra, "rsa:2048");
    assert_subject(root, "K\xc3\xb6ln GmbH", "SCEP Root CA");
    assert_subject(ca, "K\xc3\xb6ln GmbH", "SCEP Issuing CA");
    assert_subject(ra, "K\xc3\xb6ln GmbH", "SCEP RA");
    assert_ca(root, 1, 20);
    assert_ca(ca, 0, 10);
    assert_ra(ra, ca);
    assert_fingerprints(&result, root);
    assert_verifies(ca, root, NULL, KIT_NOW, X509_PURPOSE_ANY);
    assert_verifies(ra, root, ca, KIT_NOW, X509_PURPOSE_ANY);
    X509_free(root);
    X509_free(ca);
    X509_free(ra);
    ceremony_done(&result);
    assert_null(result.root_key.data);
    assert_null(result.ra_key.data);
}

static void default_keys(void **state)
{
    (void)state;
    two_tiers(NULL, "rsa:3072", "rsa:2048");
}

static void ec_keys(void **state)
{
    (void)state;
    two_tiers("ec:P-256", "ec:P-256", "ec:P-256");
    two_tiers("ec:P-384", "ec:P-384", "ec:P-384");
}

static void one_tier(void **state)
{
    (void)state;
    const struct ceremony_order order = {.tiers = 1, .ca_key = "ec:P-256", .now = KIT_NOW};
    struct ceremony_result result = {0};
    struct err err = {0};
    assert_ok(ceremony_run(&order, &result, &err), &err);
    assert_null(result.root_key.data);
    assert_true(view_equal(buf_view(&result.root_certificate), buf_view(&result.ca_certificate)));
    X509 *ca = cert_of(&result.ca_certificate);
    X509 *ra = cert_of(&result.ra_certificate);
    assert_pair(&result.ca_key, ca, "ec:P-256");
    assert_subject(ca, NULL, "SCEP CA");
    assert_ca(ca, 0, 20);
    assert_ra(ra, ca);
    assert_fingerprints(&result, ca);
    assert_verifies(ra, ca, NULL, KIT_NOW, X509_PURPOSE_ANY);
    X509_free(ca);
    X509_free(ra);
    ceremony_done(&result);
}

// What the ceremony makes is what scepd-ca starts with.
static void starts_an_authority(void **state)
{
    (void)state;
    const struct ceremony_order order = {.tiers = 2, .ca_key = "ec:P-384", .now = KIT_NOW};
    struct ceremony_result result = {0};
    struct err err = {0};
    assert_ok(ceremony_run(&order, &result, &err), &err);
    struct fixture fixture = {.folder = kit_new_folder()};
    fixture.cert_path = kit_write(fixture.folder, "ca.pem", buf_view(&result.ca_certificate));
    fixture.key_path = kit_write(fixture.folder, "ca.key", buf_view(&result.ca_key));
    fixture.settings = (struct authority_settings){.certificate = fixture.cert_path,
                                                   .key = fixture.key_path,
                                                   .phone = {.validity_days = VALIDITY_DAYS}};
    fixture_load(&fixture);
    X509 *root = cert_of(&result.root_certificate);
    X509 *ca = cert_of(&result.ca_certificate);
    struct buf csr = kit_csr_der(kit_key(PHONE_KEY), &(struct kit_csr){.common_name = "phone"});
    struct issue_order issue = order_for(&csr);
    X509 *cert = issue_at(&fixture, &issue, KIT_NOW);
    assert_verifies(cert, root, ca, KIT_NOW, X509_PURPOSE_SSL_CLIENT);
    X509_free(cert);
    X509_free(ca);
    X509_free(root);
    buf_done(&csr);
    ceremony_done(&result);
    fixture_done(&fixture);
}

#define CHARS_65 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef+"

static void refuses(void **state)
{
    (void)state;
    static const struct {
        struct ceremony_order order;
        const char *text;
    } bad[] = {
        {{.tiers = 0}, "0 tiers"},
        {{.tiers = 3}, "3 tiers"},
        {{.tiers = 2, .ca_key = "rsa:1024"}, "rsa:1024"},
        {{.tiers = 2, .ca_key = "ec:P-521"}, "ec:P-521"},
        {{.tiers = 2, .ca_key = ""}, "allowed: rsa:2048"},
        {{.tiers = 2, .organization = ""}, "the organization"},
        {{.tiers = 2, .organization = "a\nb"}, "the organization"},
        {{.tiers = 2, .organization = CHARS_65}, "65 characters"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ceremony_result result = {0};
        struct err err = {0};
        assert_refused(ceremony_run(&bad[i].order, &result, &err), ERR_CONFIG, &err, bad[i].text);
        assert_null(result.ca_key.data);
    }
    assert_true(ceremony_is_key_kind("rsa:4096"));
    assert_false(ceremony_is_key_kind("rsa"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_keys), cmocka_unit_test(ec_keys),
        cmocka_unit_test(one_tier),     cmocka_unit_test(starts_an_authority),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
