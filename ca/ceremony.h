// SPDX-License-Identifier: Apache-2.0
// The founding of a CA, for `scepctl init`, and of the one that follows it, for `scepctl ca
// rollover`: keys and certificates, all in memory. Never part of a running scepd or scepd-ca; the
// one place beside key.c that holds private keys.
#pragma once

#include "conf/base/ossl.h"

#define CEREMONY_SHA1_LEN 20 // octets

// A private key that is there already.
struct ceremony_key {
    const char *uri;      // OSSL_STORE URI or path; NULL = none
    const char *pin_file; // its passphrase or PIN; NULL = none
};

struct ceremony_order {
    unsigned tiers;           // 2: root and issuing CA; 1: one self-signed CA
    bool is_direct;           // the CA answers SCEP itself: one tier, an RSA key, no RA
    const char *ca_key;       // "rsa:2048", "rsa:3072", "rsa:4096", "ec:P-256", "ec:P-384"; NULL =
                              // the default (issuing rsa:2048, root rsa:3072)
    struct ceremony_key key;  // of the issuing or only CA, instead of a new one
    const char *organization; // O of all subjects, UTF-8, at most 64 characters; NULL = none
    int64_t now;              // seconds since 1970
};

// All PEM; keys as unencrypted PKCS#8. With one tier there is no root beside the CA: root_key is
// empty and root_certificate is the same as ca_certificate. Direct: ra_key and ra_certificate are
// empty. ca_key is empty when the order named one.
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
// Errors: ERR_CONFIG (tiers, key kind or organization not allowed; a key that cannot be opened or
// used), ERR_CRYPTO, ERR_NOMEM.
enum err_code ceremony_run(const struct ceremony_order *order, struct ceremony_result *ret_result,
                           struct err *err) MUST_CHECK;
// Overwrites and frees everything; accepts a zeroed result.
void ceremony_done(struct ceremony_result *result);

// Whether ceremony_order.ca_key may be `name`.
bool ceremony_is_key_kind(const char *name);

// The CA that comes after another one. All borrowed.
struct ceremony_next_order {
    const X509_NAME *subject;     // ceremony_next_name() makes one
    X509 *root;                   // what signs it; NULL = itself
    struct ceremony_key root_key; // the key of `root`
    bool is_direct;               // as above
    const char *ca_key;           // kind of the new key, as above; NULL = the default
    struct ceremony_key key;      // instead of a new one
    int64_t now;
};

struct ceremony_next_result {
    struct buf key;         // PEM; empty when it was there already
    struct buf certificate; // PEM
    X509 *cert;             // the same
};

// As ceremony_run() for an issuing CA (10 years) or, self-signed, the single one (20 years); never
// valid beyond its root. *ret_result is to be done with ceremony_next_done().
// Errors: ERR_CONFIG (key kind; a root that is no CA, not valid at `now`, or not for its key; a key
// that cannot be opened or used), ERR_CRYPTO, ERR_NOMEM.
enum err_code ceremony_next(const struct ceremony_next_order *order,
                            struct ceremony_next_result *ret_result, struct err *err) MUST_CHECK;
void ceremony_next_done(struct ceremony_next_result *result);

// `name` with its last CN counted up: "SCEP Issuing CA", "SCEP Issuing CA G2", "... G3". Caller
// frees *ret_name. Errors: ERR_CONFIG (no CN, or one that becomes too long), ERR_CRYPTO, ERR_NOMEM.
enum err_code ceremony_next_name(const X509_NAME *name, X509_NAME **ret_name,
                                 struct err *err) MUST_CHECK;
