// SPDX-License-Identifier: Apache-2.0
#include "kit/pkimessage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#define OID_BASE           "2.16.840.1.113733.1.9."
#define GOOD_NONCE         "0123456789abcdef"
#define GOOD_ID            "KIT-TRANSACTION"
#define GOOD_TYPE          "19"
#define PASSWORD_NID       NID_id_alg_PWRI_KEK
#define SIGNATURE_LEN_2048 256 // octets of a signature by a kit_key()

static void require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "test kit: %s failed\n", what);
        ERR_print_errors_fp(stderr);
        abort();
    }
}

static struct buf take_bio(BIO *bio)
{
    struct buf octets = {0};
    require(ossl_bio_to_buf(bio, &octets, NULL) == ERR_OK, "memory");
    BIO_free_all(bio);
    return octets;
}

static BIO *bio_of(struct view octets)
{
    BIO *bio = BIO_new_mem_buf(octets.len > 0 ? (const void *)octets.data : "", (int)octets.len);
    require(bio != NULL, "memory");
    return bio;
}

static struct buf encode(CMS_ContentInfo *info, BIO *content, unsigned flags)
{
    BIO *out = BIO_new(BIO_s_mem());
    if ((flags & CMS_STREAM) != 0) {
        require(i2d_CMS_bio_stream(out, info, content, (int)flags) == 1, "streaming");
    } else {
        require(CMS_final(info, content, NULL, flags) == 1, "CMS_final");
        require(i2d_CMS_bio(out, info) == 1, "encoding");
    }
    return take_bio(out);
}

static void add_recipient(CMS_ContentInfo *info, const struct kit_envelope *envelope, X509 *cert)
{
    unsigned flags = (envelope->is_by_ski ? CMS_USE_KEYID : 0) | CMS_KEY_PARAM;
    CMS_RecipientInfo *recipient = CMS_add1_recipient_cert(info, cert, flags);
    require(recipient != NULL, "recipient");
    EVP_PKEY_CTX *context = CMS_RecipientInfo_get0_pkey_ctx(recipient);
    if (envelope->is_oaep) {
        require(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0, "OAEP");
    }
}

// The algorithm is written when the key is encrypted, that is while encoding: patch it afterwards.
static void drop_parameters(CMS_ContentInfo *info)
{
    STACK_OF(CMS_RecipientInfo) *recipients = CMS_get0_RecipientInfos(info);
    for (int i = 0; i < sk_CMS_RecipientInfo_num(recipients); i++) {
        X509_ALGOR *algorithm = NULL;
        CMS_RecipientInfo_ktri_get0_algs(sk_CMS_RecipientInfo_value(recipients, i), NULL, NULL,
                                         &algorithm);
        X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_UNDEF, NULL);
    }
}

struct buf kit_envelope_der(const struct kit_envelope *envelope, X509 *ra)
{
    const char *name = envelope->cipher != NULL ? envelope->cipher : "AES-128-CBC";
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    require(cipher != NULL, name);
    unsigned flags = CMS_BINARY | CMS_PARTIAL | (envelope->is_indefinite ? CMS_STREAM : 0);
    CMS_ContentInfo *info = CMS_encrypt(NULL, NULL, cipher, flags);
    require(info != NULL, "CMS_encrypt");
    if (envelope->recipients[0] == NULL && envelope->password == NULL) {
        add_recipient(info, envelope, ra);
    }
    for (size_t i = 0; i < KIT_RECIPIENTS_MAX && envelope->recipients[i] != NULL; i++) {
        add_recipient(info, envelope, envelope->recipients[i]);
    }
    if (envelope->password != NULL) {
        unsigned char *password = (unsigned char *)OPENSSL_strdup(envelope->password);
        require(CMS_add0_recipient_password(info, -1, PASSWORD_NID, NID_undef, password, -1,
                                            NULL) != NULL,
                "password recipient");
    }
    if (envelope->content_nid != NID_undef) {
        require(CMS_set1_eContentType(info, OBJ_nid2obj(envelope->content_nid)) == 1, "type");
    }
    BIO *plain = bio_of(envelope->plain);
    struct buf der = encode(info, plain, flags);
    if (envelope->is_parameters_absent) {
        drop_parameters(info);
        buf_done(&der);
        BIO *out = BIO_new(BIO_s_mem());
        require(i2d_CMS_bio(out, info) == 1, "encoding");
        der = take_bio(out);
    }
    BIO_free(plain);
    CMS_ContentInfo_free(info);
    EVP_CIPHER_free(cipher);
    return der;
}

static void add_values(CMS_SignerInfo *signer, const char *oid, int type, struct view value,
                       int value_count)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    X509_ATTRIBUTE *attribute =
        X509_ATTRIBUTE_create_by_OBJ(NULL, object, type, value.data, (int)value.len);
    require(attribute != NULL, "attribute");
    for (int i = 1; i < value_count; i++) {
        // The values of a SET OF differ, or a strict decoder could drop one.
        require(X509_ATTRIBUTE_set1_data(attribute, type, "other", 5) == 1, "second value");
    }
    require(CMS_signed_add1_attr(signer, attribute) == 1, "adding an attribute");
    X509_ATTRIBUTE_free(attribute);
    ASN1_OBJECT_free(object);
}

static void add_attribute(CMS_SignerInfo *signer, const char *oid,
                          const struct kit_attribute *attribute, int right_type, const char *good)
{
    const char *data = attribute->data != NULL ? attribute->data : good;
    if (attribute->how == KIT_OMITTED || data == NULL) {
        return;
    }
    size_t len = attribute->len != 0 ? attribute->len : strlen(data);
    struct view value = view_of(data, len == KIT_EMPTY ? 0 : len);
    int type = attribute->type != 0 ? attribute->type : right_type;
    add_values(signer, oid, type, value, attribute->how == KIT_TWO_VALUES ? 2 : 1);
    if (attribute->how == KIT_TWICE) {
        add_values(signer, oid, type, view_of_text("other"), 1);
    }
}

static void add_attributes(CMS_SignerInfo *signer, const struct kit_message *message)
{
    add_attribute(signer, OID_BASE "2", &message->message_type, V_ASN1_PRINTABLESTRING, GOOD_TYPE);
    add_attribute(signer, OID_BASE "3", &message->pki_status, V_ASN1_PRINTABLESTRING, NULL);
    add_attribute(signer, OID_BASE "4", &message->fail_info, V_ASN1_PRINTABLESTRING, NULL);
    add_attribute(signer, OID_BASE "5", &message->sender_nonce, V_ASN1_OCTET_STRING, GOOD_NONCE);
    add_attribute(signer, OID_BASE "7", &message->transaction_id, V_ASN1_PRINTABLESTRING, GOOD_ID);
    if (message->signing_time != 0) {
        ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)message->signing_time);
        require(CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_signingTime, time->type, time, -1) ==
                    1,
                "signingTime");
        ASN1_TIME_free(time);
    }
}

static CMS_SignerInfo *add_signer(CMS_ContentInfo *info, const struct kit_message *message)
{
    const EVP_MD *digest =
        EVP_get_digestbyname(message->digest != NULL ? message->digest : "SHA256");
    require(digest != NULL, "digest");
    unsigned flags = CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL | CMS_NOCERTS |
                     (message->is_signer_by_ski ? CMS_USE_KEYID : 0) |
                     (message->is_bare ? CMS_NOATTR : 0) | (message->is_pss ? CMS_KEY_PARAM : 0);
    CMS_SignerInfo *signer = CMS_add1_signer(info, message->signer, message->key, digest, flags);
    require(signer != NULL, "signer");
    if (message->is_pss) {
        EVP_PKEY_CTX *context = CMS_SignerInfo_get0_pkey_ctx(signer);
        require(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0, "PSS");
    }
    return signer;
}

static void add_certs(CMS_ContentInfo *info, const struct kit_message *message)
{
    if (!message->is_signer_cert_omitted) {
        require(CMS_add1_cert(info, message->signer) == 1, "certificate");
    }
    for (size_t i = 0; i < KIT_CERTS_MAX && message->certs[i] != NULL; i++) {
        require(CMS_add1_cert(info, message->certs[i]) == 1, "certificate");
    }
}

static struct buf content_of(const struct kit_message *message)
{
    struct buf content = {0};
    if (message->content.data != NULL) {
        require(buf_copy(message->content, &content, NULL) == ERR_OK, "memory");
    } else if (!message->is_content_omitted) {
        content = kit_envelope_der(&message->envelope, message->ra);
    }
    return content;
}

struct buf kit_message_der(const struct kit_message *message)
{
    unsigned flags = CMS_BINARY | CMS_PARTIAL | (message->is_indefinite ? CMS_STREAM : 0) |
                     (message->is_content_omitted ? CMS_DETACHED : 0);
    CMS_ContentInfo *info = CMS_sign(NULL, NULL, NULL, NULL, flags);
    require(info != NULL, "CMS_sign");
    if (message->content_nid != NID_undef) {
        require(CMS_set1_eContentType(info, OBJ_nid2obj(message->content_nid)) == 1, "type");
    }
    add_certs(info, message);
    CMS_SignerInfo *signer = add_signer(info, message);
    if (!message->is_bare) {
        add_attributes(signer, message);
    }
    if (message->is_second_signer) {
        add_attributes(add_signer(info, message), message);
    }
    struct buf content = content_of(message);
    BIO *bio = bio_of(buf_view(&content));
    struct buf der = encode(info, bio, flags);
    BIO_free(bio);
    buf_done(&content);
    CMS_ContentInfo_free(info);
    return der;
}

struct view kit_signed_attributes(struct view message)
{
    // They are the last [0] before signatureAlgorithm and signature; find them by their own octets.
    const unsigned char *end = message.data;
    CMS_ContentInfo *info = d2i_CMS_ContentInfo(NULL, &end, (long)message.len);
    require(info != NULL, "parsing");
    CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(info), 0);
    struct view found = VIEW_EMPTY;
    int count = CMS_signed_get_attr_count(signer);
    for (int i = 0; i < count; i++) {
        unsigned char *der = NULL;
        int len = i2d_X509_ATTRIBUTE(CMS_signed_get_attr(signer, i), &der);
        const uint8_t *at = memmem(message.data, message.len, der, (size_t)len);
        require(at != NULL, "finding an attribute");
        if (i == 0) {
            found.data = at;
        }
        found.len += (size_t)len;
        OPENSSL_free(der);
    }
    CMS_ContentInfo_free(info);
    return found;
}

static size_t element_len(const uint8_t *at, size_t max_len)
{
    const unsigned char *content = at;
    long len = 0;
    int tag = 0;
    int tag_class = 0;
    ASN1_get_object(&content, &len, &tag, &tag_class, (long)max_len);
    return (size_t)(content - at) + (size_t)len;
}

void kit_unsort_attributes(struct buf *message)
{
    struct view attributes = kit_signed_attributes(buf_view(message));
    uint8_t *start = message->data + (attributes.data - message->data);
    size_t first = element_len(start, attributes.len);
    size_t second = element_len(start + first, attributes.len - first);
    uint8_t *copy = malloc(first);
    require(copy != NULL, "memory");
    memcpy(copy, start, first);
    memmove(start, start + first, second);
    memcpy(start + second, copy, first);
    free(copy);
}

void kit_sign_as_sent(struct buf *message, EVP_PKEY *key)
{
    struct view attributes = kit_signed_attributes(buf_view(message));
    uint8_t *tbs = malloc(attributes.len + 8);
    require(tbs != NULL, "memory");
    unsigned char *end = tbs;
    ASN1_put_object(&end, 1, (int)attributes.len, V_ASN1_SET, V_ASN1_UNIVERSAL);
    memcpy(end, attributes.data, attributes.len);
    size_t tbs_len = (size_t)(end - tbs) + attributes.len;
    uint8_t signature[SIGNATURE_LEN_2048];
    size_t len = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    require(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(context, signature, &len, tbs, tbs_len) == 1 &&
                len == sizeof signature,
            "signing");
    EVP_MD_CTX_free(context);
    free(tbs);
    // The signature is the last thing in a message without unsigned attributes.
    memcpy(message->data + message->len - sizeof signature, signature, sizeof signature);
}
