// SPDX-License-Identifier: Apache-2.0
// scepctl log and watch against a running admin interface; colours. What happens while `watch`
// waits is in tests/service/history.sh.
#include "ctl_fixture.h"

#include <fcntl.h>
#include <jansson.h>
#include <time.h>

#include "server/ctl/color.h"

#define MAC "001A2B3C4D5E"
#define CN  "CP-8841-SEP001A2B3C4D5E"

static void add_refusal(struct fixture *fixture, const char *mac, const char *cn, const char *words)
{
    struct store_event event = {
        .at = (int64_t)KIT_NOW * STORE_US_PER_SEC,
        .kind = EVENT_REFUSED,
        .model = "CP-8841",
        .peer = "192.0.2.1",
        .reason = "wrong_challenge",
        .fail_info = "badRequest",
    };
    store_event_name_device(&event, mac, cn);
    store_event_text(event.words, sizeof event.words, words);
    writer_add_event(fixture->live.writer, &event);
}

static void test_story(void **state)
{
    static const char *const names[] = {CN, MAC, "00:1a:2b:3c:4d:5e"};
    add_refusal(*state, MAC, CN, "wrong challenge password");
    fixture_add_certificate(*state, 1, CN, MAC, FIXTURE_FAR_FUTURE);
    fixture_add_certificate(*state, 2, "phone-99", "", FIXTURE_FAR_FUTURE);
    for (size_t i = 0; i < 3; i++) {
        struct outcome told = succeed(*state, (const char *[]){"log", names[i], NULL});
        const char *refused = strstr(told.out, "Z  refused            wrong_challenge: wrong "
                                               "challenge password, answered badRequest, model "
                                               "CP-8841, from 192.0.2.1\n");
        const char *issued = strstr(told.out, "Z  issued             certificate "
                                              "01010000000000000000000000000000, by challenge\n");
        assert_non_null(refused);
        assert_non_null(issued);
        assert_true(refused < issued);
        assert_contains(issued, "\nNow: certificate ok, valid until 2100-01-01T00:00:00Z, renews");
        assert_null(strstr(told.out, "01020000000000000000000000000000"));
        assert_null(strchr(told.out, '\033'));
        outcome_done(&told);
    }
}

static void add_claim(struct fixture *fixture, const char *mac, const char *cn, const char *words)
{
    struct store_event event = {
        .at = (int64_t)KIT_NOW * STORE_US_PER_SEC,
        .kind = EVENT_REFUSED,
        .is_claimed = true,
        .issuer = "CN=Mint",
        .model = "CP-8841",
        .peer = "192.0.2.66",
        .reason = "unknown_signer",
        .fail_info = "badRequest",
    };
    store_event_name_device(&event, mac, cn);
    store_event_text(event.words, sizeof event.words, words);
    writer_add_event(fixture->live.writer, &event);
}

// A stranger in the story of a phone is called one, and does not end it.
static void test_story_with_a_claim(void **state)
{
    static const char *const names[] = {CN, MAC};
    fixture_add_certificate(*state, 1, CN, MAC, FIXTURE_FAR_FUTURE);
    add_claim(*state, MAC, CN, "no trust store in mic fits its issuer CN=Mint by name and key");
    add_claim(*state, MAC, CN, "signed with SHA-1");
    fixture_add_certificate(*state, 2, "phone-99", "", FIXTURE_FAR_FUTURE);
    for (size_t i = 0; i < 2; i++) {
        struct outcome told = succeed(*state, (const char *[]){"log", names[i], NULL});
        assert_contains(told.out,
                        "Z  refused            unproven: claims to be " CN ", unknown_signer (no "
                        "trust store in mic fits its issuer CN=Mint by name and key), answered "
                        "badRequest, model CP-8841, from 192.0.2.66\n");
        assert_contains(told.out, "unproven: claims to be " CN ", unknown_signer (signed with "
                                  "SHA-1), its issuer CN=Mint, answered ");
        assert_contains(told.out, "Z  issued             certificate ");
        assert_contains(told.out, "\nNow: certificate ok, valid until 2100-01-01T00:00:00Z");
        outcome_done(&told);
    }
}

// Who is asked for by a name that only a stranger gave himself is not the phone he named.
static void test_claim_leads_to_no_device(void **state)
{
    fixture_add_certificate(*state, 1, CN, MAC, FIXTURE_FAR_FUTURE);
    add_claim(*state, MAC, "reception", "nobody knows it");
    fixture_add_certificate(*state, 2, "phone-99", "", FIXTURE_FAR_FUTURE);
    struct outcome told = succeed(*state, (const char *[]){"log", "reception", NULL});
    assert_contains(told.out, "unproven: claims to be reception, unknown_signer (nobody knows it)");
    assert_contains(told.out, "\nNow: no certificate\n");
    outcome_done(&told);
}

static void test_story_without_a_certificate(void **state)
{
    add_refusal(*state, "", "phone-17", "wrong");
    fixture_add_certificate(*state, 1, "other", "", FIXTURE_FAR_FUTURE);
    struct outcome told = succeed(*state, (const char *[]){"log", "phone-17", NULL});
    assert_contains(told.out, "  refused  ");
    assert_contains(told.out, "\nNow: no certificate\n");
    outcome_done(&told);
}

// A phone that was enrolled under its MAC but is asked for by a CN without it.
static void test_story_by_another_name(void **state)
{
    fixture_add_certificate(*state, 1, "reception", MAC, FIXTURE_FAR_FUTURE);
    struct outcome told = succeed(*state, (const char *[]){"log", "reception", NULL});
    assert_contains(told.out, "  issued  ");
    assert_contains(told.out, "\nNow: certificate ok");
    outcome_done(&told);
}

static void test_story_as_json(void **state)
{
    fixture_add_certificate(*state, 1, CN, MAC, FIXTURE_FAR_FUTURE);
    struct outcome told = succeed(*state, (const char *[]){"--json", "log", MAC, NULL});
    json_t *story = json_loads(told.out, 0, NULL);
    assert_non_null(story);
    assert_int_equal(json_array_size(json_object_get(story, "events")), 1);
    assert_true(json_is_null(json_object_get(story, "next_after")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(story, "now"), "device")),
                        MAC);
    json_decref(story);
    outcome_done(&told);
}

static void test_part_of_a_story(void **state)
{
    for (uint8_t i = 1; i <= 3; i++) {
        fixture_add_certificate(*state, i, CN, MAC, FIXTURE_FAR_FUTURE);
    }
    struct outcome told = run(*state, (const char *[]){"log", MAC, "--limit", "2", NULL});
    assert_int_equal(told.code, CTL_OK);
    assert_string_equal(told.errors, "There are more; --limit N shows up to N.\n");
    assert_null(strstr(told.out, "Now:")); // that is not where the shown part ends
    outcome_done(&told);
}

static void test_unknown_phone(void **state)
{
    fail_with(*state, (const char *[]){"log", "nobody", NULL},
              "no phone \"nobody\": neither a certificate, nor an entry of the device list, nor an "
              "event has this MAC, common name or serial number");
    fail_with(*state, (const char *[]){"--json", "log", "a\x1b[2J?&#%", NULL}, "a\\x1b[2J?&#%");
}

static void test_words_of_clients_move_no_cursor(void **state)
{
    add_refusal(*state, "", "e\x1b[2Jvil", "\x1b[31mred\r\nNow: certificate ok");
    fixture_add_certificate(*state, 1, "other", "", FIXTURE_FAR_FUTURE);
    struct outcome told = succeed(*state, (const char *[]){"log", "e\x1b[2Jvil", NULL});
    assert_contains(told.out, "\\x1b[31mred\\x0d\\x0aNow: certificate ok");
    assert_null(strchr(told.out, '\x1b'));
    outcome_done(&told);
}

static void test_status_has_refusals(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(refusals_new(fixture->live.store, KIT_NOW, &fixture->live.refusals, NULL),
                     ERR_OK);
    int64_t now = (int64_t)time(NULL); // the interface asks the clock, too
    refusals_add(fixture->live.refusals, now, REFUSAL_MIC_EXPIRED);
    refusals_add(fixture->live.refusals, now, REFUSAL_WRONG_CHALLENGE);
    refusals_add(fixture->live.refusals, now, REFUSAL_WRONG_CHALLENGE);
    fixture_add_certificate(fixture, 1, CN, MAC, FIXTURE_FAR_FUTURE);
    struct outcome status = succeed(fixture, (const char *[]){"status", NULL});
    assert_contains(status.out,
                    "Refused in a day:       3\n                        2 wrong_challenge\n"
                    "                        1 mic_expired\n");
    assert_contains(status.out, "Devices:                1 enrolled: 1 valid (0 due, 0 late), 0 "
                                "expired, 0 revoked; 0 pending\n");
    assert_contains(status.out, "Servers' certificates:  0\n");
    assert_contains(status.out, "CRL:                    none yet\n");
    assert_contains(status.out, " days");
    assert_contains(status.out, "1 certificate, 0 challenges, 0 pending, 1 event\n");
    outcome_done(&status);
    struct outcome json = succeed(fixture, (const char *[]){"--json", "status", NULL});
    assert_contains(json.out, "\"fleet\": {");
    outcome_done(&json);
    refusals_free(fixture->live.refusals);
}

static void test_colors_are_for_terminals(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    assert_false(color_is_wanted(memory)); // it has no descriptor
    fclose(memory);
    free(text);
    FILE *file = tmpfile();
    assert_false(color_is_wanted(file));
    fclose(file);
    for (int color = 0; color < COLOR_MAX; color++) {
        assert_string_equal(color_begin(false, (enum color)color), "");
        assert_string_equal(color_end(false, (enum color)color), "");
        bool is_plain = color == COLOR_PLAIN;
        assert_int_equal(color_begin(true, (enum color)color)[0] == '\0', is_plain);
        assert_int_equal(color_end(true, (enum color)color)[0] == '\0', is_plain);
    }
}

// A pseudo-terminal's other side.
static FILE *open_terminal(int *ret_master)
{
    char path[64];
    *ret_master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(*ret_master >= 0);
    assert_int_equal(grantpt(*ret_master), 0);
    assert_int_equal(unlockpt(*ret_master), 0);
    assert_int_equal(ptsname_r(*ret_master, path, sizeof path), 0);
    int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fdopen(fd, "w");
}

static void test_terminals_can_refuse_colors(void **state)
{
    (void)state;
    static const struct {
        const char *term;
        const char *no_color;
        bool is_wanted;
    } rows[] = {
        {"xterm", NULL, true}, {"xterm", "", true}, {"xterm", "1", false},
        {"dumb", NULL, false}, {NULL, NULL, false},
    };
    int master = -1;
    FILE *terminal = open_terminal(&master);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsetenv("TERM");
        unsetenv("NO_COLOR");
        if (rows[i].term != NULL) {
            setenv("TERM", rows[i].term, 1);
        }
        if (rows[i].no_color != NULL) {
            setenv("NO_COLOR", rows[i].no_color, 1);
        }
        assert_int_equal(color_is_wanted(terminal), rows[i].is_wanted);
    }
    fclose(terminal);
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_story),
        FIXTURE_TEST(test_story_with_a_claim),
        FIXTURE_TEST(test_claim_leads_to_no_device),
        FIXTURE_TEST(test_story_without_a_certificate),
        FIXTURE_TEST(test_story_by_another_name),
        FIXTURE_TEST(test_story_as_json),
        FIXTURE_TEST(test_part_of_a_story),
        FIXTURE_TEST(test_unknown_phone),
        FIXTURE_TEST(test_words_of_clients_move_no_cursor),
        FIXTURE_TEST(test_status_has_refusals),
        cmocka_unit_test(test_colors_are_for_terminals),
        cmocka_unit_test(test_terminals_can_refuse_colors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
