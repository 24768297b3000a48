// SPDX-License-Identifier: Apache-2.0
// Parsing of PKCS#10 by ASN.1 templates. The signed part keeps the octets it came in
// (ASN1_ENCODING), so the signature is checked over what was sent, not over what we would have
// sent.
#include "conf/csr_parse.h"

#include <stdlib.h>

#include <openssl/asn1t.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

// OpenSSL's template macros need typedefs.
// RFC 8017, A.1.1: RSAPublicKey
typedef struct {
    ASN1_INTEGER *modulus;
    ASN1_INTEGER *exponent;
} RSA_KEY;

// RFC 5280, 4.1: SubjectPublicKeyInfo
typedef struct {
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *key;
} KEY_INFO;

// RFC 2986, 4.1: CertificationRequestInfo
typedef struct {
    ASN1_ENCODING encoding;
    ASN1_INTEGER *version;
    X509_NAME *subject;
    KEY_INFO *key_info;
    STACK_OF(X509_ATTRIBUTE) * attributes;
} REQUEST_INFO;

// RFC 2986, 4.2: CertificationRequest
typedef struct {
    REQUEST_INFO *info;
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *signature;
} REQUEST;

// clang-format off
ASN1_SEQUENCE(RSA_KEY) = {
    ASN1_SIMPLE(RSA_KEY, modulus, ASN1_INTEGER),
    ASN1_SIMPLE(RSA_KEY, exponent, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END(RSA_KEY)

ASN1_SEQUENCE(KEY_INFO) = {
    ASN1_SIMPLE(KEY_INFO, algorithm, X509_ALGOR),
    ASN1_SIMPLE(KEY_INFO, key, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(KEY_INFO)

ASN1_SEQUENCE_enc(REQUEST_INFO, encoding, NULL) = {
    ASN1_SIMPLE(REQUEST_INFO, version, ASN1_INTEGER),
    ASN1_SIMPLE(REQUEST_INFO, subject, X509_NAME),
    ASN1_SIMPLE(REQUEST_INFO, key_info, KEY_INFO),
    // Not OPTIONAL in the RFC; clients that have none leave it out all the same.
    ASN1_IMP_SET_OF_OPT(REQUEST_INFO, attributes, X509_ATTRIBUTE, 0),
} static_ASN1_SEQUENCE_END_ref(REQUEST_INFO, REQUEST_INFO)

ASN1_SEQUENCE(REQUEST) = {
    ASN1_SIMPLE(REQUEST, info, REQUEST_INFO),
    ASN1_SIMPLE(REQUEST, algorithm, X509_ALGOR),
    ASN1_SIMPLE(REQUEST, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(REQUEST)
    // clang-format on

    struct csr {
    REQUEST *request;
    RSA_KEY *rsa_key; // NULL for an EC key
    EVP_PKEY *key;
};

DEFINE_CLEANUP(OSSL_PARAM *, OSSL_PARAM_free);
DEFINE_CLEANUP(OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free);

static enum err_code no_memory(struct err *err)
{
    return err_set_openssl(err, ERR_CRYPTO, "cannot take a PKCS#10 apart");
}

// NULL when `octets` are not exactly one value of the type.
static void *decode(struct view octets, const ASN1_ITEM *type)
{
    const unsigned char *end = octets.data;
    ASN1_VALUE *value = octets.len > 0 ? ASN1_item_d2i(NULL, &end, (long)octets.len, type) : NULL;
    if (value != NULL && end != octets.data + octets.len) {
        ASN1_item_free(value, type);
        return NULL;
    }
    return value;
}

static const ASN1_OBJECT *key_algorithm(const struct csr *csr)
{
    const ASN1_OBJECT *algorithm = NULL;
    X509_ALGOR_get0(&algorithm, NULL, NULL, csr->request->info->key_info->algorithm);
    return algorithm;
}

static enum err_code check_is_rsa(const struct csr *csr, struct err *err)
{
    const ASN1_OBJECT *algorithm = key_algorithm(csr);
    if (OBJ_obj2nid(algorithm) != NID_rsaEncryption) {
        char name[80];
        OBJ_obj2txt(name, sizeof name, algorithm, 0);
        return err_set(err, ERR_BAD_ALG,
                       "a key of type %s; it must be RSA, because SCEP encrypts its answers to a "
                       "phone's key, and phones' TLS wants it of a server",
                       name);
    }
    return ERR_OK;
}

static enum err_code decode_rsa_key(struct csr *csr, struct err *err)
{
    const KEY_INFO *info = csr->request->info->key_info;
    csr->rsa_key = decode(ossl_string_view(info->key), ASN1_ITEM_rptr(RSA_KEY));
    if (csr->rsa_key == NULL) {
        return err_set_openssl(err, ERR_BAD_REQUEST, "a malformed RSA key in the PKCS#10");
    }
    if (ASN1_STRING_type(csr->rsa_key->modulus) != V_ASN1_INTEGER ||
        ASN1_STRING_type(csr->rsa_key->exponent) != V_ASN1_INTEGER) {
        return err_set(err, ERR_BAD_ALG, "an RSA key with a negative number in it");
    }
    return ERR_OK;
}

static OSSL_PARAM *key_parameters(const RSA_KEY *rsa_key)
{
    CLEANUP(cleanup_OSSL_PARAM_BLD_free) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    CLEANUP(cleanup_BN_free) BIGNUM *modulus = ASN1_INTEGER_to_BN(rsa_key->modulus, NULL);
    CLEANUP(cleanup_BN_free) BIGNUM *exponent = ASN1_INTEGER_to_BN(rsa_key->exponent, NULL);
    if (builder == NULL || modulus == NULL || exponent == NULL ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) != 1) {
        return NULL;
    }
    return OSSL_PARAM_BLD_to_param(builder);
}

static enum err_code make_rsa_key(struct csr *csr, struct err *err)
{
    CLEANUP(cleanup_OSSL_PARAM_free) OSSL_PARAM *parameters = key_parameters(csr->rsa_key);
    CLEANUP(cleanup_EVP_PKEY_CTX_free)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (parameters == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1) {
        return no_memory(err);
    }
    if (EVP_PKEY_fromdata(context, &csr->key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        return err_set_openssl(err, ERR_BAD_ALG, "an RSA key that OpenSSL refuses");
    }
    return ERR_OK;
}

static enum err_code read_rsa_key(struct csr *csr, struct err *err)
{
    enum err_code code = check_is_rsa(csr, err);
    if (code == ERR_OK) {
        code = decode_rsa_key(csr, err);
    }
    return code == ERR_OK ? make_rsa_key(csr, err) : code;
}

// RFC 5480, 2.1.1: a named curve, and only this one.
static bool is_p256(const struct csr *csr)
{
    int type = V_ASN1_UNDEF;
    const void *curve = NULL;
    X509_ALGOR_get0(NULL, &type, &curve, csr->request->info->key_info->algorithm);
    return OBJ_obj2nid(key_algorithm(csr)) == NID_X9_62_id_ecPublicKey && type == V_ASN1_OBJECT &&
           OBJ_obj2nid(curve) == NID_X9_62_prime256v1;
}

static enum err_code make_p256_key(struct csr *csr, struct err *err)
{
    struct view point = ossl_string_view(csr->request->info->key_info->key);
    CLEANUP(cleanup_OSSL_PARAM_BLD_free) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder == NULL ||
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1,
                                        0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len) !=
            1) {
        return no_memory(err);
    }
    CLEANUP(cleanup_OSSL_PARAM_free) OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    CLEANUP(cleanup_EVP_PKEY_CTX_free)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (parameters == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1) {
        return no_memory(err);
    }
    if (EVP_PKEY_fromdata(context, &csr->key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        return err_set_openssl(err, ERR_BAD_ALG, "an EC key that OpenSSL refuses");
    }
    return ERR_OK;
}

static enum err_code parse(struct view der, bool allows_p256, struct csr **ret_csr, struct err *err)
{
    CLEANUP(cleanup_csr_free) struct csr *csr = calloc(1, sizeof *csr);
    if (csr == NULL) {
        return no_memory(err);
    }
    csr->request = decode(der, ASN1_ITEM_rptr(REQUEST));
    if (csr->request == NULL) {
        return err_set_openssl(err, ERR_BAD_REQUEST, "not exactly one DER PKCS#10");
    }
    enum err_code code =
        allows_p256 && is_p256(csr) ? make_p256_key(csr, err) : read_rsa_key(csr, err);
    if (code == ERR_OK) {
        *ret_csr = csr;
        csr = NULL;
    }
    return code;
}

enum err_code csr_parse(struct view der, struct csr **ret_csr, struct err *err)
{
    return parse(der, false, ret_csr, err);
}

enum err_code csr_parse_signer(struct view der, struct csr **ret_csr, struct err *err)
{
    return parse(der, true, ret_csr, err);
}

void csr_free(struct csr *csr)
{
    if (csr != NULL) {
        ASN1_item_free((ASN1_VALUE *)csr->request, ASN1_ITEM_rptr(REQUEST));
        ASN1_item_free((ASN1_VALUE *)csr->rsa_key, ASN1_ITEM_rptr(RSA_KEY));
        EVP_PKEY_free(csr->key);
        free(csr);
    }
}

const X509_NAME *csr_subject(const struct csr *csr)
{
    return csr->request->info->subject;
}

EVP_PKEY *csr_key(const struct csr *csr)
{
    return csr->key;
}

const STACK_OF(X509_ATTRIBUTE) * csr_attributes(const struct csr *csr)
{
    return csr->request->info->attributes;
}

int csr_signature_nid(const struct csr *csr)
{
    const ASN1_OBJECT *algorithm = NULL;
    X509_ALGOR_get0(&algorithm, NULL, NULL, csr->request->algorithm);
    return OBJ_obj2nid(algorithm);
}

bool csr_is_signature_valid(const struct csr *csr)
{
    bool is_valid = ASN1_item_verify(ASN1_ITEM_rptr(REQUEST_INFO), csr->request->algorithm,
                                     csr->request->signature, csr->request->info, csr->key) == 1;
    ERR_clear_error();
    return is_valid;
}

enum err_code csr_copy_key(const struct csr *csr, X509 *cert, struct err *err)
{
    if (csr->rsa_key == NULL) {
        return X509_set_pubkey(cert, csr->key) == 1 ? ERR_OK : no_memory(err);
    }
    unsigned char *der = NULL;
    int len = ASN1_item_i2d((const ASN1_VALUE *)csr->rsa_key, &der, ASN1_ITEM_rptr(RSA_KEY));
    if (len < 0) {
        return no_memory(err);
    }
    if (X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(cert), OBJ_nid2obj(NID_rsaEncryption),
                               V_ASN1_NULL, NULL, der, len) != 1) {
        OPENSSL_free(der);
        return no_memory(err);
    }
    return ERR_OK;
}

static enum err_code unpack_attribute(X509_ATTRIBUTE *attribute, X509_EXTENSIONS **ret_extensions,
                                      struct err *err)
{
    const ASN1_TYPE *value =
        X509_ATTRIBUTE_count(attribute) == 1 ? X509_ATTRIBUTE_get0_type(attribute, 0) : NULL;
    if (value == NULL || ASN1_TYPE_get(value) != V_ASN1_SEQUENCE) {
        return err_set(err, ERR_BAD_REQUEST, "an extensionRequest without exactly one list");
    }
    *ret_extensions =
        decode(ossl_string_view(value->value.sequence), ASN1_ITEM_rptr(X509_EXTENSIONS));
    if (*ret_extensions == NULL) {
        return err_set_openssl(err, ERR_BAD_REQUEST, "a malformed extensionRequest");
    }
    return ERR_OK;
}

// What is asked for twice is refused, since nobody can tell which one counts.
static enum err_code check_addition(const X509_EXTENSIONS *all, X509_EXTENSION *extension,
                                    struct err *err)
{
    const ASN1_OBJECT *object = X509_EXTENSION_get_object(extension);
    if (X509v3_get_ext_by_OBJ(all, object, -1) >= 0) {
        char name[80];
        OBJ_obj2txt(name, sizeof name, object, 0);
        return err_set(err, ERR_BAD_REQUEST, "the extension %s twice in the PKCS#10", name);
    }
    if (sk_X509_EXTENSION_num(all) >= CSR_EXTENSIONS_MAX) {
        return err_set(err, ERR_BAD_REQUEST, "more than %d extensions in the PKCS#10",
                       CSR_EXTENSIONS_MAX);
    }
    return ERR_OK;
}

static enum err_code move_extensions(X509_EXTENSIONS *from, X509_EXTENSIONS *all, struct err *err)
{
    while (sk_X509_EXTENSION_num(from) > 0) {
        X509_EXTENSION *extension = sk_X509_EXTENSION_value(from, 0);
        enum err_code code = check_addition(all, extension, err);
        if (code != ERR_OK) {
            return code;
        }
        if (sk_X509_EXTENSION_push(all, extension) <= 0) {
            return err_set_openssl(err, ERR_NOMEM, "no memory for extensions");
        }
        sk_X509_EXTENSION_shift(from);
    }
    return ERR_OK;
}

static enum err_code collect_extensions(const STACK_OF(X509_ATTRIBUTE) * attributes, int nid,
                                        X509_EXTENSIONS *all, struct err *err)
{
    int at = X509at_get_attr_by_NID(attributes, nid, -1);
    if (at < 0) {
        return ERR_OK;
    }
    if (X509at_get_attr_by_NID(attributes, nid, at) >= 0) {
        return err_set(err, ERR_BAD_REQUEST, "more than one extensionRequest");
    }
    CLEANUP(cleanup_free_extension_stack) X509_EXTENSIONS *extensions = NULL;
    enum err_code code = unpack_attribute(X509at_get_attr(attributes, at), &extensions, err);
    return code == ERR_OK ? move_extensions(extensions, all, err) : code;
}

enum err_code csr_extensions(const STACK_OF(X509_ATTRIBUTE) * attributes,
                             X509_EXTENSIONS **ret_extensions, struct err *err)
{
    CLEANUP(cleanup_free_extension_stack) X509_EXTENSIONS *all = sk_X509_EXTENSION_new_null();
    if (all == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for extensions");
    }
    enum err_code code = collect_extensions(attributes, NID_ext_req, all, err);
    if (code == ERR_OK) {
        code = collect_extensions(attributes, NID_ms_ext_req, all, err);
    }
    if (code == ERR_OK) {
        *ret_extensions = all;
        all = NULL;
    }
    return code;
}
