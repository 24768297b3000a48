// SPDX-License-Identifier: Apache-2.0
// A private key, from wherever its URI says it is: a file, or a token through a provider or an
// engine.
#pragma once

#include "conf/base/ossl.h"

// Loads the first private key behind an OSSL_STORE URI or path. `pin_file` (its first line) opens
// it, or NULL; nobody is ever asked on a terminal. Keys in tokens: one call at a time. Caller frees
// *ret_key.
// Errors: ERR_CONFIG, ERR_NOT_FOUND, ERR_IO, ERR_LIMIT (of the pin file), ERR_NOMEM.
enum err_code private_key_load(const char *uri, const char *pin_file, EVP_PKEY **ret_key,
                               struct err *err) MUST_CHECK;
