// SPDX-License-Identifier: Apache-2.0
// Trust stores for manufacturer's certificates (setting `mic`), each with its own policy. Immutable
// once loaded; shared by all threads. A reload makes a new one.
#pragma once

#include "conf/settings.h"
#include "ra/identity.h"

struct trust;

// Loads every file that `mic` names. Roots are self-signed CA certificates, and that signature
// holds; intermediates are CA certificates. Errors: ERR_CONFIG with store and file, ERR_NOT_FOUND,
// ERR_IO, ERR_NOMEM.
enum err_code trust_load(const struct settings *settings, struct trust **ret_trust,
                         struct err *err) MUST_CHECK;
void trust_free(struct trust *trust);

enum trust_state {
    TRUST_NONE,    // chains to no store
    TRUST_GOOD,    // genuine and accepted by `store`
    TRUST_EXPIRED, // from here on genuine, but the store's policy says no: past notAfter
    TRUST_NOT_YET, // before notBefore: a wrong clock
    TRUST_WEAK,    // SHA-1 or too small an RSA key
    TRUST_CLASS,   // a class of device that the store does not take, or no device at all but a CA
    TRUST_GENERIC, // the same certificate in many devices: proves nothing, no store takes it
    TRUST_STATE_MAX
};
const char *trust_state_name(enum trust_state state); // "good", "expired"...

struct trust_result {
    enum trust_state state;
    const char *store;         // name of the trust store; NULL for TRUST_NONE; the trust's
    struct identity identity;  // read from the subject unless TRUST_NONE
    int64_t not_after;         // of the MIC, seconds since 1970
    char reason[ERR_TEXT_LEN]; // why not, for the log; "" for TRUST_GOOD
};

// Which store accepts `cert`. `others` (may be NULL, any order, may hold `cert` itself) are the
// message's certificates: intermediates among them complete a chain, but only a store's own roots
// end one. No purpose or EKU is required; the auth_level is set by the store's policy; dates up to
// 9999 count, also those of the CAs above, where accept_expired helps, too. SHA-1 in the root's own
// signature does not matter, worse than SHA-1 is never accepted. The first store that says
// TRUST_GOOD wins, else the nearest to it. A certificate with an unreadable subject is TRUST_NONE
// with that reason. Any thread. Errors: ERR_NOMEM, ERR_CRYPTO.
enum err_code trust_judge(const struct trust *trust, X509 *cert, STACK_OF(X509) * others,
                          int64_t now, struct trust_result *ret_result, struct err *err) MUST_CHECK;

// The stores one by one, in the settings' order, for people who want to know why.
unsigned trust_store_count(const struct trust *trust);
const char *trust_store_name(const struct trust *trust, unsigned store);
// As trust_judge(), by one store alone.
enum err_code trust_judge_by(const struct trust *trust, unsigned store, X509 *cert,
                             STACK_OF(X509) * others, int64_t now, struct trust_result *ret_result,
                             struct err *err) MUST_CHECK;

// The smallest RSA key that any store accepts, but at most LIMIT_RSA_BITS_MIN, which is what holds
// for signers without a manufacturer's certificate.
uint32_t trust_min_rsa_bits(const struct settings *settings);
