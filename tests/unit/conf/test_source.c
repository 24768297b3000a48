// SPDX-License-Identifier: Apache-2.0
// What is done to a settings file's text before libconfig sees it.
#include <string.h>

#include "conf/source.h"
#include "kit/kit.h"

static void widens_integers_and_nothing_else(void **state)
{
    (void)state;
    const struct {
        const char *from;
        const char *to;
    } cases[] = {
        {"", ""},
        {"a=1;", "a=1L;"},
        {"a = -12 ;b=+3", "a = -12L ;b=+3L"},
        {"a=0x1F,b=0Xff;", "a=0x1FL,b=0XffL;"},
        {"a=[1,2];b=(3);", "a=[1L,2L];b=(3L);"},
        {"a=1L;b=2LL;c=0x3L", "a=1L;b=2LL;c=0x3L"},
        {"a=1.5;b=1e5;c=.5;d=-1.", "a=1.5;b=1e5;c=.5;d=-1."},
        {"a1=x2;a-3=4", "a1=x2;a-3=4L"},
        {"a=\"1 2\";b=\"\\\"3\";c=4", "a=\"1 2\";b=\"\\\"3\";c=4L"},
        {"a=\"1\n2\";b=3", "a=\"1\n2\";b=3L"},
        {"# 1\na=2 // 3 \"\n/* 4 \" \n*/ b=5", "# 1\na=2L // 3 \"\n/* 4 \" \n*/ b=5L"},
        {"a=\"# 1\";b=2", "a=\"# 1\";b=2L"},
        {"/* 1", "/* 1"},
        {"# @include", "# @include"},
        {"a=\"@\"", "a=\"@\""},
        {"0x", "0x"},
        {"-", "-"},
        {"\xff\xfe 1", "\xff\xfe 1L"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        struct buf text = {0};
        unsigned line = 0;
        assert_int_equal(source_prepare(view_of_text(cases[i].from), &text, &line, &err), ERR_OK);
        assert_string_equal((const char *)text.data, cases[i].to);
        assert_int_equal(text.len, strlen(cases[i].to));
        buf_done(&text);
    }
}

static void refuses_what_libconfig_must_not_see(void **state)
{
    (void)state;
    const struct {
        struct view file;
        unsigned line;
        const char *why;
    } cases[] = {
        {view_of("a=1;\n\nb\0", 8), 3, "a NUL octet; allowed: text"},
        {view_of("\0", 1), 1, "a NUL octet; allowed: text"},
        {view_of_text("a=\"b\";\nc=\"1;\nd=2;\n"), 2,
         "a text without an end; allowed: a quote behind it"},
        {view_of_text("\"1\\"), 1, "a text without an end; allowed: a quote behind it"},
        {view_of_text("\"1\\\""), 1, "a text without an end; allowed: a quote behind it"},
        {view_of_text("\""), 1, "a text without an end; allowed: a quote behind it"},
        {view_of_text("a=1;\n@include \"/\"\n"), 2, "@include; allowed: settings in this one file"},
        {view_of_text("/*\n\n*/ @include \"/\""), 3,
         "@include; allowed: settings in this one file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        struct buf text = {0};
        unsigned line = 0;
        assert_int_equal(source_prepare(cases[i].file, &text, &line, &err), ERR_SYNTAX);
        assert_int_equal(line, cases[i].line);
        assert_string_equal(err.text, cases[i].why);
        assert_null(text.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widens_integers_and_nothing_else),
        cmocka_unit_test(refuses_what_libconfig_must_not_see),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
