// SPDX-License-Identifier: Apache-2.0
// GetCACaps, GetCACert and what is none of them, in every shape that clients are known to send.
#include <stdio.h>
#include <string.h>

#include "tests/http/wire.h"

#define CAPS         "/cgi-bin/pkiclient.exe?operation=GetCACaps"
#define CERT         "/cgi-bin/pkiclient.exe?operation=GetCACert"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// Whatever follows the operation in a request line.
static void get(const char *target, struct answer *ret_answer)
{
    char text[1024];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: scep\r\n\r\n", target);
    exchange(text, ret_answer);
}

static void assert_same(const struct answer *one, const struct answer *other)
{
    assert_int_equal(other->status, one->status);
    assert_int_equal(other->body_len, one->body_len);
    assert_memory_equal(other->body, one->body, one->body_len);
}

static void caps_are_lines_with_exact_words(void **state)
{
    static const char *const words[] = {"AES\n",     "DES3\n",    "POSTPKIOperation\n", "SHA-256\n",
                                        "SHA-384\n", "SHA-512\n", "SCEPStandard\n"};
    struct answer answer;
    (void)state;
    get(CAPS, &answer);
    assert_int_equal(answer.status, 200);
    assert_header(&answer, "Content-Type", "text/plain");
    assert_null(memchr(answer.body, '\r', answer.body_len));
    assert_true(answer.body_len < 1024); // certmonger reads no more
    answer.body[answer.body_len] = '\0';
    for (size_t i = 0; i < COUNT(words); i++) {
        if (strstr((char *)answer.body, words[i]) == NULL) {
            fail_msg("no line %s", words[i]);
        }
    }
    assert_null(strstr((char *)answer.body, "SHA-1\n")); // off by default
    assert_null(strstr((char *)answer.body, "GetNextCACert"));
}

static void certificates_have_their_type(void **state)
{
    struct answer answer;
    (void)state;
    get(CERT, &answer);
    assert_int_equal(answer.status, 200);
    assert_header(&answer, "Content-Type", "application/x-x509-ca-ra-cert");
    assert_true(answer.body_len > 2 && answer.body[0] == 0x30);
}

// Row 2 of tests/phone_rows.txt.
static void path_does_not_matter(void **state)
{
    static const char *const paths[] = {
        "/",
        "/cgi-bin/pkiclient.exe",
        "/cgi-bin/pkiclient.exe/",
        "//cgi-bin//pkiclient.exe",
        "/certsrv/mscep/mscep.dll",
        "/certsrv/mscep/mscep.dll/pkiclient.exe",
        "/scep/phones/pkiclient.exe",
        "http://scep.example.net/cgi-bin/pkiclient.exe",
        "http://scep.example.net:8080",
    };
    static const char *const operations[] = {"GetCACaps", "GetCACert"};
    (void)state;
    for (size_t o = 0; o < COUNT(operations); o++) {
        static struct answer first;
        static struct answer answer;
        char target[256];
        for (size_t i = 0; i < COUNT(paths); i++) {
            snprintf(target, sizeof target, "%s?operation=%s", paths[i], operations[o]);
            get(target, &answer);
            assert_int_equal(answer.status, 200);
            first = i == 0 ? answer : first;
            assert_same(&first, &answer);
        }
    }
}

static void query_is_read_with_patience(void **state)
{
    static const char *const queries[] = {
        "?operation=GetCACaps",
        "??operation=GetCACaps",
        "?operation=getcacaps",
        "?operation=GETCACAPS",
        "?operation=GetCACaps&message=",
        "?operation=GetCACaps&message=0",
        "?operation=GetCACaps&message=CAIdentifier",
        "?operation=GetCACaps&message=%00%ff%20",
        "?message=trustpoint&operation=GetCACaps",
        "?mac=001122334455&operation=GetCACaps&room=2",
        "?operation=GetCACaps&operation=GetCACert",
        "?operation=GetCACaps&",
        "?&operation=GetCACaps",
        "?operation=Get%43ACaps",
    };
    struct answer first;
    struct answer answer;
    (void)state;
    for (size_t i = 0; i < COUNT(queries); i++) {
        char target[256];
        snprintf(target, sizeof target, "/cgi-bin/pkiclient.exe%s", queries[i]);
        get(target, &answer);
        if (answer.status != 200) {
            fail_msg("%s: status %d", queries[i], answer.status);
        }
        first = i == 0 ? answer : first;
        assert_same(&first, &answer);
    }
}

static void old_http_works(void **state)
{
    struct answer answer;
    (void)state;
    int fd = wire_open();
    wire_print(fd, "GET " CAPS " HTTP/1.0\r\n"
                   "User-Agent: Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI)\r\n\r\n");
    wire_read(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(wire_ends(fd));
    wire_close(fd);
    exchange("GET " CAPS " HTTP/1.0\r\nHost: scep\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    exchange("GET " CAPS " HTTP/1.1\r\n\r\n", &answer); // no Host at all
    assert_int_equal(answer.status, 200);
    exchange("GET " CAPS " HTTP/1.1\r\nHost:\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
}

static void connections_are_kept_or_closed_as_asked(void **state)
{
    struct answer answer;
    (void)state;
    int fd = wire_open();
    for (int i = 0; i < 3; i++) {
        wire_print(fd, "GET " CAPS " HTTP/1.1\r\nHost: scep\r\n\r\n");
        wire_read(fd, true, &answer);
        assert_int_equal(answer.status, 200);
    }
    wire_print(fd, "GET " CAPS " HTTP/1.1\r\nHost: scep\r\n\r\n"
                   "GET " CERT " HTTP/1.1\r\nHost: scep\r\nConnection: close\r\n\r\n");
    wire_read(fd, true, &answer);
    assert_header(&answer, "Content-Type", "text/plain");
    wire_read(fd, true, &answer);
    assert_header(&answer, "Content-Type", "application/x-x509-ca-ra-cert");
    assert_true(wire_ends(fd));
    wire_close(fd);
}

static void head_is_get_without_body(void **state)
{
    static const char *const targets[] = {CAPS, CERT};
    struct answer answer;
    struct answer head;
    char text[256];
    (void)state;
    for (size_t i = 0; i < COUNT(targets); i++) {
        get(targets[i], &answer);
        int fd = wire_open();
        snprintf(text, sizeof text, "HEAD %s HTTP/1.1\r\nConnection: close\r\n\r\n", targets[i]);
        wire_print(fd, "%s", text);
        wire_read(fd, false, &head);
        assert_int_equal(head.status, 200);
        assert_int_equal(head.body_len, answer.body_len);
        assert_true(wire_ends(fd));
        wire_close(fd);
    }
}

static void other_methods_are_refused(void **state)
{
    static const struct {
        const char *method;
        const char *operation;
        const char *allow;
    } cases[] = {
        {"POST", "GetCACaps", "GET"},          {"POST", "GetCACert", "GET"},
        {"PUT", "GetCACert", "GET"},           {"DELETE", "GetCACert", "GET"},
        {"PUT", "PKIOperation", "GET, POST"},  {"DELETE", "PKIOperation", "GET, POST"},
        {"HEAD", "PKIOperation", "GET, POST"},
    };
    struct answer answer;
    char text[256];
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(text, sizeof text,
                 "%s /scep?operation=%s HTTP/1.1\r\nHost: scep\r\nContent-Length: 0\r\n\r\n",
                 cases[i].method, cases[i].operation);
        exchange(text, &answer);
        if (answer.status != 405) {
            fail_msg("%s %s: status %d", cases[i].method, cases[i].operation, answer.status);
        }
        assert_header(&answer, "Allow", cases[i].allow);
    }
}

static void unknown_operations_are_refused(void **state)
{
    static const char *const queries[] = {
        "",
        "?",
        "?operation",
        "?operation=",
        "?operation=GetCACap",
        "?operation=GetCACapss",
        "?operation=%00",
        "?message=GetCACaps",
        "?operation=GetCACaps%0a",
    };
    struct answer answer;
    char target[128];
    (void)state;
    for (size_t i = 0; i < COUNT(queries); i++) {
        snprintf(target, sizeof target, "/scep%s", queries[i]);
        get(target, &answer);
        if (answer.status != 400) {
            fail_msg("%s: status %d", queries[i], answer.status);
        }
        assert_complaint(&answer, 400);
    }
    get("/scep?operation=GetNextCACert", &answer);
    assert_complaint(&answer, 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caps_are_lines_with_exact_words),
        cmocka_unit_test(certificates_have_their_type),
        cmocka_unit_test(path_does_not_matter),
        cmocka_unit_test(query_is_read_with_patience),
        cmocka_unit_test(old_http_works),
        cmocka_unit_test(connections_are_kept_or_closed_as_asked),
        cmocka_unit_test(head_is_get_without_body),
        cmocka_unit_test(other_methods_are_refused),
        cmocka_unit_test(unknown_operations_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
