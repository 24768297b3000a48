// SPDX-License-Identifier: Apache-2.0
// What is too large, too slow, cut short or no message at all: one line of text with a 4xx status,
// and the server goes on. Row 11 of tests/phone_rows.txt.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/http/wire.h"

#define TARGET       "/cgi-bin/pkiclient.exe?operation=PKIOperation"
#define BODY_MAX     65536 // octets; conf/limits.h LIMIT_MESSAGE_LEN
#define URL_TOO_LONG 300000
#define SILENT_COUNT 20 // connections that are opened and say nothing
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void post(const void *data, size_t len, struct answer *ret_answer)
{
    int fd = wire_open();
    wire_print(fd, "POST " TARGET " HTTP/1.1\r\nHost: scep\r\nContent-Length: %zu\r\n\r\n", len);
    wire_send(fd, data, len);
    wire_read(fd, true, ret_answer);
    wire_close(fd);
}

static void assert_alive(void)
{
    struct answer answer;
    exchange("GET /?operation=GetCACaps HTTP/1.1\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
}

static void garbage_is_refused(void **state)
{
    static const struct {
        const char *octets;
        size_t len;
    } cases[] = {
        {"", 0},
        {"x", 1},
        {"\0", 1},
        {"hello, world", 12},
        {"\x30", 1},
        {"\x30\x80", 2},
        {"\x30\x00", 2},
        {"\x30\x84\xff\xff\xff\xff", 6},
        {"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 13}, // signedData without content
        {"<?xml version=\"1.0\"?>", 21},
    };
    struct answer answer;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        post(cases[i].octets, cases[i].len, &answer);
        assert_complaint(&answer, 400);
    }
    assert_alive();
}

static void truncated_messages_are_refused(void **state)
{
    (void)state;
    struct answer answer;
    size_t len = 0;
    unsigned char *der = load_message("HTTP_REQUEST", &len);
    for (size_t cut = 1; cut < len; cut += 1 + len / 40) {
        post(der, cut, &answer);
        assert_complaint(&answer, 400);
    }
    unsigned char *longer = calloc(1, len + 1);
    assert_non_null(longer);
    memcpy(longer, der, len);
    post(longer, len + 1, &answer);
    assert_complaint(&answer, 400);
    free(longer);
    free(der);
}

static void bad_base64_is_refused(void **state)
{
    static const char *const values[] = {
        "",       "A",     "AAAAA", "AA=A", "====", "MIIC*AAA",    "MIIC%00AAA",
        "%FF%FE", "MIIC.", "%2",    "%",    "%zz",  "hello world",
    };
    struct answer answer;
    char text[256];
    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        snprintf(text, sizeof text, "GET " TARGET "&message=%s HTTP/1.1\r\n\r\n", values[i]);
        exchange(text, &answer);
        if (answer.status != 400) {
            fail_msg("%s: status %d", values[i], answer.status);
        }
        assert_complaint(&answer, 400);
    }
    exchange("GET " TARGET " HTTP/1.1\r\n\r\n", &answer);
    assert_complaint(&answer, 400);
}

static void bodies_have_a_limit(void **state)
{
    struct answer answer;
    char *body = calloc(1, BODY_MAX + 1);
    (void)state;
    assert_non_null(body);
    post(body, BODY_MAX, &answer);
    assert_complaint(&answer, 400);
    post(body, BODY_MAX + 1, &answer);
    assert_complaint(&answer, 413);
    free(body);
    // Refused by what it says of itself, before any of it is sent.
    exchange("POST " TARGET " HTTP/1.1\r\nContent-Length: 1000000000000\r\n\r\n", &answer);
    assert_complaint(&answer, 413);
    assert_alive();
}

static void chunked_bodies_have_a_limit(void **state)
{
    struct answer answer;
    char zeroes[1024] = {0};
    (void)state;
    int fd = wire_open();
    wire_print(fd, "POST " TARGET " HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t sent = 0; sent <= BODY_MAX; sent += sizeof zeroes) {
        wire_print(fd, "%zx\r\n", sizeof zeroes);
        wire_send(fd, zeroes, sizeof zeroes);
        wire_print(fd, "\r\n");
    }
    wire_print(fd, "0\r\n\r\n");
    wire_read(fd, true, &answer);
    assert_complaint(&answer, 413);
    wire_close(fd);
}

static void urls_have_a_limit(void **state)
{
    struct answer answer;
    char *text = malloc(URL_TOO_LONG);
    (void)state;
    assert_non_null(text);
    memset(text, 'A', URL_TOO_LONG);
    text[URL_TOO_LONG - 1] = '\0';
    int fd = wire_open();
    wire_print(fd, "GET " TARGET "&message=%s HTTP/1.1\r\n\r\n", text);
    wire_read(fd, true, &answer);
    assert_int_equal(answer.status, 414);
    wire_close(fd);
    free(text);
    assert_alive();
}

static void broken_http_ends_the_connection(void **state)
{
    static const char *const requests[] = {
        "\r\n\r\nhello\r\n\r\n",
        "GET\r\n\r\n",
        "POST " TARGET " HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        "POST " TARGET " HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", // the beginning of TLS
    };
    (void)state;
    for (size_t i = 0; i < COUNT(requests); i++) {
        int fd = wire_open();
        wire_send(fd, requests[i], strlen(requests[i]));
        wire_send(fd, "\r\n\r\n", strlen("\r\n\r\n"));
        wire_drain(fd);
        wire_close(fd);
    }
    assert_alive();
}

// The script sets http.timeout_sec to a few seconds.
static void slow_clients_are_dropped_and_disturb_nobody(void **state)
{
    static const char *const halves[] = {
        "",
        "GET /?operation=Get",
        "POST " TARGET " HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf",
    };
    int silent[SILENT_COUNT];
    (void)state;
    for (size_t i = 0; i < SILENT_COUNT; i++) {
        silent[i] = wire_open();
        const char *half = halves[i % COUNT(halves)];
        wire_send(silent[i], half, strlen(half));
    }
    assert_alive();
    for (size_t i = 0; i < SILENT_COUNT; i++) {
        assert_true(wire_ends(silent[i]));
        wire_close(silent[i]);
    }
    assert_alive();
}

static void clients_that_go_away_disturb_nobody(void **state)
{
    (void)state;
    size_t len = 0;
    unsigned char *der = load_message("HTTP_REQUEST", &len);
    for (int i = 0; i < SILENT_COUNT; i++) {
        int fd = wire_open();
        wire_print(fd, "POST " TARGET " HTTP/1.1\r\nContent-Length: %zu\r\n\r\n", len);
        wire_send(fd, der, i % 2 == 0 ? len : len / 2);
        wire_close(fd);
    }
    struct answer answer;
    post(der, len, &answer);
    assert_cert_rep(&answer, "0");
    free(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(garbage_is_refused),
        cmocka_unit_test(truncated_messages_are_refused),
        cmocka_unit_test(bad_base64_is_refused),
        cmocka_unit_test(bodies_have_a_limit),
        cmocka_unit_test(chunked_bodies_have_a_limit),
        cmocka_unit_test(urls_have_a_limit),
        cmocka_unit_test(broken_http_ends_the_connection),
        cmocka_unit_test(slow_clients_are_dropped_and_disturb_nobody),
        cmocka_unit_test(clients_that_go_away_disturb_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
