// SPDX-License-Identifier: Apache-2.0
// The request with which an outside CA is asked to sign this server's issuing CA.
#include <openssl/err.h>
#include <openssl/pem.h>

#include "ca/ceremony_adopt.h"
#include "ca/ceremony_parts.h"
#include "ca/extension.h"
#include "ca/key.h"
#include "conf/base/private_key.h"

static enum err_code find_key(const struct ceremony_request_order *order, EVP_PKEY **ret_key,
                              struct err *err)
{
    if (order->key.uri == NULL) {
        const struct key_kind *kind =
            order->ca_key != NULL ? ceremony_kind(order->ca_key) : ceremony_default_kind();
        return ceremony_make_key(kind, ret_key, err);
    }
    CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *key = NULL;
    enum err_code code = private_key_load(order->key.uri, order->key.pin_file, &key, err);
    if (code == ERR_OK) {
        code = ceremony_check_key(key, false, err);
    }
    if (code == ERR_OK) {
        *ret_key = key;
        key = NULL;
    }
    return code;
}

static enum err_code push(STACK_OF(X509_EXTENSION) * extensions, X509_EXTENSION *take_extension,
                          struct err *err)
{
    if (sk_X509_EXTENSION_push(extensions, take_extension) == 0) {
        X509_EXTENSION_free(take_extension);
        return err_set_openssl(err, ERR_NOMEM, "no memory for a request");
    }
    return ERR_OK;
}

static enum err_code add_extensions(X509_REQ *request, struct err *err)
{
    CLEANUP(cleanup_free_extension_stack)
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    X509_EXTENSION *extension = NULL;
    if (extensions == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for a request");
    }
    enum err_code code = extension_basic_constraints(ISSUING_PATH_LEN, &extension, err);
    if (code == ERR_OK) {
        code = push(extensions, extension, err);
    }
    if (code == ERR_OK) {
        code = extension_key_usage(ceremony_issuing_usage(false), &extension, err);
    }
    if (code == ERR_OK) {
        code = push(extensions, extension, err);
    }
    if (code == ERR_OK && X509_REQ_add_extensions(request, extensions) != 1) {
        code = err_set_openssl(err, ERR_CRYPTO, "cannot build a request");
    }
    return code;
}

static enum err_code sign(X509_REQ *request, EVP_PKEY *key, struct err *err)
{
    const char *digest = key_digest_name(key);
    if (digest == NULL || X509_REQ_sign(request, key, EVP_get_digestbyname(digest)) <= 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot sign a request");
    }
    return ERR_OK;
}

static enum err_code build(const struct ceremony_request_order *order, EVP_PKEY *key,
                           X509_REQ *request, struct err *err)
{
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *subject = NULL;
    enum err_code code =
        ceremony_make_name(order->organization, CEREMONY_ISSUING_NAME, &subject, err);
    if (code != ERR_OK) {
        return code;
    }
    if (X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_subject_name(request, subject) != 1 ||
        X509_REQ_set_pubkey(request, key) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot build a request");
    }
    code = add_extensions(request, err);
    return code == ERR_OK ? sign(request, key, err) : code;
}

static enum err_code to_pem(X509_REQ *request, struct buf *ret_pem, struct err *err)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL || PEM_write_bio_X509_REQ(bio, request) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode a request");
    }
    return ossl_bio_to_buf(bio, ret_pem, err);
}

static enum err_code check_order(const struct ceremony_request_order *order, struct err *err)
{
    if (order->ca_key != NULL && ceremony_check_kind(order->ca_key, err) != ERR_OK) {
        return ERR_CONFIG;
    }
    return ceremony_check_organization(order->organization, err);
}

static enum err_code make(const struct ceremony_request_order *order, struct ceremony_request *made,
                          struct err *err)
{
    CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *key = NULL;
    CLEANUP(cleanup_X509_REQ_free) X509_REQ *request = X509_REQ_new();
    if (request == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for a request");
    }
    enum err_code code = find_key(order, &key, err);
    if (code == ERR_OK) {
        code = build(order, key, request, err);
    }
    if (code == ERR_OK) {
        code = to_pem(request, &made->csr, err);
    }
    return code == ERR_OK && order->key.uri == NULL ? ceremony_key_to_pem(key, &made->key, err)
                                                    : code;
}

enum err_code ceremony_request(const struct ceremony_request_order *order,
                               struct ceremony_request *ret_request, struct err *err)
{
    struct ceremony_request made = {0};
    ERR_clear_error();
    enum err_code code = check_order(order, err);
    if (code == ERR_OK) {
        code = make(order, &made, err);
    }
    if (code == ERR_OK) {
        *ret_request = made;
    } else {
        ceremony_request_done(&made);
    }
    return code;
}

void ceremony_request_done(struct ceremony_request *request)
{
    buf_wipe(&request->key);
    buf_done(&request->csr);
    *request = (struct ceremony_request){0};
}
