// SPDX-License-Identifier: Apache-2.0
// All CAs that scepd-ca holds: the present one, during a rollover the next one, and old ones that
// still sign their CRLs (conf/generations.h). An immutable snapshot with a reference count: a
// reload makes a new one, threads that are still signing finish with the old one. Any thread.
#pragma once

#include "ca/authority.h"
#include "conf/settings.h"

struct authorities;

// Opens keys and certificates of all generations and checks them. Old ones that cannot sign (their
// key is gone, a token does not answer) are left out: `ret_missing` (may be NULL) gets how many,
// authorities_missing() which and why. The caller holds one reference. Errors: as
// generations_read() and authority_load().
enum err_code authorities_load(const struct settings *settings, int64_t now,
                               struct authorities **ret_authorities, unsigned *ret_missing,
                               struct err *err) MUST_CHECK;
struct authorities *authorities_ref(struct authorities *authorities);
void authorities_unref(struct authorities *authorities);
DEFINE_CLEANUP(struct authorities *, authorities_unref);

// An old CA that was left out.
struct authorities_missing {
    char name[GENERATION_NAME_LEN];
    struct err why;
};
// For the log: the CAs held, the current one first, and those left out. NULL from the last on.
const struct authority *authorities_get(const struct authorities *authorities, unsigned at);
const struct authorities_missing *authorities_missing(const struct authorities *authorities,
                                                      unsigned at);
const struct authority *authorities_current(const struct authorities *authorities);
void authorities_state(const struct authorities *authorities, struct ca_state *ret_state);

// The whole of an order by the CA it names, which must be the present or the next one, or, for
// PROFILE_OCSP, an old one. Errors: as authority_issue(); ERR_DENIED for another CA.
enum err_code authorities_issue(const struct authorities *authorities,
                                const struct issue_order *order, int64_t now, struct buf *ret_der,
                                struct authority_issued *ret_issued, struct err *err) MUST_CHECK;

// A CRL (RFC 5280, 5): version 2, AKI, CRLNumber, nextUpdate after ca.crl_hours, reasonCode unless
// unspecified, no list when it is empty. `issuer` may be any CA held. Errors: ERR_DENIED (unknown
// CA, or its keyUsage lacks cRLSign); as crl_build().
struct authorities_crl {
    struct view issuer;
    uint64_t number;
    const struct crl_entry *entries;
    size_t count;
    int64_t now;
};
enum err_code authorities_sign_crl(const struct authorities *authorities,
                                   const struct authorities_crl *order, struct buf *ret_der,
                                   struct err *err) MUST_CHECK;

// The answer to GetNextCACert: SignedData by the present CA over (as id-data) a degenerate
// SignedData with the next RA's certificate, the next CA's and what stands above it; the same
// certificates also in the outer `certificates`, which some clients read instead. No SCEP
// attributes. `next_ra` (DER; empty = none) must have been issued by the next CA and look like an
// RA's: no CA's, digitalSignature and keyEncipherment, no EKU, which all phones' have. Errors:
// ERR_NOT_FOUND without a next CA; ERR_DENIED for another certificate; ERR_CRYPTO, ERR_NOMEM.
enum err_code authorities_sign_next_ca(const struct authorities *authorities, struct view next_ra,
                                       struct buf *ret_der, struct err *err) MUST_CHECK;

// Topology direct. ERR_DENIED when the settings do not say so. `authorities_direct_per_sec`: how
// many of each a second, 0 = not direct.
uint32_t authorities_direct_per_sec(const struct authorities *authorities);
enum err_code authorities_unwrap(const struct authorities *authorities, struct view envelope,
                                 struct buf *ret_content, struct err *err) MUST_CHECK;
// A certificate in it must be one that a CA held here issued, a CRL likewise signed; that CA's own
// certificate follows the first where scep.reply_chain says so. Errors: as certrep_encode();
// ERR_DENIED; ERR_BAD_REQUEST for an order that contradicts itself.
enum err_code authorities_seal(const struct authorities *authorities,
                               const struct seal_order *order, struct buf *ret_der,
                               struct err *err) MUST_CHECK;
