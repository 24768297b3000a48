// SPDX-License-Identifier: Apache-2.0
// The CA's private key. Only this file and ceremony.c ever hold a private EVP_PKEY.
#include "ca/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/ui.h>

#include "conf/base/file.h"
#include "conf/limits.h"

#define GROUP_NAME_LEN 64   // bytes; the longest name OpenSSL knows is under 40
#define PIN_FILE_LEN   1024 // octets; OpenSSL takes no longer passphrase

struct ca_key {
    EVP_PKEY *pkey;
    EVP_MD *digest; // fetched once: a fetch per signature would cost a lookup under a lock
    char type[KEY_TYPE_LEN];
};

DEFINE_CLEANUP(UI_METHOD *, UI_destroy_method);

struct curve {
    const char *group;
    const char *name;
    const char *digest;
};

static const struct curve curves[] = {
    {"prime256v1", "P-256", "SHA256"},
    {"secp384r1", "P-384", "SHA384"},
};

static const struct curve *curve_of(const EVP_PKEY *key)
{
    char group[GROUP_NAME_LEN];
    size_t len = 0;
    if (EVP_PKEY_get_group_name(key, group, sizeof group, &len) != 1) {
        ERR_clear_error();
        return NULL;
    }
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        if (strcmp(group, curves[i].group) == 0) {
            return &curves[i];
        }
    }
    return NULL;
}

const char *key_describe(const EVP_PKEY *key, char type[KEY_TYPE_LEN])
{
    const struct curve *curve = EVP_PKEY_is_a(key, "EC") ? curve_of(key) : NULL;
    const char *name = EVP_PKEY_get0_type_name(key);
    if (EVP_PKEY_is_a(key, "RSA")) {
        snprintf(type, KEY_TYPE_LEN, "rsa:%d", EVP_PKEY_get_bits(key));
    } else if (curve != NULL) {
        snprintf(type, KEY_TYPE_LEN, "ec:%s", curve->name);
    } else {
        snprintf(type, KEY_TYPE_LEN, "%s", name != NULL ? name : "unknown");
    }
    return type;
}

const char *key_digest_name(const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "RSA")) {
        int bits = EVP_PKEY_get_bits(key);
        return bits >= LIMIT_RSA_BITS_MIN && bits <= LIMIT_RSA_BITS_MAX ? "SHA256" : NULL;
    }
    const struct curve *curve = EVP_PKEY_is_a(key, "EC") ? curve_of(key) : NULL;
    return curve != NULL ? curve->digest : NULL;
}

static enum err_code read_pin(const char *pin_file, struct buf *ret_pin, struct err *err)
{
    if (pin_file == NULL) {
        return ERR_OK;
    }
    enum err_code code = file_read(pin_file, PIN_FILE_LEN, ret_pin, err);
    if (code != ERR_OK || ret_pin->len == 0) {
        return code;
    }
    const uint8_t *newline = memchr(ret_pin->data, '\n', ret_pin->len);
    if (newline != NULL) {
        ret_pin->len = (size_t)(newline - ret_pin->data);
    }
    return ERR_OK;
}

// A pem_password_cb: a key that wants a passphrase when there is none fails, nobody is asked.
static int give_pin(char *to, int size, int is_writing, void *data)
{
    const struct buf *pin = data;
    (void)is_writing;
    if (pin->len == 0 || size < 0 || pin->len > (size_t)size) {
        return -1;
    }
    memcpy(to, pin->data, pin->len);
    return (int)pin->len;
}

static EVP_PKEY *first_key(OSSL_STORE_CTX *store)
{
    while (!OSSL_STORE_eof(store)) {
        CLEANUP(cleanup_OSSL_STORE_INFO_free) OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (info != NULL && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY) {
            return OSSL_STORE_INFO_get1_PKEY(info);
        }
        if (info == NULL && OSSL_STORE_error(store)) {
            return NULL;
        }
    }
    return NULL;
}

static enum err_code load(const char *uri, struct buf *pin, EVP_PKEY **ret_pkey, struct err *err)
{
    CLEANUP(cleanup_UI_destroy_method)
    UI_METHOD *method = UI_UTIL_wrap_read_pem_callback(give_pin, 0);
    if (method == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory to read a key");
    }
    CLEANUP(cleanup_OSSL_STORE_close)
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, method, pin, NULL, NULL);
    if (store == NULL || OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) != 1) {
        return err_set_openssl(err, ERR_CONFIG, "cannot open the CA key %s", uri);
    }
    EVP_PKEY *pkey = first_key(store);
    if (pkey == NULL) {
        return err_set_openssl(err, ERR_CONFIG, "no private key can be read from %s", uri);
    }
    ERR_clear_error(); // the store's loaders leave the failures of formats they tried first
    *ret_pkey = pkey;
    return ERR_OK;
}

static enum err_code fetch_digest(const EVP_PKEY *pkey, EVP_MD **ret_digest, struct err *err)
{
    const char *name = key_digest_name(pkey);
    if (name == NULL) {
        char type[KEY_TYPE_LEN];
        return err_set(err, ERR_CONFIG,
                       "a CA key of type %s; allowed: rsa:%d to rsa:%d, ec:P-256, ec:P-384",
                       key_describe(pkey, type), LIMIT_RSA_BITS_MIN, LIMIT_RSA_BITS_MAX);
    }
    EVP_MD *digest = EVP_MD_fetch(NULL, name, NULL);
    if (digest == NULL) {
        return err_set_openssl(err, ERR_CRYPTO, "no digest %s", name);
    }
    *ret_digest = digest;
    return ERR_OK;
}

static enum err_code wrap(EVP_PKEY *take_pkey, struct ca_key **ret_key, struct err *err)
{
    EVP_MD *digest = NULL;
    enum err_code code = fetch_digest(take_pkey, &digest, err);
    struct ca_key *key = code == ERR_OK ? calloc(1, sizeof *key) : NULL;
    if (key == NULL) {
        EVP_MD_free(digest);
        EVP_PKEY_free(take_pkey);
        return code != ERR_OK ? code : err_set(err, ERR_NOMEM, "no memory for a key");
    }
    key->pkey = take_pkey;
    key->digest = digest;
    key_describe(take_pkey, key->type);
    *ret_key = key;
    return ERR_OK;
}

enum err_code ca_key_open(const char *uri, const char *pin_file, struct ca_key **ret_key,
                          struct err *err)
{
    CLEANUP(buf_wipe) struct buf pin = {0};
    enum err_code code = read_pin(pin_file, &pin, err);
    if (code != ERR_OK) {
        return code;
    }
    EVP_PKEY *pkey = NULL;
    code = load(uri, &pin, &pkey, err);
    return code == ERR_OK ? wrap(pkey, ret_key, err) : code;
}

void ca_key_free(struct ca_key *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->pkey);
        EVP_MD_free(key->digest);
        free(key);
    }
}

bool ca_key_matches(const struct ca_key *key, const X509 *cert)
{
    const EVP_PKEY *public_key = X509_get0_pubkey(cert);
    bool is_equal = public_key != NULL && EVP_PKEY_eq(key->pkey, public_key) == 1;
    ERR_clear_error();
    return is_equal;
}

const char *ca_key_type(const struct ca_key *key)
{
    return key->type;
}

enum err_code ca_key_sign(const struct ca_key *key, X509 *cert, struct err *err)
{
    if (X509_sign(cert, key->pkey, key->digest) <= 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot sign a certificate");
    }
    return ERR_OK;
}
