// SPDX-License-Identifier: Apache-2.0
// Challenge passwords (RFC 8894, 2.4 and 7.3): static ones from a file and one-time ones that are
// kept only as a keyed hash. A one-time challenge is CHALLENGE_DIGITS decimal digits: 66 bits, and
// typeable on a phone's number keys.
#pragma once

#include "ra/names.h"
#include "ra/store/store.h"

#define CHALLENGE_DIGITS      20
#define CHALLENGE_TEXT_LEN    (CHALLENGE_DIGITS + 1) // bytes with NUL
#define CHALLENGE_KEY_LEN_MIN 32                     // octets of challenge.key_file
#define CHALLENGE_STATIC_MIN  8                      // characters of a static challenge

// What a request's challengePassword turned out to be. The phone never learns which.
enum challenge_state {
    CHALLENGE_ABSENT,
    CHALLENGE_STATIC,   // right, the static one
    CHALLENGE_ONE_TIME, // right, a one-time one with uses left
    CHALLENGE_WRONG,    // unknown
    CHALLENGE_EXPIRED,
    CHALLENGE_USED_UP,
    CHALLENGE_REVOKED,
    CHALLENGE_FOREIGN, // right, but bound to another CN or MAC
};
const char *challenge_state_name(enum challenge_state state);

// The secrets that challenges are compared with. Immutable once loaded.
struct challenge_secrets {
    struct buf key; // challenge.key_file
    bool has_static;
    uint8_t static_hash[SHA256_LEN]; // keyed hash of the static challenge
};

// Loads the key and, if the setting is there, the static challenge (first line of its file,
// without the line end). Errors: ERR_CONFIG (key too short, static challenge too short, file
// readable by everybody), ERR_NOT_FOUND, ERR_IO. To be done with challenge_secrets_done().
enum err_code challenge_secrets_load(const struct settings *settings,
                                     struct challenge_secrets *ret_secrets,
                                     struct err *err) MUST_CHECK;
void challenge_secrets_done(struct challenge_secrets *secrets);

// Makes a new one-time challenge: the text to tell the phone's owner in `ret_text` (wipe it), and
// the record to store in *ret_challenge with hash and id set and uses_left = uses_allowed; the
// caller has set the other members. Errors: ERR_CRYPTO.
enum err_code challenge_make(const struct challenge_secrets *secrets,
                             struct store_challenge *challenge, char ret_text[CHALLENGE_TEXT_LEN],
                             struct err *err) MUST_CHECK;

struct challenge_result {
    enum challenge_state state;
    uint8_t hash[SHA256_LEN];         // keyed hash of what was presented; zeroes when absent
    char id[CHALLENGE_ID_LEN];        // for the log; "" unless a one-time record was found
    char common_name[STORE_NAME_LEN]; // the CN it is bound to, for requests with an empty subject
};

// What is to be checked; everything is borrowed.
struct challenge_query {
    struct view presented; // UTF-8; empty = absent
    const struct names *names;
    int64_t now;
};

// Looks a presented challenge up: constant-time against the static one, by keyed hash among the
// one-time ones, which takes the same steps whatever is presented. Errors: ERR_IO, ERR_NOMEM for
// trouble of the store; a wrong challenge is a result, not an error.
enum err_code challenge_check(const struct challenge_secrets *secrets, struct store *store,
                              const struct challenge_query *query,
                              struct challenge_result *ret_result, struct err *err) MUST_CHECK;
