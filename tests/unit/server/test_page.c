// SPDX-License-Identifier: Apache-2.0
// The pages: what they show, that names cannot be more than names, and where the search leads.
#include "web_client.h"

#include "conf/base/clock.h"
#include "server/web/page.h"

#define HOSTILE      "<script>alert(\"1\")</script>"
#define HOSTILE_SEEN "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"
#define RTL          "a\xE2\x80\xAEmoc.live\xE2\x80\xAC\x1B[2J"
#define RTL_SEEN     "a\\u{202E}moc.live\\u{202C}\\u{1B}[2J"
#define MAC          "001A2B3C4D5E"

static void expect_page(void **state, const char *path, int status, const char *const *words)
{
    web_expect(*state, path, status, words);
}
#define EXPECT(path, status, ...)                                                                  \
    expect_page(state, path, status, (const char *const[]){__VA_ARGS__, NULL})

static void assert_leads_to(void **state, const char *query, const char *location)
{
    char *path = NULL;
    char *header = NULL;
    assert_true(asprintf(&path, "/search?q=%s", query) > 0);
    assert_true(asprintf(&header, "\r\nLocation: %s\r\n", location) > 0);
    EXPECT(path, 303, header);
    free(path);
    free(header);
}

static void add(void **state, uint8_t number, const char *cn, const char *mac)
{
    struct web_fixture *web = *state;
    fixture_add_certificate(web->fixture, number, cn, mac, FIXTURE_FAR_FUTURE);
}

static void the_search_leads_to_the_phone(void **state)
{
    add(state, 1, "CP-8841-SEP" MAC, MAC);
    add(state, 2, "a/b?c#d", "");
    static const char *const macs[] = {
        MAC,       "001a2b3c4d5e",    "00:1a:2b:3c:4d:5e", "00-1A-2B-3C-4D-5E", "001a.2b3c.4d5e",
        "SEP" MAC, "CP-8841-SEP" MAC, "+" MAC "+",         "%09" MAC "%0D%0A"};
    for (size_t i = 0; i < sizeof macs / sizeof macs[0]; i++) {
        assert_leads_to(state, macs[i], "/device/" MAC);
    }
    assert_leads_to(state,
                    "0101"
                    "0000000000000000000000000000",
                    "/device/" MAC "#01010000000000000000000000000000");
    assert_leads_to(state, "a/b%3Fc%23d", "/device/a%2Fb%3Fc%23d");
    EXPECT("/device/a%2Fb%3Fc%23d", 200, "<h1>a/b?c#d</h1>");
    EXPECT("/search?q=01FF0000000000000000000000000000", 404, "Nothing is known of");
    EXPECT("/search?q=%3Cscript%3E", 404, "&lt;script&gt;</bdi>", "value=\"&lt;script&gt;\"");
    EXPECT("/search?q=%FF%22", 404, "\\x{FF}&quot;");
    EXPECT("/search?q=" MAC "X", 404, "Nothing is known of");
}

static void the_search_takes_beginnings(void **state)
{
    add(state, 1, "CP-8841-SEP" MAC, MAC);
    add(state, 2, "SEP001A2B000001", "001A2B000001");
    add(state, 3, "lobby", "");
    assert_leads_to(state, "001a2b3", "/device/" MAC);
    assert_leads_to(state, "CP-8841-SEP001A2B3C", "/device/" MAC);
    assert_leads_to(state, "lob", "/device/lobby");
    assert_leads_to(state, "0x01030000000000000000000000000000",
                    "/device/lobby#01030000000000000000000000000000");
    EXPECT("/search?q=00:1A:2", 200, "What begins like that", "00:1A:2B:00:00:01",
           "00:1A:2B:3C:4D:5E");
    EXPECT("/search?q=obb", 404, "Nothing is known of");
    EXPECT("/search?q=SEP", 404, "Nothing is known of");
    char cn[16];
    for (unsigned i = 10; i < 10 + ADMIN_SEARCH_MAX + 1; i++) {
        snprintf(cn, sizeof cn, "many-%u", i);
        add(state, (uint8_t)i, cn, "");
    }
    EXPECT("/search?q=many", 200, "many-10", "There are more than these 50.");
}

static void names_are_only_names(void **state)
{
    static const char *const pages[] = {"/certificates", "/device/%3Cscript%3Ealert(%221%22)%3C"
                                                         "%2Fscript%3E"};
    add(state, 1, HOSTILE, "");
    add(state, 2, RTL, "");
    for (size_t i = 0; i < 2; i++) {
        char *answer = web_get(*state, pages[i]);
        web_assert_has(answer, HOSTILE_SEEN);
        web_assert_has_not(answer, "<script");
        free(answer);
    }
    EXPECT("/certificates", 200, "<bdi>" HOSTILE_SEEN "</bdi></a>",
           "<a href=\"/device/%3Cscript%3Ealert%28%221%22%29%3C%2Fscript%3E\">", RTL_SEEN);
}

static void add_pending(void **state, const char *cn, const char *source)
{
    struct web_fixture *web = *state;
    struct err err = {0};
    struct write_order order = {
        .kind = WRITE_PENDING_NEW, .now = KIT_NOW, .max_pending = 10, .max_per_source = 10};
    order.pending = (struct store_pending){.reason = PENDING_UNAUTHENTICATED,
                                           .key = {(uint8_t)cn[0]},
                                           .signer_class = SIGNER_SELF_SIGNED,
                                           .created_at = KIT_NOW,
                                           .expires_at = FIXTURE_FAR_FUTURE};
    snprintf(order.pending.common_name, sizeof order.pending.common_name, "%s", cn);
    snprintf(order.pending.source, sizeof order.pending.source, "%s", source);
    assert_int_equal(buf_copy(view_of_text("csr"), &order.pending.csr, NULL), ERR_OK);
    if (writer_submit_and_wait(web->fixture->live.writer, &order, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    store_pending_done(&order.pending);
}

static void requests_wait(void **state)
{
    EXPECT("/pending", 200, "No request waits.");
    EXPECT("/", 200, "<li class=\"tile pending none\">");
    add_pending(state, HOSTILE, "192.0.2.7");
    EXPECT("/pending", 200, ("<bdi>" HOSTILE_SEEN "</bdi>"), "<bdi>192.0.2.7</bdi>",
           "<span class=\"state waiting\">waiting</span>", "no challenge", "<th scope=\"col\">ID");
    EXPECT("/", 200, "1 request waits</a> for an administrator.",
           "<li class=\"tile pending some\"><a href=\"/pending\"><strong>1</strong>");
    add_pending(state, "second", "192.0.2.7");
    EXPECT("/", 200, "2 requests wait</a>");
}

// At the wall clock's time certificates of long ago are over, those of the far future are not.
static void the_fleet_is_told(void **state)
{
    struct web_fixture *web = *state;
    EXPECT("/", 200, "<strong>0</strong> <span>enrolled</span>", "the CA has no CRL.",
           "the CA (scepd-ca) does not answer.", "Nobody was.");
    add(state, 1, "one", "");
    fixture_add_certificate(web->fixture, 2, "two", "", FIXTURE_LONG_AGO);
    EXPECT("/", 200, "<strong>2</strong> <span>enrolled</span>",
           "<li class=\"tile expired some\"><a href=\"/due\"><strong>1</strong>",
           "<th scope=\"row\">over</th><td class=\"number\">1</td>",
           "<th scope=\"row\">later than 730 days</th><td class=\"number\">1</td>",
           "aria-hidden=\"true\"", "<th scope=\"row\">Root CA</th><td><time datetime=");
    struct refusals *refusals = NULL;
    assert_int_equal(refusals_new(web->fixture->live.store, KIT_NOW, &refusals, NULL), ERR_OK);
    web->fixture->live.refusals = refusals;
    refusals_add(refusals, clock_now(), REFUSAL_WRONG_CHALLENGE);
    EXPECT("/", 200, "<th scope=\"row\">wrong challenge</th><td class=\"number\">1</td>",
           "<strong>1</strong> <span>refused in a day</span>");
    web->fixture->live.refusals = NULL;
    refusals_free(refusals);
}

static void lists_go_on(void **state)
{
    for (uint8_t i = 1; i <= PAGE_LINES + 1; i++) {
        char cn[32];
        snprintf(cn, sizeof cn, "phone-%03u", i);
        add(state, i, cn, "");
    }
    EXPECT("/certificates", 200, "phone-101", "phone-002",
           "<a rel=\"next\" href=\"/certificates?after=01020000000000000000000000000000\">");
    char *first = web_get(*state, "/certificates");
    web_assert_has_not(first, "phone-001");
    free(first);
    char *last = web_get(*state, "/certificates?after=01020000000000000000000000000000");
    web_assert_has(last, "phone-001");
    web_assert_has_not(last, "rel=\"next\"");
    free(last);
}

static void a_phone_has_a_story(void **state)
{
    add(state, 1, "CP-8841-SEP" MAC, MAC);
    EXPECT("/device/" MAC, 200, ("<h1>CP-8841-SEP" MAC "</h1>"), "00:1A:2B:3C:4D:5E",
           "<tr id=\"01010000000000000000000000000000\">", "challenge",
           "What happened, newest first", "<span class=\"state issued\">issued</span>");
    EXPECT("/events", 200, "<a href=\"/device/" MAC "\">", "issued");
}

// A stranger in a phone's story, and a phone that only he knows.
static void a_claim_is_called_one(void **state)
{
    struct web_fixture *web = *state;
    struct store_event event = {
        .at = (int64_t)KIT_NOW * STORE_US_PER_SEC,
        .kind = EVENT_REFUSED,
        .is_claimed = true,
        .reason = "unknown_signer",
        .words = "nobody knows it",
    };
    store_event_name_device(&event, MAC, "CP-8841-SEP" MAC);
    writer_add_event(web->fixture->live.writer, &event);
    add(state, 1, "phone-99", "");
    EXPECT("/events", 200, "unproven: claims to be <bdi>CP-8841-SEP" MAC "</bdi>",
           "unknown signer: <bdi>nobody knows it</bdi>");
    EXPECT("/device/" MAC, 200, "It has no certificate", "unproven: claims to be");
    EXPECT("/search?q=CP-8841-SEP" MAC, 303, "Location: /device/");
    EXPECT("/device/phone-99", 200, "issued");
    char *other = web_get(*state, "/device/phone-99");
    web_assert_has_not(other, "unproven");
    free(other);
}

static void spans_and_numbers(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {{0, "0 seconds"},
                {1, "1 second"},
                {59, "59 seconds"},
                {60, "1 minute"},
                {3599, "59 minutes"},
                {3600, "1 hour"},
                {86399, "23 hours"},
                {86400, "1 day"},
                {729 * 86400, "729 days"},
                {730 * 86400, "2 years"},
                {7300 * (int64_t)86400, "20 years"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[PAGE_SPAN_LEN];
        assert_string_equal(page_span(rows[i].seconds, text), rows[i].text);
    }
    static const struct {
        int64_t number;
        const char *text;
    } numbers[] = {{0, "0"},
                   {999, "999"},
                   {1000, "1,000"},
                   {-1000, "-1,000"},
                   {-999, "-999"},
                   {1234567, "1,234,567"},
                   {INT64_MAX, "9,223,372,036,854,775,807"}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct buf out = {0};
        struct page page = {.html = {.out = &out}};
        page_add_number(&page, numbers[i].number);
        assert_true(view_is_text(buf_view(&out), numbers[i].text));
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WEB_TEST(the_search_leads_to_the_phone),
        WEB_TEST(the_search_takes_beginnings),
        WEB_TEST(names_are_only_names),
        WEB_TEST(requests_wait),
        WEB_TEST(the_fleet_is_told),
        WEB_TEST(lists_go_on),
        WEB_TEST(a_phone_has_a_story),
        WEB_TEST(a_claim_is_called_one),
        cmocka_unit_test(spans_and_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
