// SPDX-License-Identifier: Apache-2.0
// A phone's way to its certificate, walked step by step against any SCEP server (RFC 8894), with a
// finding for each step. It stops where a phone would.
#pragma once

#include "server/phone/address.h"
#include "server/phone/findings.h"
#include "server/phone/pin.h"

#define TRIAL_TIMEOUT_SEC 30L // for one HTTP answer

struct trial_plan {
    const struct phone_address *address;
    const char *given; // the address as it was written
    struct pin pin;
    bool is_fips;
    int64_t now; // seconds since 1970
    long timeout_sec;
    // What to prove oneself with; without either, nothing is asked for.
    struct view challenge; // empty = none
    X509 *mic;             // NULL = none
    EVP_PKEY *mic_key;
    STACK_OF(X509) * mic_chain; // may be NULL
    const char *common_name;    // NULL = the MIC's
};

// What a trial brought home; members may be NULL.
struct trial_result {
    EVP_PKEY *key;
    X509 *cert;             // issued for `key`
    STACK_OF(X509) * certs; // of GetCACert
    X509 *root;             // the pinned one of them; borrowed
};

// Walks. What a server does wrong is a finding, not an error. *ret_result is to be done with
// trial_result_done(). Errors: ERR_CRYPTO, ERR_NOMEM on this side; the findings so far stay.
enum err_code trial_run(const struct trial_plan *plan, struct findings *findings,
                        struct trial_result *ret_result, struct err *err) MUST_CHECK;
void trial_result_done(struct trial_result *result);
