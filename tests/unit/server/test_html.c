// SPDX-License-Identifier: Apache-2.0
// The one writer of HTML: nothing that comes from outside is markup, nothing hides.
#include <string.h>

#include "kit/kit.h"
#include "server/web/html.h"

static void assert_text(const char *text, const char *expected)
{
    struct buf out = {0};
    struct html html = {.out = &out};
    html_add(&html, "[%s]", text);
    assert_int_equal(html_finish(&html, NULL), ERR_OK);
    assert_int_equal(buf_append(&out, view_of("", 1), NULL), ERR_OK);
    char *wanted = NULL;
    assert_true(asprintf(&wanted, "[%s]", expected) > 0);
    assert_string_equal((const char *)out.data, wanted);
    free(wanted);
    buf_done(&out);
}

static void text_is_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        {"", ""},
        {"CP-8841-SEP001A2B3C4D5E", "CP-8841-SEP001A2B3C4D5E"},
        {"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
        {"\"><img src=x onerror='x'>", "&quot;&gt;&lt;img src=x onerror=&#39;x&#39;&gt;"},
        {"a & b &amp; c", "a &amp; b &amp;amp; c"},
        {"%s%n%x", "%s%n%x"},
        {"Müller 電話 \xF0\x9F\x93\x9E", "Müller 電話 \xF0\x9F\x93\x9E"},
        // Control characters.
        {"a\tb\r\nc\x7F", "a\\u{09}b\\u{0D}\\u{0A}c\\u{7F}"},
        {"\x1B[31m", "\\u{1B}[31m"},
        {"\xC2\x85", "\\u{85}"},
        // Marks that turn the order of their neighbours around, or show nothing.
        {"abc\xE2\x80\xAE"
         "fdp.exe\xE2\x80\xAC",
         "abc\\u{202E}fdp.exe\\u{202C}"},
        {"\xE2\x80\x8F\xE2\x81\xA6x\xE2\x81\xA9", "\\u{200F}\\u{2066}x\\u{2069}"},
        {"\xD8\x9C\xE2\x80\x8B\xEF\xBB\xBF", "\\u{61C}\\u{200B}\\u{FEFF}"},
        {"\xE2\x80\xA8", "\\u{2028}"},
        {"\xF3\xA0\x80\xA0", "\\u{E0020}"},
        // No UTF-8: cut, overlong, surrogates, beyond the last character, lone octets.
        {"\xC3", "\\x{C3}"},
        {"\xE2\x80", "\\x{E2}\\x{80}"},
        {"\xC0\xBC", "\\x{C0}\\x{BC}"},
        {"\xE0\x80\xBC", "\\x{E0}\\x{80}\\x{BC}"},
        {"\xF0\x80\x80\xBC", "\\x{F0}\\x{80}\\x{80}\\x{BC}"},
        {"\xED\xA0\x80", "\\x{ED}\\x{A0}\\x{80}"},
        {"\xF4\x90\x80\x80", "\\x{F4}\\x{90}\\x{80}\\x{80}"},
        {"\xFF<", "\\x{FF}&lt;"},
        {"\xC3<b>", "\\x{C3}&lt;b&gt;"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_text(rows[i].text, rows[i].expected);
    }
    assert_text(NULL, HTML_DASH);
}

static void numbers_and_percent_signs(void **state)
{
    (void)state;
    struct buf out = {0};
    struct html html = {.out = &out};
    html_add(&html, "<b>%jd</b> %jd%% %s", (intmax_t)INTMAX_MAX, (intmax_t)-7, "<");
    assert_true(view_is_text(buf_view(&out), "<b>9223372036854775807</b> -7% &lt;"));
    buf_done(&out);
}

// A conversion that it does not know ends the page instead of showing something else.
static void unknown_conversions_fail(void **state)
{
    (void)state;
    struct buf out = {0};
    struct html html = {.out = &out};
    struct err err = {0};
    html_add(&html, "<p>%d</p>", 7);
    assert_true(html.failed);
    assert_int_equal(html_finish(&html, &err), ERR_NOMEM);
    size_t len = out.len;
    html_add(&html, "more");
    assert_int_equal(out.len, len);
    buf_done(&out);
}

static void urls_are_encoded(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        {"001A2B3C4D5E", "001A2B3C4D5E"},
        {"a-b._~", "a-b._~"},
        {"../../x?y#z", "..%2F..%2Fx%3Fy%23z"},
        {"a b&c=\"d\"", "a%20b%26c%3D%22d%22"},
        {"<\xC3\xBC>", "%3C%C3%BC%3E"},
        {"javascript:x", "javascript%3Ax"},
        {"%41", "%2541"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        struct html html = {.out = &out};
        html_add_url(&html, rows[i].text);
        if (!view_is_text(buf_view(&out), rows[i].expected)) {
            fail_msg("%s: %.*s", rows[i].text, (int)out.len, (const char *)out.data);
        }
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(numbers_and_percent_signs),
        cmocka_unit_test(unknown_conversions_fail),
        cmocka_unit_test(urls_are_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
