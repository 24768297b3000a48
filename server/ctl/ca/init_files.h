// SPDX-License-Identifier: Apache-2.0
// The files of a CA that this server works with: keys, certificates, the challenge key and
// scepd.conf, all of them or none.
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "ca/ceremony.h"
#include "server/ctl/ca/init_config.h"

#define INIT_ROOT_KEY "root.key"
#define INIT_CA_KEY   "issuing.key"
#define INIT_CA_URI   "issuing.uri" // instead of the key: where it is
#define INIT_CA_PIN   "ca.pin"
#define INIT_REQUEST  "issuing.csr"

enum init_way {
    INIT_NEW,       // a new CA
    INIT_EXISTING,  // a CA that exists already
    INIT_REQUESTED, // a new key and a request for an outside CA, as the first of two steps
    INIT_FINISHED,  // the second: the certificate has come
};

// All borrowed.
struct init_plan {
    const struct init_place *place;
    enum init_way way;
    const char *static_file;     // absolute path; NULL = no static challenge
    const char *url;             // "http://HOST[:PORT]" for certificates; NULL = none
    struct ceremony_order order; // INIT_NEW: `tiers` decides whether there are root.pem and
                                 // root.key, `is_direct` whether there is an RA. The others take
                                 // from it: key, ca_key, organization, is_direct, now
    const char *certificate;     // file with the CA's; INIT_EXISTING and INIT_FINISHED
    const char *chain;           // file with what stands above it; NULL = nothing, or it is in the
                                 // same file
};

// To be done with init_result_done().
struct init_result {
    char *directory; // absolute
    char *ca_key;    // absolute path, or URI
    bool has_root;   // there is a root.pem
    unsigned lacks;  // sum of enum ceremony_lack
    uint8_t root_sha256[SHA256_LEN];
    uint8_t root_sha1[CEREMONY_SHA1_LEN];
};
void init_result_done(struct init_result *result);

// Makes everything where plan->place says (see server/ctl/folder.h), reads the settings back as
// scepd will, and removes all of it again when that fails; problems with the settings go to
// `problems` line by line. A key in a file is copied, a URI goes into the settings; a PIN file is
// copied. Takes some seconds. Errors: ERR_CONFIG for what the user asked for or gave, ERR_LIMIT
// when the directory's path is too long for the sockets in it, and those of folder_open().
enum err_code init_files(const struct init_plan *plan, FILE *problems,
                         struct init_result *ret_result, struct err *err) MUST_CHECK;
