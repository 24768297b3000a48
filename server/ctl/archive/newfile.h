// SPDX-License-Identifier: Apache-2.0
// A new file that is there whole under its name or not at all: it is written under another name in
// the same folder, and nothing that exists is ever overwritten.
#pragma once

#include <sys/types.h>

#include "conf/base/buf.h"

struct newfile {
    int fd;     // to read and write; -1 = none
    char *path; // the final one
    char *temp; // the present one
};

// To be done with newfile_done(). Errors: ERR_EXISTS when there is something at `path` already,
// ERR_NOT_FOUND when its folder is missing, ERR_IO, ERR_FULL, ERR_NOMEM.
enum err_code newfile_open(const char *path, mode_t mode, struct newfile *ret_file,
                           struct err *err) MUST_CHECK;
// Writes all of `octets` at the file's position. Errors: ERR_IO, ERR_FULL.
enum err_code newfile_write(struct newfile *file, struct view octets, struct err *err) MUST_CHECK;
// Makes what is in it durable and closes it; it keeps its other name. Errors: ERR_IO, ERR_FULL.
enum err_code newfile_seal(struct newfile *file, struct err *err) MUST_CHECK;
// Makes it durable and gives it its name. Errors: ERR_EXISTS when somebody has made a file of that
// name meanwhile, ERR_IO, ERR_FULL.
enum err_code newfile_keep(struct newfile *file, struct err *err) MUST_CHECK;
// Removes it unless it was kept.
void newfile_done(struct newfile *file);

// Renames without overwriting. Errors: ERR_EXISTS, ERR_NOT_FOUND, ERR_IO.
enum err_code newfile_move(const char *from, const char *to, struct err *err) MUST_CHECK;
// Makes names in the folder of `path` durable. Errors: ERR_IO.
enum err_code newfile_sync_folder(const char *path, struct err *err) MUST_CHECK;
