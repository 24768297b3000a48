// SPDX-License-Identifier: Apache-2.0
// What the device of a manufacturer's certificate may be called, and which names are added: rows
// 13, 14 and 23 of the phones' table, vectors V4 and V6.
#include "ra/names.h"

#include <stdio.h>
#include <string.h>

#include "kit/kit.h"

#define NAMES_LISTED 5
#define V4           "CP-9871-SEP001A2B3C4D5E"
#define V4_MAC       "001A2B3C4D5E"
#define OTHER_9871   "CP-9871-SEP001A2B3C4D5F"
// 23 characters of V4, a dot, and what is left of 64 and of 65.
#define DOMAIN_40 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.nl"
#define DOMAIN_41 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.nl"

static const struct settings_texts domains = {
    .list = {"example.nl", "phones.example.com", DOMAIN_40, DOMAIN_41}, .count = 4};

struct listed {
    enum name_kind kind;
    const char *text; // NULL ends the list
};

static void fill_names(const struct listed list[NAMES_LISTED], struct names *names)
{
    *names = (struct names){0};
    for (size_t i = 0; i < NAMES_LISTED && list[i].text != NULL; i++) {
        struct name *name = &names->list[names->count++];
        name->kind = list[i].kind;
        snprintf(name->text, sizeof name->text, "%s", list[i].text);
        if (name->kind == NAME_COMMON_NAME && names->common_name == NULL) {
            names->common_name = name->text;
        }
    }
    names->is_subject_empty = names->count == 0;
}

struct belonging_case {
    struct listed names[NAMES_LISTED];
    bool belongs;
};

static void check_table(const struct names_owner *owner, const struct belonging_case *tests,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct names names;
        fill_names(tests[i].names, &names);
        if (names_belong_to_device(&names, owner) != tests[i].belongs) {
            fail_msg("%s: case %zu (%s)", owner->device_name, i, names.list[0].text);
        }
    }
}
#define CHECK(owner, tests) check_table(owner, tests, sizeof(tests) / sizeof(tests)[0])

static const struct names_owner the_9871 = {
    .device_name = V4, .serial_number = "FVH27330XYZ", .mac = V4_MAC, .domains = &domains};

static void common_names_row_13(void **state)
{
    (void)state;
    static const struct belonging_case tests[] = {
        {{{NAME_COMMON_NAME, V4}}, true},
        {{{NAME_COMMON_NAME, "cp-9871-sep001a2b3c4d5e"}}, true},
        {{{NAME_COMMON_NAME, V4 ".example.nl"}}, true},
        {{{NAME_COMMON_NAME, V4 ".EXAMPLE.NL"}}, true},
        {{{NAME_COMMON_NAME, V4 ".phones.example.com"}}, true},
        {{{NAME_COMMON_NAME, V4}, {NAME_COMMON_NAME, V4 ".example.nl"}}, true},
        {{{NAME_OTHER, NULL}}, true}, // nothing at all: it gets its name
        {{{NAME_OTHER, "Example"}}, true},
        {{{NAME_COMMON_NAME, ""}}, false},
        {{{NAME_COMMON_NAME, OTHER_9871}}, false},
        {{{NAME_COMMON_NAME, V4}, {NAME_COMMON_NAME, OTHER_9871}}, false},
        {{{NAME_COMMON_NAME, V4 ".example.com"}}, false},
        {{{NAME_COMMON_NAME, V4 ".evil.example.nl"}}, false},
        {{{NAME_COMMON_NAME, V4 ".example.nl.evil"}}, false},
        {{{NAME_COMMON_NAME, V4 "."}}, false},
        {{{NAME_COMMON_NAME, V4 ".nl"}}, false},
        {{{NAME_COMMON_NAME, V4 "example.nl"}}, false},
        {{{NAME_COMMON_NAME, V4 "@example.nl"}}, false},
        {{{NAME_COMMON_NAME, "evil." V4 ".example.nl"}}, false},
        {{{NAME_COMMON_NAME, "CP-9871-SEP001A2B3C4D5"}}, false},
        {{{NAME_COMMON_NAME, "DP-9871-SEP001A2B3C4D5E"}}, false},
        {{{NAME_COMMON_NAME, V4_MAC}}, false},
        {{{NAME_COMMON_NAME, "$MAU"}}, false},
    };
    CHECK(&the_9871, tests);
    static const struct settings_texts no_domains = {.count = 0};
    struct names_owner owner = the_9871;
    owner.domains = &no_domains;
    static const struct belonging_case without_domains[] = {
        {{{NAME_COMMON_NAME, V4}}, true},
        {{{NAME_COMMON_NAME, V4 ".example.nl"}}, false},
        {{{NAME_COMMON_NAME, V4 "."}}, false},
        {{{NAME_COMMON_NAME, V4}, {NAME_SAN_EMAIL, V4 "@example.nl"}}, false},
    };
    CHECK(&owner, without_domains);
}

// 23 characters of the MIC's CN leave 40 for the domain.
static void lengths_64_and_65_row_13(void **state)
{
    (void)state;
    static const struct listed good[NAMES_LISTED] = {{NAME_COMMON_NAME, V4 "." DOMAIN_40}};
    static const struct listed bad[NAMES_LISTED] = {{NAME_COMMON_NAME, V4 "." DOMAIN_41}};
    struct err err = {0};
    struct names names;
    fill_names(good, &names);
    assert_int_equal(strlen(names.common_name), 64);
    assert_true(names_belong_to_device(&names, &the_9871));
    assert_int_equal(names_check(&names, &err), ERR_OK);
    fill_names(bad, &names);
    assert_true(names_belong_to_device(&names, &the_9871));
    assert_int_equal(names_check(&names, &err), ERR_BAD_REQUEST);
    assert_non_null(strstr(err.text, "65 characters"));
}

static void other_names_row_14(void **state)
{
    (void)state;
    static const struct belonging_case tests[] = {
        {{{NAME_COMMON_NAME, V4 ".example.nl"},
          {NAME_SAN_DNS, V4 ".example.nl"},
          {NAME_SAN_UPN, V4 "@example.nl"},
          {NAME_SAN_EMAIL, V4 "@example.nl"}},
         true},
        {{{NAME_SAN_DNS, V4}, {NAME_SAN_UPN, V4}, {NAME_EMAIL, V4 "@example.nl"}}, true},
        {{{NAME_UNSTRUCTURED, V4 ".example.nl"}}, true},
        {{{NAME_SAN_DNS, OTHER_9871}}, false},
        {{{NAME_SAN_DNS, V4 "@example.nl"}}, false},
        {{{NAME_SAN_DNS, "*.example.nl"}}, false},
        {{{NAME_SAN_EMAIL, V4}}, false},
        {{{NAME_SAN_EMAIL, V4 "@evil.example"}}, false},
        {{{NAME_SAN_UPN, "alice@example.nl"}}, false},
        {{{NAME_SAN_UPN, V4 ".alice@example.nl"}}, false},
        {{{NAME_EMAIL, "alice@example.nl"}}, false},
        {{{NAME_UNSTRUCTURED, "192.0.2.1"}}, false},
        {{{NAME_COMMON_NAME, V4}, {NAME_SAN_OTHER, ""}}, false},
        {{{NAME_COMMON_NAME, V4}, {NAME_OTHER, "SEP001A2B3C4D5F"}}, false},
        {{{NAME_COMMON_NAME, V4}, {NAME_OTHER, "00:1a:2b:3c:4d:5e"}}, true},
    };
    CHECK(&the_9871, tests);
}

static void serial_numbers_row_23(void **state)
{
    (void)state;
    static const struct belonging_case tests[] = {
        {{{NAME_SERIAL_NUMBER, "FVH27330XYZ"}}, true},
        {{{NAME_SERIAL_NUMBER, "fvh27330xyz"}}, true},
        {{{NAME_SERIAL_NUMBER, "PID:CP-9871 SN:FVH27330XYZ"}, {NAME_COMMON_NAME, V4}}, true},
        {{{NAME_SERIAL_NUMBER, "PID:CP-9871 SN:FVH27330XYA"}}, false},
        {{{NAME_SERIAL_NUMBER, "PID:CP-9871"}}, false},
        {{{NAME_SERIAL_NUMBER, "SN:FVH27330XYZ SN:1"}}, false},
        {{{NAME_SERIAL_NUMBER, "FVH27330XYZ FVH27330XYA"}}, false},
        {{{NAME_SERIAL_NUMBER, ""}}, false},
    };
    CHECK(&the_9871, tests);
    static const struct names_owner unknown = {
        .device_name = V4, .serial_number = "", .mac = V4_MAC, .domains = &domains};
    static const struct belonging_case nobodys[] = {
        {{{NAME_SERIAL_NUMBER, "FVH27330XYZ"}}, false},
        {{{NAME_SERIAL_NUMBER, ""}}, false},
        {{{NAME_COMMON_NAME, V4}}, true},
    };
    CHECK(&unknown, nobodys);
}

// V6: the serial number looks like a MAC, and the phone asks for the subject of its MIC.
static void spa_names(void **state)
{
    (void)state;
    static const struct names_owner owner = {.device_name = "SPA-962-SEP000E08ABCDEF",
                                             .serial_number = "88012BA01234",
                                             .mac = "000E08ABCDEF",
                                             .domains = &domains};
    static const struct belonging_case tests[] = {
        {{{NAME_OTHER, "SPA-962"}, {NAME_OTHER, "88012BA01234"}, {NAME_OTHER, "000e08abcdef"}},
         true},
        {{{NAME_COMMON_NAME, "SPA-962-SEP000E08ABCDEF"}, {NAME_SERIAL_NUMBER, "88012BA01234"}},
         true},
        {{{NAME_OTHER, "SPA-962"}, {NAME_OTHER, "88012BA01235"}, {NAME_OTHER, "000e08abcdef"}},
         false},
        {{{NAME_OTHER, "88012BA01234"}, {NAME_OTHER, "000e08abcdee"}}, false},
        {{{NAME_COMMON_NAME, "88012BA01234"}}, false},
    };
    CHECK(&owner, tests);
}

static void nobody_has_no_name(void **state)
{
    (void)state;
    static const struct names_owner owner = {
        .device_name = "", .serial_number = "FDO1", .mac = "", .domains = &domains};
    static const struct belonging_case tests[] = {
        {{{NAME_OTHER, NULL}}, false},
        {{{NAME_COMMON_NAME, ""}}, false},
        {{{NAME_COMMON_NAME, ".example.nl"}}, false},
        {{{NAME_SERIAL_NUMBER, "FDO1"}}, false},
    };
    CHECK(&owner, tests);
}

// A device without a MAC must not borrow one.
static void no_mac(void **state)
{
    (void)state;
    static const struct names_owner owner = {.device_name = "Q5CA-4AQR-L9YS",
                                             .serial_number = "FVH2900ABCD",
                                             .mac = "",
                                             .domains = &domains};
    static const struct belonging_case tests[] = {
        {{{NAME_COMMON_NAME, "Q5CA-4AQR-L9YS.example.nl"}}, true},
        {{{NAME_COMMON_NAME, "Q5CA-4AQR-L9YS"}, {NAME_OTHER, "SEP001A2B3C4D5E"}}, false},
    };
    CHECK(&owner, tests);
}

struct adding_case {
    const char *common_name;
    uint32_t rules[3];
    uint32_t rule_count;
    struct {
        enum san_kind kind;
        const char *text; // NULL ends the list
    } sans[3];
};

static void adds_names_row_14(void **state)
{
    (void)state;
    static const struct adding_case tests[] = {
        {.common_name = V4 ".example.nl"},
        {V4 ".example.nl",
         {SETTINGS_ADD_DNS, SETTINGS_ADD_EMAIL, SETTINGS_ADD_UPN},
         3,
         {{SAN_DNS, V4 ".example.nl"}, {SAN_EMAIL, V4 "@example.nl"}, {SAN_UPN, V4 "@example.nl"}}},
        {V4 ".example.nl", {SETTINGS_ADD_UPN}, 1, {{SAN_UPN, V4 "@example.nl"}}},
        {V4 ".Example.NL", {SETTINGS_ADD_UPN}, 1, {{SAN_UPN, V4 "@example.nl"}}}, // as set
        {V4,
         {SETTINGS_ADD_DNS, SETTINGS_ADD_EMAIL, SETTINGS_ADD_UPN},
         3,
         {{SAN_DNS, V4}}}, // no domain, no mailbox
        {V4 ".example.org", {SETTINGS_ADD_EMAIL}, 1, {{0, NULL}}},
        {"example.nl", {SETTINGS_ADD_EMAIL}, 1, {{0, NULL}}},
        {".example.nl", {SETTINGS_ADD_EMAIL}, 1, {{0, NULL}}},
        {"xexample.nl", {SETTINGS_ADD_EMAIL}, 1, {{0, NULL}}},
        {"Caf\xC3\xA9 9871", {SETTINGS_ADD_DNS}, 1, {{0, NULL}}},
        {"", {SETTINGS_ADD_DNS, SETTINGS_ADD_UPN}, 2, {{0, NULL}}},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        const struct adding_case *test = &tests[i];
        struct settings settings = {.phone = {.domains = domains}};
        struct names_added text;
        struct san sans[LIMIT_SUBJECT_ALT_NAMES];
        uint32_t count = 0;
        settings.phone.added_sans_count = test->rule_count;
        memcpy(settings.phone.added_sans, test->rules, sizeof test->rules);
        assert_int_equal(names_add_sans(test->common_name, &settings, &text, sans, &count, NULL),
                         ERR_OK);
        uint32_t expected = 0;
        for (; expected < 3 && test->sans[expected].text != NULL; expected++) {
            assert_true(expected < count);
            assert_int_equal(sans[expected].kind, test->sans[expected].kind);
            assert_true(view_is_text(sans[expected].text, test->sans[expected].text));
        }
        assert_int_equal(count, expected);
    }
}

static void longest_domain_wins(void **state)
{
    (void)state;
    struct settings settings = {
        .phone = {.domains = {.list = {"nl", "voice.example.nl", "example.nl"}, .count = 3},
                  .added_sans = {SETTINGS_ADD_EMAIL},
                  .added_sans_count = 1}};
    struct names_added text;
    struct san sans[LIMIT_SUBJECT_ALT_NAMES];
    uint32_t count = 0;
    assert_int_equal(names_add_sans(V4 ".voice.example.nl", &settings, &text, sans, &count, NULL),
                     ERR_OK);
    assert_int_equal(count, 1);
    assert_true(view_is_text(sans[0].text, V4 "@voice.example.nl"));
}

static void adds_nothing_twice_and_not_too_much(void **state)
{
    (void)state;
    struct settings settings = {.phone = {.domains = domains,
                                          .added_sans = {SETTINGS_ADD_DNS, SETTINGS_ADD_UPN},
                                          .added_sans_count = 2}};
    struct names_added text;
    struct san sans[LIMIT_SUBJECT_ALT_NAMES];
    struct err err = {0};
    uint32_t count = 2;
    sans[0] =
        (struct san){.kind = SAN_DNS, .text = view_of_text("cp-9871-sep001a2b3c4d5e.example.nl")};
    sans[1] = (struct san){.kind = SAN_EMAIL, .text = view_of_text(V4 "@example.nl")};
    assert_int_equal(names_add_sans(V4 ".example.nl", &settings, &text, sans, &count, &err),
                     ERR_OK);
    assert_int_equal(count, 3);
    assert_int_equal(sans[2].kind, SAN_UPN); // an rfc822Name of the same text is another name
    for (count = 0; count < LIMIT_SUBJECT_ALT_NAMES; count++) {
        sans[count] = (struct san){.kind = SAN_DNS, .text = view_of_text("a")};
    }
    assert_int_equal(names_add_sans(V4, &settings, &text, sans, &count, &err), ERR_BAD_REQUEST);
    assert_int_equal(count, LIMIT_SUBJECT_ALT_NAMES);
    assert_non_null(strstr(err.text, "phone.added_sans"));
    count = LIMIT_SUBJECT_ALT_NAMES - 1;
    assert_int_equal(names_add_sans(V4, &settings, &text, sans, &count, &err), ERR_OK);
    assert_int_equal(count, LIMIT_SUBJECT_ALT_NAMES);
}

static void compares_macs(void **state)
{
    (void)state;
    assert_int_equal(names_compare_mac("nothing", V4_MAC), MAC_NONE);
    assert_int_equal(names_compare_mac(V4, V4_MAC), MAC_THIS_ONLY);
    assert_int_equal(names_compare_mac(V4 " " V4_MAC, V4_MAC), MAC_THIS_ONLY);
    assert_int_equal(names_compare_mac(V4 " " OTHER_9871, V4_MAC), MAC_ANOTHER);
    assert_int_equal(names_compare_mac(V4, ""), MAC_ANOTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(common_names_row_13),
        cmocka_unit_test(lengths_64_and_65_row_13),
        cmocka_unit_test(other_names_row_14),
        cmocka_unit_test(serial_numbers_row_23),
        cmocka_unit_test(spa_names),
        cmocka_unit_test(nobody_has_no_name),
        cmocka_unit_test(no_mac),
        cmocka_unit_test(adds_names_row_14),
        cmocka_unit_test(longest_domain_wins),
        cmocka_unit_test(adds_nothing_twice_and_not_too_much),
        cmocka_unit_test(compares_macs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
