// SPDX-License-Identifier: Apache-2.0
// Where scepctl init puts what it makes, and whom it belongs to: a folder that somebody named, with
// everything in it, or the places of the installed service with its two users.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "conf/base/err.h"

#define INIT_STORE       "store"
#define INIT_RA_FOLDER   "ra"
#define INIT_GENERATIONS "generations"
#define INIT_MIC         "mic" // for manufacturers' CAs; mic-cisco.conf names files in it

// All borrowed. The ids count for an installed service only.
struct init_place {
    const char *directory;    // scepd.conf, certificates, keys, generations
    const char *state;        // store and ra; NULL = in `directory`
    const char *admin_socket; // NULL = in `directory`
    const char *ca_socket;    // NULL = in `directory`
    const char *listen;       // NULL = the setting's default
    bool is_installed;        // users of their own read the files, systemd opens ports and keys
    uid_t scepd_uid;          // owner of `state` and what is in it
    gid_t scepd_gid;
    gid_t ca_gid; // group of the folder of CAs, which lets scepd-ca read later CAs' keys
};

// One folder for everything. `listen` may be NULL.
struct init_place init_place_folder(const char *directory, const char *listen);
// The installed service's places. Errors: ERR_DENIED (not root), ERR_NOT_FOUND (a user or group of
// the package is missing), with what to do in the text; ERR_IO.
enum err_code init_place_installed(struct init_place *ret_place, struct err *err) MUST_CHECK;
