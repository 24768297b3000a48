// SPDX-License-Identifier: Apache-2.0
// The founding of a CA, for `scepctl init`: makes all keys and certificates in memory. Never part
// of a running scepd or scepd-ca; the one place beside key.c that holds private keys.
#pragma once

#include "conf/base/ossl.h"

#define CEREMONY_SHA1_LEN 20 // octets

struct ceremony_order {
    unsigned tiers;           // 2: root and issuing CA; 1: one self-signed CA
    const char *ca_key;       // "rsa:2048", "rsa:3072", "rsa:4096", "ec:P-256", "ec:P-384"; NULL =
                              // the default (issuing rsa:2048, root rsa:3072)
    const char *organization; // O of all subjects, UTF-8, at most 64 characters; NULL = none
    int64_t now;              // seconds since 1970
};

// All PEM; keys as unencrypted PKCS#8. With one tier there is no root beside the CA: root_key is
// empty and root_certificate is the same as ca_certificate.
struct ceremony_result {
    struct buf root_key;
    struct buf root_certificate;
    struct buf ca_key;
    struct buf ca_certificate;
    struct buf ra_key;
    struct buf ra_certificate;
    uint8_t root_sha256[SHA256_LEN]; // fingerprints of the certificate that phones pin
    uint8_t root_sha1[CEREMONY_SHA1_LEN];
};

// Root: 20 years, pathLen 1; issuing CA: 10 years, pathLen 0; the single CA of one tier: 20 years,
// pathLen 0; RA: always RSA 2048, 2 years. *ret_result is to be done with ceremony_done(). Takes a
// second or two (RSA keys).
// Errors: ERR_CONFIG (tiers, key kind or organization not allowed), ERR_CRYPTO, ERR_NOMEM.
enum err_code ceremony_run(const struct ceremony_order *order, struct ceremony_result *ret_result,
                           struct err *err) MUST_CHECK;
// Overwrites and frees everything; accepts a zeroed result.
void ceremony_done(struct ceremony_result *result);

// Whether ceremony_order.ca_key may be `name`.
bool ceremony_is_key_kind(const char *name);
