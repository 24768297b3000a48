// SPDX-License-Identifier: Apache-2.0
// What a phone makes of what a server sent. Each function adds what it has to say; whether a phone
// goes on shows in the gravest finding. What phones do is from Cisco's documents; where these are
// silent, a finding says so.
#pragma once

#include "server/phone/address.h"
#include "server/phone/authority.h"
#include "server/phone/caps.h"
#include "server/phone/findings.h"
#include "server/phone/reply.h"
#include "server/phone/transport.h"

struct judge {
    struct findings *findings;
    const struct pin *pin;
    bool is_fips; // the phone is in FIPS 140-3 mode
    int64_t now;  // seconds since 1970
};

// The address as it was given.
void judge_address(const struct judge *judge, const struct phone_address *address,
                   const char *given);
// The HTTP answer to GetCACaps, whatever its status, and what is in it; the capabilities a phone
// goes on with.
struct phone_caps judge_caps(const struct judge *judge, const struct phone_answer *answer);
// The certificates: kinds, pinned root, chains, the one to encrypt for. `answer` brought them.
void judge_authority(const struct judge *judge, const struct phone_authority *authority,
                     const struct phone_answer *answer);
// Whether the answer keeps the rules, and what it says.
void judge_reply(const struct judge *judge, const struct phone_request *request,
                 const struct phone_reply *reply, bool is_by_mic);
// The issued certificate in the answer, for `common_name`. Borrowed; NULL when none is for the
// request's key.
X509 *judge_issued(const struct judge *judge, const struct phone_authority *authority,
                   const struct phone_request *request, const struct phone_reply *reply,
                   const char *common_name);
// When the phone renews `cert`, and how.
void judge_renewal(const struct judge *judge, X509 *cert, bool is_by_mic);

// FINDING_PROBLEM in FIPS mode, else FINDING_WARNING: for what is only weak.
enum finding_level judge_weak(const struct judge *judge);
// Whether the signature of `cert` is by SHA-1 or MD5.
bool judge_is_hash_weak(const X509 *cert);
