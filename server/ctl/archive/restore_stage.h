// SPDX-License-Identifier: Apache-2.0
// Many new files and folders in many places, all of them or none: files get their final names at
// the end, one after the other, and are removed again when one of them fails.
#pragma once

#include "server/ctl/archive/newfile.h"

// Who owns what is made, and what others may do with it.
struct stage_rights {
    mode_t mode;
    uid_t uid; // (uid_t)-1 = whoever runs this
    gid_t gid; // (gid_t)-1 = as above
};

// When a file gets its final name: what makes the rest count comes last.
enum stage_rank { STAGE_FILE, STAGE_STORE, STAGE_SETTINGS, STAGE_RANKS };

struct stage;

// Errors: ERR_NOMEM.
enum err_code stage_new(struct stage **ret_stage, struct err *err) MUST_CHECK;
// Removes everything that was made, unless it was kept.
void stage_free(struct stage *stage);

// Makes the folder when it is missing; the one above must be there. Errors: ERR_EXISTS when there
// is something else, ERR_IO, ERR_FULL, ERR_NOMEM.
enum err_code stage_add_folder(struct stage *stage, const char *path,
                               const struct stage_rights *rights, struct err *err) MUST_CHECK;
// Makes the folders above `path`, down from `top`, which is there (mode 0700).
enum err_code stage_add_parents(struct stage *stage, const char *top, const char *path,
                                struct err *err) MUST_CHECK;

// A file, one at a time. The store's copy lies in a folder of its own until the end
// (stage_store_folder()), so that it can be opened before.
enum err_code stage_begin(struct stage *stage, const char *path, const struct stage_rights *rights,
                          enum stage_rank rank, struct err *err) MUST_CHECK;
enum err_code stage_write(struct stage *stage, struct view octets, struct err *err) MUST_CHECK;
enum err_code stage_end(struct stage *stage, struct err *err) MUST_CHECK;
// The present path of the file with this rank, or of that folder; NULL when there is none.
// Borrowed.
const char *stage_settings(const struct stage *stage);
const char *stage_store_folder(const struct stage *stage);

// A symbolic link. Errors: ERR_EXISTS, ERR_IO, ERR_NOMEM.
enum err_code stage_add_link(struct stage *stage, const char *path, const char *target,
                             struct err *err) MUST_CHECK;

// Gives everything its name. On failure stage_free() takes it all away again. Errors: ERR_EXISTS
// when somebody was faster, ERR_IO.
enum err_code stage_commit(struct stage *stage, struct err *err) MUST_CHECK;
// From here on stage_free() removes nothing.
void stage_keep(struct stage *stage);
