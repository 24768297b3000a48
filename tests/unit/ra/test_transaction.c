// SPDX-License-Identifier: Apache-2.0
// Repeats, polls, foreign keys and duplicates, against a real store.
#include "kit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ra/identity.h"
#include "ra/transaction.h"
#include "ra/writer.h"

#define STORE_OCTETS (64 * 1024 * 1024)
#define LIFE_DAYS    100
#define HALF_LIFE    ((int64_t)LIFE_DAYS * DAY_SEC / 2)

static const char PHONE[] = "CP-9871-SEP001A2B3C4D5E";
static const char PHONE_MAC[] = "001A2B3C4D5E";

struct fixture {
    char *folder;
    struct store *store;
    struct writer *writer;
    X509 *ca;
    unsigned issued;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->folder = kit_new_folder();
    assert_int_equal(store_open(fixture->folder, STORE_OCTETS, &fixture->store, NULL), ERR_OK);
    assert_int_equal(writer_start(fixture->store, &fixture->writer, NULL), ERR_OK);
    fixture->ca = kit_cert(kit_key(7), "Issuing CA", NULL, NULL, true, KIT_NOW, LIFE_DAYS);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    writer_stop(fixture->writer);
    store_close(fixture->store);
    X509_free(fixture->ca);
    kit_remove_folder(fixture->folder);
    free(fixture);
    return 0;
}

// A request of key number `key` for `common_name`, with everything a query needs.
struct asked {
    struct pkcs10 pkcs10;
    struct names names;
    struct transaction_query query;
};

static void ask(unsigned key, const char *common_name, const char *challenge, struct asked *asked)
{
    *asked = (struct asked){0};
    struct buf der = kit_csr_der(
        kit_key(key), &(struct kit_csr){.common_name = common_name, .challenge = challenge});
    assert_int_equal(pkcs10_parse(buf_view(&der), &asked->pkcs10, NULL), ERR_OK);
    const struct csr *csr = asked->pkcs10.csr;
    assert_int_equal(names_read(csr_subject(csr), csr_attributes(csr), &asked->names, NULL),
                     ERR_OK);
    buf_done(&der);
    asked->query.pkcs10 = &asked->pkcs10;
    asked->query.names = &asked->names;
    asked->query.now = KIT_NOW;
    memset(asked->query.key, (int)key + 1, SHA256_LEN);
    memset(asked->query.challenge_hash, challenge[0], SHA256_LEN);
}

static void asked_done(struct asked *asked)
{
    pkcs10_done(&asked->pkcs10);
    names_done(&asked->names);
}

// Stores a certificate for what was asked, as if it had been issued at KIT_NOW. Caller frees.
static X509 *issue(struct fixture *fixture, unsigned key, const char *common_name,
                   const struct asked *asked)
{
    X509 *cert =
        kit_cert(kit_key(key), common_name, fixture->ca, kit_key(7), false, KIT_NOW, LIFE_DAYS);
    uint8_t serial[SERIAL_LEN] = {1};
    serial[SERIAL_LEN - 1] = (uint8_t)++fixture->issued;
    ASN1_STRING_set(X509_get_serialNumber(cert), serial, SERIAL_LEN);
    assert_true(X509_sign(cert, kit_key(7), EVP_sha256()) > 0);
    struct write_order order = {.kind = WRITE_ISSUED, .now = KIT_NOW};
    struct store_certificate *record = &order.certificate;
    record->status = CERTIFICATE_VALID;
    record->issued_at = record->not_before = KIT_NOW;
    record->not_after = KIT_NOW + (int64_t)LIFE_DAYS * DAY_SEC;
    memcpy(record->serial, serial, SERIAL_LEN);
    memcpy(record->spki_hash, asked->pkcs10.spki_hash, SHA256_LEN);
    memcpy(record->csr_hash, asked->pkcs10.hash, SHA256_LEN);
    memcpy(record->transaction_key, asked->query.key, SHA256_LEN);
    memcpy(record->challenge_hash, asked->query.challenge_hash, SHA256_LEN);
    snprintf(record->common_name, sizeof record->common_name, "%s", common_name);
    bool has_mac = names_find_mac(view_of_text(common_name), record->mac);
    snprintf(record->device, sizeof record->device, "%s", has_mac ? record->mac : common_name);
    assert_int_equal(ossl_cert_to_der(cert, &record->der, NULL), ERR_OK);
    assert_int_equal(writer_submit_and_wait(fixture->writer, &order, NULL), ERR_OK);
    store_certificate_done(record);
    return cert;
}

static void assert_past(struct fixture *fixture, const struct transaction_query *query,
                        enum past expected)
{
    struct transaction_past past = {0};
    assert_int_equal(transaction_find_request(fixture->store, query, &past, NULL), ERR_OK);
    assert_int_equal(past.past, expected);
    bool has_answer = expected == PAST_SAME_REQUEST || expected == PAST_SAME_KEY;
    if (has_answer) {
        assert_true(past.certificate.der.len > 0);
    }
    transaction_past_done(&past);
}

static void a_first_request_has_no_past(void **state)
{
    struct asked asked;
    ask(0, PHONE, "secret", &asked);
    assert_past(*state, &asked.query, PAST_NONE);
    asked_done(&asked);
}

static void the_same_request_is_a_repeat_for_half_a_life(void **state)
{
    struct asked asked;
    ask(0, PHONE, "secret", &asked);
    X509_free(issue(*state, 0, PHONE, &asked));
    assert_past(*state, &asked.query, PAST_SAME_REQUEST);
    asked.query.now = KIT_NOW + HALF_LIFE - 1;
    assert_past(*state, &asked.query, PAST_SAME_REQUEST);
    asked.query.now = KIT_NOW + HALF_LIFE;
    assert_past(*state, &asked.query, PAST_NONE);
    asked_done(&asked);
}

static void another_request_under_the_transaction_is_told_apart(void **state)
{
    struct asked first;
    struct asked second;
    ask(0, PHONE, "secret", &first);
    ask(0, PHONE, "other secret", &second);
    X509_free(issue(*state, 0, PHONE, &first));
    assert_past(*state, &second.query, PAST_OTHER_REQUEST);
    asked_done(&first);
    asked_done(&second);
}

// RFC 8894, 5.2: a client that lost the reply may come back under a new transactionID.
static void same_key_subject_and_challenge_is_a_repeat(void **state)
{
    struct asked asked;
    ask(0, PHONE, "secret", &asked);
    X509_free(issue(*state, 0, PHONE, &asked));
    memset(asked.query.key, 0xaa, SHA256_LEN);
    assert_past(*state, &asked.query, PAST_SAME_KEY);
    memset(asked.query.challenge_hash, 'x', SHA256_LEN);
    assert_past(*state, &asked.query, PAST_NONE);
    memset(asked.query.challenge_hash, 0, SHA256_LEN);
    assert_past(*state, &asked.query, PAST_NONE);
    asked_done(&asked);
}

// Z7: nobody gets somebody else's public key certified under a name of his own.
static void a_key_of_another_subject_is_foreign(void **state)
{
    struct asked first;
    struct asked second;
    ask(0, PHONE, "secret", &first);
    ask(0, "CP-9871-SEP00AABBCCDDEE", "secret", &second);
    X509_free(issue(*state, 0, PHONE, &first));
    memset(second.query.key, 0xaa, SHA256_LEN);
    assert_past(*state, &second.query, PAST_FOREIGN_KEY);
    asked_done(&first);
    asked_done(&second);
}

// A phone whose DHCP domain changed keeps its key and its MAC.
static void the_same_device_may_change_its_name(void **state)
{
    struct asked first;
    struct asked second;
    ask(0, PHONE, "secret", &first);
    ask(0, "CP-9871-SEP001A2B3C4D5E.example.nl", "secret", &second);
    assert_string_equal(second.names.mac, PHONE_MAC);
    X509_free(issue(*state, 0, PHONE, &first));
    memset(second.query.key, 0xaa, SHA256_LEN);
    assert_past(*state, &second.query, PAST_NONE);
    asked_done(&first);
    asked_done(&second);
}

static void duplicates_are_found_when_policy_asks(void **state)
{
    struct asked first;
    struct asked second;
    ask(0, PHONE, "secret", &first);
    ask(1, PHONE, "secret", &second);
    X509_free(issue(*state, 0, PHONE, &first));
    assert_past(*state, &second.query, PAST_NONE);
    second.query.refuse_duplicates = true;
    assert_past(*state, &second.query, PAST_DUPLICATE);
    second.query.now = KIT_NOW + (int64_t)LIFE_DAYS * DAY_SEC;
    assert_past(*state, &second.query, PAST_NONE);
    asked_done(&first);
    asked_done(&second);
}

static void a_poll_finds_its_transaction(void **state)
{
    struct fixture *fixture = *state;
    struct asked asked;
    struct transaction_past past = {0};
    ask(0, PHONE, "secret", &asked);
    assert_int_equal(transaction_find(fixture->store, asked.query.key, KIT_NOW, &past, NULL),
                     ERR_OK);
    assert_int_equal(past.past, PAST_NONE);
    X509_free(issue(fixture, 0, PHONE, &asked));
    assert_int_equal(transaction_find(fixture->store, asked.query.key, KIT_NOW, &past, NULL),
                     ERR_OK);
    assert_int_equal(past.past, PAST_SAME_REQUEST);
    transaction_past_done(&past);
    asked_done(&asked);
}

static void the_key_covers_the_id_and_the_signer(void **unused)
{
    (void)unused;
    struct request one = {.transaction_id = "AB", .transaction_id_len = 2};
    struct request other = one;
    uint8_t first[SHA256_LEN];
    uint8_t second[SHA256_LEN];
    uint8_t spki[] = "\0signer";
    one.signer_spki = (struct buf){.data = spki, .len = sizeof spki};
    transaction_key(&one, first);
    // Neither another signer nor another split of the same octets gives the same key.
    other.signer_spki = (struct buf){.data = spki + 1, .len = sizeof spki - 1};
    transaction_key(&other, second);
    assert_memory_not_equal(first, second, SHA256_LEN);
    other = one;
    other.transaction_id_len = 1;
    transaction_key(&other, second);
    assert_memory_not_equal(first, second, SHA256_LEN);
}

static void assert_class(struct fixture *fixture, X509 *take_cert, enum signer_class expected)
{
    enum signer_class found = SIGNER_CLASS_MAX;
    assert_int_equal(identity_classify(take_cert, fixture->store, &found, NULL), ERR_OK);
    assert_int_equal(found, expected);
    X509_free(take_cert);
}

static void signers_are_classified_by_what_they_are(void **state)
{
    struct fixture *fixture = *state;
    struct asked asked;
    ask(0, PHONE, "secret", &asked);
    X509 *ours = issue(fixture, 0, PHONE, &asked);
    X509 *forged = X509_dup(ours);
    X509_set_pubkey(forged, kit_key(1));
    assert_true(X509_sign(forged, kit_key(2), EVP_sha256()) > 0);
    assert_class(fixture, ours, SIGNER_OURS);
    // Same issuer, subject and serial number, another key: not ours.
    assert_class(fixture, forged, SIGNER_UNKNOWN);
    assert_class(fixture, kit_cert(kit_key(3), PHONE, NULL, NULL, false, KIT_NOW, 1),
                 SIGNER_SELF_SIGNED);
    assert_class(fixture, kit_cert(kit_key(3), PHONE, fixture->ca, kit_key(7), false, KIT_NOW, 1),
                 SIGNER_UNKNOWN);
    asked_done(&asked);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_first_request_has_no_past),
        TEST(the_same_request_is_a_repeat_for_half_a_life),
        TEST(another_request_under_the_transaction_is_told_apart),
        TEST(same_key_subject_and_challenge_is_a_repeat),
        TEST(a_key_of_another_subject_is_foreign),
        TEST(the_same_device_may_change_its_name),
        TEST(duplicates_are_found_when_policy_asks),
        TEST(a_poll_finds_its_transaction),
        cmocka_unit_test(the_key_covers_the_id_and_the_signer),
        TEST(signers_are_classified_by_what_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
