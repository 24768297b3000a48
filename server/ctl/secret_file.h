// SPDX-License-Identifier: Apache-2.0
// Secrets that are given in a file or on standard input, never on the command line.
#pragma once

#include "conf/base/buf.h"
#include "server/ctl/ctl.h"

// The first line of the file at `path` ("-" = standard input) without its end, of at most `max_len`
// octets, in *ret_secret (empty before; the caller wipes it). Errors: ERR_SYNTAX (empty line, or a
// NUL in it), ERR_LIMIT, ERR_NOT_FOUND, ERR_IO, ERR_NOMEM.
enum err_code secret_file_read(const char *path, size_t max_len, struct buf *ret_secret,
                               struct err *err) MUST_CHECK;

// Warns of a file that others than its owner and group can read; "-" is none.
void secret_file_warn(struct ctl *ctl, const char *path);
