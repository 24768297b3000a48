// SPDX-License-Identifier: Apache-2.0
// Who signed a request (RFC 8894, 2.3): self-signed, a certificate of ours, or somebody else.
#pragma once

#include "ra/decide.h"
#include "ra/store.h"

// Ours = byte-identical to a stored certificate, never by name or serial number alone.
// Self-signed = the certificate names itself as issuer; what proves possession of the key is the
// message's signature, so the certificate's own one, its dates and extensions mean nothing (real
// clients get them wrong). Any thread. Errors: ERR_IO, ERR_NOMEM, ERR_CRYPTO.
enum err_code identity_classify(const X509 *signer, struct store *store,
                                enum signer_class *ret_class, struct err *err) MUST_CHECK;
