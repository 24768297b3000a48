// SPDX-License-Identifier: Apache-2.0
// The one line of a request: its keys, what is left out, escaping and clipping, its level.
#include <stdio.h>
#include <string.h>

#include "kit/kit.h"
#include "server/request_log.h"

static const char *compose(const struct request_line *request)
{
    static struct log_line line;
    static char text[LOG_LINE_LEN + 1];
    request_log_compose(request, &line);
    snprintf(text, sizeof text, "%.*s", (int)line.len, line.text);
    return text;
}

static struct enroll_report issued_report(void)
{
    struct enroll_report report = {
        .type = MESSAGE_PKCS_REQ,
        .signer_class = SIGNER_SELF_SIGNED,
        .is_signer_known = true,
        .common_name = "CP-9871-SEP001A2B3C4D5E",
        .mac = "001A2B3C4D5E",
        .digest = "SHA256",
        .cipher = "AES-128-CBC",
        .challenge = CHALLENGE_ONE_TIME,
        .challenge_id = "0123456789",
        .decision = "issue",
        .reason = "one-time challenge",
        .serial = {0x01, 0xab},
        .has_serial = true,
        .level = LOG_LEVEL_INFO,
        .stage_us = {1, 2, 3, 4, 5, 6, 7},
    };
    assert_int_equal(buf_copy(view_of_text("ABCD"), &report.transaction_id, NULL), ERR_OK);
    return report;
}

static void tells_all_of_an_enrolment(void **state)
{
    (void)state;
    struct enroll_report report = issued_report();
    const struct request_line request = {
        .peer = "192.0.2.7",
        .method = "POST",
        .client = "Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI)",
        .operation = OPERATION_PKI,
        .status = 200,
        .report = &report,
        .total_us = 28,
    };
    assert_string_equal(
        compose(&request),
        "event=request operation=PKIOperation status=200 peer=192.0.2.7 method=POST decision=issue "
        "type=PKCSReq signer=self-signed serial=01ab0000000000000000000000000000 "
        "challenge=one_time challenge_id=0123456789 mac=001A2B3C4D5E digest=SHA256 "
        "cipher=AES-128-CBC queue_us=1 open_us=2 decrypt_us=3 decide_us=4 ca_us=5 reply_us=6 "
        "commit_us=7 total_us=28 transaction=ABCD cn=CP-9871-SEP001A2B3C4D5E "
        "reason=\"one-time challenge\" "
        "client=\"Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI)\"");
    assert_int_equal(request_log_level(&request), LOG_LEVEL_INFO);
    buf_done(&report.transaction_id);
}

static void leaves_out_what_is_not_known(void **state)
{
    (void)state;
    const struct enroll_report report = {
        .decision = "unanswerable", .reason = "wrong tag", .level = LOG_LEVEL_INFO};
    const struct request_line request = {.peer = "::1",
                                         .method = "GET",
                                         .operation = OPERATION_PKI,
                                         .status = 400,
                                         .report = &report};
    assert_string_equal(compose(&request),
                        "event=request operation=PKIOperation status=400 peer=::1 method=GET "
                        "decision=unanswerable type=unknown queue_us=0 open_us=0 decrypt_us=0 "
                        "decide_us=0 ca_us=0 reply_us=0 commit_us=0 total_us=0 transaction=\"\" "
                        "reason=\"wrong tag\"");
}

static void tells_of_cheap_operations(void **state)
{
    (void)state;
    const struct request_line read = {.peer = "192.0.2.7",
                                      .method = "HEAD",
                                      .operation = OPERATION_GET_CA_CERT,
                                      .status = 200,
                                      .total_us = 9};
    assert_string_equal(compose(&read), "event=request operation=GetCACert status=200 "
                                        "peer=192.0.2.7 method=HEAD total_us=9");
    const struct request_line wrong = {.peer = "192.0.2.7",
                                       .method = "GET",
                                       .operation = OPERATION_NONE,
                                       .status = 400,
                                       .reason = "the URL names no operation"};
    assert_string_equal(compose(&wrong),
                        "event=request operation=none status=400 peer=192.0.2.7 method=GET "
                        "total_us=0 reason=\"the URL names no operation\"");
}

static void says_when_the_challenge_was_absent(void **state)
{
    (void)state;
    const struct {
        bool is_opened;
        const char *decision;
        enum challenge_state challenge;
        const char *shown; // NULL = no such key
    } cases[] = {
        {true, "refuse", CHALLENGE_ABSENT, " challenge=absent "},
        {true, "refuse", CHALLENGE_WRONG, " challenge=wrong "},
        {true, "issue", CHALLENGE_STATIC, " challenge=static "},
        {true, "replay", CHALLENGE_ABSENT, NULL},
        {false, "refuse", CHALLENGE_ABSENT, NULL}, // could not be looked into
        {false, "refuse", CHALLENGE_USED_UP, " challenge=used_up "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct enroll_report report = {.decision = cases[i].decision,
                                       .common_name = "SEP1", // the signer's has one anyway
                                       .is_opened = cases[i].is_opened,
                                       .challenge = cases[i].challenge};
        const struct request_line request = {.peer = "", .method = "POST", .report = &report};
        const char *text = compose(&request);
        if (cases[i].shown != NULL) {
            assert_non_null(strstr(text, cases[i].shown));
        } else {
            assert_null(strstr(text, " challenge="));
        }
    }
}

// What somebody only says is found under the same keys, and marked.
static void marks_a_claim(void **state)
{
    (void)state;
    struct enroll_report report = {
        .decision = "refuse",
        .fail_info = "badRequest",
        .refusal = REFUSAL_UNKNOWN_SIGNER,
        .type = MESSAGE_PKCS_REQ,
        .is_signer_known = true,
        .mic_issuer = "CN=Cisco Manufacturing CA",
        .model = "CP-7841",
        .common_name = "CP-7841-SEP0C7524A1B2C3",
        .mac = "0C7524A1B2C3",
        .is_claimed = true,
        .reason = "nobody knows it",
        .level = LOG_LEVEL_INFO,
    };
    const struct request_line request = {
        .peer = "192.0.2.7", .method = "POST", .operation = OPERATION_PKI, .report = &report};
    const char *text = compose(&request);
    assert_non_null(strstr(text, " refusal=unknown_signer type=PKCSReq signer=unknown "
                                 "claimed=yes mac=0C7524A1B2C3 model=CP-7841 "));
    assert_non_null(strstr(text, " cn=CP-7841-SEP0C7524A1B2C3 mic_issuer=\"CN=Cisco Manufacturing "
                                 "CA\" reason=\"nobody knows it\""));
    report.is_claimed = false;
    report.mic_issuer[0] = '\0';
    text = compose(&request);
    assert_null(strstr(text, "claimed"));
    assert_null(strstr(text, "mic_issuer"));
}

static void cannot_be_forged(void **state)
{
    (void)state;
    struct enroll_report report = issued_report();
    report.challenge_id[0] = '\0';
    snprintf(report.common_name, sizeof report.common_name, "x\nscepd event=forged \"cn=y\x01");
    buf_done(&report.transaction_id);
    assert_int_equal(buf_copy(view_of("a\0b\r\n=", 6), &report.transaction_id, NULL), ERR_OK);
    const struct request_line request = {.peer = "192.0.2.7",
                                         .method = "GET\nX",
                                         .client = "a\" status=200 \xc3\xa4",
                                         .operation = OPERATION_PKI,
                                         .status = 200,
                                         .report = &report};
    const char *text = compose(&request);
    assert_null(strchr(text, '\n'));
    assert_null(strchr(text, '\r'));
    assert_non_null(strstr(text, " method=\"GET\\x0aX\" "));
    assert_non_null(strstr(text, " transaction=\"a\\x00b\\x0d\\x0a=\" "));
    assert_non_null(strstr(text, " cn=\"x\\x0ascepd event=forged \\\"cn=y\\x01\" "));
    assert_non_null(strstr(text, " client=\"a\\\" status=200 \\xc3\\xa4\""));
    buf_done(&report.transaction_id);
}

// The longest of everything: the line is cut, at its end, and what is certain is all there.
static void is_bounded(void **state)
{
    (void)state;
    struct enroll_report report = issued_report();
    char client[4096];
    uint8_t id[LIMIT_TRANSACTION_ID];
    memset(client, '\x01', sizeof client - 1);
    client[sizeof client - 1] = '\0';
    memset(id, 0xff, sizeof id);
    memset(report.common_name, '\x02', sizeof report.common_name - 1);
    memset(report.reason, '\x03', sizeof report.reason - 1);
    report.alarm = "an alarm";
    buf_done(&report.transaction_id);
    assert_int_equal(buf_copy(view_of(id, sizeof id), &report.transaction_id, NULL), ERR_OK);
    const struct request_line request = {.peer = "192.0.2.7",
                                         .method = client,
                                         .client = client,
                                         .operation = OPERATION_PKI,
                                         .status = 200,
                                         .report = &report,
                                         .total_us = INT64_MAX};
    const char *text = compose(&request);
    assert_true(strlen(text) < LOG_LINE_LEN);
    assert_non_null(strstr(text, " decision=issue "));
    assert_non_null(strstr(text, " serial=01ab"));
    assert_non_null(strstr(text, " total_us=9223372036854775807 "));
    assert_non_null(strstr(text, " alarm=\"an alarm\" "));
    buf_done(&report.transaction_id);
}

static void has_the_level_of_who_is_at_fault(void **state)
{
    (void)state;
    const struct {
        bool has_report;
        enum log_level report_level;
        const char *alarm;
        unsigned status;
        enum log_level level;
    } cases[] = {
        {false, LOG_LEVEL_INFO, NULL, 200, LOG_LEVEL_INFO},
        {false, LOG_LEVEL_INFO, NULL, 400, LOG_LEVEL_INFO},
        {false, LOG_LEVEL_INFO, NULL, 413, LOG_LEVEL_INFO},
        {false, LOG_LEVEL_INFO, NULL, 500, LOG_LEVEL_ERROR},
        {false, LOG_LEVEL_INFO, NULL, 503, LOG_LEVEL_WARNING},
        {true, LOG_LEVEL_INFO, NULL, 200, LOG_LEVEL_INFO},
        {true, LOG_LEVEL_ERROR, NULL, 503, LOG_LEVEL_ERROR},
        {true, LOG_LEVEL_WARNING, NULL, 200, LOG_LEVEL_WARNING},
        {true, LOG_LEVEL_INFO, "look", 200, LOG_LEVEL_WARNING},
        {true, LOG_LEVEL_ERROR, "look", 503, LOG_LEVEL_ERROR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct enroll_report report = {.level = cases[i].report_level,
                                             .alarm = cases[i].alarm};
        const struct request_line request = {.status = cases[i].status,
                                             .report = cases[i].has_report ? &report : NULL};
        assert_int_equal(request_log_level(&request), cases[i].level);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_all_of_an_enrolment),
        cmocka_unit_test(leaves_out_what_is_not_known),
        cmocka_unit_test(tells_of_cheap_operations),
        cmocka_unit_test(says_when_the_challenge_was_absent),
        cmocka_unit_test(marks_a_claim),
        cmocka_unit_test(cannot_be_forged),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(has_the_level_of_who_is_at_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
