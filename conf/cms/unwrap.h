// SPDX-License-Identifier: Apache-2.0
// Opening a pkcsPKIEnvelope (RFC 8894, 3.2.2): the one RSA private operation on what a client sent.
#pragma once

#include "conf/base/ossl.h"

// Opens an EnvelopedData whose algorithms and recipient were checked before. With key and
// certificate given, OpenSSL goes on with a random key when the RSA step fails, so that padding
// errors do not show. *ret_content (empty before) holds a challenge: wipe it. Errors:
// ERR_BAD_REQUEST, which callers make indistinguishable from every other failure before the
// requester is authorised.
enum err_code unwrap_envelope(CMS_ContentInfo *envelope, X509 *cert, EVP_PKEY *key,
                              struct buf *ret_content, struct err *err) MUST_CHECK;
