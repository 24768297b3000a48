// SPDX-License-Identifier: Apache-2.0
// The profile "phone": which extensions it adds, and settings that contradict each other.
#include "ca/profile.h"
#include "fixture.h"

static X509 *apply(const struct profile_phone *settings)
{
    X509 *issuer = kit_cert(kit_key(0), CA_COMMON_NAME, NULL, NULL, true, KIT_NOW, CA_DAYS);
    struct profile *profile = NULL;
    struct err err = {0};
    assert_ok(profile_new_phone(settings, issuer, &profile, &err), &err);
    X509 *cert = X509_new();
    assert_ok(profile_add_extensions(profile, cert, &err), &err);
    profile_free(profile);
    X509_free(issuer);
    return cert;
}

static void without_urls(void **state)
{
    (void)state;
    X509 *cert = apply(&(struct profile_phone){.validity_days = VALIDITY_DAYS});
    assert_int_equal(X509_get_ext_count(cert), 4);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_basic_constraints, -1), 0);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_key_usage, -1), 1);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_ext_key_usage, -1), 2);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_authority_key_identifier, -1), 3);
    X509_free(cert);
}

static void with_urls(void **state)
{
    (void)state;
    X509 *cert = apply(&(struct profile_phone){.validity_days = VALIDITY_DAYS,
                                               .crl_url = "http://pki.example/crl",
                                               .ca_url = "http://pki.example/ca"});
    assert_int_equal(X509_get_ext_count(cert), 6);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_crl_distribution_points, -1), 4);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_info_access, -1), 5);
    X509_free(cert);
}

static void days_become_seconds(void **state)
{
    (void)state;
    X509 *issuer = kit_cert(kit_key(0), CA_COMMON_NAME, NULL, NULL, true, KIT_NOW, CA_DAYS);
    const struct profile_phone settings = {.validity_days = 100, .validity_jitter_days = 7};
    struct profile *profile = NULL;
    struct err err = {0};
    assert_ok(profile_new_phone(&settings, issuer, &profile, &err), &err);
    assert_int_equal(profile_validity_sec(profile), 100 * 86400);
    assert_int_equal(profile_jitter_sec(profile), 7 * 86400);
    profile_free(profile);
    X509_free(issuer);
}

static void refuses_contradictions(void **state)
{
    (void)state;
    X509 *issuer = kit_cert(kit_key(0), CA_COMMON_NAME, NULL, NULL, true, KIT_NOW, CA_DAYS);
    static const struct profile_phone bad[] = {
        {.validity_days = 0},
        {.validity_days = 10, .validity_jitter_days = 10},
        {.validity_days = 10, .validity_jitter_days = 11},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct profile *profile = NULL;
        struct err err = {0};
        assert_refused(profile_new_phone(&bad[i], issuer, &profile, &err), ERR_CONFIG, &err,
                       "jitter");
        assert_null(profile);
    }
    X509_free(issuer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_urls),
        cmocka_unit_test(with_urls),
        cmocka_unit_test(days_become_seconds),
        cmocka_unit_test(refuses_contradictions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
