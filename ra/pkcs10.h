// SPDX-License-Identifier: Apache-2.0
// The PKCS#10 inside a PKCSReq: key, names, challengePassword, proof of possession.
#pragma once

#include "conf/base/ossl.h"
#include "conf/csr_parse.h"
#include "conf/limits.h"

struct pkcs10 {
    struct csr *csr;
    struct buf der;           // the octets as they came
    struct buf spki;          // SubjectPublicKeyInfo, DER
    struct buf challenge;     // UTF-8; secret: wiped by pkcs10_done()
    bool has_challenge;       // false also for an empty challengePassword (means "absent")
    uint8_t hash[SHA256_LEN]; // SHA-256 of `der`: identifies a repeat
    uint8_t spki_hash[SHA256_LEN];
};

// Parses exactly one CertificationRequest of an RSA key (octets after its end are an error) and its
// challengePassword: at most one attribute with one value, any DirectoryString, IA5String or OCTET
// STRING (an old client's), at most LIMIT_CHALLENGE_LEN octets. *ret_pkcs10 is to be done with
// pkcs10_done(). Errors: ERR_BAD_REQUEST, also for keys that are not RSA (text for the log only);
// ERR_NOMEM, ERR_CRYPTO (memory).
enum err_code pkcs10_parse(struct view der, struct pkcs10 *ret_pkcs10, struct err *err) MUST_CHECK;
void pkcs10_done(struct pkcs10 *pkcs10);

// Key limits first (conf/keys.h), then the self-signature (RFC 8894, 7.6) with an allowed digest.
// Errors: ERR_BAD_REQUEST, ERR_BAD_ALG.
enum err_code pkcs10_verify(const struct pkcs10 *pkcs10, bool allow_sha1, bool allow_md5,
                            struct err *err) MUST_CHECK;

// DER of a well-formed request of nobody with a challenge of its own, made at start. When an
// envelope cannot be opened or parsed, the checks run on this one, so that failing early takes as
// long as failing late (ra/README.md, "One answer"). Errors: ERR_CRYPTO, ERR_NOMEM.
enum err_code pkcs10_make_decoy(struct buf *ret_der, struct err *err) MUST_CHECK;
