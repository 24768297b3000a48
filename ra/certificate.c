// SPDX-License-Identifier: Apache-2.0
#include "ra/certificate.h"

#include <openssl/asn1t.h>

#include "conf/limits.h"

// RFC 5280, 4.1: Validity
struct validity {
    ASN1_TIME *not_before;
    ASN1_TIME *not_after;
};

// RFC 5280, 4.1: TBSCertificate
struct tbs_certificate {
    ASN1_INTEGER *version;
    ASN1_INTEGER *serial;
    X509_ALGOR *signature;
    X509_NAME *issuer;
    struct validity *validity;
    X509_NAME *subject;
    ASN1_TYPE *spki;
    STACK_OF(X509_EXTENSION) * extensions;
};

// RFC 5280, 4.1: Certificate
struct certificate {
    struct tbs_certificate *tbs;
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *signature;
};

// clang-format off
ASN1_SEQUENCE(VALIDITY) = {
    ASN1_SIMPLE(struct validity, not_before, ASN1_TIME),
    ASN1_SIMPLE(struct validity, not_after, ASN1_TIME),
} static_ASN1_SEQUENCE_END_name(struct validity, VALIDITY)

// Without the unique identifiers, which we never issue.
ASN1_SEQUENCE(TBS_CERTIFICATE) = {
    ASN1_EXP_OPT(struct tbs_certificate, version, ASN1_INTEGER, 0),
    ASN1_SIMPLE(struct tbs_certificate, serial, ASN1_INTEGER),
    ASN1_SIMPLE(struct tbs_certificate, signature, X509_ALGOR),
    ASN1_SIMPLE(struct tbs_certificate, issuer, X509_NAME),
    ASN1_SIMPLE(struct tbs_certificate, validity, VALIDITY),
    ASN1_SIMPLE(struct tbs_certificate, subject, X509_NAME),
    ASN1_SIMPLE(struct tbs_certificate, spki, ASN1_ANY),
    ASN1_EXP_SEQUENCE_OF_OPT(struct tbs_certificate, extensions, X509_EXTENSION, 3),
} static_ASN1_SEQUENCE_END_name(struct tbs_certificate, TBS_CERTIFICATE)

ASN1_SEQUENCE(CERTIFICATE) = {
    ASN1_SIMPLE(struct certificate, tbs, TBS_CERTIFICATE),
    ASN1_SIMPLE(struct certificate, algorithm, X509_ALGOR),
    ASN1_SIMPLE(struct certificate, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END_name(struct certificate, CERTIFICATE)
    // clang-format on

    enum err_code
    certificate_parse(struct view der, struct certificate **ret_certificate, struct err *err)
{
    const unsigned char *end = der.data;
    CLEANUP(cleanup_certificate_free)
    struct certificate *certificate =
        (struct certificate *)ASN1_item_d2i(NULL, &end, (long)der.len, ASN1_ITEM_rptr(CERTIFICATE));
    if (certificate == NULL) {
        return err_set_openssl(err, ERR_SYNTAX, "not a DER certificate");
    }
    if (end != der.data + der.len) {
        return err_set(err, ERR_SYNTAX, "octets after the end of a certificate");
    }
    if (ASN1_TYPE_get(certificate->tbs->spki) != V_ASN1_SEQUENCE) {
        return err_set(err, ERR_SYNTAX, "a certificate without a public key");
    }
    *ret_certificate = certificate;
    certificate = NULL;
    return ERR_OK;
}

void certificate_free(struct certificate *certificate)
{
    ASN1_item_free((ASN1_VALUE *)certificate, ASN1_ITEM_rptr(CERTIFICATE));
}

struct view certificate_serial(const struct certificate *certificate)
{
    return ossl_string_view(certificate->tbs->serial);
}

struct view certificate_spki(const struct certificate *certificate)
{
    return ossl_string_view(certificate->tbs->spki->value.sequence);
}

const X509_NAME *certificate_subject(const struct certificate *certificate)
{
    return certificate->tbs->subject;
}

static enum err_code read_time(const ASN1_TIME *time, int64_t *ret_seconds, struct err *err)
{
    CLEANUP(cleanup_ASN1_TIME_free) ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0;
    int seconds = 0;
    if (epoch == NULL || ASN1_TIME_diff(&days, &seconds, epoch, time) != 1) {
        return err_set_openssl(err, ERR_SYNTAX, "a date that is none");
    }
    *ret_seconds = (int64_t)days * DAY_SEC + seconds;
    return ERR_OK;
}

enum err_code certificate_read_validity(const struct certificate *certificate,
                                        int64_t *ret_not_before, int64_t *ret_not_after,
                                        struct err *err)
{
    const struct validity *validity = certificate->tbs->validity;
    int64_t not_before = 0;
    enum err_code code = read_time(validity->not_before, &not_before, err);
    if (code == ERR_OK) {
        code = read_time(validity->not_after, ret_not_after, err);
    }
    if (code == ERR_OK) {
        *ret_not_before = not_before;
    }
    return code;
}
