// SPDX-License-Identifier: Apache-2.0
// Syntax of addresses, URLs and key URIs.
#include <string.h>

#include <arpa/inet.h>

#include "conf/syntax.h"
#include "kit/kit.h"

static void reads_addresses(void **state)
{
    (void)state;
    struct err err = {0};
    union syntax_address address;
    assert_int_equal(syntax_listen("192.0.2.7:65535", &address, &err), ERR_OK);
    assert_int_equal(address.any.sa_family, AF_INET);
    assert_int_equal(address.v4.sin_addr.s_addr, inet_addr("192.0.2.7"));
    assert_int_equal(ntohs(address.v4.sin_port), 65535);
    assert_int_equal(syntax_listen("0.0.0.0:0", &address, &err), ERR_OK);
    assert_int_equal(address.v4.sin_port, 0);
    assert_int_equal(syntax_listen("[::1]:8080", &address, &err), ERR_OK);
    assert_int_equal(address.any.sa_family, AF_INET6);
    assert_memory_equal(&address.v6.sin6_addr, &in6addr_loopback, sizeof in6addr_loopback);
    assert_int_equal(ntohs(address.v6.sin6_port), 8080);
}

static void refuses_other_addresses(void **state)
{
    (void)state;
    const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"", "no \":PORT\" at the end"},
        {"8080", "no \":PORT\" at the end"},
        {"127.0.0.1", "no \":PORT\" at the end"},
        {":8080", "not an IPv4 address before the port"},
        {"*:8080", "not an IPv4 address before the port"},
        {"localhost:8080", "not an IPv4 address before the port"},
        {"127.0.0.256:80", "not an IPv4 address before the port"},
        {"127.1:80", "not an IPv4 address before the port"},
        {"::1:8080", "not an IPv4 address before the port"},
        {"a-name-that-is-much-longer-than-any-address-can-ever-be.example.net:80",
         "not an IPv4 address before the port"},
        {"127.0.0.1:", "the port is not a number"},
        {"127.0.0.1:http", "the port is not a number"},
        {"127.0.0.1:-1", "the port is not a number"},
        {"127.0.0.1: 80", "the port is not a number"},
        {"127.0.0.1:80 ", "the port is not a number"},
        {"127.0.0.1:000080", "the port is not a number"},
        {"127.0.0.1:65536", "the port is larger than 65535"},
        {"[::1]", "no \"]:PORT\" at the end"},
        {"[::1", "no \"]:PORT\" at the end"},
        {"[::1]8080", "no \"]:PORT\" at the end"},
        {"[]:80", "not an IPv6 address in the brackets"},
        {"[127.0.0.1]:80", "not an IPv6 address in the brackets"},
        {"[::1]:70000", "the port is larger than 65535"},
        {"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc]:80",
         "not an IPv6 address in the brackets"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        union syntax_address address;
        assert_int_equal(syntax_listen(cases[i].text, &address, &err), ERR_SYNTAX);
        assert_string_equal(err.text, cases[i].why);
    }
}

static void checks_urls(void **state)
{
    (void)state;
    char longest[300];
    memset(longest, 'a', sizeof longest);
    memcpy(longest, "http://", strlen("http://"));
    longest[256] = '\0';
    const struct {
        const char *text;
        const char *why; // NULL = good
    } cases[] = {
        {"http://pki.example.net/ca.crl", NULL},
        {"HTTP://[2001:db8::1]:8080/x?y=z", NULL},
        {"http://host", NULL},
        {"https://pki.example.net/ca.crl", "it does not begin with http://"},
        {"ldap://pki.example.net/", "it does not begin with http://"},
        {"pki.example.net/ca.crl", "it does not begin with http://"},
        {"", "it does not begin with http://"},
        {"http://", "no host after http://"},
        {"http:///ca.crl", "no host after http://"},
        {"http://:80/", "no host after http://"},
        {"http://host/a b", "a character that must not be in a URL"},
        {"http://host/\"", "a character that must not be in a URL"},
        {"http://host/\n", "a character that must not be in a URL"},
        {"http://h\xc3\xb6st/", "a character that must not be in a URL"},
        {longest, "longer than 255 octets"},
        {"http://host/crl/{ca}.crl", NULL},
        {"http://host?{ca}", NULL},
        {"http://{ca}/crl", "a character that must not be in a URL"},
        {"http://host:{ca}/", "a character that must not be in a URL"},
        {"http://host/{ca}/{ca}", "a character that must not be in a URL"},
        {"http://host/{CA}", "a character that must not be in a URL"},
        {"http://host/{ca", "a character that must not be in a URL"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        enum err_code code = syntax_url(cases[i].text, &err);
        assert_int_equal(code, cases[i].why == NULL ? ERR_OK : ERR_SYNTAX);
        assert_string_equal(err.text, cases[i].why == NULL ? "" : cases[i].why);
    }
}

#define TEXT_LEN 300 // bytes of the longest text that is tried, with NUL

struct text_case {
    const char *text;
    const char *why; // NULL = good
};

static void check_texts(enum err_code (*check)(const char *, struct err *),
                        const struct text_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct err err = {0};
        assert_int_equal(check(cases[i].text, &err), cases[i].why == NULL ? ERR_OK : ERR_SYNTAX);
        assert_string_equal(err.text, cases[i].why == NULL ? "" : cases[i].why);
    }
}

// `head`, so many 'a', and `tail`.
static void fill(char text[TEXT_LEN], const char *head, size_t count, const char *tail)
{
    char middle[TEXT_LEN];
    memset(middle, 'a', count);
    snprintf(text, TEXT_LEN, "%s%.*s%s", head, (int)count, middle, tail);
}

static void checks_url_paths(void **state)
{
    (void)state;
    char longest[TEXT_LEN];
    char too_long[TEXT_LEN];
    char expands_too_long[TEXT_LEN];
    fill(longest, "/", 254, "");
    fill(too_long, "/", 255, "");
    fill(expands_too_long, "/", 239, "{ca}");
    const struct text_case cases[] = {
        {"/", NULL},
        {"/crl/{ca}.crl", NULL},
        {"/{ca}", NULL},
        {"/a\"b'c;d=e&f+g", NULL},
        {longest, NULL},
        {"", "it does not begin with /"},
        {"crl", "it does not begin with /"},
        {"{ca}", "it does not begin with /"},
        {"http://h/crl", "it does not begin with /"},
        {"/a b", "a character that must not be in a URL"},
        {"/a?b", "a character that must not be in a URL"},
        {"/a#b", "a character that must not be in a URL"},
        {"/a%20b", "a character that must not be in a URL"},
        {"/\x7f", "a character that must not be in a URL"},
        {"/\n", "a character that must not be in a URL"},
        {"/\xc3\xb6", "a character that must not be in a URL"},
        {"/{ca}{ca}", "a character that must not be in a URL"},
        {"/{ac}", "a character that must not be in a URL"},
        {"/ca}", "a character that must not be in a URL"},
        {too_long, "longer than 255 octets"},
        {expands_too_long, "longer than 255 octets"},
    };
    check_texts(syntax_url_path, cases, sizeof cases / sizeof cases[0]);
}

static void checks_domains(void **state)
{
    (void)state;
    char label_63[TEXT_LEN];
    char label_64[TEXT_LEN];
    char longest[TEXT_LEN];
    char too_long[TEXT_LEN];
    fill(label_63, "", 63, ".nl");
    fill(label_64, "", 64, ".nl");
    fill(longest, "", 253, "");
    fill(too_long, "", 254, "");
    for (size_t i = 1; i < 252; i += 2) {
        too_long[i] = '.';
        longest[i] = '.';
    }
    const struct text_case cases[] = {
        {"example.nl", NULL},
        {"Voice.Example.NL", NULL},
        {"local", NULL},
        {"xn--bcher-kva.example", NULL},
        {"1.2", NULL},
        {label_63, NULL},
        {longest, NULL},
        {"", "a part between dots of 0 characters"},
        {".", "a part between dots of 0 characters"},
        {".nl", "a part between dots of 0 characters"},
        {"example.nl.", "a part between dots of 0 characters"},
        {"example..nl", "a part between dots of 0 characters"},
        {label_64, "a part between dots of 64 characters"},
        {"-a.nl", "a hyphen at the end of a part"},
        {"a-.nl", "a hyphen at the end of a part"},
        {"a.-", "a hyphen at the end of a part"},
        {"a_b.nl", "a character that is no letter, digit or hyphen"},
        {"a b.nl", "a character that is no letter, digit or hyphen"},
        {"*.nl", "a character that is no letter, digit or hyphen"},
        {"user@example.nl", "a character that is no letter, digit or hyphen"},
        {"b\xc3\xbc.nl", "a character that is no letter, digit or hyphen"},
        {too_long, "longer than 253 octets"},
    };
    check_texts(syntax_domain, cases, sizeof cases / sizeof cases[0]);
}

static void checks_labels(void **state)
{
    (void)state;
    char longest[TEXT_LEN];
    char too_long[TEXT_LEN];
    fill(longest, "", 63, "");
    fill(too_long, "", 64, "");
    const struct text_case cases[] = {
        {"cisco-2048", NULL},
        {"Cisco \"M2\"", NULL},
        {longest, NULL},
        {"", "0 characters"},
        {too_long, "64 characters"},
        {"a\tb", "a character that is not printable ASCII"},
        {"a\x7f", "a character that is not printable ASCII"},
        {"caf\xc3\xa9", "a character that is not printable ASCII"},
    };
    check_texts(syntax_label, cases, sizeof cases / sizeof cases[0]);
}

static void tells_uris_from_paths(void **state)
{
    (void)state;
    const struct {
        const char *text;
        bool is_uri;
        const char *path; // NULL = none
    } cases[] = {
        {"ca.key", false, "ca.key"},
        {"/etc/scepd/ca.key", false, "/etc/scepd/ca.key"},
        {"/etc/a:b", false, "/etc/a:b"},
        {"./pkcs11:x", false, "./pkcs11:x"},
        {":x", false, ":x"},
        {"file:/etc/ca.key", true, "/etc/ca.key"},
        {"FILE:ca.key", true, "ca.key"},
        {"file:///etc/ca.key", true, "/etc/ca.key"},
        {"file://localhost/etc/ca.key", true, "/etc/ca.key"},
        {"file://elsewhere/etc/ca.key", true, NULL},
        {"file://", true, NULL},
        {"pkcs11:token=a;object=b", true, NULL},
        {"handle:0x81000001", true, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(syntax_is_uri(cases[i].text), cases[i].is_uri);
        const char *path = syntax_key_path(cases[i].text);
        assert_int_equal(path == NULL, cases[i].path == NULL);
        if (path != NULL) {
            assert_string_equal(path, cases[i].path);
        }
    }
}

static void sees_pins(void **state)
{
    (void)state;
    assert_true(syntax_has_pin("pkcs11:object=a;pin-value=1234"));
    assert_true(syntax_has_pin("pkcs11:object=a?PIN-VALUE=1234"));
    assert_false(syntax_has_pin("pkcs11:object=a?pin-source=/x"));
    assert_false(syntax_has_pin("/etc/pin-value"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_addresses),  cmocka_unit_test(refuses_other_addresses),
        cmocka_unit_test(checks_urls),      cmocka_unit_test(tells_uris_from_paths),
        cmocka_unit_test(checks_url_paths), cmocka_unit_test(checks_domains),
        cmocka_unit_test(checks_labels),    cmocka_unit_test(sees_pins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
