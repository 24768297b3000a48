// SPDX-License-Identifier: Apache-2.0
// Log lines: escaping, clipping, levels, and the journal's priorities. Standard error is a file
// while a line is written.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "conf/base/log.h"
#include "kit/kit.h"

struct capture {
    FILE *file;
    int saved_stderr;
    char text[4 * LOG_LINE_LEN];
};

static void capture_begin(struct capture *capture)
{
    capture->file = tmpfile();
    assert_non_null(capture->file);
    capture->saved_stderr = dup(STDERR_FILENO);
    assert_int_equal(dup2(fileno(capture->file), STDERR_FILENO), STDERR_FILENO);
}

static const char *capture_end(struct capture *capture)
{
    dup2(capture->saved_stderr, STDERR_FILENO);
    close(capture->saved_stderr);
    rewind(capture->file);
    size_t len = fread(capture->text, 1, sizeof capture->text - 1, capture->file);
    capture->text[len] = '\0';
    fclose(capture->file);
    return capture->text;
}

static int start(void **state)
{
    (void)state;
    unsetenv("JOURNAL_STREAM");
    log_init("test", LOG_LEVEL_INFO);
    return 0;
}

static void escapes_values(void **state)
{
    (void)state;
    const struct {
        struct view value;
        const char *shown;
    } cases[] = {
        {view_of_text("SEP0011"), "SEP0011"},
        {VIEW_EMPTY, "\"\""},
        {view_of_text("a b"), "\"a b\""},
        {view_of_text("a=b"), "\"a=b\""},
        {view_of_text("say \"x\""), "\"say \\\"x\\\"\""},
        {view_of_text("a\\x0a"), "\"a\\\\x0a\""},
        {view_of_text("x\nevent=forged"), "\"x\\x0aevent=forged\""},
        {view_of("a\0b", 3), "\"a\\x00b\""},
        {view_of_text("\xc3\xa4\x7f"), "\"\\xc3\\xa4\\x7f\""},
        {view_of_text("\x1b[31m"), "\"\\x1b[31m\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct log_line line;
        char expected[LOG_LINE_LEN];
        snprintf(expected, sizeof expected, "event=e key=%s", cases[i].shown);
        log_begin(&line, "e");
        log_add(&line, "key", cases[i].value);
        assert_int_equal(line.len, strlen(expected));
        assert_memory_equal(line.text, expected, line.len);
    }
}

static void writes_every_kind_of_value(void **state)
{
    (void)state;
    struct capture capture;
    struct log_line line;
    struct err err = {.code = ERR_BAD_ALG, .text = "MD5 is off"};
    capture_begin(&capture);
    log_begin(&line, "request");
    log_add_text(&line, "cn", "SEP0011");
    log_add_text(&line, "absent", NULL);
    log_add_int(&line, "us", INT64_MIN);
    log_add_hex(&line, "serial", view_of("\x01\xab", 2));
    log_add_err(&line, &err);
    log_end(&line, LOG_LEVEL_WARNING);
    assert_string_equal(capture_end(&capture),
                        "test level=warning event=request cn=SEP0011 us=-9223372036854775808 "
                        "serial=01ab error=badAlg reason=\"MD5 is off\"\n");
}

static void clips_long_values(void **state)
{
    (void)state;
    char value[LOG_VALUE_LEN + 2];
    char expected[LOG_VALUE_LEN + 32];
    struct log_line line;
    memset(value, 'v', sizeof value);
    log_begin(&line, "e");
    log_add(&line, "k", view_of(value, LOG_VALUE_LEN));
    snprintf(expected, sizeof expected, "event=e k=%.*s", LOG_VALUE_LEN, value);
    assert_int_equal(line.len, strlen(expected));
    assert_memory_equal(line.text, expected, line.len);
    log_begin(&line, "e");
    log_add(&line, "k", view_of(value, LOG_VALUE_LEN + 1));
    snprintf(expected, sizeof expected, "event=e k=%.*s...", LOG_VALUE_LEN, value);
    assert_int_equal(line.len, strlen(expected));
    assert_memory_equal(line.text, expected, line.len);
}

static void cuts_long_lines(void **state)
{
    (void)state;
    struct capture capture;
    struct log_line line;
    uint8_t value[LOG_VALUE_LEN];
    memset(value, 1, sizeof value);
    capture_begin(&capture);
    log_begin(&line, "e");
    for (int i = 0; i < 10; i++) {
        log_add(&line, "k", view_of(value, sizeof value));
        log_add_hex(&line, "h", view_of(value, sizeof value));
    }
    log_end(&line, LOG_LEVEL_INFO);
    const char *text = capture_end(&capture);
    size_t head = strlen("test level=info ");
    assert_int_equal(strlen(text), head + LOG_LINE_LEN);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void leaves_out_lesser_levels(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    log_message(LOG_LEVEL_DEBUG, "a", "no");
    log_message(LOG_LEVEL_INFO, "b", "%d phones", 3);
    log_set_level(LOG_LEVEL_ERROR);
    log_message(LOG_LEVEL_WARNING, "c", "no");
    log_message(LOG_LEVEL_ERROR, "d", "x");
    log_set_level(LOG_LEVEL_DEBUG);
    log_message(LOG_LEVEL_DEBUG, "e", "x");
    assert_string_equal(capture_end(&capture), "test level=info event=b message=\"3 phones\"\n"
                                               "test level=error event=d message=x\n"
                                               "test level=debug event=e message=x\n");
}

static void reports_failures(void **state)
{
    (void)state;
    struct capture capture;
    struct err err = {.code = ERR_FULL, .text = "store: No space left"};
    capture_begin(&capture);
    log_failure(LOG_LEVEL_ERROR, "commit", &err);
    assert_string_equal(
        capture_end(&capture),
        "test level=error event=commit error=full reason=\"store: No space left\"\n");
}

static void set_journal_stream(int fd, unsigned long inode_offset)
{
    struct stat status;
    char name[64];
    assert_int_equal(fstat(fd, &status), 0);
    snprintf(name, sizeof name, "%ju:%ju", (uintmax_t)status.st_dev,
             (uintmax_t)status.st_ino + inode_offset);
    setenv("JOURNAL_STREAM", name, 1);
}

#define JOURNAL_LEN 4096

static struct {
    bool is_deaf;
    char text[JOURNAL_LEN]; // the fields of all entries, a line each
} journal;

int __wrap_sd_journal_sendv(const struct iovec *fields, int count);
int __wrap_sd_journal_sendv(const struct iovec *fields, int count)
{
    size_t used = strlen(journal.text);
    if (journal.is_deaf) {
        return -ENOBUFS;
    }
    for (int i = 0; i < count; i++) {
        used += (size_t)snprintf(journal.text + used, JOURNAL_LEN - used, "%.*s\n",
                                 (int)fields[i].iov_len, (const char *)fields[i].iov_base);
    }
    return 0;
}

static void gives_the_journal_fields(void **state)
{
    (void)state;
    struct capture capture;
    struct log_line line;
    capture_begin(&capture);
    set_journal_stream(STDERR_FILENO, 0);
    log_init("test", LOG_LEVEL_INFO);
    journal.is_deaf = false;
    journal.text[0] = '\0';
    log_begin(&line, "request");
    log_add_text(&line, "cn", "CP-9871 \xc3\xa9\nSCEPD_MAC=forged");
    log_add_int(&line, "total_us", -5);
    log_add_hex(&line, "serial", view_of("\x01\xab", 2));
    log_end(&line, LOG_LEVEL_WARNING);
    log_message(LOG_LEVEL_DEBUG, "quiet", "x");
    assert_string_equal(capture_end(&capture), "");
    assert_string_equal(journal.text,
                        "MESSAGE=event=request cn=\"CP-9871 \\xc3\\xa9\\x0aSCEPD_MAC=forged\" "
                        "total_us=-5 serial=01ab\n"
                        "PRIORITY=4\nSYSLOG_IDENTIFIER=test\nSCEPD_EVENT=request\n"
                        "SCEPD_CN=CP-9871 \xc3\xa9?SCEPD_MAC=forged\n"
                        "SCEPD_TOTAL_US=-5\nSCEPD_SERIAL=01ab\n");
}

// What finds no room is in the text alone.
static void bounds_the_fields(void **state)
{
    (void)state;
    struct capture capture;
    static struct log_line line;
    static char long_value[LOG_VALUE_LEN + 1];
    memset(long_value, 'v', LOG_VALUE_LEN);
    capture_begin(&capture);
    set_journal_stream(STDERR_FILENO, 0);
    log_init("test", LOG_LEVEL_INFO);
    log_begin(&line, "long");
    for (int i = 0; i < 2 * LOG_FIELDS_MAX; i++) {
        log_add_text(&line, "key", long_value);
    }
    assert_true(line.field_count > 0 && line.field_count < LOG_FIELDS_MAX);
    assert_true(line.field_ends[line.field_count - 1] <= sizeof line.fields);
    log_begin(&line, "many");
    for (int i = 0; i < 2 * LOG_FIELDS_MAX; i++) {
        log_add_int(&line, "k", i);
    }
    assert_int_equal(line.field_count, LOG_FIELDS_MAX);
    capture_end(&capture);
}

static void has_priorities_without_fields(void **state)
{
    (void)state;
    struct capture capture;
    journal.is_deaf = true;
    capture_begin(&capture);
    set_journal_stream(STDERR_FILENO, 0);
    log_init("test", LOG_LEVEL_DEBUG);
    log_message(LOG_LEVEL_ERROR, "a", "x");
    log_message(LOG_LEVEL_WARNING, "b", "x");
    log_message(LOG_LEVEL_INFO, "c", "x");
    log_message(LOG_LEVEL_DEBUG, "d", "x");
    assert_string_equal(capture_end(&capture), "<3>event=a message=x\n<4>event=b message=x\n"
                                               "<6>event=c message=x\n<7>event=d message=x\n");
}

static void another_stream_is_not_the_journal(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    set_journal_stream(STDERR_FILENO, 1);
    log_init("test", LOG_LEVEL_INFO);
    log_message(LOG_LEVEL_INFO, "a", "x");
    assert_string_equal(capture_end(&capture), "test level=info event=a message=x\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(escapes_values, start),
        cmocka_unit_test_setup(writes_every_kind_of_value, start),
        cmocka_unit_test_setup(clips_long_values, start),
        cmocka_unit_test_setup(cuts_long_lines, start),
        cmocka_unit_test_setup(leaves_out_lesser_levels, start),
        cmocka_unit_test_setup(reports_failures, start),
        cmocka_unit_test_setup(gives_the_journal_fields, start),
        cmocka_unit_test_setup(bounds_the_fields, start),
        cmocka_unit_test_setup(has_priorities_without_fields, start),
        cmocka_unit_test_setup(another_stream_is_not_the_journal, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
