// SPDX-License-Identifier: Apache-2.0
// What scepctl says of its own command line: the help, and complaints about commands and options
// that it does not know.
#pragma once

#include "server/ctl/ctl.h"

// How many words of the command line are the beginning of a command's name.
int help_known_words(int argc, char **argv);

// Everything about `command`; NULL: what there is, without the options of commands.
void help_print(FILE *out, const struct ctl_command *command);
// The commands whose names begin with the first `count` words.
void help_print_group(FILE *out, int count, char **words);

// No command is named by these words; argc is at least 1.
enum ctl_exit help_complain_command(struct ctl *ctl, int argc, char **argv);
// `given` ("--colour=x", "-x") is no option of `command`, or, when that is NULL, of scepctl itself.
enum ctl_exit help_complain_option(struct ctl *ctl, const struct ctl_command *command,
                                   const char *given);
