// SPDX-License-Identifier: Apache-2.0
// Colours for people at a terminal; files, pipes and JSON get none. Colour only ever repeats what
// the words say.
#pragma once

#include <stdbool.h>
#include <stdio.h>

enum color {
    COLOR_PLAIN,
    COLOR_GOOD,
    COLOR_WAITS,
    COLOR_BAD,
    COLOR_FAINT,
    COLOR_STRONG,
    COLOR_MAX
};

// Whether `out` is a terminal that shows colours, and nobody asked for none (NO_COLOR of
// no-color.org, TERM=dumb).
bool color_is_wanted(FILE *out);

// What switches to a colour, and back; "" unless it is wanted. Around text that is escaped already.
const char *color_begin(bool is_wanted, enum color color);
const char *color_end(bool is_wanted, enum color color);
