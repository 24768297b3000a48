// SPDX-License-Identifier: Apache-2.0
// Repeats, renewals, polls, requests that wait, foreign keys and duplicates, against a real store.
#include "kit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ra/pending.h"
#include "ra/store/record.h"
#include "ra/store/writer.h"
#include "ra/transaction.h"

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
    uint8_t last_serial[SERIAL_LEN]; // of what issue() stored last
    bool replaces;                   // the next one takes the place of that in its transaction
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
    asked->query.common_name = "";
    asked->query.mac = "";
    asked->query.signer_class = SIGNER_SELF_SIGNED;
    asked->query.now = KIT_NOW;
    memset(asked->query.key, (int)key + 1, SHA256_LEN);
    if (challenge != NULL) {
        memset(asked->query.challenge_hash, challenge[0], SHA256_LEN);
    }
}

static void asked_done(struct asked *asked)
{
    pkcs10_done(&asked->pkcs10);
    names_done(&asked->names);
}

// Stores a certificate for what was asked, as if it had been issued at KIT_NOW to who asked.
static void issue(struct fixture *fixture, unsigned key, const char *common_name,
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
    record->origin = ORIGIN_CHALLENGE;
    record->signer_class = (uint8_t)asked->query.signer_class;
    memcpy(record->renews, asked->query.signer_serial, SERIAL_LEN);
    order.replaces_transaction = fixture->replaces;
    memcpy(order.replaced_serial, fixture->last_serial, SERIAL_LEN);
    order.has_key_record = fixture->replaces;
    memcpy(order.key_serial, fixture->last_serial, SERIAL_LEN);
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
    memcpy(fixture->last_serial, serial, SERIAL_LEN);
    X509_free(cert);
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
    issue(*state, 0, PHONE, &asked);
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
    issue(*state, 0, PHONE, &first);
    assert_past(*state, &second.query, PAST_OTHER_REQUEST);
    asked_done(&first);
    asked_done(&second);
}

// RFC 8894, 5.2: a client that lost the reply may come back under a new transactionID.
static void same_key_subject_and_challenge_is_a_repeat(void **state)
{
    struct asked asked;
    ask(0, PHONE, "secret", &asked);
    issue(*state, 0, PHONE, &asked);
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
    issue(*state, 0, PHONE, &first);
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
    issue(*state, 0, PHONE, &first);
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
    issue(*state, 0, PHONE, &first);
    assert_past(*state, &second.query, PAST_NONE);
    second.query.refuse_duplicates = true;
    assert_past(*state, &second.query, PAST_DUPLICATE);
    second.query.now = KIT_NOW + (int64_t)LIFE_DAYS * DAY_SEC;
    assert_past(*state, &second.query, PAST_NONE);
    asked_done(&first);
    asked_done(&second);
}

static void assert_poll(struct fixture *fixture, const struct transaction_query *query,
                        enum past expected)
{
    struct transaction_past past = {0};
    struct transaction_poll poll = {.signer_class = query->signer_class, .now = query->now};
    memcpy(poll.key, query->key, SHA256_LEN);
    assert_int_equal(transaction_find(fixture->store, &poll, &past, NULL), ERR_OK);
    assert_int_equal(past.past, expected);
    transaction_past_done(&past);
}

static void a_poll_finds_its_transaction(void **state)
{
    struct asked asked;
    ask(0, PHONE, "secret", &asked);
    assert_poll(*state, &asked.query, PAST_NONE);
    issue(*state, 0, PHONE, &asked);
    assert_poll(*state, &asked.query, PAST_SAME_REQUEST);
    asked.query.now = KIT_NOW + HALF_LIFE;
    assert_poll(*state, &asked.query, PAST_NONE);
    asked_done(&asked);
}

// ---- signers with certificates ----

// IDs made from the signer's key come again with every new PKCS#10 of a phone.
static void another_request_of_a_mic_replaces_the_record(void **state)
{
    struct fixture *fixture = *state;
    struct asked first;
    struct asked second;
    struct transaction_past past = {0};
    ask(0, PHONE, "", &first);
    ask(1, PHONE, "", &second);
    first.query.signer_class = second.query.signer_class = SIGNER_MIC;
    memcpy(second.query.key, first.query.key, SHA256_LEN);
    issue(fixture, 0, PHONE, &first);
    assert_past(fixture, &first.query, PAST_SAME_REQUEST);
    assert_int_equal(transaction_find_request(fixture->store, &second.query, &past, NULL), ERR_OK);
    assert_int_equal(past.past, PAST_NONE);
    assert_true(past.has_record);
    assert_memory_equal(past.recorded_serial, fixture->last_serial, SERIAL_LEN);
    assert_false(past.has_key_record);
    transaction_past_done(&past);
    // A genuine phone is never refused because it has a certificate.
    second.query.refuse_duplicates = true;
    assert_past(fixture, &second.query, PAST_NONE);
    asked_done(&first);
    asked_done(&second);
}

// sscep and strongSwan renew with the first enrolment's transactionID and PKCS#10.
static void a_renewal_is_no_repeat_of_the_first_enrolment(void **state)
{
    struct fixture *fixture = *state;
    struct asked asked;
    struct transaction_past past = {0};
    ask(0, PHONE, "secret", &asked);
    issue(fixture, 0, PHONE, &asked);
    asked.query.signer_class = SIGNER_OURS;
    memcpy(asked.query.signer_serial, fixture->last_serial, SERIAL_LEN);
    assert_int_equal(transaction_find_request(fixture->store, &asked.query, &past, NULL), ERR_OK);
    assert_int_equal(past.past, PAST_NONE);
    assert_true(past.has_record);
    assert_true(past.has_key_record);
    assert_memory_equal(past.recorded_serial, fixture->last_serial, SERIAL_LEN);
    assert_memory_equal(past.key_serial, fixture->last_serial, SERIAL_LEN);
    transaction_past_done(&past);
    asked_done(&asked);
}

static void a_renewal_is_repeated_to_the_same_signer(void **state)
{
    struct fixture *fixture = *state;
    struct asked asked;
    ask(0, PHONE, "secret", &asked);
    issue(fixture, 0, PHONE, &asked);
    asked.query.signer_class = SIGNER_OURS;
    memcpy(asked.query.signer_serial, fixture->last_serial, SERIAL_LEN);
    fixture->replaces = true;
    issue(fixture, 0, PHONE, &asked);
    assert_past(fixture, &asked.query, PAST_SAME_REQUEST);
    asked.query.now = KIT_NOW + HALF_LIFE;
    assert_past(fixture, &asked.query, PAST_NONE);
    asked.query.now = KIT_NOW;
    // Under a new transactionID it is known by its key.
    struct transaction_query renamed = asked.query;
    memset(renamed.key, 0xaa, SHA256_LEN);
    assert_past(fixture, &renamed, PAST_SAME_KEY);
    // The renewed one signs: that is the next renewal.
    memcpy(asked.query.signer_serial, fixture->last_serial, SERIAL_LEN);
    assert_past(fixture, &asked.query, PAST_NONE);
    memcpy(renamed.signer_serial, fixture->last_serial, SERIAL_LEN);
    assert_past(fixture, &renamed, PAST_NONE);
    asked_done(&asked);
}

// A PKCS#10 without a CN is for the signer's device, and its key nobody else's.
static void a_request_without_a_name_has_the_signers(void **state)
{
    struct asked first;
    struct asked second;
    ask(0, PHONE, "", &first);
    ask(0, NULL, "", &second);
    second.query.signer_class = SIGNER_MIC;
    memset(second.query.key, 0xaa, SHA256_LEN);
    issue(*state, 0, PHONE, &first);
    second.query.common_name = PHONE;
    assert_past(*state, &second.query, PAST_NONE);
    second.query.common_name = "CP-9871-SEP00AABBCCDDEE";
    second.query.mac = "00AABBCCDDEE";
    assert_past(*state, &second.query, PAST_FOREIGN_KEY);
    second.query.mac = PHONE_MAC;
    assert_past(*state, &second.query, PAST_NONE);
    asked_done(&first);
    asked_done(&second);
}

// ---- requests that wait ----

static void write_pending(struct fixture *fixture, struct write_order *order)
{
    struct err err = {0};
    order->now = KIT_NOW;
    if (writer_submit_and_wait(fixture->writer, order, &err) != ERR_OK) {
        fail_msg("writer: %s", err.text);
    }
    store_pending_done(&order->pending);
}

static void wait_for_approval(struct fixture *fixture, const struct asked *asked)
{
    struct signer signer = {.signer_class = asked->query.signer_class};
    const uint8_t issuer[SHA256_LEN] = {1};
    const struct pending_request request = {
        .transaction_key = asked->query.key,
        .pkcs10 = &asked->pkcs10,
        .names = &asked->names,
        .signer = &signer,
        .issuer = issuer,
        .source = "192.0.2.1",
        .expiry_days = 1,
        .now = KIT_NOW,
    };
    struct write_order order = {.kind = WRITE_PENDING_NEW, .max_pending = 10, .max_per_source = 10};
    assert_int_equal(pending_make(&request, &order.pending, NULL), ERR_OK);
    write_pending(fixture, &order);
}

static void decide_pending(struct fixture *fixture, const struct asked *asked, enum write_kind kind)
{
    struct write_order order = {.kind = kind};
    record_pending_id(asked->query.key, order.pending.id);
    write_pending(fixture, &order);
}

// A request without a challenge, and another of the same key under the same transactionID.
static void ask_two(struct asked *first, struct asked *second)
{
    ask(0, PHONE, NULL, first);
    ask(0, "CP-9871-SEP001A2B3C4D5E.example.nl", NULL, second);
}

static void a_waiting_request_waits(void **state)
{
    struct asked first;
    struct asked second;
    ask_two(&first, &second);
    wait_for_approval(*state, &first);
    assert_past(*state, &first.query, PAST_PENDING);
    assert_poll(*state, &first.query, PAST_PENDING);
    assert_past(*state, &second.query, PAST_PENDING_OTHER);
    // After its time it is forgotten, swept away or not.
    first.query.now = second.query.now = KIT_NOW + DAY_SEC;
    assert_past(*state, &first.query, PAST_NONE);
    assert_poll(*state, &first.query, PAST_NONE);
    assert_past(*state, &second.query, PAST_NONE);
    asked_done(&first);
    asked_done(&second);
}

// The same key in another kind of certificate is not who asked.
static void a_waiting_request_belongs_to_its_signer(void **state)
{
    struct asked asked;
    ask(0, PHONE, NULL, &asked);
    asked.query.signer_class = SIGNER_MIC;
    wait_for_approval(*state, &asked);
    decide_pending(*state, &asked, WRITE_PENDING_APPROVE);
    assert_poll(*state, &asked.query, PAST_APPROVED);
    asked.query.signer_class = SIGNER_SELF_SIGNED;
    assert_poll(*state, &asked.query, PAST_NONE);
    assert_past(*state, &asked.query, PAST_PENDING_OTHER);
    // One that is not trusted any more hears that.
    asked.query.signer_class = SIGNER_UNKNOWN;
    assert_poll(*state, &asked.query, PAST_APPROVED);
    asked_done(&asked);
}

static void an_approved_request_is_approved(void **state)
{
    struct asked first;
    struct asked second;
    ask_two(&first, &second);
    wait_for_approval(*state, &first);
    decide_pending(*state, &first, WRITE_PENDING_APPROVE);
    assert_past(*state, &first.query, PAST_APPROVED);
    assert_poll(*state, &first.query, PAST_APPROVED);
    assert_past(*state, &second.query, PAST_PENDING_OTHER);
    asked_done(&first);
    asked_done(&second);
}

static void an_approved_key_may_be_somebody_elses_by_now(void **state)
{
    struct fixture *fixture = *state;
    struct asked asked;
    struct asked other;
    struct transaction_past past = {.past = PAST_APPROVED};
    ask(0, PHONE, NULL, &asked);
    ask(0, "CP-9871-SEP00AABBCCDDEE", "secret", &other);
    memset(other.query.key, 0xaa, SHA256_LEN);
    wait_for_approval(fixture, &asked);
    decide_pending(fixture, &asked, WRITE_PENDING_APPROVE);
    assert_int_equal(transaction_check_approved(fixture->store, &asked.query, &past, NULL), ERR_OK);
    assert_int_equal(past.past, PAST_APPROVED);
    issue(fixture, 0, "CP-9871-SEP00AABBCCDDEE", &other);
    assert_int_equal(transaction_check_approved(fixture->store, &asked.query, &past, NULL), ERR_OK);
    assert_int_equal(past.past, PAST_FOREIGN_KEY);
    assert_true(past.has_key_record);
    transaction_past_done(&past);
    assert_past(fixture, &asked.query, PAST_FOREIGN_KEY);
    asked_done(&asked);
    asked_done(&other);
}

static void a_denied_request_may_come_anew(void **state)
{
    struct asked asked;
    ask(0, PHONE, NULL, &asked);
    wait_for_approval(*state, &asked);
    decide_pending(*state, &asked, WRITE_PENDING_DENY);
    assert_poll(*state, &asked.query, PAST_DENIED);
    assert_past(*state, &asked.query, PAST_NONE);
    wait_for_approval(*state, &asked);
    assert_poll(*state, &asked.query, PAST_PENDING);
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
        TEST(another_request_of_a_mic_replaces_the_record),
        TEST(a_renewal_is_no_repeat_of_the_first_enrolment),
        TEST(a_renewal_is_repeated_to_the_same_signer),
        TEST(a_request_without_a_name_has_the_signers),
        TEST(a_waiting_request_waits),
        TEST(a_waiting_request_belongs_to_its_signer),
        TEST(an_approved_request_is_approved),
        TEST(an_approved_key_may_be_somebody_elses_by_now),
        TEST(a_denied_request_may_come_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
