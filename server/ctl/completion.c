// SPDX-License-Identifier: Apache-2.0
// scepctl completion: the script for one shell.
#include "server/ctl/completion.h"

#include <stdlib.h>
#include <string.h>

#include "server/ctl/api.h"

DEFINE_CLEANUP(char *, free);

static bool begins_with(const char *word, size_t len, const char *name)
{
    return len >= strlen(name) && strncmp(word, name, strlen(name)) == 0;
}

static void take_word(struct completion_value *value, const char *word, size_t len)
{
    if (begins_with(word, len, "FILE") || begins_with(word, len, "PATH")) {
        value->is_file = true;
        return;
    }
    if (begins_with(word, len, "DIR")) {
        value->is_folder = true;
        return;
    }
    // "-" stands for standard input, which needs no completion.
    bool is_literal = (*word >= 'a' && *word <= 'z') || (*word >= '0' && *word <= '9');
    size_t used = strlen(value->words);
    if (is_literal && used + len + 1 < sizeof value->words) {
        memcpy(value->words + used, word, len);
        value->words[used + len] = ' ';
    }
}

struct completion_value completion_value_of(const char *name)
{
    struct completion_value value = {0};
    while (name != NULL && *name != '\0') {
        size_t len = strcspn(name, "|");
        take_word(&value, name, len);
        name += len + (name[len] != '\0' ? 1 : 0);
    }
    return value;
}

bool completion_is_same(size_t one, size_t other, int count)
{
    const char *ones[CTL_NAME_WORDS];
    const char *others[CTL_NAME_WORDS];
    size_t command_count;
    const struct ctl_command *const *commands = ctl_commands(&command_count);
    if (ctl_words(commands[one], ones) < count || ctl_words(commands[other], others) < count) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (strcmp(ones[i], others[i]) != 0) {
            return false;
        }
    }
    return true;
}

bool completion_is_first(size_t index, int count)
{
    for (size_t i = 0; i < index; i++) {
        if (completion_is_same(i, index, count)) {
            return false;
        }
    }
    return completion_is_same(index, index, count);
}

const char *completion_beginning(size_t index, int count, char name[CTL_NAME_LEN])
{
    const char *words[CTL_NAME_WORDS];
    size_t command_count;
    size_t used = 0;
    ctl_words(ctl_commands(&command_count)[index], words);
    name[0] = '\0';
    for (int i = 0; i < count && used < CTL_NAME_LEN; i++) {
        int len = snprintf(name + used, CTL_NAME_LEN - used, "%s%s", i > 0 ? " " : "", words[i]);
        used += len > 0 ? (size_t)len : 0;
    }
    return name;
}

const char *completion_help(size_t index, int count, char help[COMPLETION_HELP_LEN])
{
    size_t command_count;
    size_t used = 0;
    const char *words[CTL_NAME_WORDS];
    const struct ctl_command *const *commands = ctl_commands(&command_count);
    if (ctl_words(commands[index], words) == count) {
        return commands[index]->summary;
    }
    help[0] = '\0';
    for (size_t i = index; i < command_count && used < COMPLETION_HELP_LEN; i++) {
        if (completion_is_same(index, i, count) && completion_is_first(i, count + 1)) {
            ctl_words(commands[i], words);
            int len = snprintf(help + used, COMPLETION_HELP_LEN - used, "%s%s",
                               used > 0 ? ", " : "", words[count]);
            used += len > 0 ? (size_t)len : 0;
        }
    }
    return help;
}

void completion_quote(FILE *out, const char *help, const char *escaped)
{
    fputc('\'', out);
    for (; *help != '\0' && *help != '\n'; help++) {
        if (strchr(escaped, *help) != NULL) {
            fputc('\\', out);
        }
        fputc(*help, out);
    }
    fputc('\'', out);
}

static const struct {
    const char *name;
    void (*write)(FILE *out);
} shells[] = {
    {"bash", completion_write_bash},
    {"zsh", completion_write_zsh},
    {"fish", completion_write_fish},
};

static enum ctl_exit print(struct ctl *ctl, const char *shell, const char *script)
{
    if (ctl->is_json) {
        CLEANUP(api_decref)
        json_t *answer = json_pack("{s:s, s:s}", "shell", shell, "script", script);
        return api_print(ctl, answer);
    }
    return fputs(script, ctl->out) != EOF
               ? CTL_OK
               : ctl_complain(ctl, CTL_FAILED, "cannot write the output");
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    CLEANUP(cleanup_free) char *script = NULL;
    size_t len;
    size_t i = 0;
    const size_t count = sizeof shells / sizeof shells[0];
    while (i < count && strcmp(arguments->operand, shells[i].name) != 0) {
        i++;
    }
    if (i == count) {
        return ctl_complain(ctl, CTL_USAGE, "unknown shell \"%.64s\"; allowed are bash, zsh, fish",
                            arguments->operand);
    }
    FILE *out = open_memstream(&script, &len);
    if (out == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    shells[i].write(out);
    if (fclose(out) != 0) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    return print(ctl, shells[i].name, script);
}

const struct ctl_command ctl_completion = {
    .name = "completion",
    .operand = "bash|zsh|fish",
    .summary = "Print the script by which a shell completes scepctl's command lines.",
    .run = run,
};
