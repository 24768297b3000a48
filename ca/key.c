// SPDX-License-Identifier: Apache-2.0
// The CA's private key. Only this file and ceremony.c ever hold a private EVP_PKEY.
#include "ca/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>

#include "conf/base/private_key.h"
#include "conf/limits.h"

#define GROUP_NAME_LEN 64 // bytes; the longest name OpenSSL knows is under 40

struct ca_key {
    EVP_PKEY *pkey;
    EVP_MD *digest; // fetched once: a fetch per signature would cost a lookup under a lock
    char type[KEY_TYPE_LEN];
};

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
    EVP_PKEY *pkey = NULL;
    enum err_code code = private_key_load(uri, pin_file, &pkey, err);
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
