// SPDX-License-Identifier: Apache-2.0
// The device list over the administrator's interface, and the view of one device.
#include "admin_client.h"

#include "server/admin/admin_resources.h"

#define DAY     ((int64_t)DAY_SEC)
#define MAC     "001A2B3C4D5E"
#define CN      "CP-8861-SEP001A2B3C4D5E"
#define DEVICES "/v1/devices"

#define TEXT_64  "0123456789012345678901234567890123456789012345678901234567890123"
#define TEXT_256 TEXT_64 TEXT_64 TEXT_64 TEXT_64

static void add(struct fixture *fixture, const char *entry)
{
    char *body = NULL;
    assert_true(asprintf(&body, "{\"devices\":[%s]}", entry) > 0);
    expect(fixture, (const char *const[]){"POST", DEVICES, body}, 200, "\"added\":");
    free(body);
}

static void test_input(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *words;
    } rows[] = {
        {"", 400, "the body is not a JSON object"},
        {"{}", 400, "expected {\\\"devices\\\": [...]}"},
        {"{\"devices\":{}}", 400, "expected {\\\"devices\\\": [...]}"},
        {"{\"devices\":[],\"x\":1}", 400, "expected {\\\"devices\\\": [...]}"},
        {"{\"devices\":[]}", 400, "0 devices; allowed are 1 to 100000 at a time"},
        {"{\"devices\":[1]}", 400, "devices[0]: not an object"},
        {"{\"devices\":[{}]}", 400, "devices[0]: neither a MAC nor a serial number"},
        {"{\"devices\":[{\"mac\":\"\",\"serial_number\":null}]}", 400, "neither a MAC"},
        {"{\"devices\":[{\"mac\":\"" MAC "\",\"color\":\"red\"}]}", 400,
         "unknown key \\\"color\\\"; allowed are mac, serial_number, model, note"},
        {"{\"devices\":[{\"mac\":1}]}", 400, "devices[0]: mac is not a string"},
        {"{\"devices\":[{\"mac\":\"" MAC "\"},{\"mac\":\"12\"}]}", 400,
         "devices[1]: \\\"12\\\" is not a MAC address"},
        {"{\"devices\":[{\"serial_number\":\"a b\"}]}", 400, "is not a device's serial number"},
        {"{\"devices\":[{\"serial_number\":\"\xc3\xa9\"}]}", 400, "is not a device's serial"},
        {"{\"devices\":[{\"serial_number\":\"" TEXT_64 "\"}]}", 400, "has 64 characters"},
        {"{\"devices\":[{\"mac\":\"" MAC "\",\"model\":\"" TEXT_64 "\"}]}", 400,
         "the model is 64 octets long; allowed are 63"},
        {"{\"devices\":[{\"mac\":\"" MAC "\",\"note\":\"" TEXT_256 "\"}]}", 400,
         "the note is 256 octets long; allowed are 255"},
        {"{\"devices\":[{\"mac\":\"" MAC "\",\"note\":\"a\\u0007\"}]}", 400,
         "the note has control characters"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(*state, (const char *const[]){"POST", DEVICES, rows[i].body}, rows[i].status,
               rows[i].words);
    }
    // Nothing of a request that was refused is there.
    expect(*state, (const char *const[]){"GET", DEVICES, NULL}, 200,
           "{\"next_after\":null,\"devices\":[]}");
}

static void test_queries(void **state)
{
    static const struct {
        const char *question[3];
        int status;
        const char *words;
    } rows[] = {
        {{"GET", DEVICES "?limit=0", NULL}, 400, "limit is \\\"0\\\"; allowed are 1 to 1000"},
        {{"GET", DEVICES "?limit=", NULL}, 400, "allowed are 1 to 1000"},
        {{"GET", DEVICES "?days=3", NULL}, 400, "this list does not take days"},
        {{"GET", DEVICES "/" MAC, NULL}, 404, "no device has the MAC, serial number or common"},
        {{"GET", DEVICES "/" TEXT_256, NULL}, 404, "no device has the MAC"},
        {{"GET", DEVICES "/a%01b", NULL}, 404, "no device has the MAC"},
        {{"DELETE", DEVICES "/" MAC, NULL}, 404, "no device with the MAC or serial number"},
        {{"DELETE", DEVICES "/a%20b", NULL}, 404, "no device with the MAC or serial number"},
        {{"PUT", DEVICES, NULL}, 405, "method_not_allowed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(*state, rows[i].question, rows[i].status, rows[i].words);
    }
}

static void test_list(void **state)
{
    add(*state, "{\"mac\":\"00:1a:2b:3c:4d:5e\",\"model\":\"CP-8861\",\"note\":\"M\xc3\xbcller\"},"
                "{\"serial_number\":\"fch2133e8b9\"},{\"mac\":\"000000000001\"}");
    static const char *const pages[][2] = {
        {DEVICES "?limit=1", "\"next_after\":\"M000000000001\""},
        {DEVICES "?limit=1&after=M000000000001", "M\xc3\xbcller"},
        {DEVICES "?limit=1&after=M" MAC, "\"serial_number\":\"FCH2133E8B9\""},
        {DEVICES "?limit=1&after=M" MAC, "\"next_after\":null"},
        {DEVICES "?after=SFCH2133E8B9", "\"devices\":[]"},
        {DEVICES "?limit=3", "\"next_after\":null"},
    };
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        expect(*state, (const char *const[]){"GET", pages[i][0], NULL}, 200, pages[i][1]);
    }
    // A second entry for a device takes the first one's place.
    add(*state, "{\"mac\":\"" MAC "\",\"note\":\"moved\"}");
    expect(*state, (const char *const[]){"GET", DEVICES "?limit=2", NULL}, 200,
           "\"model\":null,\"note\":\"moved\"");
}

static void test_conflict(void **state)
{
    add(*state, "{\"mac\":\"" MAC "\",\"serial_number\":\"FCH1\"}");
    expect(*state,
           (const char *const[]){"POST", DEVICES,
                                 "{\"devices\":[{\"mac\":\"000000000001\"},"
                                 "{\"mac\":\"000000000002\",\"serial_number\":\"fch1\"}]}"},
           409, "have the same serial number FCH1");
    expect(*state, (const char *const[]){"GET", DEVICES "/000000000001", NULL}, 404, "not_found");
}

static void test_remove(void **state)
{
    static const char *const rows[][2] = {
        {DEVICES "/00-1a-2b-3c-4d-5e", "\"mac\":\"" MAC "\""},
        {DEVICES "/fch2", "\"serial_number\":\"FCH2\""},
        {DEVICES "/88012BA01234", "\"serial_number\":\"88012BA01234\""}, // looks like a MAC
    };
    add(*state, "{\"mac\":\"" MAC "\",\"serial_number\":\"FCH1\"},{\"serial_number\":\"FCH2\"},"
                "{\"serial_number\":\"88012BA01234\"}");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(*state, (const char *const[]){"DELETE", rows[i][0], NULL}, 200, rows[i][1]);
        expect(*state, (const char *const[]){"DELETE", rows[i][0], NULL}, 404, "not_found");
    }
    expect(*state, (const char *const[]){"GET", DEVICES, NULL}, 200, "\"devices\":[]");
}

// A phone that came by its MIC, renewed by it, and then renewed by its own certificate.
static void add_history(struct fixture *fixture)
{
    struct store_certificate record = fixture_certificate(1, CN, MAC, KIT_NOW + 20 * DAY);
    record.origin = ORIGIN_MIC;
    record.signer_class = SIGNER_MIC;
    record.mic_not_after = KIT_NOW + 400 * DAY;
    snprintf(record.model, sizeof record.model, "CP-8861");
    snprintf(record.serial_number, sizeof record.serial_number, "FCH2133E8B9");
    fixture_write_certificate(fixture, &record);
    record.serial[1] = 2;
    record.issued_at++;
    record.transaction_key[0] = 2;
    record.spki_hash[0] = 2;
    record.not_after = KIT_NOW + 300 * DAY;
    memcpy(record.renews, (uint8_t[SERIAL_LEN]){1, 1}, SERIAL_LEN);
    record.signer_class = SIGNER_OURS;
    fixture_write_certificate(fixture, &record);
}

// Asks as the interface does, at KIT_NOW.
static json_t *show(struct fixture *fixture, const char *item)
{
    struct err err = {0};
    json_t *body = NULL;
    const struct admin_request request = {.live = &fixture->live, .now = KIT_NOW, .item = item};
    if (admin_get_device(&request, &body, &err) != ERR_OK) {
        fail_msg("%s: %s", item, err.text);
    }
    assert_non_null(body);
    return body;
}

static void test_show(void **state)
{
    static const char *const items[] = {
        MAC, "00:1a:2b:3c:4d:5e", CN, "FCH2133E8B9", "fch2133e8b9",
    };
    add_history(*state);
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        json_t *device = show(*state, items[i]);
        const json_t *outlook = json_object_get(device, "outlook");
        const json_t *certificates = json_object_get(device, "certificates");
        const json_t *newest = json_array_get(certificates, 0);
        const json_t *oldest = json_array_get(certificates, 1);
        assert_string_equal(text_of(device, "device"), MAC);
        assert_string_equal(text_of(device, "mac"), MAC);
        assert_string_equal(text_of(device, "model"), "CP-8861");
        assert_string_equal(text_of(device, "serial_number"), "FCH2133E8B9");
        assert_false(json_is_true(json_object_get(json_object_get(device, "list"), "listed")));
        assert_int_equal(json_array_size(certificates), 2);
        assert_string_equal(text_of(newest, "authorised_by"), "renewal");
        assert_string_equal(text_of(newest, "renews"), "01010000000000000000000000000000");
        assert_string_equal(text_of(oldest, "authorised_by"), "MIC");
        assert_true(json_is_null(json_object_get(oldest, "renews")));
        assert_string_equal(text_of(outlook, "state"), "ok");
        assert_string_equal(text_of(outlook, "not_after"), "2027-11-11T08:00:00Z");
        assert_string_equal(text_of(outlook, "renews_at"), "2027-10-27T08:00:00Z");
        assert_int_equal(json_array_size(json_object_get(outlook, "will_fail")), 0);
        json_decref(device);
    }
}

static void test_show_listed_without_certificates(void **state)
{
    static const char *const items[] = {MAC, "FCH9"};
    add(*state, "{\"mac\":\"" MAC "\",\"serial_number\":\"FCH9\",\"model\":\"9871\"}");
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        json_t *device = show(*state, items[i]);
        const json_t *list = json_object_get(device, "list");
        assert_true(json_is_true(json_object_get(list, "listed")));
        assert_string_equal(text_of(json_object_get(list, "entry"), "model"), "9871");
        assert_true(json_is_null(json_object_get(device, "outlook")));
        assert_true(json_is_null(json_object_get(device, "device")));
        assert_int_equal(json_array_size(json_object_get(device, "certificates")), 0);
        json_decref(device);
    }
}

// A CN without a MAC in it, approved and then revoked.
static void test_show_by_name(void **state)
{
    struct store_certificate record = fixture_certificate(1, "Lobby", "", KIT_NOW + 100 * DAY);
    record.origin = ORIGIN_APPROVAL;
    record.status = CERTIFICATE_REVOKED;
    record.revoked_at = KIT_NOW;
    record.revocation_reason = REVOCATION_SUPERSEDED;
    fixture_write_certificate(*state, &record);
    json_t *device = show(*state, "Lobby");
    const json_t *certificate = json_array_get(json_object_get(device, "certificates"), 0);
    assert_string_equal(text_of(certificate, "authorised_by"), "approval");
    assert_string_equal(text_of(certificate, "status"), "revoked");
    assert_string_equal(text_of(certificate, "revocation_reason"), "superseded");
    assert_string_equal(text_of(json_object_get(device, "outlook"), "state"), "revoked");
    json_decref(device);
}

static void ask_list(struct fixture *fixture)
{
    struct policy *policy = live_policy_get(fixture->live.policy);
    policy->settings->devices.accept = SETTINGS_DEVICES_LISTED;
    policy_unref(policy);
}

static void assert_will_fail(struct fixture *fixture, const char *why)
{
    json_t *device = show(fixture, MAC);
    const json_t *reasons = json_object_get(json_object_get(device, "outlook"), "will_fail");
    assert_true(json_is_true(json_object_get(device, "list_is_asked")));
    if (why == NULL) {
        assert_int_equal(json_array_size(reasons), 0);
    } else {
        assert_int_equal(json_array_size(reasons), 1);
        assert_non_null(strstr(json_string_value(json_array_get(reasons, 0)), why));
    }
    json_decref(device);
}

static void test_outlook_by_the_list(void **state)
{
    static const char *const rows[][2] = {
        {"{\"mac\":\"" MAC "\"}", NULL},
        {"{\"mac\":\"" MAC "\",\"serial_number\":\"FCH2133E8B9\",\"model\":\"8861\"}", NULL},
        {"{\"mac\":\"" MAC "\",\"serial_number\":\"FCH1\"}", "the device list has another"},
        {"{\"mac\":\"" MAC "\",\"model\":\"CP-9871\"}", "the device list has another"},
    };
    add_history(*state);
    ask_list(*state);
    assert_will_fail(*state, "it is not on the device list");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        add(*state, rows[i][0]);
        assert_will_fail(*state, rows[i][1]);
    }
    json_t *device = show(*state, MAC);
    assert_string_equal(text_of(json_object_get(device, "list"), "reason"),
                        "the device says model CP-8861, the device list CP-9871");
    json_decref(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_input),
        FIXTURE_TEST(test_queries),
        FIXTURE_TEST(test_list),
        FIXTURE_TEST(test_conflict),
        FIXTURE_TEST(test_remove),
        FIXTURE_TEST(test_show),
        FIXTURE_TEST(test_show_listed_without_certificates),
        FIXTURE_TEST(test_show_by_name),
        FIXTURE_TEST(test_outlook_by_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
