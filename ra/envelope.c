// SPDX-License-Identifier: Apache-2.0
#include "ra/envelope.h"

#include <string.h>

#include <openssl/asn1t.h>

// RFC 5652, 6.2.1: KeyTransRecipientInfo.
struct key_transport {
    ASN1_INTEGER *version;
    ASN1_TYPE *recipient;
    X509_ALGOR *algorithm;
    ASN1_OCTET_STRING *encrypted_key;
};

// RFC 5652, 6.1: EnvelopedData. RecipientInfos stay encoded; most kinds are none of ours.
struct enveloped_data {
    ASN1_INTEGER *version;
    STACK_OF(ASN1_TYPE) * originator;
    STACK_OF(ASN1_TYPE) * recipients;
    PKCS7_ENC_CONTENT *content;
    STACK_OF(X509_ATTRIBUTE) * attributes;
};

// RFC 5652, 3: ContentInfo.
struct envelope_info {
    ASN1_OBJECT *type;
    struct enveloped_data *content;
};

// clang-format off
ASN1_SEQUENCE(KEY_TRANSPORT) = {
    ASN1_SIMPLE(struct key_transport, version, ASN1_INTEGER),
    ASN1_SIMPLE(struct key_transport, recipient, ASN1_ANY),
    ASN1_SIMPLE(struct key_transport, algorithm, X509_ALGOR),
    ASN1_SIMPLE(struct key_transport, encrypted_key, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END_name(struct key_transport, KEY_TRANSPORT)

ASN1_SEQUENCE(ENVELOPED_DATA) = {
    ASN1_SIMPLE(struct enveloped_data, version, ASN1_INTEGER),
    ASN1_IMP_SEQUENCE_OF_OPT(struct enveloped_data, originator, ASN1_ANY, 0),
    ASN1_SET_OF(struct enveloped_data, recipients, ASN1_ANY),
    ASN1_SIMPLE(struct enveloped_data, content, PKCS7_ENC_CONTENT),
    ASN1_IMP_SET_OF_OPT(struct enveloped_data, attributes, X509_ATTRIBUTE, 1),
} static_ASN1_SEQUENCE_END_name(struct enveloped_data, ENVELOPED_DATA)

ASN1_SEQUENCE(ENVELOPE_INFO) = {
    ASN1_SIMPLE(struct envelope_info, type, ASN1_OBJECT),
    ASN1_EXP(struct envelope_info, content, ENVELOPED_DATA, 0),
} static_ASN1_SEQUENCE_END_name(struct envelope_info, ENVELOPE_INFO)
    // clang-format on

    static void free_info(struct envelope_info * info)
{
    ASN1_item_free((ASN1_VALUE *)info, ASN1_ITEM_rptr(ENVELOPE_INFO));
}
DEFINE_CLEANUP(struct envelope_info *, free_info);

static void free_key_transport(struct key_transport *transport)
{
    ASN1_item_free((ASN1_VALUE *)transport, ASN1_ITEM_rptr(KEY_TRANSPORT));
}
DEFINE_CLEANUP(struct key_transport *, free_key_transport);

static struct envelope_info *parse(struct view octets)
{
    const unsigned char *end = octets.data;
    struct envelope_info *info = (struct envelope_info *)ASN1_item_d2i(
        NULL, &end, (long)octets.len, ASN1_ITEM_rptr(ENVELOPE_INFO));
    if (info != NULL &&
        (end != octets.data + octets.len || OBJ_obj2nid(info->type) != NID_pkcs7_enveloped)) {
        free_info(info);
        return NULL;
    }
    return info;
}

static enum err_code hash_key(const ASN1_TYPE *recipient, uint8_t ret_hash[SHA256_LEN],
                              struct err *err)
{
    memset(ret_hash, 0, SHA256_LEN);
    if (ASN1_TYPE_get(recipient) != V_ASN1_SEQUENCE) {
        return ERR_OK;
    }
    struct view octets = ossl_string_view(recipient->value.sequence);
    const unsigned char *end = octets.data;
    CLEANUP(cleanup_free_key_transport)
    struct key_transport *transport = (struct key_transport *)ASN1_item_d2i(
        NULL, &end, (long)octets.len, ASN1_ITEM_rptr(KEY_TRANSPORT));
    if (transport == NULL) {
        return err_set_openssl(err, ERR_BAD_REQUEST, "a malformed KeyTransRecipientInfo");
    }
    struct view key = ossl_string_view(transport->encrypted_key);
    ossl_sha256(&key, 1, ret_hash);
    return ERR_OK;
}

enum err_code envelope_summarise(struct view octets, struct envelope_summary *ret_summary,
                                 struct err *err)
{
    CLEANUP(cleanup_free_info) struct envelope_info *info = parse(octets);
    if (info == NULL) {
        return err_set_openssl(err, ERR_BAD_REQUEST, "content is not an EnvelopedData");
    }
    int count = sk_ASN1_TYPE_num(info->content->recipients);
    if (count < 1 || count > LIMIT_RECIPIENTS) {
        return err_set(err, ERR_BAD_REQUEST, "an envelope for %d recipients; allowed: 1 to %d",
                       count, LIMIT_RECIPIENTS);
    }
    struct envelope_summary summary = {
        .cipher_nid = OBJ_obj2nid(info->content->content->algorithm->algorithm),
        .recipient_count = (unsigned)count,
    };
    for (int i = 0; i < count; i++) {
        enum err_code code =
            hash_key(sk_ASN1_TYPE_value(info->content->recipients, i), summary.key_hashes[i], err);
        if (code != ERR_OK) {
            return code;
        }
    }
    *ret_summary = summary;
    return ERR_OK;
}
