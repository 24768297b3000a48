// SPDX-License-Identifier: Apache-2.0
// DHCP option 43 made and read (row 17, row 18): Cisco's example, the limits, and everything that
// can be wrong with a value.
#include "kit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/base/hex.h"
#include "server/phone/option43.h"

#define SERVER      "0b12687474703a2f2f31302e37392e35372e3931"
#define FINGERPRINT "0c1412040870625C5B755D73F5925285F8F5FF5D55AF"
#define CHALLENGE   "0d1044323333434346394239393532413135"
#define EXAMPLE     "0a0101" SERVER FINGERPRINT CHALLENGE "0e01010f0101"
#define EXAMPLE_LEN 69
#define OCTETS_MAX  512

static struct option43 example(void)
{
    struct option43 option = {
        .server = "http://10.79.57.91",
        .challenge = "D233CCF9B9952A15",
        .fips = OPTION43_YES,
        .dot1x = OPTION43_YES,
        .custom = OPTION43_YES,
    };
    assert_int_equal(
        pin_parse("12040870625C5B755D73F5925285F8F5FF5D55AF", &option.fingerprint, NULL), ERR_OK);
    return option;
}

static void expect_hex(const struct option43 *option, char separator, const char *hex)
{
    struct option43_octets octets = {.len = 0};
    struct err err = {0};
    struct buf text = {0};
    assert_int_equal(option43_encode(option, &octets, &err), ERR_OK);
    assert_int_equal(option43_write_hex(&octets, separator, &text, &err), ERR_OK);
    assert_int_equal(text.len, strlen(hex));
    assert_memory_equal(text.data, hex, text.len);
    buf_done(&text);
}

static void makes_the_example(void **state)
{
    (void)state;
    struct option43 option = example();
    expect_hex(&option, '\0', EXAMPLE);
    option.fips = OPTION43_ABSENT;
    option.dot1x = OPTION43_NO;
    option.custom = OPTION43_NO;
    expect_hex(&option, '\0', SERVER FINGERPRINT CHALLENGE "0e01000f0100");
    option = (struct option43){.server = "1.2", .fingerprint = option.fingerprint};
    expect_hex(&option, ':',
               "0b:03:31:2e:32:0c:14:12:04:08:70:62:5C:5B:75:5D:73:F5:92:52:85:F8:F5:FF:5D:55:AF");
}

// --- Limits

static struct option43 sized(size_t fingerprint_len, size_t texts_len, bool has_switches)
{
    enum { CHALLENGE_LEN = 16 };
    enum option43_switch state = has_switches ? OPTION43_NO : OPTION43_ABSENT;
    struct option43 option = {.fips = state, .dot1x = state, .custom = state};
    option.fingerprint.len = fingerprint_len;
    memset(option.server, 's', texts_len - CHALLENGE_LEN);
    memset(option.challenge, 'c', CHALLENGE_LEN);
    return option;
}

static void keeps_the_limits(void **state)
{
    (void)state;
    static const struct {
        size_t fingerprint_len;
        size_t texts_len;
        bool has_switches;
        const char *problem; // NULL = fits
    } rows[] = {
        {32, 206, false, NULL},
        {32, 207, false, NULL},
        {32, 207, true, NULL},
        {32, 208, false, "server and challenge have 208 octets together; allowed are at most 207"},
        {20, 207, true, NULL},
        {20, 208, true, "208 octets together"},
        {48, 192, true, NULL},
        {48, 193, true, "the option has 256 octets; allowed are at most 255, which"},
        {64, 176, true, NULL},
        {64, 177, true, "leaves 176 for server and challenge, now 177"},
        {64, 185, false, NULL},
        {64, 186, false, "leaves 185 for server and challenge, now 186"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct option43_octets octets = {.len = 0};
        struct err err = {0};
        struct option43 option =
            sized(rows[i].fingerprint_len, rows[i].texts_len, rows[i].has_switches);
        enum err_code code = option43_encode(&option, &octets, &err);
        if (rows[i].problem != NULL) {
            assert_int_equal(code, ERR_LIMIT);
            assert_non_null(strstr(err.text, rows[i].problem));
            assert_int_equal(octets.len, 0);
            continue;
        }
        struct option43 back = {.fips = OPTION43_ABSENT};
        assert_int_equal(code, ERR_OK);
        assert_int_equal(option43_decode(view_of(octets.octets, octets.len), &back, &err), ERR_OK);
        assert_memory_equal(&back, &option, sizeof option);
    }
}

static void refuses_to_make(void **state)
{
    (void)state;
    struct option43_octets octets = {.len = 0};
    struct option43 rows[] = {example(), example(), example(), example(), example()};
    static const char *const problems[] = {
        "no usable server (suboption 11)",
        "no usable fingerprint of the root (suboption 12)",
        "Server: octet 8 is 0x0A, which is not printable ASCII",
        "Challenge Password: octet 2 is 0xE9, which",
        "the fingerprint has 21 octets; allowed are 20 (SHA-1), 32",
    };
    rows[0].server[0] = '\0';
    rows[1].fingerprint.len = 0;
    rows[2].server[7] = '\n';
    rows[3].challenge[1] = (char)0xE9;
    rows[4].fingerprint.len = 21;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        assert_int_equal(option43_encode(&rows[i], &octets, &err), ERR_SYNTAX);
        assert_non_null(strstr(err.text, problems[i]));
        assert_null(strstr(err.text, "CCF9B9952A15")); // never the challenge
    }
}

// --- Reading

static enum err_code decode(const char *hex, struct option43 *option, struct err *err)
{
    struct buf octets = {0};
    enum err_code code = option43_read_hex(hex, &octets, err);
    if (code == ERR_OK) {
        code = option43_decode(buf_view(&octets), option, err);
    }
    buf_done(&octets);
    return code;
}

static void expect_refused(const char *hex, enum err_code code, const char *problem)
{
    struct option43 option = {.fips = OPTION43_ABSENT};
    struct err err = {0};
    enum err_code got = decode(hex, &option, &err);
    if (got != code || strstr(err.text, problem) == NULL) {
        fail_msg("%s: %s, \"%s\" instead of \"%s\"", hex, err_name(got), err.text, problem);
    }
    assert_int_equal(option.fingerprint.len, 0);
}

static void reads_the_example(void **state)
{
    (void)state;
    struct option43 wanted = example();
    static const char *const spellings[] = {
        EXAMPLE,
        "0x" EXAMPLE,
        "  0X" EXAMPLE "\r\n",
        "0A.01.01:0b12-687474703A2F2F31,302e37392e35372e3931\n\t" FINGERPRINT " 0x" CHALLENGE
        " 0x0e 0x01 0x01,0x0f,0x01,0x01",
    };
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        struct option43 option = {.fips = OPTION43_ABSENT};
        struct err err = {0};
        assert_int_equal(decode(spellings[i], &option, &err), ERR_OK);
        assert_memory_equal(&option, &wanted, sizeof option);
    }
}

static void refuses_what_is_no_hex(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        const char *problem;
    } rows[] = {
        {"", "there are no hexadecimal digits"},
        {" :", "there are no hexadecimal digits"},
        {"0x", "character 2, \"x\", is not a hexadecimal digit"},
        {EXAMPLE "0", "139 hexadecimal digits, an odd number; each octet has two"},
        {"a", "1 hexadecimal digits, an odd number"},
        {"0g" EXAMPLE, "character 2, \"g\", is not"},
        {"0a:01:0 1", "the separator at character 8 stands inside an octet"},
        {"0a:1:1", "the separator at character 5 stands inside"},
        {"0a01\x1b[2J", "character 5, 0x1B, is not"},
        {"0a01\xc3\xa9", "character 5, 0xC3, is not"},
        {"0a010x01", "character 6, \"x\", is not"},
        {"0a(01)", "character 3, \"(\", is not"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_refused(rows[i].hex, ERR_SYNTAX, rows[i].problem);
    }
}

static void refuses_broken_ones(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        const char *problem;
    } rows[] = {
        {"0b", "suboption 11 at octet 1: the option ends before its length"},
        {SERVER "0c", "suboption 12 at octet 21: the option ends before its length"},
        {FINGERPRINT "0b12687474", "suboption 11 at octet 23: its length is 18 but only 3 octets"},
        {SERVER, "no usable fingerprint of the root (suboption 12)"},
        {FINGERPRINT, "no usable server (suboption 11)"},
        {SERVER SERVER FINGERPRINT, "suboption 11 at octet 21: it is there a second time"},
        {EXAMPLE "100101",
         "suboption 16 at octet 70: unknown; Cisco's phones are documented to take "
         "10 to 15"},
        {"090101" EXAMPLE, "suboption 9 at octet 1: unknown"},
        {EXAMPLE "ff", "suboption 255 at octet 70: an octet that marks the end"},
        {"00" EXAMPLE, "suboption 0 at octet 1: an octet of padding"},
        {"2b45" EXAMPLE, "suboption 43 at octet 1: this is option 43 with its own code and length"},
        {"2b44" EXAMPLE, "suboption 43 at octet 1: unknown"},
        {SERVER FINGERPRINT "0a0102",
         "suboption 10 at octet 43: the value is 2; allowed are 0 and"},
        {SERVER FINGERPRINT "0e020001", "suboption 14 at octet 43: 2 octets; it has exactly one"},
        {SERVER FINGERPRINT "0f00", "suboption 15 at octet 43: 0 octets"},
        {"0b00" FINGERPRINT, "suboption 11 at octet 1: it is empty"},
        {SERVER FINGERPRINT "0d00", "suboption 13 at octet 43: it is empty; leave it out"},
        {"0b03310032" FINGERPRINT, "Server: octet 2 is 0x00, which is not printable ASCII"},
        {SERVER FINGERPRINT "0d0331e932", "Challenge Password: octet 2 is 0xE9"},
        {SERVER "0c021204",
         "suboption 12 at octet 21: the fingerprint has 2 octets; allowed are 20"},
        {SERVER "0c00", "the fingerprint has 0 octets"},
        {SERVER "0c1500" FINGERPRINT, "the fingerprint has 21 octets"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_refused(rows[i].hex, ERR_SYNTAX, rows[i].problem);
    }
}

static void refuses_what_is_too_long(void **state)
{
    (void)state;
    // All parts are good, and together they are 256 octets.
    struct option43 option = sized(64, 176, true);
    struct option43_octets octets = {.len = 0};
    struct option43 back = {.fips = OPTION43_ABSENT};
    struct err err = {0};
    uint8_t longer[OCTETS_MAX];
    assert_int_equal(option43_encode(&option, &octets, NULL), ERR_OK);
    assert_int_equal(octets.len, OPTION43_MAX_LEN);
    memcpy(longer, octets.octets, octets.len);
    longer[octets.len] = OPTION43_FIPS;
    assert_int_equal(option43_decode(view_of(longer, octets.len + 1), &back, &err), ERR_SYNTAX);
    // fips, server: one more octet in the server.
    size_t at = 3 + OPTION43_CODE_LEN;
    memmove(longer + at + 1, octets.octets + at, octets.len - at);
    longer[at] = 's';
    longer[at - 1]++;
    assert_int_equal(option43_decode(view_of(longer, octets.len + 1), &back, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "256 octets; an option has at most 255"));
    assert_int_equal(back.fingerprint.len, 0);
}

// Every part is shown, whatever is wrong with those before it.
static void goes_on_behind_a_problem(void **state)
{
    (void)state;
    static const struct {
        unsigned code;
        size_t offset;
        size_t len;
        enum err_code problem;
    } wanted[] = {
        {10, 0, 1, ERR_SYNTAX},  {16, 3, 0, ERR_SYNTAX}, {11, 5, 18, ERR_OK},
        {0, 25, 0, ERR_SYNTAX},  {0, 26, 0, ERR_SYNTAX}, {12, 27, 20, ERR_OK},
        {15, 49, 1, ERR_SYNTAX},
    };
    struct buf octets = {0};
    struct option43_part part;
    struct err problem;
    assert_int_equal(
        option43_read_hex("0a01071000" SERVER "0000" FINGERPRINT "0f0501", &octets, NULL), ERR_OK);
    struct option43_reader reader = {.octets = buf_view(&octets)};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_true(option43_next(&reader, &part, &problem));
        assert_int_equal(part.code, wanted[i].code);
        assert_int_equal(part.offset, wanted[i].offset);
        assert_int_equal(part.value.len, wanted[i].len);
        assert_int_equal(problem.code, wanted[i].problem);
    }
    assert_false(option43_next(&reader, &part, &problem));
    assert_int_equal(option43_finish(&reader, &problem), ERR_OK);
    assert_string_equal(reader.option.server, "http://10.79.57.91");
    assert_int_equal(reader.option.fips, OPTION43_ABSENT);
    buf_done(&octets);
}

static struct view example_octets(uint8_t octets[EXAMPLE_LEN])
{
    assert_int_equal(hex_decode(EXAMPLE, octets, EXAMPLE_LEN), EXAMPLE_LEN);
    return view_of(octets, EXAMPLE_LEN);
}

// A cut example is good only where a part ends and nothing that is needed is missing.
static void refuses_every_cut(void **state)
{
    (void)state;
    uint8_t octets[EXAMPLE_LEN];
    struct view whole = example_octets(octets);
    for (size_t len = 0; len < whole.len; len++) {
        struct option43 option = {.fips = OPTION43_ABSENT};
        // A copy of its own, so that a sanitizer sees a step behind the end.
        uint8_t *cut = malloc(len > 0 ? len : 1);
        memcpy(cut, whole.data, len);
        enum err_code code = option43_decode(view_of(cut, len), &option, NULL);
        bool is_end = len == 45 || len == 63 || len == 66;
        assert_int_equal(code == ERR_OK, is_end);
        free(cut);
    }
}

// Whatever is read from a changed example makes the same octets again.
static void survives_every_flipped_bit(void **state)
{
    (void)state;
    uint8_t octets[EXAMPLE_LEN];
    struct view whole = example_octets(octets);
    for (size_t bit = 0; bit < whole.len * 8; bit++) {
        struct option43 option = {.fips = OPTION43_ABSENT};
        struct option43_octets again = {.len = 0};
        octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (option43_decode(whole, &option, NULL) == ERR_OK) {
            assert_int_equal(option43_encode(&option, &again, NULL), ERR_OK);
            assert_int_equal(again.len, whole.len);
            assert_memory_equal(again.octets, octets, again.len);
        }
        octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(option43_name(OPTION43_FIPS), "FIPS Mode");
    assert_string_equal(option43_name(OPTION43_CERTIFICATE), "Certificate Select");
    assert_string_equal(option43_name(9), "unknown");
    assert_string_equal(option43_name(16), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_the_example),
        cmocka_unit_test(keeps_the_limits),
        cmocka_unit_test(refuses_to_make),
        cmocka_unit_test(reads_the_example),
        cmocka_unit_test(refuses_what_is_no_hex),
        cmocka_unit_test(refuses_broken_ones),
        cmocka_unit_test(refuses_what_is_too_long),
        cmocka_unit_test(goes_on_behind_a_problem),
        cmocka_unit_test(refuses_every_cut),
        cmocka_unit_test(survives_every_flipped_bit),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
