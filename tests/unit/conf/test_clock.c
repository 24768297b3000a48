// SPDX-License-Identifier: Apache-2.0
// Texts of times, and that the clocks go.
#include "conf/base/clock.h"
#include "kit/kit.h"

static void formats_utc(void **state)
{
    (void)state;
    const struct {
        int64_t time;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {KIT_NOW, "2027-01-15T08:00:00Z"},
        {951782400, "2000-02-29T00:00:00Z"},
        {2524608000, "2050-01-01T00:00:00Z"},
        {253402300799, "9999-12-31T23:59:59Z"},
        {INT64_MAX, "?"},
        {INT64_MIN, "?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[CLOCK_TEXT_LEN];
        assert_string_equal(clock_format(cases[i].time, text), cases[i].text);
    }
}

static void clocks_go_forward(void **state)
{
    (void)state;
    int64_t before = clock_monotonic_us();
    assert_true(clock_monotonic_us() >= before);
    assert_true(clock_now() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(formats_utc),
                                       cmocka_unit_test(clocks_go_forward)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
