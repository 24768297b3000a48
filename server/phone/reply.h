// SPDX-License-Identifier: Apache-2.0
// The answer to a request (RFC 8894, 3.3.2): what it says and how far it keeps the rules. Opinions
// are for whoever asks.
#pragma once

#include "conf/cms/certrep.h"
#include "server/phone/request.h"

#define PHONE_REPLY_LEN_MAX 262144 // octets; real ones have 1 to 8 KiB
#define PHONE_NO_FAIL_INFO  (-1)

struct phone_reply {
    enum certrep_status status;
    // What an answer must have; a phone may drop one that lacks it.
    bool is_message_type_right; // CertRep
    bool is_transaction_ours;
    bool is_nonce_echoed; // recipientNonce
    bool has_sender_nonce;
    int digest_nid; // of the signature
    X509 *signer;   // one of the certificates that the caller gave; borrowed
    // CERTREP_FAILURE.
    int fail_info; // 0 to 4, or PHONE_NO_FAIL_INFO
    struct buf fail_info_text;
    // CERTREP_SUCCESS.
    int cipher_nid;         // of the envelope; NID_undef = not known
    STACK_OF(X509) * certs; // as they came; at least one
};

// Reads a CertRep. Its signature must be by one of `certs`, the server's. *ret_reply is to be done
// with phone_reply_done(). Errors: ERR_SYNTAX for what is no CertRep; ERR_BAD_MESSAGE_CHECK for a
// signature that is wrong or by somebody else; ERR_BAD_REQUEST for an envelope that cannot be
// opened; ERR_NOMEM.
enum err_code phone_reply_read(struct view octets, const struct phone_request *request,
                               STACK_OF(X509) * certs, struct phone_reply *ret_reply,
                               struct err *err) MUST_CHECK;
void phone_reply_done(struct phone_reply *reply);
