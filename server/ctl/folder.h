// SPDX-License-Identifier: Apache-2.0
// A folder that is filled with new files, all of them or none: nothing that exists is touched, and
// what was made is removed again unless folder_keep() is called.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "conf/base/buf.h"

#define FOLDER_ENTRIES_MAX 16 // files and folders made in one go

struct folder {
    char *path;                           // absolute
    bool is_made;                         // it did not exist before
    const char *made[FOLDER_ENTRIES_MAX]; // names, borrowed
    unsigned made_count;
    bool is_kept;
};

// Opens the folder at `path`, or makes it (mode 0700) in a folder that exists. `names` (NULL at the
// end) are to be made in it and must not exist yet. To be done with folder_done(). Errors:
// ERR_EXISTS with the first name that exists, ERR_DENIED when others may write in it, ERR_NOT_FOUND
// when what it should be made in does not exist, ERR_IO, ERR_NOMEM.
enum err_code folder_open(const char *path, const char *const *names, struct folder *ret_folder,
                          struct err *err) MUST_CHECK;
// A new file of mode 0600, fsynced. `name` outlives the folder. Errors: as file_create().
enum err_code folder_add_file(struct folder *folder, const char *name, struct view content,
                              struct err *err) MUST_CHECK;
// A new folder of mode 0700 in it.
enum err_code folder_add_folder(struct folder *folder, const char *name,
                                struct err *err) MUST_CHECK;
// Whether it was added.
bool folder_has(const struct folder *folder, const char *name);
// Who owns an entry that was added, and what others may do with it.
struct folder_rights {
    mode_t mode;
    uid_t uid;
    gid_t gid;
};
// `name` NULL = the folder itself, if it was made here; else nothing happens. Errors: ERR_IO.
enum err_code folder_give(struct folder *folder, const char *name,
                          const struct folder_rights *rights, struct err *err) MUST_CHECK;
// The path of an entry; the caller frees it. NULL when memory is out.
char *folder_path(const struct folder *folder, const char *name);
// Makes the names durable and ends the removal at folder_done(). Errors: ERR_IO.
enum err_code folder_keep(struct folder *folder, struct err *err) MUST_CHECK;
void folder_done(struct folder *folder);
