// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/color.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool color_is_wanted(FILE *out)
{
    const char *none = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    bool is_refused = none != NULL && none[0] != '\0';
    bool is_able = terminal != NULL && strcmp(terminal, "dumb") != 0;
    int fd = fileno(out);
    return !is_refused && is_able && fd >= 0 && isatty(fd) == 1;
}

const char *color_begin(bool is_wanted, enum color color)
{
    static const char *const codes[COLOR_MAX] = {
        [COLOR_PLAIN] = "",       [COLOR_GOOD] = "\033[32m", [COLOR_WAITS] = "\033[33m",
        [COLOR_BAD] = "\033[31m", [COLOR_FAINT] = "\033[2m", [COLOR_STRONG] = "\033[1m",
    };
    return is_wanted && (unsigned)color < COLOR_MAX ? codes[color] : "";
}

const char *color_end(bool is_wanted, enum color color)
{
    return is_wanted && color != COLOR_PLAIN ? "\033[0m" : "";
}
