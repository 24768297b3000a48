// SPDX-License-Identifier: Apache-2.0
// fish: one `complete` for each word and option, with the condition under which it is offered.
#include "server/ctl/completion.h"

#include <string.h>

#define ESCAPED "\\'" // inside single quotes

static const char head[] =
    "# scepctl's command lines in fish; written by: scepctl completion fish\n"
    "\n"
    "# The words behind the options that stand in front of the command.\n"
    "function __scepctl_words\n"
    "    set -l words (commandline -opc)\n"
    "    set -e words[1]\n"
    "    while set -q words[1]; and string match -q -- '-*' \"$words[1]\"\n"
    "        if contains -- \"$words[1]\" $argv; and set -q words[2]\n"
    "            set -e words[2]\n"
    "        end\n"
    "        set -e words[1]\n"
    "    end\n"
    "    string join ' ' -- $words\n"
    "end\n";

static const char conditions[] = "\n"
                                 "function __scepctl_at\n"
                                 "    set -l words (__scepctl_command)\n"
                                 "    test \"$words\" = \"$argv[1]\"\n"
                                 "end\n"
                                 "\n"
                                 "function __scepctl_in\n"
                                 "    set -l words (__scepctl_command)\n"
                                 "    string match -q -- \"$argv[1] *\" \"$words \"\n"
                                 "end\n"
                                 "\n"
                                 "complete -c scepctl -f\n";

// The options in front of the command whose values are no words of it.
static void write_command(FILE *out)
{
    fputs("\nfunction __scepctl_command\n    __scepctl_words", out);
    for (size_t i = 0; i < CTL_GLOBAL_OPTIONS; i++) {
        const struct ctl_global_option *option = &ctl_global_options[i];
        if (option->value != NULL && option->is_letter) {
            fprintf(out, " -%c", option->key);
        }
        if (option->value != NULL) {
            fprintf(out, " --%s", option->name);
        }
    }
    fputs("\nend\n", out);
}

static void write_value(FILE *out, const char *name)
{
    const struct completion_value value = completion_value_of(name);
    if (name == NULL) {
        return;
    }
    if (value.is_file) {
        fputs(" -r -F", out);
    } else if (value.is_folder) {
        fputs(" -x -a '(__fish_complete_directories)'", out);
    } else if (value.words[0] != '\0') {
        fputs(" -x -a ", out);
        completion_quote(out, value.words, ESCAPED);
    } else {
        fputs(" -x", out);
    }
}

static void write_help(FILE *out, const char *help)
{
    fputs(" -d ", out);
    completion_quote(out, help, ESCAPED);
    fputc('\n', out);
}

static void write_global_options(FILE *out)
{
    for (size_t i = 0; i < CTL_GLOBAL_OPTIONS; i++) {
        const struct ctl_global_option *option = &ctl_global_options[i];
        fputs("complete -c scepctl", out);
        if (option->is_letter) {
            fprintf(out, " -s %c", option->key);
        }
        fprintf(out, " -l %s", option->name);
        write_value(out, option->value);
        write_help(out, option->help);
    }
}

static void write_options(FILE *out, const struct ctl_command *command)
{
    char name[CTL_NAME_LEN];
    const struct ctl_option *option = command->options;
    for (; option != NULL && option->name != NULL; option++) {
        fprintf(out, "complete -c scepctl -n \"__scepctl_in '%s'\" -l %s", ctl_name(command, name),
                option->name);
        write_value(out, option->value);
        write_help(out, option->help);
    }
}

static void write_operand(FILE *out, const struct ctl_command *command)
{
    char name[CTL_NAME_LEN];
    const struct completion_value value = completion_value_of(command->operand);
    ctl_name(command, name);
    if (value.is_file) {
        fprintf(out, "complete -c scepctl -n \"__scepctl_in '%s'\" -F\n", name);
    } else if (value.is_folder) {
        fprintf(out,
                "complete -c scepctl -n \"__scepctl_in '%s'\" -a "
                "'(__fish_complete_directories)'\n",
                name);
    } else if (value.words[0] != '\0') {
        fprintf(out, "complete -c scepctl -n \"__scepctl_at '%s'\" -a ", name);
        completion_quote(out, value.words, ESCAPED);
        fputc('\n', out);
    }
}

static void write_words(FILE *out, size_t index, const struct ctl_command *command)
{
    const char *words[CTL_NAME_WORDS];
    char beginning[CTL_NAME_LEN];
    char help[COMPLETION_HELP_LEN];
    int count = ctl_words(command, words);
    for (int i = 0; i < count; i++) {
        if (completion_is_first(index, i + 1)) {
            fprintf(out, "complete -c scepctl -n \"__scepctl_at '%s'\" -a %s",
                    completion_beginning(index, i, beginning), words[i]);
            write_help(out, completion_help(index, i + 1, help));
        }
    }
}

void completion_write_fish(FILE *out)
{
    size_t count;
    const struct ctl_command *const *commands = ctl_commands(&count);
    fputs(head, out);
    write_command(out);
    fputs(conditions, out);
    write_global_options(out);
    for (size_t i = 0; i < count; i++) {
        write_words(out, i, commands[i]);
        write_options(out, commands[i]);
        write_operand(out, commands[i]);
    }
}
