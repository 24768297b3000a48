// SPDX-License-Identifier: Apache-2.0
// The web page's port: what it answers to, with which headers, and what it refuses.
#include "web_client.h"

#include "server/listener.h"

static const char *const paths[] = {"/",        "/due",      "/pending",         "/certificates",
                                    "/events",  "/search",   "/search?q=nobody", "/device/nobody",
                                    "/nothing", "/style.css"};
#define CSP                                                                                        \
    "\r\nContent-Security-Policy: default-src 'none'; style-src 'self'; form-action 'self'; "      \
    "frame-ancestors 'none'; base-uri 'none'\r\n"
#define PATHS (sizeof paths / sizeof paths[0])

static void every_answer_has_the_headers(void **state)
{
    static const char *const headers[] = {
        (CSP),
        "\r\nX-Content-Type-Options: nosniff\r\n",
        "\r\nReferrer-Policy: no-referrer\r\n",
        "\r\nCache-Control: no-store\r\n",
        "\r\nX-Frame-Options: DENY\r\n",
    };
    for (size_t i = 0; i < PATHS; i++) {
        char *answer = web_get(*state, paths[i]);
        for (size_t j = 0; j < sizeof headers / sizeof headers[0]; j++) {
            web_assert_has(answer, headers[j]);
        }
        free(answer);
    }
}

// Nothing that a browser would run, load from elsewhere, or that the policy forbids.
static void pages_keep_their_own_policy(void **state)
{
    static const char *const forbidden[] = {"<script",  "style=",  "<style",
                                            " onclick", "http://", "https://",
                                            "<img",     "<iframe", "javascript:"};
    for (size_t i = 0; i + 1 < PATHS; i++) {
        char *answer = web_get(*state, paths[i]);
        web_assert_has(answer, "Content-Type: text/html; charset=utf-8\r\n");
        web_assert_has(answer, "\r\n\r\n<!DOCTYPE html>\n<html lang=\"en\">");
        web_assert_has(answer, "<main id=\"content\">");
        web_assert_has(answer, "<label for=\"q\">");
        web_assert_has(answer, "</html>\n");
        for (size_t j = 0; j < sizeof forbidden / sizeof forbidden[0]; j++) {
            web_assert_has_not(strstr(answer, "\r\n\r\n"), forbidden[j]);
        }
        free(answer);
    }
    char *style = web_get(*state, "/style.css");
    web_assert_has(style, "Content-Type: text/css; charset=utf-8\r\n");
    web_assert_has(style, "prefers-color-scheme: dark");
    web_assert_has_not(style, "url(");
    web_assert_has_not(style, "@import");
    free(style);
}

static void statuses(void **state)
{
    static const struct {
        const char *method;
        const char *path;
        const char *host;
        const char *words[2];
    } rows[] = {
        {"GET", "/", "localhost", {"HTTP/1.1 200 ", "<title>Fleet"}},
        {"GET", "/", "127.0.0.1:1234", {"HTTP/1.1 200 ", "<title>Fleet"}},
        {"GET", "/", "attacker.example", {"HTTP/1.1 421 ", "ask for localhost"}},
        {"GET", "/metrics", "attacker.example", {"HTTP/1.1 421 ", "ask for localhost"}},
        {"GET", "/", NULL, {"HTTP/1.1 400 ", ""}}, // the library's own answer
        {"POST", "/", "localhost", {"HTTP/1.1 405 ", "\r\nAllow: GET, HEAD\r\n"}},
        {"DELETE", "/device/x", "localhost", {"HTTP/1.1 405 ", "\r\nAllow: GET, HEAD\r\n"}},
        {"POST", "/metrics", "localhost", {"HTTP/1.1 405 ", "\r\nAllow: GET, HEAD\r\n"}},
        {"GET", "/nothing", "localhost", {"HTTP/1.1 404 ", "there is no such page"}},
        {"GET", "/device", "localhost", {"HTTP/1.1 404 ", "there is no such page"}},
        {"GET", "/device/", "localhost", {"HTTP/1.1 404 ", "there is no such page"}},
        {"GET", "/v1/status", "localhost", {"HTTP/1.1 404 ", "there is no such page"}},
        {"GET", "/device/nobody", "localhost", {"HTTP/1.1 404 ", "Not found"}},
        {"GET", "/search?q=nobody", "localhost", {"HTTP/1.1 404 ", "No such phone"}},
        {"GET", "/search?q=", "localhost", {"HTTP/1.1 200 ", "Find a phone"}},
        {"GET", "/search", "localhost", {"HTTP/1.1 200 ", "Find a phone"}},
        {"GET", "/due?days=0", "localhost", {"HTTP/1.1 400 ", "days is &quot;0&quot;"}},
        {"GET", "/due?after=%3Cb%3E", "localhost", {"HTTP/1.1 400 ", "&lt;b&gt;"}},
        {"GET", "/certificates?after=x", "localhost", {"HTTP/1.1 400 ", "serial number"}},
        {"GET", "/metrics", "localhost", {"HTTP/1.1 200 ", "\nscepd_ca_up 0\n"}},
        {"GET", "/metrics", "localhost", {"version=0.0.4", "\r\nX-Content-Type-Options"}},
        {"GET", "/healthz", "localhost", {"HTTP/1.1 503 ", "the CA (scepd-ca) does not answer\n"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *answer = web_ask(*state, rows[i].method, rows[i].path, rows[i].host);
        web_assert_has(answer, rows[i].words[0]);
        web_assert_has(answer, rows[i].words[1]);
        free(answer);
    }
}

static void a_head_has_no_body(void **state)
{
    char *answer = web_ask(*state, "HEAD", "/", "localhost");
    web_assert_has(answer, "HTTP/1.1 200 ");
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    free(answer);
}

// Bodies nobody asked for are thrown away, large ones end the connection.
static void bodies_are_not_read(void **state)
{
    static const size_t lengths[] = {10, 100000};
    for (size_t i = 0; i < 2; i++) {
        char *text = NULL;
        char *body = calloc(1, lengths[i] + 1);
        memset(body, 'x', lengths[i]);
        assert_true(asprintf(&text,
                             "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                             "Content-Length: %zu\r\n\r\n%s",
                             lengths[i], body) > 0);
        char *answer = web_talk(*state, text);
        if (i == 0) {
            web_assert_has(answer, "HTTP/1.1 200 ");
        } else {
            assert_string_equal(answer, "");
        }
        free(answer);
        free(body);
        free(text);
    }
}

// Once it works, /healthz says so in one word.
static void well_is_one_word(void **state)
{
    struct web_fixture *web = *state;
    struct live *live = &web->fixture->live;
    struct store_crl crl = {
        .number = 1, .this_update = FIXTURE_LONG_AGO, .next_update = FIXTURE_FAR_FUTURE};
    struct policy *policy = live_policy_get(live->policy);
    memcpy(crl.issuer, credentials_issuing(policy->credentials)->id, SHA256_LEN);
    policy_unref(policy);
    assert_int_equal(buf_copy(view_of_text("crl"), &crl.der, NULL), ERR_OK);
    struct write_order order = {.kind = WRITE_CRL, .now = KIT_NOW, .crl = &crl};
    assert_int_equal(writer_submit_and_wait(live->writer, &order, NULL), ERR_OK);
    live->is_ca_answering = true;
    char *answer = web_get(web, "/healthz");
    store_crl_done(&crl);
    if (strstr(answer, "is over since") == NULL) { // the wall clock may be beyond the test's CA
        web_assert_has(answer, "HTTP/1.1 200 ");
        web_assert_has(answer, "\r\n\r\nok\n");
    }
    free(answer);
}

static void takes_over_a_socket(void **state)
{
    (void)state;
    struct live live = {0};
    struct err err = {0};
    struct web *web = NULL;
    int fd = -1;
    assert_int_equal(listener_open("127.0.0.1:0", &fd, NULL), ERR_OK);
    char expected[LISTENER_TEXT_LEN];
    assert_int_equal(listener_name(fd, expected, NULL), ERR_OK);
    const struct web_settings inherited = {.take_fd = fd, .listen = NULL, .live = &live};
    assert_int_equal(web_new(&inherited, &web, &err), ERR_OK);
    assert_string_equal(live.web_listening, expected);
    // Nobody else can listen there.
    struct web *other = NULL;
    const struct web_settings again = {.take_fd = -1, .listen = expected, .live = &live};
    assert_int_equal(web_new(&again, &other, &err), ERR_IO);
    assert_non_null(strstr(err.text, "cannot listen on 127.0.0.1:"));
    assert_null(other);
    web_free(web);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void without_a_page_there_is_nothing_to_do(void **state)
{
    (void)state;
    assert_int_equal(web_fd(NULL), -1);
    assert_int_equal(web_timeout_ms(NULL), -1);
    web_run(NULL);
    web_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WEB_TEST(every_answer_has_the_headers),
        WEB_TEST(pages_keep_their_own_policy),
        WEB_TEST(statuses),
        WEB_TEST(a_head_has_no_body),
        WEB_TEST(bodies_are_not_read),
        WEB_TEST(well_is_one_word),
        cmocka_unit_test(takes_over_a_socket),
        cmocka_unit_test(without_a_page_there_is_nothing_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
