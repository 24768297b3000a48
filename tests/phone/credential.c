// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/credential.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "tests/phone/authority.h"
#include "tests/phone/request.h"

static BIO *open_octets(const struct octets *octets)
{
    BIO *bio = BIO_new_mem_buf(octets->data, (int)octets->len);
    require(bio != NULL, "getting memory");
    return bio;
}

enum outcome cert_load(const char *path, X509 **ret_cert, struct trouble *trouble)
{
    CLEANUP(octets_done) struct octets content = {0};
    enum outcome outcome = file_load(path, &content, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    CLEANUP(cleanup_BIO_free_all) BIO *bio = open_octets(&content);
    const unsigned char *end = content.data;
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (cert == NULL) {
        ERR_clear_error();
        cert = d2i_X509(NULL, &end, (long)content.len);
    }
    if (cert == NULL) {
        return trouble_openssl(trouble, OUTCOME_TROUBLE, "%s: no certificate in it", path);
    }
    *ret_cert = cert;
    return OUTCOME_OK;
}

enum outcome certs_load(const char *path, STACK_OF(X509) * *ret_certs, struct trouble *trouble)
{
    CLEANUP(octets_done) struct octets content = {0};
    enum outcome outcome = file_load(path, &content, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    CLEANUP(cleanup_BIO_free_all) BIO *bio = open_octets(&content);
    CLEANUP(cleanup_free_certs) STACK_OF(X509) *certs = sk_X509_new_null();
    require(certs != NULL, "getting memory");
    for (X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL); cert != NULL;
         cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) {
        require(sk_X509_push(certs, cert) > 0, "keeping a certificate");
    }
    bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!is_end || sk_X509_num(certs) == 0) {
        return trouble_openssl(trouble, OUTCOME_TROUBLE, "%s: not PEM certificates only", path);
    }
    ERR_clear_error();
    *ret_certs = certs;
    certs = NULL;
    return OUTCOME_OK;
}

// A file with a chain may begin with the certificate that the chain is for.
static void remove_cert(STACK_OF(X509) * certs, const X509 *cert)
{
    for (int i = sk_X509_num(certs) - 1; i >= 0; i--) {
        if (X509_cmp(sk_X509_value(certs, i), cert) == 0) {
            X509_free(sk_X509_delete(certs, i));
        }
    }
}

static enum outcome load_parts(const struct credential_files *files, struct credential *credential,
                               struct trouble *trouble)
{
    enum outcome outcome = cert_load(files->cert, &credential->cert, trouble);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    credential->key = key_load(files->key, trouble);
    if (credential->key == NULL) {
        return trouble->outcome;
    }
    if (EVP_PKEY_eq(X509_get0_pubkey(credential->cert), credential->key) != 1) {
        return trouble_openssl(trouble, OUTCOME_USAGE, "%s is not the key of %s", files->key,
                               files->cert);
    }
    if (files->chain == NULL) {
        return OUTCOME_OK;
    }
    outcome = certs_load(files->chain, &credential->chain, trouble);
    if (outcome == OUTCOME_OK) {
        remove_cert(credential->chain, credential->cert);
    }
    return outcome;
}

enum outcome credential_load(const struct credential_files *files,
                             struct credential *ret_credential, struct trouble *trouble)
{
    struct credential credential = {0};
    enum outcome outcome = load_parts(files, &credential, trouble);
    if (outcome == OUTCOME_OK) {
        *ret_credential = credential;
    } else {
        credential_done(&credential);
    }
    return outcome;
}

void credential_done(struct credential *credential)
{
    EVP_PKEY_free(credential->key);
    X509_free(credential->cert);
    free_certs(credential->chain);
    *credential = (struct credential){0};
}

static struct octets take_memory(BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    return octets_copy(data, (size_t)len);
}

struct octets certs_pem(const STACK_OF(X509) * certs)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    require(bio != NULL, "getting memory");
    for (int i = 0; i < sk_X509_num(certs); i++) {
        require(PEM_write_bio_X509(bio, sk_X509_value(certs, i)) == 1, "encoding a certificate");
    }
    return take_memory(bio);
}

struct octets cert_pem(X509 *cert)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    require(bio != NULL && PEM_write_bio_X509(bio, cert) == 1, "encoding a certificate");
    return take_memory(bio);
}

enum outcome cert_store(const char *folder, const char *name, X509 *cert, struct trouble *trouble)
{
    char path[PATH_LEN_MAX] = "";
    enum outcome outcome = path_join(folder, name, path, trouble);
    CLEANUP(octets_done) struct octets pem = cert_pem(cert);
    return outcome == OUTCOME_OK ? file_replace(path, &pem, trouble) : outcome;
}

bool cert_common_name(const X509 *cert, char ret_name[COMMON_NAME_LEN])
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0) {
        return false;
    }
    unsigned char *text = NULL;
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    if (ASN1_STRING_to_UTF8(&text, value) < 0) {
        ERR_clear_error();
        return false;
    }
    snprintf(ret_name, COMMON_NAME_LEN, "%s", (const char *)text);
    OPENSSL_free(text);
    return true;
}

void serial_print(const ASN1_INTEGER *serial)
{
    for (int i = 0; i < ASN1_STRING_length(serial); i++) {
        printf("%02X", (unsigned)ASN1_STRING_get0_data(serial)[i]);
    }
    fputc('\n', stdout);
}

void cert_tell(const X509 *cert)
{
    char subject[NAME_TEXT_LEN] = "";
    char issuer[NAME_TEXT_LEN] = "";
    printf("certificate: \"%s\" from \"%s\"\nserial: ",
           name_text(X509_get_subject_name(cert), subject),
           name_text(X509_get_issuer_name(cert), issuer));
    serial_print(X509_get0_serialNumber(cert));
}
