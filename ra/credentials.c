// SPDX-License-Identifier: Apache-2.0
#include "ra/credentials.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "conf/base/file.h"
#include "conf/base/private_key.h"
#include "conf/keys.h"
#include "conf/limits.h"
#include "ra/certs_only.h"

#define CHAIN_MAX    10 // certificates from the RA's to the root
#define PEM_BEGIN    "-----BEGIN"
#define RA_KEY_USAGE (KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT) // RFC 8894, 2.1.2
#define CA_ITEMS_MAX (SETTINGS_LIST_MAX + CHAIN_MAX)

void credentials_free(struct credentials *credentials)
{
    if (credentials != NULL) {
        X509_free(credentials->ra_cert);
        EVP_PKEY_free(credentials->ra_key);
        X509_free(credentials->issuing_cert);
        free_cert_stack(credentials->upper);
        free(credentials);
    }
}
DEFINE_CLEANUP(struct credentials *, credentials_free);

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
    return code == ERR_OK ? push_cert(certs, cert, err) : code;
}

// The certificates of a PEM file, or the one of a DER file; at least one.
static enum err_code load_certs(const char *path, STACK_OF(X509) * certs, struct err *err)
{
    struct buf content = {0};
    enum err_code code = file_read(path, LIMIT_FILE_LEN, &content, err);
    if (code != ERR_OK) {
        return code;
    }
    if (content.len > 0) {
        code = parse_certs(buf_view(&content), certs, err);
    }
    buf_done(&content);
    if (code == ERR_OK && sk_X509_num(certs) == 0) {
        code = err_set(err, ERR_CONFIG, "no certificate in it");
    }
    if (code != ERR_OK && code != ERR_NOMEM) {
        err->code = ERR_CONFIG;
        return err_prefix(err, "%s", path);
    }
    return code;
}

static enum err_code load_cert(const char *path, X509 **ret_cert, struct err *err)
{
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *certs = sk_X509_new_null();
    if (certs == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for certificates");
    }
    enum err_code code = load_certs(path, certs, err);
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

static bool is_self_issued(const X509 *cert)
{
    return X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0;
}

static X509 *take_issuer(STACK_OF(X509) * pool, X509 *cert)
{
    for (int i = 0; i < sk_X509_num(pool); i++) {
        if (X509_check_issued(sk_X509_value(pool, i), cert) == X509_V_OK) {
            return sk_X509_delete(pool, i);
        }
    }
    return NULL;
}

static void drop_copies(STACK_OF(X509) * pool, const X509 *cert)
{
    for (int i = sk_X509_num(pool) - 1; i >= 0; i--) {
        if (X509_cmp(sk_X509_value(pool, i), cert) == 0) {
            X509_free(sk_X509_delete(pool, i));
        }
    }
}

// Moves certificates from `pool` to credentials->upper, from the issuing CA's issuer to the root.
static enum err_code order_chain(struct credentials *credentials, STACK_OF(X509) * pool,
                                 const char *path, struct err *err)
{
    X509 *top = credentials->issuing_cert;
    drop_copies(pool, top);
    while (!is_self_issued(top)) {
        X509 *issuer = take_issuer(pool, top);
        if (issuer == NULL) {
            return err_set(err, ERR_CONFIG,
                           "%s: the chain from the issuing CA does not reach a root", path);
        }
        if (sk_X509_num(credentials->upper) >= CHAIN_MAX) {
            X509_free(issuer);
            return err_set(err, ERR_CONFIG, "%s: a chain of more than %d certificates", path,
                           CHAIN_MAX);
        }
        enum err_code code = push_cert(credentials->upper, issuer, err);
        if (code != ERR_OK) {
            return code;
        }
        drop_copies(pool, issuer);
        top = issuer;
    }
    if (sk_X509_num(pool) > 0) {
        return err_set(err, ERR_CONFIG, "%s: %d certificates that are not above the issuing CA",
                       path, sk_X509_num(pool));
    }
    return ERR_OK;
}

static enum err_code load_upper(const struct settings *settings, struct credentials *credentials,
                                struct err *err)
{
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *pool = sk_X509_new_null();
    credentials->upper = sk_X509_new_null();
    if (pool == NULL || credentials->upper == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for certificates");
    }
    const char *path = settings->ca.root != NULL ? settings->ca.root : settings->ca.certificate;
    if (settings->ca.root != NULL) {
        enum err_code code = load_certs(path, pool, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return order_chain(credentials, pool, path, err);
}

static enum err_code check_ra(const struct settings *settings,
                              const struct credentials *credentials, struct err *err)
{
    X509 *cert = credentials->ra_cert;
    const char *path = settings->ra.certificate;
    if (keys_check_client(X509_get0_pubkey(cert), err) != ERR_OK) {
        err->code = ERR_CONFIG;
        return err_prefix(err, "%s", path);
    }
    if (X509_check_private_key(cert, credentials->ra_key) != 1) {
        return err_set_openssl(err, ERR_CONFIG, "%s: not the certificate of the RA's key", path);
    }
    if (X509_check_ca(cert) != 0) {
        return err_set(err, ERR_CONFIG, "%s: a CA certificate; the RA's must not be one", path);
    }
    bool has_usage = (X509_get_extension_flags(cert) & EXFLAG_KUSAGE) != 0;
    if (!has_usage || (X509_get_key_usage(cert) & RA_KEY_USAGE) != RA_KEY_USAGE) {
        return err_set(err, ERR_CONFIG,
                       "%s: KeyUsage must have digitalSignature and keyEncipherment", path);
    }
    return ERR_OK;
}

// `cert`, which `path` names, chains to the root and is valid now, as is what stands between.
static enum err_code check_chain(const struct credentials *credentials, X509 *cert,
                                 const char *path, int64_t now, struct err *err)
{
    CLEANUP(cleanup_X509_STORE_free) X509_STORE *store = X509_STORE_new();
    CLEANUP(cleanup_X509_STORE_CTX_free) X509_STORE_CTX *context = X509_STORE_CTX_new();
    CLEANUP(cleanup_free_cert_stack)
    STACK_OF(X509) *between = X509_chain_up_ref(credentials->upper);
    if (store == NULL || context == NULL || between == NULL ||
        X509_STORE_add_cert(store, (X509 *)credentials_root(credentials)) != 1 ||
        X509_add_cert(between, credentials->issuing_cert, X509_ADD_FLAG_UP_REF) != 1 ||
        X509_STORE_CTX_init(context, store, cert, between) != 1) {
        return err_set_openssl(err, ERR_NOMEM, "no memory to check certificates");
    }
    X509_STORE_CTX_set_time(context, 0, (time_t)now);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_CHECK_SS_SIGNATURE);
    if (X509_verify_cert(context) != 1) {
        int error = X509_STORE_CTX_get_error(context);
        ERR_clear_error();
        return err_set(err, ERR_CONFIG, "%s: does not chain to the root: %s", path,
                       X509_verify_cert_error_string(error));
    }
    return ERR_OK;
}

static enum err_code check_all(const struct settings *settings,
                               const struct credentials *credentials, int64_t now, struct err *err)
{
    enum err_code code = check_ra(settings, credentials, err);
    if (code != ERR_OK) {
        return code;
    }
    if (X509_check_ca(credentials->issuing_cert) != 1) {
        return err_set(err, ERR_CONFIG, "%s: not a CA certificate", settings->ca.certificate);
    }
    code = check_chain(credentials, credentials->issuing_cert, settings->ca.certificate, now, err);
    if (code == ERR_OK) {
        code = check_chain(credentials, credentials->ra_cert, settings->ra.certificate, now, err);
    }
    return code;
}

static enum err_code load_all(const struct settings *settings, struct credentials *credentials,
                              struct err *err)
{
    enum err_code code = load_cert(settings->ra.certificate, &credentials->ra_cert, err);
    if (code == ERR_OK) {
        code = load_cert(settings->ca.certificate, &credentials->issuing_cert, err);
    }
    if (code == ERR_OK) {
        code = load_upper(settings, credentials, err);
    }
    if (code == ERR_OK) {
        code = private_key_load(settings->ra.key, settings->ra.pin_file, &credentials->ra_key, err);
    }
    return code;
}

enum err_code credentials_load(const struct settings *settings, int64_t now,
                               struct credentials **ret_credentials, struct err *err)
{
    ERR_clear_error();
    CLEANUP(cleanup_credentials_free)
    struct credentials *credentials = calloc(1, sizeof *credentials);
    if (credentials == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for credentials");
    }
    enum err_code code = load_all(settings, credentials, err);
    if (code == ERR_OK) {
        code = check_all(settings, credentials, now, err);
    }
    if (code == ERR_OK) {
        *ret_credentials = credentials;
        credentials = NULL;
    }
    return code;
}

const X509 *credentials_root(const struct credentials *credentials)
{
    int count = sk_X509_num(credentials->upper);
    return count > 0 ? sk_X509_value(credentials->upper, count - 1) : credentials->issuing_cert;
}

// What GetCACert lists, borrowed.
struct ca_list {
    const X509 *certs[CA_ITEMS_MAX];
    size_t count;
    int64_t now;
};

static bool is_valid_at(const X509 *cert, int64_t now)
{
    time_t at = (time_t)now;
    return X509_cmp_time(X509_get0_notBefore(cert), &at) < 0 &&
           X509_cmp_time(X509_get0_notAfter(cert), &at) > 0;
}

static void list_cert(struct ca_list *list, const X509 *cert)
{
    for (size_t i = 0; i < list->count; i++) {
        if (X509_cmp(list->certs[i], cert) == 0) {
            return;
        }
    }
    if (is_valid_at(cert, list->now) && list->count < CA_ITEMS_MAX) {
        list->certs[list->count++] = cert;
    }
}

static void list_item(struct ca_list *list, const struct credentials *credentials,
                      enum settings_ca_item item)
{
    switch (item) {
    case SETTINGS_CA_ITEM_RA:
        list_cert(list, credentials->ra_cert);
        break;
    case SETTINGS_CA_ITEM_ISSUING:
        list_cert(list, credentials->issuing_cert);
        break;
    case SETTINGS_CA_ITEM_ROOT:
        // With what stands between: a root that nothing leads to is of no use.
        for (int i = 0; i < sk_X509_num(credentials->upper); i++) {
            list_cert(list, sk_X509_value(credentials->upper, i));
        }
        list_cert(list, credentials_root(credentials));
        break;
    }
}

static enum err_code encode_list(const struct ca_list *list, struct buf *ret_body, struct err *err)
{
    struct buf encoded[CA_ITEMS_MAX] = {0};
    struct view views[CA_ITEMS_MAX];
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < list->count; i++) {
        code = ossl_cert_to_der(list->certs[i], &encoded[i], err);
        views[i] = buf_view(&encoded[i]);
    }
    if (code == ERR_OK) {
        code = certs_only_encode(views, list->count, ret_body, err);
    }
    for (size_t i = 0; i < list->count; i++) {
        buf_done(&encoded[i]);
    }
    return code;
}

enum err_code credentials_get_ca_cert(const struct credentials *credentials,
                                      const struct settings *settings, int64_t now,
                                      struct buf *ret_body, bool *ret_is_single, struct err *err)
{
    struct ca_list list = {.now = now};
    ERR_clear_error();
    for (uint32_t i = 0; i < settings->scep.get_ca_cert_count; i++) {
        list_item(&list, credentials, (enum settings_ca_item)settings->scep.get_ca_cert[i]);
    }
    if (list.count == 0) {
        return err_set(err, ERR_BAD_TIME, "no certificate for GetCACert is valid at present");
    }
    enum err_code code = list.count == 1 ? ossl_cert_to_der(list.certs[0], ret_body, err)
                                         : encode_list(&list, ret_body, err);
    if (code == ERR_OK) {
        *ret_is_single = list.count == 1;
    }
    return code;
}

const char *credentials_get_ca_caps(const struct settings *settings, char text[CAPABILITIES_LEN])
{
    const struct {
        const char *keyword; // RFC 8894, table 7, but SHA-384
        bool is_true;
    } capabilities[] = {
        {"AES", true},
        {"DES3", settings->algorithms.des3},
        {"POSTPKIOperation", true},
        {"SHA-1", settings->algorithms.sha1},
        {"SHA-256", true},
        {"SHA-384", true},
        {"SHA-512", true},
        // What it promises excludes single DES and MD5.
        {"SCEPStandard", !settings->algorithms.legacy},
    };
    char *end = text;
    *end = '\0';
    for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++) {
        if (capabilities[i].is_true) {
            end = stpcpy(end, capabilities[i].keyword);
            end = stpcpy(end, "\n");
        }
    }
    return text;
}
