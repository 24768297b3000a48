// SPDX-License-Identifier: Apache-2.0
// RA certificates and their keys as they lie in files: the pair that the settings name, and those
// in ra.directory (SERIAL.pem and SERIAL.key, SERIAL in upper-case hex), which scepd makes.
#pragma once

#include "conf/generations.h"
#include "conf/settings.h"

#define RA_PAIRS_MAX 64

struct ra_pair {
    bool is_own; // lies in ra.directory
    X509 *cert;
    EVP_PKEY *key; // NULL until ra_pair_open()
    int64_t not_before;
    int64_t not_after;
    char *cert_path;
    char *key_path; // NULL = the key is ra.key
};

struct ra_pairs {
    struct ra_pair list[RA_PAIRS_MAX]; // the newest (by notBefore) first
    unsigned count;
    EVP_PKEY *ra_key; // once it was needed
};

// Reads certificates, no keys: the settings' (if it names one) and those of ra.directory, which may
// be missing as long as nothing was made. Other names in it are ignored, so is a key without a
// certificate. To be done with ra_pairs_done(). Errors: ERR_CONFIG with the file; more than
// RA_PAIRS_MAX; ERR_NOT_FOUND (the settings'), ERR_IO, ERR_NOMEM.
enum err_code ra_pairs_read(const struct settings *settings, struct ra_pairs *ret_pairs,
                            struct err *err) MUST_CHECK;
void ra_pairs_done(struct ra_pairs *pairs);

// Loads the key of pairs->list[index] and checks that the two belong together and can serve as RA.
// Errors: ERR_CONFIG with the file; what private_key_load() says.
enum err_code ra_pairs_open(struct ra_pairs *pairs, unsigned index, const struct settings *settings,
                            struct err *err) MUST_CHECK;

// An RA's certificate: RSA within our limits, the key's own, no CA's, KeyUsage with both bits
// (RFC 8894, 2.1.2). `path` is what errors name. Errors: ERR_CONFIG.
enum err_code ra_pair_check(X509 *cert, const EVP_PKEY *key, const char *path,
                            struct err *err) MUST_CHECK;
// The part of it that a CA's certificate has to meet, too, when it answers itself.
enum err_code ra_pair_check_usage(X509 *cert, const char *path, struct err *err) MUST_CHECK;
// Seconds since 1970. Errors: ERR_SYNTAX for dates that are none.
enum err_code ra_pair_read_dates(const X509 *cert, int64_t *ret_not_before, int64_t *ret_not_after,
                                 struct err *err) MUST_CHECK;
// By names, key identifiers and signature.
bool ra_pair_is_issued_by(X509 *cert, const struct generation *generation);

// Writes a new pair into `directory` (made when missing), the key first, so that a crash leaves at
// most a key without a certificate. `key` NULL = it is ra.key. Errors: ERR_EXISTS, ERR_IO,
// ERR_FULL, ERR_CRYPTO, ERR_NOMEM.
enum err_code ra_pairs_write(const char *directory, const X509 *cert, EVP_PKEY *key,
                             struct err *err) MUST_CHECK;
// Removes pairs whose notAfter is before `over`, and what an interrupted ra_pairs_write() left.
// A missing directory is fine. Errors: ERR_IO, ERR_CONFIG as ra_pairs_read(), ERR_NOMEM.
enum err_code ra_pairs_clean(const char *directory, int64_t over, struct err *err) MUST_CHECK;
