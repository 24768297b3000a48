// SPDX-License-Identifier: Apache-2.0
// scepctl: the administrator's command. Everything is in ctl.c and in one file a command.
#include <locale.h>
#include <stdio.h>

#include "conf/base/process.h"
#include "server/ctl/ctl.h"

int main(int argc, char **argv)
{
    struct err err = {0};
    setlocale(LC_CTYPE, "C.UTF-8"); // for the width of characters in tables only
    // `init` holds CA keys, `challenge new` a secret.
    if (process_harden(&err) != ERR_OK) {
        fprintf(stderr, "scepctl: %s\n", err.text);
        return CTL_FAILED;
    }
    return (int)ctl_main(argc, argv, stdout, stderr);
}
