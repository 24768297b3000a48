// SPDX-License-Identifier: Apache-2.0
// The one door to issuance. Facts about a request go in, one verdict comes out; the first answer
// is no. A pure function: no store, no clock, no key, so that the whole policy can be read, and
// tested as a table, on one page.
#pragma once

#include <stdbool.h>

#include "conf/base/err.h"
#include "ra/challenge.h"
#include "ra/message.h"

// Who signed the request.
enum signer_class {
    SIGNER_UNKNOWN,     // a certificate of somebody else
    SIGNER_SELF_SIGNED, // proves possession of a key, authorises nothing
    SIGNER_OURS,        // byte-identical to a certificate in our store
    SIGNER_CLASS_MAX
};
const char *signer_class_name(enum signer_class signer_class);

// What the store remembers of this transaction or of this key (ra/transaction.h finds it out).
enum past {
    PAST_NONE,          // nothing that binds us
    PAST_SAME_REQUEST,  // ISSUED for the same PKCS#10, within the replay window
    PAST_OTHER_REQUEST, // ISSUED within the window for another PKCS#10 under this transactionID
    PAST_SAME_KEY,      // another transactionID, but same key, subject and challenge, in the window
    PAST_FOREIGN_KEY,   // the key is certified for another subject already
    PAST_DUPLICATE,     // a live certificate has this subject and another key; policy refuses that
    PAST_MAX
};

struct facts {
    enum message_type type;
    enum signer_class signer_class;
    struct err opening; // ERR_OK: envelope decrypted and PKCS#10 parsed; else what failed
    struct err proof;   // ERR_OK: the PKCS#10's own signature holds; else what failed
    bool is_signer_key; // the PKCS#10's key is the signer's key
    enum challenge_state challenge; // what the challengePassword turned out to be
    enum past past;
    struct err names; // ERR_OK: the names asked for are allowed; else what is wrong
};

enum action { ACTION_REFUSE, ACTION_ISSUE, ACTION_REPLAY };

struct verdict {
    enum action action;
    enum err_code refusal; // ACTION_REFUSE: ERR_BAD_REQUEST, ERR_BAD_ALG or ERR_BAD_CERT_ID
    // ACTION_REFUSE before the requester was authorised: the phone gets one and the same answer
    // whatever went wrong (failInfo by the setting challenge.fail_info, no failInfoText).
    bool is_uniform;
    char reason[ERR_TEXT_LEN]; // exact, for the log; failInfoText too unless is_uniform
};

// Whether a verdict on this message needs what is in its envelope. False means that decide() says
// what it has to say without any RSA private operation; only `type`, `signer_class` and, for
// CertPoll, `past` count then.
bool decide_needs_envelope(enum message_type type, enum signer_class signer_class);

// Looks at the facts and answers.
struct verdict decide(const struct facts *facts);
