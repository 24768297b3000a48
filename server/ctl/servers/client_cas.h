// SPDX-License-Identifier: Apache-2.0
// Which CAs a provisioning server asks phones' certificates of: those of the settings' list `mic`.
#pragma once

#include "conf/settings.h"
#include "server/ctl/ctl.h"

struct client_cas {
    char *file;           // PEM with all of them; owned
    bool has_weak;        // SHA-1 or keys below 2048 bits are accepted: TLS libraries refuse these
    bool accepts_expired; // what a server of TLS cannot do
};

// `mic` (NULL = not given) names a PEM file that has them; `out` (NULL = not given) a new one to
// write them to (0644), which is needed when the settings name several files, or one in DER. On
// failure the user has been told. To be done with client_cas_done().
enum ctl_exit client_cas_find(struct ctl *ctl, const char *mic, const char *out,
                              struct client_cas *ret_cas);
void client_cas_done(struct client_cas *cas);
