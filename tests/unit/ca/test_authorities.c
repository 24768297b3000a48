// SPDX-License-Identifier: Apache-2.0
// Several CAs at once: who issues, who only signs CRLs, what is announced, and what a missing key
// of an old CA does not stop. What is sealed and opened is in test_direct.c.
#include <stdlib.h>

#include "next_ca_kit.h"

#define UNKNOWN_ID "an order for a CA that is not held here"

// A present CA (the settings'), a next one under a root, and an old one.
struct site {
    struct fixture fixture;
    X509 *root;
    X509 *next;
    X509 *old;
    char *root_path;
    uint8_t next_id[SHA256_LEN];
    uint8_t old_id[SHA256_LEN];
};

enum { OLD_KEY = 4, ROOT_KEY = 5, RA_KEY = 6 };

static void site_init(struct site *site)
{
    *site = (struct site){0};
    char name[GENERATION_NAME_LEN];
    fixture_init(&site->fixture, NULL, CA_DAYS);
    site->root = kit_cert(kit_key(ROOT_KEY), "Root", NULL, NULL, true, KIT_NOW, CA_DAYS);
    site->next = kit_cert(kit_key(NEXT_KEY), NEXT_NAME, site->root, kit_key(ROOT_KEY), true,
                          KIT_NOW, CA_DAYS);
    site->old = kit_cert(kit_key(OLD_KEY), "Old CA", NULL, NULL, true, KIT_NOW - 9000000, 10);
    identify(site->next, site->next_id, name);
    identify(site->old, site->old_id, name);
    site->root_path = write_cert(site->fixture.folder, "root.pem", site->root);
    site->fixture.settings.ca.root = site->root_path;
}

static void site_done(struct site *site)
{
    X509_free(site->root);
    X509_free(site->next);
    X509_free(site->old);
    free(site->root_path);
    fixture_done(&site->fixture);
}

static void add_both(struct site *site)
{
    fixture_add_ca(&site->fixture, site->next, kit_key(NEXT_KEY), "next");
    fixture_add_ca(&site->fixture, site->old, kit_key(OLD_KEY), NULL);
}

static struct buf phone_csr(void)
{
    return kit_csr_der(kit_key(PHONE_KEY), &(struct kit_csr){.common_name = "SEP001A2B3C4D5E"});
}

static X509 *issue(const struct site *site, const uint8_t *issuer, enum issue_profile profile)
{
    struct buf csr = phone_csr();
    struct issue_order order = order_for(&csr);
    order.profile = profile;
    order.issuer = view_of(issuer, SHA256_LEN);
    struct buf der = {0};
    struct authority_issued issued;
    struct err err = {0};
    assert_ok(authorities_issue(site->fixture.authorities, &order, KIT_NOW, &der, &issued, &err),
              &err);
    X509 *cert = parse_cert(&der);
    buf_done(&der);
    buf_done(&csr);
    return cert;
}

static void states(void **state)
{
    (void)state;
    struct site site;
    struct ca_state found;
    site_init(&site);
    fixture_load(&site.fixture);
    authorities_state(site.fixture.authorities, &found);
    assert_memory_equal(found.current, site.fixture.id, SHA256_LEN);
    assert_false(found.has_next);
    assert_int_equal(found.old_count, 0);
    assert_null(authorities_get(site.fixture.authorities, 1));

    add_both(&site);
    fixture_load(&site.fixture);
    authorities_state(site.fixture.authorities, &found);
    assert_memory_equal(found.current, site.fixture.id, SHA256_LEN);
    assert_true(found.has_next);
    assert_memory_equal(found.next, site.next_id, SHA256_LEN);
    assert_int_equal(found.old_count, 1);
    assert_memory_equal(found.old[0], site.old_id, SHA256_LEN);
    static const enum generation_role roles[] = {GENERATION_CURRENT, GENERATION_NEXT,
                                                 GENERATION_OLD};
    for (unsigned i = 0; i < 3; i++) {
        const struct authority *authority = authorities_get(site.fixture.authorities, i);
        assert_int_equal(authority_role(authority), roles[i]);
    }
    assert_null(authorities_get(site.fixture.authorities, 3));

    // The switch.
    char name[GENERATION_NAME_LEN];
    uint8_t id[SHA256_LEN];
    identify(site.next, id, name);
    char *link = kit_path(site.fixture.generations, "current");
    assert_int_equal(symlink(name, link), 0);
    free(link);
    fixture_load(&site.fixture);
    authorities_state(site.fixture.authorities, &found);
    assert_memory_equal(found.current, site.next_id, SHA256_LEN);
    assert_false(found.has_next);
    assert_int_equal(found.old_count, 2);
    assert_memory_equal(found.old[0], site.fixture.id, SHA256_LEN);
    site_done(&site);
}

static void issues_by_the_ca_it_names(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    add_both(&site);
    fixture_load(&site.fixture);
    X509 *present = issue(&site, site.fixture.id, PROFILE_PHONE);
    X509 *next = issue(&site, site.next_id, PROFILE_PHONE);
    X509 *ra = issue(&site, site.next_id, PROFILE_RA);
    assert_verifies(present, site.fixture.cert, NULL, KIT_NOW, X509_PURPOSE_SSL_CLIENT);
    assert_verifies(next, site.root, site.next, KIT_NOW, X509_PURPOSE_SSL_CLIENT);
    assert_verifies(ra, site.root, site.next, KIT_NOW, X509_PURPOSE_ANY);
    X509_free(present);
    X509_free(next);
    X509_free(ra);
    site_done(&site);
}

static void refuses_other_issuers(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    add_both(&site);
    fixture_load(&site.fixture);
    uint8_t unknown[SHA256_LEN] = {0};
    const struct {
        struct view issuer;
        const char *text;
    } bad[] = {
        {view_of(site.old_id, SHA256_LEN), "issues nothing"},
        {view_of(unknown, SHA256_LEN), UNKNOWN_ID},
        {view_of(site.fixture.id, SHA256_LEN - 1), UNKNOWN_ID},
        {VIEW_EMPTY, UNKNOWN_ID},
    };
    struct buf csr = phone_csr();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct issue_order order = order_for(&csr);
        order.issuer = bad[i].issuer;
        struct buf der = {0};
        struct authority_issued issued;
        struct err err = {0};
        assert_refused(
            authorities_issue(site.fixture.authorities, &order, KIT_NOW, &der, &issued, &err),
            ERR_DENIED, &err, bad[i].text);
        assert_null(der.data);
    }
    buf_done(&csr);
    site_done(&site);
}

// All CAs sign CRLs, each its own; the old one although its certificate has expired.
static void crls(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    add_both(&site);
    fixture_load(&site.fixture);
    struct crl_entry entry = {.serial = {1}, .revoked_at = KIT_NOW};
    const struct {
        const uint8_t *id;
        X509 *cert;
    } cas[] = {
        {site.fixture.id, site.fixture.cert}, {site.next_id, site.next}, {site.old_id, site.old}};
    for (size_t i = 0; i < 3; i++) {
        const struct authorities_crl order = {.issuer = view_of(cas[i].id, SHA256_LEN),
                                              .number = i,
                                              .entries = &entry,
                                              .count = 1,
                                              .now = KIT_NOW};
        struct buf der = {0};
        struct err err = {0};
        assert_ok(authorities_sign_crl(site.fixture.authorities, &order, &der, &err), &err);
        const unsigned char *end = der.data;
        X509_CRL *crl = d2i_X509_CRL(NULL, &end, (long)der.len);
        assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(cas[i].cert)), 1);
        assert_int_equal(
            X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(cas[i].cert)), 0);
        int days = 0;
        int seconds = 0;
        assert_int_equal(ASN1_TIME_diff(&days, &seconds, X509_CRL_get0_lastUpdate(crl),
                                        X509_CRL_get0_nextUpdate(crl)),
                         1);
        assert_int_equal(days * 24 + seconds / 3600, CRL_HOURS);
        X509_CRL_free(crl);
        buf_done(&der);
    }
    uint8_t unknown[SHA256_LEN] = {0};
    const struct authorities_crl order = {.issuer = view_of(unknown, SHA256_LEN), .now = KIT_NOW};
    struct buf der = {0};
    struct err err = {0};
    assert_refused(authorities_sign_crl(site.fixture.authorities, &order, &der, &err), ERR_DENIED,
                   &err, UNKNOWN_ID);
    site_done(&site);
}

static void missing_key_of_an_old_one(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    fixture_add_ca(&site.fixture, site.next, kit_key(NEXT_KEY), "next");
    fixture_add_ca(&site.fixture, site.old, NULL, NULL);
    struct authorities *authorities = NULL;
    unsigned missing = 0;
    struct err err = {0};
    assert_ok(authorities_load(&site.fixture.settings, KIT_NOW, &authorities, &missing, &err),
              &err);
    assert_int_equal(missing, 1);
    char name[GENERATION_NAME_LEN];
    uint8_t id[SHA256_LEN];
    identify(site.old, id, name);
    const struct authorities_missing *one = authorities_missing(authorities, 0);
    assert_string_equal(one->name, name);
    assert_int_equal(one->why.code, ERR_CONFIG);
    assert_non_null(strstr(one->why.text, "ca.key"));
    assert_null(authorities_missing(authorities, 1));
    struct ca_state found;
    authorities_state(authorities, &found);
    assert_true(found.has_next);
    assert_int_equal(found.old_count, 0);
    const struct authorities_crl order = {.issuer = view_of(site.old_id, SHA256_LEN),
                                          .now = KIT_NOW};
    struct buf der = {0};
    assert_refused(authorities_sign_crl(authorities, &order, &der, &err), ERR_DENIED, &err,
                   UNKNOWN_ID);
    authorities_unref(authorities);
    site_done(&site);
}

static void refuse_load(const struct site *site, const char *text)
{
    struct authorities *authorities = NULL;
    unsigned missing = 7;
    struct err err = {0};
    assert_refused(authorities_load(&site->fixture.settings, KIT_NOW, &authorities, &missing, &err),
                   ERR_CONFIG, &err, text);
    assert_null(authorities);
    assert_int_equal(missing, 7);
}

// Those that issue must be there: the error names the CA.
static void missing_key_of_others(void **state)
{
    (void)state;
    struct site site;
    char name[GENERATION_NAME_LEN];
    uint8_t id[SHA256_LEN];
    static const char *const links[] = {"next", "current"};
    for (size_t i = 0; i < 2; i++) {
        site_init(&site);
        identify(site.next, id, name);
        fixture_add_ca(&site.fixture, site.next, NULL, links[i]);
        refuse_load(&site, name);
        refuse_load(&site, "ca.key");
        site_done(&site);
    }
    site_init(&site);
    fixture_add_ca(&site.fixture, site.next, kit_key(OTHER_KEY), "next");
    refuse_load(&site, "does not belong");
    site_done(&site);

    site_init(&site);
    fixture_add_ca(&site.fixture, site.next, kit_key(NEXT_KEY), "next");
    unlink(site.root_path);
    struct authorities *authorities = NULL;
    struct err err = {0};
    assert_refused(authorities_load(&site.fixture.settings, KIT_NOW, &authorities, NULL, &err),
                   ERR_NOT_FOUND, &err, "root.pem");
    site_done(&site);
}

static X509 *next_ra(const struct site *site)
{
    return issue(site, site->next_id, PROFILE_RA);
}

static void announces_the_next_ca(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    add_both(&site);
    fixture_load(&site.fixture);
    X509 *ra = next_ra(&site);
    struct buf ra_der = {0};
    struct buf der = {0};
    struct err err = {0};
    assert_int_equal(ossl_cert_to_der(ra, &ra_der, NULL), ERR_OK);
    assert_ok(authorities_sign_next_ca(site.fixture.authorities, buf_view(&ra_der), &der, &err),
              &err);
    X509 *const with_ra[] = {ra, site.next, site.root};
    assert_all_read(buf_view(&der), site.fixture.cert, with_ra, 3);
    buf_done(&der);
    assert_ok(authorities_sign_next_ca(site.fixture.authorities, VIEW_EMPTY, &der, &err), &err);
    assert_all_read(buf_view(&der), site.fixture.cert, with_ra + 1, 2);
    buf_done(&der);
    buf_done(&ra_der);
    X509_free(ra);
    site_done(&site);
}

static void refuse_next_ra(const struct site *site, X509 *take_cert, const char *text)
{
    struct buf ra = {0};
    struct buf der = {0};
    struct err err = {0};
    assert_int_equal(ossl_cert_to_der(take_cert, &ra, NULL), ERR_OK);
    assert_refused(authorities_sign_next_ca(site->fixture.authorities, buf_view(&ra), &der, &err),
                   ERR_DENIED, &err, text);
    assert_null(der.data);
    buf_done(&ra);
    X509_free(take_cert);
}

static void announces_nothing_else(void **state)
{
    (void)state;
    struct site site;
    struct buf der = {0};
    struct err err = {0};
    site_init(&site);
    fixture_load(&site.fixture);
    assert_refused(authorities_sign_next_ca(site.fixture.authorities, VIEW_EMPTY, &der, &err),
                   ERR_NOT_FOUND, &err, "no next CA");
    add_both(&site);
    fixture_load(&site.fixture);
    refuse_next_ra(&site, issue(&site, site.fixture.id, PROFILE_RA), "not by the next CA");
    refuse_next_ra(&site, issue(&site, site.next_id, PROFILE_PHONE), "not an RA's");
    refuse_next_ra(&site,
                   kit_cert(kit_key(RA_KEY), "x", site.next, kit_key(NEXT_KEY), true, KIT_NOW, 1),
                   "not an RA's");
    // The next CA's name under another key.
    X509 *false_ca = kit_cert(kit_key(OTHER_KEY), NEXT_NAME, NULL, NULL, true, KIT_NOW, 1);
    refuse_next_ra(&site,
                   kit_cert(kit_key(RA_KEY), "x", false_ca, kit_key(OTHER_KEY), false, KIT_NOW, 1),
                   "not by the next CA");
    X509_free(false_ca);
    assert_refused(
        authorities_sign_next_ca(site.fixture.authorities, view_of("\x30\x00", 2), &der, &err),
        ERR_DENIED, &err, "cannot be read");
    assert_null(der.data);
    site_done(&site);
}

// A reload replaces the snapshot; who still holds the old one goes on with it.
static void references(void **state)
{
    (void)state;
    struct site site;
    site_init(&site);
    fixture_load(&site.fixture);
    struct authorities *held = authorities_ref(site.fixture.authorities);
    add_both(&site);
    fixture_load(&site.fixture);
    struct ca_state found;
    authorities_state(held, &found);
    assert_false(found.has_next);
    assert_memory_equal(authority_id(authorities_current(held)), site.fixture.id, SHA256_LEN);
    authorities_unref(held);
    authorities_unref(NULL);
    site_done(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states),
        cmocka_unit_test(issues_by_the_ca_it_names),
        cmocka_unit_test(refuses_other_issuers),
        cmocka_unit_test(crls),
        cmocka_unit_test(missing_key_of_an_old_one),
        cmocka_unit_test(missing_key_of_others),
        cmocka_unit_test(announces_the_next_ca),
        cmocka_unit_test(announces_nothing_else),
        cmocka_unit_test(references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
