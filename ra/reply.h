// SPDX-License-Identifier: Apache-2.0
// Answers to requests: verdict → CertRep (conf/cms/certrep.h), signed by whom the request was
// encrypted to: the current RA, the next or the previous one, or the CA itself.
#pragma once

#include "ca/client.h"
#include "ra/credentials.h"
#include "ra/message.h"

// What answering takes; borrowed.
struct reply_tools {
    const struct credentials *credentials;
    const struct settings *settings;
    struct ca_client *ca; // used under topology direct only
};

// pkiStatus SUCCESS: the certificate alone (or with the issuing CA after it, scep.reply_chain) as
// degenerate SignedData, encrypted to the request's signer certificate with the request's cipher,
// signed with the request's digest; recipientNonce echoes, senderNonce is fresh.
// Errors: ERR_BAD_ALG when the signer's key cannot receive, ERR_CRYPTO, ERR_NOMEM; ERR_BUSY.
enum err_code reply_success(const struct request *request, const struct reply_tools *tools,
                            struct view certificate, struct buf *ret_der,
                            struct err *err) MUST_CHECK;
// The same with a CRL in `crls` and no certificate (GetCRL).
enum err_code reply_crl(const struct request *request, const struct reply_tools *tools,
                        struct view crl, struct buf *ret_der, struct err *err) MUST_CHECK;
// pkiStatus FAILURE without an envelope. `text` becomes failInfoText, or NULL for none: never put
// names, secrets or parser detail there. Digest: the request's when it is allowed, else SHA-256.
// Errors: ERR_CRYPTO, ERR_NOMEM, ERR_BUSY.
enum err_code reply_failure(const struct request *request, const struct reply_tools *tools,
                            enum fail_info fail_info, const char *text, struct buf *ret_der,
                            struct err *err) MUST_CHECK;
// pkiStatus PENDING, likewise.
enum err_code reply_pending(const struct request *request, const struct reply_tools *tools,
                            struct buf *ret_der, struct err *err) MUST_CHECK;
