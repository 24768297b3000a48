// SPDX-License-Identifier: Apache-2.0
// What belongs into a backup beside the store: scepd.conf and every file that it names, RA
// certificates and CAs that were made since, with the keys of all of them or without.
#pragma once

#include <jansson.h>

#include "conf/settings.h"

struct backup_plan {
    const char *config; // absolute path of the settings file
    const struct settings *settings;
    bool has_keys; // else they are only named
};

// The lists of the manifest (server/ctl/archive/manifest.h), and what is in the files.
struct backup_files {
    json_t *files;
    struct buf *contents; // of files[i]; wiped when done
    json_t *links;
    json_t *folders;
    json_t *left_out;
    json_t *into;
};

// Reads everything into memory: files of at most LIMIT_FILE_LEN octets each. To be done with
// backup_files_done(), also on failure. Errors: ERR_NOT_FOUND, ERR_IO, ERR_LIMIT, ERR_CONFIG with
// the file; ERR_NOMEM.
enum err_code backup_files_collect(const struct backup_plan *plan, struct backup_files *ret_files,
                                   struct err *err) MUST_CHECK;
void backup_files_done(struct backup_files *files);
// The entry of `files` for the store's copy, and its folder. Errors: ERR_IO, ERR_NOMEM.
enum err_code backup_files_add_store(const struct backup_plan *plan, struct backup_files *files,
                                     uint64_t size, const char *sha256, struct err *err) MUST_CHECK;
