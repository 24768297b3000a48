// SPDX-License-Identifier: Apache-2.0
// Issues certificates. The issuer's name is copied from the CA certificate's object, so that it is
// octet for octet the same; everything else comes from the profile, the checked PKCS#10 and the
// order.
#include "ca/issue.h"

#include <time.h>

#include "ca/extension.h"
#include "ca/subject.h"
#include "conf/limits.h"

#define SERIAL_POSITIVE_BITS 0x7f // of the first octet: an INTEGER with the top bit is negative

enum err_code issue_random_up_to(uint64_t most, uint64_t *ret_value, struct err *err)
{
    uint64_t count = most + 1; // 0 when every value is wanted
    uint64_t usable = count != 0 ? UINT64_MAX - UINT64_MAX % count : UINT64_MAX;
    uint64_t drawn;
    do {
        enum err_code code = ossl_random(&drawn, sizeof drawn, err);
        if (code != ERR_OK) {
            return code;
        }
    } while (count != 0 && drawn >= usable); // the rest would favour small values
    *ret_value = count != 0 ? drawn % count : drawn;
    return ERR_OK;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

enum err_code issue_choose_validity(const struct issue_window *window, int64_t *ret_not_before,
                                    int64_t *ret_not_after, struct err *err)
{
    if (window->now < window->issuer_not_before || window->now >= window->issuer_not_after) {
        return err_set(err, ERR_CONFIG, "the CA certificate is not valid at present");
    }
    int64_t not_after = window->now + window->validity_sec - window->jitter_sec;
    if (window->max_validity_sec > 0) {
        not_after = smaller(not_after, window->now + window->max_validity_sec);
    }
    *ret_not_before = larger(window->now - BACKDATE_SEC, window->issuer_not_before);
    *ret_not_after = smaller(not_after, window->issuer_not_after);
    return ERR_OK;
}

enum err_code issue_time_of(const ASN1_TIME *time, int64_t *ret_time, struct err *err)
{
    return ossl_time_read(time, ret_time)
               ? ERR_OK
               : err_set_openssl(err, ERR_SYNTAX, "a time in a certificate that cannot be read");
}

static enum err_code set_serial(X509 *cert, struct err *err)
{
    uint8_t octets[SERIAL_LEN];
    do {
        enum err_code code = ossl_random(octets, sizeof octets, err);
        if (code != ERR_OK) {
            return code;
        }
        octets[0] &= SERIAL_POSITIVE_BITS;
    } while (octets[0] == 0); // DER would drop it, and the serial would be shorter
    CLEANUP(cleanup_BN_free) BIGNUM *number = BN_bin2bn(octets, sizeof octets, NULL);
    if (number == NULL || BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) == NULL) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot set a serial number");
    }
    return ERR_OK;
}

enum err_code issue_set_frame(X509 *cert, int64_t not_before, int64_t not_after, struct err *err)
{
    if (X509_set_version(cert, X509_VERSION_3) != 1 ||
        ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)not_before) == NULL ||
        ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)not_after) == NULL) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot set version and validity");
    }
    return set_serial(cert, err);
}

static enum err_code set_validity(const struct issue *issue, X509 *cert, struct err *err)
{
    struct issue_window window = {
        .now = issue->now,
        .validity_sec = profile_validity_sec(issue->profile),
        .max_validity_sec = issue->order->max_validity_sec,
    };
    enum err_code code =
        issue_time_of(X509_get0_notBefore(issue->issuer), &window.issuer_not_before, err);
    if (code == ERR_OK) {
        code = issue_time_of(X509_get0_notAfter(issue->issuer), &window.issuer_not_after, err);
    }
    uint64_t jitter = 0;
    if (code == ERR_OK) {
        code = issue_random_up_to((uint64_t)profile_jitter_sec(issue->profile), &jitter, err);
    }
    window.jitter_sec = (int64_t)jitter;
    int64_t not_before = 0;
    int64_t not_after = 0;
    if (code == ERR_OK) {
        code = issue_choose_validity(&window, &not_before, &not_after, err);
    }
    return code == ERR_OK ? issue_set_frame(cert, not_before, not_after, err) : code;
}

static enum err_code own_subject(const struct issue *issue, X509_NAME **ret_subject,
                                 struct err *err)
{
    if (issue->order->common_name.len > 0 || issue->order->san_count > 0) {
        return err_set(err, ERR_BAD_REQUEST, "an order with names; in this profile the CA names");
    }
    X509_NAME *subject = X509_NAME_dup(profile_subject(issue->profile));
    if (subject == NULL) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot build a name");
    }
    *ret_subject = subject;
    return ERR_OK;
}

static enum err_code set_names(const struct issue *issue, X509 *cert, struct err *err)
{
    const X509_NAME *issuer = X509_get_subject_name(issue->issuer);
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *subject = NULL;
    enum err_code code = profile_subject(issue->profile) != NULL
                             ? own_subject(issue, &subject, err)
                             : subject_build(csr_subject(issue->csr), issue->order->common_name,
                                             issuer, &subject, err);
    if (code != ERR_OK) {
        return code;
    }
    if (X509_set_subject_name(cert, subject) != 1 || X509_set_issuer_name(cert, issuer) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot set the names");
    }
    return ERR_OK;
}

static enum err_code set_key(const struct issue *issue, X509 *cert, struct err *err)
{
    X509_EXTENSION *extension = NULL;
    enum err_code code = csr_copy_key(issue->csr, cert, err);
    if (code == ERR_OK) {
        code = extension_subject_key_id(cert, &extension, err);
    }
    return code == ERR_OK ? extension_add(cert, extension, err) : code;
}

static enum err_code set_alt_names(const struct issue *issue, X509 *cert, struct err *err)
{
    CLEANUP(cleanup_GENERAL_NAMES_free) GENERAL_NAMES *names = NULL;
    enum err_code code =
        subject_alt_names(issue->order->sans, issue->order->san_count, &names, err);
    if (code != ERR_OK || names == NULL) {
        return code;
    }
    X509_EXTENSION *extension = NULL;
    code = extension_alt_names(names, &extension, err);
    return code == ERR_OK ? extension_add(cert, extension, err) : code;
}

enum err_code issue_certificate(const struct issue *issue, X509 **ret_cert, struct err *err)
{
    CLEANUP(cleanup_X509_free) X509 *cert = X509_new();
    if (cert == NULL) {
        return err_set_openssl(err, ERR_CRYPTO, "no memory for a certificate");
    }
    enum err_code code = set_validity(issue, cert, err);
    if (code == ERR_OK) {
        code = set_names(issue, cert, err);
    }
    if (code == ERR_OK) {
        code = set_key(issue, cert, err);
    }
    if (code == ERR_OK) {
        code = profile_add_extensions(issue->profile, cert, err);
    }
    if (code == ERR_OK) {
        code = set_alt_names(issue, cert, err);
    }
    if (code == ERR_OK) {
        code = ca_key_sign(issue->key, cert, err);
    }
    if (code == ERR_OK) {
        *ret_cert = cert;
        cert = NULL;
    }
    return code;
}
