// SPDX-License-Identifier: Apache-2.0
// GET /v1/events: pages, filters, what is refused.
#include "admin_client.h"

#include "server/admin/admin_resources.h"

#define MAC "001A2B3C4D5E"
#define CN  "CP-8841-SEP001A2B3C4D5E"

// An event of `at` seconds after KIT_NOW; it is there when the next certificate is.
static void add_refusal(struct fixture *fixture, int64_t at, const char *mac, const char *cn,
                        const char *words)
{
    struct store_event event = {
        .at = ((int64_t)KIT_NOW + at) * STORE_US_PER_SEC,
        .kind = EVENT_REFUSED,
        .peer = "192.0.2.1",
        .reason = "wrong_challenge",
        .fail_info = "badRequest",
    };
    store_event_name_device(&event, mac, cn);
    store_event_text(event.words, sizeof event.words, words);
    writer_add_event(fixture->live.writer, &event);
}

// Refused, issued, revoked; and another phone's certificate.
static void add_story(struct fixture *fixture)
{
    add_refusal(fixture, 0, MAC, CN, "wrong challenge password");
    fixture_add_certificate(fixture, 1, CN, MAC, FIXTURE_FAR_FUTURE);
    fixture_add_certificate(fixture, 2, "phone-17", "", FIXTURE_FAR_FUTURE);
    struct write_order order = {.kind = WRITE_REVOKE, .now = KIT_NOW + 3, .revocation_reason = 1};
    order.certificate.serial[0] = 1;
    order.certificate.serial[1] = 1;
    assert_int_equal(writer_submit_and_wait(fixture->live.writer, &order, NULL), ERR_OK);
}

static json_t *events(const struct answer *answer)
{
    assert_int_equal(answer->status, 200);
    return json_object_get(answer->body, "events");
}

static void test_no_history(void **state)
{
    expect(*state, (const char *const[]){"GET", "/v1/events", NULL}, 200,
           "{\"next_after\":null,\"events\":[]}");
    expect(*state, (const char *const[]){"GET", "/v1/events?last=1", NULL}, 200, "\"events\":[]");
    expect(*state, (const char *const[]){"GET", "/v1/events?of=x&after=5", NULL}, 200,
           "\"events\":[]");
}

static void test_members(void **state)
{
    add_story(*state);
    struct answer answer = ask(*state, "GET", "/v1/events", NULL);
    const json_t *refused = json_array_get(events(&answer), 0);
    assert_int_equal(json_array_size(events(&answer)), 4);
    assert_true(json_is_integer(json_object_get(refused, "id")));
    assert_string_equal(text_of(refused, "event"), "refused");
    assert_string_equal(text_of(refused, "device"), MAC);
    assert_string_equal(text_of(refused, "mac"), MAC);
    assert_string_equal(text_of(refused, "common_name"), CN);
    assert_string_equal(text_of(refused, "peer"), "192.0.2.1");
    assert_string_equal(text_of(refused, "reason"), "wrong_challenge");
    assert_string_equal(text_of(refused, "fail_info"), "badRequest");
    assert_string_equal(text_of(refused, "detail"), "wrong challenge password");
    assert_true(json_is_null(json_object_get(refused, "serial")));
    assert_true(json_is_null(json_object_get(refused, "authorised_by")));
    assert_true(json_is_null(json_object_get(refused, "model")));
    assert_true(json_is_false(json_object_get(refused, "claimed")));
    assert_true(json_is_null(json_object_get(refused, "mic_issuer")));
    const json_t *issued = json_array_get(events(&answer), 1);
    assert_string_equal(text_of(issued, "event"), "issued");
    assert_string_equal(text_of(issued, "serial"), "01010000000000000000000000000000");
    assert_string_equal(text_of(issued, "authorised_by"), "challenge");
    const json_t *revoked = json_array_get(events(&answer), 3);
    assert_string_equal(text_of(revoked, "event"), "revoked");
    assert_string_equal(text_of(revoked, "reason"), "keyCompromise");
    assert_string_equal(text_of(revoked, "authorised_by"), "administrator");
    answer_done(&answer);
}

static void test_claim(void **state)
{
    struct fixture *fixture = *state;
    struct store_event event = {
        .at = (int64_t)KIT_NOW * STORE_US_PER_SEC,
        .kind = EVENT_REFUSED,
        .is_claimed = true,
        .issuer = "CN=Cisco Manufacturing CA",
        .reason = "unknown_signer",
    };
    store_event_name_device(&event, MAC, CN);
    writer_add_event(fixture->live.writer, &event);
    fixture_add_certificate(fixture, 1, "other", "", FIXTURE_FAR_FUTURE);
    struct answer answer = ask(fixture, "GET", "/v1/events?of=" MAC, NULL);
    const json_t *claim = json_array_get(events(&answer), 0);
    assert_true(json_is_true(json_object_get(claim, "claimed")));
    assert_string_equal(text_of(claim, "mic_issuer"), "CN=Cisco Manufacturing CA");
    answer_done(&answer);
    // It makes no device.
    expect(fixture, (const char *const[]){"GET", "/v1/devices/" MAC, NULL}, 404, MAC);
}

static void test_filters(void **state)
{
    static const struct {
        const char *path;
        unsigned count;
    } rows[] = {
        {"/v1/events?device=" MAC, 3},
        {"/v1/events?mac=00:1a:2b:3c:4d:5e", 3},
        {"/v1/events?cn=" CN, 3},
        {"/v1/events?cn=phone-17", 1},
        {"/v1/events?cn=phone-1", 0},
        {"/v1/events?device=phone-17&cn=phone-17", 1},
        {"/v1/events?mac=" MAC "&cn=phone-17", 0},
        {"/v1/events?serial=01010000000000000000000000000000", 2},
        {"/v1/events?serial=01020000000000000000000000000000", 1},
        {"/v1/events?serial=01990000000000000000000000000000", 0},
        {"/v1/events?of=" CN, 3},
        {"/v1/events?of=" MAC, 3},
        {"/v1/events?of=SEP001a2b3c4d5e", 3},
        {"/v1/events?of=phone-17", 1},
        {"/v1/events?of=no%20body%3F%26", 0},
        {"/v1/events?last=2", 2},
        {"/v1/events?last=2&of=" MAC, 2},
        {"/v1/events?last=1000", 4},
        {"/v1/events?after=0", 4},
        {"/v1/events?after=9999999999999999999", 0},
    };
    add_story(*state);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer = ask(*state, "GET", rows[i].path, NULL);
        if (json_array_size(events(&answer)) != rows[i].count) {
            fail_msg("%s: %s", rows[i].path, answer.text);
        }
        answer_done(&answer);
    }
    // The last ones, but oldest first.
    struct answer last = ask(*state, "GET", "/v1/events?last=2", NULL);
    assert_string_equal(text_of(json_array_get(events(&last), 0), "common_name"), "phone-17");
    assert_string_equal(text_of(json_array_get(events(&last), 1), "event"), "revoked");
    assert_true(json_is_null(json_object_get(last.body, "next_after")));
    answer_done(&last);
}

static void test_pages(void **state)
{
    char path[128] = "/v1/events?limit=1";
    static const char *const names[] = {"refused", "issued", "issued", "revoked"};
    add_story(*state);
    for (size_t i = 0; i < 4; i++) {
        struct answer answer = ask(*state, "GET", path, NULL);
        assert_int_equal(json_array_size(events(&answer)), 1);
        assert_string_equal(text_of(json_array_get(events(&answer), 0), "event"), names[i]);
        assert_int_equal(json_is_null(json_object_get(answer.body, "next_after")), i == 3);
        snprintf(path, sizeof path, "/v1/events?limit=1&after=%s",
                 text_of(answer.body, "next_after"));
        answer_done(&answer);
    }
}

// What clients send may be cut or broken: it must not break the answer.
static void test_words_of_clients(void **state)
{
    add_refusal(*state, 0, "", "evil\xc2\x9b\"</script>", "odd \xff words");
    add_refusal(*state, 1, "", "a", "\xe2\x82\xac");
    fixture_add_certificate(*state, 1, CN, MAC, FIXTURE_FAR_FUTURE);
    struct answer answer = ask(*state, "GET", "/v1/events", NULL);
    assert_string_equal(text_of(json_array_get(events(&answer), 0), "detail"), "odd ? words");
    assert_string_equal(text_of(json_array_get(events(&answer), 0), "common_name"),
                        "evil\xc2\x9b\"</script>");
    assert_string_equal(text_of(json_array_get(events(&answer), 1), "detail"), "\xe2\x82\xac");
    answer_done(&answer);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *path;
        int status;
        const char *words;
    } rows[] = {
        {"/v1/events?limit=0", 400, "limit is \\\"0\\\"; allowed are 1 to 1000"},
        {"/v1/events?limit=1001", 400, "limit is \\\"1001\\\""},
        {"/v1/events?last=0", 400, "last is \\\"0\\\"; allowed are 1 to 1000"},
        {"/v1/events?last=x", 400, "last is \\\"x\\\""},
        {"/v1/events?last=1&limit=1", 400, "last goes without after and limit"},
        {"/v1/events?last=1&after=1", 400, "last goes without after and limit"},
        {"/v1/events?after=", 400, "after is \\\"\\\"; it is the id of an event"},
        {"/v1/events?after=-1", 400, "it is the id of an event"},
        {"/v1/events?after=1x", 400, "it is the id of an event"},
        {"/v1/events?after=99999999999999999999", 400, "it is the id of an event"},
        {"/v1/events?days=1", 400, "this list does not take days"},
        {"/v1/events?mac=12", 400, "is not a MAC address"},
        {"/v1/events?serial=12", 400, "is not a serial number"},
        {"/v1/events?mac=" MAC "&device=x", 400, "only one of device, mac, serial and of"},
        {"/v1/events?of=x&cn=x", 400, "cn not with of"},
        {"/v1/events?of=x&of=y", 400, "repeated argument"},
        {"/v1/events?color=red", 400, "for events, last, of, device, cn, mac, serial"},
        {"/v1/events/5", 404, "no such resource"},
        {"/v1/certificates?cn=x", 400, "does not take last, of, device, cn, mac and serial"},
        {"/v1/due?last=3", 400, "does not take last"},
        {"/v1/devices?of=3", 400, "does not take last"},
        {"/v1/status?cn=x", 400, "takes no arguments"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(*state, (const char *const[]){"GET", rows[i].path, NULL}, rows[i].status,
               rows[i].words);
    }
    expect(*state, (const char *const[]){"POST", "/v1/events", NULL}, 405, "method");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_no_history),
        FIXTURE_TEST(test_members),
        FIXTURE_TEST(test_claim),
        FIXTURE_TEST(test_filters),
        FIXTURE_TEST(test_pages),
        FIXTURE_TEST(test_refusals),
        FIXTURE_TEST(test_words_of_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
