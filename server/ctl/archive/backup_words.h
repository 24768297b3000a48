// SPDX-License-Identifier: Apache-2.0
// What scepctl backup says when it is done: what is in the file, which secrets, and what is not.
#pragma once

#include "server/ctl/archive/backup_files.h"
#include "server/ctl/ctl.h"

// All borrowed.
struct backup_made {
    const char *path; // of the backup
    const struct backup_plan *plan;
    const json_t *manifest; // as it was read back
    uint64_t store_octets;
};

// In words for people, or as JSON.
enum ctl_exit backup_words(struct ctl *ctl, const struct backup_made *made);
