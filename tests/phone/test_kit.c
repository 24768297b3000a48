// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/test_kit.h"

#include <openssl/objects.h>

#define VALID_SEC 86400L

X509_NAME *kit_name(const char *common_name)
{
    X509_NAME *name = X509_NAME_new();
    require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                       (const unsigned char *)common_name, -1, -1, 0) == 1,
            "making a name");
    return name;
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    require(extension != NULL && X509_add_ext(cert, extension, -1) == 1, "adding an extension");
    X509_EXTENSION_free(extension);
}

static X509 *make_blank(const char *common_name, EVP_PKEY *key, X509 *issuer)
{
    static long serial;
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *name = kit_name(common_name);
    X509 *cert = X509_new();
    require(X509_set_version(cert, X509_VERSION_3) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial) == 1 &&
                X509_set_subject_name(cert, name) == 1 &&
                X509_set_issuer_name(cert, issuer == NULL ? name : X509_get_subject_name(issuer)) ==
                    1 &&
                X509_set_pubkey(cert, key) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(cert), -VALID_SEC) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(cert), VALID_SEC) != NULL,
            "making a certificate");
    add_extension(cert, cert, NID_subject_key_identifier, "hash");
    return cert;
}

X509 *kit_cert(const char *common_name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    X509 *cert = make_blank(common_name, key, issuer);
    if (issuer == NULL) {
        add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
        add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always");
        add_extension(cert, cert, NID_key_usage, "critical,digitalSignature,keyEncipherment");
    }
    require(X509_sign(cert, issuer == NULL ? key : issuer_key, EVP_sha256()) > 0, "signing");
    return cert;
}

X509 *kit_sub_ca(const char *common_name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    X509 *cert = make_blank(common_name, key, issuer);
    add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always");
    add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    require(X509_sign(cert, issuer_key, EVP_sha256()) > 0, "signing");
    return cert;
}

static void add_crl_extensions(X509_CRL *crl, X509 *issuer)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
    X509_EXTENSION *key_id =
        X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
    require(number != NULL && ASN1_INTEGER_set(number, 1) == 1 &&
                X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1 && key_id != NULL &&
                X509_CRL_add_ext(crl, key_id, -1) == 1,
            "adding extensions");
    X509_EXTENSION_free(key_id);
    ASN1_INTEGER_free(number);
}

X509_CRL *kit_crl(X509 *issuer, EVP_PKEY *issuer_key, long from_sec, long until_sec)
{
    X509_CRL *crl = X509_CRL_new();
    X509_REVOKED *revoked = X509_REVOKED_new();
    ASN1_TIME *from = X509_gmtime_adj(NULL, from_sec);
    ASN1_TIME *until = X509_gmtime_adj(NULL, until_sec);
    require(crl != NULL && revoked != NULL && from != NULL && until != NULL &&
                X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
                X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) == 1 &&
                X509_CRL_set1_lastUpdate(crl, from) == 1 &&
                X509_CRL_set1_nextUpdate(crl, until) == 1 &&
                X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(issuer)) == 1 &&
                X509_REVOKED_set_revocationDate(revoked, from) == 1 &&
                X509_CRL_add0_revoked(crl, revoked) == 1,
            "making a CRL");
    add_crl_extensions(crl, issuer);
    require(X509_CRL_sign(crl, issuer_key, EVP_sha256()) > 0, "signing a CRL");
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return crl;
}

// Without content, as it has to be: OpenSSL would leave an empty one.
static PKCS7 *make_degenerate(void)
{
    PKCS7 *message = PKCS7_new();
    require(message != NULL && PKCS7_set_type(message, NID_pkcs7_signed) == 1 &&
                PKCS7_content_new(message, NID_pkcs7_data) == 1 &&
                PKCS7_set_detached(message, 1) == 1,
            "making a message");
    return message;
}

static struct octets take_der(PKCS7 *message)
{
    unsigned char *data = NULL;
    int len = i2d_PKCS7(message, &data);
    require(len > 0, "encoding a message");
    return (struct octets){.data = data, .len = (size_t)len};
}

struct octets kit_certs_only(X509 *const *certs, size_t count)
{
    CLEANUP(cleanup_PKCS7_free) PKCS7 *message = make_degenerate();
    for (size_t i = 0; i < count; i++) {
        require(PKCS7_add_certificate(message, certs[i]) == 1, "adding a certificate");
    }
    return take_der(message);
}

struct octets kit_crl_only(X509_CRL *crl)
{
    CLEANUP(cleanup_PKCS7_free) PKCS7 *message = make_degenerate();
    require(PKCS7_add_crl(message, crl) == 1, "adding a CRL");
    return take_der(message);
}

PKCS7 *kit_signed(const struct octets *content, X509 *signer, EVP_PKEY *key)
{
    PKCS7 *message = PKCS7_new();
    require(message != NULL && PKCS7_set_type(message, NID_pkcs7_signed) == 1 &&
                PKCS7_content_new(message, NID_pkcs7_data) == 1 &&
                PKCS7_add_certificate(message, signer) == 1,
            "making a message");
    PKCS7_SIGNER_INFO *info = PKCS7_add_signature(message, signer, key, EVP_sha256());
    require(info != NULL && PKCS7_add_attrib_content_type(info, NULL) == 1, "adding a signer");
    CLEANUP(cleanup_BIO_free_all) BIO *bio = PKCS7_dataInit(message, NULL);
    require(bio != NULL && BIO_write(bio, content->data, (int)content->len) == (int)content->len &&
                PKCS7_dataFinal(message, bio) == 1,
            "signing a message");
    return message;
}
