// SPDX-License-Identifier: Apache-2.0
// Hosts of servers' certificates: names as people write them, and names that are none.
#include <stdlib.h>
#include <string.h>

#include "conf/hosts.h"
#include "kit/kit.h"

#define LABEL_63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static void common_names(void **state)
{
    (void)state;
    static const struct {
        const char *common_name;
        const char *host;
    } good[] = {
        {"sprov.callme.com", "sprov.callme.com"},
        {"pv.telco.net/mailto:admin@telco.net", "pv.telco.net"},
        {"prof.voice.com/info@voice.com", "prof.voice.com"},
        {"provserv.domain.com", "provserv.domain.com"},
        {"Prov.Example.NL/a/b", "Prov.Example.NL"},
        {"a-1.b", "a-1.b"},
        {"1.2.3.4.example", "1.2.3.4.example"},
        {LABEL_63 ".nl", LABEL_63 ".nl"},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct view host = VIEW_EMPTY;
        struct err err = {0};
        if (hosts_of_common_name(view_of_text(good[i].common_name), &host, &err) != ERR_OK) {
            fail_msg("%s: %s", good[i].common_name, err.text);
        }
        assert_true(view_is_text(host, good[i].host));
    }
}

static void refuses_common_names(void **state)
{
    (void)state;
    static const struct {
        const char *common_name;
        const char *text;
    } bad[] = {
        {"", "of 0 octets"},
        {"/info@voice.com", "of 0 octets"},
        {"prov.example.nl/", "ends in \"/\""},
        {"*.example.nl", "a wildcard"},
        {"prov*.example.nl/x", "a wildcard"},
        {"192.0.2.1", "an IP address"},
        {"192.0.2.1/info@voice.com", "an IP address"},
        {"3221225985", "an IP address"},
        {"prov.example.1", "an IP address"},
        {"2001:db8::1", "an IP address"},
        {"[2001:db8::1]", "an IP address"},
        {"localhost", "no domain"},
        {"prov.example.nl.", "part between dots of 0"},
        {".example.nl", "part between dots of 0"},
        {"prov..nl", "part between dots of 0"},
        {"-prov.example.nl", "hyphen"},
        {"prov-.example.nl", "hyphen"},
        {"prov_1.example.nl", "no letter, digit or hyphen"},
        {LABEL_63 "g.nl", "part between dots of 64"},
        {"prov .example.nl", "characters that none has"},
        {"prov.example.nl\n", "characters that none has"},
        {"pr\xc3\xb6v.example.nl", "characters that none has"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct view host = VIEW_EMPTY;
        struct err err = {0};
        enum err_code code = hosts_of_common_name(view_of_text(bad[i].common_name), &host, &err);
        if (code != ERR_BAD_REQUEST || strstr(err.text, bad[i].text) == NULL ||
            strstr(err.text, "allowed: ") == NULL || host.len != 0) {
            fail_msg("%s: %s \"%s\", not \"%s\"", bad[i].common_name, err_name(code), err.text,
                     bad[i].text);
        }
    }
}

static void refuses_long_names_and_nul(void **state)
{
    (void)state;
    char text[HOSTS_NAME_LEN + 2];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = i % 2 == 0 ? 'a' : '.';
    }
    struct err err = {0};
    assert_int_equal(hosts_check(view_of(text, HOSTS_NAME_LEN), &err), ERR_OK);
    assert_int_equal(hosts_check(view_of(text, HOSTS_NAME_LEN + 1), &err), ERR_BAD_REQUEST);
    assert_non_null(strstr(err.text, "of 254 octets"));
    assert_int_equal(hosts_check(view_of("a.example\0.nl", 13), &err), ERR_BAD_REQUEST);
}

static void within_domains(void **state)
{
    (void)state;
    static const struct settings_texts domains = {.list = {"example.nl", "voice.example.net"},
                                                  .count = 2};
    static const struct {
        const char *host;
        bool is_within;
    } cases[] = {
        {"example.nl", true},
        {"prov.example.nl", true},
        {"a.b.c.example.nl", true},
        {"PROV.Example.NL", true},
        {"x.voice.example.net", true},
        {"voice.example.net", true},
        {"example.net", false},
        {"evilexample.nl", false},
        {"xvoice.example.net", false},
        {"example.nl.evil.com", false},
        {"nl", false},
        {"xample.nl", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (hosts_is_within(view_of_text(cases[i].host), &domains) != cases[i].is_within) {
            fail_msg("%s", cases[i].host);
        }
        assert_false(hosts_is_within(view_of_text(cases[i].host), &(struct settings_texts){0}));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(common_names),
        cmocka_unit_test(refuses_common_names),
        cmocka_unit_test(refuses_long_names_and_nul),
        cmocka_unit_test(within_domains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
