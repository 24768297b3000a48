// SPDX-License-Identifier: Apache-2.0
#include "kit/kit.h"

#include <string.h>

#include "ra/refusal.h"

static void every_reason_has_a_short_word_of_its_own(void **state)
{
    (void)state;
    assert_true(REFUSAL_MAX <= 64);
    assert_string_equal(refusal_name(REFUSAL_NONE), "");
    for (unsigned i = REFUSAL_NONE + 1; i < REFUSAL_MAX; i++) {
        const char *name = refusal_name((enum refusal)i);
        assert_non_null(name);
        assert_in_range(strlen(name), 1, REFUSAL_NAME_LEN - 1);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        assert_int_equal(refusal_of_name(name), i);
    }
}

static void what_is_no_reason_is_another_one(void **state)
{
    (void)state;
    assert_string_equal(refusal_name(REFUSAL_MAX), "other");
    assert_string_equal(refusal_name((enum refusal)1000000), "other");
    assert_int_equal(refusal_of_name(""), REFUSAL_NONE);
    assert_int_equal(refusal_of_name("a word of a later version"), REFUSAL_OTHER);
    assert_int_equal(refusal_of_name("WRONG_CHALLENGE"), REFUSAL_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_a_short_word_of_its_own),
        cmocka_unit_test(what_is_no_reason_is_another_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
