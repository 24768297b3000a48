// SPDX-License-Identifier: Apache-2.0
// By the CMS API: it writes rsaEncryption as signature algorithm and names certificates by issuer
// and serial number, which is all that old clients understand.
#include "conf/cms/certrep.h"

#include <string.h>

#include <openssl/err.h>

#include "conf/cms/certs_only.h"
#include "conf/cms/oids.h"
#include "conf/keys.h"

#define MESSAGE_TYPE_CERT_REP "3" // RFC 8894, 3.2.1.2
#define NONCE_LEN             16  // octets; RFC 8894, 3.2.1.5
#define DIGIT_LEN             2   // bytes of "4" with NUL

// No SMIMECapabilities: clients do not expect them, and OpenSSL would list RC2 and DES.
#define SIGN_FLAGS (CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP)

static const char *const fail_info_names[] = {
    [FAIL_INFO_BAD_ALG] = "badAlg",         [FAIL_INFO_BAD_MESSAGE_CHECK] = "badMessageCheck",
    [FAIL_INFO_BAD_REQUEST] = "badRequest", [FAIL_INFO_BAD_TIME] = "badTime",
    [FAIL_INFO_BAD_CERT_ID] = "badCertId",
};

const char *fail_info_name(enum fail_info fail_info)
{
    size_t count = sizeof fail_info_names / sizeof fail_info_names[0];
    return (size_t)fail_info < count ? fail_info_names[fail_info] : "?";
}

static bool add_attribute(CMS_SignerInfo *info, const char *oid, int type, struct view value)
{
    return CMS_signed_add1_attr_by_txt(info, oid, type, value.data, (int)value.len) == 1;
}

static bool add_printable(CMS_SignerInfo *info, const char *oid, const char *text)
{
    return add_attribute(info, oid, V_ASN1_PRINTABLESTRING, view_of_text(text));
}

static bool add_digit(CMS_SignerInfo *info, const char *oid, unsigned value)
{
    char digit[DIGIT_LEN] = {(char)('0' + value), '\0'};
    return add_printable(info, oid, digit);
}

struct view fail_info_clip(const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    if (len > FAIL_INFO_TEXT_LEN) {
        len = FAIL_INFO_TEXT_LEN;
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) {
            len--;
        }
    }
    return view_of(text, len);
}

static bool add_failure(CMS_SignerInfo *info, const struct certrep *certrep)
{
    return add_digit(info, OID_FAIL_INFO, (unsigned)certrep->fail_info) &&
           (certrep->fail_info_text == NULL ||
            add_attribute(info, OID_FAIL_INFO_TEXT, V_ASN1_UTF8STRING,
                          fail_info_clip(certrep->fail_info_text)));
}

static enum err_code add_attributes(CMS_SignerInfo *info, const struct certrep *certrep,
                                    struct err *err)
{
    uint8_t nonce[NONCE_LEN];
    enum err_code code = ossl_random(nonce, sizeof nonce, err);
    if (code != ERR_OK) {
        return code;
    }
    bool is_complete =
        add_printable(info, OID_MESSAGE_TYPE, MESSAGE_TYPE_CERT_REP) &&
        add_digit(info, OID_PKI_STATUS, (unsigned)certrep->status) &&
        add_attribute(info, OID_TRANSACTION_ID, V_ASN1_PRINTABLESTRING, certrep->transaction_id) &&
        add_attribute(info, OID_RECIPIENT_NONCE, V_ASN1_OCTET_STRING, certrep->recipient_nonce) &&
        add_attribute(info, OID_SENDER_NONCE, V_ASN1_OCTET_STRING, view_of(nonce, sizeof nonce));
    if (is_complete && certrep->status == CERTREP_FAILURE) {
        is_complete = add_failure(info, certrep);
    }
    if (!is_complete) {
        return err_set_openssl(err, ERR_NOMEM, "cannot add attributes to an answer");
    }
    return ERR_OK;
}

static enum err_code encode(const CMS_ContentInfo *info, struct buf *ret_der, struct err *err)
{
    unsigned char *der = NULL;
    int len = i2d_CMS_ContentInfo((CMS_ContentInfo *)info, &der);
    if (len < 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode an answer");
    }
    enum err_code code = buf_copy(view_of(der, (size_t)len), ret_der, err);
    OPENSSL_free(der);
    return code;
}

// To the key that signed the request, whatever its certificate's KeyUsage says.
static enum err_code seal(const struct certrep *certrep, struct view plain, struct buf *ret_der,
                          struct err *err)
{
    // By name: single DES comes from whichever provider is loaded.
    const EVP_CIPHER *cipher = EVP_get_cipherbynid(certrep->cipher_nid);
    if (cipher == NULL) {
        return err_set(err, ERR_BAD_ALG, "no cipher to answer with");
    }
    CLEANUP(cleanup_BIO_free_all) BIO *content = BIO_new_mem_buf(plain.data, (int)plain.len);
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *recipients = sk_X509_new_null();
    if (content == NULL || recipients == NULL ||
        X509_add_cert(recipients, certrep->recipient, X509_ADD_FLAG_UP_REF) != 1) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for an envelope");
    }
    CLEANUP(cleanup_CMS_ContentInfo_free)
    CMS_ContentInfo *envelope = CMS_encrypt(recipients, content, cipher, CMS_BINARY);
    if (envelope == NULL) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encrypt an answer");
    }
    return encode(envelope, ret_der, err);
}

// Leaves *ret_envelope empty for FAILURE and PENDING.
static enum err_code make_envelope(const struct certrep *certrep, struct buf *ret_envelope,
                                   struct err *err)
{
    if (certrep->status != CERTREP_SUCCESS) {
        return ERR_OK;
    }
    struct buf plain = {0};
    // Which sizes may ask is the reader's decision; here it counts only that the key can receive.
    enum err_code code =
        keys_check_at_least(X509_get0_pubkey(certrep->recipient), LIMIT_MIC_RSA_BITS_MIN, err);
    if (code == ERR_OK) {
        code = certrep->crl.len > 0 ? certs_only_encode_crl(certrep->crl, &plain, err)
                                    : certs_only_encode(certrep->certificates,
                                                        certrep->certificate_count, &plain, err);
    }
    if (code == ERR_OK) {
        code = seal(certrep, buf_view(&plain), ret_envelope, err);
    }
    buf_done(&plain);
    return code;
}

// Without an envelope there is no content element at all, not an empty one (RFC 8894, 3.3.2.2).
static enum err_code finish(CMS_ContentInfo *info, struct view envelope, unsigned flags,
                            struct err *err)
{
    CLEANUP(cleanup_BIO_free_all)
    BIO *content = envelope.len > 0 ? BIO_new_mem_buf(envelope.data, (int)envelope.len)
                                    : BIO_new(BIO_s_null());
    if (content == NULL || CMS_final(info, content, NULL, flags) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot sign an answer");
    }
    return ERR_OK;
}

struct signing {
    X509 *cert;
    EVP_PKEY *key;
    struct view envelope; // empty = none
};

static enum err_code sign(const struct certrep *certrep, const struct signing *signing,
                          struct buf *ret_der, struct err *err)
{
    unsigned flags = SIGN_FLAGS | (signing->envelope.len == 0 ? CMS_DETACHED : 0);
    int digest_nid = certrep->digest_nid != NID_undef ? certrep->digest_nid : NID_sha256;
    CLEANUP(cleanup_CMS_ContentInfo_free)
    CMS_ContentInfo *info = CMS_sign(NULL, NULL, NULL, NULL, flags);
    CMS_SignerInfo *signer = info != NULL ? CMS_add1_signer(info, signing->cert, signing->key,
                                                            EVP_get_digestbynid(digest_nid), flags)
                                          : NULL;
    if (signer == NULL) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot begin an answer");
    }
    enum err_code code = add_attributes(signer, certrep, err);
    if (code == ERR_OK) {
        code = finish(info, signing->envelope, flags, err);
    }
    return code == ERR_OK ? encode(info, ret_der, err) : code;
}

enum err_code certrep_encode(const struct certrep *certrep, X509 *signer, EVP_PKEY *signer_key,
                             struct buf *ret_der, struct err *err)
{
    struct buf envelope = {0};
    ERR_clear_error();
    enum err_code code = make_envelope(certrep, &envelope, err);
    if (code == ERR_OK) {
        struct signing signing = {
            .cert = signer, .key = signer_key, .envelope = buf_view(&envelope)};
        code = sign(certrep, &signing, ret_der, err);
    }
    buf_done(&envelope);
    return code;
}
