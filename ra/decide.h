// SPDX-License-Identifier: Apache-2.0
// The one door: every path to a certificate goes through decide(). Facts about a request go in, one
// verdict comes out; the first answer is no. A pure function: no store, no clock, no key, so that
// the whole policy can be read, and tested as a table, on one page.
#pragma once

#include <stdbool.h>

#include "conf/base/err.h"
#include "ra/challenge.h"
#include "ra/message.h"
#include "ra/refusal.h"

// Who signed the request.
enum signer_class {
    SIGNER_UNKNOWN,     // a certificate of somebody else
    SIGNER_SELF_SIGNED, // proves possession of a key, authorises nothing
    SIGNER_OURS,        // byte-identical to a certificate in our store
    SIGNER_MIC,         // a manufacturer's certificate of one of our trust stores
    SIGNER_CLASS_MAX
};
const char *signer_class_name(enum signer_class signer_class);

// Whether what he signed with counts at present.
enum signer_state {
    SIGNER_GOOD,
    SIGNER_EXPIRED,       // and no grace or policy helps
    SIGNER_NOT_YET_VALID, // a clock is wrong
    SIGNER_REVOKED,       // SIGNER_OURS
    SIGNER_NOT_ACCEPTED,  // SIGNER_MIC: its trust store's policy says no (SHA-1, key size, class)
    SIGNER_GENERIC,       // SIGNER_MIC: the same certificate in many devices
    SIGNER_STATE_MAX
};
const char *signer_state_name(enum signer_state state);

// What the store remembers of this transaction or of this key (ra/transaction.h finds it out).
enum past {
    PAST_NONE,          // nothing that binds us
    PAST_SAME_REQUEST,  // ISSUED for the same PKCS#10, within the replay window
    PAST_OTHER_REQUEST, // ISSUED within the window for another PKCS#10 under this transactionID
    PAST_SAME_KEY,      // another transactionID, but same key, subject and challenge, in the window
    PAST_FOREIGN_KEY,   // the key is certified for another subject already
    PAST_DUPLICATE,     // a live certificate has this subject and another key; policy refuses that
    PAST_PENDING,       // waits for approval, same PKCS#10 (or a poll)
    PAST_PENDING_OTHER, // another PKCS#10 waits under this transactionID
    PAST_APPROVED,      // an administrator has approved it, same PKCS#10 (or a poll)
    PAST_DENIED,        // an administrator has denied it
    PAST_MAX
};

// Whether a renewal comes in its time (setting renewal.window_days).
enum renewal_time {
    RENEWAL_DUE,
    RENEWAL_EARLY_SAME_KEY, // too early, and the key is the present one's
    RENEWAL_EARLY_NEW_KEY,
    RENEWAL_TIME_MAX
};

// The device list, for who is known by a MIC or renews what came from one.
enum device_state {
    DEVICE_NOT_ASKED, // every genuine phone is welcome, or it was a challenge that authorised it
    DEVICE_LISTED,
    DEVICE_UNLISTED,
    DEVICE_STATE_MAX
};

struct facts {
    enum message_type type;
    enum signer_class signer_class;
    enum signer_state signer_state;
    struct err opening;    // ERR_OK: envelope decrypted and its content parsed; else what failed
    bool is_decrypted;     // the envelope was opened, whatever is in it
    struct err proof;      // ERR_OK: the PKCS#10's own signature holds; else what failed
    bool is_signer_key;    // the PKCS#10's key is the signer's key
    bool is_same_identity; // OURS, MIC: the names asked for are the signer's own
    enum challenge_state challenge; // what the challengePassword turned out to be
    enum past past;
    enum renewal_time renewal; // SIGNER_OURS
    enum device_state device;  // SIGNER_OURS, SIGNER_MIC
    struct err names;          // ERR_OK: the names asked for are allowed; else what is wrong
    bool is_found;             // GetCert, GetCRL: what is asked for is there
    bool is_known_key; // GetCert: the signer's key has a certificate of ours or a transaction
    // The administrator's choices.
    bool queues_unauthenticated; // approval.unauthenticated = "pending"
    bool queues_unlisted;        // devices.unlisted = "pending"
    bool is_challenge_strict;    // renewal.challenge = "strict"
    bool serves_get_cert;
    bool serves_get_crl;
};

enum action {
    ACTION_REFUSE,
    ACTION_ISSUE,   // by an authority that `authority` names
    ACTION_REPLAY,  // the stored certificate that `past` is about
    ACTION_PRESENT, // a renewal that comes too early: the signer's own certificate again
    ACTION_QUEUE,   // a new pending request → PENDING
    ACTION_PENDING, // it waits already → PENDING
    ACTION_CERT,    // GetCert: the certificate asked for
    ACTION_CRL,     // GetCRL: the CRL asked for
};

// What authorises an ACTION_ISSUE.
enum authority_kind {
    AUTHORITY_NONE,
    AUTHORITY_CHALLENGE,
    AUTHORITY_MIC,
    AUTHORITY_RENEWAL,
    AUTHORITY_APPROVAL,
};

struct verdict {
    enum action action;
    enum authority_kind authority; // ACTION_ISSUE
    enum err_code refusal;         // ACTION_REFUSE: ERR_BAD_REQUEST, _ALG, _TIME or _CERT_ID
    // ACTION_REFUSE before the requester was authorised: the phone gets one and the same answer
    // whatever went wrong (failInfo by the setting challenge.fail_info, no failInfoText).
    bool is_uniform;
    enum refusal why;          // ACTION_REFUSE: the reason in a word, else REFUSAL_NONE
    char reason[ERR_TEXT_LEN]; // exact, for the log; failInfoText too unless is_uniform
};

// Whether a verdict on this message needs what is in its envelope. False means that decide() says
// what it has to say without any RSA private operation on what the client sent; only type, signer
// and, for CertPoll, `past` (and what follows from an approval) count then.
bool decide_needs_envelope(const struct facts *facts);

// Looks at the facts and answers.
struct verdict decide(const struct facts *facts);
