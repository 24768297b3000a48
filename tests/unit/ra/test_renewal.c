// SPDX-License-Identifier: Apache-2.0
#include "kit/kit.h"

#include "ra/renewal.h"

#define WINDOW_DAYS 30

static void a_renewal_comes_in_the_window(void **unused)
{
    (void)unused;
    const struct store_certificate present = {.not_after = KIT_NOW};
    const int64_t opens = (int64_t)KIT_NOW - (int64_t)WINDOW_DAYS * DAY_SEC;
    static const struct {
        int64_t after_opening;
        bool is_same_key;
        enum renewal_time expected;
    } tests[] = {
        {-1, true, RENEWAL_EARLY_SAME_KEY},
        {-1, false, RENEWAL_EARLY_NEW_KEY},
        {0, true, RENEWAL_DUE},
        {0, false, RENEWAL_DUE},
        {(int64_t)WINDOW_DAYS * DAY_SEC, true, RENEWAL_DUE},
        // Past the end, where a grace lets the signer count.
        {(int64_t)(WINDOW_DAYS + 1) * DAY_SEC, false, RENEWAL_DUE},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        assert_int_equal(renewal_judge_time(&present, WINDOW_DAYS, tests[i].is_same_key,
                                            opens + tests[i].after_opening),
                         tests[i].expected);
    }
}

// Attributes "type=value", in this order, up to the first NULL.
static X509_NAME *name_of(const char *const attributes[][2])
{
    X509_NAME *name = X509_NAME_new();
    for (size_t i = 0; attributes[i][0] != NULL; i++) {
        assert_int_equal(X509_NAME_add_entry_by_txt(name, attributes[i][0], MBSTRING_UTF8,
                                                    (const unsigned char *)attributes[i][1], -1, -1,
                                                    0),
                         1);
    }
    return name;
}

static void only_the_signers_own_subject_is_renewed(void **unused)
{
    (void)unused;
    static const char *const signer_attributes[][2] = {
        {"O", "Example"}, {"CN", "CP-8841-SEP001122334455"}, {NULL, NULL}};
    static const struct {
        const char *attributes[4][2];
        bool expected;
    } tests[] = {
        {{{"O", "Example"}, {"CN", "CP-8841-SEP001122334455"}}, true},
        {{{NULL, NULL}}, true},
        {{{"O", "EXAMPLE"}, {"CN", "cp-8841-sep001122334455"}}, true}, // RFC 5280, 7.1
        {{{"CN", "CP-8841-SEP001122334455"}}, false},
        {{{"CN", "CP-8841-SEP001122334455"}, {"O", "Example"}}, false},
        {{{"O", "Example"}, {"CN", "CP-8841-SEP001122334456"}}, false},
        {{{"O", "Example"}, {"CN", "CP-8841-SEP001122334455"}, {"OU", "X"}}, false},
    };
    X509_NAME *signer = name_of(signer_attributes);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        X509_NAME *asked = name_of(tests[i].attributes);
        assert_int_equal(renewal_is_same_identity(signer, asked), tests[i].expected);
        X509_NAME_free(asked);
    }
    X509_NAME_free(signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_renewal_comes_in_the_window),
        cmocka_unit_test(only_the_signers_own_subject_is_renewed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
