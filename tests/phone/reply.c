// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

const char *fail_info_name(int fail_info)
{
    static const char *const names[FAIL_INFO_MAX + 1] = {"badAlg", "badMessageCheck", "badRequest",
                                                         "badTime", "badCertId"};
    return fail_info >= 0 && fail_info <= FAIL_INFO_MAX ? names[fail_info] : "unknown";
}

static enum outcome distrust(struct trouble *trouble, const char *rule)
{
    trouble_openssl(trouble, OUTCOME_UNTRUSTED, "%s", rule);
    return OUTCOME_UNTRUSTED;
}

static enum outcome check_http(const struct http_answer *answer, const struct reply_rules *rules,
                               struct trouble *trouble)
{
    enum outcome outcome = http_check_ok(answer, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (strcmp(answer->type, "application/x-pki-message") != 0) {
        return trouble_set(trouble, OUTCOME_UNTRUSTED, "answer: wrong type \"%s\"", answer->type);
    }
    if (!answer->has_length && !rules->is_legacy) {
        return distrust(trouble, "answer: no Content-Length");
    }
    return OUTCOME_OK;
}

// The signature is the RA's, over the content as it came; *ret_content gets that content.
static enum outcome check_signature(PKCS7 *message, const struct authority *authority,
                                    struct octets *ret_content, struct trouble *trouble)
{
    STACK_OF(X509) *ra_only = sk_X509_new_null();
    CLEANUP(cleanup_BIO_free_all) BIO *content = BIO_new(BIO_s_mem());
    CLEANUP(cleanup_BIO_free_all) BIO *nothing = BIO_new_mem_buf("", 0);
    require(ra_only != NULL && content != NULL && nothing != NULL &&
                sk_X509_push(ra_only, authority->ra) > 0,
            "getting memory");
    bool has_content = message->d.sign->contents->d.ptr != NULL;
    int is_valid = PKCS7_verify(message, ra_only, NULL, has_content ? NULL : nothing, content,
                                PKCS7_NOVERIFY | PKCS7_NOINTERN | PKCS7_BINARY);
    sk_X509_free(ra_only);
    if (is_valid != 1) {
        return distrust(trouble, "answer: not signed by the RA certificate of GetCACert");
    }
    char *data = NULL;
    long len = BIO_get_mem_data(content, &data);
    *ret_content = octets_copy(data, (size_t)len);
    return OUTCOME_OK;
}

static bool is_enclosed(const PKCS7 *message, const X509 *cert)
{
    const STACK_OF(X509) *certs = message->d.sign->cert;
    for (int i = 0; i < sk_X509_num(certs); i++) {
        if (X509_cmp(sk_X509_value(certs, i), cert) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_value(const ASN1_STRING *value, const struct octets *expected)
{
    return value != NULL && (size_t)ASN1_STRING_length(value) == expected->len &&
           memcmp(ASN1_STRING_get0_data(value), expected->data, expected->len) == 0;
}

static const ASN1_STRING *printable(const PKCS7_SIGNER_INFO *info, enum scep_attribute attribute)
{
    return attribute_value(info, scep_nid(attribute), V_ASN1_PRINTABLESTRING);
}

static const ASN1_STRING *nonce(const PKCS7_SIGNER_INFO *info, enum scep_attribute attribute)
{
    return attribute_value(info, scep_nid(attribute), V_ASN1_OCTET_STRING);
}

static enum outcome check_attributes(const PKCS7_SIGNER_INFO *info, const struct request *request,
                                     struct trouble *trouble)
{
    const struct octets type = {.data = (unsigned char *)MESSAGE_TYPE_REP,
                                .len = strlen(MESSAGE_TYPE_REP)};
    if (attribute_value(info, NID_pkcs9_contentType, V_ASN1_OBJECT) == NULL) {
        return distrust(trouble, "answer: no contentType attribute");
    }
    if (!is_value(printable(info, SCEP_MESSAGE_TYPE), &type)) {
        return distrust(trouble, "answer: messageType is not 3");
    }
    if (!is_value(printable(info, SCEP_TRANSACTION_ID), &request->transaction_id)) {
        return distrust(trouble, "answer: transactionID is not the request's");
    }
    if (!is_value(nonce(info, SCEP_RECIPIENT_NONCE), &request->nonce)) {
        return distrust(trouble, "answer: recipientNonce is not the request's senderNonce");
    }
    const ASN1_STRING *own = nonce(info, SCEP_SENDER_NONCE);
    if (own == NULL || ASN1_STRING_length(own) != NONCE_LEN) {
        return distrust(trouble, "answer: no senderNonce of 16 octets");
    }
    return OUTCOME_OK;
}

// The one decimal digit in an attribute, or -1.
static int digit_of(const ASN1_STRING *value)
{
    if (value == NULL || ASN1_STRING_length(value) != 1) {
        return -1;
    }
    int digit = ASN1_STRING_get0_data(value)[0] - '0';
    return digit >= 0 && digit <= 9 ? digit : -1;
}

// `is_bare` = there is no content, as it must be.
static enum outcome read_failure(const PKCS7_SIGNER_INFO *info, bool is_bare, struct reply *reply,
                                 struct trouble *trouble)
{
    reply->fail_info = digit_of(printable(info, SCEP_FAIL_INFO));
    if (reply->fail_info < 0 || reply->fail_info > FAIL_INFO_MAX) {
        return distrust(trouble, "FAILURE without a failInfo of 0 to 4");
    }
    if (!is_bare) {
        return distrust(trouble, "FAILURE with a content");
    }
    const ASN1_STRING *text =
        attribute_value(info, scep_nid(SCEP_FAIL_INFO_TEXT), V_ASN1_UTF8STRING);
    if (text != NULL) {
        snprintf(reply->fail_info_text, sizeof reply->fail_info_text, "%.*s",
                 ASN1_STRING_length(text), (const char *)ASN1_STRING_get0_data(text));
    }
    return OUTCOME_OK;
}

static enum outcome check_recipient(const PKCS7 *envelope, const struct reply_rules *rules,
                                    struct trouble *trouble)
{
    const PKCS7_ENVELOPE *body = envelope->d.enveloped;
    if (sk_PKCS7_RECIP_INFO_num(body->recipientinfo) != 1) {
        return distrust(trouble, "SUCCESS: not encrypted to exactly one recipient");
    }
    const PKCS7_ISSUER_AND_SERIAL *named =
        sk_PKCS7_RECIP_INFO_value(body->recipientinfo, 0)->issuer_and_serial;
    if (X509_NAME_cmp(named->issuer, X509_get_issuer_name(rules->request->signer)) != 0 ||
        ASN1_INTEGER_cmp(named->serial, X509_get0_serialNumber(rules->request->signer)) != 0) {
        return distrust(trouble, "SUCCESS: not encrypted to the request's signer certificate");
    }
    if (!rules->is_legacy &&
        OBJ_obj2nid(body->enc_data->algorithm->algorithm) != rules->request->cipher_nid) {
        return distrust(trouble, "SUCCESS: not the request's cipher");
    }
    return OUTCOME_OK;
}

static enum outcome decrypt(const struct octets *content, const struct reply_rules *rules,
                            struct octets *ret_plain, struct trouble *trouble)
{
    CLEANUP(cleanup_PKCS7_free) PKCS7 *envelope = pkcs7_parse_exact(content, NID_pkcs7_enveloped);
    if (envelope == NULL) {
        return distrust(trouble, "SUCCESS: content is not one EnvelopedData");
    }
    enum outcome outcome = check_recipient(envelope, rules, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    CLEANUP(cleanup_BIO_free_all) BIO *plain = BIO_new(BIO_s_mem());
    require(plain != NULL, "getting memory");
    if (PKCS7_decrypt(envelope, rules->request->key, rules->request->signer, plain, 0) != 1) {
        return distrust(trouble, "SUCCESS: cannot be decrypted");
    }
    char *data = NULL;
    long len = BIO_get_mem_data(plain, &data);
    *ret_plain = octets_copy(data, (size_t)len);
    return OUTCOME_OK;
}

// Phones take the first certificate as their own.
static enum outcome check_own(X509 *cert, const struct reply_rules *rules, struct trouble *trouble)
{
    if (EVP_PKEY_eq(X509_get0_pubkey(cert), rules->request->cert_key) != 1) {
        return distrust(trouble, "SUCCESS: the first certificate is not for this phone's key");
    }
    return authority_check_chain(rules->authority, cert, trouble);
}

// It may be expired or revoked, so only its issuer's signature counts.
static enum outcome check_named(X509 *cert, const struct reply_rules *rules,
                                struct trouble *trouble)
{
    if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(rules->issuer)) != 0 ||
        ASN1_INTEGER_cmp(X509_get0_serialNumber(cert), rules->serial) != 0) {
        return distrust(trouble, "SUCCESS: not the certificate that was asked for");
    }
    if (X509_verify(cert, X509_get0_pubkey(rules->issuer)) != 1) {
        return distrust(trouble, "SUCCESS: the certificate is not signed by its issuer");
    }
    return OUTCOME_OK;
}

static enum outcome read_cert(const struct octets *plain, const struct reply_rules *rules,
                              struct reply *reply, struct trouble *trouble)
{
    CLEANUP(cleanup_PKCS7_free) PKCS7 *certs = NULL;
    enum outcome outcome = certs_only_parse(plain, &certs, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    X509 *cert = sk_X509_value(certs->d.sign->cert, 0);
    outcome = rules->wanted == WANTED_CERT ? check_named(cert, rules, trouble)
                                           : check_own(cert, rules, trouble);
    if (outcome == OUTCOME_OK) {
        require(X509_up_ref(cert) == 1, "sharing a certificate");
        reply->cert = cert;
    }
    return outcome;
}

// RFC 5280, 5: version 2, CRLNumber and AuthorityKeyIdentifier are there, it is in force.
static enum outcome check_crl(X509_CRL *crl, const struct reply_rules *rules,
                              struct trouble *trouble)
{
    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(rules->issuer)) != 0 ||
        X509_CRL_verify(crl, X509_get0_pubkey(rules->issuer)) != 1) {
        return distrust(trouble, "SUCCESS: the CRL is not signed by the CA that was asked about");
    }
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
    if (next == NULL || X509_cmp_current_time(X509_CRL_get0_lastUpdate(crl)) >= 0 ||
        X509_cmp_current_time(next) <= 0) {
        return distrust(trouble, "SUCCESS: the CRL is not in force now");
    }
    if (X509_CRL_get_version(crl) != X509_CRL_VERSION_2 ||
        X509_CRL_get_ext_by_NID(crl, NID_crl_number, -1) < 0 ||
        X509_CRL_get_ext_by_NID(crl, NID_authority_key_identifier, -1) < 0) {
        return distrust(trouble, "SUCCESS: the CRL lacks version 2, its number or key identifier");
    }
    return OUTCOME_OK;
}

static enum outcome read_crl(const struct octets *plain, const struct reply_rules *rules,
                             struct reply *reply, struct trouble *trouble)
{
    CLEANUP(cleanup_X509_CRL_free) X509_CRL *crl = NULL;
    enum outcome outcome = crl_only_parse(plain, &crl, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = check_crl(crl, rules, trouble);
    }
    if (outcome == OUTCOME_OK) {
        reply->crl = crl;
        crl = NULL;
    }
    return outcome;
}

static enum outcome read_success(const struct octets *content, const struct reply_rules *rules,
                                 struct reply *reply, struct trouble *trouble)
{
    CLEANUP(octets_done) struct octets plain = {0};
    enum outcome outcome = decrypt(content, rules, &plain, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    return rules->wanted == WANTED_CRL ? read_crl(&plain, rules, reply, trouble)
                                       : read_cert(&plain, rules, reply, trouble);
}

static enum outcome read_status(const PKCS7 *message, const struct octets *content,
                                const struct reply_rules *rules, struct reply *reply,
                                struct trouble *trouble)
{
    const PKCS7_SIGNER_INFO *info = sk_PKCS7_SIGNER_INFO_value(message->d.sign->signer_info, 0);
    bool has_content = message->d.sign->contents->d.ptr != NULL;
    switch (digit_of(printable(info, SCEP_PKI_STATUS))) {
    case PKI_STATUS_SUCCESS:
        reply->status = PKI_STATUS_SUCCESS;
        return read_success(content, rules, reply, trouble);
    case PKI_STATUS_FAILURE:
        reply->status = PKI_STATUS_FAILURE;
        return read_failure(info, !has_content || rules->is_legacy, reply, trouble);
    case PKI_STATUS_PENDING:
        reply->status = PKI_STATUS_PENDING;
        return has_content ? distrust(trouble, "PENDING with a content") : OUTCOME_OK;
    default:
        return distrust(trouble, "answer: pkiStatus is not 0, 2 or 3");
    }
}

enum outcome reply_read(const struct http_answer *answer, const struct reply_rules *rules,
                        struct reply *ret_reply, struct trouble *trouble)
{
    enum outcome outcome = check_http(answer, rules, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    CLEANUP(cleanup_PKCS7_free) PKCS7 *message = pkcs7_parse_exact(&answer->body, NID_pkcs7_signed);
    if (message == NULL || sk_PKCS7_SIGNER_INFO_num(message->d.sign->signer_info) != 1 ||
        !PKCS7_type_is_data(message->d.sign->contents)) {
        return distrust(trouble, "answer: not one SignedData over data with one signer");
    }
    CLEANUP(octets_done) struct octets content = {0};
    outcome = check_signature(message, rules->authority, &content, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const PKCS7_SIGNER_INFO *info = sk_PKCS7_SIGNER_INFO_value(message->d.sign->signer_info, 0);
    if (!rules->is_legacy && !is_enclosed(message, rules->authority->ra)) {
        return distrust(trouble, "answer: the RA certificate is not enclosed");
    }
    outcome = check_attributes(info, rules->request, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct reply reply = {0};
    outcome = read_status(message, &content, rules, &reply, trouble);
    // A refused digest is the one thing that cannot be mirrored.
    bool is_mirrored = OBJ_obj2nid(info->digest_alg->algorithm) == rules->request->digest_nid;
    if (outcome == OUTCOME_OK && !is_mirrored && !rules->is_legacy &&
        reply.status == PKI_STATUS_SUCCESS) {
        outcome = distrust(trouble, "SUCCESS: not the request's digest");
    }
    if (outcome != OUTCOME_OK) {
        reply_done(&reply);
        return outcome;
    }
    *ret_reply = reply;
    return OUTCOME_OK;
}

void reply_done(struct reply *reply)
{
    X509_free(reply->cert);
    X509_CRL_free(reply->crl);
    reply->cert = NULL;
    reply->crl = NULL;
}
