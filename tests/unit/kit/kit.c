// SPDX-License-Identifier: Apache-2.0
#include "kit/kit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "conf/base/file.h"

#define KEY_COUNT 8

static void require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "test kit: %s failed\n", what);
        abort();
    }
}

EVP_PKEY *kit_rsa_key(unsigned bits)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
    require(key != NULL, "RSA key generation");
    return key;
}

EVP_PKEY *kit_ec_key(const char *curve)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);
    require(key != NULL, "EC key generation");
    return key;
}

EVP_PKEY *kit_key(unsigned index)
{
    static EVP_PKEY *keys[KEY_COUNT];
    require(index < KEY_COUNT, "key index");
    if (keys[index] == NULL) {
        keys[index] = kit_rsa_key(2048);
    }
    return keys[index];
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    require(extension != NULL && X509_add_ext(cert, extension, -1) == 1, "extension");
    X509_EXTENSION_free(extension);
}

static void add_extensions(X509 *cert, X509 *issuer, bool is_ca)
{
    if (is_ca) {
        add_extension(cert, issuer, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
        add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature,keyEncipherment");
    }
    add_extension(cert, issuer, NID_subject_key_identifier, "hash");
    if (issuer != cert) {
        add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always");
    }
}

X509 *kit_cert(EVP_PKEY *key, const char *common_name, X509 *issuer, EVP_PKEY *issuer_key,
               bool is_ca, int64_t now, int days)
{
    static long serial = 1000;
    X509 *cert = X509_new();
    require(cert != NULL, "certificate");
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
    ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)now);
    ASN1_TIME_adj(X509_getm_notAfter(cert), (time_t)now, days, 0);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                               (const unsigned char *)common_name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer != NULL ? issuer : cert));
    X509_set_pubkey(cert, key);
    if (issuer != NULL || is_ca) {
        add_extensions(cert, issuer != NULL ? issuer : cert, is_ca);
    }
    require(X509_sign(cert, issuer_key != NULL ? issuer_key : key, EVP_sha256()) > 0, "signing");
    return cert;
}

static void add_san(X509_REQ *req, const char *dns)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    ASN1_STRING_set(text, dns, (int)strlen(dns));
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    sk_GENERAL_NAME_push(names, name);
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    require(X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1,
            "subjectAltName");
    require(X509_REQ_add_extensions(req, extensions) == 1, "extensionRequest");
    free_extension_stack(extensions);
    GENERAL_NAMES_free(names);
}

struct buf kit_req_der(X509_REQ *take_req, EVP_PKEY *key, const EVP_MD *digest)
{
    require(X509_REQ_sign(take_req, key, digest) > 0, "signing the request");
    unsigned char *der = NULL;
    int len = i2d_X509_REQ(take_req, &der);
    require(len > 0, "encoding the request");
    struct buf copy = {0};
    require(buf_copy(view_of(der, (size_t)len), &copy, NULL) == ERR_OK, "memory");
    OPENSSL_free(der);
    X509_REQ_free(take_req);
    return copy;
}

struct buf kit_csr_der(EVP_PKEY *key, const struct kit_csr *content)
{
    X509_REQ *req = X509_REQ_new();
    require(req != NULL, "request");
    if (content->subject != NULL) {
        X509_REQ_set_subject_name(req, content->subject);
    } else if (content->common_name != NULL) {
        X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8,
                                   (const unsigned char *)content->common_name, -1, -1, 0);
    }
    X509_REQ_set_pubkey(req, key);
    if (content->challenge != NULL) {
        int type = content->challenge_type != 0 ? content->challenge_type : V_ASN1_UTF8STRING;
        require(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, type,
                                          (const unsigned char *)content->challenge,
                                          (int)strlen(content->challenge)) == 1,
                "challengePassword");
    }
    if (content->san_dns != NULL) {
        add_san(req, content->san_dns);
    }
    const char *digest = content->digest != NULL ? content->digest : "SHA256";
    return kit_req_der(req, key, EVP_get_digestbyname(digest));
}

char *kit_new_folder(void)
{
    const char *base = getenv("TMPDIR");
    char *path = NULL;
    require(asprintf(&path, "%s/scepd-unit-XXXXXX", base != NULL ? base : "/tmp") > 0, "memory");
    require(mkdtemp(path) != NULL, "a temporary folder");
    return path;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

void kit_remove_folder(char *take_path)
{
    enum { OPEN_FOLDERS = 8 };
    require(nftw(take_path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0, "removal");
    free(take_path);
}

char *kit_path(const char *folder, const char *name)
{
    char *path = NULL;
    require(asprintf(&path, "%s/%s", folder, name) > 0, "memory");
    return path;
}

char *kit_write(const char *folder, const char *name, struct view content)
{
    char *path = kit_path(folder, name);
    unlink(path);
    require(file_create(path, 0600, content, NULL) == ERR_OK, "writing a file");
    return path;
}

static struct buf take_bio(BIO *bio)
{
    struct buf octets = {0};
    require(ossl_bio_to_buf(bio, &octets, NULL) == ERR_OK, "memory");
    BIO_free(bio);
    return octets;
}

struct buf kit_cert_pem(const X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    require(PEM_write_bio_X509(bio, cert) == 1, "PEM");
    return take_bio(bio);
}

struct buf kit_key_pem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    require(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1, "PEM");
    return take_bio(bio);
}
