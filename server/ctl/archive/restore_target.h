// SPDX-License-Identifier: Apache-2.0
// Where a backup is restored to, and whether that may be: nothing that exists is overwritten, and
// no scepd runs there.
#pragma once

#include <limits.h>

#include <jansson.h>

#include "server/ctl/archive/restore_stage.h"

struct restore_target {
    const json_t *manifest; // that was checked
    const char *into;       // absolute path of a new folder; NULL = where everything was
};

// The path of an entry of the manifest's files or links. Errors: ERR_LIMIT.
enum err_code restore_target_path(const struct restore_target *target, const json_t *entry,
                                  char ret_path[PATH_MAX], struct err *err) MUST_CHECK;
// Owner and mode of an entry of files or folders: root gives everybody their own, unless it is a
// folder to look at. Errors: ERR_NOT_FOUND for users this machine does not have.
enum err_code restore_target_rights(const struct restore_target *target, const json_t *entry,
                                    struct stage_rights *ret_rights, struct err *err) MUST_CHECK;
// Whether the very same file or link is there already. Never true for the store and the settings.
bool restore_target_has(const struct restore_target *target, const json_t *entry);
// Before anything is written. Errors: ERR_BUSY (scepd runs there), ERR_EXISTS with the first thing
// that is in the way, ERR_NOT_FOUND (a user, or the folder above `into`), ERR_LIMIT, ERR_IO.
enum err_code restore_target_check(const struct restore_target *target, struct err *err) MUST_CHECK;
