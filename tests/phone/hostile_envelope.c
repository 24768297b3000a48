// SPDX-License-Identifier: Apache-2.0
// Changes to the envelope: broken ones, ones with other algorithms and kinds of recipient, and
// unusual but right encodings.
#include "tests/phone/hostile.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rsa.h>

#define MANY_RECIPIENTS 11
#define KEK_LEN         16 // octets; AES-128 key wrap

static PKCS7_ENC_CONTENT *encrypted(const struct draft *draft)
{
    return draft->envelope->d.enveloped->enc_data;
}

static PKCS7_RECIP_INFO *recipient(const struct draft *draft)
{
    return sk_PKCS7_RECIP_INFO_value(draft->envelope->d.enveloped->recipientinfo, 0);
}

void envelope_flip(struct draft *draft, const char *part)
{
    if (strcmp(part, "key") == 0) {
        flip(recipient(draft)->enc_key, 1);
    } else if (strcmp(part, "first-block") == 0) {
        flip(encrypted(draft)->enc_data, encrypted(draft)->enc_data->length);
    } else {
        flip(encrypted(draft)->enc_data, 1);
    }
}

void envelope_cut(struct draft *draft, const char *octets)
{
    ASN1_OCTET_STRING *data = encrypted(draft)->enc_data;
    int len = data->length - number_of(octets);
    require(ASN1_STRING_set(data, data->data, len > 0 ? len : 0) == 1, "changing an envelope");
}

static void set_algorithm(X509_ALGOR *algorithm, const char *name)
{
    ASN1_OBJECT_free(algorithm->algorithm);
    algorithm->algorithm = OBJ_txt2obj(name, 0);
    require(algorithm->algorithm != NULL, "finding an algorithm");
}

void envelope_algorithm(struct draft *draft, const char *name)
{
    set_algorithm(encrypted(draft)->algorithm, name);
}

void envelope_transport(struct draft *draft, const char *name)
{
    set_algorithm(recipient(draft)->key_enc_algor, name);
}

void envelope_inner_type(struct draft *draft, const char *unused)
{
    (void)unused;
    encrypted(draft)->content_type = OBJ_nid2obj(NID_pkcs7_enveloped);
}

// Encrypts to more certificates than the RA's: "many", or "second" for one stranger before it.
static void encrypt_to_many(struct draft *draft, int strangers)
{
    CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *key = draft_other_key(draft, 1);
    CLEANUP(cleanup_BIO_free_all)
    BIO *plain = BIO_new_mem_buf(draft->plain.data, (int)draft->plain.len);
    CLEANUP(cleanup_free_certs) STACK_OF(X509) *recipients = sk_X509_new_null();
    X509 *ra = draft->session->authority.ra;
    require(plain != NULL && recipients != NULL, "getting memory");
    for (int i = 0; i < strangers; i++) {
        X509 *stranger = signer_make(key, X509_REQ_get_subject_name(draft->csr), EVP_sha256());
        require(sk_X509_push(recipients, stranger) > 0, "getting memory");
    }
    require(X509_up_ref(ra) == 1 && sk_X509_push(recipients, ra) > 0, "getting memory");
    PKCS7_free(draft->envelope);
    draft->envelope = PKCS7_encrypt(recipients, plain, draft->cipher, PKCS7_BINARY);
    require(draft->envelope != NULL, "encrypting");
}

void envelope_recipients(struct draft *draft, const char *kind)
{
    if (strcmp(kind, "none") == 0) {
        STACK_OF(PKCS7_RECIP_INFO) *infos = draft->envelope->d.enveloped->recipientinfo;
        PKCS7_RECIP_INFO_free(sk_PKCS7_RECIP_INFO_pop(infos));
    } else if (strcmp(kind, "stranger") == 0) {
        flip(recipient(draft)->issuer_and_serial->serial, 1);
    } else if (strcmp(kind, "many") == 0) {
        encrypt_to_many(draft, MANY_RECIPIENTS - 1);
    } else {
        encrypt_to_many(draft, 1);
    }
}

static void add_kek(CMS_ContentInfo *envelope)
{
    unsigned char *key = OPENSSL_zalloc(KEK_LEN);
    unsigned char *id = OPENSSL_zalloc(1);
    require(key != NULL && id != NULL &&
                CMS_add0_recipient_key(envelope, NID_id_aes128_wrap, key, KEK_LEN, id, 1, NULL,
                                       NULL, NULL) != NULL,
            "adding a recipient");
}

static void add_password(CMS_ContentInfo *envelope)
{
    static const unsigned char password[] = "password";
    unsigned char *copy = OPENSSL_memdup(password, sizeof password - 1);
    require(copy != NULL &&
                CMS_add0_recipient_password(envelope, -1, NID_undef, NID_undef, copy,
                                            (ossl_ssize_t)sizeof password - 1, NULL) != NULL,
            "adding a recipient");
}

static void add_agreement(CMS_ContentInfo *envelope, const struct draft *draft)
{
    CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(cleanup_X509_free)
    X509 *cert =
        key != NULL ? signer_make(key, X509_REQ_get_subject_name(draft->csr), EVP_sha256()) : NULL;
    require(cert != NULL && CMS_add1_recipient_cert(envelope, cert, 0) != NULL,
            "adding a recipient");
}

static void add_transport(CMS_ContentInfo *envelope, const struct draft *draft, const char *kind)
{
    unsigned flags = strcmp(kind, "oaep") == 0 ? CMS_KEY_PARAM : CMS_USE_KEYID;
    CMS_RecipientInfo *info =
        CMS_add1_recipient_cert(envelope, draft->session->authority.ra, flags);
    require(info != NULL, "adding a recipient");
    if (flags == CMS_KEY_PARAM) {
        EVP_PKEY_CTX *context = CMS_RecipientInfo_get0_pkey_ctx(info);
        require(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1,
                "choosing OAEP");
    }
}

// An envelope that the PKCS#7 calls cannot make: "kek", "password", "agreement" (kinds of
// recipient that are no key transport), "oaep", "key-id" (recipient by SubjectKeyIdentifier).
void content_cms(struct draft *draft, const char *kind)
{
    CLEANUP(cleanup_CMS_ContentInfo_free)
    CMS_ContentInfo *envelope = CMS_EnvelopedData_create(draft->cipher);
    require(envelope != NULL && CMS_set_detached(envelope, 0) == 1, "making an envelope");
    if (strcmp(kind, "kek") == 0) {
        add_kek(envelope);
    } else if (strcmp(kind, "password") == 0) {
        add_password(envelope);
    } else if (strcmp(kind, "agreement") == 0) {
        add_agreement(envelope, draft);
    } else {
        add_transport(envelope, draft, kind);
    }
    CLEANUP(cleanup_BIO_free_all)
    BIO *plain = BIO_new_mem_buf(draft->plain.data, (int)draft->plain.len);
    require(plain != NULL && CMS_final(envelope, plain, NULL, CMS_BINARY) == 1, "encrypting");
    unsigned char *der = NULL;
    int len = i2d_CMS_ContentInfo(envelope, &der);
    require(len > 0, "encoding an envelope");
    octets_done(&draft->content);
    draft->content = (struct octets){.data = der, .len = (size_t)len};
}

// BER with indefinite lengths and constructed OCTET STRINGs, as Apple and Java clients send it.
static void stream(struct draft *draft)
{
    CLEANUP(cleanup_BIO_free_all)
    BIO *plain = BIO_new_mem_buf(draft->plain.data, (int)draft->plain.len);
    CLEANUP(cleanup_BIO_free_all) BIO *out = BIO_new(BIO_s_mem());
    CLEANUP(cleanup_CMS_ContentInfo_free)
    CMS_ContentInfo *envelope = CMS_EnvelopedData_create(draft->cipher);
    require(plain != NULL && out != NULL && envelope != NULL &&
                CMS_add1_recipient_cert(envelope, draft->session->authority.ra, 0) != NULL &&
                i2d_CMS_bio_stream(out, envelope, plain, CMS_STREAM | CMS_BINARY) == 1,
            "encrypting");
    char *data = NULL;
    long len = BIO_get_mem_data(out, &data);
    octets_replace(&draft->content, data, (size_t)len);
}

// What stands in the signed message instead of the envelope, or around it.
void content_change(struct draft *draft, const char *kind)
{
    struct octets *content = &draft->content;
    if (strcmp(kind, "text") == 0) {
        octets_replace(content, "let me in", strlen("let me in"));
    } else if (strcmp(kind, "longer") == 0) {
        octets_append(content, "", 1);
    } else if (strcmp(kind, "cut") == 0) {
        octets_replace(content, content->data, content->len / 2);
    } else if (strcmp(kind, "bare") == 0) {
        octets_replace(content, draft->plain.data, draft->plain.len);
    } else {
        stream(draft);
    }
}
