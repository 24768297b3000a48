// SPDX-License-Identifier: Apache-2.0
// One CA. Everything OpenSSL computes lazily about its certificate is computed here when it is
// loaded, before threads share it.
#include "ca/authority.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "ca/crl.h"
#include "ca/issue.h"
#include "ca/profiles.h"
#include "conf/limits.h"

struct authority {
    enum generation_role role;
    uint8_t id[SHA256_LEN];
    char name[GENERATION_NAME_LEN];
    X509 *cert;
    struct ca_key *key;
    struct profiles *profiles;
    uint32_t crl_hours;
    int64_t not_after;
};

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

static enum err_code check_time(struct authority *authority, int64_t now, struct err *err)
{
    int64_t not_before = 0;
    if (issue_time_of(X509_get0_notBefore(authority->cert), &not_before, err) != ERR_OK ||
        issue_time_of(X509_get0_notAfter(authority->cert), &authority->not_after, err) != ERR_OK) {
        return err_set(err, ERR_CONFIG, "the CA certificate's validity cannot be read");
    }
    if (authority->role == GENERATION_CURRENT && now < not_before) {
        return err_set(err, ERR_CONFIG, "the CA certificate is not valid yet");
    }
    if (authority->role != GENERATION_OLD && now >= authority->not_after) {
        return err_set(err, ERR_CONFIG, "the CA certificate has expired");
    }
    return ERR_OK;
}

// RFC 8894, 2.1.2 and 3.1: who answers SCEP decrypts and signs.
static enum err_code check_direct(const struct authority *authority, struct err *err)
{
    const uint32_t both = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
    if (!EVP_PKEY_is_a(X509_get0_pubkey(authority->cert), "RSA")) {
        return err_set(err, ERR_CONFIG,
                       "a CA key of type %s; scep.topology \"direct\" needs an RSA key",
                       ca_key_type(authority->key));
    }
    if ((X509_get_key_usage(authority->cert) & both) != both) {
        return err_set(err, ERR_CONFIG,
                       "the CA certificate's keyUsage lacks digitalSignature or keyEncipherment, "
                       "which scep.topology \"direct\" needs");
    }
    return ERR_OK;
}

static enum err_code check(struct authority *authority, const struct settings *settings,
                           int64_t now, struct err *err)
{
    if (!ca_key_matches(authority->key, authority->cert)) {
        return err_set(err, ERR_CONFIG, "the CA key does not belong to the CA certificate");
    }
    enum err_code code = check_usage(authority->cert, err);
    if (code == ERR_OK) {
        code = check_time(authority, now, err);
    }
    bool is_direct =
        settings->scep.topology == SETTINGS_TOPOLOGY_DIRECT && authority->role != GENERATION_OLD;
    return code == ERR_OK && is_direct ? check_direct(authority, err) : code;
}

void authority_free(struct authority *authority)
{
    if (authority != NULL) {
        X509_free(authority->cert);
        ca_key_free(authority->key);
        profiles_free(authority->profiles);
        free(authority);
    }
}

static void fill(struct authority *authority, const struct settings *settings,
                 const struct generation *generation)
{
    authority->role = generation->role;
    memcpy(authority->id, generation->id, sizeof authority->id);
    memcpy(authority->name, generation->name, sizeof authority->name);
    X509_up_ref(generation->cert);
    authority->cert = generation->cert;
    authority->crl_hours = settings->ca.crl_hours;
}

enum err_code authority_load(const struct settings *settings, const struct generation *generation,
                             int64_t now, struct authority **ret_authority, struct err *err)
{
    CLEANUP(cleanup_authority_free) struct authority *authority = calloc(1, sizeof *authority);
    if (authority == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a CA");
    }
    fill(authority, settings, generation);
    enum err_code code = ca_key_open(generation->key, generation->pin_file, &authority->key, err);
    if (code == ERR_OK) {
        code = check(authority, settings, now, err);
    }
    const struct profiles_plan plan = {.settings = settings,
                                       .role = authority->role,
                                       .name = authority->name,
                                       .issuer = authority->cert};
    if (code == ERR_OK) {
        code = profiles_new(&plan, &authority->profiles, err);
    }
    if (code == ERR_OK) {
        *ret_authority = authority;
        authority = NULL;
    }
    return code;
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
    enum err_code code = profiles_find(authority->profiles, order->profile, &issue.profile, err);
    CLEANUP(cleanup_csr_free) struct csr *csr = NULL;
    if (code == ERR_OK) {
        code = csr_read(order->csr, profiles_csr_rules(authority->profiles, order->profile), &csr,
                        err);
    }
    if (code == ERR_OK) {
        code = profiles_check_names(authority->profiles, csr, order, err);
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

enum err_code authority_sign_crl(const struct authority *authority,
                                 const struct authority_crl *order, struct buf *ret_der,
                                 struct err *err)
{
    if ((X509_get_key_usage(authority->cert) & KU_CRL_SIGN) == 0) {
        return err_set(err, ERR_DENIED, "the keyUsage of the CA %s lacks cRLSign", authority->name);
    }
    const struct crl_plan plan = {
        .issuer = authority->cert,
        .key = authority->key,
        .number = order->number,
        .now = order->now,
        .hours = authority->crl_hours,
        .entries = order->entries,
        .count = order->count,
    };
    return crl_build(&plan, ret_der, err);
}

static bool has_name(const struct authority *authority, const X509_NAME *name)
{
    return X509_NAME_cmp(X509_get_subject_name(authority->cert), name) == 0;
}

bool authority_has_issued(const struct authority *authority, X509 *cert)
{
    bool is_ours = has_name(authority, X509_get_issuer_name(cert)) &&
                   X509_verify(cert, X509_get0_pubkey(authority->cert)) == 1;
    ERR_clear_error();
    return is_ours;
}

bool authority_has_signed(const struct authority *authority, X509_CRL *crl)
{
    bool is_ours = has_name(authority, X509_CRL_get_issuer(crl)) &&
                   X509_CRL_verify(crl, X509_get0_pubkey(authority->cert)) == 1;
    ERR_clear_error();
    return is_ours;
}

enum generation_role authority_role(const struct authority *authority)
{
    return authority->role;
}

const uint8_t *authority_id(const struct authority *authority)
{
    return authority->id;
}

const char *authority_name(const struct authority *authority)
{
    return authority->name;
}

X509 *authority_cert(const struct authority *authority)
{
    return authority->cert;
}

const struct ca_key *authority_key(const struct authority *authority)
{
    return authority->key;
}

const char *authority_key_type(const struct authority *authority)
{
    return ca_key_type(authority->key);
}

int64_t authority_not_after(const struct authority *authority)
{
    return authority->not_after;
}
