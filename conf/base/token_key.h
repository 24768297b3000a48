// SPDX-License-Identifier: Apache-2.0
// Private keys in tokens by PKCS#11 URI (RFC 7512), through OpenSSL's engine "pkcs11" of libp11,
// because Debian 12 has no PKCS#11 provider for OpenSSL 3. For private_key.c only.
#pragma once

#include "conf/base/ossl.h"

// Whether `uri` names such a key and no provider loads keys of that scheme.
bool token_key_is_ours(const char *uri);

// Loads it. `pin` (NUL-terminated; "" = none but what the URI's pin-source or pin-value says) opens
// the token; nobody is ever asked on a terminal, and a key that wants its PIN again for each
// signature therefore signs nothing. Any thread may sign. From the first call on the process keeps
// the token's module, and stays logged in where it was: a PIN that comes after a right one is not
// looked at. A token that was taken away counts again after a restart. Caller frees *ret_key. One
// call at a time. Errors: ERR_CONFIG (no engine, no such token or key, wrong PIN) with the URI but
// for its query; ERR_NOMEM.
enum err_code token_key_load(const char *uri, const char *pin, EVP_PKEY **ret_key,
                             struct err *err) MUST_CHECK;
