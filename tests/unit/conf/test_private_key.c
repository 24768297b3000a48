// SPDX-License-Identifier: Apache-2.0
#include "kit/kit.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "conf/base/private_key.h"

static const char PIN[] = "correct horse";

static struct buf encrypted_pem(EVP_PKEY *key)
{
    struct buf pem = {0};
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), PIN,
                                                   (int)strlen(PIN), NULL, NULL),
                     1);
    assert_int_equal(ossl_bio_to_buf(bio, &pem, NULL), ERR_OK);
    BIO_free(bio);
    return pem;
}

static char *write_and_free(const char *folder, const char *name, struct buf take_content)
{
    char *path = kit_write(folder, name, buf_view(&take_content));
    buf_done(&take_content);
    return path;
}

static void assert_loads(const char *uri, const char *pin_file)
{
    EVP_PKEY *key = NULL;
    struct err err = {0};
    assert_int_equal(private_key_load(uri, pin_file, &key, &err), ERR_OK);
    assert_int_equal(EVP_PKEY_eq(key, kit_key(0)), 1);
    EVP_PKEY_free(key);
}

static void assert_fails(const char *uri, const char *pin_file, const char *text)
{
    EVP_PKEY *key = NULL;
    struct err err = {0};
    assert_int_not_equal(private_key_load(uri, pin_file, &key, &err), ERR_OK);
    assert_null(key);
    assert_non_null(strstr(err.text, text));
    assert_null(strstr(err.text, PIN));
}

static void a_plain_key_loads_by_path_and_by_uri(void **unused)
{
    (void)unused;
    char *folder = kit_new_folder();
    char *path = write_and_free(folder, "key.pem", kit_key_pem(kit_key(0)));
    char *uri = NULL;
    assert_true(asprintf(&uri, "file:%s", path) > 0);
    assert_loads(path, NULL);
    assert_loads(uri, NULL);
    free(uri);
    free(path);
    kit_remove_folder(folder);
}

static void an_encrypted_key_needs_its_pin(void **unused)
{
    (void)unused;
    static const char *const good[] = {"correct horse", "correct horse\n", "correct horse\r\nmore"};
    static const char *const bad[] = {"", "\n", "wrong", "correct horse "};
    char *folder = kit_new_folder();
    char *path = write_and_free(folder, "key.pem", encrypted_pem(kit_key(0)));
    assert_fails(path, NULL, "no private key can be read");
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char *pin = kit_write(folder, "pin", view_of_text(good[i]));
        assert_loads(path, pin);
        free(pin);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *pin = kit_write(folder, "pin", view_of_text(bad[i]));
        assert_fails(path, pin, "no private key can be read");
        free(pin);
    }
    free(path);
    kit_remove_folder(folder);
}

static void what_is_not_a_key_is_refused(void **unused)
{
    (void)unused;
    char *folder = kit_new_folder();
    X509 *cert = kit_cert(kit_key(0), "no key", NULL, NULL, false, KIT_NOW, 1);
    char *cert_path = write_and_free(folder, "cert.pem", kit_cert_pem(cert));
    char *garbage = kit_write(folder, "garbage", view_of_text("garbage"));
    char *missing = kit_path(folder, "missing");
    assert_fails(cert_path, NULL, "no private key can be read");
    assert_fails(garbage, NULL, "no private key can be read");
    assert_fails(missing, NULL, "missing: No such file or directory");
    assert_fails(cert_path, missing, "missing");
    assert_fails("unknown:thing?pin-value=correct horse", NULL, "unknown:thing");
    X509_free(cert);
    free(cert_path);
    free(garbage);
    free(missing);
    kit_remove_folder(folder);
}

// Where no token is: with a module or without one, and with a PIN that is never told.
static void a_token_that_is_not_there_is_told(void **unused)
{
    (void)unused;
    char *folder = kit_new_folder();
    char *pin = kit_write(folder, "pin", view_of_text(PIN));
    assert_fails("pkcs11:token=no-such-token;object=x", pin, "pkcs11:token=no-such-token;object=x");
    assert_fails("pkcs11:token=no-such-token?pin-value=correct horse", NULL, "no-such-token:");
    assert_fails("PKCS11:nonsense", NULL, "PKCS11:nonsense");
    char uri[2000] = "pkcs11:token=";
    memset(uri + strlen(uri), 'x', 1900);
    assert_fails(uri, pin, "pkcs11:token=xxx");
    assert_fails(uri, pin, ": ");
    free(pin);
    kit_remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_key_loads_by_path_and_by_uri),
        cmocka_unit_test(an_encrypted_key_needs_its_pin),
        cmocka_unit_test(what_is_not_a_key_is_refused),
        cmocka_unit_test(a_token_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
