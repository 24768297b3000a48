// SPDX-License-Identifier: Apache-2.0
// One HTTP request of a trial: what is sent, what is taken, and every way an answer can be missing.
#include "server/phone_kit.h"

#include "server/phone/transport.h"

#define MAX_LEN     100
#define TIMEOUT_SEC 20L

static const uint8_t hundred[MAX_LEN + 1];

static struct phone_call call_of(const struct phone_kit *kit, const char *operation)
{
    return (struct phone_call){
        .url = kit->url, .operation = operation, .max_len = MAX_LEN, .timeout_sec = TIMEOUT_SEC};
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, text);
    }
}

static void test_get(void **state)
{
    (void)state;
    const struct canned answers[] = {
        {"/scep?operation=GetCACaps", 200, "text/plain", view_of("AES\n", 4)}, {0}};
    struct phone_kit *kit = phone_kit_start(answers);
    struct phone_answer answer = {0};
    struct phone_call call = call_of(kit, "GetCACaps");
    assert_int_equal(phone_call(&call, &answer, NULL), ERR_OK);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.type, "text/plain");
    assert_string_equal(answer.peer, kit->host);
    assert_true(view_is_text(buf_view(&answer.body), "AES\n"));
    phone_answer_done(&answer);
    assert_has(kit->asked, "GET /scep?operation=GetCACaps HTTP/1.1\r\n");
    phone_kit_stop(kit);
}

static void test_get_with_argument(void **state)
{
    (void)state;
    const struct canned answers[] = {{"operation=", 200, NULL, view_of("", 0)}, {0}};
    struct phone_kit *kit = phone_kit_start(answers);
    struct phone_answer answer = {0};
    struct phone_call call = call_of(kit, "PKIOperation");
    call.argument = "MII+a/b=";
    assert_int_equal(phone_call(&call, &answer, NULL), ERR_OK);
    assert_string_equal(answer.type, "");
    assert_int_equal(answer.body.len, 0);
    phone_answer_done(&answer);
    assert_has(kit->asked, "GET /scep?operation=PKIOperation&message=MII%2Ba%2Fb%3D HTTP/1.1\r\n");
    phone_kit_stop(kit);
}

static void test_post(void **state)
{
    (void)state;
    const struct canned answers[] = {{"POST", 503, NULL, view_of("later", 5)}, {0}};
    struct phone_kit *kit = phone_kit_start(answers);
    struct phone_answer answer = {0};
    struct phone_call call = call_of(kit, "PKIOperation");
    call.body = view_of("0\x82z", 3);
    assert_int_equal(phone_call(&call, &answer, NULL), ERR_OK);
    assert_int_equal(answer.status, 503);
    phone_answer_done(&answer);
    assert_has(kit->asked, "POST /scep?operation=PKIOperation HTTP/1.1\r\n");
    assert_has(kit->asked, "Content-Type: application/x-pki-message\r\n");
    assert_has(kit->asked, "\r\n\r\n0\x82z");
    assert_null(strstr(kit->asked, "Expect"));
    phone_kit_stop(kit);
}

// No redirect is followed: phones are not known to.
static void test_redirect(void **state)
{
    (void)state;
    static const char redirect[] = "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n"
                                   "Connection: close\r\n\r\n";
    const struct canned answers[] = {{"/scep", 0, NULL, view_of(redirect, sizeof redirect - 1)},
                                     {0}};
    struct phone_kit *kit = phone_kit_start(answers);
    struct phone_answer answer = {0};
    struct phone_call call = call_of(kit, "GetCACaps");
    assert_int_equal(phone_call(&call, &answer, NULL), ERR_OK);
    assert_int_equal(answer.status, 302);
    phone_answer_done(&answer);
    assert_null(strstr(kit->asked, "/other"));
    phone_kit_stop(kit);
}

static void test_length(void **state)
{
    (void)state;
    static const char chunked[] =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        "28\r\n0123456789012345678901234567890123456789\r\n"
        "28\r\n0123456789012345678901234567890123456789\r\n"
        "28\r\n0123456789012345678901234567890123456789\r\n0\r\n\r\n";
    const struct canned answers[] = {
        {"GetCACaps", 200, NULL, view_of(hundred, MAX_LEN)},
        {"GetCACert", 200, NULL, view_of(hundred, MAX_LEN + 1)},
        {"Chunked", 0, NULL, view_of(chunked, sizeof chunked - 1)},
        {0},
    };
    struct phone_kit *kit = phone_kit_start(answers);
    struct phone_answer answer = {0};
    struct phone_call call = call_of(kit, "GetCACaps");
    assert_int_equal(phone_call(&call, &answer, NULL), ERR_OK);
    assert_int_equal(answer.body.len, MAX_LEN);
    phone_answer_done(&answer);
    static const char *const too_long[] = {"GetCACert", "Chunked"};
    for (size_t i = 0; i < 2; i++) {
        struct err err = {0};
        call.operation = too_long[i];
        assert_int_equal(phone_call(&call, &answer, &err), ERR_LIMIT);
        assert_has(err.text, "more than 100 octets");
    }
    phone_kit_stop(kit);
}

static void test_no_http(void **state)
{
    (void)state;
    static const char short_answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort";
    const struct canned answers[] = {
        {"GetCACaps", 0, NULL, view_of("SSH-2.0-OpenSSH_9.2\r\n", 21)},
        {"GetCACert", 0, NULL, view_of(short_answer, sizeof short_answer - 1)},
        {"Nothing", 0, NULL, view_of("", 0)},
        {0},
    };
    static const char *const operations[] = {"GetCACaps", "GetCACert", "Nothing"};
    struct phone_kit *kit = phone_kit_start(answers);
    for (size_t i = 0; i < 3; i++) {
        struct err err = {0};
        struct phone_answer answer = {0};
        struct phone_call call = call_of(kit, operations[i]);
        assert_int_equal(phone_call(&call, &answer, &err), ERR_BUSY);
        assert_true(err.text[0] != '\0');
        assert_int_equal(answer.body.len, 0);
    }
    phone_kit_stop(kit);
}

// Whoever takes the connection and says nothing does not hold a trial up for ever.
static void test_silence(void **state)
{
    (void)state;
    const struct canned answers[] = {{"GetCACaps", PHONE_KIT_SILENT, NULL, VIEW_EMPTY}, {0}};
    struct phone_kit *kit = phone_kit_start(answers);
    struct err err = {0};
    struct phone_answer answer = {0};
    struct phone_call call = call_of(kit, "GetCACaps");
    call.timeout_sec = 1;
    assert_int_equal(phone_call(&call, &answer, &err), ERR_BUSY);
    assert_has(err.text, "timed out");
    phone_kit_stop(kit);
}

static void test_nobody(void **state)
{
    (void)state;
    const struct canned answers[] = {{0}};
    struct phone_kit *kit = phone_kit_start(answers);
    char url[sizeof kit->url];
    memcpy(url, kit->url, sizeof url);
    phone_kit_stop(kit); // the port is free again
    struct err err = {0};
    struct phone_answer answer = {0};
    struct phone_call call = {
        .url = url, .operation = "GetCACaps", .max_len = MAX_LEN, .timeout_sec = TIMEOUT_SEC};
    assert_int_equal(phone_call(&call, &answer, &err), ERR_BUSY);
    assert_has(err.text, "connect");
    call.url = "https://127.0.0.1/";
    assert_int_equal(phone_call(&call, &answer, &err), ERR_BUSY);
    assert_has(err.text, "rotocol");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get),     cmocka_unit_test(test_get_with_argument),
        cmocka_unit_test(test_post),    cmocka_unit_test(test_redirect),
        cmocka_unit_test(test_length),  cmocka_unit_test(test_no_http),
        cmocka_unit_test(test_silence), cmocka_unit_test(test_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
