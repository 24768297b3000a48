// SPDX-License-Identifier: Apache-2.0
// Which devices are due, late, over, and how many have renewed, at KIT_NOW.
#include "admin_client.h"

#include "server/admin/admin_resources.h"
#include "server/outlook.h"

#define DAY ((int64_t)DAY_SEC)

static enum err_code ask_due(struct fixture *fixture, const char *const query[3], json_t **ret_body,
                             struct err *err)
{
    const struct admin_request request = {
        .live = &fixture->live,
        .now = KIT_NOW,
        .days = query[0],
        .limit = query[1],
        .after = query[2],
    };
    return admin_list_due(&request, ret_body, err);
}

static json_t *due(struct fixture *fixture, const char *days, const char *limit, const char *after)
{
    struct err err = {0};
    json_t *body = NULL;
    if (ask_due(fixture, (const char *const[]){days, limit, after}, &body, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    assert_non_null(body);
    return body;
}

static void test_refusals(void **state)
{
    static const struct {
        const char *query[3];
        enum err_code code;
        const char *words;
    } rows[] = {
        {{"0", NULL, NULL}, ERR_LIMIT, "days is \"0\"; allowed are 1 to 3650"},
        {{"3651", NULL, NULL}, ERR_LIMIT, "days is \"3651\""},
        {{"", NULL, NULL}, ERR_LIMIT, "days is \"\""},
        {{"-1", NULL, NULL}, ERR_LIMIT, "days is \"-1\""},
        {{"18446744073709551617", NULL, NULL}, ERR_LIMIT, "days is \"18446744073709551617\""},
        {{NULL, "0", NULL}, ERR_LIMIT, "limit is \"0\"; allowed are 1 to 1000"},
        {{NULL, "1001", NULL}, ERR_LIMIT, "limit is \"1001\""},
        {{NULL, NULL, "12"}, ERR_SYNTAX, "is not a serial number"},
        {{NULL, NULL, "01FF0000000000000000000000000000"}, ERR_NOT_FOUND, "no certificate has"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        json_t *body = NULL;
        assert_int_equal(ask_due(*state, rows[i].query, &body, &err), rows[i].code);
        assert_null(body);
        assert_non_null(strstr(err.text, rows[i].words));
    }
    expect(*state, (const char *const[]){"GET", "/v1/due?days=x", NULL}, 400, "days is \\\"x\\\"");
}

static void assert_counts(const json_t *body, const int counts[6])
{
    static const char *const keys[6] = {"due",     "late",      "expired",
                                        "revoked", "will_fail", "renewed"};
    for (size_t i = 0; i < 6; i++) {
        const json_t *number = json_object_get(json_object_get(body, "counts"), keys[i]);
        if (json_integer_value(number) != counts[i]) {
            fail_msg("%s: %d instead of %d", keys[i], (int)json_integer_value(number), counts[i]);
        }
    }
    assert_true(json_is_true(json_object_get(json_object_get(body, "counts"), "complete")));
}

static void test_empty(void **state)
{
    json_t *body = due(*state, NULL, NULL, NULL);
    assert_int_equal(json_integer_value(json_object_get(body, "days")), 30);
    assert_string_equal(text_of(body, "now"), "2027-01-15T08:00:00Z");
    assert_int_equal(json_array_size(json_object_get(body, "devices")), 0);
    assert_true(json_is_null(json_object_get(body, "next_after")));
    assert_counts(body, (const int[6]){0});
    json_decref(body);
}

static void add(struct fixture *fixture, uint8_t number, int64_t left_sec)
{
    char cn[32];
    snprintf(cn, sizeof cn, "phone-%u", number);
    fixture_add_certificate(fixture, number, cn, "", KIT_NOW + left_sec);
}

static void add_server(struct fixture *fixture, uint8_t number, const char *cn, int64_t left_sec)
{
    struct store_certificate record = fixture_certificate(number, cn, "", KIT_NOW + left_sec);
    record.kind = CERTIFICATE_OF_SERVER;
    record.origin = ORIGIN_ADMINISTRATOR;
    fixture_write_certificate(fixture, &record);
}

static void test_servers_are_apart(void **state)
{
    static const char *const names[] = {"over.example", "soon.example"};
    static const char *const states[] = {"expired", "due"};
    add_server(*state, 1, "soon.example", DAY);
    add_server(*state, 2, "over.example", -DAY);
    add_server(*state, 3, "long.example", 300 * DAY);
    add(*state, 4, DAY);
    json_t *body = due(*state, NULL, NULL, NULL);
    assert_int_equal(json_array_size(json_object_get(body, "devices")), 1);
    assert_counts(body, (const int[6]){0, 1, 0, 0, 0, 0});
    const json_t *servers = json_object_get(body, "servers");
    assert_int_equal(json_array_size(servers), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(text_of(json_array_get(servers, i), "common_name"), names[i]);
        assert_string_equal(text_of(json_array_get(servers, i), "state"), states[i]);
    }
    json_decref(body);
    body = due(*state, NULL, NULL, "01040000000000000000000000000000");
    assert_true(json_is_null(json_object_get(body, "servers")));
    json_decref(body);
}

static void test_states_in_order(void **state)
{
    static const struct {
        uint8_t number;
        int64_t left_sec;
    } rows[] = {{1, 31 * DAY}, {2, 30 * DAY - 1}, {3, 14 * DAY},     {4, 14 * DAY - 1},
                {5, 0},        {6, -30 * DAY},    {7, -30 * DAY - 1}};
    static const char *const expected[][2] = {
        {"phone-6", "expired"}, {"phone-5", "expired"}, {"phone-4", "late"},
        {"phone-3", "due"},     {"phone-2", "due"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        add(*state, rows[i].number, rows[i].left_sec);
    }
    json_t *body = due(*state, NULL, NULL, NULL);
    const json_t *devices = json_object_get(body, "devices");
    assert_int_equal(json_array_size(devices), sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const json_t *device = json_array_get(devices, i);
        assert_string_equal(text_of(device, "common_name"), expected[i][0]);
        assert_string_equal(text_of(device, "device"), expected[i][0]);
        assert_string_equal(text_of(device, "state"), expected[i][1]);
    }
    assert_counts(body, (const int[6]){2, 1, 2, 0, 0, 0});
    json_decref(body);
    body = due(*state, "31", NULL, NULL);
    assert_counts(body, (const int[6]){2, 1, 3, 0, 0, 0});
    json_decref(body);
}

static void test_pages(void **state)
{
    enum { COUNT = 5 };
    char after[64];
    const char *from = NULL;
    int seen = 0;
    for (unsigned i = 1; i <= COUNT; i++) {
        add(*state, (uint8_t)i, 20 * DAY); // all in one second
    }
    for (;;) {
        json_t *body = due(*state, NULL, "2", from);
        const json_t *devices = json_object_get(body, "devices");
        for (size_t i = 0; i < json_array_size(devices); i++) {
            char cn[32];
            snprintf(cn, sizeof cn, "phone-%d", ++seen);
            assert_string_equal(text_of(json_array_get(devices, i), "common_name"), cn);
        }
        // The first page tells how many there are in all, the others cost what they show.
        if (from == NULL) {
            assert_counts(body, (const int[6]){COUNT, 0, 0, 0, 0, 0});
        } else {
            assert_true(json_is_null(json_object_get(body, "counts")));
        }
        bool is_last = json_is_null(json_object_get(body, "next_after"));
        snprintf(after, sizeof after, "%s", text_of(body, "next_after"));
        json_decref(body);
        if (is_last) {
            break;
        }
        from = after;
    }
    assert_int_equal(seen, COUNT);
}

// Only the present certificate of a device counts, and who got it is renewed.
static void test_renewed(void **state)
{
    static const char mac[] = "001A2B3C4D5E";
    static const uint8_t renewed[SERIAL_LEN] = {1, 1};
    struct store_certificate record =
        fixture_certificate(1, "CP-8861-SEP001A2B3C4D5E", mac, KIT_NOW + 10 * DAY);
    record.issued_at = KIT_NOW - 40 * DAY;
    fixture_write_certificate(*state, &record);
    json_t *body = due(*state, NULL, NULL, NULL);
    assert_counts(body, (const int[6]){0, 1, 0, 0, 0, 0});
    json_decref(body);

    record = fixture_certificate(2, "CP-8861-SEP001A2B3C4D5E", mac, KIT_NOW + 300 * DAY);
    record.issued_at = KIT_NOW - 30 * DAY;
    memcpy(record.renews, renewed, SERIAL_LEN);
    fixture_write_certificate(*state, &record);
    body = due(*state, NULL, NULL, NULL);
    assert_counts(body, (const int[6]){0, 0, 0, 0, 0, 1});
    json_decref(body);
    body = due(*state, "29", NULL, NULL);
    assert_counts(body, (const int[6]){0});
    json_decref(body);
}

// By the MIC a renewal looks like the first enrolment; it is none when there was a certificate.
static void test_renewed_by_mic(void **state)
{
    static const char mac[] = "001A2B3C4D5E";
    for (uint8_t number = 1; number <= 3; number++) {
        struct store_certificate record =
            fixture_certificate(number, "SEP001A2B3C4D5E", mac, KIT_NOW + 300 * DAY);
        record.issued_at = KIT_NOW - DAY + number;
        record.origin = ORIGIN_MIC;
        record.mic_not_after = FIXTURE_FAR_FUTURE;
        fixture_write_certificate(*state, &record);
    }
    json_t *body = due(*state, NULL, NULL, NULL);
    assert_counts(body, (const int[6]){0, 0, 0, 0, 0, 2});
    json_decref(body);
}

static void test_will_fail(void **state)
{
    struct store_certificate record = fixture_certificate(1, "mic", "", KIT_NOW + 20 * DAY);
    record.origin = ORIGIN_MIC;
    record.mic_not_after = KIT_NOW + 5 * DAY;
    fixture_write_certificate(*state, &record);
    record = fixture_certificate(2, "revoked", "", KIT_NOW + 21 * DAY);
    record.status = CERTIFICATE_REVOKED;
    record.revoked_at = KIT_NOW;
    fixture_write_certificate(*state, &record);
    json_t *body = due(*state, NULL, NULL, NULL);
    const json_t *devices = json_object_get(body, "devices");
    const json_t *by_mic = json_array_get(devices, 0);
    const json_t *revoked = json_array_get(devices, 1);
    assert_counts(body, (const int[6]){1, 0, 0, 1, 2, 0});
    assert_string_equal(text_of(by_mic, "state"), "due");
    assert_string_equal(text_of(by_mic, "renews_at"), "2027-01-20T08:00:00Z");
    assert_string_equal(json_string_value(json_array_get(json_object_get(by_mic, "will_fail"), 0)),
                        outlook_trouble_text(OUTLOOK_MIC_EXPIRED));
    assert_string_equal(text_of(revoked, "state"), "revoked");
    assert_string_equal(json_string_value(json_array_get(json_object_get(revoked, "will_fail"), 0)),
                        outlook_trouble_text(OUTLOOK_WAS_REVOKED));
    json_decref(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_refusals),
        FIXTURE_TEST(test_empty),
        FIXTURE_TEST(test_servers_are_apart),
        FIXTURE_TEST(test_states_in_order),
        FIXTURE_TEST(test_pages),
        FIXTURE_TEST(test_renewed),
        FIXTURE_TEST(test_renewed_by_mic),
        FIXTURE_TEST(test_will_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
