// SPDX-License-Identifier: Apache-2.0
// Cells of a CSV file that no spreadsheet takes for a formula.
#include "kit/kit.h"

#include "server/ctl/archive/export_csv.h"

static void test_cells(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *cell;
    } rows[] = {
        {NULL, "\"\""},
        {"", "\"\""},
        {"SEP001A2B3C4D5E", "\"SEP001A2B3C4D5E\""},
        {"a,b", "\"a,b\""},
        {"a\"b\"", "\"a\"\"b\"\"\""},
        {"M\xc3\xbcller", "\"M\xc3\xbcller\""},
        {"=1+1", "\"'=1+1\""},
        {"+1", "\"'+1\""},
        {"-1", "\"'-1\""},
        {"@SUM(A1)", "\"'@SUM(A1)\""},
        {"  =1", "\"'  =1\""},
        {"\xef\xbc\x9d"
         "1",
         "\"'\xef\xbc\x9d"
         "1\""},
        {"=\"a\"", "\"'=\"\"a\"\"\""},
        {"a=b", "\"a=b\""},
        {"\t=1", "\"\\x09=1\""},
        {"a\r\n=1", "\"a\\x0d\\x0a=1\""},
        {"\xff", "\"\\xff\""},
        {"a\x1b[2J", "\"a\\x1b[2J\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        assert_int_equal(export_csv_cell(&out, rows[i].text, NULL), ERR_OK);
        if (!view_is_text(buf_view(&out), rows[i].cell)) {
            fail_msg("%.*s instead of %s", (int)out.len, (const char *)out.data, rows[i].cell);
        }
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cells)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
