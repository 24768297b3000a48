// SPDX-License-Identifier: Apache-2.0
// C1 to C11 and A1 to A8 of the conformance list: what the RA shows of itself, and what it refuses
// to start with.
#include "ra/credentials.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "conf/limits.h"
#include "kit/kit.h"

enum { KEY_RA = 0, KEY_ISSUING = 1, KEY_ROOT = 2, KEY_MIDDLE = 3, KEY_OTHER = 4 };

#define DAYS       1000
#define PIN        "correct horse"
#define LISTS_MAX  3
#define PEM_MAX    4
#define BEFORE_SEC 100 // everything is valid since then

static struct fixture {
    X509 *root;
    X509 *issuing; // by root
    X509 *ra;      // by issuing
    X509 *middle;  // by root
    X509 *lower;   // another issuing CA, by middle
    X509 *lower_ra;
    X509 *one_tier_ra; // by root
} fixture;

static X509 *make_cert(unsigned key, const char *name, X509 *issuer, unsigned issuer_key,
                       bool is_ca)
{
    return kit_cert(kit_key(key), name, issuer, issuer != NULL ? kit_key(issuer_key) : NULL, is_ca,
                    KIT_NOW - BEFORE_SEC, DAYS);
}

static int set_up(void **state)
{
    (void)state;
    fixture.root = make_cert(KEY_ROOT, "Root", NULL, 0, true);
    fixture.issuing = make_cert(KEY_ISSUING, "Issuing", fixture.root, KEY_ROOT, true);
    fixture.ra = make_cert(KEY_RA, "RA", fixture.issuing, KEY_ISSUING, false);
    fixture.middle = make_cert(KEY_MIDDLE, "Middle", fixture.root, KEY_ROOT, true);
    fixture.lower = make_cert(KEY_ISSUING, "Lower", fixture.middle, KEY_MIDDLE, true);
    fixture.lower_ra = make_cert(KEY_RA, "RA", fixture.lower, KEY_ISSUING, false);
    fixture.one_tier_ra = make_cert(KEY_RA, "RA", fixture.root, KEY_ROOT, false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    X509 *certs[] = {fixture.root,  fixture.issuing,  fixture.ra,         fixture.middle,
                     fixture.lower, fixture.lower_ra, fixture.one_tier_ra};
    for (size_t i = 0; i < sizeof certs / sizeof certs[0]; i++) {
        X509_free(certs[i]);
    }
    return 0;
}

// Files of one set-up. NULL / empty members are left out.
struct files {
    X509 *ra;
    X509 *issuing;
    X509 *root[PEM_MAX]; // ca.root, in this order
    EVP_PKEY *key;       // KEY_RA's by default
};

struct site {
    char *folder;
    char *ra;
    char *issuing;
    char *root;
    char *key;
    struct settings settings;
};

static struct buf pem_of(X509 *const certs[PEM_MAX])
{
    struct buf all = {0};
    for (size_t i = 0; i < PEM_MAX && certs[i] != NULL; i++) {
        struct buf pem = kit_cert_pem(certs[i]);
        assert_int_equal(buf_append(&all, buf_view(&pem), NULL), ERR_OK);
        buf_done(&pem);
    }
    return all;
}

static char *write_certs(const char *folder, const char *name, X509 *const certs[PEM_MAX])
{
    struct buf pem = pem_of(certs);
    char *path = kit_write(folder, name, buf_view(&pem));
    buf_done(&pem);
    return path;
}

static void open_site(const struct files *files, struct site *ret_site)
{
    char *folder = kit_new_folder();
    struct buf key = kit_key_pem(files->key != NULL ? files->key : kit_key(KEY_RA));
    struct site site = {
        .folder = folder,
        .ra = write_certs(folder, "ra.pem", (X509 *[PEM_MAX]){files->ra}),
        .issuing = write_certs(folder, "ca.pem", (X509 *[PEM_MAX]){files->issuing}),
        .key = kit_write(folder, "ra.key", buf_view(&key)),
    };
    buf_done(&key);
    if (files->root[0] != NULL) {
        site.root = write_certs(folder, "root.pem", files->root);
    }
    site.settings.ra.certificate = site.ra;
    site.settings.ra.key = site.key;
    site.settings.ca.certificate = site.issuing;
    site.settings.ca.root = site.root;
    site.settings.scep.get_ca_cert[0] = SETTINGS_CA_ITEM_RA;
    site.settings.scep.get_ca_cert[1] = SETTINGS_CA_ITEM_ISSUING;
    site.settings.scep.get_ca_cert[2] = SETTINGS_CA_ITEM_ROOT;
    site.settings.scep.get_ca_cert_count = LISTS_MAX;
    *ret_site = site;
}

static void close_site(struct site *site)
{
    free(site->ra);
    free(site->issuing);
    free(site->root);
    free(site->key);
    kit_remove_folder(site->folder);
}

static struct credentials *load(const struct site *site)
{
    struct err err = {0};
    struct credentials *credentials = NULL;
    if (credentials_load(&site->settings, KIT_NOW, &credentials, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    return credentials;
}

static void assert_refused(const struct site *site, int64_t now, enum err_code expected,
                           const char *text)
{
    struct err err = {0};
    struct credentials *credentials = NULL;
    enum err_code code = credentials_load(&site->settings, now, &credentials, &err);
    if (code != expected || err.code != expected || strstr(err.text, text) == NULL) {
        fail_msg("%s: %s (expected \"%s\")", err_name(code), err.text, text);
    }
    assert_null(credentials);
}

static void two_tiers(void **state)
{
    (void)state;
    struct site site;
    open_site(&(struct files){fixture.ra, fixture.issuing, {fixture.root}, NULL}, &site);
    struct credentials *credentials = load(&site);
    assert_int_equal(X509_cmp(credentials->ra_cert, fixture.ra), 0);
    assert_int_equal(X509_cmp(credentials->issuing_cert, fixture.issuing), 0);
    assert_int_equal(X509_cmp(credentials_root(credentials), fixture.root), 0);
    assert_int_equal(EVP_PKEY_eq(credentials->ra_key, kit_key(KEY_RA)), 1);
    assert_int_equal(sk_X509_num(credentials->upper), 1);
    credentials_free(credentials);
    close_site(&site);
    credentials_free(NULL);
}

// The issuing CA is the root, named once or twice.
static void one_tier(void **state)
{
    (void)state;
    struct files files[] = {{fixture.one_tier_ra, fixture.root, {NULL}, NULL},
                            {fixture.one_tier_ra, fixture.root, {fixture.root}, NULL}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct site site;
        open_site(&files[i], &site);
        struct credentials *credentials = load(&site);
        assert_int_equal(sk_X509_num(credentials->upper), 0);
        assert_int_equal(X509_cmp(credentials_root(credentials), fixture.root), 0);
        credentials_free(credentials);
        close_site(&site);
    }
}

// ca.root with several certificates in any order; `upper` goes from the issuing CA to the root.
static void three_tiers(void **state)
{
    (void)state;
    struct files files[] = {
        {fixture.lower_ra, fixture.lower, {fixture.middle, fixture.root}, NULL},
        {fixture.lower_ra, fixture.lower, {fixture.root, fixture.middle}, NULL},
        {fixture.lower_ra, fixture.lower, {fixture.root, fixture.middle, fixture.root}, NULL},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct site site;
        open_site(&files[i], &site);
        struct credentials *credentials = load(&site);
        assert_int_equal(sk_X509_num(credentials->upper), 2);
        assert_int_equal(X509_cmp(sk_X509_value(credentials->upper, 0), fixture.middle), 0);
        assert_int_equal(X509_cmp(sk_X509_value(credentials->upper, 1), fixture.root), 0);
        credentials_free(credentials);
        close_site(&site);
    }
}

static void der_files(void **state)
{
    (void)state;
    struct site site;
    struct buf der = {0};
    open_site(&(struct files){fixture.ra, fixture.issuing, {fixture.root}, NULL}, &site);
    assert_int_equal(ossl_cert_to_der(fixture.issuing, &der, NULL), ERR_OK);
    free(kit_write(site.folder, "ca.pem", buf_view(&der)));
    credentials_free(load(&site));
    buf_done(&der);
    close_site(&site);
}

static X509 *without_key_usage(const X509 *cert, const char *instead, unsigned issuer_key)
{
    X509 *copy = X509_dup(cert);
    X509_EXTENSION_free(X509_delete_ext(copy, X509_get_ext_by_NID(copy, NID_key_usage, -1)));
    if (instead != NULL) {
        X509_EXTENSION *usage = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, instead);
        assert_int_equal(X509_add_ext(copy, usage, -1), 1);
        X509_EXTENSION_free(usage);
    }
    assert_true(X509_sign(copy, kit_key(issuer_key), EVP_sha256()) > 0);
    return copy;
}

// A4: both bits, and the extension must be there, because clients choose by it (A5).
static void ra_key_usage_a4(void **state)
{
    (void)state;
    static const char *const usages[] = {NULL, "digitalSignature", "keyEncipherment",
                                         "keyCertSign"};
    for (size_t i = 0; i < sizeof usages / sizeof usages[0]; i++) {
        struct site site;
        X509 *ra = without_key_usage(fixture.ra, usages[i], KEY_ISSUING);
        open_site(&(struct files){ra, fixture.issuing, {fixture.root}, NULL}, &site);
        assert_refused(&site, KIT_NOW, ERR_CONFIG, i == 3 ? "ra.pem" : "KeyUsage");
        close_site(&site);
        X509_free(ra);
    }
}

struct bad_case {
    const char *name;
    struct files files;
    const char *text; // part of the error
    int64_t now;      // 0 = KIT_NOW
};

static void inconsistent_certificates(void **state)
{
    (void)state;
    EVP_PKEY *small = kit_rsa_key(1024);
    EVP_PKEY *ec = kit_ec_key("P-256");
    X509 *issuing = fixture.issuing;
    X509 *root = fixture.root;
    X509 *small_ra = kit_cert(small, "RA", issuing, kit_key(KEY_ISSUING), false, KIT_NOW, 1);
    X509 *ec_ra = kit_cert(ec, "RA", issuing, kit_key(KEY_ISSUING), false, KIT_NOW, 1);
    X509 *ca_ra = make_cert(KEY_RA, "RA", issuing, KEY_ISSUING, true);
    X509 *forged_ra = make_cert(KEY_RA, "RA", issuing, KEY_OTHER, false); // not by its issuer
    X509 *no_ca = make_cert(KEY_ISSUING, "Issuing", root, KEY_ROOT, false);
    X509 *other_root = make_cert(KEY_OTHER, "Other root", NULL, 0, true);
    X509 *false_root = make_cert(KEY_OTHER, "Root", NULL, 0, true); // same name, another key
    X509 *self_signed = make_cert(KEY_RA, "RA", NULL, 0, false);
    struct bad_case tests[] = {
        {"key of another",
         {fixture.ra, issuing, {root}, kit_key(KEY_OTHER)},
         "ra.pem: not the certificate",
         0},
        {"RSA-1024", {small_ra, issuing, {root}, small}, "1024 bits", 0},
        {"EC", {ec_ra, issuing, {root}, ec}, "must be RSA", 0},
        {"CA:TRUE", {ca_ra, issuing, {root}, NULL}, "ra.pem: a CA certificate", 0},
        {"forged", {forged_ra, issuing, {root}, NULL}, "ra.pem: does not chain", 0},
        {"not a CA", {fixture.ra, no_ca, {root}, NULL}, "ca.pem: not a CA", 0},
        {"no root", {fixture.ra, issuing, {NULL}, NULL}, "does not reach a root", 0},
        {"other root", {fixture.ra, issuing, {other_root}, NULL}, "root.pem", 0},
        {"false root", {fixture.ra, issuing, {false_root}, NULL}, "root.pem", 0},
        {"gap", {fixture.lower_ra, fixture.lower, {root}, NULL}, "does not reach a root", 0},
        {"one too many",
         {fixture.ra, issuing, {root, fixture.middle}, NULL},
         "not above the issuing CA",
         0},
        {"RA of another CA", {fixture.lower_ra, issuing, {root}, NULL}, "ra.pem", 0},
        {"self-signed RA", {self_signed, issuing, {root}, NULL}, "ra.pem", 0},
        {"expired",
         {fixture.ra, issuing, {root}, NULL},
         "expired",
         KIT_NOW + (int64_t)(DAYS + 1) * DAY_SEC},
        {"not yet valid",
         {fixture.ra, issuing, {root}, NULL},
         "not yet valid",
         KIT_NOW - 2 * BEFORE_SEC},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct site site;
        open_site(&tests[i].files, &site);
        assert_refused(&site, tests[i].now != 0 ? tests[i].now : KIT_NOW, ERR_CONFIG,
                       tests[i].text);
        close_site(&site);
    }
    X509 *certs[] = {small_ra, ec_ra, ca_ra, forged_ra, no_ca, other_root, false_root, self_signed};
    for (size_t i = 0; i < sizeof certs / sizeof certs[0]; i++) {
        X509_free(certs[i]);
    }
    EVP_PKEY_free(small);
    EVP_PKEY_free(ec);
}

static void unreadable_files(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        const char *content; // NULL = removed
        enum err_code code;
    } tests[] = {
        {"ra.pem", "", ERR_CONFIG},
        {"ra.pem", "no certificate", ERR_CONFIG},
        {"ra.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", ERR_CONFIG},
        {"ra.pem", "-----BEGIN RSA PRIVATE KEY-----\n", ERR_CONFIG},
        {"ra.pem", NULL, ERR_NOT_FOUND},
        {"ca.pem", NULL, ERR_NOT_FOUND},
        {"root.pem", NULL, ERR_NOT_FOUND},
        {"ra.key", "no key", ERR_CONFIG},
        {"ra.key", NULL, ERR_CONFIG},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct site site;
        open_site(&(struct files){fixture.ra, fixture.issuing, {fixture.root}, NULL}, &site);
        free(kit_write(site.folder, tests[i].file,
                       view_of_text(tests[i].content != NULL ? tests[i].content : "")));
        if (tests[i].content == NULL) {
            char *path = kit_path(site.folder, tests[i].file);
            assert_int_equal(remove(path), 0);
            free(path);
        }
        assert_refused(&site, KIT_NOW, tests[i].code, tests[i].file);
        close_site(&site);
    }
}

// Two certificates where one belongs: nobody could say which is meant.
static void two_certificates_in_one_file(void **state)
{
    (void)state;
    struct site site;
    open_site(&(struct files){fixture.ra, fixture.issuing, {fixture.root}, NULL}, &site);
    free(write_certs(site.folder, "ca.pem", (X509 *[PEM_MAX]){fixture.issuing, fixture.root}));
    assert_refused(&site, KIT_NOW, ERR_CONFIG, "2 certificates");
    close_site(&site);
}

static void encrypted_key(void **state)
{
    (void)state;
    static const struct {
        const char *pin_file; // content; NULL = no file set
        bool is_right;
    } tests[] = {
        {PIN, true},      {PIN "\n", true}, {PIN "\r\n", true},
        {"wrong", false}, {"", false},      {NULL, false},
    };
    struct buf pem = {0};
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, kit_key(KEY_RA), EVP_aes_256_cbc(), PIN,
                                                   (int)strlen(PIN), NULL, NULL),
                     1);
    assert_int_equal(ossl_bio_to_buf(bio, &pem, NULL), ERR_OK);
    BIO_free(bio);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct site site;
        char *pin = NULL;
        open_site(&(struct files){fixture.ra, fixture.issuing, {fixture.root}, NULL}, &site);
        free(kit_write(site.folder, "ra.key", buf_view(&pem)));
        if (tests[i].pin_file != NULL) {
            pin = kit_write(site.folder, "pin", view_of_text(tests[i].pin_file));
            site.settings.ra.pin_file = pin;
        }
        if (tests[i].is_right) {
            credentials_free(load(&site));
        } else {
            assert_refused(&site, KIT_NOW, ERR_CONFIG, "ra.key");
        }
        free(pin);
        close_site(&site);
    }
    buf_done(&pem);
}

// A PIN in a PKCS#11 URI is a secret.
static void errors_never_hold_the_pin(void **state)
{
    (void)state;
    struct site site;
    struct err err = {0};
    struct credentials *credentials = NULL;
    open_site(&(struct files){fixture.ra, fixture.issuing, {fixture.root}, NULL}, &site);
    site.settings.ra.key = "pkcs11:token=none?pin-value=1234567";
    assert_int_equal(credentials_load(&site.settings, KIT_NOW, &credentials, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "pkcs11:token=none"));
    assert_null(strstr(err.text, "1234567"));
    close_site(&site);
}

// The certificates of a GetCACert body in the order of its octets (old clients' API keeps it).
static void assert_bundle(const struct buf *body, X509 *const expected[PEM_MAX])
{
    const unsigned char *end = body->data;
    PKCS7 *bundle = d2i_PKCS7(NULL, &end, (long)body->len);
    assert_non_null(bundle);
    assert_ptr_equal(end, body->data + body->len);
    assert_true(PKCS7_type_is_signed(bundle));
    assert_int_equal(ASN1_INTEGER_get(bundle->d.sign->version), 1);
    assert_int_equal(sk_X509_ALGOR_num(bundle->d.sign->md_algs), 0);
    assert_int_equal(sk_PKCS7_SIGNER_INFO_num(bundle->d.sign->signer_info), 0);
    assert_true(PKCS7_get_detached(bundle)); // content omitted
    int count = 0;
    for (; count < PEM_MAX && expected[count] != NULL; count++) {
        assert_int_equal(X509_cmp(sk_X509_value(bundle->d.sign->cert, count), expected[count]), 0);
    }
    assert_int_equal(sk_X509_num(bundle->d.sign->cert), count);
    PKCS7_free(bundle);
    // And the CMS API reads it too.
    end = body->data;
    CMS_ContentInfo *info = d2i_CMS_ContentInfo(NULL, &end, (long)body->len);
    assert_non_null(info);
    STACK_OF(X509) *certs = CMS_get1_certs(info);
    assert_int_equal(sk_X509_num(certs), count);
    free_cert_stack(certs);
    CMS_ContentInfo_free(info);
}

static void get_ca_cert(const struct site *site, struct buf *body, bool *is_single)
{
    struct err err = {0};
    struct credentials *credentials = load(site);
    if (credentials_get_ca_cert(credentials, &site->settings, KIT_NOW, body, is_single, &err) !=
        ERR_OK) {
        fail_msg("%s", err.text);
    }
    credentials_free(credentials);
}

// A2, A3, A6: RA, issuing CA, what is between, root; in the order of the setting (quirk 11).
static void get_ca_cert_lists_a2_a3(void **state)
{
    (void)state;
    struct site site;
    struct buf body = {0};
    bool is_single = true;
    open_site(&(struct files){fixture.ra, fixture.issuing, {fixture.root}, NULL}, &site);
    get_ca_cert(&site, &body, &is_single);
    assert_false(is_single);
    assert_bundle(&body, (X509 *[PEM_MAX]){fixture.ra, fixture.issuing, fixture.root});
    buf_done(&body);
    site.settings.scep.get_ca_cert[0] = SETTINGS_CA_ITEM_ROOT;
    site.settings.scep.get_ca_cert[1] = SETTINGS_CA_ITEM_RA;
    site.settings.scep.get_ca_cert_count = 2;
    get_ca_cert(&site, &body, &is_single);
    assert_bundle(&body, (X509 *[PEM_MAX]){fixture.root, fixture.ra});
    buf_done(&body);
    close_site(&site);
    open_site(
        &(struct files){fixture.lower_ra, fixture.lower, {fixture.middle, fixture.root}, NULL},
        &site);
    get_ca_cert(&site, &body, &is_single);
    assert_bundle(&body,
                  (X509 *[PEM_MAX]){fixture.lower_ra, fixture.lower, fixture.middle, fixture.root});
    buf_done(&body);
    close_site(&site);
    // One tier: the CA is not listed twice.
    open_site(&(struct files){fixture.one_tier_ra, fixture.root, {NULL}, NULL}, &site);
    get_ca_cert(&site, &body, &is_single);
    assert_bundle(&body, (X509 *[PEM_MAX]){fixture.one_tier_ra, fixture.root});
    buf_done(&body);
    close_site(&site);
}

// A1: one certificate is bare DER.
static void get_ca_cert_single_a1(void **state)
{
    (void)state;
    struct site site;
    struct buf body = {0};
    bool is_single = false;
    open_site(&(struct files){fixture.ra, fixture.issuing, {fixture.root}, NULL}, &site);
    site.settings.scep.get_ca_cert[0] = SETTINGS_CA_ITEM_ROOT;
    site.settings.scep.get_ca_cert_count = 1;
    get_ca_cert(&site, &body, &is_single);
    assert_true(is_single);
    const unsigned char *end = body.data;
    X509 *cert = d2i_X509(NULL, &end, (long)body.len);
    assert_ptr_equal(end, body.data + body.len);
    assert_int_equal(X509_cmp(cert, fixture.root), 0);
    X509_free(cert);
    buf_done(&body);
    close_site(&site);
}

// A8: valid ones only, however long ago they were loaded.
static void get_ca_cert_valid_only_a8(void **state)
{
    (void)state;
    struct site site;
    struct err err = {0};
    struct buf body = {0};
    bool is_single = false;
    X509 *short_ra =
        kit_cert(kit_key(KEY_RA), "RA", fixture.issuing, kit_key(KEY_ISSUING), false, KIT_NOW, 1);
    open_site(&(struct files){short_ra, fixture.issuing, {fixture.root}, NULL}, &site);
    struct credentials *credentials = load(&site);
    int64_t later = KIT_NOW + 2 * DAY_SEC;
    assert_int_equal(
        credentials_get_ca_cert(credentials, &site.settings, later, &body, &is_single, &err),
        ERR_OK);
    assert_bundle(&body, (X509 *[PEM_MAX]){fixture.issuing, fixture.root});
    buf_done(&body);
    later = KIT_NOW + (int64_t)(DAYS + 1) * DAY_SEC;
    assert_int_equal(
        credentials_get_ca_cert(credentials, &site.settings, later, &body, &is_single, &err),
        ERR_BAD_TIME);
    assert_non_null(strstr(err.text, "valid"));
    assert_null(body.data);
    credentials_free(credentials);
    close_site(&site);
    X509_free(short_ra);
}

// C2, C3, C5, C6, quirk 14: exact spelling, one a line, LF, only what is true.
static void capabilities_c2_c6(void **state)
{
    (void)state;
    static const struct {
        struct settings settings;
        const char *text;
    } tests[] = {
        {{.algorithms = {.sha1 = true, .des3 = true}},
         "AES\nDES3\nPOSTPKIOperation\nSHA-1\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n"},
        {{.algorithms = {.sha1 = false}},
         "AES\nPOSTPKIOperation\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n"},
        // C6: what SCEPStandard promises excludes single DES and MD5.
        {{.algorithms = {.legacy = true}}, "AES\nPOSTPKIOperation\nSHA-256\nSHA-384\nSHA-512\n"},
        {{.algorithms = {.oaep = true}},
         "AES\nPOSTPKIOperation\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        char text[CAPABILITIES_LEN];
        assert_ptr_equal(credentials_get_ca_caps(&tests[i].settings, text), text);
        assert_string_equal(text, tests[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_tiers),
        cmocka_unit_test(one_tier),
        cmocka_unit_test(three_tiers),
        cmocka_unit_test(der_files),
        cmocka_unit_test(ra_key_usage_a4),
        cmocka_unit_test(inconsistent_certificates),
        cmocka_unit_test(unreadable_files),
        cmocka_unit_test(two_certificates_in_one_file),
        cmocka_unit_test(encrypted_key),
        cmocka_unit_test(errors_never_hold_the_pin),
        cmocka_unit_test(get_ca_cert_lists_a2_a3),
        cmocka_unit_test(get_ca_cert_single_a1),
        cmocka_unit_test(get_ca_cert_valid_only_a8),
        cmocka_unit_test(capabilities_c2_c6),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
