// SPDX-License-Identifier: Apache-2.0
// A secret is the first line of a file.
#include "kit/kit.h"

#include <stdlib.h>
#include <string.h>

#include "server/ctl/secret_file.h"

#define MAX_LEN 8

static void files(void **state)
{
    (void)state;
    static const struct {
        const char *content;
        size_t len; // of the content; 0 = up to its NUL
        enum err_code code;
        const char *words; // the secret, or the error
    } rows[] = {
        {"secret", 0, ERR_OK, "secret"},
        {"secret\n", 0, ERR_OK, "secret"},
        {"secret\r\nmore\n", 0, ERR_OK, "secret"},
        {" sec ret \n", 0, ERR_LIMIT, "has 9 octets; allowed are at most 8"},
        {"12345678\n", 0, ERR_OK, "12345678"},
        {"", 0, ERR_SYNTAX, "is empty"},
        {"\nsecret\n", 0, ERR_SYNTAX, "the first line of "},
        {"se\0cret\n", 8, ERR_SYNTAX, "has a NUL in it"},
    };
    char *folder = kit_new_folder();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        struct buf secret = {0};
        size_t len = rows[i].len > 0 ? rows[i].len : strlen(rows[i].content);
        char *path = kit_write(folder, "secret", view_of(rows[i].content, len));
        assert_int_equal(secret_file_read(path, MAX_LEN, &secret, &err), rows[i].code);
        if (rows[i].code == ERR_OK) {
            assert_true(view_is_text(buf_view(&secret), rows[i].words));
        } else {
            assert_non_null(strstr(err.text, rows[i].words));
            assert_null(strstr(err.text, "cret\n"));
            assert_int_equal(secret.len, 0);
        }
        buf_wipe(&secret);
        free(path);
    }
    kit_remove_folder(folder);
}

static void no_file(void **state)
{
    (void)state;
    struct err err = {0};
    struct buf secret = {0};
    assert_int_equal(secret_file_read("/nonexistent/secret", MAX_LEN, &secret, &err),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nonexistent/secret"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files),
        cmocka_unit_test(no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
