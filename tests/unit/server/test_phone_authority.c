// SPDX-License-Identifier: Apache-2.0
// GetCACert's octets: what is read, which certificate is what, chains, and everything that is no
// such answer.
#include "kit/kit.h"

#include <string.h>

#include "conf/cms/certs_only.h"
#include "server/phone/authority.h"

#define DAYS 100

enum { KEY_ROOT, KEY_ISSUING, KEY_RA, KEY_OTHER };

static struct fixture {
    X509 *root;
    X509 *issuing;
    X509 *ra;
    X509 *other; // another root
    struct pin pin;
} fixture;

static struct pin pin_of(const X509 *cert)
{
    struct pin pin = {.len = SHA256_LEN};
    char text[PIN_TEXT_LEN];
    assert_int_equal(pin_parse(pin_format_cert(&pin, cert, text), &pin, NULL), ERR_OK);
    return pin;
}

static int set_up(void **state)
{
    (void)state;
    EVP_PKEY *root_key = kit_key(KEY_ROOT);
    EVP_PKEY *issuing_key = kit_key(KEY_ISSUING);
    fixture.root = kit_cert(root_key, "root", NULL, NULL, true, KIT_NOW, DAYS);
    fixture.issuing = kit_cert(issuing_key, "issuing", fixture.root, root_key, true, KIT_NOW, DAYS);
    fixture.ra =
        kit_cert(kit_key(KEY_RA), "ra", fixture.issuing, issuing_key, false, KIT_NOW, DAYS);
    fixture.other = kit_cert(kit_key(KEY_OTHER), "other", NULL, NULL, true, KIT_NOW, DAYS);
    fixture.pin = pin_of(fixture.root);
    return 0;
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

// A degenerate SignedData of the certificates up to the first NULL.
static struct buf bundle_of(X509 *const *certs)
{
    struct buf ders[PHONE_CERTS_MAX + 1] = {{0}};
    struct view views[PHONE_CERTS_MAX + 1] = {{0}};
    struct buf bundle = {0};
    size_t count = 0;
    for (; certs[count] != NULL; count++) {
        assert_int_equal(ossl_cert_to_der(certs[count], &ders[count], NULL), ERR_OK);
        views[count] = buf_view(&ders[count]);
    }
    assert_int_equal(certs_only_encode(views, count, &bundle, NULL), ERR_OK);
    for (size_t i = 0; i < count; i++) {
        buf_done(&ders[i]);
    }
    return bundle;
}

static struct phone_authority read_bundle(X509 *const *certs, const struct pin *pin)
{
    struct err err = {0};
    struct phone_authority authority = {0};
    struct buf bundle = bundle_of(certs);
    if (phone_authority_read(buf_view(&bundle), pin, &authority, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    buf_done(&bundle);
    return authority;
}

static void assert_name(X509 *cert, const char *name)
{
    char text[16] = "";
    assert_non_null(cert);
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, text, sizeof text);
    assert_string_equal(text, name);
}

static void test_two_tiers(void **state)
{
    (void)state;
    X509 *orders[][4] = {{fixture.ra, fixture.issuing, fixture.root, NULL},
                         {fixture.root, fixture.issuing, fixture.ra, NULL},
                         {fixture.issuing, fixture.ra, fixture.root, NULL}};
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        struct phone_authority authority = read_bundle(orders[i], &fixture.pin);
        assert_true(authority.is_bundle);
        assert_int_equal(sk_X509_num(authority.certs), 3);
        assert_name(authority.root, "root");
        assert_name(authority.issuing, "issuing");
        assert_name(authority.recipient, "ra");
        assert_string_equal(phone_authority_role(&authority, authority.root), "root");
        assert_string_equal(phone_authority_role(&authority, authority.issuing), "issuing CA");
        assert_string_equal(phone_authority_role(&authority, authority.recipient), "RA");
        for (int c = 0; c < 3; c++) {
            assert_int_equal(phone_authority_check_chain(&authority,
                                                         sk_X509_value(authority.certs, c), NULL,
                                                         KIT_NOW, NULL),
                             ERR_OK);
        }
        phone_authority_done(&authority);
    }
}

static void test_one_certificate(void **state)
{
    (void)state;
    struct buf der = {0};
    struct phone_authority authority = {0};
    assert_int_equal(ossl_cert_to_der(fixture.root, &der, NULL), ERR_OK);
    assert_int_equal(phone_authority_read(buf_view(&der), &fixture.pin, &authority, NULL), ERR_OK);
    assert_false(authority.is_bundle);
    assert_name(authority.root, "root");
    assert_name(authority.recipient, "root"); // all there is
    assert_name(authority.issuing, "root");
    phone_authority_done(&authority);
    buf_done(&der);
}

static void test_no_root(void **state)
{
    (void)state;
    X509 *certs[] = {fixture.ra, fixture.issuing, fixture.other, NULL};
    struct phone_authority authority = read_bundle(certs, &fixture.pin);
    assert_null(authority.root);
    assert_name(authority.recipient, "ra");
    phone_authority_done(&authority);
}

// A certificate with this KeyUsage, under the issuing CA.
static X509 *cert_for(EVP_PKEY *key, const char *name, const char *usage)
{
    X509V3_CTX context;
    X509 *cert = kit_cert(key, name, fixture.issuing, kit_key(KEY_ISSUING), false, KIT_NOW, DAYS);
    int at = X509_get_ext_by_NID(cert, NID_key_usage, -1);
    X509_EXTENSION_free(X509_delete_ext(cert, at));
    X509V3_set_ctx(&context, NULL, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, NID_key_usage, usage);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
    assert_true(X509_sign(cert, kit_key(KEY_ISSUING), EVP_sha256()) > 0);
    // OpenSSL keeps what it read of the extensions; a new structure reads them anew.
    struct buf der = {0};
    X509 *fresh = NULL;
    assert_int_equal(ossl_cert_to_der(cert, &der, NULL), ERR_OK);
    assert_int_equal(ossl_cert_from_der(buf_view(&der), &fresh, NULL), ERR_OK);
    buf_done(&der);
    X509_free(cert);
    return fresh;
}

// Microsoft's NDES has one certificate to encrypt for and another one to sign with.
static void test_two_ra_certificates(void **state)
{
    (void)state;
    X509 *encrypting = cert_for(kit_key(KEY_RA), "encrypting", "critical,keyEncipherment");
    X509 *signing = cert_for(kit_key(KEY_OTHER), "signing", "critical,digitalSignature");
    X509 *certs[] = {signing, encrypting, fixture.issuing, fixture.root, NULL};
    struct phone_authority authority = read_bundle(certs, &fixture.pin);
    assert_name(authority.recipient, "encrypting");
    assert_name(authority.issuing, "issuing");
    assert_string_equal(phone_authority_role(&authority, sk_X509_value(authority.certs, 0)),
                        "other RA");
    phone_authority_done(&authority);
    X509_free(encrypting);
    X509_free(signing);
}

static void test_nobody_to_encrypt_for(void **state)
{
    (void)state;
    EVP_PKEY *ec = kit_ec_key("P-256");
    X509 *ec_ra = cert_for(ec, "ec", "critical,digitalSignature,keyEncipherment");
    X509 *signing = cert_for(kit_key(KEY_OTHER), "signing", "critical,digitalSignature");
    X509 *certs[] = {ec_ra, signing, fixture.issuing, fixture.root, NULL};
    struct phone_authority authority = read_bundle(certs, &fixture.pin);
    assert_null(authority.recipient);
    assert_null(authority.issuing);
    phone_authority_done(&authority);
    X509_free(ec_ra);
    X509_free(signing);
    EVP_PKEY_free(ec);
}

static void test_chains(void **state)
{
    (void)state;
    X509 *certs[] = {fixture.ra, fixture.root, fixture.other, NULL};
    struct err err = {0};
    struct phone_authority authority = read_bundle(certs, &fixture.pin);
    X509 *ra = sk_X509_value(authority.certs, 0);
    assert_int_equal(phone_authority_check_chain(&authority, ra, NULL, KIT_NOW, &err), ERR_DENIED);
    assert_non_null(strstr(err.text, "unable to get local issuer certificate"));
    // The missing one may come from elsewhere.
    STACK_OF(X509) *others = sk_X509_new_null();
    assert_true(sk_X509_push(others, fixture.issuing) > 0);
    assert_int_equal(phone_authority_check_chain(&authority, ra, others, KIT_NOW, NULL), ERR_OK);
    int64_t later = KIT_NOW + (DAYS + 1) * (int64_t)86400;
    assert_int_equal(phone_authority_check_chain(&authority, ra, others, later, &err), ERR_DENIED);
    assert_non_null(strstr(err.text, "expired"));
    assert_int_equal(phone_authority_check_chain(&authority, ra, others, KIT_NOW - 10, &err),
                     ERR_DENIED);
    assert_non_null(strstr(err.text, "not yet valid"));
    // Another root in the same answer is not trusted.
    assert_int_equal(phone_authority_check_chain(&authority, sk_X509_value(authority.certs, 2),
                                                 NULL, KIT_NOW, &err),
                     ERR_DENIED);
    sk_X509_free(others);
    phone_authority_done(&authority);
}

// Pinned, though no root: what chains to it is trusted.
static void test_pinned_intermediate(void **state)
{
    (void)state;
    struct pin pin = pin_of(fixture.issuing);
    X509 *certs[] = {fixture.ra, fixture.issuing, NULL};
    struct phone_authority authority = read_bundle(certs, &pin);
    assert_name(authority.root, "issuing");
    assert_int_equal(
        phone_authority_check_chain(&authority, authority.recipient, NULL, KIT_NOW, NULL), ERR_OK);
    phone_authority_done(&authority);
}

static void assert_unreadable(struct view octets, enum err_code code, const char *said)
{
    struct err err = {0};
    struct phone_authority authority = {0};
    assert_int_equal(phone_authority_read(octets, &fixture.pin, &authority, &err), code);
    if (strstr(err.text, said) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", said, err.text);
    }
    assert_null(authority.certs);
}

static void test_unreadable(void **state)
{
    (void)state;
    X509 *certs[] = {fixture.ra, fixture.issuing, fixture.root, NULL};
    X509 *many[PHONE_CERTS_MAX + 2];
    X509 *none[] = {NULL};
    for (int i = 0; i <= PHONE_CERTS_MAX; i++) {
        many[i] = fixture.root;
    }
    many[PHONE_CERTS_MAX + 1] = NULL;
    struct buf bundle = bundle_of(certs);
    struct buf too_many = bundle_of(many);
    struct buf empty = bundle_of(none);
    struct buf pem = kit_cert_pem(fixture.root);
    struct buf der = {0};
    assert_int_equal(ossl_cert_to_der(fixture.root, &der, NULL), ERR_OK);
    assert_int_equal(buf_append(&der, view_of("x", 1), NULL), ERR_OK);
    assert_int_equal(buf_append(&bundle, view_of("x", 1), NULL), ERR_OK);
    assert_unreadable(VIEW_EMPTY, ERR_SYNTAX, "an empty answer");
    assert_unreadable(view_of_text("<html>404</html>"), ERR_SYNTAX, "no PKCS#7 SignedData");
    assert_unreadable(buf_view(&pem), ERR_SYNTAX, "PEM text");
    assert_unreadable(buf_view(&der), ERR_SYNTAX, "no PKCS#7 SignedData");
    assert_unreadable(buf_view(&bundle), ERR_SYNTAX, "no PKCS#7 SignedData");
    assert_unreadable(buf_view(&too_many), ERR_LIMIT, "with 17 certificates; expected 1 to 16");
    assert_unreadable(buf_view(&empty), ERR_SYNTAX, "with 0 certificates");
    buf_done(&bundle);
    buf_done(&too_many);
    buf_done(&empty);
    buf_done(&pem);
    buf_done(&der);
}

// Whatever is cut or changed, reading ends; what is read can be asked about.
static void test_damaged(void **state)
{
    (void)state;
    X509 *certs[] = {fixture.ra, fixture.issuing, fixture.root, NULL};
    struct buf bundle = bundle_of(certs);
    for (size_t len = 0; len < bundle.len; len++) {
        struct phone_authority authority = {0};
        struct view cut = view_of(bundle.data, len);
        assert_true(phone_authority_read(cut, &fixture.pin, &authority, NULL) != ERR_OK);
    }
    for (size_t at = 0; at < bundle.len; at++) {
        struct phone_authority authority = {0};
        bundle.data[at] ^= 0x20;
        if (phone_authority_read(buf_view(&bundle), &fixture.pin, &authority, NULL) == ERR_OK) {
            assert_in_range(sk_X509_num(authority.certs), 1, 3);
        }
        phone_authority_done(&authority);
        bundle.data[at] ^= 0x20;
    }
    buf_done(&bundle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_tiers),
        cmocka_unit_test(test_one_certificate),
        cmocka_unit_test(test_no_root),
        cmocka_unit_test(test_two_ra_certificates),
        cmocka_unit_test(test_nobody_to_encrypt_for),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_pinned_intermediate),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
