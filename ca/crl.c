// SPDX-License-Identifier: Apache-2.0
// CRLs. A large one has hundreds of thousands of entries: each step of one costs the same however
// many there are, and their order is the caller's.
#include "ca/crl.h"

#include <time.h>

#include <openssl/err.h>

#include "ca/extension.h"
#include "conf/limits.h"

#define EARLIEST_SEC   (-631152000) // 1950-01-01: before it, UTCTime means another century
#define LATEST_SEC     253402300799 // 9999-12-31T23:59:59Z: what GeneralizedTime can say
#define FIRST_NEGATIVE 0x80         // an INTEGER that begins so is negative

DEFINE_CLEANUP(X509_CRL *, X509_CRL_free);
DEFINE_CLEANUP(X509_REVOKED *, X509_REVOKED_free);
DEFINE_CLEANUP(ASN1_INTEGER *, ASN1_INTEGER_free);

static enum err_code no_memory(struct err *err)
{
    return err_set_openssl(err, ERR_CRYPTO, "cannot build a CRL");
}

static enum err_code check_entry(const struct crl_entry *entry, struct err *err)
{
    if (entry->serial[0] == 0 || entry->serial[0] >= FIRST_NEGATIVE) {
        return err_set(err, ERR_BAD_REQUEST,
                       "a CRL entry for a serial number that begins with "
                       "%02X; ours begin with 01 to 7F",
                       entry->serial[0]);
    }
    if (!revocation_reason_is_known((unsigned)entry->reason)) {
        return err_set(err, ERR_BAD_REQUEST, "a CRL entry with the reason %u",
                       (unsigned)entry->reason);
    }
    if (entry->revoked_at < EARLIEST_SEC || entry->revoked_at > LATEST_SEC) {
        return err_set(err, ERR_BAD_REQUEST, "a CRL entry revoked at %lld seconds since 1970",
                       (long long)entry->revoked_at);
    }
    return ERR_OK;
}

static bool set_serial(X509_REVOKED *revoked, const struct crl_entry *entry)
{
    CLEANUP(cleanup_BN_free) BIGNUM *number = BN_bin2bn(entry->serial, SERIAL_LEN, NULL);
    CLEANUP(cleanup_ASN1_INTEGER_free)
    ASN1_INTEGER *serial = number != NULL ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    return serial != NULL && X509_REVOKED_set_serialNumber(revoked, serial) == 1;
}

static bool set_date(X509_REVOKED *revoked, const struct crl_entry *entry)
{
    CLEANUP(cleanup_ASN1_TIME_free)
    ASN1_TIME *date = ASN1_TIME_set(NULL, (time_t)entry->revoked_at);
    return date != NULL && X509_REVOKED_set_revocationDate(revoked, date) == 1;
}

static bool set_reason(X509_REVOKED *revoked, const struct crl_entry *entry)
{
    if (entry->reason == REVOCATION_UNSPECIFIED) {
        return true;
    }
    CLEANUP(cleanup_X509_EXTENSION_free) X509_EXTENSION *reason = NULL;
    return extension_crl_reason(entry->reason, &reason, NULL) == ERR_OK &&
           X509_REVOKED_add_ext(revoked, reason, -1) == 1;
}

static enum err_code add_entry(X509_CRL *crl, const struct crl_entry *entry, struct err *err)
{
    enum err_code code = check_entry(entry, err);
    if (code != ERR_OK) {
        return code;
    }
    CLEANUP(cleanup_X509_REVOKED_free) X509_REVOKED *revoked = X509_REVOKED_new();
    if (revoked == NULL || !set_serial(revoked, entry) || !set_date(revoked, entry) ||
        !set_reason(revoked, entry) || X509_CRL_add0_revoked(crl, revoked) != 1) {
        return no_memory(err);
    }
    revoked = NULL;
    return ERR_OK;
}

static enum err_code add_entries(const struct crl_plan *plan, X509_CRL *crl, struct err *err)
{
    if (plan->count > LIMIT_CRL_ENTRIES) {
        return err_set(err, ERR_LIMIT, "a CRL with %zu entries; allowed: %d", plan->count,
                       LIMIT_CRL_ENTRIES);
    }
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < plan->count; i++) {
        code = add_entry(crl, &plan->entries[i], err);
    }
    return code;
}

static enum err_code set_frame(const struct crl_plan *plan, X509_CRL *crl, struct err *err)
{
    int64_t next_update = plan->now + plan->hours * (int64_t)HOUR_SEC;
    CLEANUP(cleanup_ASN1_TIME_free) ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)plan->now);
    CLEANUP(cleanup_ASN1_TIME_free) ASN1_TIME *to = ASN1_TIME_set(NULL, (time_t)next_update);
    // The name is copied from the certificate's object, so that it is octet for octet the same.
    if (from == NULL || to == NULL || X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(plan->issuer)) != 1 ||
        X509_CRL_set1_lastUpdate(crl, from) != 1 || X509_CRL_set1_nextUpdate(crl, to) != 1) {
        return no_memory(err);
    }
    return ERR_OK;
}

static enum err_code add_extension(X509_CRL *crl, X509_EXTENSION *take_extension, struct err *err)
{
    CLEANUP(cleanup_X509_EXTENSION_free) X509_EXTENSION *extension = take_extension;
    return X509_CRL_add_ext(crl, extension, -1) == 1 ? ERR_OK : no_memory(err);
}

static enum err_code add_extensions(const struct crl_plan *plan, X509_CRL *crl, struct err *err)
{
    X509_EXTENSION *extension = NULL;
    enum err_code code = extension_authority_key_id(plan->issuer, &extension, err);
    if (code == ERR_OK) {
        code = add_extension(crl, extension, err);
    }
    if (code == ERR_OK) {
        code = extension_crl_number(plan->number, &extension, err);
    }
    return code == ERR_OK ? add_extension(crl, extension, err) : code;
}

static enum err_code encode(X509_CRL *crl, struct buf *ret_der, struct err *err)
{
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(crl, &der);
    if (len < 0) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode a CRL");
    }
    enum err_code code =
        len > LIMIT_CRL_LEN
            ? err_set(err, ERR_LIMIT, "a CRL of %d octets; allowed: %d", len, LIMIT_CRL_LEN)
            : buf_copy(view_of(der, (size_t)len), ret_der, err);
    OPENSSL_free(der);
    return code;
}

enum err_code crl_build(const struct crl_plan *plan, struct buf *ret_der, struct err *err)
{
    ERR_clear_error();
    CLEANUP(cleanup_X509_CRL_free) X509_CRL *crl = X509_CRL_new();
    if (crl == NULL) {
        return no_memory(err);
    }
    enum err_code code = set_frame(plan, crl, err);
    if (code == ERR_OK) {
        code = add_entries(plan, crl, err);
    }
    if (code == ERR_OK) {
        code = add_extensions(plan, crl, err);
    }
    if (code == ERR_OK) {
        code = ca_key_sign_crl(plan->key, crl, err);
    }
    return code == ERR_OK ? encode(crl, ret_der, err) : code;
}
