// SPDX-License-Identifier: Apache-2.0
// The key is looked at before anything is computed with it.
#include "ra/pkcs10.h"

#include <openssl/err.h>

#include "conf/base/hex.h"
#include "conf/keys.h"
#include "ra/algorithms.h"

#define CHALLENGE_TYPES     (B_ASN1_DIRECTORYSTRING | B_ASN1_IA5STRING | B_ASN1_OCTET_STRING)
#define DECOY_KEY_BITS      2048 // what phones use, so that both take equally long
#define DECOY_CHALLENGE_LEN 16   // octets before hex
#define DECOY_COMMON_NAME   "nobody"

void pkcs10_done(struct pkcs10 *pkcs10)
{
    csr_free(pkcs10->csr);
    buf_wipe(&pkcs10->der); // the challenge is in there too
    buf_done(&pkcs10->spki);
    buf_wipe(&pkcs10->challenge);
    *pkcs10 = (struct pkcs10){0};
}

// Whatever is wrong inside an envelope has one code (ra/README.md, "One answer").
static enum err_code bad_request(enum err_code code, struct err *err)
{
    if (code == ERR_SYNTAX || code == ERR_BAD_ALG) {
        err->code = ERR_BAD_REQUEST;
        return ERR_BAD_REQUEST;
    }
    return code;
}

static enum err_code read_challenge_value(const ASN1_TYPE *value, struct buf *ret_text,
                                          struct err *err)
{
    if (value == NULL || (ASN1_tag2bit(ASN1_TYPE_get(value)) & CHALLENGE_TYPES) == 0) {
        return err_set(err, ERR_BAD_REQUEST, "a challengePassword that is no character string");
    }
    struct buf text = {0};
    enum err_code code = ossl_string_to_utf8(value->value.asn1_string, &text, err);
    if (code != ERR_OK) {
        return bad_request(code, err);
    }
    if (text.len > LIMIT_CHALLENGE_LEN) {
        buf_wipe(&text);
        return err_set(err, ERR_BAD_REQUEST, "a challengePassword of more than %d octets",
                       LIMIT_CHALLENGE_LEN);
    }
    *ret_text = text;
    return ERR_OK;
}

static enum err_code read_challenge(struct pkcs10 *pkcs10, struct err *err)
{
    const STACK_OF(X509_ATTRIBUTE) *attributes = csr_attributes(pkcs10->csr);
    int at = X509at_get_attr_by_NID(attributes, NID_pkcs9_challengePassword, -1);
    if (at < 0) {
        return ERR_OK;
    }
    X509_ATTRIBUTE *attribute = X509at_get_attr(attributes, at);
    if (X509at_get_attr_by_NID(attributes, NID_pkcs9_challengePassword, at) >= 0 ||
        X509_ATTRIBUTE_count(attribute) != 1) {
        return err_set(err, ERR_BAD_REQUEST, "more or less than one challengePassword");
    }
    enum err_code code =
        read_challenge_value(X509_ATTRIBUTE_get0_type(attribute, 0), &pkcs10->challenge, err);
    pkcs10->has_challenge = code == ERR_OK && pkcs10->challenge.len > 0;
    return code;
}

static enum err_code read_key(struct pkcs10 *pkcs10, struct err *err)
{
    enum err_code code = ossl_spki_to_der(csr_key(pkcs10->csr), &pkcs10->spki, err);
    if (code == ERR_OK) {
        struct view spki = buf_view(&pkcs10->spki);
        ossl_sha256(&spki, 1, pkcs10->spki_hash);
    }
    return code;
}

static enum err_code parse(struct view der, struct pkcs10 *pkcs10, struct err *err)
{
    if (der.len == 0 || der.len > LIMIT_CSR_LEN) {
        return err_set(err, ERR_BAD_REQUEST, "a PKCS#10 of %zu octets; allowed: 1 to %d", der.len,
                       LIMIT_CSR_LEN);
    }
    ossl_sha256(&der, 1, pkcs10->hash);
    enum err_code code = bad_request(csr_parse(der, &pkcs10->csr, err), err);
    if (code == ERR_OK) {
        code = buf_copy(der, &pkcs10->der, err);
    }
    if (code == ERR_OK) {
        code = read_key(pkcs10, err);
    }
    if (code == ERR_OK) {
        code = read_challenge(pkcs10, err);
    }
    return code;
}

enum err_code pkcs10_parse(struct view der, struct pkcs10 *ret_pkcs10, struct err *err)
{
    struct pkcs10 pkcs10 = {0};
    ERR_clear_error();
    enum err_code code = parse(der, &pkcs10, err);
    if (code != ERR_OK) {
        pkcs10_done(&pkcs10);
        return code;
    }
    *ret_pkcs10 = pkcs10;
    return ERR_OK;
}

enum err_code pkcs10_verify(const struct pkcs10 *pkcs10, bool allow_sha1, bool allow_md5,
                            struct err *err)
{
    ERR_clear_error();
    enum err_code code = keys_check_client(csr_key(pkcs10->csr), err);
    if (code != ERR_OK) {
        return code;
    }
    int signature_nid = csr_signature_nid(pkcs10->csr);
    if (!algorithms_is_digest_allowed(algorithms_rsa_digest(signature_nid), allow_sha1,
                                      allow_md5)) {
        return err_set(err, ERR_BAD_ALG,
                       "the PKCS#10's signature algorithm %s is not allowed; allowed: SHA-256, "
                       "SHA-384, SHA-512%s%s",
                       algorithms_name(signature_nid), allow_sha1 ? ", SHA-1" : "",
                       allow_md5 ? ", MD5" : "");
    }
    if (!csr_is_signature_valid(pkcs10->csr)) {
        return err_set(err, ERR_BAD_REQUEST, "the PKCS#10's own signature does not hold");
    }
    return ERR_OK;
}

static bool fill_decoy(X509_REQ *req, EVP_PKEY *key, const char *challenge)
{
    X509_NAME *subject = X509_REQ_get_subject_name(req);
    return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char *)DECOY_COMMON_NAME, -1, -1, 0) == 1 &&
           X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, V_ASN1_PRINTABLESTRING,
                                     (const unsigned char *)challenge,
                                     (int)strlen(challenge)) == 1 &&
           X509_REQ_set_pubkey(req, key) == 1 && X509_REQ_sign(req, key, EVP_sha256()) > 0;
}

enum err_code pkcs10_make_decoy(struct buf *ret_der, struct err *err)
{
    uint8_t random[DECOY_CHALLENGE_LEN];
    char challenge[2 * DECOY_CHALLENGE_LEN + 1];
    enum err_code code = ossl_random(random, sizeof random, err);
    if (code != ERR_OK) {
        return code;
    }
    hex_encode(view_of(random, sizeof random), challenge);
    CLEANUP(cleanup_EVP_PKEY_free)
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)DECOY_KEY_BITS);
    CLEANUP(cleanup_X509_REQ_free) X509_REQ *req = X509_REQ_new();
    unsigned char *der = NULL;
    int len = -1;
    if (key != NULL && req != NULL && fill_decoy(req, key, challenge)) {
        len = i2d_X509_REQ(req, &der);
    }
    if (len < 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot make the decoy request");
    }
    code = buf_copy(view_of(der, (size_t)len), ret_der, err);
    OPENSSL_free(der);
    return code;
}
