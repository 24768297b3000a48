// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/help.h"

#include <string.h>

#include "server/ctl/suggest.h"

#define GIVEN_LEN  896 // bytes of what was given, as a complaint repeats it
#define NAMES_LEN  896 // bytes of all names in one complaint
#define OPTION_LEN 64  // bytes of an option's name
#define WORD_SHOWN 100 // octets that a complaint repeats of one word

// Without a final NUL in the middle: what does not fit is left out.
static void append(char *text, size_t size, const char *separator, const char *more)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%.*s", used > 0 ? separator : "", WORD_SHOWN, more);
}

// How many of the words begin the command's name.
static int same_words(const struct ctl_command *command, int argc, char **argv)
{
    const char *words[CTL_NAME_WORDS];
    int count = ctl_words(command, words);
    int same = 0;
    while (same < count && same < argc && strcmp(argv[same], words[same]) == 0) {
        same++;
    }
    return same;
}

int help_known_words(int argc, char **argv)
{
    size_t count;
    const struct ctl_command *const *commands = ctl_commands(&count);
    int known = 0;
    for (size_t i = 0; i < count; i++) {
        int same = same_words(commands[i], argc, argv);
        known = same > known ? same : known;
    }
    return known;
}

static void print_option(FILE *out, const struct ctl_option *option)
{
    fprintf(out, "      --%s%s%s\n          %s\n", option->name, option->value != NULL ? " " : "",
            option->value != NULL ? option->value : "", option->help);
}

static void print_command(FILE *out, const struct ctl_command *command)
{
    char name[CTL_NAME_LEN];
    fprintf(out, "  %s", ctl_name(command, name));
    if (command->operand != NULL) {
        fprintf(out, command->is_operand_optional ? " [%s]" : " %s", command->operand);
    }
    fprintf(out, "\n      %s\n", command->summary);
}

static void print_global_options(FILE *out)
{
    for (size_t i = 0; i < CTL_GLOBAL_OPTIONS; i++) {
        const struct ctl_global_option *option = &ctl_global_options[i];
        char letter[] = "-x, ";
        char name[OPTION_LEN];
        letter[1] = (char)option->key;
        snprintf(name, sizeof name, "--%s%s%s", option->name, option->value != NULL ? " " : "",
                 option->value != NULL ? option->value : "");
        fprintf(out, "  %4s%-15s%s\n", option->is_letter ? letter : "", name, option->help);
    }
}

static void print_head(FILE *out)
{
    fputs("usage: scepctl [-c FILE] [-s PATH] [--json] COMMAND ...\n", out);
    print_global_options(out);
}

void help_print_group(FILE *out, int count, char **words)
{
    size_t command_count;
    const struct ctl_command *const *commands = ctl_commands(&command_count);
    print_head(out);
    fputs("commands:\n", out);
    for (size_t i = 0; i < command_count; i++) {
        if (same_words(commands[i], count, words) == count) {
            print_command(out, commands[i]);
        }
    }
    fputs("scepctl COMMAND -h says which options a command has.\n", out);
}

void help_print(FILE *out, const struct ctl_command *command)
{
    if (command == NULL) {
        help_print_group(out, 0, NULL);
        fputs("What was asked for is on standard output, with --json as JSON; what went wrong is "
              "text on\nstandard error.\n"
              "exit status:\n"
              "  0  done\n"
              "  1  refused, failed, or scepd cannot be reached\n"
              "  2  the command line or the settings are wrong, or a file that they name cannot be "
              "read;\n     nothing was done\n",
              out);
        return;
    }
    print_head(out);
    fputs("command:\n", out);
    print_command(out, command);
    const struct ctl_option *option = command->options;
    for (; option != NULL && option->name != NULL; option++) {
        print_option(out, option);
    }
}

// The word behind the `known` first ones of a command's name; NULL = another command's.
static const char *next_word(const struct ctl_command *command, int known, char **argv)
{
    const char *words[CTL_NAME_WORDS];
    int count = ctl_words(command, words);
    return same_words(command, known, argv) == known && known < count ? words[known] : NULL;
}

// What may follow the `known` first words: whole names, or first words when none is known. Those of
// one first word stand together in the table.
static const char *list_next(int known, char **argv, char names[NAMES_LEN])
{
    size_t count;
    const struct ctl_command *const *commands = ctl_commands(&count);
    const char *before = "";
    names[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char name[CTL_NAME_LEN];
        const char *word = next_word(commands[i], known, argv);
        if (word != NULL && (known > 0 || strcmp(word, before) != 0)) {
            append(names, NAMES_LEN, ", ", known > 0 ? ctl_name(commands[i], name) : word);
            before = word;
        }
    }
    return names;
}

static const char *suggest_word(const char *given, int known, char **argv)
{
    size_t count;
    const struct ctl_command *const *commands = ctl_commands(&count);
    struct suggestion suggestion = suggestion_for(given);
    for (size_t i = 0; i < count; i++) {
        const char *word = next_word(commands[i], known, argv);
        if (word != NULL) {
            suggestion_try(&suggestion, word);
        }
    }
    return suggestion.best;
}

enum ctl_exit help_complain_command(struct ctl *ctl, int argc, char **argv)
{
    char names[NAMES_LEN];
    char given[GIVEN_LEN] = "";
    char meant[GIVEN_LEN] = "";
    int known = help_known_words(argc, argv);
    for (int i = 0; i < known; i++) {
        append(given, sizeof given, " ", argv[i]);
    }
    if (known == argc) {
        return ctl_complain(ctl, CTL_USAGE, "\"%s\" is not a whole command; allowed are %s", given,
                            list_next(known, argv, names));
    }
    const char *suggested = suggest_word(argv[known], known, argv);
    snprintf(meant, sizeof meant, "%s", given);
    append(given, sizeof given, " ", argv[known]);
    if (suggested != NULL) {
        append(meant, sizeof meant, " ", suggested);
        return ctl_complain(ctl, CTL_USAGE,
                            "unknown command \"%s\"; did you mean \"%s\"? Allowed are %s", given,
                            meant, list_next(known, argv, names));
    }
    return ctl_complain(ctl, CTL_USAGE, "unknown command \"%s\"; allowed are %s", given,
                        list_next(known, argv, names));
}

static const char *suggest_option(const struct ctl_command *command, const char *given)
{
    struct suggestion suggestion = suggestion_for(given);
    for (size_t i = 0; i < CTL_GLOBAL_OPTIONS; i++) {
        suggestion_try(&suggestion, ctl_global_options[i].name);
    }
    const struct ctl_option *option = command != NULL ? command->options : NULL;
    for (; option != NULL && option->name != NULL; option++) {
        suggestion_try(&suggestion, option->name);
    }
    return suggestion.best;
}

enum ctl_exit help_complain_option(struct ctl *ctl, const struct ctl_command *command,
                                   const char *given)
{
    char name[CTL_NAME_LEN] = "";
    char word[OPTION_LEN];
    bool is_long = strncmp(given, "--", 2) == 0;
    const char *suggested = NULL;
    if (is_long) {
        snprintf(word, sizeof word, "%.*s", (int)strcspn(given + 2, "="), given + 2);
        suggested = suggest_option(command, word);
    }
    if (command != NULL) {
        ctl_name(command, name);
    }
    return ctl_complain(ctl, CTL_USAGE,
                        "unknown option %.*s%s%s%s scepctl %s%s-h lists all that are allowed",
                        WORD_SHOWN, given, suggested != NULL ? "; did you mean --" : "",
                        suggested != NULL ? suggested : "", suggested != NULL ? "?" : ";", name,
                        name[0] != '\0' ? " " : "");
}
