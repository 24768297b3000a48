// SPDX-License-Identifier: Apache-2.0
// For init_files.c only: what there is before anything is made, and whether it fits the plan.
#pragma once

#include "server/ctl/ca/init_files.h"

// The CA's key.
struct init_key {
    struct ceremony_key place; // where it can be opened; no URI = a new one is to be made
    const char *setting;       // what the settings say of it: a name in the folder, or a URI
    struct buf copy;           // to be put into the folder; empty = nothing
    struct buf pin;            // likewise
    bool has_pin;              // there is or will be a PIN file in the folder
    char *uri;                 // owned, as `pin_file`
    char *pin_file;
};

struct init_work {
    const struct init_plan *plan;
    struct init_key key;
    X509 *ca;               // INIT_EXISTING, INIT_FINISHED
    STACK_OF(X509) * chain; // likewise
    bool has_root;          // a certificate above the CA's
    bool has_ra;
    bool has_all; // more than a request
};

// Reads keys and certificates that the plan names, or that the first step left in the folder.
// *ret_work is to be done with init_work_done(). Errors: ERR_CONFIG for files that cannot be read;
// ERR_EXISTS when the folder waits for the second step and the plan is another one; ERR_NOT_FOUND
// when there is no first step; ERR_NOMEM.
enum err_code init_work_begin(const struct init_plan *plan, struct init_work *ret_work,
                              struct err *err) MUST_CHECK;
void init_work_done(struct init_work *work);
