// SPDX-License-Identifier: Apache-2.0
// scepctl's commands against a running admin interface: from the command line to the store and
// back.
#include "ctl_fixture.h"

#include <jansson.h>

static void test_challenge(void **state)
{
    struct outcome made =
        succeed(*state, (const char *[]){"--json", "challenge", "new", "--mac", "00:1a:2b:3c:4d:5e",
                                         "--ttl", "2d", "--uses", "3", NULL});
    json_t *challenge = json_loads(made.out, 0, NULL);
    assert_non_null(challenge);
    const char *id = json_string_value(json_object_get(challenge, "id"));
    const char *secret = json_string_value(json_object_get(challenge, "secret"));
    assert_int_equal(strlen(secret), CHALLENGE_DIGITS);

    struct outcome listed = succeed(*state, (const char *[]){"challenge", "list", NULL});
    assert_contains(listed.out, "ID          STATE   USES LEFT  CREATED");
    assert_contains(listed.out, id);
    assert_contains(listed.out, "usable  3 of 3");
    assert_contains(listed.out, "MAC 001A2B3C4D5E\n");
    assert_null(strstr(listed.out, secret));
    outcome_done(&listed);

    struct outcome revoked = succeed(*state, (const char *[]){"challenge", "revoke", id, NULL});
    assert_contains(revoked.out, "is revoked.\n");
    outcome_done(&revoked);
    struct outcome after = succeed(*state, (const char *[]){"challenge", "list", NULL});
    assert_contains(after.out, "revoked  3 of 3");
    outcome_done(&after);
    json_decref(challenge);
    outcome_done(&made);
}

static void test_challenge_in_words(void **state)
{
    struct outcome made =
        succeed(*state, (const char *[]){"challenge", "new", "--cn", "M\xc3\xbcller", NULL});
    assert_contains(made.out, "Challenge:     ");
    assert_contains(made.out, "Uses:          1\n");
    assert_contains(made.out, "Good for:      CN M\xc3\xbcller\n");
    assert_contains(made.out, "shown only now");
    outcome_done(&made);
}

static void test_server_says_no(void **state)
{
    fail_with(*state, (const char *[]){"challenge", "new", "--mac", "12", NULL},
              "scepctl: scepd says no: \"12\" is not a MAC address");
    fail_with(*state, (const char *[]){"challenge", "new", "--cn", "$MAU", NULL}, "has a '$'");
    fail_with(*state, (const char *[]){"challenge", "revoke", "0123456789", NULL},
              "no challenge has the id 0123456789");
    fail_with(*state, (const char *[]){"show", "no/body ?&#%", NULL}, "MAC \"no/body ?&#%\"");
    fail_with(*state, (const char *[]){"show", "a\x1b[2J", NULL}, "a\\x1b[2J");
}

static void test_list(void **state)
{
    fixture_add_certificate(*state, 1, "SEP001A2B3C4D5E", "001A2B3C4D5E", FIXTURE_LONG_AGO);
    fixture_add_certificate(*state, 2, "evil\xc2\x9b", "", FIXTURE_FAR_FUTURE);
    struct outcome all = succeed(*state, (const char *[]){"list", NULL});
    assert_contains(all.out,
                    "SERIAL                            COMMON NAME      MAC           STATUS   ");
    assert_contains(all.out,
                    "01010000000000000000000000000000  SEP001A2B3C4D5E  001A2B3C4D5E  expired  ");
    assert_contains(all.out,
                    "01020000000000000000000000000000  evil\\u{009B}     -             valid    ");
    outcome_done(&all);

    struct outcome one = run(*state, (const char *[]){"list", "--limit", "1", NULL});
    assert_int_equal(one.code, CTL_OK);
    assert_null(strstr(one.out, "SEP001A2B3C4D5E"));
    assert_string_equal(one.errors, "There are more; --limit N shows up to N.\n");
    outcome_done(&one);

    struct outcome json = succeed(*state, (const char *[]){"list", "--json", NULL});
    json_t *answer = json_loads(json.out, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "certificates")), 2);
    assert_true(json_is_null(json_object_get(answer, "next_after")));
    assert_contains(json.out, "evil\\u009B");
    json_decref(answer);
    outcome_done(&json);
}

static void test_show(void **state)
{
    fixture_add_certificate(*state, 1, "SEP001A2B3C4D5E", "001A2B3C4D5E", FIXTURE_LONG_AGO);
    fixture_add_certificate(*state, 2, "SEP001A2B3C4D5E", "001A2B3C4D5E", FIXTURE_FAR_FUTURE);
    struct outcome shown = succeed(*state, (const char *[]){"show", "00-1a-2b-3c-4d-5e", NULL});
    assert_contains(shown.out, "Serial number:          01020000000000000000000000000000\n");
    assert_contains(shown.out, "Subject:                CN=SEP001A2B3C4D5E\n");
    assert_contains(shown.out,
                    "-----END CERTIFICATE-----\n\nOther certificates of this device:\nSERIAL");
    assert_contains(shown.out, "\n01010000000000000000000000000000  ");
    outcome_done(&shown);
}

static void test_status(void **state)
{
    struct outcome status = succeed(*state, (const char *[]){"status", NULL});
    assert_contains(status.out, "Version:                " SCEPD_VERSION "\n");
    assert_contains(status.out, "Listening at:           127.0.0.1:8080\n");
    assert_contains(status.out, "CA answers:             no\n");
    assert_contains(status.out, "Root CA:                CN=SCEP Root CA,O=Test, until ");
    assert_contains(status.out, "Static challenge:       no\n");
    outcome_done(&status);
}

static void test_not_running(void **state)
{
    struct fixture *fixture = *state;
    char *config = fixture->config;
    struct settings_value values[] = {{"admin.socket", "nobody.sock"}, {NULL, NULL}};
    fixture->config = kit_path(fixture->folder, "other.conf");
    FILE *out = fopen(fixture->config, "w");
    assert_int_equal(settings_write(out, values, NULL), ERR_OK);
    fclose(out);
    fail_with(fixture, (const char *[]){"status", NULL},
              "nobody.sock: No such file or directory; is it running with ");
    free(fixture->config);
    fixture->config = config;
}

// So that a settings file with mistakes, which scepd has not taken, does not lock anybody out.
static void test_socket_without_settings(void **state)
{
    struct fixture *fixture = *state;
    char *config = fixture->config;
    fixture->config = kit_write(fixture->folder, "broken.conf", view_of_text("http = {"));
    struct outcome refused = run(fixture, (const char *[]){"status", NULL});
    assert_int_equal(refused.code, CTL_USAGE);
    assert_contains(refused.errors, "-s PATH the socket itself");
    outcome_done(&refused);
    const char *const words[] = {"-c", fixture->config, "--socket", fixture->socket, "status",
                                 NULL};
    struct outcome status = ctl_kit_run(words);
    assert_int_equal(status.code, CTL_OK);
    assert_contains(status.out, "Version:");
    outcome_done(&status);
    free(fixture->config);
    fixture->config = config;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_challenge),      FIXTURE_TEST(test_challenge_in_words),
        FIXTURE_TEST(test_server_says_no), FIXTURE_TEST(test_list),
        FIXTURE_TEST(test_show),           FIXTURE_TEST(test_status),
        FIXTURE_TEST(test_not_running),    FIXTURE_TEST(test_socket_without_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
