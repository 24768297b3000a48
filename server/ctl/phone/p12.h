// SPDX-License-Identifier: Apache-2.0
// PKCS#12 files that phones read: a key, its certificate and the CAs above it under a password.
#pragma once

#include "conf/base/ossl.h"

#define P12_PASSWORD_MAX 64 // characters; what people type on a phone's web page

// A password is 1 to P12_PASSWORD_MAX printable ASCII characters: others are encoded in one way by
// some programs and in another by others. Errors: ERR_SYNTAX, ERR_LIMIT; the text has nothing of
// it.
enum err_code p12_check_password(struct view password, struct err *err) MUST_CHECK;

struct p12 {
    EVP_PKEY *key;
    X509 *cert;
    STACK_OF(X509) * chain; // the CAs above it, the root included
    const char *name;       // friendlyName
    const char *password;   // a secret
    bool is_legacy;         // three-key triple DES and SHA-1 instead of AES-256, PBKDF2 and SHA-256
};
// The file's octets (RFC 7292) in *ret_der (empty before). Errors: ERR_CRYPTO, ERR_NOMEM.
enum err_code p12_encode(const struct p12 *p12, struct buf *ret_der, struct err *err) MUST_CHECK;
