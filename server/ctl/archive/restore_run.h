// SPDX-License-Identifier: Apache-2.0
// Restoring itself: everything is written under other names, the store is opened and made fit, the
// settings are read, and only then does anything get its name.
#pragma once

#include "server/ctl/archive/restore_target.h"
#include "server/ctl/progress.h"

struct restore_order {
    int fd; // the archive, which archive_verify() has read
    struct restore_target target;
    struct progress *progress;
    FILE *problems; // what is wrong with the settings goes here line by line
};

struct restore_result {
    uint64_t certificates; // in the store
    uint64_t octets;       // of the store's copy
    unsigned files;        // that were made
    unsigned kept;         // that were there already, the very same
};

// All or nothing. Errors: those of restore_target_check() for what came meanwhile, ERR_SYNTAX when
// the archive is another one than before, ERR_CONFIG (the settings or the store's version),
// ERR_FULL, ERR_IO, ERR_NOMEM, ERR_DENIED (interrupted).
enum err_code restore_run(const struct restore_order *order, struct restore_result *ret_result,
                          struct err *err) MUST_CHECK;
