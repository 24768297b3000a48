// SPDX-License-Identifier: Apache-2.0
// Not by the CMS API, which sorts certificates, nor by the PKCS#7 API, which wants each certificate
// parsed: decoding its key takes as long as half a signature.
#include "conf/cms/certs_only.h"

#include <limits.h>

#include <openssl/asn1t.h>

#define SIGNED_DATA_VERSION 1 // RFC 5652, 5.1: X.509 certificates and CRLs only, content id-data

// RFC 5652, 5.2: EncapsulatedContentInfo without its eContent.
struct omitted_content {
    ASN1_OBJECT *type;
};

// RFC 5652, 5.1: SignedData.
struct signed_data {
    ASN1_INTEGER *version;
    STACK_OF(ASN1_TYPE) * digest_algorithms;
    struct omitted_content *content;
    STACK_OF(ASN1_TYPE) * certificates; // NULL = absent
    STACK_OF(ASN1_TYPE) * crls;         // NULL = absent
    STACK_OF(ASN1_TYPE) * signer_infos;
};

// RFC 5652, 3: ContentInfo.
struct content_info {
    ASN1_OBJECT *type;
    struct signed_data *content;
};

// clang-format off
ASN1_SEQUENCE(OMITTED_CONTENT) = {
    ASN1_SIMPLE(struct omitted_content, type, ASN1_OBJECT),
} static_ASN1_SEQUENCE_END_name(struct omitted_content, OMITTED_CONTENT)

ASN1_SEQUENCE(SIGNED_DATA) = {
    ASN1_SIMPLE(struct signed_data, version, ASN1_INTEGER),
    ASN1_SET_OF(struct signed_data, digest_algorithms, ASN1_ANY),
    ASN1_SIMPLE(struct signed_data, content, OMITTED_CONTENT),
    ASN1_IMP_SEQUENCE_OF_OPT(struct signed_data, certificates, ASN1_ANY, 0),
    ASN1_IMP_SEQUENCE_OF_OPT(struct signed_data, crls, ASN1_ANY, 1),
    ASN1_SET_OF(struct signed_data, signer_infos, ASN1_ANY),
} static_ASN1_SEQUENCE_END_name(struct signed_data, SIGNED_DATA)

ASN1_SEQUENCE(CONTENT_INFO) = {
    ASN1_SIMPLE(struct content_info, type, ASN1_OBJECT),
    ASN1_EXP(struct content_info, content, SIGNED_DATA, 0),
} static_ASN1_SEQUENCE_END_name(struct content_info, CONTENT_INFO)
    // clang-format on

    static void free_types(STACK_OF(ASN1_TYPE) * types)
{
    sk_ASN1_TYPE_pop_free(types, ASN1_TYPE_free);
}
DEFINE_CLEANUP(STACK_OF(ASN1_TYPE) *, free_types);
DEFINE_CLEANUP(ASN1_INTEGER *, ASN1_INTEGER_free);
DEFINE_CLEANUP(ASN1_STRING *, ASN1_STRING_free);
DEFINE_CLEANUP(ASN1_TYPE *, ASN1_TYPE_free);

// An ANY whose encoding is `der` as it stands.
static bool push_encoded(STACK_OF(ASN1_TYPE) * types, struct view der)
{
    CLEANUP(cleanup_ASN1_TYPE_free) ASN1_TYPE *any = ASN1_TYPE_new();
    CLEANUP(cleanup_ASN1_STRING_free) ASN1_STRING *octets = ASN1_STRING_new();
    if (any == NULL || octets == NULL || der.len > INT_MAX ||
        ASN1_STRING_set(octets, der.data, (int)der.len) != 1) {
        return false;
    }
    ASN1_TYPE_set(any, V_ASN1_SEQUENCE, octets);
    octets = NULL;
    if (sk_ASN1_TYPE_push(types, any) <= 0) {
        return false;
    }
    any = NULL;
    return true;
}

static enum err_code encode(const struct signed_data *signed_data, struct buf *ret_der,
                            struct err *err)
{
    struct content_info info = {
        .type = OBJ_nid2obj(NID_pkcs7_signed),
        .content = (struct signed_data *)signed_data,
    };
    unsigned char *der = NULL;
    int len = ASN1_item_i2d((const ASN1_VALUE *)&info, &der, ASN1_ITEM_rptr(CONTENT_INFO));
    if (len < 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode a bundle of certificates");
    }
    enum err_code code = buf_copy(view_of(der, (size_t)len), ret_der, err);
    OPENSSL_free(der);
    return code;
}

// Puts the frame of a degenerate SignedData around lists, of which either may be NULL.
static enum err_code wrap(STACK_OF(ASN1_TYPE) * certificates, STACK_OF(ASN1_TYPE) * crls,
                          struct buf *ret_der, struct err *err)
{
    CLEANUP(cleanup_ASN1_INTEGER_free) ASN1_INTEGER *version = ASN1_INTEGER_new();
    CLEANUP(cleanup_free_types) STACK_OF(ASN1_TYPE) *none = sk_ASN1_TYPE_new_null();
    if (version == NULL || none == NULL || ASN1_INTEGER_set(version, SIGNED_DATA_VERSION) != 1) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for a bundle of certificates");
    }
    struct omitted_content content = {.type = OBJ_nid2obj(NID_pkcs7_data)};
    struct signed_data signed_data = {
        .version = version,
        .digest_algorithms = none,
        .content = &content,
        .certificates = certificates,
        .crls = crls,
        .signer_infos = none,
    };
    return encode(&signed_data, ret_der, err);
}

static enum err_code list_encoded(const struct view *items, size_t count,
                                  STACK_OF(ASN1_TYPE) * *ret_list, struct err *err)
{
    CLEANUP(cleanup_free_types) STACK_OF(ASN1_TYPE) *list = sk_ASN1_TYPE_new_null();
    bool is_complete = list != NULL;
    for (size_t i = 0; is_complete && i < count; i++) {
        is_complete = push_encoded(list, items[i]);
    }
    if (!is_complete) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for a bundle of certificates");
    }
    *ret_list = list;
    list = NULL;
    return ERR_OK;
}

enum err_code certs_only_encode(const struct view *certs, size_t count, struct buf *ret_der,
                                struct err *err)
{
    CLEANUP(cleanup_free_types) STACK_OF(ASN1_TYPE) *all = NULL;
    enum err_code code = list_encoded(certs, count, &all, err);
    return code == ERR_OK ? wrap(all, NULL, ret_der, err) : code;
}

enum err_code certs_only_encode_crl(struct view crl, struct buf *ret_der, struct err *err)
{
    CLEANUP(cleanup_free_types) STACK_OF(ASN1_TYPE) *one = NULL;
    enum err_code code = list_encoded(&crl, 1, &one, err);
    return code == ERR_OK ? wrap(NULL, one, ret_der, err) : code;
}
