// SPDX-License-Identifier: Apache-2.0
// IssuerAndSerialNumber, and what GetCert and GetCRL find by it in a real store.
#include "kit/kit.h"

#include <stdlib.h>
#include <string.h>

#include "ra/fetch.h"
#include "ra/store/writer.h"

#define STORE_OCTETS (16 * 1024 * 1024)
#define DAYS         100
#define CRL_HOURS    48

// Two CAs of one name, of which only the older one has a CRL, one of another, and one that is not
// ours.
enum { CA_PRESENT, CA_OLD, CA_OTHER, CA_COUNT };
static const char *const ca_names[CA_COUNT] = {"Phones CA", "Phones CA", "Other CA"};

struct fixture {
    char *folder;
    struct store *store;
    struct writer *writer;
    struct generations generations;
    struct recipient recipient;
    uint8_t serials[CA_COUNT][SERIAL_LEN]; // of a certificate by each CA
};

static void store_certificate_of(struct fixture *fixture, unsigned ca)
{
    struct write_order order = {.kind = WRITE_ISSUED, .now = KIT_NOW};
    struct store_certificate *record = &order.certificate;
    fixture->serials[ca][0] = 1;
    fixture->serials[ca][SERIAL_LEN - 1] = (uint8_t)(ca + 1);
    memcpy(record->serial, fixture->serials[ca], SERIAL_LEN);
    memcpy(record->issuer, fixture->generations.list[ca].id, SHA256_LEN);
    record->status = CERTIFICATE_VALID;
    record->origin = ORIGIN_CHALLENGE;
    record->issued_at = record->not_before = KIT_NOW;
    record->not_after = KIT_NOW + DAY_SEC;
    record->device[0] = (char)('a' + ca);
    record->spki_hash[0] = record->transaction_key[0] = (uint8_t)ca;
    assert_int_equal(buf_copy(view_of_text(ca_names[ca]), &record->der, NULL), ERR_OK);
    assert_int_equal(writer_submit_and_wait(fixture->writer, &order, NULL), ERR_OK);
    store_certificate_done(record);
}

static void store_crl_of(struct fixture *fixture, unsigned ca, const char *octets)
{
    struct err err = {0};
    struct store_crl crl = {
        .number = 1, .this_update = KIT_NOW, .next_update = KIT_NOW + (int64_t)CRL_HOURS * 3600};
    struct write_order order = {.kind = WRITE_CRL, .now = KIT_NOW, .crl = &crl};
    memcpy(crl.issuer, fixture->generations.list[ca].id, SHA256_LEN);
    assert_int_equal(buf_copy(view_of_text(octets), &crl.der, NULL), ERR_OK);
    if (writer_submit_and_wait(fixture->writer, &order, &err) != ERR_OK) {
        fail_msg("writer: %s", err.text);
    }
    store_crl_done(&crl);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->folder = kit_new_folder();
    assert_int_equal(store_open(fixture->folder, STORE_OCTETS, &fixture->store, NULL), ERR_OK);
    assert_int_equal(writer_start(fixture->store, &fixture->writer, NULL), ERR_OK);
    fixture->generations.count = CA_COUNT;
    for (unsigned i = 0; i < CA_COUNT; i++) {
        struct generation *ca = &fixture->generations.list[i];
        ca->cert = kit_cert(kit_key(i), ca_names[i], NULL, NULL, true, KIT_NOW, DAYS);
        assert_int_equal(generation_identify(ca->cert, ca->id, ca->name, NULL), ERR_OK);
        store_certificate_of(fixture, i);
    }
    // The RA's issuer is none of them, as behind an imported CA.
    X509 *root = kit_cert(kit_key(4), "Root", NULL, NULL, true, KIT_NOW, DAYS);
    fixture->recipient.cert = kit_cert(kit_key(3), "RA", root, kit_key(4), false, KIT_NOW, DAYS);
    memcpy(fixture->recipient.issuer, fixture->generations.list[CA_OTHER].id, SHA256_LEN);
    X509_free(root);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    writer_stop(fixture->writer);
    store_close(fixture->store);
    X509_free(fixture->recipient.cert);
    for (unsigned i = 0; i < CA_COUNT; i++) {
        X509_free(fixture->generations.list[i].cert);
    }
    kit_remove_folder(fixture->folder);
    free(fixture);
    return 0;
}

static struct buf asked_der(const char *issuer, struct view serial)
{
    struct buf der = {0};
    unsigned char *octets = NULL;
    PKCS7_ISSUER_AND_SERIAL *asked = PKCS7_ISSUER_AND_SERIAL_new();
    assert_int_equal(X509_NAME_add_entry_by_NID(asked->issuer, NID_commonName, MBSTRING_UTF8,
                                                (const unsigned char *)issuer, -1, -1, 0),
                     1);
    ASN1_STRING_set(asked->serial, serial.data, (int)serial.len);
    int len = i2d_PKCS7_ISSUER_AND_SERIAL(asked, &octets);
    assert_true(len > 0);
    assert_int_equal(buf_copy(view_of(octets, (size_t)len), &der, NULL), ERR_OK);
    OPENSSL_free(octets);
    PKCS7_ISSUER_AND_SERIAL_free(asked);
    return der;
}

static struct fetch_query query_of(const char *issuer, struct view serial)
{
    struct fetch_query query = {0};
    struct buf der = asked_der(issuer, serial);
    assert_int_equal(fetch_parse(buf_view(&der), &query, NULL), ERR_OK);
    buf_done(&der);
    return query;
}

// ---- parsing ----

static void exactly_one_is_parsed(void **unused)
{
    (void)unused;
    const uint8_t serial[SERIAL_LEN + 1] = {1, 2, 3};
    struct buf der = asked_der("CA", view_of(serial, SERIAL_LEN));
    struct fetch_query query = {0};
    struct err err = {0};
    assert_int_equal(fetch_parse(buf_view(&der), &query, NULL), ERR_OK);
    assert_true(query.has_serial);
    assert_memory_equal(query.serial, serial, SERIAL_LEN);
    fetch_query_done(&query);
    for (size_t len = 0; len < der.len; len++) {
        assert_int_equal(fetch_parse(view_of(der.data, len), &query, &err), ERR_BAD_REQUEST);
        assert_null(query.issuer);
    }
    assert_int_equal(buf_append(&der, view_of("", 1), NULL), ERR_OK);
    assert_int_equal(fetch_parse(buf_view(&der), &query, &err), ERR_BAD_REQUEST);
    assert_memory_equal(err.text, "not exactly one IssuerAndSerialNumber", 37);
    buf_done(&der);
}

static void damaged_octets_are_refused_or_read(void **unused)
{
    (void)unused;
    const uint8_t serial[SERIAL_LEN] = {1, 2, 3};
    struct buf der = asked_der("CA", view_of(serial, SERIAL_LEN));
    for (size_t bit = 0; bit < der.len * 8; bit++) {
        struct fetch_query query = {0};
        der.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum err_code code = fetch_parse(buf_view(&der), &query, NULL);
        assert_true(code == ERR_OK || code == ERR_BAD_REQUEST);
        fetch_query_done(&query);
        der.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    buf_done(&der);
}

// ---- GetCert ----

static void a_certificate_is_found_by_issuer_and_serial(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *issuer;
        unsigned serial_of;
        bool is_found;
    } tests[] = {
        {"Phones CA", CA_PRESENT, true}, {"Phones CA", CA_OLD, true}, {"Other CA", CA_OTHER, true},
        {"Phones CA", CA_OTHER, false},  {"Other CA", CA_OLD, false}, {"Root", CA_PRESENT, false},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        const uint8_t *serial = fixture->serials[tests[i].serial_of];
        struct fetch_query query = query_of(tests[i].issuer, view_of(serial, SERIAL_LEN));
        struct store_certificate found = {0};
        enum err_code code =
            fetch_certificate(fixture->store, &fixture->generations, &query, &found, NULL);
        assert_int_equal(code, tests[i].is_found ? ERR_OK : ERR_NOT_FOUND);
        assert_int_equal(found.der.len > 0, tests[i].is_found);
        if (tests[i].is_found) {
            assert_memory_equal(found.serial, serial, SERIAL_LEN);
        }
        store_certificate_done(&found);
        fetch_query_done(&query);
    }
}

static void other_serial_numbers_find_nothing(void **state)
{
    struct fixture *fixture = *state;
    uint8_t serial[SERIAL_LEN + 1] = {0};
    memcpy(serial, fixture->serials[CA_PRESENT], SERIAL_LEN);
    const struct view tests[] = {
        view_of(serial, SERIAL_LEN - 1),
        view_of(serial, SERIAL_LEN + 1),
        view_of(serial, 1),
    };
    struct store_certificate found = {0};
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct fetch_query query = query_of("Phones CA", tests[i]);
        assert_false(query.has_serial);
        assert_int_equal(
            fetch_certificate(fixture->store, &fixture->generations, &query, &found, NULL),
            ERR_NOT_FOUND);
        fetch_query_done(&query);
    }
    const struct fetch_query nothing = {0};
    assert_int_equal(
        fetch_certificate(fixture->store, &fixture->generations, &nothing, &found, NULL),
        ERR_NOT_FOUND);
}

// ---- GetCRL ----

// NULL = there is none.
static void assert_crl(struct fixture *fixture, const char *issuer, const char *expected)
{
    const uint8_t any_serial[] = {42};
    struct fetch_query query = query_of(issuer, view_of(any_serial, sizeof any_serial));
    struct store_crl crl = {0};
    enum err_code code =
        fetch_crl(fixture->store, &fixture->generations, &fixture->recipient, &query, &crl, NULL);
    assert_int_equal(code, expected != NULL ? ERR_OK : ERR_NOT_FOUND);
    if (expected != NULL) {
        assert_true(view_is_text(buf_view(&crl.der), expected));
    }
    store_crl_done(&crl);
    fetch_query_done(&query);
}

static void a_crl_is_found_by_its_issuers_name(void **state)
{
    struct fixture *fixture = *state;
    assert_crl(fixture, "Phones CA", NULL);
    store_crl_of(fixture, CA_OLD, "old");
    assert_crl(fixture, "Phones CA", "old");
    store_crl_of(fixture, CA_PRESENT, "present");
    assert_crl(fixture, "Phones CA", "present");
    assert_crl(fixture, "Other CA", NULL);
    // A client that only knows the RA's certificate asks for its issuer's.
    assert_crl(fixture, "Root", NULL);
    store_crl_of(fixture, CA_OTHER, "other");
    assert_crl(fixture, "Root", "other");
    assert_crl(fixture, "Other CA", "other");
    assert_crl(fixture, "Nobody", NULL);
    const struct fetch_query nothing = {0};
    struct store_crl crl = {0};
    assert_int_equal(
        fetch_crl(fixture->store, &fixture->generations, &fixture->recipient, &nothing, &crl, NULL),
        ERR_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_one_is_parsed),
        cmocka_unit_test(damaged_octets_are_refused_or_read),
        TEST(a_certificate_is_found_by_issuer_and_serial),
        TEST(other_serial_numbers_find_nothing),
        TEST(a_crl_is_found_by_its_issuers_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
