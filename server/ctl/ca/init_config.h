// SPDX-License-Identifier: Apache-2.0
// The settings file of a new CA.
#pragma once

#include "conf/base/buf.h"
#include "server/ctl/ca/init_place.h"

#define INIT_CONFIG           "scepd.conf"
#define INIT_ROOT_CERTIFICATE "root.pem"
#define INIT_CA_CERTIFICATE   "issuing.pem"
#define INIT_RA_CERTIFICATE   "ra.pem"
#define INIT_RA_KEY           "ra.key"
#define INIT_CHALLENGE_KEY    "challenge.key"
#define INIT_ADMIN_SOCKET     "admin.sock"
#define INIT_CA_SOCKET        "ca.sock"

// What the file has to say beside what is the same for all. All borrowed.
struct init_config {
    const struct init_place *place;
    const char *static_file; // absolute path; NULL = no static challenge
    const char *url;         // "http://HOST[:PORT]" that certificates name; NULL = they name none
    const char *ca_key;      // name of a file in the folder, or a URI
    const char *ca_pin_file; // name of a file in the folder; NULL = none
    bool has_root;           // a certificate above the CA's
    bool is_direct;          // no RA
};

// Errors: ERR_CONFIG for a value that is not allowed; ERR_NOMEM.
enum err_code init_config_write(const struct init_config *config, struct buf *ret_text,
                                struct err *err) MUST_CHECK;
