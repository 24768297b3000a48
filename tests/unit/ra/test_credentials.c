// SPDX-License-Identifier: Apache-2.0
// C1 to C11, A1 to A8, N4 and N5 of the conformance list: what the RA shows of itself, who opens
// envelopes when, and what it refuses to start with.
#include "ra/credentials.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "conf/limits.h"
#include "kit/kit.h"
#include "ra/ra_site.h"

enum {
    KEY_RA = 0,
    KEY_ISSUING = 1,
    KEY_ROOT = 2,
    KEY_MIDDLE = 3,
    KEY_OTHER = 4,
    KEY_NEXT = 5, // of the next CA
    KEY_NEXT_RA = 6,
};

#define DAYS       1000
#define PIN        "correct horse"
#define LISTS_MAX  3
#define PEM_MAX    4
#define BEFORE_SEC 100 // everything is valid since then

#define PREVIOUS_DAYS 30

static struct fixture {
    X509 *root;
    X509 *issuing; // by root
    X509 *ra;      // by issuing
    X509 *middle;  // by root
    X509 *lower;   // another issuing CA, by middle
    X509 *lower_ra;
    X509 *one_tier_ra; // by root
    X509 *next;        // the next issuing CA, by root
    X509 *next_ra;     // by next
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
    fixture.next = make_cert(KEY_NEXT, "Issuing", fixture.root, KEY_ROOT, true);
    fixture.next_ra = make_cert(KEY_NEXT_RA, "RA", fixture.next, KEY_NEXT, false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    X509 *certs[] = {fixture.root,        fixture.issuing, fixture.ra,
                     fixture.middle,      fixture.lower,   fixture.lower_ra,
                     fixture.one_tier_ra, fixture.next,    fixture.next_ra};
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
    char *directory;   // ra.directory, once make_folders() was called
    char *generations; // ca.generations, likewise
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
    site.settings.ca.key = "/nowhere/ca.key"; // scepd never opens it
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
    free(site->directory);
    free(site->generations);
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
    assert_int_equal(credentials->recipient_count, 1);
    const struct recipient *ra = credentials_ra(credentials);
    assert_int_equal(ra->role, RECIPIENT_CURRENT);
    assert_int_equal(X509_cmp(ra->cert, fixture.ra), 0);
    assert_int_equal(EVP_PKEY_eq(ra->key, kit_key(KEY_RA)), 1);
    assert_is_ca(ra->issuer, fixture.issuing);
    assert_null(credentials_next_ra(credentials));
    assert_int_equal(X509_cmp(credentials_issuing(credentials)->cert, fixture.issuing), 0);
    assert_int_equal(X509_cmp(credentials_root(credentials), fixture.root), 0);
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
    free(write_certs(site.folder, "ra.pem", (X509 *[PEM_MAX]){fixture.ra, fixture.issuing}));
    assert_refused(&site, KIT_NOW, ERR_CONFIG, "ra.pem: 2 certificates");
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
        bool has_next_ca;
        const char *text;
    } tests[] = {
        {{.algorithms = {.sha1 = true, .des3 = true}},
         false,
         "AES\nDES3\nPOSTPKIOperation\nRenewal\nSHA-1\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n"},
        {{.algorithms = {.sha1 = false}},
         false,
         "AES\nPOSTPKIOperation\nRenewal\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n"},
        // C6: what SCEPStandard promises excludes single DES and MD5.
        {{.algorithms = {.legacy = true}},
         false,
         "AES\nPOSTPKIOperation\nRenewal\nSHA-256\nSHA-384\nSHA-512\n"},
        {{.algorithms = {.oaep = true}},
         false,
         "AES\nPOSTPKIOperation\nRenewal\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n"},
        // C9: while there is a next CA.
        {{.algorithms = {.oaep = true}},
         true,
         "AES\nGetNextCACert\nPOSTPKIOperation\nRenewal\nSHA-256\nSHA-384\nSHA-"
         "512\nSCEPStandard\n"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        char text[CAPABILITIES_LEN];
        assert_ptr_equal(credentials_get_ca_caps(&tests[i].settings, tests[i].has_next_ca, text),
                         text);
        assert_string_equal(text, tests[i].text);
    }
}

// --- ra.directory and rollovers.

// A site with both folders, still empty.
static void open_full_site(struct site *ret_site)
{
    open_site(&(struct files){fixture.ra, fixture.issuing, {fixture.root}, NULL}, ret_site);
    ret_site->directory = kit_path(ret_site->folder, "ra");
    ret_site->generations = kit_path(ret_site->folder, "ca");
    site_make_folder(ret_site->directory);
    site_make_folder(ret_site->generations);
    ret_site->settings.ra.directory = ret_site->directory;
    ret_site->settings.ra.previous_days = PREVIOUS_DAYS;
    ret_site->settings.ca.generations = ret_site->generations;
}

static X509 *ra_since(unsigned key, int64_t since, int days)
{
    return kit_cert(kit_key(key), "RA", fixture.issuing, kit_key(KEY_ISSUING), false, since, days);
}

static struct credentials *load_at(const struct site *site, int64_t now)
{
    struct err err = {0};
    struct credentials *credentials = NULL;
    if (credentials_load(&site->settings, now, &credentials, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    return credentials;
}

// Checks recipient number `index`.
static void assert_recipient(const struct credentials *credentials, unsigned index,
                             const struct recipient *expected, const X509 *issuer)
{
    assert_true(index < credentials->recipient_count);
    const struct recipient *recipient = &credentials->recipients[index];
    assert_int_equal(recipient->role, expected->role);
    assert_int_equal(recipient->until, expected->until);
    assert_int_equal(X509_cmp(recipient->cert, expected->cert), 0);
    assert_int_equal(EVP_PKEY_eq(recipient->key, expected->key), 1);
    assert_int_equal(X509_check_private_key(recipient->cert, recipient->key), 1);
    assert_is_ca(recipient->issuer, issuer);
}

// N5: the newest valid one answers; its predecessor's key opens for a while after it was made.
static void renewed_ra_and_its_predecessor_n5(void **state)
{
    (void)state;
    const int64_t made = KIT_NOW + DAY_SEC;
    const int64_t kept_until = made + (int64_t)PREVIOUS_DAYS * DAY_SEC;
    struct site site;
    open_full_site(&site);
    X509 *renewed = ra_since(KEY_OTHER, made, DAYS - 10);
    site_add_ra(site.directory, renewed, kit_key(KEY_OTHER));
    const struct recipient old = {.cert = fixture.ra, .key = kit_key(KEY_RA)};
    const struct recipient new = {.cert = renewed, .key = kit_key(KEY_OTHER)};
    const struct recipient previous = {.role = RECIPIENT_PREVIOUS,
                                       .cert = fixture.ra,
                                       .key = kit_key(KEY_RA),
                                       .until = kept_until};
    const struct {
        int64_t now;
        unsigned count;
        const struct recipient *current;
    } tests[] = {
        {made - 1, 1, &old}, // not valid yet
        {made, 2, &new},       {kept_until - 1, 2, &new},
        {kept_until, 1, &new}, {kept_until + DAY_SEC, 1, &new},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct credentials *credentials = load_at(&site, tests[i].now);
        assert_int_equal(credentials->recipient_count, tests[i].count);
        assert_recipient(credentials, 0, tests[i].current, fixture.issuing);
        if (tests[i].count > 1) {
            assert_recipient(credentials, 1, &previous, fixture.issuing);
        }
        credentials_free(credentials);
    }
    site.settings.ra.previous_days = 0;
    struct credentials *credentials = load_at(&site, made);
    assert_int_equal(credentials->recipient_count, 1);
    credentials_free(credentials);
    X509_free(renewed);
    close_site(&site);
}

// Three in a row: each is superseded by the next newer one, not by the newest.
static void chain_of_successors(void **state)
{
    (void)state;
    const int64_t first = KIT_NOW + DAY_SEC;
    const int64_t second = first + (int64_t)PREVIOUS_DAYS * DAY_SEC;
    struct site site;
    open_full_site(&site);
    X509 *certs[] = {ra_since(KEY_OTHER, first, 100), ra_since(KEY_MIDDLE, second, 100)};
    site_add_ra(site.directory, certs[0], kit_key(KEY_OTHER));
    site_add_ra(site.directory, certs[1], kit_key(KEY_MIDDLE));
    struct credentials *credentials = load_at(&site, second);
    assert_int_equal(credentials->recipient_count, 2); // the settings' is over
    assert_recipient(credentials, 0,
                     &(struct recipient){.cert = certs[1], .key = kit_key(KEY_MIDDLE)},
                     fixture.issuing);
    assert_recipient(credentials, 1,
                     &(struct recipient){.role = RECIPIENT_PREVIOUS,
                                         .cert = certs[0],
                                         .key = kit_key(KEY_OTHER),
                                         .until = second + (int64_t)PREVIOUS_DAYS * DAY_SEC},
                     fixture.issuing);
    credentials_free(credentials);
    X509_free(certs[0]);
    X509_free(certs[1]);
    close_site(&site);
}

// The settings' own RA may be over once there is a newer one.
static void expired_configured_ra(void **state)
{
    (void)state;
    struct site site;
    X509 *over = ra_since(KEY_RA, KIT_NOW - 10 * DAY_SEC, 5);
    X509 *renewed = ra_since(KEY_OTHER, KIT_NOW - 6 * DAY_SEC, 100);
    open_full_site(&site);
    free(write_certs(site.folder, "ra.pem", (X509 *[PEM_MAX]){over}));
    assert_refused(&site, KIT_NOW, ERR_CONFIG,
                   "ra.pem: does not chain to the root: certificate has expired");
    site_add_ra(site.directory, renewed, kit_key(KEY_OTHER));
    struct credentials *credentials = load(&site);
    assert_int_equal(credentials->recipient_count, 1);
    assert_int_equal(X509_cmp(credentials_ra(credentials)->cert, renewed), 0);
    credentials_free(credentials);
    // But never one that its key does not fit.
    struct buf pem = kit_key_pem(kit_key(KEY_MIDDLE));
    free(kit_write(site.folder, "ra.key", buf_view(&pem)));
    assert_refused(&site, KIT_NOW, ERR_CONFIG, "ra.pem: not the certificate of the RA's key");
    buf_done(&pem);
    X509_free(over);
    X509_free(renewed);
    close_site(&site);
}

// What is in the folder without being of use is no error.
static void useless_files_in_the_directory(void **state)
{
    (void)state;
    struct site site;
    open_full_site(&site);
    X509 *expired = ra_since(KEY_OTHER, KIT_NOW - 20 * DAY_SEC, 10);
    X509 *early = ra_since(KEY_OTHER, KIT_NOW + DAY_SEC, 10);
    X509 *stranger = kit_cert(kit_key(KEY_OTHER), "RA", fixture.middle, kit_key(KEY_MIDDLE), false,
                              KIT_NOW, 10); // no CA of ours
    X509 *forged =
        kit_cert(kit_key(KEY_OTHER), "RA", fixture.issuing, kit_key(KEY_OTHER), false, KIT_NOW, 10);
    site_add_ra(site.directory, expired, kit_key(KEY_OTHER));
    site_add_ra(site.directory, early, kit_key(KEY_RA)); // not even its key
    site_add_ra(site.directory, stranger, kit_key(KEY_OTHER));
    site_add_ra(site.directory, forged, kit_key(KEY_OTHER));
    free(kit_write(site.directory, "ABCD.key", view_of_text("a key without certificate")));
    free(kit_write(site.directory, "ABCD.pem.new", view_of_text("half a certif")));
    free(kit_write(site.directory, "README", view_of_text("no certificate")));
    free(kit_write(site.directory, "readme.pem", view_of_text("no serial number")));
    struct credentials *credentials = load(&site);
    assert_int_equal(credentials->recipient_count, 1);
    assert_int_equal(X509_cmp(credentials_ra(credentials)->cert, fixture.ra), 0);
    credentials_free(credentials);
    X509_free(expired);
    X509_free(early);
    X509_free(stranger);
    X509_free(forged);
    close_site(&site);
}

static void missing_directory(void **state)
{
    (void)state;
    struct site site;
    open_full_site(&site);
    site.settings.ra.directory = "/nowhere/ra";
    struct credentials *credentials = load(&site);
    assert_int_equal(credentials->recipient_count, 1);
    credentials_free(credentials);
    site.settings.ra.directory = site.ra; // a file
    assert_refused(&site, KIT_NOW, ERR_IO, "ra.pem");
    close_site(&site);
}

// A certificate alone is for ra.key, be it in a token or not.
static void certificate_for_the_configured_key(void **state)
{
    (void)state;
    struct site site;
    open_full_site(&site);
    X509 *renewed = ra_since(KEY_RA, KIT_NOW - 10, 100);
    site_add_ra(site.directory, renewed, NULL);
    struct credentials *credentials = load(&site);
    assert_int_equal(credentials->recipient_count, 2);
    assert_recipient(credentials, 0, &(struct recipient){.cert = renewed, .key = kit_key(KEY_RA)},
                     fixture.issuing);
    credentials_free(credentials);
    X509_free(renewed);
    close_site(&site);
}

static void bad_pairs_name_the_file(void **state)
{
    (void)state;
    EVP_PKEY *small = kit_rsa_key(1024);
    X509 *small_ra =
        kit_cert(small, "RA", fixture.issuing, kit_key(KEY_ISSUING), false, KIT_NOW - 5, 9);
    X509 *good = ra_since(KEY_OTHER, KIT_NOW - 5, 9);
    X509 *no_usage = without_key_usage(good, NULL, KEY_ISSUING);
    X509 *ca_ra = make_cert(KEY_OTHER, "RA", fixture.issuing, KEY_ISSUING, true);
    const struct {
        X509 *cert;
        EVP_PKEY *key;
        const char *text;
    } tests[] = {
        {good, kit_key(KEY_MIDDLE), "not the certificate of the RA's key"},
        {good, NULL, "not the certificate of the RA's key"}, // ra.key is another
        {small_ra, small, "1024 bits"},
        {no_usage, kit_key(KEY_OTHER), "KeyUsage"},
        {ca_ra, kit_key(KEY_OTHER), "a CA certificate"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct site site;
        char serial[SITE_NAME_LEN];
        open_full_site(&site);
        site_add_ra(site.directory, tests[i].cert, tests[i].key);
        assert_refused(&site, KIT_NOW, ERR_CONFIG, tests[i].text);
        assert_refused(&site, KIT_NOW, ERR_CONFIG, site_serial(tests[i].cert, serial));
        close_site(&site);
    }
    X509_free(small_ra);
    X509_free(good);
    X509_free(no_usage);
    X509_free(ca_ra);
    EVP_PKEY_free(small);
}

static void unreadable_files_in_the_directory(void **state)
{
    (void)state;
    static const char *const names[] = {"AB01.pem", "AB01.key"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct site site;
        struct buf pem = kit_cert_pem(fixture.ra);
        open_full_site(&site);
        free(kit_write(site.directory, "AB01.pem", buf_view(&pem)));
        free(kit_write(site.directory, names[i], view_of_text("garbage")));
        assert_refused(&site, KIT_NOW, ERR_CONFIG, names[i]);
        buf_done(&pem);
        close_site(&site);
    }
}

// N4, A8: the next RA opens envelopes, its requests go to the next CA, GetCACert shows neither.
static void next_ra_n4(void **state)
{
    (void)state;
    struct site site;
    struct buf body = {0};
    bool is_single = true;
    open_full_site(&site);
    site_add_ca(site.generations, fixture.next, NULL);
    site_link(site.generations, "next", fixture.next, KIT_NOW);
    struct credentials *credentials = load(&site);
    assert_null(credentials_next_ra(credentials)); // none was made yet
    assert_int_equal(credentials->recipient_count, 1);
    credentials_free(credentials);
    site_add_ra(site.directory, fixture.next_ra, kit_key(KEY_NEXT_RA));
    credentials = load(&site);
    assert_int_equal(credentials->recipient_count, 2);
    assert_recipient(credentials, 0,
                     &(struct recipient){.cert = fixture.ra, .key = kit_key(KEY_RA)},
                     fixture.issuing);
    assert_recipient(credentials, 1,
                     &(struct recipient){.role = RECIPIENT_NEXT,
                                         .cert = fixture.next_ra,
                                         .key = kit_key(KEY_NEXT_RA)},
                     fixture.next);
    assert_ptr_equal(credentials_next_ra(credentials), &credentials->recipients[1]);
    credentials_free(credentials);
    get_ca_cert(&site, &body, &is_single);
    assert_bundle(&body, (X509 *[PEM_MAX]){fixture.ra, fixture.issuing, fixture.root});
    buf_done(&body);
    close_site(&site);
}

// After the switch the next RA is the present one, and the old one opens for a while from then on,
// however long the new one has been there; who encrypts to it gets a certificate of the new CA.
static void switched_n5(void **state)
{
    (void)state;
    const int64_t switched = KIT_NOW + 100LL * DAY_SEC;
    const int64_t kept_until = switched + (int64_t)PREVIOUS_DAYS * DAY_SEC;
    struct site site;
    struct buf body = {0};
    bool is_single = true;
    open_full_site(&site);
    site_add_ca(site.generations, fixture.next, NULL);
    site_add_ra(site.directory, fixture.next_ra, kit_key(KEY_NEXT_RA));
    site_link(site.generations, "current", fixture.next, switched);
    for (int64_t now = kept_until - 1; now <= kept_until; now++) {
        struct credentials *credentials = load_at(&site, now);
        assert_int_equal(credentials->recipient_count, now < kept_until ? 2 : 1);
        assert_recipient(credentials, 0,
                         &(struct recipient){.cert = fixture.next_ra, .key = kit_key(KEY_NEXT_RA)},
                         fixture.next);
        if (now < kept_until) {
            assert_recipient(credentials, 1,
                             &(struct recipient){.role = RECIPIENT_PREVIOUS,
                                                 .cert = fixture.ra,
                                                 .key = kit_key(KEY_RA),
                                                 .until = kept_until},
                             fixture.next);
        }
        assert_int_equal(X509_cmp(credentials_issuing(credentials)->cert, fixture.next), 0);
        assert_int_equal(X509_cmp(credentials_root(credentials), fixture.root), 0);
        credentials_free(credentials);
    }
    get_ca_cert(&site, &body, &is_single);
    assert_bundle(&body, (X509 *[PEM_MAX]){fixture.next_ra, fixture.next, fixture.root});
    buf_done(&body);
    close_site(&site);
}

// The switch came before the new CA had an RA.
static void switched_without_an_ra(void **state)
{
    (void)state;
    struct site site;
    open_full_site(&site);
    site_add_ca(site.generations, fixture.next, NULL);
    site_link(site.generations, "current", fixture.next, KIT_NOW);
    assert_refused(&site, KIT_NOW, ERR_CONFIG, "ra.pem: does not chain to the root");
    close_site(&site);
}

// A CA of a rollover is checked like that of the settings, and its own file is named.
static void bad_generation(void **state)
{
    (void)state;
    struct site site;
    X509 *other_root = make_cert(KEY_OTHER, "Other root", NULL, 0, true);
    open_full_site(&site);
    site_add_ca(site.generations, fixture.next, other_root);
    site_link(site.generations, "current", fixture.next, KIT_NOW);
    assert_refused(&site, KIT_NOW, ERR_CONFIG, "chain.pem: the chain from the issuing CA");
    close_site(&site);
    X509 *over = kit_cert(kit_key(KEY_NEXT), "Over", fixture.root, kit_key(KEY_ROOT), true,
                          KIT_NOW - 10 * DAY_SEC, 5);
    open_full_site(&site);
    site_add_ca(site.generations, over, NULL);
    site_link(site.generations, "current", over, KIT_NOW);
    assert_refused(&site, KIT_NOW, ERR_CONFIG, "/ca.pem: does not chain");
    assert_refused(&site, KIT_NOW, ERR_CONFIG, "expired");
    close_site(&site);
    X509_free(over);
    X509_free(other_root);
}

// More than there is room for: the newest count.
static void too_many_recipients(void **state)
{
    (void)state;
    struct site site;
    X509 *certs[RECIPIENTS_MAX + 2];
    open_full_site(&site);
    site.settings.ra.previous_days = DAYS;
    for (int i = 0; i < RECIPIENTS_MAX + 2; i++) {
        certs[i] = ra_since(KEY_OTHER, KIT_NOW - 50 + i, 100);
        site_add_ra(site.directory, certs[i], kit_key(KEY_OTHER));
    }
    struct credentials *credentials = load(&site);
    assert_int_equal(credentials->recipient_count, RECIPIENTS_MAX);
    for (int i = 0; i < RECIPIENTS_MAX; i++) {
        assert_int_equal(X509_cmp(credentials->recipients[i].cert, certs[RECIPIENTS_MAX + 1 - i]),
                         0);
    }
    credentials_free(credentials);
    for (int i = 0; i < RECIPIENTS_MAX + 2; i++) {
        X509_free(certs[i]);
    }
    close_site(&site);
}

// --- Topology direct.

static void open_direct_site(X509 *ca, struct site *ret_site)
{
    open_site(&(struct files){fixture.ra, ca, {fixture.root}, NULL}, ret_site);
    ret_site->settings.scep.topology = SETTINGS_TOPOLOGY_DIRECT;
    ret_site->settings.ra.certificate = NULL;
    ret_site->settings.ra.key = NULL;
}

// A1, A4: the CA's certificate answers, and is all that GetCACert gives.
static void direct_a1(void **state)
{
    (void)state;
    struct site site;
    struct buf body = {0};
    struct buf expected = {0};
    bool is_single = false;
    X509 *ca = without_key_usage(
        fixture.issuing, "critical,keyCertSign,cRLSign,digitalSignature,keyEncipherment", KEY_ROOT);
    open_direct_site(ca, &site);
    struct credentials *credentials = load(&site);
    assert_int_equal(credentials->recipient_count, 1);
    const struct recipient *ra = credentials_ra(credentials);
    assert_int_equal(ra->role, RECIPIENT_CURRENT);
    assert_null(ra->key);
    assert_int_equal(X509_cmp(ra->cert, ca), 0);
    assert_is_ca(ra->issuer, ca);
    credentials_free(credentials);
    get_ca_cert(&site, &body, &is_single);
    assert_true(is_single);
    assert_int_equal(ossl_cert_to_der(ca, &expected, NULL), ERR_OK);
    assert_true(view_equal(buf_view(&body), buf_view(&expected)));
    buf_done(&body);
    buf_done(&expected);
    close_site(&site);
    X509_free(ca);
}

static void direct_needs_both_bits_a4(void **state)
{
    (void)state;
    EVP_PKEY *ec = kit_ec_key("P-256");
    X509 *ec_ca = kit_cert(ec, "EC", fixture.root, kit_key(KEY_ROOT), true, KIT_NOW - 5, 9);
    X509 *half =
        without_key_usage(fixture.issuing, "critical,keyCertSign,digitalSignature", KEY_ROOT);
    const struct {
        X509 *ca;
        const char *text;
    } tests[] = {{fixture.issuing, "ca.pem: KeyUsage"},
                 {half, "ca.pem: KeyUsage"},
                 {ec_ca, "ca.pem: a key"}};
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct site site;
        open_direct_site(tests[i].ca, &site);
        assert_refused(&site, KIT_NOW, ERR_CONFIG, tests[i].text);
        close_site(&site);
    }
    X509_free(ec_ca);
    X509_free(half);
    EVP_PKEY_free(ec);
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
        cmocka_unit_test(renewed_ra_and_its_predecessor_n5),
        cmocka_unit_test(chain_of_successors),
        cmocka_unit_test(expired_configured_ra),
        cmocka_unit_test(useless_files_in_the_directory),
        cmocka_unit_test(missing_directory),
        cmocka_unit_test(certificate_for_the_configured_key),
        cmocka_unit_test(bad_pairs_name_the_file),
        cmocka_unit_test(unreadable_files_in_the_directory),
        cmocka_unit_test(next_ra_n4),
        cmocka_unit_test(switched_n5),
        cmocka_unit_test(switched_without_an_ra),
        cmocka_unit_test(bad_generation),
        cmocka_unit_test(too_many_recipients),
        cmocka_unit_test(direct_a1),
        cmocka_unit_test(direct_needs_both_bits_a4),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
