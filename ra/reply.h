// SPDX-License-Identifier: Apache-2.0
// Verdict → CertRep octets (RFC 8894, 3.3.2), always DER, signed with the RA key.
#pragma once

#include "ra/credentials.h"
#include "ra/message.h"

// RFC 8894, 3.2.1.4.
enum fail_info {
    FAIL_INFO_BAD_ALG = 0,
    FAIL_INFO_BAD_MESSAGE_CHECK = 1,
    FAIL_INFO_BAD_REQUEST = 2,
    FAIL_INFO_BAD_TIME = 3,
    FAIL_INFO_BAD_CERT_ID = 4,
};
const char *fail_info_name(enum fail_info fail_info);

#define FAIL_INFO_TEXT_LEN 200 // octets at most, UTF-8; it travels in clear

// pkiStatus SUCCESS: the certificate alone (or with the issuing CA after it, scep.reply_chain) as
// degenerate SignedData, encrypted to the request's signer certificate with the request's cipher,
// signed with the request's digest; recipientNonce echoes, senderNonce is fresh.
// Errors: ERR_BAD_ALG when the signer's key cannot receive, ERR_CRYPTO, ERR_NOMEM.
enum err_code reply_success(const struct request *request, const struct credentials *credentials,
                            const struct settings *settings, struct view certificate,
                            struct buf *ret_der, struct err *err) MUST_CHECK;

// pkiStatus FAILURE without an envelope. `text` becomes failInfoText, or NULL for none: never put
// names, secrets or parser detail there. Digest: the request's when it is allowed, else SHA-256.
// Errors: ERR_CRYPTO, ERR_NOMEM.
enum err_code reply_failure(const struct request *request, const struct credentials *credentials,
                            enum fail_info fail_info, const char *text, struct buf *ret_der,
                            struct err *err) MUST_CHECK;
