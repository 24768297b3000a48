// SPDX-License-Identifier: Apache-2.0
// Secrets that are given in a file or on standard input, never on the command line.
#pragma once

#include "conf/base/buf.h"

// The first line of the file at `path` ("-" = standard input) without its end, of at most `max_len`
// octets, in *ret_secret (empty before; the caller wipes it). Errors: ERR_SYNTAX (empty line, or a
// NUL in it), ERR_LIMIT, ERR_NOT_FOUND, ERR_IO, ERR_NOMEM.
enum err_code secret_file_read(const char *path, size_t max_len, struct buf *ret_secret,
                               struct err *err) MUST_CHECK;
