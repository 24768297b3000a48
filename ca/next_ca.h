// SPDX-License-Identifier: Apache-2.0
// The answer to GetNextCACert (RFC 8894, 4.7.1). Clients read it in three ways: some take the
// degenerate SignedData inside, some the outer certificates, and some have only a PKCS#7 reader,
// which takes no content but id-data. One form serves them all. Stateless; any thread.
#pragma once

#include "ca/key.h"

struct next_ca {
    X509 *signer; // the present CA; read only
    const struct ca_key *key;
    const STACK_OF(X509) * certs; // the next RA if there is one, the next CA, what stands above it
};

// SignedData by the present CA: eContentType id-data, in it a degenerate SignedData with `certs` in
// their order; the same certificates and the signer's also in `certificates`. No SCEP attributes.
// *ret_der is empty before. Errors: ERR_CRYPTO, ERR_NOMEM.
enum err_code next_ca_encode(const struct next_ca *next, struct buf *ret_der,
                             struct err *err) MUST_CHECK;
