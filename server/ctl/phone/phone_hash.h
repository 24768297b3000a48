// SPDX-License-Identifier: Apache-2.0
// The hashes of --hash, and fingerprints by them.
#pragma once

#include "server/phone/pin.h"

#define PHONE_HASHES      "sha256, sha384, sha512 or sha1"
#define PHONE_HASH_CHOICE "sha256|sha384|sha512|sha1"

// The hash of that name. Errors: ERR_SYNTAX with those that are allowed.
enum err_code phone_hash_find(const char *name, const EVP_MD **ret_digest,
                              struct err *err) MUST_CHECK;
// The fingerprint of `cert`. Errors: as above; ERR_CRYPTO.
enum err_code phone_hash_cert(const X509 *cert, const char *name, struct pin *ret_pin,
                              struct err *err) MUST_CHECK;
