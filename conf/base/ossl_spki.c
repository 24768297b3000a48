// SPDX-License-Identifier: Apache-2.0
// SubjectPublicKeyInfo in its one canonical encoding, whatever a client sent. RSA keys take a few
// microseconds here; the library's generic encoder takes as long as a third of a signature.
#include "conf/base/ossl.h"

#include <openssl/asn1t.h>
#include <openssl/core_names.h>

// RFC 8017, A.1.1: RSAPublicKey.
struct rsa_public_key {
    BIGNUM *modulus;
    BIGNUM *exponent;
};

// clang-format off
ASN1_SEQUENCE(RSA_PUBLIC_KEY) = {
    ASN1_SIMPLE(struct rsa_public_key, modulus, BIGNUM),
    ASN1_SIMPLE(struct rsa_public_key, exponent, BIGNUM),
} static_ASN1_SEQUENCE_END_name(struct rsa_public_key, RSA_PUBLIC_KEY)

DEFINE_CLEANUP(X509_PUBKEY *, X509_PUBKEY_free);
// clang-format on

static enum err_code encode_key(const EVP_PKEY *key, unsigned char **ret_der, int *ret_len,
                                struct err *err)
{
    struct rsa_public_key public = {0};
    int len = -1;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &public.modulus) == 1 &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &public.exponent) == 1) {
        len = ASN1_item_i2d((const ASN1_VALUE *)&public, ret_der, ASN1_ITEM_rptr(RSA_PUBLIC_KEY));
    }
    BN_free(public.modulus);
    BN_free(public.exponent);
    if (len < 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode an RSA public key");
    }
    *ret_len = len;
    return ERR_OK;
}

static enum err_code encode_rsa(const EVP_PKEY *key, struct buf *ret_der, struct err *err)
{
    unsigned char *encoded = NULL;
    int len = 0;
    enum err_code code = encode_key(key, &encoded, &len, err);
    if (code != ERR_OK) {
        return code;
    }
    CLEANUP(cleanup_X509_PUBKEY_free) X509_PUBKEY *spki = X509_PUBKEY_new();
    if (spki == NULL || X509_PUBKEY_set0_param(spki, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL,
                                               NULL, encoded, len) != 1) {
        OPENSSL_free(encoded);
        return err_set_openssl(err, ERR_NOMEM, "no memory for a public key");
    }
    unsigned char *der = NULL;
    int der_len = i2d_X509_PUBKEY(spki, &der);
    if (der_len < 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode a public key");
    }
    code = buf_copy(view_of(der, (size_t)der_len), ret_der, err);
    OPENSSL_free(der);
    return code;
}

static enum err_code encode_any(const EVP_PKEY *key, struct buf *ret_der, struct err *err)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    if (len < 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode a public key");
    }
    enum err_code code = buf_copy(view_of(der, (size_t)len), ret_der, err);
    OPENSSL_free(der);
    return code;
}

enum err_code ossl_spki_to_der(const EVP_PKEY *key, struct buf *ret_der, struct err *err)
{
    return EVP_PKEY_is_a(key, "RSA") ? encode_rsa(key, ret_der, err)
                                     : encode_any(key, ret_der, err);
}
