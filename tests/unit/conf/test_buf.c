// SPDX-License-Identifier: Apache-2.0
// Views and buffers: comparison, growth, refusal of impossible sizes.
#include <string.h>

#include "kit/kit.h"

static void compares_octets(void **state)
{
    (void)state;
    const struct {
        struct view a, b;
        bool is_equal;
    } cases[] = {
        {VIEW_EMPTY, VIEW_EMPTY, true},
        {VIEW_EMPTY, view_of("", 0), true},
        {view_of("abc", 3), view_of_text("abc"), true},
        {view_of("abc", 3), view_of_text("abd"), false},
        {view_of("abc", 3), view_of_text("ab"), false},
        {view_of("a\0c", 3), view_of("a\0d", 3), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(view_equal(cases[i].a, cases[i].b), cases[i].is_equal);
        assert_int_equal(view_equal_secret(cases[i].a, cases[i].b), cases[i].is_equal);
    }
    assert_int_equal(view_of_text(NULL).len, 0);
    assert_true(view_is_text(view_of("ab\0", 2), "ab"));
    assert_false(view_is_text(view_of("ab\0", 3), "ab"));
}

static void grows_and_keeps_content(void **state)
{
    (void)state;
    struct buf buf = {0};
    struct err err = {0};
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t octet = (uint8_t)i;
        assert_int_equal(buf_append(&buf, view_of(&octet, 1), &err), ERR_OK);
    }
    assert_int_equal(buf.len, 1000);
    assert_true(buf.capacity >= buf.len);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(buf.data[i], (uint8_t)i);
    }
    assert_int_equal(buf_append(&buf, VIEW_EMPTY, &err), ERR_OK);
    assert_int_equal(buf.len, 1000);
    buf_wipe(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.len + buf.capacity, 0);
    buf_wipe(&buf);
    buf_done(&buf);
}

static void copies(void **state)
{
    (void)state;
    struct buf copy = {0};
    struct err err = {0};
    assert_int_equal(buf_copy(view_of("a\0b", 3), &copy, &err), ERR_OK);
    assert_true(view_equal(buf_view(&copy), view_of("a\0b", 3)));
    buf_done(&copy);
    assert_int_equal(buf_copy(VIEW_EMPTY, &copy, &err), ERR_OK);
    assert_int_equal(copy.len, 0);
    buf_done(&copy);
}

static void refuses_impossible_sizes(void **state)
{
    (void)state;
    struct buf buf = {0};
    struct err err = {0};
    assert_int_equal(buf_append(&buf, view_of_text("x"), &err), ERR_OK);
    assert_int_equal(buf_reserve(&buf, SIZE_MAX, &err), ERR_NOMEM);
    assert_string_equal(err.text, "a buffer of more than SIZE_MAX octets");
    assert_true(view_is_text(buf_view(&buf), "x"));
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_octets),
        cmocka_unit_test(grows_and_keeps_content),
        cmocka_unit_test(copies),
        cmocka_unit_test(refuses_impossible_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
