// SPDX-License-Identifier: Apache-2.0
// What scepctl reads from the command line and how it prints tables.
#include "kit/kit.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/ctl/read.h"
#include "server/ctl/table.h"

#define MINUTE 60
#define DAY    INT64_C(86400)

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err_code code;
        int64_t seconds;
        const char *words;
    } rows[] = {
        {"90s", ERR_OK, 90, NULL},
        {"15m", ERR_OK, 900, NULL},
        {"1h", ERR_OK, 3600, NULL},
        {"2d", ERR_OK, 2 * DAY, NULL},
        {"60s", ERR_OK, 60, NULL},
        {"365d", ERR_OK, 365 * DAY, NULL},
        {"59s", ERR_LIMIT, 0, "\"59s\" is out of range; allowed are 60s to 365d"},
        {"366d", ERR_LIMIT, 0, "out of range"},
        {"999999999d", ERR_LIMIT, 0, "out of range"},
        {"9999999999s", ERR_SYNTAX, 0, "not a length of time"},
        {"0s", ERR_LIMIT, 0, "out of range"},
        {"", ERR_SYNTAX, 0, "write a whole number and s, m, h or d"},
        {"h", ERR_SYNTAX, 0, "\"h\" is not a length of time"},
        {"90", ERR_SYNTAX, 0, "not a length of time"},
        {"1.5h", ERR_SYNTAX, 0, "not a length of time"},
        {"-1h", ERR_SYNTAX, 0, "not a length of time"},
        {"+1h", ERR_SYNTAX, 0, "not a length of time"},
        {" 1h", ERR_SYNTAX, 0, "not a length of time"},
        {"1h ", ERR_SYNTAX, 0, "not a length of time"},
        {"1H", ERR_SYNTAX, 0, "not a length of time"},
        {"1w", ERR_SYNTAX, 0, "not a length of time"},
        {"1h30m", ERR_SYNTAX, 0, "not a length of time"},
        {"0x10s", ERR_SYNTAX, 0, "not a length of time"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        int64_t seconds = 0;
        assert_int_equal(read_duration(rows[i].text, MINUTE, 365 * DAY, &seconds, &err),
                         rows[i].code);
        assert_int_equal(seconds, rows[i].seconds);
        assert_true(rows[i].words == NULL || strstr(err.text, rows[i].words) != NULL);
    }
}

static void test_counts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err_code code;
        int64_t count;
        const char *words;
    } rows[] = {
        {"1", ERR_OK, 1, NULL},
        {"1000", ERR_OK, 1000, NULL},
        {"0", ERR_LIMIT, 0, "0 is out of range; allowed are 1 to 1000"},
        {"1001", ERR_LIMIT, 0, "1001 is out of range"},
        {"99999999999999999999", ERR_SYNTAX, 0, "not a whole number; allowed are 1 to 1000"},
        {"", ERR_SYNTAX, 0, "\"\" is not a whole number"},
        {"-1", ERR_SYNTAX, 0, "not a whole number"},
        {"1 ", ERR_SYNTAX, 0, "not a whole number"},
        {"ten", ERR_SYNTAX, 0, "\"ten\" is not a whole number"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        int64_t count = 0;
        assert_int_equal(read_count(rows[i].text, 1, 1000, &count, &err), rows[i].code);
        assert_int_equal(count, rows[i].count);
        assert_true(rows[i].words == NULL || strstr(err.text, rows[i].words) != NULL);
    }
}

static void test_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *shown;
    } rows[] = {
        {"", ""},
        {"SEP001A2B3C4D5E", "SEP001A2B3C4D5E"},
        {"M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x93\x9e",
         "M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x93\x9e"},
        {"a\x1b[31mb\nc\td\x7f", "a\\x1b[31mb\\x0ac\\x09d\\x7f"},
        {"\xc2\x9b", "\\u{009B}"},                            // the one-octet CSI
        {"\xe2\x80\xaeo\xe2\x80\xac", "\\u{202E}o\\u{202C}"}, // right to left, and back
        {"\xe2\x80\xa8", "\\u{2028}"},                        // line separator
        {"\xef\xbb\xbf", "\\u{FEFF}"},                        // byte order mark
        {"\xf3\xa0\x81\x81", "\\u{E0041}"},                   // invisible tag
        {"\x9b", "\\x9b"},                                    // continuation alone
        {"\xc3", "\\xc3"},                                    // cut
        {"\xc3(", "\\xc3("},                                  // wrong continuation
        {"\xe2\x82", "\\xe2\\x82"},                           // cut
        {"\xc0\xaf", "\\xc0\\xaf"},                           // overlong '/'
        {"\xe0\x80\x8a", "\\xe0\\x80\\x8a"},                  // overlong newline
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},                  // surrogate
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},         // beyond Unicode
        {"\xff\xfe", "\\xff\\xfe"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf shown = {0};
        assert_int_equal(table_escape(&shown, rows[i].text, NULL), ERR_OK);
        assert_true(view_is_text(buf_view(&shown), rows[i].shown));
        buf_done(&shown);
    }
}

static char *print(const struct table *table)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_int_equal(table_print(table, out, NULL), ERR_OK);
    fclose(out);
    return text;
}

static void test_columns_are_aligned(void **state)
{
    (void)state;
    struct table table = table_of(3);
    table_add(&table, (const char *[]){"ID", "NAME", "STATE"});
    table_add(&table, (const char *[]){"1", "M\xc3\xbcller", "valid"});
    table_add(&table, (const char *[]){"234", NULL, "a\nb"});
    table_add(&table, (const char *[]){"5", "\xe7\x94\xb5\xe8\xaf\x9d", ""}); // two cells each
    char *text = print(&table);
    assert_string_equal(text, "ID   NAME    STATE\n"
                              "1    M\xc3\xbcller  valid\n"
                              "234  -       a\\x0ab\n"
                              "5    \xe7\x94\xb5\xe8\xaf\x9d    \n");
    free(text);
    table_done(&table);
}

static void test_empty_table(void **state)
{
    (void)state;
    struct table table = table_of(2);
    char *text = print(&table);
    assert_string_equal(text, "");
    free(text);
    table_done(&table);
}

static void test_unwritable_output(void **state)
{
    (void)state;
    struct err err = {0};
    struct table table = table_of(1);
    table_add(&table, (const char *[]){"x"});
    FILE *out = fopen("/dev/full", "w");
    assert_non_null(out);
    setvbuf(out, NULL, _IONBF, 0);
    assert_int_equal(table_print(&table, out, &err), ERR_IO);
    assert_string_equal(err.text, "cannot write the output");
    fclose(out);
    table_done(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),   cmocka_unit_test(test_counts),
        cmocka_unit_test(test_escapes),     cmocka_unit_test(test_columns_are_aligned),
        cmocka_unit_test(test_empty_table), cmocka_unit_test(test_unwritable_output),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
