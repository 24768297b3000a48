// SPDX-License-Identifier: Apache-2.0
// A new one-time challenge from scepd, for the commands that hand one on.
#pragma once

#include "server/ctl/api.h"

// As typed; NULL = not given.
struct challenge_wish {
    const char *common_name;
    const char *mac;
    const char *ttl;  // "1h"
    const char *uses; // "1"
};

// Has scepd make a challenge. *ret_challenge is its answer with the "secret", which the caller
// wipes with ctl_challenge_wipe() and gives back. On failure the user has been told.
enum ctl_exit ctl_challenge_ask(struct ctl *ctl, const struct challenge_wish *wish,
                                json_t **ret_challenge);
// Whether --ttl and --uses are well written; otherwise the user has been told.
enum ctl_exit ctl_challenge_check(struct ctl *ctl, const struct challenge_wish *wish);
void ctl_challenge_wipe(json_t *challenge);
