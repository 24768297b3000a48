// SPDX-License-Identifier: Apache-2.0
// bash and zsh: two functions with what the table of commands says, which differ in how a word is
// written, and a third one that finds out what is wanted where the cursor is.
#include "server/ctl/completion.h"

#include <string.h>

// One of the two, and how it takes a word with what it means.
struct dialect {
    FILE *out;
    bool has_help; // 'word:help'
};

static void write_item(const struct dialect *dialect, const char *word, const char *help)
{
    FILE *out = dialect->out;
    fputs(" '", out);
    for (; *word != '\0'; word++) {
        fprintf(out, dialect->has_help && *word == ':' ? "\\%c" : "%c", *word);
    }
    for (fputs(dialect->has_help ? ":" : "", out);
         dialect->has_help && *help != '\0' && *help != '\n'; help++) {
        fputs(*help == '\'' ? "'\\'" : "", out);
        fputc(*help, out);
    }
    fputc('\'', out);
}

static void write_option(const struct dialect *dialect, const char *name, const char *help)
{
    char word[CTL_NAME_LEN];
    snprintf(word, sizeof word, "--%s", name);
    write_item(dialect, word, help);
}

// "kind=file", or the words that may be written.
static void write_value(const struct dialect *dialect, const char *variable, const char *name)
{
    FILE *out = dialect->out;
    struct completion_value value = completion_value_of(name);
    char *rest = value.words;
    if (value.is_file || value.is_folder) {
        fprintf(out, " %s=%s", variable, value.is_file ? "file" : "folder");
        return;
    }
    if (value.words[0] == '\0') {
        fprintf(out, " %s=text", variable);
        return;
    }
    fprintf(out, " %s=words choices=(", variable);
    for (char *word = strtok_r(rest, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        write_item(dialect, word, "");
    }
    fputs(" )", out);
}

// The words that may follow the first `count` ones of the command at `index`.
static void write_steps(const struct dialect *dialect, size_t index, int count)
{
    char beginning[CTL_NAME_LEN];
    char help[COMPLETION_HELP_LEN];
    size_t command_count;
    const struct ctl_command *const *commands = ctl_commands(&command_count);
    fprintf(dialect->out, "    '%s') steps=(", completion_beginning(index, count, beginning));
    for (size_t i = index; i < command_count; i++) {
        const char *words[CTL_NAME_WORDS];
        ctl_words(commands[i], words);
        if (completion_is_same(index, i, count) && completion_is_first(i, count + 1)) {
            write_item(dialect, words[count], completion_help(i, count + 1, help));
        }
    }
    fputs(" ) ;;\n", dialect->out);
}

static void write_command(const struct dialect *dialect, const struct ctl_command *command)
{
    char name[CTL_NAME_LEN];
    const struct ctl_option *option = command->options;
    if (option == NULL && command->operand == NULL) {
        return;
    }
    fprintf(dialect->out, "    '%s') flags+=(", ctl_name(command, name));
    for (; option != NULL && option->name != NULL; option++) {
        write_option(dialect, option->name, option->help);
    }
    fputs(" )", dialect->out);
    if (command->operand != NULL) {
        write_value(dialect, "operand", command->operand);
    }
    fputs(" ;;\n", dialect->out);
}

static void write_look(const struct dialect *dialect)
{
    size_t count;
    const struct ctl_command *const *commands = ctl_commands(&count);
    fputs("# What may follow the words of $1.\n"
          "_scepctl_look() {\n"
          "    steps=() choices=() operand= flags=(",
          dialect->out);
    for (size_t i = 0; i < CTL_GLOBAL_OPTIONS; i++) {
        write_option(dialect, ctl_global_options[i].name, ctl_global_options[i].help);
    }
    fputs(" )\n    case \"$1\" in\n", dialect->out);
    for (size_t i = 0; i < count; i++) {
        const char *words[CTL_NAME_WORDS];
        int word_count = ctl_words(commands[i], words);
        for (int k = 0; k < word_count; k++) {
            if (completion_is_first(i, k)) {
                write_steps(dialect, i, k);
            }
        }
        write_command(dialect, commands[i]);
    }
    fputs("    esac\n}\n\n", dialect->out);
}

static void write_values(const struct dialect *dialect, const struct ctl_command *command)
{
    char name[CTL_NAME_LEN];
    const struct ctl_option *option = command->options;
    for (; option != NULL && option->name != NULL; option++) {
        if (option->value != NULL) {
            fprintf(dialect->out, "    '%s --%s')", ctl_name(command, name), option->name);
            write_value(dialect, "kind", option->value);
            fputs(" ;;\n", dialect->out);
        }
    }
}

static void write_value_of(const struct dialect *dialect)
{
    size_t count;
    const struct ctl_command *const *commands = ctl_commands(&count);
    fputs("# What the value of option $2 of command $1 is; kind stays empty when it has none.\n"
          "_scepctl_value() {\n"
          "    kind=\n"
          "    case \"$1 $2\" in\n",
          dialect->out);
    for (size_t i = 0; i < CTL_GLOBAL_OPTIONS; i++) {
        const struct ctl_global_option *option = &ctl_global_options[i];
        if (option->value != NULL) {
            fprintf(dialect->out, "    *' -%c' | *' --%s')", option->key, option->name);
            write_value(dialect, "kind", option->value);
            fputs(" ;;\n", dialect->out);
        }
    }
    for (size_t i = 0; i < count; i++) {
        write_values(dialect, commands[i]);
    }
    fputs("    esac\n}\n\n", dialect->out);
}

// The line is split at blanks alone, because bash splits its own list at = and : as well.
static const char bash_rest[] =
    "_scepctl() {\n"
    "    local line=${COMP_LINE:0:COMP_POINT} current= command= previous= operand= kind= at=1\n"
    "    local -a words=() steps=() choices=() flags=()\n"
    "    read -ra words <<<\"$line\"\n"
    "    if [[ $line != *[[:space:]] ]]; then\n"
    "        current=${words[${#words[@]} - 1]}\n"
    "        unset \"words[${#words[@]} - 1]\"\n"
    "    fi\n"
    "    previous=${words[${#words[@]} - 1]}\n"
    "    while [[ ${words[at]-} == -* ]]; do\n"
    "        _scepctl_value '' \"${words[at]}\"\n"
    "        at=$((at + (${#kind} > 0 ? 2 : 1)))\n"
    "    done\n"
    "    _scepctl_look ''\n"
    "    while [[ -n ${words[at]-} && \" ${steps[*]} \" == *\" ${words[at]} \"* ]]; do\n"
    "        command+=${command:+ }${words[at]}\n"
    "        at=$((at + 1))\n"
    "        _scepctl_look \"$command\"\n"
    "    done\n"
    "    kind=\n"
    "    if [[ $current == --*=* ]]; then\n"
    "        _scepctl_value \"$command\" \"${current%%=*}\"\n"
    "        current=${current#*=}\n"
    "    elif [[ $previous == -* ]]; then\n"
    "        _scepctl_value \"$command\" \"$previous\"\n"
    "    fi\n"
    "    if [[ -n $kind ]]; then\n"
    "        :\n"
    "    elif [[ $current == -* ]]; then\n"
    "        kind=words choices=(\"${flags[@]}\")\n"
    "    elif [[ ${#steps[@]} -gt 0 ]]; then\n"
    "        kind=words choices=(\"${steps[@]}\")\n"
    "    else\n"
    "        kind=$operand\n"
    "    fi\n"
    "    COMPREPLY=()\n"
    "    case \"$kind\" in\n"
    "    words) mapfile -t COMPREPLY < <(compgen -W \"${choices[*]}\" -- \"$current\") ;;\n"
    "    file) compopt -o default ;;\n"
    "    folder) compopt -o dirnames ;;\n"
    "    esac\n"
    "    if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then\n"
    "        COMPREPLY=(\"${COMPREPLY[@]#\"${current%\"${current##*:}\"}\"}\")\n"
    "    fi\n"
    "}\n"
    "complete -F _scepctl scepctl\n";

static const char zsh_rest[] =
    "_scepctl() {\n"
    "    local command= previous=${words[CURRENT-1]} operand= kind= at=2\n"
    "    local -a steps choices flags\n"
    "    while (( at < CURRENT )) && [[ ${words[at]} == -* ]]; do\n"
    "        _scepctl_value '' \"${words[at]}\"\n"
    "        (( at += ${#kind} > 0 ? 2 : 1 ))\n"
    "    done\n"
    "    _scepctl_look ''\n"
    "    while (( at < CURRENT )) && (( ${steps[(I)${(b)words[at]}:*]} )); do\n"
    "        command+=${command:+ }${words[at]}\n"
    "        (( at += 1 ))\n"
    "        _scepctl_look \"$command\"\n"
    "    done\n"
    "    kind=\n"
    "    if [[ $PREFIX == --*=* ]]; then\n"
    "        _scepctl_value \"$command\" \"${PREFIX%%=*}\"\n"
    "        compset -P '*='\n"
    "    elif [[ $previous == -* ]]; then\n"
    "        _scepctl_value \"$command\" \"$previous\"\n"
    "    fi\n"
    "    if [[ -n $kind ]]; then\n"
    "        :\n"
    "    elif [[ $PREFIX == -* ]]; then\n"
    "        kind=words choices=(\"${flags[@]}\")\n"
    "    elif (( ${#steps} )); then\n"
    "        kind=words choices=(\"${steps[@]}\")\n"
    "    else\n"
    "        kind=$operand\n"
    "    fi\n"
    "    case \"$kind\" in\n"
    "    words) _describe scepctl choices ;;\n"
    "    file) _files ;;\n"
    "    folder) _files -/ ;;\n"
    "    esac\n"
    "}\n"
    "if [[ ${funcstack[1]-} == _scepctl ]]; then\n"
    "    _scepctl \"$@\"\n"
    "else\n"
    "    compdef _scepctl scepctl\n"
    "fi\n";

void completion_write_bash(FILE *out)
{
    const struct dialect dialect = {.out = out};
    fputs("# scepctl's command lines in bash; written by: scepctl completion bash\n\n", out);
    write_look(&dialect);
    write_value_of(&dialect);
    fputs(bash_rest, out);
}

void completion_write_zsh(FILE *out)
{
    const struct dialect dialect = {.out = out, .has_help = true};
    fputs("#compdef scepctl\n# scepctl's command lines in zsh; written by: scepctl completion "
          "zsh\n\n",
          out);
    write_look(&dialect);
    write_value_of(&dialect);
    fputs(zsh_rest, out);
}
