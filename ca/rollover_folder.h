// SPDX-License-Identifier: Apache-2.0
// For rollover.c only: changes in the folder of CAs, each of them whole or not at all, and on the
// disk before the next one begins.
#pragma once

#include "conf/base/buf.h"

struct rollover_folder {
    const char *path; // borrowed
    int fd;
};

// Opens and locks the folder; to be closed. Errors: ERR_BUSY when somebody else has it locked;
// ERR_NOT_FOUND, ERR_IO.
enum err_code rollover_folder_open(const char *path, struct rollover_folder *ret_folder,
                                   struct err *err) MUST_CHECK;
void rollover_folder_close(struct rollover_folder *folder);

struct rollover_file {
    const char *name; // NULL ends a list
    struct view content;
    bool is_secret; // a key or PIN
};

// Adds the folder `name` with all `files`, made under another name. Run by root, it gives
// everything to the owner and group of the folder of CAs, and secrets to those of `key` when that
// is another user's file (NULL or not a path: it is not). Secrets are for their owner only; in a
// folder of root's with a group other than root's they are also for that group, which is then
// scepd-ca's. Errors: ERR_EXISTS, ERR_IO, ERR_FULL, ERR_NOMEM; then nothing is left.
enum err_code rollover_folder_add(struct rollover_folder *folder, const char *name,
                                  const struct rollover_file *files, const char *key,
                                  struct err *err) MUST_CHECK;
// As well as it goes: a folder added above, or what a crash left of one (`name` NULL).
void rollover_folder_remove(struct rollover_folder *folder, const char *name);

// Makes the symbolic link `link` name `target`, whatever it named before; and removes it, if it is
// there. Errors: ERR_IO, ERR_FULL.
enum err_code rollover_folder_link(struct rollover_folder *folder, const char *link,
                                   const char *target, struct err *err) MUST_CHECK;
enum err_code rollover_folder_unlink(struct rollover_folder *folder, const char *link,
                                     struct err *err) MUST_CHECK;
bool rollover_folder_has_link(const struct rollover_folder *folder, const char *link);
