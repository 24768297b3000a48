// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/next_ca.h"

#include <openssl/objects.h>

#include "tests/phone/degenerate.h"
#include "tests/phone/request.h"

static enum outcome distrust(struct trouble *trouble, const char *rule)
{
    return trouble_openssl(trouble, OUTCOME_UNTRUSTED, "GetNextCACert: %s", rule);
}

// By the present CA's key, over data; *ret_content gets that.
static enum outcome check_signature(PKCS7 *message, X509 *ca, struct octets *ret_content,
                                    struct trouble *trouble)
{
    STACK_OF(X509) *ca_only = sk_X509_new_null();
    CLEANUP(cleanup_BIO_free_all) BIO *content = BIO_new(BIO_s_mem());
    require(ca_only != NULL && content != NULL && sk_X509_push(ca_only, ca) > 0, "getting memory");
    int is_valid = PKCS7_verify(message, ca_only, NULL, NULL, content,
                                PKCS7_NOVERIFY | PKCS7_NOINTERN | PKCS7_BINARY);
    sk_X509_free(ca_only);
    if (is_valid != 1) {
        return distrust(trouble, "not signed by the present CA");
    }
    char *data = NULL;
    long len = BIO_get_mem_data(content, &data);
    *ret_content = octets_copy(data, (size_t)len);
    return OUTCOME_OK;
}

// The same once more with the reader that other clients have.
static enum outcome check_cms(const struct octets *der, X509 *ca, struct trouble *trouble)
{
    const unsigned char *at = der->data;
    STACK_OF(X509) *ca_only = sk_X509_new_null();
    require(ca_only != NULL && sk_X509_push(ca_only, ca) > 0, "getting memory");
    CLEANUP(cleanup_CMS_ContentInfo_free)
    CMS_ContentInfo *message = d2i_CMS_ContentInfo(NULL, &at, (long)der->len);
    bool is_data = message != NULL && OBJ_obj2nid(CMS_get0_eContentType(message)) == NID_pkcs7_data;
    bool is_valid =
        is_data && CMS_verify(message, ca_only, NULL, NULL, NULL,
                              CMS_NO_SIGNER_CERT_VERIFY | CMS_NOINTERN | CMS_BINARY) == 1;
    sk_X509_free(ca_only);
    return is_valid ? OUTCOME_OK : distrust(trouble, "a CMS reader does not take it");
}

// Not a SCEP message: it has none of their attributes.
static enum outcome check_attributes(const PKCS7_SIGNER_INFO *info, struct trouble *trouble)
{
    for (int i = 0; i < sk_X509_ATTRIBUTE_num(info->auth_attr); i++) {
        const X509_ATTRIBUTE *attribute = sk_X509_ATTRIBUTE_value(info->auth_attr, i);
        int nid = OBJ_obj2nid(X509_ATTRIBUTE_get0_object((X509_ATTRIBUTE *)attribute));
        for (int known = 0; known < SCEP_ATTRIBUTE_COUNT; known++) {
            if (nid == scep_nid((enum scep_attribute)known)) {
                return distrust(trouble, "has an attribute of a SCEP message");
            }
        }
    }
    return OUTCOME_OK;
}

// The certificates among themselves: the one to encrypt to chains up to the pinned root or to one
// of them that is a root itself.
static enum outcome check_certs(STACK_OF(X509) * certs, const struct authority *authority,
                                struct trouble *trouble)
{
    X509 *ra = authority_choose_ra(certs);
    if (ra == NULL) {
        return distrust(trouble, "no certificate has digitalSignature + keyEncipherment");
    }
    struct authority next = *authority; // borrowed all of it
    next.certs = certs;
    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *cert = sk_X509_value(certs, i);
        if (X509_self_signed(cert, 1) == 1) {
            next.other_root = cert;
        }
    }
    for (int i = 0; i < sk_X509_num(certs); i++) {
        enum outcome outcome = authority_check_chain(&next, sk_X509_value(certs, i), trouble);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    for (int i = 0; i < sk_X509_num(authority->certs); i++) {
        if (X509_cmp(sk_X509_value(authority->certs, i), ra) == 0) {
            return distrust(trouble, "the RA in it is the present one");
        }
    }
    return OUTCOME_OK;
}

static enum outcome take_certs(const struct octets *content, const struct authority *authority,
                               STACK_OF(X509) * *ret_certs, struct trouble *trouble)
{
    CLEANUP(cleanup_PKCS7_free) PKCS7 *bundle = NULL;
    enum outcome outcome = certs_only_parse(content, &bundle, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = check_certs(bundle->d.sign->cert, authority, trouble);
    }
    if (outcome == OUTCOME_OK) {
        *ret_certs = X509_chain_up_ref(bundle->d.sign->cert);
        require(*ret_certs != NULL, "sharing certificates");
    }
    return outcome;
}

enum outcome next_ca_parse(const struct octets *der, const struct authority *authority,
                           STACK_OF(X509) * *ret_certs, struct trouble *trouble)
{
    CLEANUP(cleanup_PKCS7_free) PKCS7 *message = pkcs7_parse_exact(der, NID_pkcs7_signed);
    if (message == NULL || sk_PKCS7_SIGNER_INFO_num(message->d.sign->signer_info) != 1 ||
        !PKCS7_type_is_data(message->d.sign->contents) ||
        message->d.sign->contents->d.data == NULL) {
        return distrust(trouble, "not one SignedData over data with one signer");
    }
    CLEANUP(octets_done) struct octets content = {0};
    enum outcome outcome = check_signature(message, authority->issuing, &content, trouble);
    if (outcome == OUTCOME_OK) {
        outcome = check_cms(der, authority->issuing, trouble);
    }
    if (outcome == OUTCOME_OK) {
        outcome =
            check_attributes(sk_PKCS7_SIGNER_INFO_value(message->d.sign->signer_info, 0), trouble);
    }
    return outcome == OUTCOME_OK ? take_certs(&content, authority, ret_certs, trouble) : outcome;
}
