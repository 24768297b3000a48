// SPDX-License-Identifier: Apache-2.0
// A settings file on its way to becoming struct settings: what was found so far and the problems
// seen. Lives on the stack of settings_load().
#pragma once

#include <stdio.h>

#include "conf/schema.h"
#include "conf/settings.h"

enum loading_state {
    LOADING_ABSENT,  // not in the file and without a default
    LOADING_FOUND,   // in the file
    LOADING_DEFAULT, // not in the file; has its default
    LOADING_BAD,     // a problem was reported for it
};

struct loading {
    const char *path;      // of the file
    const char *folder;    // relative paths start here
    FILE *problems;        // not owned; NULL = nowhere
    struct err first;      // the first problem, as reported
    unsigned first_line;   // and its line
    unsigned count;        // problems reported
    bool out_of_memory;    // no problem of the file
    struct settings *into; // not owned
    enum loading_state states[SCHEMA_ITEMS_MAX];
    unsigned lines[SCHEMA_ITEMS_MAX]; // of the setting; if not in the file, of its group, or 1
};

// Reports "FILE:LINE: NAME: <format...>", control characters shown as '?'.
void loading_problem(struct loading *loading, unsigned line, const char *name, const char *format,
                     ...) PRINTF_LIKE(4, 5);
// As above, for a setting of the table, which is bad from then on.
void loading_bad(struct loading *loading, size_t index, const char *format, ...) PRINTF_LIKE(3, 4);
// Checks between settings: lifetimes, sockets, keys that must differ.
void loading_check_together(struct loading *loading);
// Checks that named files exist and can be read. The CA's own are looked at, never opened.
void loading_check_files(struct loading *loading);
