// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/ctl.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "server/ctl/table.h"

#define GLOBAL_OPTIONS   4
#define COMMAND_OPTIONS  8   // most options of one command
#define OPTION_KEY_FIRST 256 // getopt's values of commands' options: above all characters

#define TEXT_LEN   2048 // bytes of one complaint
#define NAME_WORDS 3    // most words that name a command
#define NAME_LEN   64   // bytes of these words
#define NAMES_LEN  896  // bytes of all names in one complaint

static const struct ctl_command *const commands[] = {
    &ctl_init,
    &ctl_challenge_new,
    &ctl_challenge_list,
    &ctl_challenge_revoke,
    &ctl_list,
    &ctl_show,
    &ctl_status,
    &ctl_due,
    &ctl_device_add,
    &ctl_device_import,
    &ctl_device_list,
    &ctl_device_remove,
    &ctl_device_show,
    &ctl_pending_list,
    &ctl_pending_show,
    &ctl_pending_approve,
    &ctl_pending_deny,
    &ctl_revoke,
    &ctl_mic_check,
    &ctl_rollover_prepare,
    &ctl_rollover_activate,
    &ctl_rollover_cancel,
    &ctl_rollover_status,
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

// The words that name a command; returns how many.
static int words_of(const struct ctl_command *command, const char *words[NAME_WORDS])
{
    words[0] = command->name;
    words[1] = command->action;
    words[2] = command->step;
    int count = 0;
    while (count < NAME_WORDS && words[count] != NULL) {
        count++;
    }
    return count;
}

static const char *name_of(const struct ctl_command *command, char name[NAME_LEN])
{
    const char *words[NAME_WORDS];
    int count = words_of(command, words);
    size_t used = 0;
    name[0] = '\0';
    for (int i = 0; i < count && used < NAME_LEN; i++) {
        int added = snprintf(name + used, NAME_LEN - used, "%s%s", i > 0 ? " " : "", words[i]);
        used += added > 0 ? (size_t)added : 0;
    }
    return name;
}

enum ctl_exit ctl_complain(struct ctl *ctl, enum ctl_exit code, const char *format, ...)
{
    char text[TEXT_LEN];
    struct buf escaped = {0};
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bool is_escaped = table_escape(&escaped, text, NULL) == ERR_OK;
    fprintf(ctl->errors, "scepctl: %.*s\n", (int)escaped.len,
            is_escaped && escaped.len > 0 ? (const char *)escaped.data : "");
    buf_done(&escaped);
    return code;
}

static void print_command(FILE *out, const struct ctl_command *command)
{
    char name[NAME_LEN];
    fprintf(out, "  %s%s%s\n      %s\n", name_of(command, name),
            command->operand != NULL ? " " : "", command->operand != NULL ? command->operand : "",
            command->summary);
    const struct ctl_option *option = command->options;
    for (; option != NULL && option->name != NULL; option++) {
        fprintf(out, "      --%s%s%s\n          %s\n", option->name,
                option->value != NULL ? " " : "", option->value != NULL ? option->value : "",
                option->help);
    }
}

static void print_help(FILE *out, const struct ctl_command *only)
{
    fputs("usage: scepctl [-c FILE] [--json] COMMAND ...\n"
          "  -c, --config FILE  settings of the scepd to talk to (" CTL_DEFAULT_CONFIG ")\n"
          "      --json         JSON for programs instead of a table\n"
          "  -h, --help         this text; after a command, about that command\n"
          "  -V, --version      the version\n"
          "commands:\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (only == NULL || only == commands[i]) {
            print_command(out, commands[i]);
        }
    }
}

// One run of getopt over the part of the command line that belongs together.
struct parse {
    struct ctl *ctl;
    const struct ctl_command *command; // NULL: the global options in front of it
    struct ctl_arguments arguments;
    struct option options[GLOBAL_OPTIONS + COMMAND_OPTIONS + 1];
    bool is_help;
    bool is_version;
};

static const struct option global_options[GLOBAL_OPTIONS] = {
    {"config", required_argument, NULL, 'c'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
};

static void fill_options(struct parse *parse)
{
    memcpy(parse->options, global_options, sizeof global_options);
    const struct ctl_option *option = parse->command != NULL ? parse->command->options : NULL;
    for (unsigned i = GLOBAL_OPTIONS; option != NULL && option->name != NULL; i++, option++) {
        parse->options[i] =
            (struct option){.name = option->name,
                            .has_arg = option->value != NULL ? required_argument : no_argument,
                            .val = OPTION_KEY_FIRST + (int)option->key};
    }
}

static enum ctl_exit take_command_option(struct parse *parse, int key, const char *value)
{
    const char **place = &parse->arguments.options[key];
    if (*place != NULL && value == NULL) {
        return CTL_OK; // said twice, it says the same
    }
    if (*place != NULL) {
        return ctl_complain(parse->ctl, CTL_USAGE, "an option is given twice: \"%s\" and \"%s\"",
                            *place, value);
    }
    *place = value != NULL ? value : "";
    return CTL_OK;
}

static enum ctl_exit take_option(struct parse *parse, int key, char **argv)
{
    switch (key) {
    case 'c':
        parse->ctl->config = optarg;
        return CTL_OK;
    case 'j':
        parse->ctl->is_json = true;
        return CTL_OK;
    case 'h':
        parse->is_help = true;
        return CTL_OK;
    case 'V':
        parse->is_version = true;
        return CTL_OK;
    case ':':
        return ctl_complain(parse->ctl, CTL_USAGE, "%s needs a value; scepctl -h says which",
                            argv[optind - 1]);
    case '?':
        return ctl_complain(parse->ctl, CTL_USAGE,
                            "unknown option %s; scepctl -h lists all that are allowed",
                            argv[optind - 1]);
    default:
        return take_command_option(parse, key - OPTION_KEY_FIRST, optarg);
    }
}

// Reads options up to the first word that is none (in front of the command) or all of them.
static enum ctl_exit parse_options(struct parse *parse, int argc, char **argv)
{
    // '+' stops at the first other word, ':' tells a missing value from an unknown option.
    const char *letters = parse->command == NULL ? "+:c:hV" : ":c:hV";
    fill_options(parse);
    opterr = 0;
    optind = 0; // glibc: begin anew
    for (;;) {
        int key = getopt_long(argc, argv, letters, parse->options, NULL);
        if (key == -1) {
            return CTL_OK;
        }
        enum ctl_exit code = take_option(parse, key, argv);
        if (code != CTL_OK) {
            return code;
        }
    }
}

static bool is_named(const struct ctl_command *command, int argc, char **argv, int *ret_words)
{
    const char *words[NAME_WORDS];
    int count = words_of(command, words);
    for (int i = 0; i < count; i++) {
        if (i >= argc || strcmp(argv[i], words[i]) != 0) {
            return false;
        }
    }
    *ret_words = count;
    return true;
}

// *ret_words gets the number of words that name the command.
static const struct ctl_command *find_command(int argc, char **argv, int *ret_words)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (is_named(commands[i], argc, argv, ret_words)) {
            return commands[i];
        }
    }
    return NULL;
}

// How many words of the command line begin a command's name as well, so that a complaint about
// "ca rollover" shows both words and the one that is wrong.
static int known_words(int argc, char **argv)
{
    int known = 0;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const char *words[NAME_WORDS];
        int count = words_of(commands[i], words);
        int same = 0;
        while (same < count && same < argc && strcmp(argv[same], words[same]) == 0) {
            same++;
        }
        known = same > known ? same : known;
    }
    return known;
}

static enum ctl_exit complain_command(struct ctl *ctl, int argc, char **argv)
{
    char name[NAME_LEN];
    char names[NAMES_LEN] = "";
    char given[NAMES_LEN] = "";
    int shown = known_words(argc, argv) + 1;
    for (int i = 0; i < argc && i < shown; i++) {
        size_t used = strlen(given);
        snprintf(given + used, sizeof given - used, "%s%.100s", i > 0 ? " " : "", argv[i]);
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "",
                 name_of(commands[i], name));
    }
    return ctl_complain(ctl, CTL_USAGE, "unknown command \"%s\"; allowed are %s", given, names);
}

static enum ctl_exit take_operand(struct ctl *ctl, const struct ctl_command *command,
                                  struct ctl_arguments *arguments, int argc, char **argv)
{
    char name[NAME_LEN];
    int wanted = command->operand != NULL ? 1 : 0;
    if (argc > wanted) {
        return ctl_complain(ctl, CTL_USAGE, "too many words: \"%s\"; scepctl %s -h says more",
                            argv[wanted], name_of(command, name));
    }
    if (argc < wanted || (wanted == 1 && argv[0][0] == '\0')) {
        return ctl_complain(ctl, CTL_USAGE, "%s needs %s", name_of(command, name),
                            command->operand);
    }
    arguments->operand = wanted == 1 ? argv[0] : NULL;
    return CTL_OK;
}

// True when -h or -V was there: all that was asked for is printed.
static bool print_asked(const struct parse *parse)
{
    if (parse->is_help) {
        print_help(parse->ctl->out, parse->command);
    } else if (parse->is_version) {
        fputs("scepctl " SCEPD_VERSION "\n", parse->ctl->out);
    }
    return parse->is_help || parse->is_version;
}

static enum ctl_exit run_command(struct ctl *ctl, int argc, char **argv)
{
    int words = 0;
    const struct ctl_command *command = find_command(argc, argv, &words);
    if (command == NULL) {
        return complain_command(ctl, argc, argv);
    }
    struct parse parse = {.ctl = ctl, .command = command};
    // The last word of the command's name takes the place of a program's name.
    argc -= words - 1;
    argv += words - 1;
    enum ctl_exit code = parse_options(&parse, argc, argv);
    if (code != CTL_OK || print_asked(&parse)) {
        return code;
    }
    code = take_operand(ctl, command, &parse.arguments, argc - optind, argv + optind);
    return code == CTL_OK ? command->run(ctl, &parse.arguments) : code;
}

enum ctl_exit ctl_main(int argc, char **argv, FILE *out, FILE *errors)
{
    struct ctl ctl = {.out = out, .errors = errors, .config = CTL_DEFAULT_CONFIG};
    struct parse parse = {.ctl = &ctl};
    enum ctl_exit code = parse_options(&parse, argc, argv);
    if (code != CTL_OK || print_asked(&parse)) {
        return code;
    }
    if (optind >= argc) {
        print_help(errors, NULL);
        return CTL_USAGE;
    }
    code = run_command(&ctl, argc - optind, argv + optind);
    if (fflush(out) != 0 && code == CTL_OK) {
        return ctl_complain(&ctl, CTL_FAILED, "cannot write the output");
    }
    return code;
}
