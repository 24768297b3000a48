// SPDX-License-Identifier: Apache-2.0
// Why a request was refused, as one of a few stable words: for counters, the history and whoever
// searches them. What exactly was wrong is said in words beside it.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum refusal {
    REFUSAL_NONE, // not refused
    // The message (steps 2 to 11 of the error ladder).
    REFUSAL_UNANSWERABLE,    // no SCEP message at all, or not one that can be answered
    REFUSAL_MALFORMED,       // a part of the message is wrong
    REFUSAL_BAD_ALGORITHM,   // an algorithm or a key that is not accepted
    REFUSAL_BAD_SIGNATURE,   // of the message
    REFUSAL_WRONG_CLOCK,     // signingTime
    REFUSAL_WRONG_RECIPIENT, // encrypted to somebody else, or to an RA of long ago
    REFUSAL_NOT_SERVED,      // a messageType that is not served here
    // What is in the envelope.
    REFUSAL_UNDECRYPTABLE,
    REFUSAL_BAD_CSR,    // no PKCS#10, its own signature or its key
    REFUSAL_BAD_NAMES,  // names that are not allowed
    REFUSAL_OTHER_NAME, // not the signer's names
    // Challenges.
    REFUSAL_NO_CHALLENGE,
    REFUSAL_WRONG_CHALLENGE,
    REFUSAL_EXPIRED_CHALLENGE,
    REFUSAL_USED_CHALLENGE,
    REFUSAL_REVOKED_CHALLENGE,
    REFUSAL_FOREIGN_CHALLENGE, // bound to another CN or MAC
    REFUSAL_USELESS_CHALLENGE, // in a request that has to wait for approval
    // Who signed.
    REFUSAL_UNKNOWN_SIGNER,
    REFUSAL_CERTIFICATE_EXPIRED,
    REFUSAL_CERTIFICATE_REVOKED,
    REFUSAL_CERTIFICATE_NOT_YET_VALID,
    REFUSAL_MIC_EXPIRED,
    REFUSAL_MIC_NOT_YET_VALID,
    REFUSAL_MIC_NOT_ACCEPTED,
    REFUSAL_MIC_GENERIC,
    REFUSAL_NOT_LISTED,
    REFUSAL_RENEWAL_TOO_EARLY,
    REFUSAL_RENEWAL_SELF_SIGNED,
    // The past.
    REFUSAL_TRANSACTION_REUSED,
    REFUSAL_KEY_REUSED, // the key is certified for another subject
    REFUSAL_DUPLICATE_SUBJECT,
    REFUSAL_UNKNOWN_TRANSACTION,
    REFUSAL_DENIED, // by an administrator
    REFUSAL_NOT_FOUND,
    REFUSAL_NOT_A_CLIENT, // GetCert by somebody without a certificate
    // Limits and our own trouble.
    REFUSAL_TOO_MANY_PENDING,
    REFUSAL_RATE_LIMITED,
    REFUSAL_CA_REFUSED,
    REFUSAL_SERVER_TROUBLE, // answered with HTTP 503
    REFUSAL_OTHER,
    REFUSAL_MAX
};

// "wrong_challenge"...; lower-case ASCII and '_', shorter than REFUSAL_NAME_LEN, never changed.
// "other" for numbers that are none, "" for REFUSAL_NONE.
#define REFUSAL_NAME_LEN 32 // bytes with NUL
const char *refusal_name(enum refusal refusal);
// The reason with this name; REFUSAL_OTHER for a word that is none, REFUSAL_NONE for "".
enum refusal refusal_of_name(const char *name);
