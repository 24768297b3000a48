// SPDX-License-Identifier: Apache-2.0
// What a phone is told however it is told: server, fingerprint of the root, challenge and the
// choices for 802.1X, read from the command line, with what an administrator should know of them.
#pragma once

#include "server/ctl/api.h"
#include "server/ctl/phone/phone_hash.h"
#include "server/phone/option43.h"

struct phone_values {
    const char *server; // borrowed from the command line
    struct pin fingerprint;
    bool is_of_scepd;                     // the fingerprint was asked of the running scepd
    char challenge[OPTION43_MAX_LEN + 1]; // "" = none; a secret
    json_t *issued; // of a new challenge: id, expires_at, uses_allowed; or NULL
    enum option43_switch dot1x;
    enum option43_switch custom;
    json_t *warnings; // texts
};

// Reads --server, --fingerprint, --hash, --challenge, --challenge-file, --new-challenge, --dot1x
// and
// --certificate. With --new-challenge the challenge is as long as it will be, but not made yet, so
// that everything can be checked before. On failure the user has been told. To be done with
// phone_values_done() either way.
enum ctl_exit phone_values_read(struct ctl *ctl, const struct ctl_arguments *arguments,
                                struct phone_values *values);
// Makes the new challenge if one is wanted: for `common_name`, or any when that is NULL.
enum ctl_exit phone_values_issue(struct ctl *ctl, const struct ctl_arguments *arguments,
                                 const char *common_name, struct phone_values *values);
// Wipes the challenge.
void phone_values_done(struct phone_values *values);

// Notes a warning, printf-style.
void phone_values_warn(struct phone_values *values, const char *format, ...) PRINTF_LIKE(2, 3);
// Writes the warnings to the error stream, one a line.
void phone_values_show_warnings(struct ctl *ctl, const struct phone_values *values);

// The options above, for the tables of the commands.
#define PHONE_VALUES_OPTIONS                                                                       \
    {"server", CTL_SERVER, "URL", "what phones ask: http://... or a bare IP address"},             \
        {"fingerprint", CTL_FINGERPRINT, "HEX|FILE",                                               \
         "of the root, or a file with it (the root of scepd)"},                                    \
        {"hash", CTL_HASH, PHONE_HASH_CHOICE, "of the fingerprint (sha256)"},                      \
        {"challenge-file", CTL_CHALLENGE_FILE, "FILE",                                             \
         "the challenge is its first line; - is standard input"},                                  \
        {"challenge", CTL_CHALLENGE, "TEXT",                                                       \
         "the challenge; other users of this machine can read it here"},                           \
        {"new-challenge", CTL_NEW_CHALLENGE, NULL, "have scepd make a challenge"},                 \
        {"ttl", CTL_TTL, "TIME", "how long the new one is usable: 90s, 15m, 1h, 2d (1h)"},         \
        {"uses", CTL_USES, "N", "how many certificates the new one is good for (1)"},              \
        {"dot1x", CTL_DOT1X, NULL, "enable 802.1X authentication"},                                \
    {                                                                                              \
        "certificate", CTL_CERTIFICATE, "custom|manufacturing", "which one, for 802.1X"            \
    }
