// SPDX-License-Identifier: Apache-2.0
// The profiles "phone" and RA: which extensions it adds, and settings that contradict each other.
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
    X509 *cert = apply(&(struct profile_phone){
        .validity_days = VALIDITY_DAYS,
        .urls = {.crl = "http://pki.example/crl", .ca = "http://pki.example/ca"}});
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
    assert_null(profile_subject(profile));
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

static struct profile *ra_profile(const struct profile_urls *urls, X509 *issuer)
{
    struct profile *profile = NULL;
    struct err err = {0};
    assert_ok(profile_new_ra(urls, issuer, &profile, &err), &err);
    return profile;
}

static void ra_extensions(void **state)
{
    (void)state;
    static const int nids[] = {NID_basic_constraints, NID_key_usage, NID_authority_key_identifier,
                               NID_crl_distribution_points, NID_info_access};
    X509 *issuer = kit_cert(kit_key(0), CA_COMMON_NAME, NULL, NULL, true, KIT_NOW, CA_DAYS);
    const struct profile_urls urls = {.crl = "http://pki.example/crl",
                                      .ca = "http://pki.example/ca"};
    for (int with_urls = 0; with_urls <= 1; with_urls++) {
        struct profile *profile =
            ra_profile(with_urls == 1 ? &urls : &(struct profile_urls){0}, issuer);
        X509 *cert = X509_new();
        struct err err = {0};
        assert_ok(profile_add_extensions(profile, cert, &err), &err);
        int count = with_urls == 1 ? 5 : 3;
        assert_int_equal(X509_get_ext_count(cert), count);
        for (int i = 0; i < count; i++) {
            assert_int_equal(X509_get_ext_by_NID(cert, nids[i], -1), i);
        }
        assert_int_equal(profile_validity_sec(profile), 730 * 86400);
        assert_int_equal(profile_jitter_sec(profile), 0);
        X509_free(cert);
        profile_free(profile);
    }
    X509_free(issuer);
}

static X509 *ca_named(const char *const (*parts)[2], size_t count)
{
    X509 *cert = kit_cert(kit_key(0), "x", NULL, NULL, true, KIT_NOW, CA_DAYS);
    X509_NAME *name = X509_NAME_new();
    for (size_t i = 0; i < count; i++) {
        // A "+" puts the attribute into the RDN before it.
        bool is_added = parts[i][0][0] == '+';
        assert_int_equal(X509_NAME_add_entry_by_txt(
                             name, parts[i][0] + (is_added ? 1 : 0), MBSTRING_UTF8,
                             (const unsigned char *)parts[i][1], -1, -1, is_added ? -1 : 0),
                         1);
    }
    X509_set_subject_name(cert, name);
    X509_NAME_free(name);
    return cert;
}

// The CA's own RDNs without its CN, wherever that stands.
static void ra_subjects(void **state)
{
    (void)state;
    static const struct {
        const char *const ca[4][2];
        size_t count;
        const char *subject;
    } cases[] = {
        {{{"CN", "Test CA"}}, 1, "/CN=SCEP RA"},
        {{{"C", "DE"}, {"O", "Org"}, {"CN", "Test CA"}}, 3, "/C=DE/O=Org/CN=SCEP RA"},
        {{{"CN", "Test CA"}, {"O", "Org"}}, 2, "/O=Org/CN=SCEP RA"},
        {{{"O", "Org"}, {"OU", "CAs"}}, 2, "/O=Org/OU=CAs/CN=SCEP RA"},
        {{{"O", "Org"}, {"CN", "a"}, {"OU", "b"}, {"CN", "c"}}, 4, "/O=Org/OU=b/CN=SCEP RA"},
        {{{"O", "Org"}, {"+CN", "a"}, {"OU", "b"}}, 3, "/O=Org/OU=b/CN=SCEP RA"},
        {{{"CN", "a"}, {"+OU", "b"}, {"+O", "c"}}, 3, "/O=c+OU=b/CN=SCEP RA"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        X509 *issuer = ca_named(cases[i].ca, cases[i].count);
        struct profile *profile = ra_profile(&(struct profile_urls){0}, issuer);
        char *text = X509_NAME_oneline(profile_subject(profile), NULL, 0);
        if (strcmp(text, cases[i].subject) != 0) {
            fail_msg("case %zu: %s", i, text);
        }
        OPENSSL_free(text);
        const X509_NAME *subject = profile_subject(profile);
        const X509_NAME_ENTRY *last =
            X509_NAME_get_entry(subject, X509_NAME_entry_count(subject) - 1);
        assert_int_equal(ASN1_STRING_type(X509_NAME_ENTRY_get_data(last)), V_ASN1_UTF8STRING);
        profile_free(profile);
        X509_free(issuer);
    }
}

static void refuses_a_ca_named_like_an_ra(void **state)
{
    (void)state;
    static const char *const parts[][2] = {{"O", "Org"}, {"CN", "SCEP RA"}};
    X509 *issuer = ca_named(parts, 2);
    struct profile *profile = NULL;
    struct err err = {0};
    assert_refused(profile_new_ra(&(struct profile_urls){0}, issuer, &profile, &err), ERR_CONFIG,
                   &err, "CN=SCEP RA");
    assert_null(profile);
    X509_free(issuer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_urls),
        cmocka_unit_test(with_urls),
        cmocka_unit_test(days_become_seconds),
        cmocka_unit_test(refuses_contradictions),
        cmocka_unit_test(ra_extensions),
        cmocka_unit_test(ra_subjects),
        cmocka_unit_test(refuses_a_ca_named_like_an_ra),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
