// SPDX-License-Identifier: Apache-2.0
// Whole small files: read with a limit, written so that a crash leaves the old or the new one.
#pragma once

#include <sys/types.h>

#include "conf/base/buf.h"

// Reads the file at `path` of at most `max_len` octets into *ret_content (empty before; the caller
// wipes it when it may be secret). Errors: ERR_NOT_FOUND, ERR_IO, ERR_LIMIT, ERR_NOMEM.
enum err_code file_read(const char *path, size_t max_len, struct buf *ret_content,
                        struct err *err) MUST_CHECK;
// Makes a new file with `mode` and `content`, fsynced. Errors: ERR_EXISTS when there is one
// already (it stays as it is), ERR_IO, ERR_FULL; on failure no half-written file is left.
enum err_code file_create(const char *path, mode_t mode, struct view content,
                          struct err *err) MUST_CHECK;
