// SPDX-License-Identifier: Apache-2.0
// The request of a phone for its first certificate (RFC 8894, 3.3.1): PKCS#10 with or without a
// challenge, sealed for the server, signed by a throw-away certificate or by the manufacturer's.
#pragma once

#include "conf/base/ossl.h"

#define PHONE_KEY_BITS  2048
#define PHONE_NONCE_LEN 16 // octets (RFC 8894, 3.2.1.5)
#define PHONE_ID_LEN    41 // bytes of a transactionID with NUL: 160 bits as hexadecimal digits

// What to ask for and how; everything is borrowed.
struct phone_request_plan {
    const char *common_name; // UTF-8, 1 to 64 characters
    struct view challenge;   // UTF-8; empty = none
    X509 *mic;               // signs; NULL = a throw-away certificate does
    EVP_PKEY *mic_key;
    STACK_OF(X509) * mic_chain; // sent along; may be NULL
    X509 *recipient;            // of the envelope
    int cipher_nid;
    int digest_nid;
    int64_t now; // seconds since 1970
};

// A request that can be sent, and what its answer is held against.
struct phone_request {
    struct buf der;
    EVP_PKEY *key;        // a certificate is asked for it
    X509 *signer;         // answers are encrypted for it
    EVP_PKEY *signer_key; // opens them
    char transaction_id[PHONE_ID_LEN];
    uint8_t nonce[PHONE_NONCE_LEN];
    int cipher_nid;
    int digest_nid;
};

// A fresh RSA key. Caller frees. Errors: ERR_CRYPTO.
enum err_code phone_key_make(EVP_PKEY **ret_key, struct err *err) MUST_CHECK;

// Builds the message for `key`. *ret_request is to be done with phone_request_done(). Errors:
// ERR_SYNTAX when the common name or the challenge is not text that fits; ERR_BAD_ALG when the
// recipient's key cannot receive; ERR_CRYPTO, ERR_NOMEM.
enum err_code phone_request_make(const struct phone_request_plan *plan, EVP_PKEY *key,
                                 struct phone_request *ret_request, struct err *err) MUST_CHECK;
void phone_request_done(struct phone_request *request);
