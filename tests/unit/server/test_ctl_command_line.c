// SPDX-License-Identifier: Apache-2.0
// scepctl's command line: what it refuses, with which words and exit code, and its help.
#include "server/ctl_kit.h"

static const struct {
    const char *words[WORDS_MAX];
    enum ctl_exit code;
    const char *errors;
} refused[] = {
    {{NULL}, CTL_USAGE, "usage: scepctl"},
    {{"fly", NULL},
     CTL_USAGE,
     "scepctl: unknown command \"fly\"; allowed are init, challenge, list, show, status"},
    {{"challenge", NULL},
     CTL_USAGE,
     "\"challenge\" is not a whole command; allowed are challenge new, challenge list, "
     "challenge "
     "revoke"},
    {{"challenge", "nwe", NULL},
     CTL_USAGE,
     "unknown command \"challenge nwe\"; did you mean \"challenge new\"? Allowed are challenge "
     "new, challenge list"},
    {{"stauts", NULL}, CTL_USAGE, "\"stauts\"; did you mean \"status\"? Allowed are init, "},
    {{"rev", NULL}, CTL_USAGE, "did you mean \"revoke\"?"},
    {{"ca", "rolover", "status", NULL},
     CTL_USAGE,
     "unknown command \"ca rolover\"; did you mean \"ca rollover\"? Allowed are ca rollover "
     "prepare"},
    {{"x\x1b[2J\xff", NULL}, CTL_USAGE, "unknown command \"x\\x1b[2J\\xff\""},
    {{"", NULL}, CTL_USAGE, "unknown command \"\"; allowed are init"},
    {{"--jsn", "status", NULL},
     CTL_USAGE,
     "unknown option --jsn; did you mean --json? scepctl -h lists all that are allowed"},
    {{"list", "--limits", "3", NULL},
     CTL_USAGE,
     "unknown option --limits; did you mean --limit? scepctl list -h lists all"},
    {{"list", "--lmiit=3", NULL}, CTL_USAGE, "option --lmiit=3; did you mean --limit?"},
    {{"status", "-x", NULL}, CTL_USAGE, "unknown option -x; scepctl status -h lists all"},
    {{"status", "-xh", NULL}, CTL_USAGE, "unknown option -x; scepctl status -h lists all"},
    {{"--json=yes", "status", NULL}, CTL_USAGE, "--json takes no value"},
    {{"completion", NULL}, CTL_USAGE, "completion needs bash|zsh|fish"},
    {{"completion", "tcsh", NULL},
     CTL_USAGE,
     "unknown shell \"tcsh\"; allowed are bash, zsh, fish"},
    {{"challenge", "sing", NULL}, CTL_USAGE, "unknown command \"challenge sing\""},
    {{"--fly", NULL}, CTL_USAGE, "unknown option --fly"},
    {{"-c", NULL}, CTL_USAGE, "-c needs a value"},
    {{"status", "--fly", NULL}, CTL_USAGE, "unknown option --fly"},
    {{"status", "--cn", "x", NULL}, CTL_USAGE, "unknown option --cn"},
    {{"status", "now", NULL}, CTL_USAGE, "too many words: \"now\""},
    {{"show", NULL}, CTL_USAGE, "show needs SERIAL|CN|MAC"},
    {{"show", "", NULL}, CTL_USAGE, "show needs SERIAL|CN|MAC"},
    {{"show", "a", "b", NULL}, CTL_USAGE, "too many words: \"b\""},
    {{"challenge", "revoke", NULL}, CTL_USAGE, "challenge revoke needs ID"},
    {{"challenge", "new", "--ttl", NULL}, CTL_USAGE, "--ttl needs a value"},
    {{"challenge", "new", "--ttl", "5", NULL}, CTL_USAGE, "--ttl: \"5\" is not a length"},
    {{"challenge", "new", "--ttl", "5s", NULL}, CTL_USAGE, "--ttl: \"5s\" is out of range"},
    {{"challenge", "new", "--uses", "0", NULL}, CTL_USAGE, "--uses: 0 is out of range"},
    {{"challenge", "new", "--cn", "a", "--cn", "b", NULL}, CTL_USAGE, "twice: \"a\" and \"b\""},
    {{"challenge", "new", "--cn", "\xff", NULL}, CTL_USAGE, "\"\\xff\" is not UTF-8"},
    {{"list", "--limit", "all", NULL}, CTL_USAGE, "--limit: \"all\" is not a whole number"},
    {{"init", "", NULL}, CTL_USAGE, "init needs DIR"},
    {{"init", "--listen", "1.2.3.4:5", NULL}, CTL_USAGE, "allowed with DIR only"},
    {{"init", "x", "--existing-ca", "c", NULL}, CTL_USAGE, "--existing-ca needs --key"},
    {{"init", "x", "--certificate", "c", NULL}, CTL_USAGE, "--certificate needs --subordinate"},
    {{"init", "x", "--pin-file", "p", NULL}, CTL_USAGE, "--pin-file needs --key"},
    {{"init", "x", "--chain", "c", NULL}, CTL_USAGE, "--chain needs --existing-ca or"},
    {{"init", "x", "--subordinate", "--direct", NULL}, CTL_USAGE, "contradict each other"},
    {{"init", "x", "--key", "k", "--ca-key", "rsa:2048", NULL},
     CTL_USAGE,
     "--key and --ca-key contradict"},
    {{"init", "x", "--subordinate", "--listen", "1.2.3.4:5", NULL},
     CTL_USAGE,
     "--listen belongs to the second step"},
    {{"init", "x", "--direct=yes", NULL}, CTL_USAGE, "--direct takes no value"},
    {{"challenge", "revoke", "1", "2", NULL}, CTL_USAGE, "scepctl challenge revoke -h"},
    {{"ca", NULL}, CTL_USAGE, "\"ca\" is not a whole command"},
    {{"ca", "rollover", NULL}, CTL_USAGE, "\"ca rollover\" is not a whole command; allowed are ca"},
    {{"ca", "rollover", "fly", "far", NULL}, CTL_USAGE, "unknown command \"ca rollover fly\""},
    {{"ca", "fly", "away", NULL}, CTL_USAGE, "unknown command \"ca fly\""},
    {{"fly", "ca", "rollover", "prepare", NULL}, CTL_USAGE, "unknown command \"fly\""},
    {{"ca", NULL}, CTL_USAGE, "ca rollover prepare, ca rollover activate"},
    {{"ca", "rollover", "status", "now", NULL}, CTL_USAGE, "scepctl ca rollover status -h"},
    {{"ca", "rollover", "prepare", "--cn", "x", NULL}, CTL_USAGE, "unknown option --cn"},
    {{"ca", "rollover", "prepare", "--ca-key", "rsa:1", NULL}, CTL_USAGE, "--ca-key: \"rsa:1\""},
    {{"ca", "rollover", "prepare", "--ca-key", "rsa:2048", "--key", "x", NULL},
     CTL_USAGE,
     "allowed is one of them"},
    {{"ca", "rollover", "prepare", "--key-pin-file", "x", NULL}, CTL_USAGE, "needs --key"},
    {{"ca", "rollover", "prepare", "--root-pin-file", "x", NULL}, CTL_USAGE, "needs --root-key"},
    {{"-c", "/nonexistent/scepd.conf", "ca", "rollover", "prepare", NULL},
     CTL_USAGE,
     "/nonexistent/scepd.conf"},
    {{"-c", "/nonexistent/scepd.conf", "ca", "rollover", "activate", NULL},
     CTL_USAGE,
     "/nonexistent/scepd.conf"},
    {{"-c", "/nonexistent/scepd.conf", "status", NULL}, CTL_USAGE, "/nonexistent/scepd.conf"},
    {{"status", "-c", "/nonexistent/x\x1b[1m", NULL}, CTL_USAGE, "/nonexistent/x\\x1b[1m"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct outcome outcome = ctl_kit_run(refused[i].words);
        assert_contains(outcome.errors, refused[i].errors);
        assert_int_equal(outcome.code, refused[i].code);
        assert_string_equal(outcome.out, "");
        outcome_done(&outcome);
    }
}

static void test_help_and_version(void **state)
{
    (void)state;
    static const struct {
        const char *words[WORDS_MAX];
        const char *has;
        const char *has_not;
    } rows[] = {
        {{"-h", NULL}, "init [DIR]", "unknown"},
        {{"-h", NULL}, "exit status:\n  0  done\n  1  refused", "--ttl"},
        {{"-h", NULL}, "with --json as JSON; what went wrong is text", "--ttl"},
        {{"challenge", "-h", NULL}, "  challenge list\n", "--ttl"},
        {{"challenge", "--help", NULL}, "  challenge revoke ID\n", "init ["},
        {{"ca", "rollover", "-h", NULL}, "  ca rollover cancel\n", "--root-key"},
        {{"--help", NULL}, "challenge revoke ID", "unknown"},
        {{"challenge", "new", "-h", NULL}, "--ttl TIME", "init ["},
        {{"init", "--help", NULL}, "--ca-key", "--ttl"},
        {{"init", "--help", NULL}, "      --direct\n", "--ttl"},
        {{"ca", "rollover", "prepare", "-h", NULL}, "  ca rollover prepare\n", "init ["},
        {{"ca", "rollover", "prepare", "-h", NULL}, "--root-key URI|FILE", "activate\n"},
        {{"-V", NULL}, "scepctl " SCEPD_VERSION "\n", "usage"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome outcome = ctl_kit_run(rows[i].words);
        assert_int_equal(outcome.code, CTL_OK);
        assert_contains(outcome.out, rows[i].has);
        assert_null(strstr(outcome.out, rows[i].has_not));
        assert_string_equal(outcome.errors, "");
        outcome_done(&outcome);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_help_and_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
