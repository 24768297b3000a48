// SPDX-License-Identifier: Apache-2.0
// Who signed a request (RFC 8894, 2.3): self-signed, a certificate of ours, a manufacturer's
// certificate, or somebody else; and whether what he signed with may count at present.
#pragma once

#include "ra/decide.h"
#include "ra/message.h"
#include "ra/policy.h"
#include "ra/store/store.h"
#include "ra/trust.h"

struct signer {
    enum signer_class signer_class;
    enum signer_state state;
    struct store_certificate certificate; // SIGNER_OURS: its record
    struct trust_result mic; // SIGNER_MIC: what was read from it; else why no store accepts it
};

// Ours = byte-identical to a stored certificate that is not a server's, never by name or serial
// number alone; its state is judged with the setting renewal.grace_days. MIC = chains to a trust
// store of the settings. Self-signed = the certificate names itself as issuer; what proves
// possession of the key is the message's signature, so the certificate's own one, its dates and
// extensions mean nothing (real clients get them wrong). *ret_signer is empty before and to be done
// with signer_done(). Any thread. Errors: ERR_IO, ERR_NOMEM, ERR_CRYPTO, ERR_BUSY.
enum err_code signer_classify(const struct request *request, const struct policy *policy,
                              struct store *store, int64_t now, struct signer *ret_signer,
                              struct err *err) MUST_CHECK;
void signer_done(struct signer *signer);

// What is known of the device that signed; "" and 0 = unknown. Borrowed from the signer.
struct signer_device {
    const char *name; // the CN it gets when its PKCS#10 has none
    const char *mac;
    const char *model;
    const char *serial_number; // of the device
    int64_t mic_not_after;
};
struct signer_device signer_device(const struct signer *signer);
