// SPDX-License-Identifier: Apache-2.0
// Hexadecimal text in both directions.
#include "conf/base/hex.h"
#include "kit/kit.h"

static void encodes(void **state)
{
    (void)state;
    char text[9];
    assert_string_equal(hex_encode(view_of("\x00\x0f\xa5\xff", 4), text), "000FA5FF");
    assert_string_equal(hex_encode(VIEW_EMPTY, text), "");
}

static void decodes(void **state)
{
    (void)state;
    const struct {
        const char *text;
        ssize_t len;
        uint8_t octets[4];
    } cases[] = {
        {"", 0, {0}},          {"00ffA5a5", 4, {0x00, 0xff, 0xa5, 0xa5}},
        {"0", -1, {0}},        {"0g", -1, {0}},
        {"g0", -1, {0}},       {" 0", -1, {0}},
        {"0:", -1, {0}},       {"0@", -1, {0}},
        {"\x10\x19", -1, {0}},                          // digits but for one bit
        {"\xc3\xa4", -1, {0}}, {"0011223344", -1, {0}}, // five octets do not fit
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t octets[4] = {0};
        assert_int_equal(hex_decode(cases[i].text, octets, sizeof octets), cases[i].len);
        if (cases[i].len > 0) {
            assert_memory_equal(octets, cases[i].octets, (size_t)cases[i].len);
        }
    }
}

static void raises_digits_only(void **state)
{
    (void)state;
    char text[] = "00afAFgz:`";
    assert_string_equal(hex_to_upper(text), "00AFAFgz:`");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(encodes), cmocka_unit_test(decodes),
                                       cmocka_unit_test(raises_digits_only)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
