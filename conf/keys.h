// SPDX-License-Identifier: Apache-2.0
// Which public keys either process touches at all. Checked before any operation with a key from
// outside, because the cost of a verification is the sender's choice otherwise.
#pragma once

#include "conf/base/ossl.h"

// RSA, LIMIT_RSA_BITS_MIN to LIMIT_RSA_BITS_MAX bits, odd exponent from 3 to 2^32. Errors:
// ERR_BAD_ALG with what was seen and what is allowed (EC, DSA, Ed25519, explicit EC parameters,
// RSA-PSS keys, small or even exponents...).
enum err_code keys_check_client(const EVP_PKEY *key, struct err *err) MUST_CHECK;
// The same with another lower limit, for the signers of requests: old manufacturer's certificates
// have 1024 bits, where the settings take them.
enum err_code keys_check_at_least(const EVP_PKEY *key, uint32_t min_bits,
                                  struct err *err) MUST_CHECK;
