// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/ctl.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "server/ctl/help.h"
#include "server/ctl/table.h"

#define OPTION_KEY_FIRST 256  // getopt's values of commands' options: above all characters
#define TEXT_LEN         2048 // bytes of one complaint

static const struct ctl_command *const commands[] = {
    &ctl_init,
    &ctl_challenge_new,
    &ctl_challenge_list,
    &ctl_challenge_revoke,
    &ctl_list,
    &ctl_show,
    &ctl_status,
    &ctl_log,
    &ctl_watch,
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
    &ctl_fingerprint,
    &ctl_phone_option43,
    &ctl_phone_cfgxml,
    &ctl_phone_p12,
    &ctl_phone_try,
    &ctl_rollover_prepare,
    &ctl_rollover_activate,
    &ctl_rollover_cancel,
    &ctl_rollover_status,
    &ctl_backup,
    &ctl_restore,
    &ctl_export,
    &ctl_server_cert_sign,
    &ctl_server_cert_apache,
    &ctl_server_cert_nginx,
    &ctl_radius_freeradius,
    &ctl_completion,
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

const struct ctl_global_option ctl_global_options[CTL_GLOBAL_OPTIONS] = {
    {"config", 'c', true, "FILE", "settings of the scepd to talk to (" CTL_DEFAULT_CONFIG ")"},
    {"socket", 's', true, "PATH", "the scepd's admin socket, whatever the settings say"},
    {"json", 'j', false, NULL, "JSON for programs instead of text"},
    {"help", 'h', true, NULL, "this text; after a command, about that command"},
    {"version", 'V', true, NULL, "the version"},
};

const struct ctl_command *const *ctl_commands(size_t *ret_count)
{
    *ret_count = sizeof commands / sizeof commands[0];
    return commands;
}

int ctl_words(const struct ctl_command *command, const char *words[CTL_NAME_WORDS])
{
    words[0] = command->name;
    words[1] = command->action;
    words[2] = command->step;
    int count = 0;
    while (count < CTL_NAME_WORDS && words[count] != NULL) {
        count++;
    }
    return count;
}

const char *ctl_name(const struct ctl_command *command, char name[CTL_NAME_LEN])
{
    const char *words[CTL_NAME_WORDS];
    int count = ctl_words(command, words);
    size_t used = 0;
    name[0] = '\0';
    for (int i = 0; i < count && used < CTL_NAME_LEN; i++) {
        int added = snprintf(name + used, CTL_NAME_LEN - used, "%s%s", i > 0 ? " " : "", words[i]);
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

// One run of getopt over the part of the command line that belongs together.
struct parse {
    struct ctl *ctl;
    const struct ctl_command *command; // NULL: the global options in front of it
    struct ctl_arguments arguments;
    struct option options[CTL_GLOBAL_OPTIONS + CTL_COMMAND_OPTIONS + 1];
    bool is_help;
    bool is_version;
};

static struct option getopt_option(const char *name, const char *value, int key)
{
    return (struct option){
        .name = name, .has_arg = value != NULL ? required_argument : no_argument, .val = key};
}

static void fill_options(struct parse *parse)
{
    for (size_t i = 0; i < CTL_GLOBAL_OPTIONS; i++) {
        const struct ctl_global_option *global = &ctl_global_options[i];
        parse->options[i] = getopt_option(global->name, global->value, global->key);
    }
    const struct ctl_option *option = parse->command != NULL ? parse->command->options : NULL;
    for (unsigned i = 0; i < CTL_COMMAND_OPTIONS && option != NULL && option->name != NULL; i++) {
        parse->options[CTL_GLOBAL_OPTIONS + i] =
            getopt_option(option->name, option->value, OPTION_KEY_FIRST + (int)option->key);
        option++;
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

// getopt does not know it, or it was given a value that it does not have.
static enum ctl_exit complain_option(const struct parse *parse, char **argv)
{
    char letter[] = "-x";
    const char *given = argv[optind - 1];
    if (optopt >= OPTION_KEY_FIRST || (optopt != 0 && strchr(given, '=') != NULL)) {
        return ctl_complain(parse->ctl, CTL_USAGE, "%.*s takes no value", (int)strcspn(given, "="),
                            given);
    }
    if (optopt != 0) {
        letter[1] = (char)optopt; // one of several behind one dash
        given = letter;
    }
    return help_complain_option(parse->ctl, parse->command, given);
}

static enum ctl_exit take_option(struct parse *parse, int key, char **argv)
{
    switch (key) {
    case 'c':
        parse->ctl->config = optarg;
        return CTL_OK;
    case 's':
        parse->ctl->socket = optarg;
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
        return complain_option(parse, argv);
    default:
        return take_command_option(parse, key - OPTION_KEY_FIRST, optarg);
    }
}

// Reads options up to the first word that is none (in front of the command) or all of them.
static enum ctl_exit parse_options(struct parse *parse, int argc, char **argv)
{
    // '+' stops at the first other word, ':' tells a missing value from an unknown option.
    const char *letters = parse->command == NULL ? "+:c:s:hV" : ":c:s:hV";
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
    int known = help_known_words(argc, argv);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const char *words[CTL_NAME_WORDS];
        *ret_words = ctl_words(commands[i], words);
        bool is_named = *ret_words == known;
        for (int k = 0; is_named && k < known; k++) {
            is_named = strcmp(argv[k], words[k]) == 0;
        }
        if (is_named) {
            return commands[i];
        }
    }
    return NULL;
}

static enum ctl_exit take_operand(struct ctl *ctl, const struct ctl_command *command,
                                  struct ctl_arguments *arguments, int argc, char **argv)
{
    char name[CTL_NAME_LEN];
    int wanted = command->operand != NULL ? 1 : 0;
    if (argc > wanted) {
        return ctl_complain(ctl, CTL_USAGE, "too many words: \"%s\"; scepctl %s -h says more",
                            argv[wanted], ctl_name(command, name));
    }
    bool is_missing = argc < wanted && !command->is_operand_optional;
    if (is_missing || (argc == 1 && argv[0][0] == '\0')) {
        return ctl_complain(ctl, CTL_USAGE, "%s needs %s", ctl_name(command, name),
                            command->operand);
    }
    arguments->operand = argc == 1 ? argv[0] : NULL;
    return CTL_OK;
}

// True when -h or -V was there: all that was asked for is printed.
static bool print_asked(const struct parse *parse)
{
    if (parse->is_help) {
        help_print(parse->ctl->out, parse->command);
    } else if (parse->is_version) {
        fputs("scepctl " SCEPD_VERSION "\n", parse->ctl->out);
    }
    return parse->is_help || parse->is_version;
}

// The beginning of a command's name, and then the question which there are.
static bool is_group_help(int argc, char **argv)
{
    int known = help_known_words(argc, argv);
    return known > 0 && argc == known + 1 &&
           (strcmp(argv[known], "-h") == 0 || strcmp(argv[known], "--help") == 0);
}

static enum ctl_exit run_command(struct ctl *ctl, int argc, char **argv)
{
    int words = 0;
    const struct ctl_command *command = find_command(argc, argv, &words);
    if (command == NULL && is_group_help(argc, argv)) {
        help_print_group(ctl->out, argc - 1, argv);
        return CTL_OK;
    }
    if (command == NULL) {
        return help_complain_command(ctl, argc, argv);
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
        help_print(errors, NULL);
        return CTL_USAGE;
    }
    code = run_command(&ctl, argc - optind, argv + optind);
    if (fflush(out) != 0 && code == CTL_OK) {
        return ctl_complain(&ctl, CTL_FAILED, "cannot write the output");
    }
    return code;
}
