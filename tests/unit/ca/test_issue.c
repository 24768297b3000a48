// SPDX-License-Identifier: Apache-2.0
// Validity, serial numbers and randomness of what is issued; the whole certificate is checked in
// test_authority.c.
#include "ca/issue.h"
#include "conf/limits.h"
#include "fixture.h"

#define YEAR_2050 2524608000 // 2050-01-01T00:00:00Z

static void chooses_validity(void **state)
{
    (void)state;
    static const struct {
        struct issue_window window;
        int64_t not_before;
        int64_t not_after;
    } cases[] = {
        {{10000, 5000, 0, 0, 0, 100000}, 10000 - BACKDATE_SEC, 15000},
        {{10000, 5000, 70, 0, 0, 100000}, 10000 - BACKDATE_SEC, 14930},
        {{10000, 5000, 0, 300, 0, 100000}, 10000 - BACKDATE_SEC, 10300},
        {{10000, 5000, 0, 6000, 0, 100000}, 10000 - BACKDATE_SEC, 15000},
        {{10000, 5000, 4800, 300, 0, 100000}, 10000 - BACKDATE_SEC, 10200},
        {{10000, 5000, 0, 0, 9900, 12000}, 9900, 12000},
        {{10000, 5000, 0, 0, 10000, 10001}, 10000, 10001},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t not_before = 0;
        int64_t not_after = 0;
        struct err err = {0};
        assert_ok(issue_choose_validity(&cases[i].window, &not_before, &not_after, &err), &err);
        assert_int_equal(not_before, cases[i].not_before);
        assert_int_equal(not_after, cases[i].not_after);
    }
}

static void issuer_not_valid(void **state)
{
    (void)state;
    static const struct issue_window bad[] = {
        {10000, 5000, 0, 0, 10001, 100000},
        {10000, 5000, 0, 0, 0, 10000},
        {10000, 5000, 0, 0, 0, 9000},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t not_before = 0;
        int64_t not_after = 0;
        struct err err = {0};
        assert_refused(issue_choose_validity(&bad[i], &not_before, &not_after, &err), ERR_CONFIG,
                       &err, "not valid at present");
    }
}

static void random_stays_in_range(void **state)
{
    (void)state;
    enum { DRAWS = 2000, MOST = 4 };
    unsigned seen[MOST + 1] = {0};
    for (int i = 0; i < DRAWS; i++) {
        uint64_t value = 0;
        assert_int_equal(issue_random_up_to(MOST, &value, NULL), ERR_OK);
        assert_true(value <= MOST);
        seen[value]++;
    }
    // 400 expected each; below 250 happens by chance less than once in 10^16 runs.
    for (size_t i = 0; i <= MOST; i++) {
        assert_true(seen[i] > 250);
    }
    uint64_t value = 1;
    assert_int_equal(issue_random_up_to(0, &value, NULL), ERR_OK);
    assert_int_equal(value, 0);
    assert_int_equal(issue_random_up_to(UINT64_MAX, &value, NULL), ERR_OK);
}

static void frame_of_certificate(void **state)
{
    (void)state;
    enum { COUNT = 300 }; // enough that a first octet of 00 or 80 and more would turn up
    for (int i = 0; i < COUNT; i++) {
        X509 *cert = X509_new();
        struct err err = {0};
        assert_ok(issue_set_frame(cert, KIT_NOW, YEAR_2050 - 1, &err), &err);
        assert_int_equal(X509_get_version(cert), X509_VERSION_3);
        const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
        struct view octets = ossl_string_view(serial);
        assert_int_equal(octets.len, SERIAL_LEN);
        assert_in_range(octets.data[0], 0x01, 0x7f);
        assert_int_equal(ASN1_STRING_type(serial), V_ASN1_INTEGER);
        X509_free(cert);
    }
}

static void time_types(void **state)
{
    (void)state;
    X509 *cert = X509_new();
    struct err err = {0};
    assert_ok(issue_set_frame(cert, YEAR_2050 - 1, YEAR_2050, &err), &err);
    const ASN1_TIME *not_before = X509_get0_notBefore(cert);
    const ASN1_TIME *not_after = X509_get0_notAfter(cert);
    assert_int_equal(ASN1_STRING_type(not_before), V_ASN1_UTCTIME);
    assert_true(view_is_text(ossl_string_view(not_before), "491231235959Z"));
    assert_int_equal(ASN1_STRING_type(not_after), V_ASN1_GENERALIZEDTIME);
    assert_true(view_is_text(ossl_string_view(not_after), "20500101000000Z"));
    int64_t time = 0;
    assert_ok(issue_time_of(not_after, &time, &err), &err);
    assert_int_equal(time, YEAR_2050);
    X509_free(cert);
    assert_refused(issue_time_of(NULL, &time, &err), ERR_SYNTAX, &err, "cannot be read");
}

// A profile with a subject of its own takes none from the request, and no name from the order.
static void subject_of_the_profile(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, NULL, CA_DAYS);
    struct profile *profile = NULL;
    struct ca_key *key = NULL;
    struct csr *csr = NULL;
    struct err err = {0};
    assert_ok(profile_new_ra(&(struct profile_urls){0}, fixture.cert, &profile, &err), &err);
    assert_ok(ca_key_open(fixture.key_path, NULL, &key, &err), &err);
    struct buf der = kit_csr_der(kit_key(PHONE_KEY), &(struct kit_csr){.common_name = "asked"});
    assert_ok(csr_parse(buf_view(&der), &csr, &err), &err);
    struct issue_order order = order_for(&der);
    const struct issue issue = {.issuer = fixture.cert,
                                .key = key,
                                .profile = profile,
                                .csr = csr,
                                .order = &order,
                                .now = KIT_NOW};
    X509 *cert = NULL;
    assert_ok(issue_certificate(&issue, &cert, &err), &err);
    assert_int_equal(X509_NAME_cmp(X509_get_subject_name(cert), profile_subject(profile)), 0);
    X509_free(cert);
    cert = NULL;
    order.common_name = view_of_text("named");
    assert_refused(issue_certificate(&issue, &cert, &err), ERR_BAD_REQUEST, &err, "the CA names");
    assert_null(cert);
    csr_free(csr);
    ca_key_free(key);
    profile_free(profile);
    buf_done(&der);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_validity),
        cmocka_unit_test(issuer_not_valid),
        cmocka_unit_test(random_stays_in_range),
        cmocka_unit_test(frame_of_certificate),
        cmocka_unit_test(time_types),
        cmocka_unit_test(subject_of_the_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
