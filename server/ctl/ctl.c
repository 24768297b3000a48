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

static const struct ctl_command *const commands[] = {
    &ctl_init, &ctl_challenge_new, &ctl_challenge_list, &ctl_challenge_revoke,
    &ctl_list, &ctl_show,          &ctl_status,
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

enum ctl_exit ctl_complain(struct ctl *ctl, enum ctl_exit code, const char *format, ...)
{
    char text[1024];
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
    fprintf(out, "  %s%s%s%s%s\n      %s\n", command->name, command->action != NULL ? " " : "",
            command->action != NULL ? command->action : "", command->operand != NULL ? " " : "",
            command->operand != NULL ? command->operand : "", command->summary);
    const struct ctl_option *option = command->options;
    for (; option != NULL && option->name != NULL; option++) {
        fprintf(out, "      --%s %s\n          %s\n", option->name, option->value, option->help);
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
        parse->options[i] = (struct option){.name = option->name,
                                            .has_arg = required_argument,
                                            .val = OPTION_KEY_FIRST + (int)option->key};
    }
}

static enum ctl_exit take_command_option(struct parse *parse, int key, const char *value)
{
    const char **place = &parse->arguments.options[key];
    if (*place != NULL) {
        return ctl_complain(parse->ctl, CTL_USAGE, "an option is given twice: \"%s\" and \"%s\"",
                            *place, value);
    }
    *place = value;
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

// *ret_words gets the number of words that name the command.
static const struct ctl_command *find_command(int argc, char **argv, int *ret_words)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const struct ctl_command *command = commands[i];
        bool is_it = strcmp(argv[0], command->name) == 0;
        if (command->action != NULL) {
            is_it = is_it && argc > 1 && strcmp(argv[1], command->action) == 0;
        }
        if (is_it) {
            *ret_words = command->action != NULL ? 2 : 1;
            return command;
        }
    }
    return NULL;
}

static enum ctl_exit complain_command(struct ctl *ctl, int argc, char **argv)
{
    char names[256] = "";
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s%s%s", i > 0 ? ", " : "",
                 commands[i]->name, commands[i]->action != NULL ? " " : "",
                 commands[i]->action != NULL ? commands[i]->action : "");
    }
    return ctl_complain(ctl, CTL_USAGE, "unknown command \"%s%s%s\"; allowed are %s", argv[0],
                        argc > 1 ? " " : "", argc > 1 ? argv[1] : "", names);
}

static enum ctl_exit take_operand(struct ctl *ctl, const struct ctl_command *command,
                                  struct ctl_arguments *arguments, int argc, char **argv)
{
    int wanted = command->operand != NULL ? 1 : 0;
    if (argc > wanted) {
        return ctl_complain(ctl, CTL_USAGE, "too many words: \"%s\"; scepctl %s -h says more",
                            argv[wanted], command->name);
    }
    if (argc < wanted || (wanted == 1 && argv[0][0] == '\0')) {
        return ctl_complain(ctl, CTL_USAGE, "%s%s%s needs %s", command->name,
                            command->action != NULL ? " " : "",
                            command->action != NULL ? command->action : "", command->operand);
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
