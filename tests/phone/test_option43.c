// SPDX-License-Identifier: Apache-2.0
// DHCP option 43: the examples of Cisco's documentation, the limits, and what is wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/phone/option43.h"

#define HEX_MAX 1024

#define SERVER      "0b12687474703a2f2f31302e37392e35372e3931"
#define FINGERPRINT "0c1412040870625C5B755D73F5925285F8F5FF5D55AF"
#define CHALLENGE   "0d1044323333434346394239393532413135"
#define EXAMPLE     "0a0101" SERVER FINGERPRINT CHALLENGE "0e01010f0101"
// The same option as Cisco Network Registrar shows it.
#define EXAMPLE_WORDS                                                                              \
    "(10 1)(11 http://10.79.57.91)(12 12040870625C5B755D73F5925285F8F5FF5D55AF)"                   \
    "(13 D233CCF9B9952A15)(14 1)(15 1)"

static void expect_refused(const char *hex, const char *text)
{
    struct option43 option = {0};
    struct trouble trouble = {0};
    enum outcome outcome = option43_parse(hex, &option, &trouble);
    if (outcome != OUTCOME_USAGE || strstr(trouble.text, text) == NULL) {
        fail_msg("%s: outcome %d, \"%s\" instead of \"%s\"", hex, (int)outcome, trouble.text, text);
    }
    assert_int_equal(option.fingerprint.len, 0);
}

static void reads_the_example(void **state)
{
    (void)state;
    struct option43 option = {0};
    struct trouble trouble = {0};
    assert_int_equal(option43_parse(EXAMPLE, &option, &trouble), OUTCOME_OK);
    char words[HEX_MAX] = "";
    char digits[2 * FINGERPRINT_LEN_MAX + 1] = "";
    for (size_t i = 0; i < option.fingerprint.len; i++) {
        snprintf(digits + 2 * i, 3, "%02X", (unsigned)option.fingerprint.octets[i]);
    }
    snprintf(words, sizeof words, "(10 %d)(11 %s)(12 %s)(13 %s)(14 %d)(15 %d)",
             option.fips == OPTION43_YES, option.server, digits, option.challenge,
             option.ieee8021x == OPTION43_YES, option.custom_cert == OPTION43_YES);
    assert_string_equal(words, EXAMPLE_WORDS);
    assert_true(option.has_challenge);
}

static void reads_the_least(void **state)
{
    (void)state;
    struct option43 option = {0};
    struct trouble trouble = {0};
    // Any order; 0.0.0.0's digits as a bare address.
    assert_int_equal(
        option43_parse(FINGERPRINT "0B07302e302e302e300A01000f0100", &option, &trouble),
        OUTCOME_OK);
    assert_string_equal(option.server, "0.0.0.0");
    assert_false(option.has_challenge);
    assert_int_equal(option.fips, OPTION43_NO);
    assert_int_equal(option.ieee8021x, OPTION43_ABSENT);
    assert_int_equal(option.custom_cert, OPTION43_NO);
}

static void refuses_broken_ones(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        const char *text;
    } rows[] = {
        {"", "two for each octet"},
        {EXAMPLE "0", "two for each octet"},
        {"0g" EXAMPLE, "character 2 is not"},
        {"0a:01:01", "character 3 is not"},
        {EXAMPLE " ", "not a hexadecimal digit"},
        {"0b", "suboption 11 at octet 1: longer than the option"},
        {SERVER "0c", "suboption 12 at octet 21: longer"},
        {FINGERPRINT "0b12687474", "suboption 11 at octet 23: longer"},
        {SERVER, "no fingerprint (suboption 12)"},
        {FINGERPRINT, "no server (suboption 11)"},
        {CHALLENGE "0a0101", "no server"},
        {SERVER SERVER FINGERPRINT, "suboption 11: there twice"},
        {EXAMPLE "100101", "suboption 16: phones know 10 to 15"},
        {"0000" EXAMPLE, "suboption 0: phones know"},
        {"ff" EXAMPLE, "suboption 255: phones know"},
        {SERVER FINGERPRINT "0a0102", "suboption 10: not one octet 0 or 1"},
        {SERVER FINGERPRINT "0e020001", "suboption 14: not one octet"},
        {SERVER FINGERPRINT "0f00", "suboption 15: not one octet"},
        {"0b00" FINGERPRINT, "suboption 11: 0 characters"},
        {SERVER FINGERPRINT "0d00", "suboption 13: 0 characters"},
        {"0b03310032" FINGERPRINT, "suboption 11: character 2 is not printable"},
        {SERVER FINGERPRINT "0d0331e932", "suboption 13: character 2 is not printable"},
        {SERVER "0c021204", "a fingerprint of 2 octets; 20, 32, 48"},
        {SERVER "0c00", "a fingerprint of 0 octets"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_refused(rows[i].hex, rows[i].text);
    }
}

static void refuses_every_cut(void **state)
{
    (void)state;
    static const char least[] = SERVER FINGERPRINT;
    char cut[sizeof least] = "";
    for (size_t len = 0; len < sizeof least - 1; len++) {
        memcpy(cut, least, len);
        expect_refused(cut, "option 43");
    }
}

static void add(char hex[HEX_MAX], unsigned code, unsigned octet, size_t len)
{
    size_t used = strlen(hex);
    snprintf(hex + used, HEX_MAX - used, "%02x%02x", code, (unsigned)len);
    for (size_t i = 0; i < len; i++) {
        used = strlen(hex);
        snprintf(hex + used, HEX_MAX - used, "%02x", octet);
    }
}

struct limit {
    size_t fingerprint_len;
    size_t text_len; // server and challenge together
    bool has_switches;
    const char *text; // NULL = fits
};

static void make_limit(const struct limit *limit, char hex[HEX_MAX])
{
    const size_t challenge_len = 16;
    add(hex, 11, 'a', limit->text_len - challenge_len);
    add(hex, 12, 0xFF, limit->fingerprint_len);
    add(hex, 13, 'c', challenge_len);
    for (unsigned code = 10; limit->has_switches && code <= 15; code += code == 10 ? 4 : 1) {
        add(hex, code, 1, 1);
    }
}

static void keeps_the_limits(void **state)
{
    (void)state;
    static const struct limit rows[] = {
        {32, 206, false, NULL}, {32, 207, false, NULL},
        {32, 207, true, NULL},  {32, 208, false, "208 characters together"},
        {20, 207, true, NULL},  {20, 208, true, "208 characters together"},
        {48, 192, true, NULL},  {48, 193, true, "256 octets; at most 255"},
        {64, 176, true, NULL},  {64, 177, true, "256 octets; at most 255"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char hex[HEX_MAX] = "";
        make_limit(&rows[i], hex);
        struct option43 option = {0};
        struct trouble trouble = {0};
        if (rows[i].text != NULL) {
            expect_refused(hex, rows[i].text);
            continue;
        }
        assert_int_equal(option43_parse(hex, &option, &trouble), OUTCOME_OK);
        assert_int_equal(option.fingerprint.len, rows[i].fingerprint_len);
        assert_int_equal(strlen(option.server) + strlen(option.challenge), rows[i].text_len);
    }
}

static void pins_by_each_hash(void **state)
{
    (void)state;
    CLEANUP(cleanup_EVP_PKEY_free) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(cleanup_X509_free) X509 *cert = X509_new();
    require(key != NULL && cert != NULL && X509_set_pubkey(cert, key) == 1 &&
                X509_sign(cert, key, EVP_sha256()) > 0,
            "making a certificate");
    static const char *const names[] = {"SHA1", "SHA256", "SHA384", "SHA512"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct fingerprint pinned = {.len = 0};
        unsigned len = 0;
        require(X509_digest(cert, EVP_get_digestbyname(names[i]), pinned.octets, &len) == 1,
                "hashing");
        pinned.len = len;
        assert_true(fingerprint_matches(&pinned, cert));
        pinned.octets[len - 1] ^= 1;
        assert_false(fingerprint_matches(&pinned, cert));
    }
    assert_null(fingerprint_digest(16));
    assert_null(fingerprint_digest(28));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_example),   cmocka_unit_test(reads_the_least),
        cmocka_unit_test(refuses_broken_ones), cmocka_unit_test(refuses_every_cut),
        cmocka_unit_test(keeps_the_limits),    cmocka_unit_test(pins_by_each_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
