// SPDX-License-Identifier: Apache-2.0
#include "ra/fetch.h"

#include <string.h>

DEFINE_CLEANUP(PKCS7_ISSUER_AND_SERIAL *, PKCS7_ISSUER_AND_SERIAL_free);

enum err_code fetch_parse(struct view der, struct fetch_query *ret_query, struct err *err)
{
    const unsigned char *end = der.data;
    CLEANUP(cleanup_PKCS7_ISSUER_AND_SERIAL_free)
    PKCS7_ISSUER_AND_SERIAL *asked = d2i_PKCS7_ISSUER_AND_SERIAL(NULL, &end, (long)der.len);
    if (asked == NULL || end != der.data + der.len) {
        return err_set_openssl(err, ERR_BAD_REQUEST, "not exactly one IssuerAndSerialNumber");
    }
    struct fetch_query query = {.issuer = asked->issuer};
    struct view serial = ossl_string_view(asked->serial);
    asked->issuer = NULL;
    query.has_serial = asked->serial->type == V_ASN1_INTEGER && serial.len == SERIAL_LEN;
    if (query.has_serial) {
        memcpy(query.serial, serial.data, SERIAL_LEN);
    }
    *ret_query = query;
    return ERR_OK;
}

void fetch_query_done(struct fetch_query *query)
{
    X509_NAME_free(query->issuer);
    *query = (struct fetch_query){0};
}

static bool is_name(const X509_NAME *name, const struct fetch_query *query)
{
    return query->issuer != NULL && X509_NAME_cmp(name, query->issuer) == 0;
}

// CAs before and after a rollover may have one name.
static bool is_asked_for(const struct store_certificate *certificate,
                         const struct generations *generations, const struct fetch_query *query)
{
    for (unsigned i = 0; i < generations->count; i++) {
        const struct generation *generation = &generations->list[i];
        if (memcmp(generation->id, certificate->issuer, SHA256_LEN) == 0) {
            return is_name(X509_get_subject_name(generation->cert), query);
        }
    }
    return false;
}

enum err_code fetch_certificate(struct store *store, const struct generations *generations,
                                const struct fetch_query *query, struct store_certificate *ret_cert,
                                struct err *err)
{
    struct store_certificate found = {0};
    enum err_code code = store_find_serial(store, query->serial, &found, err);
    if (code != ERR_OK) {
        return code;
    }
    if (!query->has_serial || !is_asked_for(&found, generations, query)) {
        store_certificate_done(&found);
        return err_set(err, ERR_NOT_FOUND, "no certificate of that issuer and serial number");
    }
    *ret_cert = found;
    return ERR_OK;
}

// sscep asks by the name of the RA, of its issuer or of the CA above that, as it was called.
static bool is_behind(const struct recipient *recipient, const struct generations *generations,
                      const struct fetch_query *query)
{
    if (is_name(X509_get_subject_name(recipient->cert), query) ||
        is_name(X509_get_issuer_name(recipient->cert), query)) {
        return true;
    }
    for (unsigned i = 0; i < generations->count; i++) {
        const struct generation *generation = &generations->list[i];
        if (memcmp(generation->id, recipient->issuer, SHA256_LEN) == 0) {
            return is_name(X509_get_issuer_name(generation->cert), query);
        }
    }
    return false;
}

enum err_code fetch_crl(struct store *store, const struct generations *generations,
                        const struct recipient *recipient, const struct fetch_query *query,
                        struct store_crl *ret_crl, struct err *err)
{
    enum err_code code = err_set(err, ERR_NOT_FOUND, "no CRL of that issuer");
    for (unsigned i = 0; i < generations->count && code == ERR_NOT_FOUND; i++) {
        if (is_name(X509_get_subject_name(generations->list[i].cert), query)) {
            code = store_find_crl(store, generations->list[i].id, ret_crl, err);
        }
    }
    if (code == ERR_NOT_FOUND && is_behind(recipient, generations, query)) {
        code = store_find_crl(store, recipient->issuer, ret_crl, err);
    }
    return code;
}
