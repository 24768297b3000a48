// SPDX-License-Identifier: Apache-2.0
// The CA's private key. Only this file and ceremony.c ever hold a private EVP_PKEY.
#include "ca/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>

#include "conf/base/private_key.h"
#include "conf/cms/unwrap.h"
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

enum err_code ca_key_sign_crl(const struct ca_key *key, X509_CRL *crl, struct err *err)
{
    if (X509_CRL_sign(crl, key->pkey, key->digest) <= 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot sign a CRL");
    }
    return ERR_OK;
}

static bool add_certs(CMS_ContentInfo *info, const struct ca_key_cms *cms)
{
    for (int i = 0; i < sk_X509_num(cms->certs); i++) {
        if (CMS_add1_cert(info, sk_X509_value(cms->certs, i)) != 1) {
            return false;
        }
    }
    return true;
}

// `info` refers to the key from here on, so it never leaves this file.
static bool sign_content(const struct ca_key *key, const struct ca_key_cms *cms,
                         CMS_ContentInfo *info)
{
    const unsigned flags = CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP;
    CLEANUP(cleanup_BIO_free_all)
    BIO *content = BIO_new_mem_buf(cms->content.data, (int)cms->content.len);
    return content != NULL &&
           CMS_add1_signer(info, cms->signer, key->pkey, key->digest, flags) != NULL &&
           add_certs(info, cms) && CMS_final(info, content, NULL, CMS_BINARY) == 1;
}

enum err_code ca_key_sign_cms(const struct ca_key *key, const struct ca_key_cms *cms,
                              struct buf *ret_der, struct err *err)
{
    CLEANUP(cleanup_CMS_ContentInfo_free)
    CMS_ContentInfo *info = CMS_sign(NULL, NULL, NULL, NULL, CMS_BINARY | CMS_PARTIAL);
    if (info == NULL || !sign_content(key, cms, info)) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot sign a SignedData");
    }
    unsigned char *der = NULL;
    int len = i2d_CMS_ContentInfo(info, &der);
    if (len < 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode a SignedData");
    }
    enum err_code code = buf_copy(view_of(der, (size_t)len), ret_der, err);
    OPENSSL_free(der);
    return code;
}

enum err_code ca_key_unwrap(const struct ca_key *key, X509 *cert, CMS_ContentInfo *envelope,
                            struct buf *ret_content, struct err *err)
{
    return unwrap_envelope(envelope, cert, key->pkey, ret_content, err);
}

enum err_code ca_key_seal(const struct ca_key *key, X509 *cert, const struct certrep *certrep,
                          struct buf *ret_der, struct err *err)
{
    return certrep_encode(certrep, cert, key->pkey, ret_der, err);
}
