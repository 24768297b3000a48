// SPDX-License-Identifier: Apache-2.0
// By the CMS API: it writes rsaEncryption as signature algorithm and names certificates by issuer
// and serial number, which is all that old clients understand.
#include "ra/reply.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "conf/keys.h"
#include "ra/certs_only.h"
#include "ra/oids.h"

#define STATUS_SUCCESS   "0" // RFC 8894, 3.2.1.3
#define STATUS_FAILURE   "2"
#define NONCE_LEN        16 // octets; RFC 8894, 3.2.1.5
#define FAIL_INFO_DIGITS 2  // bytes of "4" with NUL

// No SMIMECapabilities: clients do not expect them, and OpenSSL would list RC2 and DES.
#define SIGN_FLAGS (CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP)

struct answer {
    const char *status;
    const char *fail_info;      // NULL = none
    const char *fail_info_text; // NULL = none
    struct view envelope;       // empty = none
};

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

static bool add_attribute(CMS_SignerInfo *signer, const char *oid, int type, struct view value)
{
    return CMS_signed_add1_attr_by_txt(signer, oid, type, value.data, (int)value.len) == 1;
}

static bool add_printable(CMS_SignerInfo *signer, const char *oid, const char *text)
{
    return add_attribute(signer, oid, V_ASN1_PRINTABLESTRING, view_of_text(text));
}

// The longest start of `text` that fits and ends with a whole UTF-8 character.
static struct view clip(const char *text)
{
    size_t len = strlen(text);
    if (len > FAIL_INFO_TEXT_LEN) {
        len = FAIL_INFO_TEXT_LEN;
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) {
            len--;
        }
    }
    return view_of(text, len);
}

static enum err_code add_attributes(CMS_SignerInfo *signer, const struct request *request,
                                    const struct answer *answer, struct err *err)
{
    uint8_t nonce[NONCE_LEN];
    char type[3];
    enum err_code code = ossl_random(nonce, sizeof nonce, err);
    if (code != ERR_OK) {
        return code;
    }
    snprintf(type, sizeof type, "%d", MESSAGE_CERT_REP);
    bool is_complete =
        add_printable(signer, OID_MESSAGE_TYPE, type) &&
        add_printable(signer, OID_PKI_STATUS, answer->status) &&
        add_attribute(signer, OID_TRANSACTION_ID, V_ASN1_PRINTABLESTRING,
                      request_transaction_id(request)) &&
        add_attribute(signer, OID_RECIPIENT_NONCE, V_ASN1_OCTET_STRING,
                      view_of(request->sender_nonce, request->sender_nonce_len)) &&
        add_attribute(signer, OID_SENDER_NONCE, V_ASN1_OCTET_STRING, view_of(nonce, sizeof nonce));
    if (is_complete && answer->fail_info != NULL) {
        is_complete = add_printable(signer, OID_FAIL_INFO, answer->fail_info);
    }
    if (is_complete && answer->fail_info_text != NULL) {
        is_complete = add_attribute(signer, OID_FAIL_INFO_TEXT, V_ASN1_UTF8STRING,
                                    clip(answer->fail_info_text));
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

static enum err_code build(const struct request *request, const struct credentials *credentials,
                           const struct answer *answer, struct buf *ret_der, struct err *err)
{
    // Without an envelope there is no content element at all, not an empty one (RFC 8894, 3.3.2.2).
    unsigned flags = SIGN_FLAGS | (answer->envelope.len == 0 ? CMS_DETACHED : 0);
    int digest_nid = request->digest_nid != NID_undef ? request->digest_nid : NID_sha256;
    CLEANUP(cleanup_CMS_ContentInfo_free)
    CMS_ContentInfo *info = CMS_sign(NULL, NULL, NULL, NULL, flags);
    CMS_SignerInfo *signer = info != NULL
                                 ? CMS_add1_signer(info, credentials->ra_cert, credentials->ra_key,
                                                   EVP_get_digestbynid(digest_nid), flags)
                                 : NULL;
    if (signer == NULL) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot begin an answer");
    }
    enum err_code code = add_attributes(signer, request, answer, err);
    if (code != ERR_OK) {
        return code;
    }
    CLEANUP(cleanup_BIO_free_all)
    BIO *content = answer->envelope.len > 0
                       ? BIO_new_mem_buf(answer->envelope.data, (int)answer->envelope.len)
                       : BIO_new(BIO_s_null());
    if (content == NULL || CMS_final(info, content, NULL, flags) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot sign an answer");
    }
    return encode(info, ret_der, err);
}

// To the key that signed the request, whatever its certificate's KeyUsage says.
static enum err_code seal(const struct request *request, struct view plain, struct buf *ret_der,
                          struct err *err)
{
    // By name: single DES comes from whichever provider is loaded.
    const EVP_CIPHER *cipher = EVP_get_cipherbynid(request->cipher_nid);
    if (cipher == NULL) {
        return err_set(err, ERR_BAD_ALG, "no cipher to answer with");
    }
    CLEANUP(cleanup_BIO_free_all) BIO *content = BIO_new_mem_buf(plain.data, (int)plain.len);
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *recipients = sk_X509_new_null();
    if (content == NULL || recipients == NULL ||
        X509_add_cert(recipients, request->signer, X509_ADD_FLAG_UP_REF) != 1) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for an envelope");
    }
    CLEANUP(cleanup_CMS_ContentInfo_free)
    CMS_ContentInfo *envelope = CMS_encrypt(recipients, content, cipher, CMS_BINARY);
    if (envelope == NULL) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encrypt an answer");
    }
    return encode(envelope, ret_der, err);
}

static enum err_code bundle(const struct credentials *credentials, bool with_chain,
                            struct view certificate, struct buf *ret_der, struct err *err)
{
    struct buf issuing = {0};
    if (with_chain) {
        enum err_code code = ossl_cert_to_der(credentials->issuing_cert, &issuing, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    struct view certs[] = {certificate, buf_view(&issuing)};
    enum err_code code = certs_only_encode(certs, with_chain ? 2 : 1, ret_der, err);
    buf_done(&issuing);
    return code;
}

enum err_code reply_success(const struct request *request, const struct credentials *credentials,
                            const struct settings *settings, struct view certificate,
                            struct buf *ret_der, struct err *err)
{
    struct buf plain = {0};
    struct buf envelope = {0};
    ERR_clear_error();
    enum err_code code = keys_check_client(X509_get0_pubkey(request->signer), err);
    if (code == ERR_OK) {
        code = bundle(credentials, settings->scep.reply_chain, certificate, &plain, err);
    }
    if (code == ERR_OK) {
        code = seal(request, buf_view(&plain), &envelope, err);
    }
    if (code == ERR_OK) {
        struct answer answer = {.status = STATUS_SUCCESS, .envelope = buf_view(&envelope)};
        code = build(request, credentials, &answer, ret_der, err);
    }
    buf_done(&plain);
    buf_done(&envelope);
    return code;
}

enum err_code reply_failure(const struct request *request, const struct credentials *credentials,
                            enum fail_info fail_info, const char *text, struct buf *ret_der,
                            struct err *err)
{
    char digit[FAIL_INFO_DIGITS] = {(char)('0' + (int)fail_info), '\0'};
    struct answer answer = {.status = STATUS_FAILURE, .fail_info = digit, .fail_info_text = text};
    ERR_clear_error();
    return build(request, credentials, &answer, ret_der, err);
}
