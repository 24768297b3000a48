// SPDX-License-Identifier: Apache-2.0
// scepctl's command line: what it refuses, with which words and exit code, and its help.
#include "server/ctl_kit.h"

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *words[WORDS_MAX];
        enum ctl_exit code;
        const char *errors;
    } rows[] = {
        {{NULL}, CTL_USAGE, "usage: scepctl"},
        {{"fly", NULL},
         CTL_USAGE,
         "scepctl: unknown command \"fly\"; allowed are init, challenge new"},
        {{"challenge", NULL}, CTL_USAGE, "unknown command \"challenge\""},
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
        {{"init", NULL}, CTL_USAGE, "init needs DIR"},
        {{"init", "x", "--direct=yes", NULL}, CTL_USAGE, "unknown option --direct=yes"},
        {{"challenge", "revoke", "1", "2", NULL}, CTL_USAGE, "scepctl challenge revoke -h"},
        {{"ca", NULL}, CTL_USAGE, "unknown command \"ca\""},
        {{"ca", "rollover", NULL}, CTL_USAGE, "unknown command \"ca rollover\""},
        {{"ca", "rollover", "fly", "far", NULL}, CTL_USAGE, "unknown command \"ca rollover fly\""},
        {{"ca", "fly", "away", NULL}, CTL_USAGE, "unknown command \"ca fly\""},
        {{"fly", "ca", "rollover", "prepare", NULL}, CTL_USAGE, "unknown command \"fly\""},
        {{"ca", NULL}, CTL_USAGE, "ca rollover prepare, ca rollover activate"},
        {{"ca", "rollover", "status", "now", NULL}, CTL_USAGE, "scepctl ca rollover status -h"},
        {{"ca", "rollover", "prepare", "--cn", "x", NULL}, CTL_USAGE, "unknown option --cn"},
        {{"ca", "rollover", "prepare", "--ca-key", "rsa:1", NULL},
         CTL_USAGE,
         "--ca-key: \"rsa:1\""},
        {{"ca", "rollover", "prepare", "--ca-key", "rsa:2048", "--key", "x", NULL},
         CTL_USAGE,
         "allowed is one of them"},
        {{"ca", "rollover", "prepare", "--key-pin-file", "x", NULL}, CTL_USAGE, "needs --key"},
        {{"ca", "rollover", "prepare", "--root-pin-file", "x", NULL},
         CTL_USAGE,
         "needs --root-key"},
        {{"-c", "/nonexistent/scepd.conf", "ca", "rollover", "prepare", NULL},
         CTL_USAGE,
         "/nonexistent/scepd.conf"},
        {{"-c", "/nonexistent/scepd.conf", "ca", "rollover", "activate", NULL},
         CTL_USAGE,
         "/nonexistent/scepd.conf"},
        {{"-c", "/nonexistent/scepd.conf", "status", NULL}, CTL_USAGE, "/nonexistent/scepd.conf"},
        {{"status", "-c", "/nonexistent/x\x1b[1m", NULL}, CTL_USAGE, "/nonexistent/x\\x1b[1m"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome outcome = ctl_kit_run(rows[i].words);
        assert_contains(outcome.errors, rows[i].errors);
        assert_int_equal(outcome.code, rows[i].code);
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
        {{"-h", NULL}, "init DIR", "unknown"},
        {{"--help", NULL}, "challenge revoke ID", "unknown"},
        {{"challenge", "new", "-h", NULL}, "--ttl TIME", "init DIR"},
        {{"init", "--help", NULL}, "--ca-key", "--ttl"},
        {{"init", "--help", NULL}, "      --direct\n", "--ttl"},
        {{"ca", "rollover", "prepare", "-h", NULL}, "  ca rollover prepare\n", "init DIR"},
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
