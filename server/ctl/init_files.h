// SPDX-License-Identifier: Apache-2.0
// The files of a new CA: keys, certificates, the challenge key and scepd.conf, all of them or none.
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "ca/ceremony.h"

#define INIT_CONFIG           "scepd.conf"
#define INIT_ROOT_CERTIFICATE "root.pem"
#define INIT_ROOT_KEY         "root.key"
#define INIT_CA_CERTIFICATE   "issuing.pem"
#define INIT_CA_KEY           "issuing.key"

struct init_plan {
    const char *directory;
    const char *listen;          // NULL = the setting's default
    const char *static_file;     // absolute path; NULL = no static challenge
    struct ceremony_order order; // `tiers` decides whether there are root.pem and root.key,
                                 // `is_direct` whether there is an RA
};

struct init_result {
    char *directory; // absolute; the caller frees it
    uint8_t root_sha256[SHA256_LEN];
    uint8_t root_sha1[CEREMONY_SHA1_LEN];
};

// Makes everything in plan->directory (see server/ctl/folder.h), reads the settings back as scepd
// will, and removes all of it again when that fails; problems with the settings go to `problems`
// line by line. Takes some seconds. Errors: ERR_CONFIG for what the user asked for, ERR_LIMIT when
// the directory's path is too long for the sockets in it, and those of folder_open().
enum err_code init_files(const struct init_plan *plan, FILE *problems,
                         struct init_result *ret_result, struct err *err) MUST_CHECK;
