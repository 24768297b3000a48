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

#define ROOT_USAGE    (KU_KEY_CERT_SIGN | KU_CRL_SIGN)
#define ISSUING_USAGE (ROOT_USAGE | KU_DIGITAL_SIGNATURE) // signs answers to GetNextCACert
#define DIRECT_USAGE  (ISSUING_USAGE | KU_KEY_ENCIPHERMENT)

static int days_of(const X509 *cert)
{
    int days = 0;
    int seconds = 0;
    ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(cert), X509_get0_notAfter(cert));
    return days;
}

static void assert_ca(X509 *cert, long path_len, unsigned usage, int years)
{
    assert_int_equal(X509_check_ca(cert), 1);
    assert_int_equal(X509_get_pathlen(cert), path_len);
    assert_int_equal(X509_get_key_usage(cert), usage);
    int at = X509_get_ext_by_NID(cert, NID_key_usage, -1);
    assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(cert, at)), 1);
    at = X509_get_ext_by_NID(cert, NID_basic_constraints, -1);
    assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(cert, at)), 1);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_ext_key_usage, -1), -1);
    assert_non_null(X509_get0_subject_key_id(cert));
    assert_int_equal(days_of(cert), years * 36525 / 100);
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
    assert_int_equal(days_of(cert), 730);
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
    assert_ca(root, 1, ROOT_USAGE, 20);
    assert_ca(ca, 0, ISSUING_USAGE, 10);
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
    assert_ca(ca, 0, ISSUING_USAGE, 20);
    assert_ra(ra, ca);
    assert_fingerprints(&result, ca);
    assert_verifies(ra, ca, NULL, KIT_NOW, X509_PURPOSE_ANY);
    X509_free(ca);
    X509_free(ra);
    ceremony_done(&result);
}

// The CA answers SCEP itself: there is no RA, and clients can encrypt to the CA.
static void direct(void **state)
{
    (void)state;
    const struct ceremony_order order = {
        .tiers = 1, .is_direct = true, .organization = "Example", .now = KIT_NOW};
    struct ceremony_result result = {0};
    struct err err = {0};
    assert_ok(ceremony_run(&order, &result, &err), &err);
    assert_null(result.root_key.data);
    assert_null(result.ra_key.data);
    assert_null(result.ra_certificate.data);
    X509 *ca = cert_of(&result.ca_certificate);
    assert_pair(&result.ca_key, ca, "rsa:2048");
    assert_subject(ca, "Example", "SCEP CA");
    assert_ca(ca, 0, DIRECT_USAGE, 20);
    assert_fingerprints(&result, ca);
    assert_verifies(ca, ca, NULL, KIT_NOW, X509_PURPOSE_ANY);
    X509_free(ca);
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
    fixture.settings = (struct settings){
        .ca = {.certificate = fixture.cert_path, .key = fixture.key_path, .crl_hours = CRL_HOURS},
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
        {{.tiers = 2, .is_direct = true}, "2 tiers for a CA that answers itself"},
        {{.tiers = 1, .is_direct = true, .ca_key = "ec:P-256"}, "clients encrypt to it"},
        {{.tiers = 1, .is_direct = true, .ca_key = "ec:P-257"}, "allowed: rsa:2048"},
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

static X509_NAME *name_of(const char *common_name)
{
    X509_NAME *name = X509_NAME_new();
    X509_NAME_add_entry_by_txt(name, "C", MBSTRING_UTF8, (const unsigned char *)"NL", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1,
                               -1, 0);
    X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *)"Last", -1, -1, 0);
    return name;
}

static void names_are_counted_up(void **state)
{
    (void)state;
    static const struct {
        const char *present;
        const char *next;
    } rows[] = {
        {"SCEP Issuing CA", "SCEP Issuing CA G2"},
        {"SCEP Issuing CA G2", "SCEP Issuing CA G3"},
        {"SCEP Issuing CA G9", "SCEP Issuing CA G10"},
        {"CA G1", "CA G2"},
        {"CA G9999", "CA G10000"},
        {"CA G10000", "CA G10000 G2"}, // too many digits to be a number of ours
        {"CA G02", "CA G02 G2"},
        {"CA G", "CA G G2"},
        {"CA-G7", "CA-G7 G2"},
        {"G7", "G7 G2"},
        {" G7", " G7 G2"},
        {"7", "7 G2"},
        {"K\xc3\xb6ln", "K\xc3\xb6ln G2"},
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abc",
         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abc G2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        X509_NAME *present = name_of(rows[i].present);
        X509_NAME *expected = name_of(rows[i].next);
        X509_NAME *next = NULL;
        struct err err = {0};
        assert_ok(ceremony_next_name(present, &next, &err), &err);
        struct buf der = {0};
        struct buf expected_der = {0};
        assert_ok(ossl_name_to_der(next, &der, &err), &err);
        assert_ok(ossl_name_to_der(expected, &expected_der, &err), &err);
        if (!view_equal(buf_view(&der), buf_view(&expected_der))) {
            fail_msg("%s", rows[i].present);
        }
        buf_done(&der);
        buf_done(&expected_der);
        X509_NAME_free(next);
        X509_NAME_free(expected);
        X509_NAME_free(present);
    }
}

static void names_that_cannot_be_counted(void **state)
{
    (void)state;
    X509_NAME *next = NULL;
    X509_NAME *empty = X509_NAME_new();
    struct err err = {0};
    assert_refused(ceremony_next_name(empty, &next, &err), ERR_CONFIG, &err, "no common name");
    X509_NAME *full = name_of("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    assert_refused(ceremony_next_name(full, &next, &err), ERR_CONFIG, &err, "is not allowed");
    assert_null(next);
    X509_NAME_free(full);
    X509_NAME_free(empty);
}

// A root on disk, with `days` left to live and a path length; -1 = none.
struct root {
    char *folder;
    char *key_path;
    EVP_PKEY *key; // borrowed
    X509 *cert;
    X509_NAME *subject; // of the next CA
};

static struct root root_of(int days, bool is_ca)
{
    struct root root = {.folder = kit_new_folder(), .key = kit_key(OTHER_KEY)};
    root.cert = kit_cert(root.key, "Root", NULL, NULL, is_ca, KIT_NOW - 86400, days + 1);
    root.key_path = write_key(root.folder, "root.key", root.key);
    root.subject = name_of("CA G2");
    return root;
}

static void root_done(struct root *root)
{
    X509_free(root->cert);
    X509_NAME_free(root->subject);
    free(root->key_path);
    kit_remove_folder(root->folder);
}

static struct ceremony_next_order next_order(const struct root *root)
{
    return (struct ceremony_next_order){.subject = root->subject,
                                        .root = root->cert,
                                        .root_key = {.uri = root->key_path},
                                        .ca_key = "ec:P-256",
                                        .now = KIT_NOW};
}

static void next_under_a_root(void **state)
{
    (void)state;
    struct root root = root_of(20 * 366, true);
    const struct ceremony_next_order order = next_order(&root);
    struct ceremony_next_result result = {0};
    struct err err = {0};
    assert_ok(ceremony_next(&order, &result, &err), &err);
    X509 *cert = cert_of(&result.certificate);
    assert_int_equal(X509_cmp(cert, result.cert), 0);
    assert_pair(&result.key, cert, "ec:P-256");
    assert_int_equal(X509_NAME_cmp(X509_get_subject_name(cert), root.subject), 0);
    assert_ca(cert, 0, ISSUING_USAGE, 10);
    assert_verifies(cert, root.cert, NULL, KIT_NOW, X509_PURPOSE_ANY);
    X509_free(cert);
    ceremony_next_done(&result);
    assert_null(result.key.data);
    root_done(&root);
}

// Never valid beyond its root.
static void next_ends_with_its_root(void **state)
{
    (void)state;
    struct root root = root_of(100, true);
    const struct ceremony_next_order order = next_order(&root);
    struct ceremony_next_result result = {0};
    struct err err = {0};
    assert_ok(ceremony_next(&order, &result, &err), &err);
    assert_int_equal(
        ASN1_TIME_compare(X509_get0_notAfter(result.cert), X509_get0_notAfter(root.cert)), 0);
    ceremony_next_done(&result);
    root_done(&root);
}

static void next_that_is_its_own_root(void **state)
{
    (void)state;
    struct root unused = root_of(10, true);
    struct ceremony_next_order order = next_order(&unused);
    order.root = NULL;
    order.root_key.uri = NULL;
    struct ceremony_next_result result = {0};
    struct err err = {0};
    assert_ok(ceremony_next(&order, &result, &err), &err);
    assert_ca(result.cert, 0, ISSUING_USAGE, 20);
    assert_verifies(result.cert, result.cert, NULL, KIT_NOW, X509_PURPOSE_ANY);
    ceremony_next_done(&result);
    order.is_direct = true;
    order.ca_key = NULL;
    assert_ok(ceremony_next(&order, &result, &err), &err);
    assert_ca(result.cert, 0, DIRECT_USAGE, 20);
    assert_pair(&result.key, result.cert, "rsa:2048");
    ceremony_next_done(&result);
    root_done(&unused);
}

// A key that is there already is used where it is, and nothing of it comes back.
static void next_with_a_key_that_is_there(void **state)
{
    (void)state;
    struct root root = root_of(1000, true);
    char *key_path = write_key(root.folder, "next.key", kit_key(NEXT_KEY));
    struct ceremony_next_order order = next_order(&root);
    order.key.uri = key_path;
    struct ceremony_next_result result = {0};
    struct err err = {0};
    assert_ok(ceremony_next(&order, &result, &err), &err);
    assert_null(result.key.data);
    assert_int_equal(X509_check_private_key(result.cert, kit_key(NEXT_KEY)), 1);
    assert_verifies(result.cert, root.cert, NULL, KIT_NOW, X509_PURPOSE_ANY);
    ceremony_next_done(&result);
    free(key_path);
    root_done(&root);
}

static void expect_no_next(const struct ceremony_next_order *order, const char *text)
{
    struct ceremony_next_result result = {0};
    struct err err = {0};
    enum err_code code = ceremony_next(order, &result, &err);
    assert_null(result.cert);
    assert_refused(code, ERR_CONFIG, &err, text);
}

static void next_refuses(void **state)
{
    (void)state;
    struct root root = root_of(1000, true);
    struct ceremony_next_order order = next_order(&root);
    char *other = write_key(root.folder, "other.key", kit_key(PHONE_KEY));
    order.root_key.uri = other;
    expect_no_next(&order, "not that of the root's certificate");
    order = next_order(&root);
    order.root_key.uri = "/nonexistent/root.key";
    expect_no_next(&order, "/nonexistent/root.key");
    order = next_order(&root);
    order.key.uri = "/nonexistent/ca.key";
    expect_no_next(&order, "/nonexistent/ca.key");
    order = next_order(&root);
    order.ca_key = "rsa:512";
    expect_no_next(&order, "rsa:512");
    order = next_order(&root);
    order.is_direct = true;
    expect_no_next(&order, "answers itself");
    order = next_order(&root);
    order.now = KIT_NOW + 1001 * (int64_t)86400;
    expect_no_next(&order, "has expired");

    EVP_PKEY *weak = kit_rsa_key(1024);
    char *weak_path = write_key(root.folder, "weak.key", weak);
    order = next_order(&root);
    order.key.uri = weak_path;
    expect_no_next(&order, "a CA key of type rsa:1024");
    EVP_PKEY_free(weak);
    free(weak_path);
    free(other);
    root_done(&root);

    root = root_of(1000, false);
    order = next_order(&root);
    expect_no_next(&order, "not that of a CA");
    root_done(&root);
}

// The single CA of one tier has pathLen 0, so that nothing under it would verify.
static void next_refuses_path_length(void **state)
{
    (void)state;
    const struct ceremony_order single = {.tiers = 1, .ca_key = "ec:P-256", .now = KIT_NOW};
    struct ceremony_result founded = {0};
    struct err err = {0};
    assert_ok(ceremony_run(&single, &founded, &err), &err);
    struct root root = root_of(1000, true);
    X509_free(root.cert);
    root.cert = cert_of(&founded.ca_certificate);
    const struct ceremony_next_order order = next_order(&root);
    expect_no_next(&order, "pathLenConstraint 0");
    ceremony_done(&founded);
    root_done(&root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_keys),
        cmocka_unit_test(ec_keys),
        cmocka_unit_test(one_tier),
        cmocka_unit_test(direct),
        cmocka_unit_test(starts_an_authority),
        cmocka_unit_test(refuses),
        cmocka_unit_test(names_are_counted_up),
        cmocka_unit_test(names_that_cannot_be_counted),
        cmocka_unit_test(next_under_a_root),
        cmocka_unit_test(next_ends_with_its_root),
        cmocka_unit_test(next_that_is_its_own_root),
        cmocka_unit_test(next_with_a_key_that_is_there),
        cmocka_unit_test(next_refuses),
        cmocka_unit_test(next_refuses_path_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
