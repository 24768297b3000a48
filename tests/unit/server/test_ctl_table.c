// SPDX-License-Identifier: Apache-2.0
// scepctl's table of commands: what every command of it must have, its help, and the scripts for
// shells that are made of it.
#include "server/ctl_kit.h"

#include <ctype.h>

#include "server/ctl/completion.h"
#include "server/ctl/suggest.h"

#define HELP_WIDTH 125 // columns: the longest list of what a value may be

// Runs "scepctl <name of the command> <last>".
static struct outcome run(const struct ctl_command *command, const char *last)
{
    const char *words[WORDS_MAX] = {NULL};
    int count = ctl_words(command, words);
    words[count] = last;
    words[count + 1] = NULL;
    return ctl_kit_run(words);
}

static bool is_sentence(const char *text)
{
    return text != NULL && isupper((unsigned char)text[0]) && text[strlen(text) - 1] == '.' &&
           strchr(text, '\n') == NULL;
}

static void test_every_command(void **state)
{
    (void)state;
    size_t count;
    const struct ctl_command *const *commands = ctl_commands(&count);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        char name[CTL_NAME_LEN];
        ctl_name(commands[i], name);
        if (!is_sentence(commands[i]->summary)) {
            fail_msg("%s: the summary is not one sentence on one line", name);
        }
        assert_non_null(commands[i]->run);
        assert_true(commands[i]->operand != NULL || !commands[i]->is_operand_optional);
        for (size_t k = 0; k < i; k++) {
            char other[CTL_NAME_LEN];
            if (strcmp(name, ctl_name(commands[k], other)) == 0) {
                fail_msg("two commands are named %s", name);
            }
        }
    }
}

// No name is the beginning of another one's, so that a command line never means two things, and
// those with one beginning stand together, so that help and completion show it once.
static void test_names(void **state)
{
    (void)state;
    size_t count;
    const char *words[CTL_NAME_WORDS];
    const struct ctl_command *const *commands = ctl_commands(&count);
    for (size_t i = 0; i < count; i++) {
        int len = ctl_words(commands[i], words);
        for (size_t k = 0; k < count; k++) {
            if (k != i && completion_is_same(i, k, len)) {
                fail_msg("%s %s begins another command", words[0], len > 1 ? words[1] : "");
            }
        }
        if (!completion_is_first(i, 1) && !completion_is_same(i - 1, i, 1)) {
            fail_msg("%s %s stands apart from its like", words[0], len > 1 ? words[1] : "");
        }
    }
}

static void check_option(const struct ctl_command *command, const struct ctl_option *option)
{
    char name[CTL_NAME_LEN];
    ctl_name(command, name);
    if (option->help == NULL || option->help[0] == '\0') {
        fail_msg("%s --%s has no help", name, option->name);
    }
    assert_in_range(option->key, 0, CTL_OPTION_COUNT - 1);
    assert_true(option->value == NULL || option->value[0] != '\0');
    for (size_t i = 0; i < CTL_GLOBAL_OPTIONS; i++) {
        assert_string_not_equal(option->name, ctl_global_options[i].name);
    }
    const struct ctl_option *before = command->options;
    for (; before != option; before++) {
        if (strcmp(before->name, option->name) == 0 || before->key == option->key) {
            fail_msg("%s: --%s and --%s are the same", name, before->name, option->name);
        }
    }
}

static void test_every_option(void **state)
{
    (void)state;
    size_t count;
    const struct ctl_command *const *commands = ctl_commands(&count);
    for (size_t i = 0; i < count; i++) {
        char name[CTL_NAME_LEN];
        size_t options = 0;
        const struct ctl_option *option = commands[i]->options;
        for (; option != NULL && option->name != NULL; option++) {
            check_option(commands[i], option);
            options++;
        }
        if (options > CTL_COMMAND_OPTIONS) {
            fail_msg("%s has %zu options", ctl_name(commands[i], name), options);
        }
    }
}

static void check_width(const char *name, const char *help)
{
    while (*help != '\0') {
        size_t len = strcspn(help, "\n");
        if (len > HELP_WIDTH) {
            fail_msg("%s: a line of the help has %zu columns: %.*s", name, len, (int)len, help);
        }
        help += len + (help[len] == '\n' ? 1 : 0);
    }
}

static void test_help_of_each(void **state)
{
    (void)state;
    static const char *const asks[] = {"-h", "--help"};
    size_t count;
    const struct ctl_command *const *commands = ctl_commands(&count);
    for (size_t i = 0; i < 2 * count; i++) {
        const struct ctl_command *command = commands[i / 2];
        char name[CTL_NAME_LEN];
        char line[CTL_NAME_LEN + 8];
        struct outcome outcome = run(command, asks[i % 2]);
        assert_int_equal(outcome.code, CTL_OK);
        assert_string_equal(outcome.errors, "");
        snprintf(line, sizeof line, "\n  %s", ctl_name(command, name));
        assert_contains(outcome.out, line);
        assert_contains(outcome.out, command->summary);
        const struct ctl_option *option = command->options;
        for (; option != NULL && option->name != NULL; option++) {
            snprintf(line, sizeof line, "\n      --%s%s", option->name,
                     option->value != NULL ? " " : "\n");
            assert_contains(outcome.out, line);
        }
        check_width(name, outcome.out);
        outcome_done(&outcome);
    }
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool is_file;
        bool is_folder;
        const char *words;
    } rows[] = {
        {NULL, false, false, ""},
        {"CN", false, false, ""},
        {"FILE", true, false, ""},
        {"FILE.csv|-", true, false, ""},
        {"PATH", true, false, ""},
        {"URI|FILE", true, false, ""},
        {"DIR", false, true, ""},
        {"2|1", false, false, "2 1 "},
        {"rsa:2048", false, false, "rsa:2048 "},
        {"pem|csv|jsonl", false, false, "pem csv jsonl "},
        {"MAC|SERIAL", false, false, ""},
        {"cACompromise|keyCompromise", false, false, "cACompromise keyCompromise "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct completion_value value = completion_value_of(rows[i].name);
        assert_int_equal(value.is_file, rows[i].is_file);
        assert_int_equal(value.is_folder, rows[i].is_folder);
        assert_string_equal(value.words, rows[i].words);
    }
}

// No choice of words is so long that the table's end would be left out.
static void test_choices_fit(void **state)
{
    (void)state;
    size_t count;
    const struct ctl_command *const *commands = ctl_commands(&count);
    for (size_t i = 0; i < count; i++) {
        const struct ctl_option *option = commands[i]->options;
        for (; option != NULL && option->name != NULL; option++) {
            struct completion_value value = completion_value_of(option->value);
            if (value.words[0] != '\0') {
                assert_int_equal(strlen(value.words), strlen(option->value) + 1);
            }
        }
    }
}

static void test_scripts_name_everything(void **state)
{
    (void)state;
    static const char *const shells[] = {"bash", "zsh", "fish"};
    size_t count;
    const struct ctl_command *const *commands = ctl_commands(&count);
    for (size_t i = 0; i < 3; i++) {
        struct outcome outcome = ctl_kit_run((const char *[]){"completion", shells[i], NULL});
        assert_int_equal(outcome.code, CTL_OK);
        assert_string_equal(outcome.errors, "");
        for (size_t k = 0; k < count; k++) {
            const struct ctl_option *option = commands[k]->options;
            const char *words[CTL_NAME_WORDS];
            assert_contains(outcome.out, words[ctl_words(commands[k], words) - 1]);
            for (; option != NULL && option->name != NULL; option++) {
                char name[CTL_NAME_LEN];
                snprintf(name, sizeof name, i < 2 ? "'--%s" : " -l %s ", option->name);
                assert_contains(outcome.out, name);
            }
        }
        outcome_done(&outcome);
    }
    struct outcome outcome = ctl_kit_run((const char *[]){"--json", "completion", "fish", NULL});
    assert_int_equal(outcome.code, CTL_OK);
    assert_contains(outcome.out, "\"shell\": \"fish\"");
    outcome_done(&outcome);
}

static void test_suggestions(void **state)
{
    (void)state;
    static const char *const words[] = {"status", "show", "list", "log", "revoke", "restore", "ca"};
    static const struct {
        const char *given;
        const char *best;
    } rows[] = {
        {"status", "status"},
        {"stats", "status"},
        {"sttaus", "status"},
        {"staus", "status"},
        {"sta", "status"},
        {"sho", "show"},
        {"lsit", "list"},
        {"revok", "revoke"},
        {"rev", "revoke"},
        {"restor", "restore"},
        {"cs", "ca"},
        {"x", NULL},
        {"", NULL},
        {"st", NULL},
        {"fly", NULL},
        {"certificate", NULL},
        {"statusstatusstatusstatusstatusstatus", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct suggestion suggestion = suggestion_for(rows[i].given);
        for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
            suggestion_try(&suggestion, words[k]);
        }
        if (rows[i].best == NULL) {
            assert_null(suggestion.best);
        } else if (suggestion.best == NULL || strcmp(suggestion.best, rows[i].best) != 0) {
            fail_msg("%s: %s", rows[i].given, suggestion.best != NULL ? suggestion.best : "none");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_command),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_every_option),
        cmocka_unit_test(test_help_of_each),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_choices_fit),
        cmocka_unit_test(test_scripts_name_everything),
        cmocka_unit_test(test_suggestions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
