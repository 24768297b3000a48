// SPDX-License-Identifier: Apache-2.0
// Passwords that are new: from a file, or typed twice on the terminal without being shown.
#pragma once

#include "conf/base/buf.h"

// Reads one with up to `max_len` octets into *ret_password (empty before, NUL at the end that its
// length does not count; the caller wipes it). `file` as secret_file_read(); NULL = the terminal at
// `terminal` ("/dev/tty") is asked. Errors: as secret_file_read(); ERR_SYNTAX when the two are not
// the same, ERR_LIMIT, ERR_NOT_FOUND without a terminal. An empty line is an empty password, for
// the caller to judge, when it was typed.
struct password_source {
    const char *file;
    const char *terminal;
    size_t max_len;
};
enum err_code password_read(const struct password_source *source, struct buf *ret_password,
                            struct err *err) MUST_CHECK;
