// SPDX-License-Identifier: Apache-2.0
// GetCert and GetCRL (RFC 8894, 3.3.4): what is asked for, and finding it.
#pragma once

#include "conf/base/ossl.h"
#include "ra/credentials.h"
#include "ra/store/store.h"

// What messageData asks for. {0} asks for nothing that there is.
struct fetch_query {
    X509_NAME *issuer; // owned
    bool has_serial;   // the serial number has the form of ours
    uint8_t serial[SERIAL_LEN];
};

// Parses exactly one IssuerAndSerialNumber (RFC 5652, 10.2.4). To be done with fetch_query_done().
// Errors: ERR_BAD_REQUEST.
enum err_code fetch_parse(struct view der, struct fetch_query *ret_query,
                          struct err *err) MUST_CHECK;
void fetch_query_done(struct fetch_query *query);

// The certificate with that issuer, one of our CAs, and that serial number. Any thread. Errors:
// ERR_NOT_FOUND; ERR_IO, ERR_NOMEM, ERR_BUSY.
enum err_code fetch_certificate(struct store *store, const struct generations *generations,
                                const struct fetch_query *query, struct store_certificate *ret_cert,
                                struct err *err) MUST_CHECK;

// The newest CRL of the CA with that name, the present one first, or of the one that stands behind
// `recipient` when the name is that RA's, its issuer's or the one above. The serial number is not
// looked at: clients put that of a CA or RA certificate there. Any thread. Errors: as
// fetch_certificate().
enum err_code fetch_crl(struct store *store, const struct generations *generations,
                        const struct recipient *recipient, const struct fetch_query *query,
                        struct store_crl *ret_crl, struct err *err) MUST_CHECK;
