// SPDX-License-Identifier: Apache-2.0
// A settings file for another place.
#include "kit/kit.h"

#include <stdlib.h>
#include <string.h>

#include "server/ctl/archive/restore_config.h"

#define ADAPTED "# Settings of scepd, restored into a folder of their own"

static enum err_code adapt(const char *text, const char *into, struct buf *out, struct err *err)
{
    json_t *list = json_loads(into, 0, NULL);
    assert_non_null(list);
    enum err_code code = restore_config_adapt(view_of_text(text), list, out, err);
    json_decref(list);
    return code;
}

static void test_as_it_is(void **state)
{
    (void)state;
    static const char text[] = "# words\nca = { key = \"ca.key\"; };\n"
                               "mic = ( { roots = [\"a.pem\", \"b.pem\"]; } );\n";
    struct buf out = {0};
    assert_int_equal(adapt(text,
                           "[{\"setting\": \"ca.key\", \"value\": \"ca.key\"},"
                           " {\"setting\": \"mic[0].roots\", \"value\": [\"a.pem\", \"b.pem\"]}]",
                           &out, NULL),
                     ERR_OK);
    assert_true(view_is_text(buf_view(&out), text));
    buf_done(&out);
}

static void assert_has(const struct buf *out, const char *words)
{
    if (memmem(out->data, out->len, words, strlen(words)) == NULL) {
        fail_msg("\"%s\" is not in \"%.*s\"", words, (int)out->len, (const char *)out->data);
    }
}

static void test_adapted(void **state)
{
    (void)state;
    static const char text[] = "http = { queue = 5000000; };\nca = { key = \"/etc/x/ca.key\"; };\n"
                               "mic = ( { roots = [\"/etc/x/a.pem\", \"b.pem\"]; } );\n";
    struct buf out = {0};
    assert_int_equal(adapt(text,
                           "[{\"setting\": \"ca.key\", \"value\": \"ca.key\"},"
                           " {\"setting\": \"ca.socket\", \"value\": \"ca.sock\"},"
                           " {\"setting\": \"store.directory\", \"value\": \"store\"},"
                           " {\"setting\": \"mic[0].roots\", \"value\": [\"a.pem\", \"b.pem\"]}]",
                           &out, NULL),
                     ERR_OK);
    assert_has(&out, ADAPTED);
    assert_has(&out, "key = \"ca.key\";");
    assert_has(&out, "socket = \"ca.sock\";");
    assert_has(&out, "directory = \"store\";");
    assert_has(&out, "roots = [ \"a.pem\", \"b.pem\" ];");
    assert_has(&out, "queue = 5000000");
    buf_done(&out);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *into;
        const char *words;
    } rows[] = {
        {"ca = {", "[]", "line 1: syntax error"},
        {"\n@include \"/etc/passwd\"\n", "[]", "line 2: @include"},
        {"ca = { key = 7; };", "[{\"setting\": \"ca.key\", \"value\": \"x\"}]",
         "no ca.key to adapt"},
        {"", "[{\"setting\": \"mic[0].roots\", \"value\": [\"a\"]}]", "no mic[0].roots to adapt"},
        {"mic = ( { roots = [\"a\"]; } );",
         "[{\"setting\": \"mic[0].roots\", \"value\": [\"a\", \"b\"]}]",
         "no mic[0].roots to adapt"},
        {"mic = ( { roots = [1]; } );", "[{\"setting\": \"mic[0].roots\", \"value\": [\"a\"]}]",
         "no mic[0].roots to adapt"},
        {"", "[{\"setting\": \"key\", \"value\": \"a\"}]", "no key to adapt"},
        {"ca = 7;", "[{\"setting\": \"ca.key\", \"value\": \"a\"}]", "no ca.key to adapt"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        struct err err = {0};
        enum err_code code = adapt(rows[i].text, rows[i].into, &out, &err);
        assert_true(code == ERR_CONFIG || code == ERR_SYNTAX);
        if (strstr(err.text, rows[i].words) == NULL) {
            fail_msg("\"%s\" is not in \"%s\"", rows[i].words, err.text);
        }
        assert_int_equal(out.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_it_is),
        cmocka_unit_test(test_adapted),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
