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

// Where values go: struct settings itself, or an entry of a repeated group.
struct loading_part {
    void *into;                       // the items' offsets count from here; not owned
    const struct schema_group *group; // the repeated group; NULL = all others
    size_t index;                     // of the entry
    unsigned line;                    // of the entry
    enum loading_state states[SCHEMA_ITEMS_MAX];
    unsigned lines[SCHEMA_ITEMS_MAX]; // of the setting; if not in the file, of its group, or 1
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
    struct loading_part main;
    struct loading_part entries[SETTINGS_MIC_STORES_MAX]; // of mic, the only repeated group
    uint32_t entries_count;
};

// Reports "FILE:LINE: NAME: <format...>", control characters shown as '?'.
void loading_problem(struct loading *loading, unsigned line, const char *name, const char *format,
                     ...) PRINTF_LIKE(4, 5);
// As above, for a setting of the table in a part of `loading`, which is bad from then on. Its name
// is "http.listen", or "mic[2].roots" in the third entry.
void loading_bad(struct loading *loading, struct loading_part *part, const struct schema_item *item,
                 const char *format, ...) PRINTF_LIKE(4, 5);
// Whether the part holds the item's value: whether the item's group is this repeated one, or none.
bool loading_has(const struct loading_part *part, const struct schema_item *item);
// Names of secrets' files become those of their copies in `folder` (NULL = there are none), where
// systemd has put one of the same name.
void loading_use_copies(struct loading *loading, const char *folder);
// Checks that required settings are there, and none that the topology rules out.
void loading_check_presence(struct loading *loading);
// Checks between settings: lifetimes, sockets, keys and names that must differ.
void loading_check_together(struct loading *loading);
// Checks that named files exist and can be read. The CA's own are looked at, never opened.
void loading_check_files(struct loading *loading);
