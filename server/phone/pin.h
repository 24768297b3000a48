// SPDX-License-Identifier: Apache-2.0
// The fingerprint that a phone is given to know the root by, as text in every form that phones take
// and as octets.
#pragma once

#include "conf/base/ossl.h"

#define PIN_MAX_LEN  64  // octets of the longest one, SHA-512
#define PIN_TEXT_LEN 192 // bytes of the longest text with NUL: 128 digits, 63 separators

struct pin {
    uint8_t octets[PIN_MAX_LEN];
    size_t len; // 20, 32, 48 or 64
};

// Reads 40 (SHA-1), 64 (SHA-256), 96 (SHA-384) or 128 (SHA-512) hexadecimal digits, bare or with
// one separator (':', '-', '.' or ' ', always the same) after every 2, 4, 8, 16 or 32 of them;
// "sha256 Fingerprint=" and its like in front, as openssl writes them, are skipped.
// Errors: ERR_SYNTAX with what is wrong and what is allowed.
enum err_code pin_parse(const char *text, struct pin *ret_pin, struct err *err) MUST_CHECK;

// The hash that makes fingerprints of this length; NULL when none does. Static.
const EVP_MD *pin_digest(const struct pin *pin);
// "SHA-256"; "?" when no hash makes fingerprints of this length. Static.
const char *pin_digest_name(const struct pin *pin);

// Whether `cert` has this fingerprint.
bool pin_matches(const struct pin *pin, const X509 *cert);
// Bare upper-case digits of the fingerprint of `cert` by the hash of `pin`. Returns `text`.
char *pin_format_cert(const struct pin *pin, const X509 *cert, char text[PIN_TEXT_LEN]);
