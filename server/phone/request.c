// SPDX-License-Identifier: Apache-2.0
#include "server/phone/request.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "conf/base/hex.h"
#include "conf/cms/oids.h"
#include "conf/limits.h"

#define MESSAGE_TYPE_REQ "19" // PKCSReq; RFC 8894, 3.2.1.2
#define SIGNER_VALID_SEC (7 * DAY_SEC)

// No SMIMECapabilities: OpenSSL would list RC2 and DES.
#define SIGN_FLAGS (CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP)

// Bits of KeyUsage (RFC 5280, 4.2.1.3).
#define BIT_DIGITAL_SIGNATURE 0
#define BIT_KEY_ENCIPHERMENT  2

void phone_request_done(struct phone_request *request)
{
    buf_wipe(&request->der);
    EVP_PKEY_free(request->key);
    X509_free(request->signer);
    EVP_PKEY_free(request->signer_key);
    *request = (struct phone_request){0};
}

enum err_code phone_key_make(EVP_PKEY **ret_key, struct err *err)
{
    EVP_PKEY *key = EVP_RSA_gen(PHONE_KEY_BITS);
    if (key == NULL) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot make a key");
    }
    *ret_key = key;
    return ERR_OK;
}

static enum err_code name_request(X509_REQ *req, const char *common_name, struct err *err)
{
    if (X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(req), NID_commonName, MBSTRING_UTF8,
                                   (const unsigned char *)common_name, -1, -1, 0) != 1) {
        return err_set_openssl(err, ERR_SYNTAX,
                               "the common name is not UTF-8 text of 1 to %d characters",
                               LIMIT_COMMON_NAME);
    }
    return ERR_OK;
}

// As PrintableString where that can say it: some servers know no other type.
static enum err_code add_challenge(X509_REQ *req, struct view challenge, struct err *err)
{
    ASN1_STRING *text = NULL;
    if (challenge.len == 0) {
        return ERR_OK;
    }
    int type =
        ASN1_mbstring_ncopy(&text, challenge.data, (int)challenge.len, MBSTRING_UTF8,
                            B_ASN1_PRINTABLESTRING | B_ASN1_UTF8STRING, 1, LIMIT_CHALLENGE_LEN);
    bool is_added = type > 0 && X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, type,
                                                          ASN1_STRING_get0_data(text),
                                                          ASN1_STRING_length(text)) == 1;
    if (text != NULL) {
        OPENSSL_cleanse((void *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
        ASN1_STRING_free(text);
    }
    if (!is_added) {
        return err_set_openssl(err, ERR_SYNTAX,
                               "the challenge is not UTF-8 text of 1 to %d characters",
                               LIMIT_CHALLENGE_LEN);
    }
    return ERR_OK;
}

static enum err_code make_req(const struct phone_request_plan *plan, EVP_PKEY *key,
                              X509_REQ **ret_req, struct err *err)
{
    CLEANUP(cleanup_X509_REQ_free) X509_REQ *req = X509_REQ_new();
    if (req == NULL || X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_pubkey(req, key) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot make a PKCS#10");
    }
    enum err_code code = name_request(req, plan->common_name, err);
    if (code == ERR_OK) {
        code = add_challenge(req, plan->challenge, err);
    }
    if (code == ERR_OK && X509_REQ_sign(req, key, EVP_get_digestbynid(plan->digest_nid)) <= 0) {
        code = err_set_openssl(err, ERR_CRYPTO, "cannot sign a PKCS#10");
    }
    if (code == ERR_OK) {
        *ret_req = req;
        req = NULL;
    }
    return code;
}

static bool add_key_usage(X509 *cert)
{
    ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
    bool is_added = usage != NULL &&
                    ASN1_BIT_STRING_set_bit(usage, BIT_DIGITAL_SIGNATURE, 1) == 1 &&
                    ASN1_BIT_STRING_set_bit(usage, BIT_KEY_ENCIPHERMENT, 1) == 1 &&
                    X509_add1_ext_i2d(cert, NID_key_usage, usage, 1, X509V3_ADD_DEFAULT) == 1;
    ASN1_BIT_STRING_free(usage);
    return is_added;
}

// RFC 8894, 2.3: subject and key are those of the PKCS#10.
static enum err_code make_signer(const struct phone_request_plan *plan, const X509_REQ *req,
                                 EVP_PKEY *key, X509 **ret_signer, struct err *err)
{
    const X509_NAME *name = X509_REQ_get_subject_name(req);
    CLEANUP(cleanup_X509_free) X509 *cert = X509_new();
    bool is_complete =
        cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1 &&
        ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
        X509_set_subject_name(cert, name) == 1 && X509_set_issuer_name(cert, name) == 1 &&
        X509_set_pubkey(cert, key) == 1 &&
        ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(plan->now - BACKDATE_SEC)) != NULL &&
        ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(plan->now + SIGNER_VALID_SEC)) != NULL &&
        add_key_usage(cert) && X509_sign(cert, key, EVP_get_digestbynid(plan->digest_nid)) > 0;
    if (!is_complete) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot make a throw-away certificate");
    }
    *ret_signer = cert;
    cert = NULL;
    return ERR_OK;
}

static enum err_code encode_cms(CMS_ContentInfo *info, struct buf *ret_der, struct err *err)
{
    unsigned char *der = NULL;
    int len = i2d_CMS_ContentInfo(info, &der);
    if (len < 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode a request");
    }
    enum err_code code = buf_copy(view_of(der, (size_t)len), ret_der, err);
    OPENSSL_free(der);
    return code;
}

static enum err_code seal(const struct phone_request_plan *plan, X509_REQ *req,
                          struct buf *ret_envelope, struct err *err)
{
    const EVP_PKEY *to = X509_get0_pubkey(plan->recipient);
    if (to == NULL || EVP_PKEY_get_base_id(to) != EVP_PKEY_RSA) {
        return err_set(err, ERR_BAD_ALG,
                       "the server's key is not RSA: nothing can be encrypted "
                       "for it");
    }
    unsigned char *der = NULL;
    int len = i2d_X509_REQ(req, &der);
    CLEANUP(cleanup_BIO_free_all) BIO *plain = len > 0 ? BIO_new_mem_buf(der, len) : NULL;
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *recipients = sk_X509_new_null();
    CMS_ContentInfo *envelope = NULL;
    if (plain != NULL && recipients != NULL &&
        X509_add_cert(recipients, plan->recipient, X509_ADD_FLAG_UP_REF) == 1) {
        envelope =
            CMS_encrypt(recipients, plain, EVP_get_cipherbynid(plan->cipher_nid), CMS_BINARY);
    }
    OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
    enum err_code code = envelope != NULL
                             ? encode_cms(envelope, ret_envelope, err)
                             : err_set_openssl(err, ERR_CRYPTO, "cannot encrypt a request");
    CMS_ContentInfo_free(envelope);
    return code;
}

static bool add_attribute(CMS_SignerInfo *info, const char *oid, int type, struct view value)
{
    return CMS_signed_add1_attr_by_txt(info, oid, type, value.data, (int)value.len) == 1;
}

static bool add_attributes(CMS_SignerInfo *info, const struct phone_request *request)
{
    return add_attribute(info, OID_MESSAGE_TYPE, V_ASN1_PRINTABLESTRING,
                         view_of_text(MESSAGE_TYPE_REQ)) &&
           add_attribute(info, OID_TRANSACTION_ID, V_ASN1_PRINTABLESTRING,
                         view_of_text(request->transaction_id)) &&
           add_attribute(info, OID_SENDER_NONCE, V_ASN1_OCTET_STRING,
                         view_of(request->nonce, sizeof request->nonce));
}

static bool add_chain(CMS_ContentInfo *info, const STACK_OF(X509) * chain)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (CMS_add1_cert(info, sk_X509_value(chain, i)) != 1) {
            return false;
        }
    }
    return true;
}

static enum err_code sign(const struct phone_request_plan *plan, struct view envelope,
                          struct phone_request *request, struct err *err)
{
    CLEANUP(cleanup_BIO_free_all)
    BIO *content = BIO_new_mem_buf(envelope.data, (int)envelope.len);
    CLEANUP(cleanup_CMS_ContentInfo_free)
    CMS_ContentInfo *info = CMS_sign(NULL, NULL, NULL, NULL, SIGN_FLAGS);
    CMS_SignerInfo *signer =
        info != NULL ? CMS_add1_signer(info, request->signer, request->signer_key,
                                       EVP_get_digestbynid(plan->digest_nid), SIGN_FLAGS)
                     : NULL;
    if (content == NULL || signer == NULL || !add_attributes(signer, request) ||
        !add_chain(info, plan->mic_chain) || CMS_final(info, content, NULL, SIGN_FLAGS) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot sign a request");
    }
    return encode_cms(info, &request->der, err);
}

static enum err_code take_random(struct phone_request *request, struct err *err)
{
    uint8_t id[(PHONE_ID_LEN - 1) / 2];
    enum err_code code = ossl_random(id, sizeof id, err);
    hex_encode(view_of(id, sizeof id), request->transaction_id);
    return code == ERR_OK ? ossl_random(request->nonce, sizeof request->nonce, err) : code;
}

// By the manufacturer's certificate, or by one made for this message.
static enum err_code take_signer(const struct phone_request_plan *plan, const X509_REQ *req,
                                 struct phone_request *request, struct err *err)
{
    EVP_PKEY *key = plan->mic != NULL ? plan->mic_key : request->key;
    if (EVP_PKEY_up_ref(key) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot share a key");
    }
    request->signer_key = key;
    if (plan->mic == NULL) {
        return make_signer(plan, req, key, &request->signer, err);
    }
    if (X509_up_ref(plan->mic) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot share a certificate");
    }
    request->signer = plan->mic;
    return ERR_OK;
}

static enum err_code build(const struct phone_request_plan *plan, struct phone_request *request,
                           struct err *err)
{
    CLEANUP(buf_done) struct buf envelope = {0};
    CLEANUP(cleanup_X509_REQ_free) X509_REQ *req = NULL;
    enum err_code code = take_random(request, err);
    if (code == ERR_OK) {
        code = make_req(plan, request->key, &req, err);
    }
    if (code == ERR_OK) {
        code = take_signer(plan, req, request, err);
    }
    if (code == ERR_OK) {
        code = seal(plan, req, &envelope, err);
    }
    return code == ERR_OK ? sign(plan, buf_view(&envelope), request, err) : code;
}

enum err_code phone_request_make(const struct phone_request_plan *plan, EVP_PKEY *key,
                                 struct phone_request *ret_request, struct err *err)
{
    struct phone_request request = {.cipher_nid = plan->cipher_nid, .digest_nid = plan->digest_nid};
    ERR_clear_error();
    if (EVP_PKEY_up_ref(key) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot share a key");
    }
    request.key = key;
    enum err_code code = build(plan, &request, err);
    if (code != ERR_OK) {
        phone_request_done(&request);
        return code;
    }
    *ret_request = request;
    return ERR_OK;
}
