// SPDX-License-Identifier: Apache-2.0
// What scepd-ca does beyond signing when the CA certificate itself answers SCEP (scep.topology
// "direct"): it opens envelopes and makes CertReps. What scepd checked before is checked again as
// far as it protects the key. Stateless; any thread.
#pragma once

#include "ca/authority.h"

struct direct {
    const struct authority *const *list; // all CAs held; [0] is the one that answers
    unsigned count;
    bool is_sha1_allowed; // SHA-1 in the answer's signature, for clients that know nothing better
    bool is_md5_allowed;
    bool has_chain; // the issuing CA's certificate follows the one asked for
};

// Opens an EnvelopedData (a whole ContentInfo that ends where `envelope` ends) of at most
// LIMIT_RECIPIENTS recipients, all by RSA key transport and one of them the CA. *ret_content (empty
// before) may hold a challenge: wipe it. Errors: ERR_BAD_REQUEST, ERR_NOMEM.
enum err_code direct_unwrap(const struct direct *direct, struct view envelope,
                            struct buf *ret_content, struct err *err) MUST_CHECK;

// Makes a CertRep. *ret_der is empty before. Errors: ERR_DENIED for a certificate or a CRL that no
// CA held here signed; ERR_BAD_ALG for a digest that is not allowed; ERR_BAD_REQUEST for an order
// that contradicts itself; as certrep_encode().
enum err_code direct_seal(const struct direct *direct, const struct seal_order *order,
                          struct buf *ret_der, struct err *err) MUST_CHECK;
