// SPDX-License-Identifier: Apache-2.0
// Where the files of a backup lie: their absolute places, and those below the one folder that
// `restore --into` makes.
#pragma once

#include <limits.h>

#include "conf/settings.h"

// `path` without ".", ".." and empty parts; it is absolute. Errors: ERR_LIMIT.
enum err_code backup_path_plain(const char *path, char ret_plain[PATH_MAX],
                                struct err *err) MUST_CHECK;

// The place of a plain absolute path below the folder: what lies beside or below scepd.conf keeps
// its place to it, what scepd itself writes goes to ra/, generations/ and store/, and everything
// else to other/ with its whole path. Errors: ERR_LIMIT.
enum err_code backup_path_into(const char *config, const struct settings *settings,
                               const char *path, char ret_into[PATH_MAX],
                               struct err *err) MUST_CHECK;
