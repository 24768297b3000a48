// SPDX-License-Identifier: Apache-2.0
// CRLs read field by field (RFC 5280, 5), by OpenSSL's library and by its command.
#include <stdlib.h>
#include <time.h>

#include "ca/crl.h"
#include "conf/limits.h"
#include "fixture.h"

#define YEAR_2050 2524608000 // 2050-01-01T00:00:00Z

struct site {
    struct fixture fixture;
    struct ca_key *key;
};

static void site_init(struct site *site, EVP_PKEY *take_key)
{
    fixture_init(&site->fixture, take_key, CA_DAYS);
    struct err err = {0};
    assert_ok(ca_key_open(site->fixture.key_path, NULL, &site->key, &err), &err);
}

static void site_done(struct site *site)
{
    ca_key_free(site->key);
    fixture_done(&site->fixture);
}

static struct crl_plan plan_of(const struct site *site, const struct crl_entry *entries,
                               size_t count)
{
    return (struct crl_plan){
        .issuer = site->fixture.cert,
        .key = site->key,
        .number = 7,
        .now = KIT_NOW,
        .hours = CRL_HOURS,
        .entries = entries,
        .count = count,
    };
}

static X509_CRL *parse_crl(struct view der)
{
    const unsigned char *end = der.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &end, (long)der.len);
    assert_non_null(crl);
    assert_ptr_equal(end, der.data + der.len);
    return crl;
}

static X509_CRL *build(const struct crl_plan *plan)
{
    struct buf der = {0};
    struct err err = {0};
    assert_ok(crl_build(plan, &der, &err), &err);
    X509_CRL *crl = parse_crl(buf_view(&der));
    buf_done(&der);
    return crl;
}

static struct crl_entry entry_of(uint8_t first, uint32_t rest, enum revocation_reason reason)
{
    struct crl_entry entry = {.revoked_at = KIT_NOW - 5, .reason = reason};
    entry.serial[0] = first;
    for (size_t i = 0; i < sizeof rest; i++) {
        entry.serial[SERIAL_LEN - 1 - i] = (uint8_t)(rest >> (8 * i));
    }
    return entry;
}

static int64_t time_of(const ASN1_TIME *time)
{
    struct tm parts = {0};
    assert_int_equal(ASN1_TIME_to_tm(time, &parts), 1);
    return timegm(&parts);
}

static size_t count_in(struct view octets, struct view part)
{
    size_t count = 0;
    for (size_t at = 0; at + part.len <= octets.len; at++) {
        count += memcmp(octets.data + at, part.data, part.len) == 0 ? 1 : 0;
    }
    return count;
}

static void assert_signed(X509_CRL *crl, X509 *ca, int nid)
{
    const X509_ALGOR *outside = NULL;
    X509_CRL_get0_signature(crl, NULL, &outside);
    assert_int_equal(X509_CRL_get_signature_nid(crl), nid);
    assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(ca)), 1);
    // The AlgorithmIdentifier stands in the signed part as well; RFC 5280, 5.1.1.2.
    unsigned char *algorithm = NULL;
    unsigned char *der = NULL;
    int algorithm_len = i2d_X509_ALGOR(outside, &algorithm);
    int len = i2d_X509_CRL(crl, &der);
    assert_int_equal(count_in(view_of(der, (size_t)len), view_of(algorithm, (size_t)algorithm_len)),
                     2);
    OPENSSL_free(algorithm);
    OPENSSL_free(der);
}

static void assert_extensions(X509_CRL *crl, X509 *ca, uint64_t number)
{
    int critical = -1;
    assert_int_equal(X509_CRL_get_ext_count(crl), 2);
    AUTHORITY_KEYID *id = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, &critical, NULL);
    assert_int_equal(critical, 0);
    assert_true(
        view_equal(ossl_string_view(id->keyid), ossl_string_view(X509_get0_subject_key_id(ca))));
    assert_null(id->issuer);
    assert_null(id->serial);
    AUTHORITY_KEYID_free(id);
    ASN1_INTEGER *found = X509_CRL_get_ext_d2i(crl, NID_crl_number, &critical, NULL);
    uint64_t value = 0;
    assert_int_equal(critical, 0);
    assert_int_equal(ASN1_INTEGER_get_uint64(&value, found), 1);
    assert_int_equal(value, number);
    ASN1_INTEGER_free(found);
}

static void assert_entry(X509_REVOKED *revoked, const struct crl_entry *entry)
{
    assert_true(view_equal(ossl_string_view(X509_REVOKED_get0_serialNumber(revoked)),
                           view_of(entry->serial, SERIAL_LEN)));
    assert_int_equal(time_of(X509_REVOKED_get0_revocationDate(revoked)), entry->revoked_at);
    int critical = -1;
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, &critical, NULL);
    if (entry->reason == REVOCATION_UNSPECIFIED) {
        assert_null(reason);
        assert_int_equal(X509_REVOKED_get_ext_count(revoked), 0);
    } else {
        assert_int_equal(critical, 0);
        assert_int_equal(ASN1_ENUMERATED_get(reason), entry->reason);
        assert_int_equal(X509_REVOKED_get_ext_count(revoked), 1);
    }
    ASN1_ENUMERATED_free(reason);
}

static void every_field(void **state)
{
    (void)state;
    static const enum revocation_reason reasons[] = {
        REVOCATION_SUPERSEDED,          REVOCATION_UNSPECIFIED,
        REVOCATION_KEY_COMPROMISE,      REVOCATION_CA_COMPROMISE,
        REVOCATION_AFFILIATION_CHANGED, REVOCATION_CESSATION_OF_OPERATION,
        REVOCATION_PRIVILEGE_WITHDRAWN,
    };
    enum { COUNT = sizeof reasons / sizeof reasons[0] };
    struct crl_entry entries[COUNT];
    for (uint32_t i = 0; i < COUNT;
         i++) { // not in the order of serials, and both ends of the range
        entries[i] = entry_of(i % 2 == 0 ? 0x7f : 0x01, i, reasons[i]);
    }
    struct site site;
    site_init(&site, NULL);
    struct crl_plan plan = plan_of(&site, entries, COUNT);
    X509_CRL *crl = build(&plan);
    assert_int_equal(X509_CRL_get_version(crl), X509_CRL_VERSION_2);
    struct buf issuer = {0};
    struct buf subject = {0};
    assert_int_equal(ossl_name_to_der(X509_CRL_get_issuer(crl), &issuer, NULL), ERR_OK);
    assert_int_equal(ossl_name_to_der(X509_get_subject_name(site.fixture.cert), &subject, NULL),
                     ERR_OK);
    assert_true(view_equal(buf_view(&issuer), buf_view(&subject)));
    buf_done(&issuer);
    buf_done(&subject);
    assert_int_equal(time_of(X509_CRL_get0_lastUpdate(crl)), KIT_NOW);
    assert_int_equal(time_of(X509_CRL_get0_nextUpdate(crl)), KIT_NOW + CRL_HOURS * 3600);
    assert_signed(crl, site.fixture.cert, NID_sha256WithRSAEncryption);
    assert_extensions(crl, site.fixture.cert, 7);
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
    assert_int_equal(sk_X509_REVOKED_num(list), COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_entry(sk_X509_REVOKED_value(list, i), &entries[i]);
    }
    X509_CRL_free(crl);
    site_done(&site);
}

// RFC 5280, 5.1.2.6: the list is absent, not empty.
static void nothing_revoked(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, NULL);
    struct crl_plan plan = plan_of(&site, NULL, 0);
    plan.number = UINT64_MAX;
    X509_CRL *crl = build(&plan);
    assert_null(X509_CRL_get_REVOKED(crl));
    assert_signed(crl, site.fixture.cert, NID_sha256WithRSAEncryption);
    assert_extensions(crl, site.fixture.cert, UINT64_MAX);
    X509_CRL_free(crl);
    site_done(&site);
}

static void time_types(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, NULL);
    struct crl_entry entries[] = {entry_of(1, 1, REVOCATION_UNSPECIFIED),
                                  entry_of(1, 2, REVOCATION_UNSPECIFIED)};
    entries[0].revoked_at = YEAR_2050 - 1;
    entries[1].revoked_at = YEAR_2050;
    struct crl_plan plan = plan_of(&site, entries, 2);
    plan.now = YEAR_2050 - 1;
    X509_CRL *crl = build(&plan);
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
    const ASN1_TIME *const early[] = {
        X509_CRL_get0_lastUpdate(crl),
        X509_REVOKED_get0_revocationDate(sk_X509_REVOKED_value(list, 0))};
    const ASN1_TIME *const late[] = {
        X509_CRL_get0_nextUpdate(crl),
        X509_REVOKED_get0_revocationDate(sk_X509_REVOKED_value(list, 1))};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ASN1_STRING_type(early[i]), V_ASN1_UTCTIME);
        assert_true(view_is_text(ossl_string_view(early[i]), "491231235959Z"));
        assert_int_equal(ASN1_STRING_type(late[i]), V_ASN1_GENERALIZEDTIME);
    }
    assert_true(view_is_text(ossl_string_view(late[0]), "20500101235959Z"));
    assert_true(view_is_text(ossl_string_view(late[1]), "20500101000000Z"));
    X509_CRL_free(crl);
    site_done(&site);
}

static void ec_issuers(void **state)
{
    (void)state;
    static const struct {
        const char *curve;
        int signature;
    } cases[] = {{"P-256", NID_ecdsa_with_SHA256}, {"P-384", NID_ecdsa_with_SHA384}};
    for (size_t i = 0; i < 2; i++) {
        struct site site;
        site_init(&site, kit_ec_key(cases[i].curve));
        struct crl_plan plan = plan_of(&site, NULL, 0);
        X509_CRL *crl = build(&plan);
        assert_signed(crl, site.fixture.cert, cases[i].signature);
        X509_CRL_free(crl);
        site_done(&site);
    }
}

static int verify_with_crl(X509 *cert, X509 *ca, X509_CRL *crl)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_add_cert(store, ca);
    X509_STORE_add_crl(store, crl);
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_CTX_init(context, store, cert, NULL), 1);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_X509_STRICT);
    X509_STORE_CTX_set_time(context, 0, KIT_NOW + 60);
    X509_verify_cert(context);
    int error = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return error;
}

static void relying_party(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, NULL);
    fixture_load(&site.fixture);
    struct buf csr = kit_csr_der(kit_key(PHONE_KEY), &(struct kit_csr){.common_name = "phone"});
    struct issue_order order = order_for(&csr);
    X509 *revoked = issue_at(&site.fixture, &order, KIT_NOW);
    X509 *good = issue_at(&site.fixture, &order, KIT_NOW);
    struct crl_entry entry = {.revoked_at = KIT_NOW, .reason = REVOCATION_KEY_COMPROMISE};
    memcpy(entry.serial, ossl_string_view(X509_get0_serialNumber(revoked)).data, SERIAL_LEN);
    struct crl_plan plan = plan_of(&site, &entry, 1);
    X509_CRL *crl = build(&plan);
    assert_int_equal(verify_with_crl(revoked, site.fixture.cert, crl), X509_V_ERR_CERT_REVOKED);
    assert_int_equal(verify_with_crl(good, site.fixture.cert, crl), X509_V_OK);
    X509_CRL_free(crl);
    X509_free(revoked);
    X509_free(good);
    buf_done(&csr);
    site_done(&site);
}

static void openssl_command(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, NULL);
    struct crl_entry entry = entry_of(0x12, 0xabcdef, REVOCATION_KEY_COMPROMISE);
    struct crl_plan plan = plan_of(&site, &entry, 1);
    struct buf der = {0};
    struct err err = {0};
    assert_ok(crl_build(&plan, &der, &err), &err);
    char *path = kit_write(site.fixture.folder, "ca.crl", buf_view(&der));
    char *command = NULL;
    assert_true(asprintf(&command, "openssl crl -inform DER -in %s -CAfile %s -noout -text 2>&1",
                         path, site.fixture.cert_path) > 0);
    FILE *output = popen(command, "r"); // NOLINT(cert-env33-c): a fixed command of this test
    assert_non_null(output);
    char text[8192] = {0};
    size_t len = fread(text, 1, sizeof text - 1, output);
    assert_true(len > 0);
    assert_int_equal(pclose(output), 0);
    static const char *const expected[] = {"verify OK", "Version 2 (0x1)",
                                           "12000000000000000000000000ABCDEF", "Key Compromise",
                                           "X509v3 CRL Number"};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        if (strstr(text, expected[i]) == NULL) {
            fail_msg("no \"%s\" in: %s", expected[i], text);
        }
    }
    free(command);
    free(path);
    buf_done(&der);
    site_done(&site);
}

static void refuses_entries(void **state)
{
    (void)state;
    static const struct {
        uint8_t first;
        int64_t revoked_at;
        int reason;
        const char *text;
    } bad[] = {
        {0x00, KIT_NOW, 0, "begins with 00"},
        {0x80, KIT_NOW, 0, "begins with 80"},
        {0xff, KIT_NOW, 0, "begins with FF"},
        {1, KIT_NOW, 6, "reason 6"},
        {1, KIT_NOW, 7, "reason 7"},
        {1, KIT_NOW, 8, "reason 8"},
        {1, KIT_NOW, 10, "reason 10"},
        {1, -631152001, 0, "-631152001 seconds"},
        {1, 253402300800, 0, "253402300800 seconds"},
    };
    struct site site;
    site_init(&site, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct crl_entry entries[2] = {entry_of(1, 1, REVOCATION_UNSPECIFIED)};
        entries[1] = entry_of(bad[i].first, 2, (enum revocation_reason)bad[i].reason);
        entries[1].revoked_at = bad[i].revoked_at;
        struct crl_plan plan = plan_of(&site, entries, 2);
        struct buf der = {0};
        struct err err = {0};
        assert_refused(crl_build(&plan, &der, &err), ERR_BAD_REQUEST, &err, bad[i].text);
        assert_null(der.data);
    }
    struct crl_entry ends[2] = {entry_of(1, 1, REVOCATION_UNSPECIFIED),
                                entry_of(1, 2, REVOCATION_UNSPECIFIED)};
    ends[0].revoked_at = -631152000;
    ends[1].revoked_at = 253402300799;
    struct crl_plan plan = plan_of(&site, ends, 2);
    X509_CRL *crl = build(&plan);
    for (int i = 0; i < 2; i++) {
        assert_entry(sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), i), &ends[i]);
    }
    X509_CRL_free(crl);
    site_done(&site);
}

static void as_many_as_there_may_be(void **state)
{
    (void)state;
    struct site site;
    site_init(&site, NULL);
    struct crl_entry *entries = calloc(LIMIT_CRL_ENTRIES + 1, sizeof *entries);
    assert_non_null(entries);
    for (uint32_t i = 0; i <= LIMIT_CRL_ENTRIES; i++) {
        entries[i] = entry_of(0x55, i, REVOCATION_SUPERSEDED);
    }
    struct crl_plan plan = plan_of(&site, entries, LIMIT_CRL_ENTRIES + 1);
    struct buf der = {0};
    struct err err = {0};
    assert_refused(crl_build(&plan, &der, &err), ERR_LIMIT, &err, "200001 entries");
    plan.count = LIMIT_CRL_ENTRIES;
    assert_ok(crl_build(&plan, &der, &err), &err);
    assert_true(der.len <= LIMIT_CRL_LEN);
    X509_CRL *crl = parse_crl(buf_view(&der));
    buf_done(&der);
    assert_signed(crl, site.fixture.cert, NID_sha256WithRSAEncryption);
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
    assert_int_equal(sk_X509_REVOKED_num(list), LIMIT_CRL_ENTRIES);
    assert_entry(sk_X509_REVOKED_value(list, LIMIT_CRL_ENTRIES - 1),
                 &entries[LIMIT_CRL_ENTRIES - 1]);
    X509_CRL_free(crl);
    free(entries);
    site_done(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field),     cmocka_unit_test(nothing_revoked),
        cmocka_unit_test(time_types),      cmocka_unit_test(ec_issuers),
        cmocka_unit_test(relying_party),   cmocka_unit_test(openssl_command),
        cmocka_unit_test(refuses_entries), cmocka_unit_test(as_many_as_there_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
