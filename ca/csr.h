// SPDX-License-Identifier: Apache-2.0
// The PKCS#10 (RFC 2986) of an order, checked anew: the CA does not rely on the RA having done so.
// Of its content only the key and the subject are ever used; its extensions must be sane but none
// is copied.
#pragma once

#include "conf/csr_parse.h"

struct csr_rules {
    bool allow_sha1; // SHA-1 in the request's own signature
    bool allow_md5;  // MD5, for sites with `algorithms.legacy`
    bool allow_p256; // a key on P-256 that only signs; its own signature is ECDSA with SHA-256
};

// Parses exactly one CertificationRequest of at most LIMIT_CSR_LEN octets that ends where `der`
// ends, then checks in this order: key limits (conf/keys.h), signature algorithm (that of the
// key, with SHA-256, -384, -512, others by `rules`), the self-signature, extensions (none twice,
// none malformed, at most LIMIT_SUBJECT_ALT_NAMES names). Caller frees *ret_csr. Errors:
// ERR_BAD_REQUEST, ERR_BAD_ALG with what was seen; ERR_CRYPTO (memory).
enum err_code csr_read(struct view der, const struct csr_rules *rules, struct csr **ret_csr,
                       struct err *err) MUST_CHECK;
