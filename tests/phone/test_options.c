// SPDX-License-Identifier: Apache-2.0
// The phone's command line: what stands for what, and what contradicts itself.
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/phone/options.h"

#define ARGS_MAX    16
#define SHA1_HEX    "12040870625C5B755D73F5925285F8F5FF5D55AF"
#define SERVER      "--server", "10.79.57.91"
#define FINGERPRINT "--fingerprint", SHA1_HEX
#define OPTION43                                                                                   \
    "0b12687474703a2f2f31302e37392e35372e3931"                                                     \
    "0c14" SHA1_HEX "0d1044323333434346394239393532413135"

static enum outcome read_args(const char *const *args, struct options *options,
                              struct trouble *trouble)
{
    char *argv[ARGS_MAX + 2] = {"phone"};
    int argc = 1;
    for (size_t i = 0; i < ARGS_MAX && args[i] != NULL; i++) {
        argv[argc++] = (char *)args[i];
    }
    optind = 0; // getopt starts afresh
    return options_read(argc, argv, options, trouble);
}

static void takes_all_from_option43(void **state)
{
    (void)state;
    static const char *const args[] = {"--option43", OPTION43, NULL};
    CLEANUP(options_done) struct options options = {0};
    struct trouble trouble = {0};
    assert_int_equal(read_args(args, &options, &trouble), OUTCOME_OK);
    assert_string_equal(options.server, "http://10.79.57.91");
    assert_int_equal(options.pinned.len, 20);
    assert_int_equal(options.pinned.octets[0], 0x12);
    assert_string_equal(options.challenge, "D233CCF9B9952A15");
}

static void takes_values_and_flags(void **state)
{
    (void)state;
    static const char *const args[] = {SERVER,       FINGERPRINT, "--mic",  "a.pem",
                                       "--mic-key",  "b",         "--mode", "renew",
                                       "--same-key", "--type",    "17",     NULL};
    CLEANUP(options_done) struct options options = {0};
    struct trouble trouble = {0};
    assert_int_equal(read_args(args, &options, &trouble), OUTCOME_OK);
    assert_string_equal(options.mic_file, "a.pem");
    assert_string_equal(options.mic_key_file, "b");
    assert_int_equal(options.mode, BENCH_RENEW);
    assert_true(options.has_same_key);
    assert_false(options.has_new_key);
    assert_string_equal(options.message_type, "17");
    assert_null(options.challenge);
}

static void refuses_contradictions(void **state)
{
    (void)state;
    static const struct {
        const char *args[ARGS_MAX];
        const char *text;
    } rows[] = {
        {{NULL}, "--server and --fingerprint are needed"},
        {{SERVER}, "are needed, or --option43"},
        {{FINGERPRINT}, "are needed, or --option43"},
        {{"--option43", OPTION43, SERVER}, "no other"},
        {{"--option43", OPTION43, FINGERPRINT}, "no other"},
        {{"--option43", OPTION43, "--challenge", "x"}, "no other"},
        {{"--option43", "0b"}, "suboption 11"},
        {{"--option43-file", "/nonexistent/option"}, "No such file"},
        {{SERVER, FINGERPRINT, "--mic", "a"}, "--mic and --mic-key are needed together"},
        {{SERVER, FINGERPRINT, "--mic-key", "a"}, "--mic and --mic-key"},
        {{SERVER, FINGERPRINT, "--cert", "a"}, "--cert and --cert-key"},
        {{SERVER, FINGERPRINT, "--mic-ca-key", "a"}, "--mic-ca and --mic-ca-key"},
        {{SERVER, FINGERPRINT, "--mic", "a", "--mic-key", "b", "--cert", "c", "--cert-key", "d"},
         "one of them signs"},
        {{SERVER, FINGERPRINT, "--type", "20"}, "20: unknown name"},
        {{SERVER, FINGERPRINT, "--type", "019"}, "019: unknown name"},
        {{SERVER, FINGERPRINT, "--mode", "fast"}, "fast: unknown name"},
        {{SERVER, FINGERPRINT, "--serial", "0x12"}, "--serial: not 1 to"},
        {{SERVER, FINGERPRINT, "--serial", ""}, "--serial: not 1 to"},
        {{SERVER, FINGERPRINT, "--wait", "0"}, "not a number from 1"},
        {{SERVER, FINGERPRINT, "--wait", "-1"}, "not a number from 1"},
        {{SERVER, FINGERPRINT, "--no-such-option"}, "--help"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CLEANUP(options_done) struct options options = {0};
        struct trouble trouble = {0};
        enum outcome outcome = read_args(rows[i].args, &options, &trouble);
        if (outcome == OUTCOME_OK || strstr(trouble.text, rows[i].text) == NULL) {
            fail_msg("row %zu: outcome %d, \"%s\" instead of \"%s\"", i, (int)outcome, trouble.text,
                     rows[i].text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_all_from_option43),
        cmocka_unit_test(takes_values_and_flags),
        cmocka_unit_test(refuses_contradictions),
    };
    opterr = 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
