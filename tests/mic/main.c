// SPDX-License-Identifier: Apache-2.0
// mic_factory DIR [NOW]: the whole make-your-own Cisco hierarchy as files, for scripts.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/mic/mic_factory.h"

int main(int argc, char **argv)
{
    enum { DECIMAL = 10, USAGE = 2 };
    char *end = NULL;
    long long now = argc == 3 ? strtoll(argv[2], &end, DECIMAL) : (long long)time(NULL);
    if (argc < 2 || argc > 3 || (end != NULL && (*end != '\0' || end == argv[2]))) {
        fprintf(stderr, "usage: mic_factory DIR [NOW]\n"
                        "  NOW  seconds since 1970; default the clock\n");
        return USAGE;
    }
    struct mic_factory *factory = mic_factory_new(now);
    mic_factory_write(factory, argv[1]);
    mic_factory_free(factory);
    return 0;
}
