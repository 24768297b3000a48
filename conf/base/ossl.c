// SPDX-License-Identifier: Apache-2.0
#include "conf/base/ossl.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

enum err_code ossl_cert_from_der(struct view der, X509 **ret_cert, struct err *err)
{
    const unsigned char *end = der.data;
    X509 *cert = d2i_X509(NULL, &end, (long)der.len);
    if (cert == NULL) {
        return err_set_openssl(err, ERR_SYNTAX, "not a DER certificate");
    }
    if (end != der.data + der.len) {
        X509_free(cert);
        return err_set(err, ERR_SYNTAX, "octets after the end of a certificate");
    }
    *ret_cert = cert;
    return ERR_OK;
}

// Moves what an i2d function allocated into a buffer of ours.
static enum err_code take_encoded(int len, unsigned char *der, struct buf *ret_der, struct err *err)
{
    if (len < 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode to DER");
    }
    enum err_code code = buf_copy(view_of(der, (size_t)len), ret_der, err);
    OPENSSL_free(der);
    return code;
}

enum err_code ossl_cert_to_der(const X509 *cert, struct buf *ret_der, struct err *err)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    return take_encoded(len, der, ret_der, err);
}

enum err_code ossl_name_to_der(const X509_NAME *name, struct buf *ret_der, struct err *err)
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(name, &der);
    return take_encoded(len, der, ret_der, err);
}

enum err_code ossl_bio_to_buf(BIO *bio, struct buf *ret_octets, struct err *err)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    return buf_copy(view_of(data, len > 0 ? (size_t)len : 0), ret_octets, err);
}

struct view ossl_string_view(const ASN1_STRING *string)
{
    if (string == NULL) {
        return VIEW_EMPTY;
    }
    return view_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

// ASN1_STRING_to_UTF8() takes UTF8String and OCTET STRING as they are; validity is ours to check.
static bool is_utf8(struct view text)
{
    size_t at = 0;
    while (at < text.len) {
        unsigned long character;
        int used = UTF8_getc(text.data + at, (int)(text.len - at), &character);
        if (used <= 0) {
            return false;
        }
        at += (size_t)used;
    }
    return true;
}

static bool is_character_string(int type)
{
    switch (type) {
    case V_ASN1_UTF8STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_T61STRING:
    case V_ASN1_BMPSTRING:
    case V_ASN1_UNIVERSALSTRING:
    case V_ASN1_IA5STRING:
    case V_ASN1_NUMERICSTRING:
    case V_ASN1_VISIBLESTRING:
        return true;
    default:
        return false;
    }
}

enum err_code ossl_string_to_utf8(const ASN1_STRING *string, struct buf *ret_text, struct err *err)
{
    struct buf text = {0};
    enum err_code code;
    int type = ASN1_STRING_type(string);
    if (is_character_string(type)) {
        unsigned char *utf8 = NULL;
        int len = ASN1_STRING_to_UTF8(&utf8, string);
        if (len < 0) {
            return err_set_openssl(err, ERR_SYNTAX, "a string that is not valid for its type");
        }
        code = buf_copy(view_of(utf8, (size_t)len), &text, err);
        OPENSSL_clear_free(utf8, (size_t)len);
    } else if (type == V_ASN1_OCTET_STRING) {
        code = buf_copy(ossl_string_view(string), &text, err);
    } else {
        return err_set(err, ERR_SYNTAX, "ASN.1 type %d where a character string belongs", type);
    }
    if (code != ERR_OK) {
        return code;
    }
    if (!is_utf8(buf_view(&text)) || (text.len > 0 && memchr(text.data, 0, text.len) != NULL)) {
        buf_wipe(&text);
        return err_set(err, ERR_SYNTAX, "a string with a NUL or invalid UTF-8");
    }
    *ret_text = text;
    return ERR_OK;
}

void ossl_sha256(const struct view *parts, size_t count, uint8_t ret_digest[SHA256_LEN])
{
    CLEANUP(cleanup_EVP_MD_CTX_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        if (EVP_DigestUpdate(context, parts[i].data, parts[i].len) != 1) {
            abort();
        }
    }
    if (EVP_DigestFinal_ex(context, ret_digest, NULL) != 1) {
        abort();
    }
}

void ossl_hmac_sha256(struct view key, struct view data, uint8_t ret_mac[SHA256_LEN])
{
    size_t len = 0;
    if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key.data, key.len, data.data, data.len,
                  ret_mac, SHA256_LEN, &len) == NULL ||
        len != SHA256_LEN) {
        abort();
    }
}

enum err_code ossl_random(void *octets, size_t len, struct err *err)
{
    if (len > INT32_MAX || RAND_bytes(octets, (int)len) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "no random octets");
    }
    return ERR_OK;
}

enum err_code ossl_make_request(const X509_NAME *subject, EVP_PKEY *key, struct buf *ret_der,
                                struct err *err)
{
    CLEANUP(cleanup_X509_REQ_free) X509_REQ *req = X509_REQ_new();
    unsigned char *der = NULL;
    int len = -1;
    if (req != NULL && X509_REQ_set_subject_name(req, subject) == 1 &&
        X509_REQ_set_pubkey(req, key) == 1 && X509_REQ_sign(req, key, EVP_sha256()) > 0) {
        len = i2d_X509_REQ(req, &der);
    }
    if (len < 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot make a request for a certificate");
    }
    enum err_code code = buf_copy(view_of(der, (size_t)len), ret_der, err);
    OPENSSL_free(der);
    return code;
}

static bool is_continuation(char octet)
{
    return ((unsigned char)octet & 0xc0) == 0x80;
}

// Makes room in a full text of `len` octets for the three that say so.
static void say_cut(char *text, size_t len)
{
    static const char more[] = "...";
    size_t end = len - (sizeof more - 1);
    while (end > 0 && is_continuation(text[end])) {
        end--;
    }
    memcpy(text + end, more, sizeof more);
}

char *ossl_name_print(const X509_NAME *name, char *text, size_t size)
{
    const unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    int len = 0;
    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, flags) > 0) {
        len = BIO_read(bio, text, size < INT_MAX ? (int)size - 1 : INT_MAX);
    }
    text[len > 0 ? len : 0] = '\0';
    if (bio != NULL && len > 0 && BIO_pending(bio) > 0) {
        say_cut(text, (size_t)len);
    }
    return text;
}

bool ossl_is_self_issued(const X509 *cert)
{
    return X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0;
}

void ossl_drop_copies(STACK_OF(X509) * certs, const X509 *cert)
{
    for (int i = sk_X509_num(certs) - 1; i >= 0; i--) {
        if (X509_cmp(sk_X509_value(certs, i), cert) == 0) {
            X509_free(sk_X509_delete(certs, i));
        }
    }
}

bool ossl_time_read(const ASN1_TIME *time, int64_t *ret_seconds)
{
    struct tm parts = {0};
    // Without a time OpenSSL would take the present one.
    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1) {
        return false;
    }
    *ret_seconds = (int64_t)timegm(&parts);
    return true;
}
