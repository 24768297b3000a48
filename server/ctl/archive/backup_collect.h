// SPDX-License-Identifier: Apache-2.0
// How files get into a backup's lists. For backup_files.c and backup_sources.c only.
#pragma once

#include "server/ctl/archive/backup_files.h"

// A file to add.
struct backup_source {
    const char *setting; // that names it, or its folder
    const char *path;
    bool is_key;
    bool is_foreign; // lies in a folder that another user writes to: no link is followed
};

struct backup_collection {
    const struct backup_plan *plan;
    struct backup_files *into;
};

// Each file once, however often it is named; a key only if keys are wanted. Errors: as
// backup_files_collect().
enum err_code backup_collect_file(struct backup_collection *collection,
                                  const struct backup_source *source, struct err *err) MUST_CHECK;
// The folders above `restore_to`, a plain path; "PATH/" means PATH itself, too.
enum err_code backup_collect_folders(struct backup_collection *collection, const char *restore_to,
                                     struct err *err) MUST_CHECK;
// A key that is named and not in the backup. `restore_to` NULL: in a token.
enum err_code backup_leave_out(struct backup_collection *collection, const char *setting,
                               const char *restore_to, struct err *err) MUST_CHECK;
// Consumes the entry; NULL is one that could not be made because of `path`.
enum err_code backup_collect_entry(json_t *list, json_t *take_entry, const char *path,
                                   struct err *err) MUST_CHECK;

// All that the settings name, and what scepd and scepctl made since.
enum err_code backup_collect_settings(struct backup_collection *collection,
                                      struct err *err) MUST_CHECK;
enum err_code backup_collect_made(struct backup_collection *collection, struct err *err) MUST_CHECK;
