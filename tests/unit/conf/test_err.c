// SPDX-License-Identifier: Apache-2.0
// Errors: codes, context, what is cut, and the OpenSSL queue.
#include <errno.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "kit/kit.h"

static void notes_and_returns(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(err_set(&err, ERR_LIMIT, "%d of %s", 3, "these"), ERR_LIMIT);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.text, "3 of these");
    assert_int_equal(err_prefix(&err, "the %s", "list"), ERR_LIMIT);
    assert_string_equal(err.text, "the list: 3 of these");
    assert_int_equal(err_set(NULL, ERR_BUSY, "nobody listens"), ERR_BUSY);
}

static void maps_errno(void **state)
{
    (void)state;
    const struct {
        int error;
        enum err_code code;
        const char *text;
    } cases[] = {
        {ENOSPC, ERR_FULL, "x: No space left on device"},
        {EDQUOT, ERR_FULL, "x: Disk quota exceeded"},
        {ENOENT, ERR_NOT_FOUND, "x: No such file or directory"},
        {EEXIST, ERR_EXISTS, "x: File exists"},
        {ENOMEM, ERR_NOMEM, "x: Cannot allocate memory"},
        {EACCES, ERR_IO, "x: Permission denied"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        errno = cases[i].error;
        assert_int_equal(err_set_errno(&err, "%s", "x"), cases[i].code);
        assert_int_equal(err.code, cases[i].code);
        assert_string_equal(err.text, cases[i].text);
        errno = cases[i].error;
        assert_int_equal(err_set_errno(NULL, "x"), cases[i].code);
    }
}

static void cuts_long_context(void **state)
{
    (void)state;
    char longest[2 * ERR_TEXT_LEN];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    struct err err = {0};
    err_set(&err, ERR_SYNTAX, "%s", longest);
    assert_int_equal(strlen(err.text), ERR_TEXT_LEN - 1);
    err_prefix(&err, "head");
    assert_int_equal(strlen(err.text), ERR_TEXT_LEN - 1);
    assert_memory_equal(err.text, "head: aaa", 9);
    err_prefix(&err, "%s", longest);
    assert_int_equal(strlen(err.text), ERR_TEXT_LEN - 1);
    errno = ENOENT;
    err_set_errno(&err, "%s", longest);
    assert_int_equal(strlen(err.text), ERR_TEXT_LEN - 1);
}

static void empties_the_openssl_queue(void **state)
{
    (void)state;
    struct err err = {0};
    const unsigned char *junk = (const unsigned char *)"junk";
    assert_null(d2i_PUBKEY(NULL, &junk, 4));
    assert_int_not_equal(ERR_peek_error(), 0);
    assert_int_equal(err_set_openssl(&err, ERR_SYNTAX, "a key"), ERR_SYNTAX);
    assert_memory_equal(err.text, "a key: ", 7);
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(err_set_openssl(&err, ERR_CRYPTO, "nothing queued"), ERR_CRYPTO);
    assert_string_equal(err.text, "nothing queued");
    assert_int_equal(err_set_openssl(NULL, ERR_CRYPTO, "x"), ERR_CRYPTO);
}

static void names_every_code(void **state)
{
    (void)state;
    for (int code = ERR_OK; code < ERR_MAX; code++) {
        assert_non_null(err_name((enum err_code)code));
        for (int other = ERR_OK; other < code; other++) {
            assert_string_not_equal(err_name((enum err_code)code), err_name((enum err_code)other));
        }
    }
    assert_string_equal(err_name(ERR_BAD_ALG), "badAlg");
    assert_string_equal(err_name(ERR_MAX), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_and_returns), cmocka_unit_test(maps_errno),
        cmocka_unit_test(cuts_long_context), cmocka_unit_test(empties_the_openssl_queue),
        cmocka_unit_test(names_every_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
