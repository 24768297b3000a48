// SPDX-License-Identifier: Apache-2.0
// Degenerate SignedData: certificates or a CRL and nothing else (RFC 8894, 3.4).
#pragma once

#include "conf/base/ossl.h"

// Encodes `count` certificates (DER) in the order given, without signers and with the content
// omitted, into *ret_der (empty before). The order is kept although a SET OF would sort it: clients
// take the first certificate for the one they asked for. Errors: ERR_NOMEM, ERR_CRYPTO.
enum err_code certs_only_encode(const struct view *certs, size_t count, struct buf *ret_der,
                                struct err *err) MUST_CHECK;
// The same with one CRL (DER) and no certificate at all (RFC 8894, 3.3.2.1 and 4.6.1).
enum err_code certs_only_encode_crl(struct view crl, struct buf *ret_der,
                                    struct err *err) MUST_CHECK;
