// SPDX-License-Identifier: Apache-2.0
// The CA key: what can be opened, with which passphrase, and what it signs with and how.
#include <stdlib.h>

#include <openssl/pem.h>

#include "ca/key.h"
#include "fixture.h"

static char *write_encrypted(const char *folder, EVP_PKEY *key, const char *passphrase)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), passphrase,
                                                   (int)strlen(passphrase), NULL, NULL),
                     1);
    struct buf pem = {0};
    assert_int_equal(ossl_bio_to_buf(bio, &pem, NULL), ERR_OK);
    BIO_free(bio);
    char *path = kit_write(folder, "encrypted.pem", buf_view(&pem));
    buf_wipe(&pem);
    return path;
}

static void opens_and_matches(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, CA_DAYS);
    struct ca_key *key = NULL;
    struct err err = {0};
    assert_ok(ca_key_open(fixture.key_path, NULL, &key, &err), &err);
    assert_string_equal(ca_key_type(key), "rsa:2048");
    assert_true(ca_key_matches(key, fixture.cert));
    X509 *other = kit_cert(kit_key(OTHER_KEY), "other", NULL, NULL, false, KIT_NOW, 1);
    assert_false(ca_key_matches(key, other));
    X509_free(other);
    ca_key_free(key);

    char *uri = NULL;
    assert_true(asprintf(&uri, "file:%s", fixture.key_path) > 0);
    assert_ok(ca_key_open(uri, NULL, &key, &err), &err);
    ca_key_free(key);
    free(uri);
    fixture_done(&fixture);
}

static void passphrase_from_pin_file(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    char *path = write_encrypted(folder, kit_key(CA_KEY_INDEX), "correct horse");
    char *right = kit_write(folder, "right", view_of_text("correct horse\nsecond line\n"));
    char *wrong = kit_write(folder, "wrong", view_of_text("incorrect horse\n"));
    char *blank = kit_write(folder, "blank", view_of_text("\n"));
    char *absent = kit_path(folder, "absent");
    struct ca_key *key = NULL;
    struct err err = {0};
    assert_ok(ca_key_open(path, right, &key, &err), &err);
    ca_key_free(key);
    key = NULL;
    assert_refused(ca_key_open(path, wrong, &key, &err), ERR_CONFIG, &err, "no private key");
    assert_null(strstr(err.text, "horse"));
    assert_refused(ca_key_open(path, blank, &key, &err), ERR_CONFIG, &err, "no private key");
    assert_refused(ca_key_open(path, NULL, &key, &err), ERR_CONFIG, &err, "no private key");
    assert_refused(ca_key_open(path, absent, &key, &err), ERR_NOT_FOUND, &err, "absent");
    assert_null(key);
    free(path);
    free(right);
    free(wrong);
    free(blank);
    free(absent);
    kit_remove_folder(folder);
}

static void refuse_key(const char *folder, EVP_PKEY *take_key, const char *text)
{
    struct buf pem = kit_key_pem(take_key);
    char *path = kit_write(folder, "key.pem", buf_view(&pem));
    struct ca_key *key = NULL;
    struct err err = {0};
    assert_refused(ca_key_open(path, NULL, &key, &err), ERR_CONFIG, &err, text);
    free(path);
    buf_wipe(&pem);
    EVP_PKEY_free(take_key);
}

static void refuses(void **state)
{
    (void)state;
    char *folder = kit_new_folder();
    refuse_key(folder, kit_rsa_key(1024), "type rsa:1024");
    refuse_key(folder, kit_ec_key("P-521"), "type EC");
    refuse_key(folder, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "type ED25519");
    char *garbage = kit_write(folder, "garbage", view_of_text("not a key"));
    char *absent = kit_path(folder, "absent");
    struct ca_key *key = NULL;
    struct err err = {0};
    assert_refused(ca_key_open(garbage, NULL, &key, &err), ERR_CONFIG, &err, "garbage");
    assert_refused(ca_key_open(absent, NULL, &key, &err), ERR_CONFIG, &err, "absent");
    free(garbage);
    free(absent);
    kit_remove_folder(folder);
}

// A file with only a certificate has no private key to offer.
static void certificate_is_no_key(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, CA_DAYS);
    struct ca_key *key = NULL;
    struct err err = {0};
    assert_refused(ca_key_open(fixture.cert_path, NULL, &key, &err), ERR_CONFIG, &err,
                   "no private key");
    fixture_done(&fixture);
}

static void digest_follows_the_key(void **state)
{
    (void)state;
    EVP_PKEY *p256 = kit_ec_key("P-256");
    EVP_PKEY *p384 = kit_ec_key("P-384");
    char type[KEY_TYPE_LEN];
    assert_string_equal(key_digest_name(kit_key(0)), "SHA256");
    assert_string_equal(key_digest_name(p256), "SHA256");
    assert_string_equal(key_digest_name(p384), "SHA384");
    assert_string_equal(key_describe(p256, type), "ec:P-256");
    assert_string_equal(key_describe(p384, type), "ec:P-384");
    EVP_PKEY_free(p256);
    EVP_PKEY_free(p384);
}

static void signs_crls(void **state)
{
    (void)state;
    static const struct {
        const char *curve; // NULL = RSA
        int signature;
    } cases[] = {{NULL, NID_sha256WithRSAEncryption},
                 {"P-256", NID_ecdsa_with_SHA256},
                 {"P-384", NID_ecdsa_with_SHA384}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        fixture_init(&fixture, cases[i].curve != NULL ? kit_ec_key(cases[i].curve) : NULL, 1);
        struct ca_key *key = NULL;
        struct err err = {0};
        assert_ok(ca_key_open(fixture.key_path, NULL, &key, &err), &err);
        X509_CRL *crl = X509_CRL_new();
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(fixture.cert));
        ASN1_TIME *time = ASN1_TIME_set(NULL, KIT_NOW);
        X509_CRL_set1_lastUpdate(crl, time);
        ASN1_TIME_free(time);
        assert_ok(ca_key_sign_crl(key, crl, &err), &err);
        assert_int_equal(X509_CRL_get_signature_nid(crl), cases[i].signature);
        assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(fixture.cert)), 1);
        X509_CRL_free(crl);
        ca_key_free(key);
        fixture_done(&fixture);
    }
}

static void signs_cms(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, CA_DAYS);
    struct ca_key *key = NULL;
    struct err err = {0};
    assert_ok(ca_key_open(fixture.key_path, NULL, &key, &err), &err);
    X509 *other = kit_cert(kit_key(OTHER_KEY), "other", NULL, NULL, false, KIT_NOW, 1);
    STACK_OF(X509) *certs = sk_X509_new_null();
    sk_X509_push(certs, other);
    struct ca_key_cms cms = {
        .signer = fixture.cert, .certs = certs, .content = view_of_text("content\n")};
    struct buf der = {0};
    assert_ok(ca_key_sign_cms(key, &cms, &der, &err), &err);
    const unsigned char *end = der.data;
    CMS_ContentInfo *read = d2i_CMS_ContentInfo(NULL, &end, (long)der.len);
    assert_ptr_equal(end, der.data + der.len);
    BIO *content = BIO_new(BIO_s_mem());
    assert_int_equal(CMS_verify(read, NULL, NULL, NULL, content, CMS_NO_SIGNER_CERT_VERIFY), 1);
    struct buf text = {0};
    assert_int_equal(ossl_bio_to_buf(content, &text, NULL), ERR_OK);
    assert_true(view_is_text(buf_view(&text), "content\n")); // no line ends changed
    STACK_OF(X509) *found = CMS_get1_certs(read);
    assert_int_equal(sk_X509_num(found), 2);
    free_cert_stack(found);
    buf_done(&text);
    BIO_free(content);
    CMS_ContentInfo_free(read);
    buf_done(&der);
    cms.signer = other;
    assert_refused(ca_key_sign_cms(key, &cms, &der, &err), ERR_CRYPTO, &err, "cannot sign");
    assert_null(der.data);
    sk_X509_free(certs);
    X509_free(other);
    ca_key_free(key);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_and_matches),
        cmocka_unit_test(passphrase_from_pin_file),
        cmocka_unit_test(refuses),
        cmocka_unit_test(certificate_is_no_key),
        cmocka_unit_test(digest_follows_the_key),
        cmocka_unit_test(signs_crls),
        cmocka_unit_test(signs_cms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
