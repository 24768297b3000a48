// SPDX-License-Identifier: Apache-2.0
// scepctl device, due, pending and revoke: from the command line to the store and back.
#include "ctl_fixture.h"

#include <jansson.h>

#include "conf/base/clock.h"
#include "server/admin/admin_resources.h"

#define DAY       ((int64_t)DAY_SEC)
#define CN        "CP-8861-SEP001A2B3C4D5E"
#define MAC       "001A2B3C4D5E"
#define BROKEN    7341 // the bad line
#define LINES     10000
#define FILE_ROOM (64 * LINES)

// Runs a command and expects a code and what it prints.
static void expect_words(struct fixture *fixture, const char *const *words, enum ctl_exit code,
                         const char *const expected[2])
{
    struct outcome outcome = run(fixture, words);
    assert_contains(outcome.out, expected[0]);
    assert_contains(outcome.errors, expected[1]);
    assert_int_equal(outcome.code, code);
    outcome_done(&outcome);
}

static void succeed_with(struct fixture *fixture, const char *const *words, const char *out)
{
    struct outcome outcome = succeed(fixture, words);
    assert_contains(outcome.out, out);
    outcome_done(&outcome);
}

static void fail_usage(struct fixture *fixture, const char *const *words, const char *errors)
{
    expect_words(fixture, words, CTL_USAGE, (const char *const[]){"", errors});
}

static void test_usage(void **state)
{
    static const struct {
        const char *words[WORDS_MAX];
        const char *errors;
    } rows[] = {
        {{"device", NULL}, "\"device\" is not a whole command; allowed are device add"},
        {{"device", "add", NULL}, "device add needs --mac or --serial"},
        {{"device", "add", "--model", "CP-8861", NULL}, "device add needs --mac or --serial"},
        {{"device", "add", "--mac", MAC, "--note", "\xff", NULL},
         "--note: \"\\xff\" is not UTF-8 text"},
        {{"device", "import", NULL}, "device import needs FILE.csv|-"},
        {{"device", "import", "/nonexistent/x\x1b", NULL},
         "cannot open /nonexistent/x\\x1b: No such file or directory"},
        {{"device", "remove", NULL}, "device remove needs MAC|SERIAL"},
        {{"device", "list", "--limit", "0", NULL}, "--limit: 0 is out of range"},
        {{"due", "--days", "0", NULL}, "--days: 0 is out of range; allowed are 1 to 3650"},
        {{"due", "--days", "soon", NULL}, "--days: \"soon\" is not a whole number"},
        {{"due", "--limit", "0", NULL}, "--limit: 0 is out of range"},
        {{"pending", "show", NULL}, "pending show needs ID"},
        {{"revoke", NULL}, "revoke needs SERIAL|CN|MAC"},
        {{"revoke", MAC, "--reason", "bored", NULL},
         "--reason: unknown \"bored\"; allowed are unspecified, keyCompromise, cACompromise, "
         "affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn"},
        {{"revoke", MAC, "--reason", "?", NULL}, "--reason: unknown \"?\""},
        {{"revoke", "\xff", NULL}, "\"\\xff\" is not UTF-8 text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fail_usage(*state, rows[i].words, rows[i].errors);
    }
}

static void test_device_list(void **state)
{
    succeed_with(*state,
                 (const char *[]){"device", "add", "--mac", "00:1a:2b:3c:4d:5e", "--serial", "fch1",
                                  "--model", "CP-8861", "--note", "evil\xe2\x80\x8b", NULL},
                 "The device is on the list.\n");
    succeed_with(*state, (const char *[]){"device", "add", "--serial", "FCH&2=+%", NULL}, "is on");
    struct outcome all = succeed(*state, (const char *[]){"device", "list", NULL});
    assert_contains(all.out, "MAC           SERIAL NUMBER  MODEL    ADDED");
    assert_contains(all.out, MAC "  FCH1           CP-8861  ");
    assert_contains(all.out, "evil\\u{200B}");
    assert_contains(all.out, "-             FCH&2=+%       -  ");
    outcome_done(&all);
    expect_words(*state, (const char *[]){"device", "list", "--limit", "1", NULL}, CTL_OK,
                 (const char *const[]){MAC, "There are more; --limit N shows up to N.\n"});
    succeed_with(*state, (const char *[]){"--json", "device", "list", NULL},
                 "\"serial_number\": \"FCH&2=+%\"");

    succeed_with(*state, (const char *[]){"device", "remove", MAC, NULL},
                 "The device is no longer on the list.\n");
    fail_with(*state, (const char *[]){"device", "remove", MAC, NULL},
              "scepd says no: no device with the MAC or serial number \"" MAC "\" is listed");
    fail_with(*state, (const char *[]){"device", "add", "--mac", "12", NULL},
              "scepd says no: devices[0]: \"12\" is not a MAC address");
}

// What lies behind the first page is asked for with a key that has signs of URLs in it.
static void test_device_pages(void **state)
{
    char *path = kit_path(((struct fixture *)*state)->folder, "devices.csv");
    FILE *file = fopen(path, "w");
    for (int i = 0; i < ADMIN_PAGE_MAX + 1; i++) {
        fprintf(file, ",A&B=+%%#%04d\n", i);
    }
    fclose(file);
    succeed_with(*state, (const char *[]){"device", "import", path, NULL},
                 "1001 devices imported, 0 bad lines left out.\n");
    succeed_with(*state, (const char *[]){"device", "list", "--limit", "2000", NULL},
                 "A&B=+%#1000");
    free(path);
}

static char *make_list(struct fixture *fixture, const char *broken)
{
    char *text = malloc(FILE_ROOM);
    size_t used = (size_t)sprintf(text, "serial,mac,model\r\n");
    for (int line = 2; line <= LINES + 1; line++) {
        used += line == BROKEN ? (size_t)sprintf(text + used, "%s\r\n", broken)
                               : (size_t)sprintf(text + used, "FCH%05d,%012X,CP-8861\r\n", line,
                                                 (unsigned)line);
    }
    char *path = kit_write(fixture->folder, "devices.csv", view_of(text, used));
    free(text);
    return path;
}

static void assert_device_count(struct fixture *fixture, uint64_t count)
{
    struct store_counts counts;
    assert_int_equal(store_count(fixture->live.store, &counts, NULL), ERR_OK);
    assert_int_equal(counts.devices, count);
}

static void test_import(void **state)
{
    static const struct {
        const char *line;
        const char *problem;
    } rows[] = {
        {"FCH99999,001A2B3C4D5,CP-8861", "devices.csv:7341: \"001A2B3C4D5\" is not a MAC address"},
        {"FCH00005,001A2B3C4D5E,", "devices.csv:7341: the serial number FCH00005 is on line 5 "},
        {"\"FCH99999,001A2B3C4D5E,", "devices.csv:7341: a quote that is not closed on its line"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *path = make_list(*state, rows[i].line);
        expect_words(*state, (const char *[]){"device", "import", path, NULL}, CTL_FAILED,
                     (const char *const[]){"9999 devices imported, 1 bad line left out.\n",
                                           rows[i].problem});
        assert_device_count(*state, LINES - 1); // the same ones again change nothing
        free(path);
    }
    succeed_with(*state, (const char *[]){"device", "show", "FCH10001", NULL}, "000000002711");
}

static void test_import_in_json(void **state)
{
    char *path =
        kit_write(((struct fixture *)*state)->folder, "devices.csv", view_of_text("12\n" MAC "\n"));
    struct outcome outcome =
        run(*state, (const char *[]){"--json", "device", "import", path, NULL});
    assert_int_equal(outcome.code, CTL_FAILED);
    json_t *answer = json_loads(outcome.out, 0, NULL);
    const json_t *problem = json_array_get(json_object_get(answer, "bad_lines"), 0);
    assert_int_equal(json_integer_value(json_object_get(answer, "added")), 1);
    assert_int_equal(json_integer_value(json_object_get(problem, "line")), 1);
    assert_contains(json_string_value(json_object_get(problem, "message")), "\"12\" is not a MAC");
    json_decref(answer);
    outcome_done(&outcome);
    free(path);
}

// When scepd refuses one of them, none is imported.
static void test_import_refused(void **state)
{
    char *path = kit_write(((struct fixture *)*state)->folder, "devices.csv",
                           view_of_text("000000000001\n000000000002,FCH1\n000000000003\n"));
    succeed_with(*state, (const char *[]){"device", "add", "--mac", MAC, "--serial", "FCH1", NULL},
                 "is on the list");
    fail_with(*state, (const char *[]){"device", "import", path, NULL},
              "have the same serial number FCH1\nscepctl: none of the 3 devices of ");
    assert_device_count(*state, 1);
    free(path);
}

static void test_import_nothing(void **state)
{
    static const struct {
        const char *content;
        const char *errors;
    } rows[] = {
        {"", "devices.csv has no devices; nothing is imported"},
        {"mac,serial\n", "devices.csv has no devices"},
        {"mac,color\n" MAC ",red\n", "line 1: unknown column \"color\""},
        {"mac,color\n" MAC ",red\n", "nothing is imported"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *path = kit_write(((struct fixture *)*state)->folder, "devices.csv",
                               view_of_text(rows[i].content));
        fail_with(*state, (const char *[]){"device", "import", path, NULL}, rows[i].errors);
        assert_device_count(*state, 0);
        free(path);
    }
    fail_with(*state, (const char *[]){"device", "import", "/", NULL}, "/: ");
}

static void test_device_show(void **state)
{
    static const uint8_t first[SERIAL_LEN] = {1, 1};
    int64_t now = clock_now();
    struct store_certificate record = fixture_certificate(1, CN, MAC, now + 5 * DAY);
    record.origin = ORIGIN_MIC;
    record.mic_not_after = now - DAY;
    snprintf(record.model, sizeof record.model, "CP-8861");
    fixture_write_certificate(*state, &record);
    record.serial[1] = 2;
    record.issued_at++;
    record.spki_hash[0] = record.transaction_key[0] = 2;
    memcpy(record.renews, first, SERIAL_LEN);
    fixture_write_certificate(*state, &record);

    struct outcome shown = succeed(*state, (const char *[]){"device", "show", MAC, NULL});
    assert_contains(shown.out, "Device:           " MAC "\n");
    assert_contains(shown.out, "Model:            CP-8861\n");
    assert_contains(shown.out, "On the list:      no\n");
    assert_contains(shown.out, "devices.accept is \"any\"");
    assert_contains(shown.out, "Certificate:      late\n");
    assert_contains(shown.out, "Renewal fails:    its manufacturer's certificate is over");
    assert_contains(shown.out, "AUTHORISED BY\n01020000000000000000000000000000  CP-8861-SEP" MAC);
    assert_contains(shown.out, "  renewal of 01010000000000000000000000000000\n");
    assert_contains(shown.out, "  MIC\n");
    outcome_done(&shown);
    succeed_with(*state, (const char *[]){"--json", "device", "show", CN, NULL},
                 "\"authorised_by\": \"MIC\"");
    fail_with(*state, (const char *[]){"device", "show", "nobody\x1b", NULL},
              "no device has the MAC, serial number or common name \"nobody\\x1b\"");
}

static void test_due(void **state)
{
    int64_t now = clock_now();
    succeed_with(*state, (const char *[]){"due", NULL},
                 "30 days: 0 due, 0 late, 0 expired, 0 revoked; 0 of them will fail to renew. 0 "
                 "renewed.\n");
    fixture_add_certificate(*state, 1, "late\x1b", "", now + 5 * DAY);
    fixture_add_certificate(*state, 2, "due", "", now + 20 * DAY);
    fixture_add_certificate(*state, 3, "over", "", now - DAY);
    fixture_add_certificate(*state, 4, "fine", "", now + 40 * DAY);
    struct outcome all = succeed(*state, (const char *[]){"due", NULL});
    assert_contains(all.out, "ENDS                  STATE    COMMON NAME  MAC  MODEL  RENEWAL ");
    assert_contains(all.out, "expired  over ");
    assert_contains(all.out, "late     late\\x1b ");
    assert_contains(all.out, "due      due ");
    assert_null(strstr(all.out, "fine"));
    assert_contains(all.out, "30 days: 1 due, 1 late, 1 expired, 0 revoked; 0 of them");
    outcome_done(&all);
    expect_words(*state, (const char *[]){"due", "--limit", "1", NULL}, CTL_OK,
                 (const char *const[]){"30 days: 1 due, 1 late, 1 expired", "There are more"});
    succeed_with(*state, (const char *[]){"due", "--days", "60", NULL}, "60 days: 2 due");
    struct outcome json = succeed(*state, (const char *[]){"--json", "due", NULL});
    json_t *answer = json_loads(json.out, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "devices")), 3);
    assert_true(json_is_null(json_object_get(answer, "next_after")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(answer, "counts"), "late")),
                     1);
    json_decref(answer);
    outcome_done(&json);
}

// Two requests that wait for an administrator.
static void add_pending(struct fixture *fixture, uint8_t number, const char *cn)
{
    struct err err = {0};
    struct write_order order = {
        .kind = WRITE_PENDING_NEW, .now = KIT_NOW, .max_pending = 10, .max_per_source = 10};
    struct store_pending *pending = &order.pending;
    memset(pending->key, number, SHA256_LEN);
    pending->reason = number == 1 ? PENDING_UNAUTHENTICATED : PENDING_UNLISTED;
    pending->created_at = KIT_NOW + number;
    pending->expires_at = FIXTURE_FAR_FUTURE;
    pending->signer_class = SIGNER_SELF_SIGNED;
    snprintf(pending->source, sizeof pending->source, "192.0.2.%u", number);
    snprintf(pending->common_name, sizeof pending->common_name, "%s", cn);
    assert_int_equal(buf_copy(view_of_text("csr"), &pending->csr, NULL), ERR_OK);
    if (writer_submit_and_wait(fixture->live.writer, &order, &err) != ERR_OK) {
        fail_msg("writer: %s", err.text);
    }
    store_pending_done(pending);
}

static void test_pending(void **state)
{
    add_pending(*state, 1, "one\x1b");
    add_pending(*state, 2, "two");
    struct outcome list = succeed(*state, (const char *[]){"pending", "list", NULL});
    assert_contains(list.out, "ID          STATE    REASON        COMMON NAME  MAC  SOURCE");
    assert_contains(list.out, "0101010101  waiting  no challenge  one\\x1b ");
    assert_contains(list.out, "0202020202  waiting  unlisted      two ");
    outcome_done(&list);
    struct outcome shown = succeed(*state, (const char *[]){"pending", "show", "0202020202", NULL});
    assert_contains(shown.out, "Common name:            two\n");
    assert_contains(shown.out, "Came from:              192.0.2.2\n");
    assert_contains(shown.out, "Key's SHA-256:          0000");
    outcome_done(&shown);

    succeed_with(*state, (const char *[]){"pending", "approve", "0101010101", NULL},
                 "Request 0101010101 is approved; the phone gets its certificate when it asks "
                 "again.\n");
    succeed_with(*state, (const char *[]){"pending", "list", NULL}, "0101010101  approved");
    fail_with(*state, (const char *[]){"pending", "approve", "0101010101", NULL}, "scepd says no");
    succeed_with(*state, (const char *[]){"--json", "pending", "deny", "0202020202", NULL},
                 "\"state\": \"denied\"");
    fail_with(*state, (const char *[]){"pending", "show", "0202020202", NULL},
              "no request waits under the id 0202020202");
    fail_with(*state, (const char *[]){"pending", "deny", "x", NULL},
              "\"x\" is not a request's id; it has 10 hex digits");
}

// The CA of the fixture does not answer: what is revoked stays revoked, and the CRL comes later.
static void test_revoke(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t second[SERIAL_LEN] = {1, 2};
    struct store_certificate stored = {0};
    fixture_add_certificate(fixture, 1, "SEP" MAC, MAC, FIXTURE_LONG_AGO);
    fixture_add_certificate(fixture, 2, "SEP" MAC, MAC, FIXTURE_FAR_FUTURE);
    expect_words(
        fixture, (const char *[]){"revoke", MAC, "--reason", "keycompromise", NULL}, CTL_OK,
        (const char *const[]){"Certificate 01020000000000000000000000000000 is revoked.\n",
                              "the CRL that says so is not published yet: the CRL of CA "});
    assert_int_equal(store_find_serial(fixture->live.store, second, &stored, NULL), ERR_OK);
    assert_int_equal(stored.status, CERTIFICATE_REVOKED);
    assert_int_equal(stored.revocation_reason, REVOCATION_KEY_COMPROMISE);
    store_certificate_done(&stored);
    fail_with(fixture, (const char *[]){"revoke", MAC, NULL},
              "certificate 01020000000000000000000000000000 is revoked already, since 2");
    fail_with(fixture, (const char *[]){"revoke", "000000000077", NULL},
              "no valid certificate of \"000000000077\"");
    struct outcome story = succeed(fixture, (const char *[]){"log", MAC, NULL});
    assert_contains(story.out, "Now: certificate revoked, which would have ended at 2100-01-01T");
    assert_null(strstr(story.out, "renews from"));
    outcome_done(&story);
    story = succeed(fixture, (const char *[]){"device", "show", MAC, NULL});
    assert_contains(story.out, "Would have ended:  2100-01-01T00:00:00Z\n");
    assert_null(strstr(story.out, "It renews from"));
    outcome_done(&story);
    succeed_with(fixture, (const char *[]){"device", "show", MAC, NULL}, "revoked: keyCompromise");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_usage),
        FIXTURE_TEST(test_device_list),
        FIXTURE_TEST(test_device_pages),
        FIXTURE_TEST(test_import),
        FIXTURE_TEST(test_import_in_json),
        FIXTURE_TEST(test_import_refused),
        FIXTURE_TEST(test_import_nothing),
        FIXTURE_TEST(test_device_show),
        FIXTURE_TEST(test_due),
        FIXTURE_TEST(test_pending),
        FIXTURE_TEST(test_revoke),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
