// SPDX-License-Identifier: Apache-2.0
// The issuing CA. Everything OpenSSL computes lazily about the CA certificate is computed here at
// start, before threads share it.
#include "ca/authority.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "ca/issue.h"
#include "conf/limits.h"

struct authority {
    atomic_uint references;
    X509 *cert;
    struct ca_key *key;
    struct profile *phone;
    struct csr_rules csr;
    int64_t not_after;
};

static enum err_code load_certificate(const char *path, X509 **ret_cert, struct err *err)
{
    CLEANUP(cleanup_OSSL_STORE_close)
    OSSL_STORE_CTX *store = OSSL_STORE_open(path, NULL, NULL, NULL, NULL);
    if (store == NULL || OSSL_STORE_expect(store, OSSL_STORE_INFO_CERT) != 1) {
        return err_set_openssl(err, ERR_CONFIG, "cannot open the CA certificate %s", path);
    }
    while (!OSSL_STORE_eof(store)) {
        CLEANUP(cleanup_OSSL_STORE_INFO_free) OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        X509 *cert = info != NULL ? OSSL_STORE_INFO_get1_CERT(info) : NULL;
        if (cert != NULL) {
            ERR_clear_error(); // what loaders of other formats left behind
            *ret_cert = cert;
            return ERR_OK;
        }
        if (OSSL_STORE_error(store)) {
            break;
        }
    }
    return err_set_openssl(err, ERR_CONFIG, "no certificate can be read from %s", path);
}

static enum err_code check_usage(X509 *cert, struct err *err)
{
    uint32_t flags = X509_get_extension_flags(cert);
    if ((flags & EXFLAG_INVALID) != 0) {
        return err_set_openssl(err, ERR_CONFIG, "the CA certificate has malformed extensions");
    }
    if ((flags & EXFLAG_CA) == 0) {
        return err_set(err, ERR_CONFIG, "the CA certificate is not a CA's (basicConstraints)");
    }
    if ((flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(cert) & KU_KEY_CERT_SIGN) == 0) {
        return err_set(err, ERR_CONFIG, "the CA certificate's keyUsage lacks keyCertSign");
    }
    if (X509_NAME_entry_count(X509_get_subject_name(cert)) == 0) {
        return err_set(err, ERR_CONFIG, "the CA certificate's subject is empty");
    }
    return ERR_OK;
}

static enum err_code check_time(const X509 *cert, int64_t now, int64_t *ret_not_after,
                                struct err *err)
{
    int64_t not_before = 0;
    int64_t not_after = 0;
    if (issue_time_of(X509_get0_notBefore(cert), &not_before, err) != ERR_OK ||
        issue_time_of(X509_get0_notAfter(cert), &not_after, err) != ERR_OK) {
        return err_set(err, ERR_CONFIG, "the CA certificate's validity cannot be read");
    }
    if (now < not_before) {
        return err_set(err, ERR_CONFIG, "the CA certificate is not valid yet");
    }
    if (now >= not_after) {
        return err_set(err, ERR_CONFIG, "the CA certificate has expired");
    }
    *ret_not_after = not_after;
    return ERR_OK;
}

static enum err_code check(struct authority *authority, int64_t now, struct err *err)
{
    if (!ca_key_matches(authority->key, authority->cert)) {
        return err_set(err, ERR_CONFIG, "the CA key does not belong to the CA certificate");
    }
    enum err_code code = check_usage(authority->cert, err);
    return code == ERR_OK ? check_time(authority->cert, now, &authority->not_after, err) : code;
}

static void free_authority(struct authority *authority)
{
    X509_free(authority->cert);
    ca_key_free(authority->key);
    profile_free(authority->phone);
    free(authority);
}

enum err_code authority_new(X509 *take_cert, struct ca_key *take_key,
                            const struct authority_settings *settings, int64_t now,
                            struct authority **ret_authority, struct err *err)
{
    struct authority *authority = calloc(1, sizeof *authority);
    if (authority == NULL) {
        X509_free(take_cert);
        ca_key_free(take_key);
        return err_set(err, ERR_NOMEM, "no memory for a CA");
    }
    atomic_init(&authority->references, 1);
    authority->cert = take_cert;
    authority->key = take_key;
    authority->csr = settings->csr;
    enum err_code code = check(authority, now, err);
    if (code == ERR_OK) {
        code = profile_new_phone(&settings->phone, authority->cert, &authority->phone, err);
    }
    if (code != ERR_OK) {
        free_authority(authority);
        return code;
    }
    *ret_authority = authority;
    return ERR_OK;
}

enum err_code authority_load(const struct authority_settings *settings, int64_t now,
                             struct authority **ret_authority, struct err *err)
{
    CLEANUP(cleanup_X509_free) X509 *cert = NULL;
    enum err_code code = load_certificate(settings->certificate, &cert, err);
    if (code != ERR_OK) {
        return code;
    }
    struct ca_key *key = NULL;
    code = ca_key_open(settings->key, settings->pin_file, &key, err);
    if (code != ERR_OK) {
        return code;
    }
    X509 *taken = cert;
    cert = NULL;
    return authority_new(taken, key, settings, now, ret_authority, err);
}

struct authority *authority_ref(struct authority *authority)
{
    atomic_fetch_add(&authority->references, 1);
    return authority;
}

void authority_unref(struct authority *authority)
{
    if (authority != NULL && atomic_fetch_sub(&authority->references, 1) == 1) {
        free_authority(authority);
    }
}

static enum err_code find_profile(const struct authority *authority, enum issue_profile id,
                                  const struct profile **ret_profile, struct err *err)
{
    if (id != PROFILE_PHONE) {
        return err_set(err, ERR_DENIED, "no profile %d", (int)id);
    }
    *ret_profile = authority->phone;
    return ERR_OK;
}

static void copy_common_name(const X509 *cert, struct authority_issued *issued)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    CLEANUP(buf_done) struct buf text = {0};
    if (at < 0 || ossl_string_to_utf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)),
                                      &text, NULL) != ERR_OK) {
        return;
    }
    size_t len = text.len < LIMIT_NAME_VALUE ? text.len : LIMIT_NAME_VALUE;
    memcpy(issued->common_name, text.data, len);
}

static enum err_code describe(const X509 *cert, const struct csr *csr,
                              struct authority_issued *ret_issued, struct err *err)
{
    struct authority_issued issued = {0};
    struct view serial = ossl_string_view(X509_get0_serialNumber(cert));
    if (serial.len != sizeof issued.serial) {
        return err_set(err, ERR_INTERNAL, "a serial number of %zu octets", serial.len);
    }
    memcpy(issued.serial, serial.data, serial.len);
    key_describe(csr_key(csr), issued.key_type);
    copy_common_name(cert, &issued);
    enum err_code code = issue_time_of(X509_get0_notAfter(cert), &issued.not_after, err);
    if (code == ERR_OK) {
        *ret_issued = issued;
    }
    return code;
}

static enum err_code encode(const X509 *cert, struct buf *ret_der, struct err *err)
{
    CLEANUP(buf_done) struct buf der = {0};
    enum err_code code = ossl_cert_to_der(cert, &der, err);
    if (code != ERR_OK) {
        return code;
    }
    if (der.len > LIMIT_CERT_LEN) {
        return err_set(err, ERR_BAD_REQUEST, "the certificate would have %zu octets; allowed: %d",
                       der.len, LIMIT_CERT_LEN);
    }
    *ret_der = der;
    der = (struct buf){0};
    return ERR_OK;
}

enum err_code authority_issue(const struct authority *authority, const struct issue_order *order,
                              int64_t now, struct buf *ret_der, struct authority_issued *ret_issued,
                              struct err *err)
{
    ERR_clear_error();
    struct issue issue = {
        .issuer = authority->cert, .key = authority->key, .order = order, .now = now};
    enum err_code code = find_profile(authority, order->profile, &issue.profile, err);
    CLEANUP(cleanup_csr_free) struct csr *csr = NULL;
    if (code == ERR_OK) {
        code = csr_read(order->csr, &authority->csr, &csr, err);
    }
    issue.csr = csr;
    CLEANUP(cleanup_X509_free) X509 *cert = NULL;
    if (code == ERR_OK) {
        code = issue_certificate(&issue, &cert, err);
    }
    struct authority_issued issued;
    if (code == ERR_OK) {
        code = describe(cert, csr, &issued, err);
    }
    if (code == ERR_OK) {
        code = encode(cert, ret_der, err);
    }
    if (code == ERR_OK) {
        *ret_issued = issued;
    }
    return code;
}

const char *authority_key_type(const struct authority *authority)
{
    return ca_key_type(authority->key);
}

int64_t authority_not_after(const struct authority *authority)
{
    return authority->not_after;
}
