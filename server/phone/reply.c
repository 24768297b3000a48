// SPDX-License-Identifier: Apache-2.0
#include "server/phone/reply.h"

#include <openssl/err.h>
#include <openssl/provider.h>

#include "conf/cms/oids.h"
#include "conf/cms/unwrap.h"
#include "conf/limits.h"
#include "server/phone/authority.h"

#define MESSAGE_TYPE_CERT_REP "3"  // RFC 8894, 3.2.1.2
#define ONLY_ONE              (-3) // of CMS_signed_get0_data_by_OBJ: NULL for repeated attributes

// A message on the way to a reply.
struct reading {
    const struct phone_request *request;
    CMS_ContentInfo *outer;
    CMS_SignerInfo *info; // inside `outer`
    struct phone_reply *reply;
    struct err *err;
};

void phone_reply_done(struct phone_reply *reply)
{
    buf_done(&reply->fail_info_text);
    free_cert_stack(reply->certs);
    *reply = (struct phone_reply){0};
}

static enum err_code open_outer(struct reading *reading, struct view octets)
{
    const unsigned char *end = octets.data;
    reading->outer = octets.len > 0 ? d2i_CMS_ContentInfo(NULL, &end, (long)octets.len) : NULL;
    if (reading->outer == NULL || OBJ_obj2nid(CMS_get0_type(reading->outer)) != NID_pkcs7_signed) {
        return err_set_openssl(reading->err, ERR_SYNTAX, "%zu octets that are no CMS SignedData",
                               octets.len);
    }
    if (end != octets.data + octets.len) {
        return err_set(reading->err, ERR_SYNTAX, "octets after the end of the SignedData");
    }
    STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(reading->outer);
    int count = infos != NULL ? sk_CMS_SignerInfo_num(infos) : 0;
    if (count != 1) {
        return err_set(reading->err, ERR_SYNTAX, "%d signatures; expected one", count);
    }
    reading->info = sk_CMS_SignerInfo_value(infos, 0);
    return ERR_OK;
}

static X509 *find_signer(const struct reading *reading, STACK_OF(X509) * certs)
{
    for (int i = 0; i < sk_X509_num(certs); i++) {
        if (CMS_SignerInfo_cert_cmp(reading->info, sk_X509_value(certs, i)) == 0) {
            return sk_X509_value(certs, i);
        }
    }
    return NULL;
}

// Only certificates that the caller trusts count, none that came with the message.
static enum err_code check_signature(struct reading *reading, STACK_OF(X509) * certs)
{
    const unsigned flags = CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY;
    ASN1_OCTET_STRING **content = CMS_get0_content(reading->outer);
    bool is_absent = content == NULL || *content == NULL;
    CLEANUP(cleanup_BIO_free_all) BIO *nothing = BIO_new_mem_buf("", 0);
    reading->reply->signer = find_signer(reading, certs);
    if (reading->reply->signer == NULL) {
        return err_set(reading->err, ERR_BAD_MESSAGE_CHECK,
                       "signed by a certificate that GetCACert does not have");
    }
    if (nothing == NULL) {
        return err_set_openssl(reading->err, ERR_NOMEM, "no memory to verify an answer");
    }
    if (CMS_verify(reading->outer, certs, NULL, is_absent ? nothing : NULL, NULL, flags) != 1) {
        return err_set_openssl(reading->err, ERR_BAD_MESSAGE_CHECK, "its signature is wrong");
    }
    return ERR_OK;
}

// The value of an attribute that is there once, with one value of this type; else empty.
static struct view attribute(const struct reading *reading, const char *oid, int type)
{
    CLEANUP(cleanup_ASN1_OBJECT_free) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    return object != NULL ? ossl_string_view(
                                CMS_signed_get0_data_by_OBJ(reading->info, object, ONLY_ONE, type))
                          : VIEW_EMPTY;
}

static struct view printable(const struct reading *reading, const char *oid)
{
    return attribute(reading, oid, V_ASN1_PRINTABLESTRING);
}

static void note_rules(struct reading *reading)
{
    const struct phone_request *request = reading->request;
    struct phone_reply *reply = reading->reply;
    X509_ALGOR *digest = NULL;
    CMS_SignerInfo_get0_algs(reading->info, NULL, NULL, &digest, NULL);
    reply->digest_nid = OBJ_obj2nid(digest->algorithm);
    reply->is_message_type_right =
        view_is_text(printable(reading, OID_MESSAGE_TYPE), MESSAGE_TYPE_CERT_REP);
    reply->is_transaction_ours =
        view_is_text(printable(reading, OID_TRANSACTION_ID), request->transaction_id);
    reply->is_nonce_echoed =
        view_equal(attribute(reading, OID_RECIPIENT_NONCE, V_ASN1_OCTET_STRING),
                   view_of(request->nonce, sizeof request->nonce));
    reply->has_sender_nonce =
        attribute(reading, OID_SENDER_NONCE, V_ASN1_OCTET_STRING).len == PHONE_NONCE_LEN;
}

// The one decimal digit of an attribute, or -1.
static int digit_of(struct view value)
{
    return value.len == 1 && value.data[0] >= '0' && value.data[0] <= '9' ? value.data[0] - '0'
                                                                          : -1;
}

static enum err_code read_failure(struct reading *reading)
{
    int fail_info = digit_of(printable(reading, OID_FAIL_INFO));
    struct view text = attribute(reading, OID_FAIL_INFO_TEXT, V_ASN1_UTF8STRING);
    reading->reply->fail_info =
        fail_info >= 0 && fail_info <= FAIL_INFO_BAD_CERT_ID ? fail_info : PHONE_NO_FAIL_INFO;
    if (text.len == 0) {
        return ERR_OK;
    }
    return buf_copy(text, &reading->reply->fail_info_text, reading->err);
}

// The PKCS#7 templates show the cipher, which the CMS API does not.
static int cipher_of(struct view envelope)
{
    const unsigned char *end = envelope.data;
    PKCS7 *parsed = d2i_PKCS7(NULL, &end, (long)envelope.len);
    int nid = parsed != NULL && PKCS7_type_is_enveloped(parsed)
                  ? OBJ_obj2nid(parsed->d.enveloped->enc_data->algorithm->algorithm)
                  : NID_undef;
    PKCS7_free(parsed);
    ERR_clear_error();
    return nid;
}

static bool is_for(CMS_ContentInfo *envelope, X509 *cert)
{
    STACK_OF(CMS_RecipientInfo) *infos = CMS_get0_RecipientInfos(envelope);
    for (int i = 0; i < sk_CMS_RecipientInfo_num(infos); i++) {
        CMS_RecipientInfo *info = sk_CMS_RecipientInfo_value(infos, i);
        if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_TRANS &&
            CMS_RecipientInfo_ktri_cert_cmp(info, cert) == 0) {
            return true;
        }
    }
    return false;
}

static enum err_code parse_envelope(struct reading *reading, struct view octets,
                                    CMS_ContentInfo **ret_envelope)
{
    const unsigned char *end = octets.data;
    CLEANUP(cleanup_CMS_ContentInfo_free)
    CMS_ContentInfo *envelope =
        octets.len > 0 ? d2i_CMS_ContentInfo(NULL, &end, (long)octets.len) : NULL;
    if (envelope == NULL || end != octets.data + octets.len ||
        OBJ_obj2nid(CMS_get0_type(envelope)) != NID_pkcs7_enveloped) {
        return err_set_openssl(reading->err, ERR_SYNTAX,
                               "SUCCESS without exactly one EnvelopedData in it");
    }
    if (!is_for(envelope, reading->request->signer)) {
        return err_set(reading->err, ERR_BAD_REQUEST,
                       "SUCCESS is not encrypted for the certificate that signed the request");
    }
    *ret_envelope = envelope;
    envelope = NULL;
    return ERR_OK;
}

// Some servers answer in single DES whatever they were asked with; OpenSSL has that apart.
static OSSL_PROVIDER *provider_for(int cipher_nid)
{
    return cipher_nid == NID_des_cbc ? OSSL_PROVIDER_try_load(NULL, "legacy", 1) : NULL;
}

static enum err_code read_success(struct reading *reading)
{
    CLEANUP(cleanup_CMS_ContentInfo_free) CMS_ContentInfo *envelope = NULL;
    CLEANUP(buf_done) struct buf plain = {0};
    const struct phone_request *request = reading->request;
    struct phone_reply *reply = reading->reply;
    ASN1_OCTET_STRING **content = CMS_get0_content(reading->outer);
    struct view octets = content != NULL ? ossl_string_view(*content) : VIEW_EMPTY;
    enum err_code code = parse_envelope(reading, octets, &envelope);
    if (code != ERR_OK) {
        return code;
    }
    reply->cipher_nid = cipher_of(octets);
    OSSL_PROVIDER *provider = provider_for(reply->cipher_nid);
    code = unwrap_envelope(envelope, request->signer, request->signer_key, &plain, reading->err);
    if (provider != NULL) {
        OSSL_PROVIDER_unload(provider);
    }
    if (code != ERR_OK) {
        return err_prefix(reading->err, "encrypted with %s", OBJ_nid2sn(reply->cipher_nid));
    }
    reply->certs = sk_X509_new_null();
    if (reply->certs == NULL) {
        return err_set(reading->err, ERR_NOMEM, "no memory for certificates");
    }
    code = phone_certs_read(buf_view(&plain), reply->certs, reading->err);
    return code == ERR_OK ? ERR_OK : err_prefix(reading->err, "the envelope holds");
}

static enum err_code read_status(struct reading *reading)
{
    struct phone_reply *reply = reading->reply;
    int status = digit_of(printable(reading, OID_PKI_STATUS));
    switch (status) {
    case CERTREP_SUCCESS:
        reply->status = CERTREP_SUCCESS;
        return read_success(reading);
    case CERTREP_FAILURE:
        reply->status = CERTREP_FAILURE;
        return read_failure(reading);
    case CERTREP_PENDING:
        reply->status = CERTREP_PENDING;
        return ERR_OK;
    default:
        return err_set(reading->err, ERR_SYNTAX, "its pkiStatus is not 0, 2 or 3");
    }
}

enum err_code phone_reply_read(struct view octets, const struct phone_request *request,
                               STACK_OF(X509) * certs, struct phone_reply *ret_reply,
                               struct err *err)
{
    struct phone_reply reply = {.fail_info = PHONE_NO_FAIL_INFO};
    struct reading reading = {.request = request, .reply = &reply, .err = err};
    ERR_clear_error();
    enum err_code code = open_outer(&reading, octets);
    if (code == ERR_OK) {
        code = check_signature(&reading, certs);
    }
    if (code == ERR_OK) {
        note_rules(&reading);
        code = read_status(&reading);
    }
    CMS_ContentInfo_free(reading.outer);
    if (code != ERR_OK) {
        phone_reply_done(&reply);
        return code;
    }
    *ret_reply = reply;
    return ERR_OK;
}
