// SPDX-License-Identifier: Apache-2.0
// Reads a CertRep the way a client does, and checks what every one of them must have.
#pragma once

#include <string.h>

#include "conf/cms/oids.h"
#include "kit/kit.h"

#define ONLY_ONE  (-3)
#define NONCE_LEN 16

// A CertRep as a client sees it; verified with the certificate of its signer.
struct parsed_certrep {
    CMS_ContentInfo *info;
    CMS_SignerInfo *signer;
};

static inline struct parsed_certrep certrep_parse(const struct buf *der, const X509 *signer)
{
    const unsigned char *end = der->data;
    struct parsed_certrep reply = {.info = d2i_CMS_ContentInfo(NULL, &end, (long)der->len)};
    assert_non_null(reply.info);
    assert_ptr_equal(end, der->data + der->len);
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(reply.info);
    assert_int_equal(sk_CMS_SignerInfo_num(signers), 1);
    reply.signer = sk_CMS_SignerInfo_value(signers, 0);
    // X7: the certificate is in the message, and it is the signer's, by issuer and serial number
    // (M12).
    STACK_OF(X509) *certs = CMS_get1_certs(reply.info);
    assert_int_equal(sk_X509_num(certs), 1);
    assert_int_equal(X509_cmp(sk_X509_value(certs, 0), signer), 0);
    free_cert_stack(certs);
    ASN1_OCTET_STRING *key_id = NULL;
    X509_NAME *issuer = NULL;
    ASN1_INTEGER *serial = NULL;
    assert_int_equal(CMS_SignerInfo_get0_signer_id(reply.signer, &key_id, &issuer, &serial), 1);
    assert_non_null(issuer);
    assert_null(key_id);
    bool is_absent = *CMS_get0_content(reply.info) == NULL;
    BIO *nothing = is_absent ? BIO_new_mem_buf("", 0) : NULL;
    assert_int_equal(
        CMS_verify(reply.info, NULL, NULL, nothing, NULL, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
        1);
    BIO_free(nothing);
    return reply;
}

static inline const void *certrep_attribute(const struct parsed_certrep *reply, const char *oid,
                                            int type)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    const void *value = CMS_signed_get0_data_by_OBJ(reply->signer, object, ONLY_ONE, type);
    ASN1_OBJECT_free(object);
    return value;
}

static inline struct view certrep_printable(const struct parsed_certrep *reply, const char *oid)
{
    return ossl_string_view(certrep_attribute(reply, oid, V_ASN1_PRINTABLESTRING));
}

static inline struct view certrep_octets(const struct parsed_certrep *reply, const char *oid)
{
    return ossl_string_view(certrep_attribute(reply, oid, V_ASN1_OCTET_STRING));
}

// X1, X2, quirk 33: what every answer carries, each once and of the right type.
static inline void certrep_check(const struct parsed_certrep *reply, const char *id,
                                 const char *status, struct view nonce)
{
    assert_true(view_is_text(certrep_printable(reply, OID_MESSAGE_TYPE), "3"));
    assert_true(view_is_text(certrep_printable(reply, OID_PKI_STATUS), status));
    assert_true(view_is_text(certrep_printable(reply, OID_TRANSACTION_ID), id));
    assert_true(view_equal(certrep_octets(reply, OID_RECIPIENT_NONCE), nonce));
    assert_int_equal(certrep_octets(reply, OID_SENDER_NONCE).len, NONCE_LEN);
    assert_non_null(CMS_signed_get0_data_by_OBJ(reply->signer, OBJ_nid2obj(NID_pkcs9_messageDigest),
                                                ONLY_ONE, V_ASN1_OCTET_STRING));
    const ASN1_OBJECT *type = CMS_signed_get0_data_by_OBJ(
        reply->signer, OBJ_nid2obj(NID_pkcs9_contentType), ONLY_ONE, V_ASN1_OBJECT);
    assert_int_equal(OBJ_obj2nid(type), NID_pkcs7_data);
    assert_true(CMS_signed_get_attr_by_NID(reply->signer, NID_pkcs9_signingTime, -1) >= 0);
    assert_int_equal(CMS_signed_get_attr_by_NID(reply->signer, NID_SMIMECapabilities, -1), -1);
}

// Quirk 20: rsaEncryption, and the digest of the request.
static inline void certrep_check_algorithms(const struct parsed_certrep *reply, int digest_nid)
{
    X509_ALGOR *digest = NULL;
    X509_ALGOR *signature = NULL;
    CMS_SignerInfo_get0_algs(reply->signer, NULL, NULL, &digest, &signature);
    assert_int_equal(OBJ_obj2nid(digest->algorithm), digest_nid);
    assert_int_equal(OBJ_obj2nid(signature->algorithm), NID_rsaEncryption);
}

// DER has one length form; every header of a definite one is as short as can be.
static inline void assert_der(struct view der)
{
    const unsigned char *at = der.data;
    while (at < der.data + der.len) {
        const unsigned char *start = at;
        long len = 0;
        int tag = 0;
        int tag_class = 0;
        int flags =
            ASN1_get_object(&at, &len, &tag, &tag_class, (long)(der.data + der.len - start));
        assert_int_equal(flags & 0x80, 0);
        assert_int_equal(flags & 1, 0); // not indefinite
        assert_int_equal(ASN1_object_size((flags & V_ASN1_CONSTRUCTED) != 0, (int)len, tag),
                         (at - start) + len);
        if ((flags & V_ASN1_CONSTRUCTED) != 0) {
            assert_der(view_of(at, (size_t)len));
        }
        at += len;
    }
}
