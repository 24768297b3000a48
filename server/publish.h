// SPDX-License-Identifier: Apache-2.0
// What is served beside SCEP, at the paths of http.crl_path, http.ca_path and http.root_path: CRLs
// and CA certificates as DER, for those who check phones' certificates (RFC 5280, 4.2.1.13 and
// 4.2.2.1).
#pragma once

#include "server/live.h"

#define TYPE_PKIX_CRL  "application/pkix-crl"
#define TYPE_PKIX_CERT "application/pkix-cert"

// Finds what stands at `path` (of the URL, decoded). The next CA's certificate is there as soon as
// it exists. *ret_type gets its media type, *ret_body (empty before) its octets. Any thread.
// Errors: ERR_NOT_FOUND when nothing stands there, also when a CRL has not been made yet; ERR_IO,
// ERR_NOMEM, ERR_CRYPTO, ERR_BUSY.
enum err_code publish_find(const struct policy *policy, struct store *store, const char *path,
                           const char **ret_type, struct buf *ret_body, struct err *err) MUST_CHECK;
