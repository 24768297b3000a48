// SPDX-License-Identifier: Apache-2.0
#include "conf/cert_file.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "conf/base/file.h"
#include "conf/limits.h"

#define PEM_BEGIN "-----BEGIN"

static enum err_code push_cert(STACK_OF(X509) * certs, X509 *take_cert, struct err *err)
{
    if (sk_X509_push(certs, take_cert) <= 0) {
        X509_free(take_cert);
        return err_set_openssl(err, ERR_NOMEM, "no memory for certificates");
    }
    return ERR_OK;
}

static enum err_code parse_pem(struct view content, STACK_OF(X509) * certs, struct err *err)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new_mem_buf(content.data, (int)content.len);
    if (bio == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory to read certificates");
    }
    X509 *cert;
    while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        enum err_code code = push_cert(certs, cert, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    unsigned long error = ERR_peek_last_error();
    if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
        return err_set_openssl(err, ERR_CONFIG, "a malformed PEM certificate");
    }
    ERR_clear_error();
    return ERR_OK;
}

static enum err_code parse_certs(struct view content, STACK_OF(X509) * certs, struct err *err)
{
    if (memmem(content.data, content.len, PEM_BEGIN, strlen(PEM_BEGIN)) != NULL) {
        return parse_pem(content, certs, err);
    }
    X509 *cert = NULL;
    enum err_code code = ossl_cert_from_der(content, &cert, err);
    if (code == ERR_OK) {
        return push_cert(certs, cert, err);
    }
    return err != NULL ? err_prefix(err, "neither PEM nor DER, which are allowed") : code;
}

// What is wrong with a file's content is a wrong setting.
static enum err_code blame_file(enum err_code code, const char *path, struct err *err)
{
    if (code == ERR_OK || code == ERR_NOMEM) {
        return code;
    }
    if (err != NULL) {
        err->code = ERR_CONFIG;
        err_prefix(err, "%s", path);
    }
    return ERR_CONFIG;
}

enum err_code cert_file_read_all(const char *path, STACK_OF(X509) * certs, struct err *err)
{
    struct buf content = {0};
    int before = sk_X509_num(certs);
    ERR_clear_error();
    enum err_code code = file_read(path, LIMIT_FILE_LEN, &content, err);
    if (code == ERR_LIMIT) {
        return blame_file(code, "too long", err);
    }
    if (code != ERR_OK) {
        return code;
    }
    if (content.len > 0) {
        code = parse_certs(buf_view(&content), certs, err);
    }
    buf_done(&content);
    if (code == ERR_OK && sk_X509_num(certs) == before) {
        code = err_set(err, ERR_CONFIG, "no certificate in it; allowed are PEM and DER");
    }
    return blame_file(code, path, err);
}

enum err_code cert_file_read(const char *path, X509 **ret_cert, struct err *err)
{
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *certs = sk_X509_new_null();
    if (certs == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for certificates");
    }
    enum err_code code = cert_file_read_all(path, certs, err);
    if (code != ERR_OK) {
        return code;
    }
    if (sk_X509_num(certs) != 1) {
        return err_set(err, ERR_CONFIG, "%s: %d certificates; expected one", path,
                       sk_X509_num(certs));
    }
    *ret_cert = sk_X509_pop(certs);
    return ERR_OK;
}
