// SPDX-License-Identifier: Apache-2.0
// Reads a tar file that anybody may have made: regular files under plain relative names, each name
// once, none longer than the tar file itself, and nothing else.
#pragma once

#include "conf/base/buf.h"

#define TAR_MEMBERS_MAX 4096 // a backup has about 20, and 4 for each rollover
#define TAR_NAME_MAX    1024 // octets

// Gets what is in the file. Each call that fails ends the reading with its error.
struct tar_visitor {
    enum err_code (*begin)(void *context, const char *name, uint64_t size, struct err *err);
    enum err_code (*take)(void *context, struct view octets, struct err *err);
    enum err_code (*end)(void *context, struct err *err);
    void *context;
};

// Reads the file behind `fd` from its beginning to its end. Errors: ERR_SYNTAX with the member and
// what is wrong with it, ERR_LIMIT, ERR_IO, ERR_NOMEM, and the visitor's.
enum err_code tar_read(int fd, const struct tar_visitor *visitor, struct err *err) MUST_CHECK;

// Whether it is a relative path that stays where it is: no "..", no ".", nothing empty, no control
// character, at most TAR_NAME_MAX octets.
bool tar_is_plain_name(const char *name);
