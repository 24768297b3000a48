// SPDX-License-Identifier: Apache-2.0
// A certificate of ours (RFC 5280, 4.1) read for what the store keeps of it, by a template that
// leaves its key encoded: OpenSSL 3.0's d2i_X509() decodes it at once, at the price of half an RSA
// signature.
#pragma once

#include "conf/base/ossl.h"

struct certificate;

// Parses exactly one certificate. Its signature and extensions are not looked at: it comes from
// scepd-ca or from our own store. Errors: ERR_SYNTAX.
enum err_code certificate_parse(struct view der, struct certificate **ret_certificate,
                                struct err *err) MUST_CHECK;
void certificate_free(struct certificate *certificate);
DEFINE_CLEANUP(struct certificate *, certificate_free);

// Borrowed from the certificate.
struct view certificate_serial(const struct certificate *certificate); // magnitude, big-endian
struct view certificate_spki(const struct certificate *certificate);   // DER
const X509_NAME *certificate_subject(const struct certificate *certificate);

// Seconds since 1970. Errors: ERR_SYNTAX for dates that are none.
enum err_code certificate_read_validity(const struct certificate *certificate,
                                        int64_t *ret_not_before, int64_t *ret_not_after,
                                        struct err *err) MUST_CHECK;
