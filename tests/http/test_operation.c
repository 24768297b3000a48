// SPDX-License-Identifier: Apache-2.0
// One good PKIOperation in every shape that clients are known to send. It is the same request each
// time, so each answer is SUCCESS and one certificate is issued in all, which the script checks.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/http/wire.h"

#define TARGET       "/cgi-bin/pkiclient.exe?operation=PKIOperation"
#define LINE_LEN     64    // base64 characters between two line breaks
#define LONG_GET_LEN 30000 // characters of a message that must still be taken
#define URL_LEN_MAX  60000
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct message {
    unsigned char *der;
    size_t len;
    char *base64;
};

static int load(void **state)
{
    static struct message message;
    message.der = load_message("HTTP_REQUEST", &message.len);
    message.base64 = to_base64(message.der, message.len);
    *state = &message;
    return 0;
}

static int unload(void **state)
{
    struct message *message = *state;
    free(message->der);
    free(message->base64);
    return 0;
}

static void post(const struct message *message, const char *target, const char *headers)
{
    struct answer answer;
    int fd = wire_open();
    wire_print(fd, "POST %s HTTP/1.1\r\nHost: scep\r\n%sContent-Length: %zu\r\n\r\n", target,
               headers, message->len);
    wire_send(fd, message->der, message->len);
    wire_read(fd, true, &answer);
    assert_cert_rep(&answer, "0");
    wire_close(fd);
}

static void posts_of_any_type(void **state)
{
    static const char *const headers[] = {
        "Content-Type: application/x-pki-message\r\n",
        "Content-Type: application/octet-stream\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type:\r\n",
        "",
    };
    for (size_t i = 0; i < COUNT(headers); i++) {
        post(*state, TARGET, headers[i]);
    }
}

static void posts_to_any_target(void **state)
{
    static const char *const targets[] = {
        "/",
        "/cgi-bin/pkiclient.exe",
        "/scep?operation=pkioperation",
        "/scep??operation=PKIOperation",
        "/scep?operation=PKIOperation&message=",
        "http://other.example.net/cgi-bin/pkiclient.exe?operation=PKIOperation",
    };
    for (size_t i = 0; i < COUNT(targets); i++) {
        post(*state, targets[i], "");
    }
}

static void post_by_http_1_0(void **state)
{
    const struct message *message = *state;
    struct answer answer;
    int fd = wire_open();
    wire_print(fd, "POST " TARGET " HTTP/1.0\r\nContent-Length: %zu\r\n\r\n", message->len);
    wire_send(fd, message->der, message->len);
    wire_read(fd, true, &answer);
    assert_cert_rep(&answer, "0");
    assert_true(wire_ends(fd));
    wire_close(fd);
}

static void post_that_waits_for_100_continue(void **state)
{
    const struct message *message = *state;
    struct answer answer;
    int fd = wire_open();
    wire_print(fd,
               "POST " TARGET " HTTP/1.1\r\nHost: scep\r\nExpect: 100-continue\r\n"
               "Content-Length: %zu\r\n\r\n",
               message->len);
    wire_read_head(fd, &answer);
    assert_int_equal(answer.status, 100);
    wire_send(fd, message->der, message->len);
    wire_read(fd, true, &answer);
    assert_cert_rep(&answer, "0");
    wire_close(fd);
}

static void post_in_chunks(void **state)
{
    const struct message *message = *state;
    struct answer answer;
    int fd = wire_open();
    wire_print(fd, "POST " TARGET " HTTP/1.1\r\nHost: scep\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0; at < message->len; at += LINE_LEN) {
        size_t len = message->len - at < LINE_LEN ? message->len - at : LINE_LEN;
        wire_print(fd, "%zx\r\n", len);
        wire_send(fd, message->der + at, len);
        wire_print(fd, "\r\n");
    }
    wire_print(fd, "0\r\n\r\n");
    wire_read(fd, true, &answer);
    assert_cert_rep(&answer, "0");
    wire_close(fd);
}

static void post_octet_by_octet(void **state)
{
    const struct message *message = *state;
    struct answer answer;
    int fd = wire_open();
    wire_print(fd, "POST " TARGET " HTTP/1.1\r\nHost: scep\r\nContent-Length: %zu\r\n\r\n",
               message->len);
    for (size_t i = 0; i < message->len; i++) {
        wire_send(fd, message->der + i, 1);
    }
    wire_read(fd, true, &answer);
    assert_cert_rep(&answer, "0");
    wire_close(fd);
}

// How a client writes base64 into a URL.
struct spelling {
    const char *plus;
    const char *slash;
    const char *equals;
    const char *line_break; // after every LINE_LEN characters and at the end
};

static char *spell(const char *base64, const struct spelling *spelling)
{
    char *text = calloc(1, URL_LEN_MAX);
    assert_non_null(text);
    size_t at = 0;
    for (size_t i = 0; base64[i] != '\0'; i++) {
        const char plain[2] = {base64[i], '\0'};
        const char *part = plain;
        part = base64[i] == '+' ? spelling->plus : part;
        part = base64[i] == '/' ? spelling->slash : part;
        part = base64[i] == '=' ? spelling->equals : part;
        bool is_line_end = (i + 1) % LINE_LEN == 0 || base64[i + 1] == '\0';
        at += (size_t)snprintf(text + at, URL_LEN_MAX - at, "%s%s", part,
                               is_line_end ? spelling->line_break : "");
        assert_true(at < URL_LEN_MAX);
    }
    return text;
}

static void get_spelled(const struct message *message, const struct spelling *spelling,
                        const char *version)
{
    struct answer answer;
    char *text = spell(message->base64, spelling);
    int fd = wire_open();
    wire_print(fd, "GET " TARGET "&message=%s HTTP/%s\r\n\r\n", text, version);
    wire_read(fd, true, &answer);
    assert_cert_rep(&answer, "0");
    wire_close(fd);
    free(text);
}

static void gets_in_every_spelling(void **state)
{
    static const struct spelling spellings[] = {
        {"%2B", "%2F", "%3D", ""},       // certmonger
        {"%2b", "/", "%3d", "%0A"},      // sscep and Cisco IOS
        {"%2B", "%2F", "%3D", "%0D%0A"}, //
        {"+", "/", "=", ""},             // nothing escaped
        {"+", "/", "%3D", ""},           // macOS
        {"%2B", "%2F", "", ""},          // no padding
        {"-", "_", "", ""},              // URL-safe alphabet
        {"-", "_", "%3D", ""},           //
        {"%20", "/", "=", ""},           // a proxy unescaped and escaped again
        {"%2B", "/", "=", "%09%0A"},     // other white space
    };
    for (size_t i = 0; i < COUNT(spellings); i++) {
        get_spelled(*state, &spellings[i], "1.1");
        get_spelled(*state, &spellings[i], "1.0");
    }
}

static void get_of_thirty_thousand_characters(void **state)
{
    const struct message *message = *state;
    struct answer answer;
    char *text = spell(message->base64, &(struct spelling){"%2B", "/", "=", "%0A"});
    size_t len = strlen(text);
    while (len + strlen("%0A") <= LONG_GET_LEN) {
        memcpy(text + len, "%0A", sizeof "%0A");
        len += strlen("%0A");
    }
    int fd = wire_open();
    wire_print(fd, "GET " TARGET "&message=%s HTTP/1.1\r\n\r\n", text);
    wire_read(fd, true, &answer);
    assert_cert_rep(&answer, "0");
    wire_close(fd);
    free(text);
}

// The message here is another one that was never sent: no certificate may come of it.
static void head_and_put_do_nothing(void **state)
{
    (void)state;
    struct answer answer;
    size_t len = 0;
    unsigned char *der = load_message("HTTP_UNUSED_REQUEST", &len);
    char *base64 = to_base64(der, len);
    char *text = spell(base64, &(struct spelling){"%2B", "%2F", "%3D", ""});
    int fd = wire_open();
    wire_print(fd, "HEAD " TARGET "&message=%s HTTP/1.1\r\n\r\n", text);
    wire_read(fd, false, &answer);
    assert_int_equal(answer.status, 405);
    wire_close(fd);
    fd = wire_open();
    wire_print(fd, "PUT " TARGET " HTTP/1.1\r\nContent-Length: %zu\r\n\r\n", len);
    wire_send(fd, der, len);
    wire_read(fd, true, &answer);
    assert_complaint(&answer, 405);
    wire_close(fd);
    free(text);
    free(base64);
    free(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_of_any_type),
        cmocka_unit_test(posts_to_any_target),
        cmocka_unit_test(post_by_http_1_0),
        cmocka_unit_test(post_that_waits_for_100_continue),
        cmocka_unit_test(post_in_chunks),
        cmocka_unit_test(post_octet_by_octet),
        cmocka_unit_test(gets_in_every_spelling),
        cmocka_unit_test(get_of_thirty_thousand_characters),
        cmocka_unit_test(head_and_put_do_nothing),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
