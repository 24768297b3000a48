// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#define SIGNER_BACKDATE_SEC (-600)
#define SIGNER_VALID_SEC    (7L * 86400)

static const struct {
    const char *oid;
    const char *name;
} attributes[SCEP_ATTRIBUTE_COUNT] = {
    [SCEP_MESSAGE_TYPE] = {"2.16.840.1.113733.1.9.2", "scep-messageType"},
    [SCEP_PKI_STATUS] = {"2.16.840.1.113733.1.9.3", "scep-pkiStatus"},
    [SCEP_FAIL_INFO] = {"2.16.840.1.113733.1.9.4", "scep-failInfo"},
    [SCEP_SENDER_NONCE] = {"2.16.840.1.113733.1.9.5", "scep-senderNonce"},
    [SCEP_RECIPIENT_NONCE] = {"2.16.840.1.113733.1.9.6", "scep-recipientNonce"},
    [SCEP_TRANSACTION_ID] = {"2.16.840.1.113733.1.9.7", "scep-transactionID"},
    [SCEP_FAIL_INFO_TEXT] = {"1.3.6.1.5.5.7.24.1", "scep-failInfoText"},
};

void scep_register(void)
{
    for (int i = 0; i < SCEP_ATTRIBUTE_COUNT; i++) {
        require(OBJ_create(attributes[i].oid, attributes[i].name, attributes[i].name) != NID_undef,
                "registering SCEP's attributes");
    }
}

int scep_nid(enum scep_attribute attribute)
{
    return OBJ_txt2nid(attributes[attribute].oid);
}

EVP_PKEY *key_make(unsigned bits)
{
    EVP_PKEY *key = EVP_RSA_gen(bits);
    require(key != NULL, "making a key");
    return key;
}

EVP_PKEY *key_load(const char *path, struct trouble *trouble)
{
    struct octets pem = {0};
    if (file_load(path, &pem, trouble) != OUTCOME_OK) {
        return NULL;
    }
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    octets_done(&pem);
    if (key == NULL) {
        trouble_openssl(trouble, OUTCOME_TROUBLE, "%s: no private key in it", path);
    }
    return key;
}

enum outcome key_save(const char *path, EVP_PKEY *key, struct trouble *trouble)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_secmem());
    require(bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1,
            "encoding a key");
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    CLEANUP(octets_done) struct octets pem = octets_copy(data, (size_t)len);
    return file_replace(path, &pem, trouble);
}

// One "TYPE=VALUE" or "+TYPE=VALUE" at the end of `name`.
static bool add_rdn(X509_NAME *name, const char *rdn)
{
    bool is_joined = rdn[0] == '+';
    char type[64] = "";
    const char *equals = strchr(rdn, '=');
    if (equals == NULL) {
        return false;
    }
    snprintf(type, sizeof type, "%.*s", (int)(equals - rdn) - is_joined, rdn + is_joined);
    return X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const unsigned char *)equals + 1,
                                      -1, -1, is_joined ? -1 : 0) == 1;
}

bool csr_add_challenge(X509_REQ *csr, const char *challenge, unsigned long mask)
{
    ASN1_STRING *value = NULL;
    int type = ASN1_mbstring_copy(&value, (const unsigned char *)challenge, (int)strlen(challenge),
                                  MBSTRING_UTF8, mask);
    if (type < 0) {
        return false;
    }
    bool is_added =
        X509_REQ_add1_attr_by_NID(csr, NID_pkcs9_challengePassword, type,
                                  ASN1_STRING_get0_data(value), ASN1_STRING_length(value)) == 1;
    ASN1_STRING_free(value);
    return is_added;
}

static void add_dns_names(X509_REQ *csr, const struct csr_plan *plan)
{
    CLEANUP(cleanup_GENERAL_NAMES_free) GENERAL_NAMES *names = GENERAL_NAMES_new();
    CLEANUP(cleanup_free_extensions)
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    require(names != NULL && extensions != NULL, "getting memory");
    for (size_t i = 0; i < plan->dns_name_count; i++) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_IA5STRING *dns = ASN1_IA5STRING_new();
        require(name != NULL && dns != NULL && ASN1_STRING_set(dns, plan->dns_names[i], -1) == 1 &&
                    sk_GENERAL_NAME_push(names, name) > 0,
                "adding a name");
        GENERAL_NAME_set0_value(name, GEN_DNS, dns);
    }
    require(X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1 &&
                X509_REQ_add_extensions(csr, extensions) == 1,
            "adding subjectAltName");
}

X509_REQ *csr_make(EVP_PKEY *key, const struct csr_plan *plan, struct trouble *trouble)
{
    CLEANUP(cleanup_X509_REQ_free) X509_REQ *csr = X509_REQ_new();
    require(csr != NULL && X509_REQ_set_version(csr, X509_REQ_VERSION_1) == 1 &&
                X509_REQ_set_pubkey(csr, key) == 1,
            "making a PKCS#10");
    if (plan->subject != NULL) {
        require(X509_REQ_set_subject_name(csr, plan->subject) == 1, "naming a PKCS#10");
    }
    for (size_t i = 0; plan->subject == NULL && i < plan->rdn_count; i++) {
        if (!add_rdn(X509_REQ_get_subject_name(csr), plan->rdns[i])) {
            trouble_openssl(trouble, OUTCOME_USAGE, "cannot put \"%s\" into a subject",
                            plan->rdns[i]);
            return NULL;
        }
    }
    if (plan->challenge != NULL && !csr_add_challenge(csr, plan->challenge, plan->challenge_mask)) {
        trouble_openssl(trouble, OUTCOME_USAGE, "the challenge does not fit this string type");
        return NULL;
    }
    if (plan->dns_name_count > 0) {
        add_dns_names(csr, plan);
    }
    require(X509_REQ_sign(csr, key, plan->digest) > 0, "signing a PKCS#10");
    X509_REQ *result = csr;
    csr = NULL;
    return result;
}

static void add_key_usage(X509 *cert)
{
    ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
    // Bits 0 and 2 of KeyUsage: digitalSignature, keyEncipherment (RFC 8894, 2.3).
    require(usage != NULL && ASN1_BIT_STRING_set_bit(usage, 0, 1) == 1 &&
                ASN1_BIT_STRING_set_bit(usage, 2, 1) == 1 &&
                X509_add1_ext_i2d(cert, NID_key_usage, usage, 1, X509V3_ADD_DEFAULT) == 1,
            "adding KeyUsage");
    ASN1_BIT_STRING_free(usage);
}

X509 *signer_make(EVP_PKEY *key, const X509_NAME *subject, const EVP_MD *digest)
{
    X509 *cert = X509_new();
    require(cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
                X509_set_subject_name(cert, subject) == 1 &&
                X509_set_issuer_name(cert, subject) == 1 && X509_set_pubkey(cert, key) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(cert), SIGNER_BACKDATE_SEC) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(cert), SIGNER_VALID_SEC) != NULL,
            "making a signer certificate");
    add_key_usage(cert);
    require(X509_sign(cert, key, digest) > 0, "signing a certificate");
    return cert;
}

struct octets csr_der(X509_REQ *csr)
{
    unsigned char *data = NULL;
    int len = i2d_X509_REQ(csr, &data);
    require(len > 0, "encoding a PKCS#10");
    return (struct octets){.data = data, .len = (size_t)len};
}

struct octets issuer_and_subject_der(const X509_NAME *issuer, const X509_NAME *subject)
{
    const unsigned char *parts[2] = {NULL, NULL};
    size_t lens[2] = {0, 0};
    require(X509_NAME_get0_der(issuer, &parts[0], &lens[0]) == 1 &&
                X509_NAME_get0_der(subject, &parts[1], &lens[1]) == 1,
            "encoding a name");
    int inner = (int)(lens[0] + lens[1]);
    struct octets der = {.len = (size_t)ASN1_object_size(1, inner, V_ASN1_SEQUENCE)};
    der.data = OPENSSL_zalloc(der.len);
    require(der.data != NULL, "getting memory");
    unsigned char *to = der.data;
    ASN1_put_object(&to, 1, inner, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    memcpy(to, parts[0], lens[0]);
    memcpy(to + lens[0], parts[1], lens[1]);
    return der;
}

struct octets issuer_and_serial_der(const X509_NAME *issuer, const ASN1_INTEGER *serial)
{
    CLEANUP(cleanup_PKCS7_ISSUER_AND_SERIAL_free)
    PKCS7_ISSUER_AND_SERIAL *named = PKCS7_ISSUER_AND_SERIAL_new();
    unsigned char *data = NULL;
    require(named != NULL && X509_NAME_set(&named->issuer, issuer) == 1 &&
                ASN1_STRING_copy(named->serial, serial) == 1,
            "naming a certificate");
    int len = i2d_PKCS7_ISSUER_AND_SERIAL(named, &data);
    require(len > 0, "naming a certificate");
    return (struct octets){.data = data, .len = (size_t)len};
}

PKCS7 *envelope_make(const struct octets *content, X509 *recipient, const EVP_CIPHER *cipher)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new_mem_buf(content->data, (int)content->len);
    STACK_OF(X509) *recipients = sk_X509_new_null();
    require(bio != NULL && recipients != NULL && sk_X509_push(recipients, recipient) > 0,
            "getting memory");
    PKCS7 *envelope = PKCS7_encrypt(recipients, bio, cipher, PKCS7_BINARY);
    sk_X509_free(recipients);
    require(envelope != NULL, "encrypting");
    return envelope;
}

struct octets pkcs7_der(PKCS7 *message)
{
    unsigned char *data = NULL;
    int len = i2d_PKCS7(message, &data);
    require(len > 0, "encoding a message");
    return (struct octets){.data = data, .len = (size_t)len};
}

void message_plan_random(struct message_plan *plan, char transaction_id[TRANSACTION_ID_LEN])
{
    unsigned char id[NONCE_LEN] = {0};
    require(RAND_bytes(plan->nonce, sizeof plan->nonce) == 1 && RAND_bytes(id, sizeof id) == 1,
            "getting random octets");
    for (size_t i = 0; i < sizeof id; i++) {
        snprintf(transaction_id + 2 * i, 3, "%02X", (unsigned)id[i]);
    }
    plan->transaction_id = transaction_id;
}

static void sign_attribute(PKCS7_SIGNER_INFO *info, enum scep_attribute attribute, int type,
                           const void *data, size_t len)
{
    ASN1_STRING *value = ASN1_STRING_type_new(type);
    require(value != NULL && ASN1_STRING_set(value, data, (int)len) == 1 &&
                PKCS7_add_signed_attribute(info, scep_nid(attribute), type, value) == 1,
            "adding a signed attribute");
}

static void enclose_certs(PKCS7 *message, const struct message_plan *plan)
{
    if (!plan->is_chain_first) {
        require(PKCS7_add_certificate(message, plan->signer) == 1, "enclosing a certificate");
    }
    for (int i = 0; i < sk_X509_num(plan->chain); i++) {
        require(PKCS7_add_certificate(message, sk_X509_value(plan->chain, i)) == 1,
                "enclosing a certificate");
    }
    if (plan->is_chain_first) {
        require(PKCS7_add_certificate(message, plan->signer) == 1, "enclosing a certificate");
    }
}

PKCS7 *message_make(const struct message_plan *plan)
{
    PKCS7 *message = PKCS7_new();
    require(message != NULL && PKCS7_set_type(message, NID_pkcs7_signed) == 1 &&
                PKCS7_content_new(message, NID_pkcs7_data) == 1,
            "making a message");
    enclose_certs(message, plan);
    PKCS7_SIGNER_INFO *info = PKCS7_add_signature(message, plan->signer, plan->key, plan->digest);
    require(info != NULL && PKCS7_add_attrib_content_type(info, NULL) == 1, "adding a signer");
    sign_attribute(info, SCEP_MESSAGE_TYPE, V_ASN1_PRINTABLESTRING, plan->type, strlen(plan->type));
    sign_attribute(info, SCEP_TRANSACTION_ID, V_ASN1_PRINTABLESTRING, plan->transaction_id,
                   strlen(plan->transaction_id));
    sign_attribute(info, SCEP_SENDER_NONCE, V_ASN1_OCTET_STRING, plan->nonce, NONCE_LEN);
    CLEANUP(cleanup_BIO_free_all) BIO *bio = PKCS7_dataInit(message, NULL);
    require(bio != NULL &&
                BIO_write(bio, plan->content->data, (int)plan->content->len) ==
                    (int)plan->content->len &&
                PKCS7_dataFinal(message, bio) == 1,
            "signing a message");
    return message;
}

const ASN1_STRING *attribute_value(const PKCS7_SIGNER_INFO *info, int nid, int type)
{
    const ASN1_STRING *value = NULL;
    for (int i = 0; i < sk_X509_ATTRIBUTE_num(info->auth_attr); i++) {
        X509_ATTRIBUTE *attribute = sk_X509_ATTRIBUTE_value(info->auth_attr, i);
        if (OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attribute)) != nid) {
            continue;
        }
        if (value != NULL || X509_ATTRIBUTE_count(attribute) != 1) {
            return NULL;
        }
        value = X509_ATTRIBUTE_get0_data(attribute, 0, type, NULL);
        if (value == NULL) {
            ERR_clear_error();
            return NULL;
        }
    }
    return value;
}

static bool read_attributes(const PKCS7_SIGNER_INFO *info, struct request *request)
{
    const ASN1_STRING *id =
        attribute_value(info, scep_nid(SCEP_TRANSACTION_ID), V_ASN1_PRINTABLESTRING);
    const ASN1_STRING *nonce =
        attribute_value(info, scep_nid(SCEP_SENDER_NONCE), V_ASN1_OCTET_STRING);
    if (id == NULL || nonce == NULL) {
        return false;
    }
    request->transaction_id =
        octets_copy(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id));
    request->nonce = octets_copy(ASN1_STRING_get0_data(nonce), (size_t)ASN1_STRING_length(nonce));
    request->digest_nid = OBJ_obj2nid(info->digest_alg->algorithm);
    return true;
}

static int read_cipher(const PKCS7 *message)
{
    const PKCS7 *content = message->d.sign->contents;
    if (!PKCS7_type_is_data(content) || content->d.data == NULL) {
        return NID_undef;
    }
    const unsigned char *at = content->d.data->data;
    CLEANUP(cleanup_PKCS7_free) PKCS7 *envelope = d2i_PKCS7(NULL, &at, content->d.data->length);
    if (envelope == NULL || !PKCS7_type_is_enveloped(envelope)) {
        ERR_clear_error();
        return NID_undef;
    }
    return OBJ_obj2nid(envelope->d.enveloped->enc_data->algorithm->algorithm);
}

enum outcome request_read(const struct octets *der, EVP_PKEY *key, EVP_PKEY *cert_key,
                          struct request *ret_request, struct trouble *trouble)
{
    const unsigned char *at = der->data;
    CLEANUP(cleanup_PKCS7_free) PKCS7 *message = d2i_PKCS7(NULL, &at, (long)der->len);
    if (message == NULL || !PKCS7_type_is_signed(message) ||
        sk_PKCS7_SIGNER_INFO_num(message->d.sign->signer_info) != 1 ||
        sk_X509_num(message->d.sign->cert) < 1) {
        return trouble_openssl(trouble, OUTCOME_TROUBLE, "not a phone's request");
    }
    PKCS7_SIGNER_INFO *info = sk_PKCS7_SIGNER_INFO_value(message->d.sign->signer_info, 0);
    X509 *signer = PKCS7_cert_from_signer_info(message, info);
    if (signer == NULL || EVP_PKEY_eq(X509_get0_pubkey(signer), key) != 1) {
        return trouble_openssl(trouble, OUTCOME_TROUBLE, "the request is not signed by this key");
    }
    struct request request = {.cipher_nid = read_cipher(message)};
    if (!read_attributes(info, &request)) {
        return trouble_set(trouble, OUTCOME_TROUBLE, "no transactionID or senderNonce in it");
    }
    require(EVP_PKEY_up_ref(key) == 1 && EVP_PKEY_up_ref(cert_key) == 1 && X509_up_ref(signer) == 1,
            "sharing a key");
    request.key = key;
    request.cert_key = cert_key;
    request.signer = signer;
    request.der = octets_copy(der->data, der->len);
    *ret_request = request;
    return OUTCOME_OK;
}

void request_done(struct request *request)
{
    octets_done(&request->der);
    octets_done(&request->transaction_id);
    octets_done(&request->nonce);
    EVP_PKEY_free(request->key);
    EVP_PKEY_free(request->cert_key);
    X509_free(request->signer);
    *request = (struct request){0};
}
