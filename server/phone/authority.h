// SPDX-License-Identifier: Apache-2.0
// The certificates of a GetCACert answer (RFC 8894, 4.2.1): reading them, and which of them is what
// for a phone that knows its root by a fingerprint.
#pragma once

#include "server/phone/pin.h"

#define PHONE_CERTS_LEN_MAX 262144 // octets of an answer; real ones have 1 to 6 KiB
#define PHONE_CERTS_MAX     16     // certificates in one; real ones have 1 to 4

// The certificates of one server. The list owns, everything else borrows from it.
struct phone_authority {
    STACK_OF(X509) * certs; // as they came
    bool is_bundle;         // a degenerate SignedData, not one bare certificate
    X509 *root;             // has the pinned fingerprint; NULL = none
    X509 *recipient;        // requests are encrypted for it; NULL = none is fit
    X509 *issuing;          // the CA above the recipient, or the recipient itself; NULL = not there
};

// Appends the certificates of a degenerate SignedData (BER or DER) that ends where `octets` end; in
// their order. Errors: ERR_SYNTAX, ERR_LIMIT, ERR_NOMEM.
enum err_code phone_certs_read(struct view octets, STACK_OF(X509) * certs,
                               struct err *err) MUST_CHECK;

// Reads one DER certificate or a degenerate SignedData, whatever its Content-Type said, and finds
// the roles. *ret_authority is to be done with phone_authority_done(). Errors: as above.
enum err_code phone_authority_read(struct view octets, const struct pin *pin,
                                   struct phone_authority *ret_authority,
                                   struct err *err) MUST_CHECK;
void phone_authority_done(struct phone_authority *authority);

// "root", "issuing CA", "RA"...: what `cert`, one of the list, is. Static.
const char *phone_authority_role(const struct phone_authority *authority, X509 *cert);

// Whether `cert` chains to the pinned root over the list and `others` (may be NULL) at `now`.
// Errors: ERR_DENIED with the reason; ERR_CRYPTO.
enum err_code phone_authority_check_chain(const struct phone_authority *authority, X509 *cert,
                                          STACK_OF(X509) * others, int64_t now,
                                          struct err *err) MUST_CHECK;

// KeyUsage (KU_*) that is there by its extension; without one `absent`.
uint32_t phone_key_usage(const X509 *cert, uint32_t absent);
