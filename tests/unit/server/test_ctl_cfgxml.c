// SPDX-License-Identifier: Apache-2.0
// scepctl phone cfgxml (row 22): Cisco's elements, escaping, macros in names (row 13), no
// challenge among the warnings (row 21).
#include "ctl_fixture.h"

#include <jansson.h>

#include "server/ctl/phone/phone_macros.h"

#define PIN     "12040870625C5B755D73F5925285F8F5FF5D55AF"
#define NAME_64 "a23456789b123456789c123456789d123456789e123456789f123456789g1234"

static const char sha384[] = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
                             "202122232425262728292A2B2C2D2E2F";

static struct outcome cfgxml(const char *const options[])
{
    const char *words[WORDS_MAX] = {"phone",         "cfgxml", "--server", "http://10.79.57.91",
                                    "--fingerprint", PIN};
    for (size_t i = 0; options[i] != NULL; i++) {
        words[6 + i] = options[i];
    }
    return ctl_kit_run(words);
}

static void makes_the_example(void **state)
{
    (void)state;
    struct outcome outcome = cfgxml((const char *const[]){NULL});
    assert_int_equal(outcome.code, CTL_OK);
    assert_string_equal(
        outcome.out, "<CDC_Server_1_ ua=\"na\">http://10.79.57.91</CDC_Server_1_>\n"
                     "<CDC_Root_CA_Fingerprint_1_ ua=\"na\">" PIN "</CDC_Root_CA_Fingerprint_1_>\n"
                     "<CDC_Challenge_Password_1_ ua=\"na\"></CDC_Challenge_Password_1_>\n"
                     "<CDC_Common_Name_1_ ua=\"na\"></CDC_Common_Name_1_>\n");
    assert_null(strstr(outcome.errors, "clear text"));
    outcome_done(&outcome);
}

static void makes_all_elements(void **state)
{
    (void)state;
    struct outcome outcome =
        cfgxml((const char *const[]){"--challenge", "a&b<c>d'e\"f&amp;", "--cn", "SEP$MAU",
                                     "--dot1x", "--certificate", "manufacturing", NULL});
    assert_int_equal(outcome.code, CTL_OK);
    assert_contains(outcome.out, "<CDC_Challenge_Password_1_ ua=\"na\">a&amp;b&lt;c&gt;d&apos;e"
                                 "&quot;f&amp;amp;</CDC_Challenge_Password_1_>\n"
                                 "<CDC_Common_Name_1_ ua=\"na\">SEP$MAU</CDC_Common_Name_1_>\n"
                                 "<Certificate_Select ua=\"na\">Manufacturing installed"
                                 "</Certificate_Select>\n"
                                 "<Enable_802.1X_Authentication ua=\"na\">Yes"
                                 "</Enable_802.1X_Authentication>\n");
    assert_contains(outcome.errors, "warning: the challenge password is in clear text in this");
    assert_null(strstr(outcome.errors, "a&b"));
    outcome_done(&outcome);
    outcome = cfgxml((const char *const[]){"--certificate", "custom", NULL});
    assert_contains(outcome.out, ">Custom installed<");
    assert_null(strstr(outcome.out, "802.1X"));
    outcome_done(&outcome);
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *words[5];
        const char *errors;
    } rows[] = {
        {{"--cn", NAME_64 "5", NULL}, "--cn has 65 characters; allowed are at most 64"},
        {{"--cn", "caf\xc3\xa9", NULL},
         "--cn: octet 4 is 0xC3; phones' configuration is printable"},
        {{"--challenge", "a\nb", NULL}, "the challenge: octet 2 is 0x0A"},
        {{"--challenge-file", "/nonexistent", NULL}, "--challenge-file: "},
        {{"--format", "kea", NULL}, "unknown option --format"},
        {{"--certificate", "", NULL}, "--certificate \"\" is unknown"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome outcome = cfgxml(rows[i].words);
        assert_contains(outcome.errors, rows[i].errors);
        assert_int_equal(outcome.code, CTL_USAGE);
        assert_string_equal(outcome.out, "");
        outcome_done(&outcome);
    }
    struct outcome outcome = ctl_kit_run((const char *const[]){
        "phone", "cfgxml", "--server", "http://a", "--fingerprint", sha384, NULL});
    assert_int_equal(outcome.code, CTL_USAGE);
    assert_contains(outcome.errors, "takes SHA-256 and SHA-1 fingerprints, not SHA-384");
    outcome_done(&outcome);
    outcome = cfgxml((const char *const[]){"--cn", NAME_64, "--challenge", "x", NULL});
    assert_int_equal(outcome.code, CTL_OK);
    outcome_done(&outcome);
}

static void names_without_a_challenge(void **state)
{
    (void)state;
    struct outcome outcome = cfgxml((const char *const[]){"--cn", "phone-$MAU", NULL});
    assert_int_equal(outcome.code, CTL_OK);
    assert_contains(outcome.errors,
                    "without a challenge scepd gives a phone the common name of its");
    outcome_done(&outcome);
}

// --- Macros

static void gather(const char *text, void *context)
{
    json_array_append_new(context, json_string(text));
}

static void macros(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t count;
        const char *warning; // the first
    } rows[] = {
        {"", 0, NULL},
        {"phone1.example.nl", 0, NULL},
        {"CP-9871-SEP$MAU.example.nl", 0, NULL},
        {"$MA-$MAC-$PN-$PSN-$SN-$A-$P", 0, NULL},
        {"SEP$(MAU)x", 0, NULL},
        {"SEP$(MAU:6:6)", 0, NULL},
        {"$(PN:0:2)$(SN)", 0, NULL},
        {"SEP$FOO", 1, "in --cn, $FOO is a macro that phones do not know"},
        {"SEP$(FOO:1:2)-1", 1, "in --cn, $(FOO:1:2) is a macro that phones do not know"},
        {"$mau", 1, "$mau is a macro that phones do not know"},
        {"$MAUx", 1, "$MAUx is a macro that phones do not know"},
        {"$Q", 1, "$Q is a macro that phones do not know"},
        {"$SA", 1, "$SA is expanded in the arguments of profile rules only"},
        {"a$", 1, "in --cn, $ is no macro; a dollar sign itself is $$"},
        {"a$-b", 1, "in --cn, $ is no macro"},
        {"$(MAU", 1, "in --cn, $ is no macro"},
        {"$()", 1, "in --cn, $() is no macro"},
        {"$(M U)", 1, "in --cn, $(M U) is no macro"},
        {"a$$b", 1, "$$ becomes a dollar sign, and scepd refuses names that have one"},
        {"$FOO$BAR", 2, "$FOO"},
        {"$MAC$MAC$MAC-123456789012", 0, NULL},
        {"$MAC$MAC$MAC-1234567890123", 1, "gets at least 65 characters long on a phone"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *warnings = json_array();
        phone_macros_check(rows[i].name, gather, warnings);
        assert_int_equal(json_array_size(warnings), rows[i].count);
        if (rows[i].count > 0) {
            assert_contains(json_string_value(json_array_get(warnings, 0)), rows[i].warning);
        }
        json_decref(warnings);
    }
}

// --- With a running scepd

static void makes_a_challenge_for_one_phone(void **state)
{
    static const struct {
        const char *name;
        const char *bound_to; // NULL = any phone
    } rows[] = {{"reception", "reception"}, {"SEP$MAU", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome outcome =
            run(*state, (const char *[]){"--json", "phone", "cfgxml", "--server", "http://a",
                                         "--cn", rows[i].name, "--new-challenge", NULL});
        assert_int_equal(outcome.code, CTL_OK);
        json_t *answer = json_loads(outcome.out, 0, NULL);
        const json_t *issued = json_object_get(answer, "new_challenge");
        const json_t *elements = json_object_get(answer, "elements");
        const char *bound_to = json_string_value(json_object_get(issued, "common_name"));
        assert_int_equal(bound_to == NULL, rows[i].bound_to == NULL);
        assert_true(bound_to == NULL || strcmp(bound_to, rows[i].bound_to) == 0);
        assert_int_equal(json_object_size(elements), 4);
        assert_int_equal(
            strlen(json_string_value(json_object_get(elements, "CDC_Challenge_Password_1_"))), 20);
        assert_int_equal(
            strlen(json_string_value(json_object_get(elements, "CDC_Root_CA_Fingerprint_1_"))), 64);
        assert_contains(json_string_value(json_object_get(answer, "xml")), rows[i].name);
        json_decref(answer);
        outcome_done(&outcome);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_the_example),
        cmocka_unit_test(makes_all_elements),
        cmocka_unit_test(refusals),
        cmocka_unit_test(names_without_a_challenge),
        cmocka_unit_test(macros),
        cmocka_unit_test_setup_teardown(makes_a_challenge_for_one_phone, fixture_set_up,
                                        fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
