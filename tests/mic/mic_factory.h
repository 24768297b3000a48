// SPDX-License-Identifier: Apache-2.0
// Certificates like those that Cisco puts into phones, with the CAs above them, and forged ones.
// See README.md for their names. Every call ends the program on failure, so tests need not check.
#pragma once

#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

struct mic_factory;

// Makes all of them; validity counts from `now` (seconds since 1970). Takes a second or two.
struct mic_factory *mic_factory_new(int64_t now);
void mic_factory_free(struct mic_factory *factory);

// By name; borrowed.
X509 *mic_cert(const struct mic_factory *factory, const char *name);
EVP_PKEY *mic_key(const struct mic_factory *factory, const char *name);

// Writes NAME.pem, NAME.key, NAME-chain.pem, roots.pem and intermediates.pem into a folder that
// exists.
void mic_factory_write(const struct mic_factory *factory, const char *folder);
