// SPDX-License-Identifier: Apache-2.0
// Scripts by which shells complete scepctl's command lines, written from the table of commands: no
// running scepd is needed, to make them or to use them.
#pragma once

#include "server/ctl/ctl.h"

#define COMPLETION_WORDS_LEN 128 // bytes of all words that a value may be
#define COMPLETION_HELP_LEN  256 // bytes of what is said of a word

// What an option's value or an operand is, read from its name in the table.
struct completion_value {
    bool is_file;
    bool is_folder;
    char words[COMPLETION_WORDS_LEN]; // with a space behind each; "" = not a choice of words
};

// `name` NULL = there is no value.
struct completion_value completion_value_of(const char *name);

// Whether the command at `index` of the table is the first one with its first `count` words; a
// script has one entry for each beginning of a name. False when its name has not so many.
bool completion_is_first(size_t index, int count);
// Whether both names begin with the same `count` words.
bool completion_is_same(size_t one, size_t other, int count);
// The first `count` words of the name of the command at `index`.
const char *completion_beginning(size_t index, int count, char name[CTL_NAME_LEN]);
// What the last of these words means: the command's summary, or the words that may follow.
const char *completion_help(size_t index, int count, char help[COMPLETION_HELP_LEN]);
// The first line of `help` between single quotes; `escaped` lists what gets a backslash.
void completion_quote(FILE *out, const char *help, const char *escaped);

void completion_write_bash(FILE *out);
void completion_write_zsh(FILE *out);
void completion_write_fish(FILE *out);
