// SPDX-License-Identifier: Apache-2.0
// How far long work is, as one line that is written over and over on a terminal. Where the stream
// is none nothing is ever written.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum progress_unit { PROGRESS_OCTETS, PROGRESS_ITEMS };

struct progress {
    FILE *out;
    const char *what; // "Copying the store"; borrowed
    enum progress_unit unit;
    bool is_shown;   // `out` is a terminal
    bool has_line;   // a line of ours stands there
    int64_t next_us; // not before
};

struct progress progress_begin(FILE *out, const char *what, enum progress_unit unit);
// `total` 0 = nobody knows. At most ten times a second, by `now_us`, a clock that never jumps.
void progress_show(struct progress *progress, uint64_t done, uint64_t total, int64_t now_us);
// Wipes the line, so that what follows begins on an empty one.
void progress_end(struct progress *progress);
