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
};
const char *signer_class_name(enum signer_class signer_class);

// What the store remembers of this transaction or of this key.
enum past {
    PAST_NONE,          // nothing that binds us
    PAST_SAME_REQUEST,  // ISSUED for the same PKCS#10, within the replay window
    PAST_OTHER_REQUEST, // ISSUED within the window for another PKCS#10 under this transactionID
    PAST_SAME_KEY,      // another transactionID, but same key, subject and challenge, in the window
    PAST_FOREIGN_KEY,   // the key is certified for another subject already
    PAST_DUPLICATE,     // a live certificate has this subject and another key; policy refuses that
};

struct facts {
    enum message_type type;
    enum signer_class signer_class;
    bool is_opened;     // envelope decrypted, PKCS#10 parsed
    bool is_proven;     // PKCS#10's own signature holds
    bool is_signer_key; // PKCS#10's key is the signer's key
    enum challenge_state challenge;
    enum past past;
    struct err names; // ERR_OK, or what the rules for names found wrong
};

enum action { ACTION_REFUSE, ACTION_ISSUE, ACTION_REPLAY };

struct verdict {
    enum action action;
    enum err_code refusal;     // ACTION_REFUSE: ERR_BAD_REQUEST, ERR_BAD_CERT_ID...
    bool is_told;              // the phone may learn `reason` as failInfoText
    bool is_challenge_fault;   // failInfo by the setting challenge.fail_info
    char reason[ERR_TEXT_LEN]; // for the log: exact
};

// Looks at the facts and answers. `facts->past` counts only as far as the message type uses it.
struct verdict decide(const struct facts *facts);
