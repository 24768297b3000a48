// SPDX-License-Identifier: Apache-2.0
// The texts that a phone is given or reads: fingerprints, server addresses, capabilities, macros.
#include "kit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/base/hex.h"
#include "server/phone/address.h"
#include "server/phone/caps.h"
#include "server/phone/findings.h"
#include "server/phone/macro.h"
#include "server/phone/pin.h"

#define SHA1_DIGITS "12040870625C5B755D73F5925285F8F5FF5D55AF"
#define LONG_LEN    700

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, text);
    }
}

// `digits` in groups with `separator` between.
static void group_digits(const char *digits, size_t group, char separator, char *ret_text)
{
    for (size_t i = 0; digits[i] != '\0'; i++) {
        if (i > 0 && i % group == 0) {
            *ret_text++ = separator;
        }
        *ret_text++ = digits[i];
    }
    *ret_text = '\0';
}

static void test_pins_in_all_forms(void **state)
{
    (void)state;
    static const size_t lens[] = {20, 32, 48, 64};
    static const size_t groups[] = {2, 4, 8, 16, 32};
    uint8_t octets[PIN_MAX_LEN];
    for (size_t i = 0; i < sizeof octets; i++) {
        octets[i] = (uint8_t)(7 * i + 3);
    }
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        char digits[PIN_TEXT_LEN];
        hex_encode(view_of(octets, lens[i]), digits);
        for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
            for (const char *separator = ":-. "; *separator != '\0'; separator++) {
                struct pin pin = {0};
                struct err err = {0};
                char text[PIN_TEXT_LEN];
                group_digits(digits, groups[g], *separator, text);
                bool is_whole = 2 * lens[i] % groups[g] == 0;
                assert_int_equal(pin_parse(text, &pin, &err), is_whole ? ERR_OK : ERR_SYNTAX);
                assert_true(!is_whole ||
                            (pin.len == lens[i] && memcmp(pin.octets, octets, lens[i]) == 0));
            }
        }
    }
}

static void test_bad_pins(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *said;
    } rows[] = {
        {"", "0 hexadecimal digits"},
        {"12", "2 hexadecimal digits"},
        {"12040870625C5B755D73F5925285F8F5FF5D55A", "39 hexadecimal digits"},
        {SHA1_DIGITS "0", "41 hexadecimal digits"},
        {SHA1_DIGITS SHA1_DIGITS, "80 hexadecimal digits"},
        {"G2040870625C5B755D73F5925285F8F5FF5D55AF", "other characters"},
        {"0x" SHA1_DIGITS, "other characters"},
        {"Fingerprint=", "0 hexadecimal digits"},
        {"sha256 Fingerprint=12", "2 hexadecimal digits"},
        {"sha1 " SHA1_DIGITS, "other characters"},
        {SHA1_DIGITS " Fingerprint=", "0 hexadecimal digits"},
        {":" SHA1_DIGITS, "separators"},
        {SHA1_DIGITS ":", "separators"},
        {"1204:0870-625C:5B75:5D73:F592:5285:F8F5:FF5D:55AF", "separators"},
        {"1204::0870:625C:5B75:5D73:F592:5285:F8F5:FF5D:55AF", "separators"},
        {"120408:70625C:5B755D:73F592:5285F8:F5FF5D:55AF", "separators"},
        {"1204087062:5C5B755D73:F5925285F8:F5FF5D55AF", "separators"},
        {"12040870:625C5B755D73F5925285F8F5FF5D55AF", "separators"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pin pin = {0};
        struct err err = {0};
        if (pin_parse(rows[i].text, &pin, &err) != ERR_SYNTAX) {
            fail_msg("accepted: %s", rows[i].text);
        }
        assert_has(err.text, rows[i].said);
        assert_int_equal(pin.len, 0);
    }
}

static void test_pins_of_certificates(void **state)
{
    (void)state;
    static const char *const names[] = {"SHA-1", "SHA-256", "SHA-384", "SHA-512"};
    static const size_t lens[] = {20, 32, 48, 64};
    X509 *cert = kit_cert(kit_key(0), "root", NULL, NULL, true, KIT_NOW, 10);
    X509 *other = kit_cert(kit_key(1), "other", NULL, NULL, true, KIT_NOW, 10);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct pin pin = {.len = lens[i]};
        char text[PIN_TEXT_LEN];
        pin_format_cert(&pin, cert, text);
        assert_int_equal(strlen(text), 2 * lens[i]);
        assert_int_equal(pin_parse(text, &pin, NULL), ERR_OK);
        assert_true(pin_matches(&pin, cert));
        assert_false(pin_matches(&pin, other));
        assert_string_equal(pin_digest_name(&pin), names[i]);
        pin.octets[lens[i] - 1] ^= 1;
        assert_false(pin_matches(&pin, cert));
    }
    const struct pin none = {.len = 21};
    assert_null(pin_digest(&none));
    assert_false(pin_matches(&none, cert));
    X509_free(cert);
    X509_free(other);
}

static void test_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        const char *url;
        const char *host;
        bool has_path;
        bool is_ip;
    } rows[] = {
        {"10.79.57.91", "http://10.79.57.91/cgi-bin/pkiclient.exe", "10.79.57.91", false, true},
        {"http://10.79.57.91", "http://10.79.57.91/cgi-bin/pkiclient.exe", "10.79.57.91", false,
         true},
        {"http://10.79.57.91/", "http://10.79.57.91/", "10.79.57.91", true, true},
        {"10.79.57.91:8080/scep", "http://10.79.57.91:8080/scep", "10.79.57.91", true, true},
        {"scep.example.com", "http://scep.example.com/cgi-bin/pkiclient.exe", "scep.example.com",
         false, false},
        {"2001:db8::1", "http://[2001:db8::1]/cgi-bin/pkiclient.exe", "2001:db8::1", false, true},
        {"http://[2001:db8::1]:81/x", "http://[2001:db8::1]:81/x", "2001:db8::1", true, true},
        {"https://ra.example.com/scep", "https://ra.example.com/scep", "ra.example.com", true,
         false},
        {"http://ra/certsrv/mscep/mscep.dll", "http://ra/certsrv/mscep/mscep.dll", "ra", true,
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct phone_address address = {0};
        struct err err = {0};
        if (phone_address_read(rows[i].given, &address, &err) != ERR_OK) {
            fail_msg("%s: %s", rows[i].given, err.text);
        }
        assert_string_equal(address.url, rows[i].url);
        assert_string_equal(address.host, rows[i].host);
        assert_int_equal(address.has_path, rows[i].has_path);
        assert_int_equal(address.is_ip, rows[i].is_ip);
    }
}

static void test_bad_addresses(void **state)
{
    (void)state;
    char longest[LONG_LEN];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const struct {
        const char *given;
        enum err_code code;
        const char *said;
    } rows[] = {
        {"", ERR_SYNTAX, "neither an address nor a URL"},
        {"http://", ERR_SYNTAX, "neither an address nor a URL"},
        {"http:///scep", ERR_SYNTAX, "neither an address nor a URL"},
        {"a b", ERR_SYNTAX, "neither an address nor a URL"},
        {"http://a/\x1b[2J", ERR_SYNTAX, "neither an address nor a URL"},
        {"http://a:99999/", ERR_SYNTAX, "neither an address nor a URL"},
        {"http://a:x/", ERR_SYNTAX, "neither an address nor a URL"},
        {"http://a/?operation=x", ERR_SYNTAX, "a query"},
        {"http://a/#x", ERR_SYNTAX, "a fragment"},
        {"http://user@a/", ERR_SYNTAX, "a user"},
        {"http://user:word@a/", ERR_SYNTAX, "a user"},
        {longest, ERR_LIMIT, "longer than"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct phone_address address = {0};
        struct err err = {0};
        enum err_code code = phone_address_read(rows[i].given, &address, &err);
        if (code != rows[i].code) {
            fail_msg("%s: %s, %s", rows[i].given, err_name(code), err.text);
        }
        assert_has(err.text, rows[i].said);
        assert_string_equal(address.url, "");
    }
}

static void test_capabilities(void **state)
{
    (void)state;
    struct phone_caps caps = phone_caps_read(view_of_text("AES\nPOSTPKIOperation\nSHA-256\n"));
    assert_true(caps.aes && caps.post && caps.sha256);
    assert_false(caps.des3 || caps.renewal || caps.sha1 || caps.sha512 || caps.standard);
    assert_int_equal(caps.known, 3);
    caps = phone_caps_read(view_of_text("\r\nDES3\r\n SHA-1 \t\r\nSHA-512\r\nRenewal"));
    assert_true(caps.des3 && caps.sha1 && caps.sha512 && caps.renewal);
    assert_int_equal(caps.known, 4);
    assert_int_equal(caps.unknown, 0);
    caps = phone_caps_read(view_of_text("SCEPStandard\nGetNextCACert"));
    assert_true(caps.standard && caps.aes && caps.post && caps.sha256 && caps.next_ca);
    assert_int_equal(caps.known, 2);
}

static void test_other_capabilities(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "", "\n\n\r\n", "aes\nsha-256\n", "AES-256\nAESx\n", "<html>AES</html>", "AES SHA-256"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct phone_caps caps = phone_caps_read(view_of_text(bodies[i]));
        assert_false(caps.aes || caps.sha256 || caps.post);
        assert_int_equal(caps.known, 0);
    }
    struct phone_caps caps = phone_caps_read(view_of("AES\0x\nSHA-1\0", 12));
    assert_false(caps.aes || caps.sha1);
    assert_int_equal(caps.unknown, 2);
}

static void test_macros(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expanded;
        bool is_left;
    } rows[] = {
        {"plain", "plain", false},
        {"SEP$MAU", "SEP001A2B3C4D5E", false},
        {"$MA.example.nl", "001a2b3c4d5e.example.nl", false},
        {"$MAC", "00:1a:2b:3c:4d:5e", false},
        {"$PN-$MAU", "CP-9871-001A2B3C4D5E", false},
        {"a$$b", "a$b", false},
        {"$$MA", "$MA", false},
        {"$SN", "$SN", true},
        {"$FOO-$MA", "$FOO-001a2b3c4d5e", true},
        {"$", "$", true},
    };
    const struct macro_phone phone = macro_phone_of("CP-9871-SEP001A2B3C4D5E");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[MACRO_TEXT_LEN];
        bool is_left = false;
        assert_int_equal(macro_expand(rows[i].text, &phone, text, &is_left, NULL), ERR_OK);
        assert_string_equal(text, rows[i].expanded);
        assert_int_equal(is_left, rows[i].is_left);
    }
}

static void test_macros_of_other_names(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "trial",
        "CP-9871-SEP",
        "CP-9871-SEP001A2B3C4D5",
        "CP-9871-SEPx01A2B3C4D5E",
        "AP1G4-94D469F82DE8",
        "a product's name that is far too long to be one-SEP001A2B3C4D5E"};
    char text[MACRO_TEXT_LEN];
    bool is_left = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct macro_phone phone = macro_phone_of(names[i]);
        assert_string_equal(phone.mac, "");
        assert_int_equal(macro_expand("$MA", &phone, text, &is_left, NULL), ERR_OK);
        assert_string_equal(text, "$MA");
        assert_true(is_left);
    }
    char longest[LONG_LEN];
    struct err err = {0};
    const struct macro_phone phone = {0};
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(macro_expand(longest, &phone, text, &is_left, &err), ERR_LIMIT);
    assert_has(err.text, "longer than 255 octets");
}

static void test_findings(void **state)
{
    (void)state;
    struct findings findings = {0};
    findings_explain(&findings, "nothing to explain");
    assert_int_equal(findings_worst(&findings), FINDING_OK);
    findings_add(&findings, FINDING_OK, "one", "%d of %s", 1, "x");
    findings_add(&findings, FINDING_PROBLEM, "two", "second");
    findings_explain(&findings, "because of %s", "y");
    findings_explain(&findings, "because of %s", "z");
    findings_add(&findings, FINDING_WARNING, "three", "third");
    assert_int_equal(findings.count, 3);
    assert_string_equal(findings.list[0].seen, "1 of x");
    assert_null(findings.list[0].phone);
    assert_string_equal(findings.list[1].phone, "because of z");
    assert_int_equal(findings_worst(&findings), FINDING_PROBLEM);
    assert_string_equal(finding_level_name(FINDING_WARNING), "warning");
    findings_done(&findings);
    assert_int_equal(findings.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pins_in_all_forms),     cmocka_unit_test(test_bad_pins),
        cmocka_unit_test(test_pins_of_certificates),  cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_bad_addresses),         cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_other_capabilities),    cmocka_unit_test(test_macros),
        cmocka_unit_test(test_macros_of_other_names), cmocka_unit_test(test_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
