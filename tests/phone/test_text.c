// SPDX-License-Identifier: Apache-2.0
// The phone's parsers: server address, fingerprint, capabilities; and its GET URL.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/phone/text.h"

#define SHA1_HEX   "12040870625C5B755D73F5925285F8F5FF5D55AF"
#define SHA256_HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void completes_urls(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        const char *url;
    } rows[] = {
        {"10.79.57.91", "http://10.79.57.91/cgi-bin/pkiclient.exe"},
        {"ca.example.net:8080", "http://ca.example.net:8080/cgi-bin/pkiclient.exe"},
        {"2001:db8::1", "http://[2001:db8::1]/cgi-bin/pkiclient.exe"},
        {"[::1]:8080", "http://[::1]:8080/cgi-bin/pkiclient.exe"},
        {"http://10.79.57.91", "http://10.79.57.91/cgi-bin/pkiclient.exe"},
        {"http://10.79.57.91/", "http://10.79.57.91/"},
        {"http://127.0.0.1:9377/scep", "http://127.0.0.1:9377/scep"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char url[URL_LEN_MAX] = "";
        struct trouble trouble = {0};
        assert_int_equal(url_complete(rows[i].given, url, &trouble), OUTCOME_OK);
        assert_string_equal(url, rows[i].url);
    }
}

static void refuses_urls(void **state)
{
    (void)state;
    char too_long[URL_LEN_MAX + 1];
    memset(too_long, 'a', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    const struct {
        const char *given;
        const char *text;
    } rows[] = {
        {"https://10.79.57.91", "only http"},
        {"", "not an address"},
        {"http://", "not an address"},
        {"/cgi-bin/pkiclient.exe", "not an address"},
        {"http://a/b?c=d", "not an address"},
        {"two words", "not an address"},
        {too_long, "too long"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char url[URL_LEN_MAX] = "";
        struct trouble trouble = {0};
        assert_int_equal(url_complete(rows[i].given, url, &trouble), OUTCOME_USAGE);
        assert_non_null(strstr(trouble.text, rows[i].text));
    }
}

static void reads_fingerprints(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
    } rows[] = {
        {SHA1_HEX, 20},
        {"12040870625c5b755d73f5925285f8f5ff5d55af", 20},
        {"12:04:08:70:62:5C:5B:75:5D:73:F5:92:52:85:F8:F5:FF:5D:55:AF", 20},
        {"12040870 625C5B75 5D73F592 5285F8F5 FF5D55AF", 20},
        {SHA256_HEX, 32},
        {"0001020304050607.08090a0b0c0d0e0f.1011121314151617.18191a1b1c1d1e1f", 32},
        {"000102030405060708090a0b0c0d0e0f-101112131415161718191a1b1c1d1e1f", 32},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fingerprint fingerprint = {0};
        struct trouble trouble = {0};
        assert_int_equal(fingerprint_parse(rows[i].text, &fingerprint, &trouble), OUTCOME_OK);
        assert_int_equal(fingerprint.len, rows[i].len);
        assert_int_equal(fingerprint.octets[1], rows[i].len == 20 ? 0x04 : 0x01);
        assert_int_equal(fingerprint.octets[fingerprint.len - 1], rows[i].len == 20 ? 0xAF : 0x1F);
    }
}

static void refuses_fingerprints(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "12",
        "12040870625C5B755D73F5925285F8F5FF5D55AF0",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00",
        "G2040870625C5B755D73F5925285F8F5FF5D55AF",
        "12/04/08/70/62/5C/5B/75/5D/73/F5/92/52/85/F8/F5/FF/5D/55/AF",
        "12:04-08:70:62:5C:5B:75:5D:73:F5:92:52:85:F8:F5:FF:5D:55:AF", // two kinds
        "12:0408:70:62:5C:5B:75:5D:73:F5:92:52:85:F8:F5:FF:5D:55:AF",  // unequal groups
        "12:04:08:70:62:5C:5B:75:5D:73:F5:92:52:85:F8:F5:FF:5D:55AF",
        "12:04:08:70:62:5C:5B:75:5D:73:F5:92:52:85:F8:F5:FF:5D:55:AF:",
        ":12040870625C5B755D73F5925285F8F5FF5D55AF",
        "12040 87062 5C5B7 55D73 F5925 285F8 F5FF5 D55AF", // groups of five
        "1204087062 5C5B755D73 F5925285F8 F5FF5D55AF",     // groups of ten
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fingerprint fingerprint = {0};
        struct trouble trouble = {0};
        assert_int_equal(fingerprint_parse(rows[i], &fingerprint, &trouble), OUTCOME_USAGE);
        assert_non_null(strstr(trouble.text, "40 or 64"));
    }
}

static struct capabilities parse(const char *text)
{
    const struct octets octets = {.data = (unsigned char *)text, .len = strlen(text)};
    return capabilities_parse(&octets);
}

static void reads_capabilities(void **state)
{
    (void)state;
    struct capabilities some = parse("DES3\r\nSHA-1\nPOSTPKIOperation");
    assert_true(some.des3 && some.sha1 && some.post);
    assert_false(some.aes || some.sha256 || some.sha512 || some.renewal || some.standard);
    struct capabilities standard = parse("SCEPStandard\n");
    assert_true(standard.standard && standard.aes && standard.sha256 && standard.post);
    struct capabilities none = parse("aes\nAES-GCM\n AES\nSHA-256 \n\n\"SHA-512\"\n");
    assert_false(none.aes || none.sha256 || none.sha512);
    assert_false(parse("").aes);
}

static void escapes_messages(void **state)
{
    (void)state;
    const struct octets message = {.data = (unsigned char *)"\xFB\xFF\xBF\x00", .len = 4};
    char *url = message_url("http://a/b", &message);
    assert_string_equal(url, "http://a/b?operation=PKIOperation&message=%2B%2F%2B%2FAA%3D%3D");
    free(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completes_urls),     cmocka_unit_test(refuses_urls),
        cmocka_unit_test(reads_fingerprints), cmocka_unit_test(refuses_fingerprints),
        cmocka_unit_test(reads_capabilities), cmocka_unit_test(escapes_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
