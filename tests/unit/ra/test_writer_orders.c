// SPDX-License-Identifier: Apache-2.0
// Revocation, supersession, CRLs and duplicates.
#include "kit/kit.h"

#include "ra/store/store_write.h"
#include "ra/writer_kit.h"

static struct write_order revoke_order(unsigned number)
{
    struct store_certificate certificate = store_kit_certificate(number);
    struct write_order order = {.kind = WRITE_REVOKE, .now = KIT_NOW + 50, .revocation_reason = 5};
    memcpy(order.certificate.serial, certificate.serial, SERIAL_LEN);
    store_certificate_done(&certificate);
    return order;
}

static uint64_t count_of(struct writer_kit *kit, enum store_table table)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    uint64_t count = 0;
    assert_int_equal(store_txn_begin_read(kit->store, &txn, NULL), ERR_OK);
    assert_int_equal(store_count_table(&txn, table, &count, NULL), ERR_OK);
    return count;
}

static bool same(const struct store_certificate *certificate, void *context)
{
    store_kit_assert_same(certificate, context);
    return true;
}

static bool see_revocation(const struct store_revocation *revocation, void *context)
{
    *(struct store_revocation *)context = *revocation;
    return true;
}

static void a_revoked_certificate_is_revoked_wherever_it_is_found(void **state)
{
    struct writer_kit *kit = *state;
    struct write_order order = revoke_order(1);
    writer_kit_refused(kit, &order, ERR_NOT_FOUND,
                       "there is no certificate with this serial number");
    writer_kit_issue(kit, 1, "a", false);
    writer_kit_write(kit, &order);

    struct store_certificate expected = store_kit_certificate(1);
    struct store_certificate got = {0};
    snprintf(expected.device, sizeof expected.device, "a");
    expected.status = CERTIFICATE_REVOKED;
    expected.revoked_at = KIT_NOW + 50;
    expected.revocation_reason = 5;
    assert_int_equal(store_find_serial(kit->store, expected.serial, &got, NULL), ERR_OK);
    store_kit_assert_same(&expected, &got);
    store_certificate_done(&got);
    assert_int_equal(store_find_key(kit->store, expected.spki_hash, &got, NULL), ERR_OK);
    store_kit_assert_same(&expected, &got);
    store_certificate_done(&got);
    assert_int_equal(store_find_device(kit->store, "a", &got, NULL), ERR_OK);
    store_kit_assert_same(&expected, &got);
    store_certificate_done(&got);
    assert_int_equal(store_list_certificates(kit->store, NULL, same, &expected, NULL), ERR_OK);
    assert_int_equal(store_list_due(kit->store, INT64_MIN, INT64_MAX, NULL, same, &expected, NULL),
                     ERR_OK);
    struct store_revocation revocation = {0};
    assert_int_equal(store_list_revoked(kit->store, expected.issuer, KIT_NOW, 0, see_revocation,
                                        &revocation, NULL),
                     ERR_OK);
    assert_memory_equal(revocation.serial, expected.serial, SERIAL_LEN);
    assert_int_equal(revocation.revoked_at, KIT_NOW + 50);
    assert_int_equal(revocation.reason, 5);
    store_certificate_done(&expected);
}

static void a_certificate_is_revoked_once(void **state)
{
    struct writer_kit *kit = *state;
    writer_kit_issue(kit, 1, "a", false);
    struct write_order orders[2] = {revoke_order(1), revoke_order(1)};
    orders[1].revocation_reason = 1;
    struct writer_kit_batch batch = writer_kit_together(kit, orders, 2);
    assert_int_equal(batch.by_code[ERR_OK], 1);
    assert_int_equal(batch.by_code[ERR_CONFLICT], 1);
    assert_string_equal(batch.last_failure.text, "the certificate is revoked already");
    struct store_certificate got = writer_kit_find(kit, 1);
    assert_int_equal(got.revocation_reason, 5);
    assert_int_equal(writer_kit_counts(kit).revoked, 1);
    store_certificate_done(&got);
}

static void a_damaged_certificate_cannot_be_revoked(void **state)
{
    struct writer_kit *kit = *state;
    struct write_order order = revoke_order(1);
    struct store_txn txn = {0};
    assert_int_equal(store_txn_begin_write(kit->store, &txn, NULL), ERR_OK);
    store_txn_put(&txn, TABLE_CERTIFICATES, view_of(order.certificate.serial, SERIAL_LEN),
                  view_of("\2\0", 2));
    assert_int_equal(store_txn_commit(&txn, NULL), ERR_OK);
    writer_kit_refused(kit, &order, ERR_IO, "a certificate record in the store is damaged");
    assert_int_equal(writer_kit_counts(kit).revoked, 0);
}

static int64_t superseded_at(struct writer_kit *kit, unsigned number)
{
    struct store_certificate got = writer_kit_find(kit, number);
    int64_t at = got.superseded_at;
    store_certificate_done(&got);
    return at;
}

static void the_present_certificate_is_superseded_when_asked_for(void **state)
{
    struct writer_kit *kit = *state;
    writer_kit_issue(kit, 1, "a", true); // the first one: nothing to supersede
    writer_kit_issue(kit, 2, "b", true);
    writer_kit_issue(kit, 3, "a", false);
    assert_int_equal(superseded_at(kit, 1), 0);
    writer_kit_issue(kit, 4, "a", true);
    assert_int_equal(superseded_at(kit, 3), KIT_NOW + 4);
    assert_int_equal(superseded_at(kit, 1), 0);
    assert_int_equal(superseded_at(kit, 2), 0);
    assert_int_equal(superseded_at(kit, 4), 0);
    assert_int_equal(count_of(kit, TABLE_SUPERSEDED), 1);
    struct store_certificate expected = store_kit_certificate(3);
    struct store_certificate got = writer_kit_find(kit, 3);
    snprintf(expected.device, sizeof expected.device, "a");
    expected.superseded_at = KIT_NOW + 4;
    store_kit_assert_same(&expected, &got);
    store_certificate_done(&got);
    store_certificate_done(&expected);
}

static void a_revoked_certificate_is_not_superseded(void **state)
{
    struct writer_kit *kit = *state;
    writer_kit_issue(kit, 1, "a", false);
    writer_kit_revoke(kit, 1, KIT_NOW + 1);
    writer_kit_issue(kit, 2, "a", true);
    assert_int_equal(superseded_at(kit, 1), 0);
    assert_int_equal(count_of(kit, TABLE_SUPERSEDED), 0);
}

static void a_superseded_certificate_that_is_revoked_leaves_the_sweep(void **state)
{
    struct writer_kit *kit = *state;
    writer_kit_issue(kit, 1, "a", false);
    writer_kit_issue(kit, 2, "a", true);
    assert_int_equal(count_of(kit, TABLE_SUPERSEDED), 1);
    writer_kit_revoke(kit, 1, KIT_NOW + 9);
    assert_int_equal(superseded_at(kit, 1), KIT_NOW + 2);
    assert_int_equal(count_of(kit, TABLE_SUPERSEDED), 0);
}

static void a_damaged_present_certificate_stops_one_device_only(void **state)
{
    struct writer_kit *kit = *state;
    writer_kit_issue(kit, 1, "a", false);
    struct store_certificate damaged = store_kit_certificate(1);
    struct store_txn txn = {0};
    assert_int_equal(store_txn_begin_write(kit->store, &txn, NULL), ERR_OK);
    store_txn_put(&txn, TABLE_CERTIFICATES, view_of(damaged.serial, SERIAL_LEN),
                  view_of("\2\0", 2));
    assert_int_equal(store_txn_commit(&txn, NULL), ERR_OK);
    struct write_order orders[2] = {writer_kit_issued(2), writer_kit_issued(3)};
    snprintf(orders[0].certificate.device, STORE_DEVICE_LEN, "a");
    struct writer_kit_batch batch = writer_kit_together(kit, orders, 2);
    assert_int_equal(batch.by_code[ERR_OK], 1);
    assert_int_equal(batch.by_code[ERR_IO], 1);
    assert_string_equal(batch.last_failure.text, "a certificate record in the store is damaged");
    assert_int_equal(writer_kit_counts(kit).certificates, 2);
    assert_int_equal(writer_kit_counts(kit).transactions, 2);
    writer_kit_done(&orders[0]);
    writer_kit_done(&orders[1]);
    store_certificate_done(&damaged);
}

static void duplicates_are_looked_for_in_the_same_transaction(void **state)
{
    // What the second certificate for the device differs in from the first.
    static const struct {
        bool refuse;
        bool is_other_subject;
        bool is_same_key;
        bool is_over;
        bool is_revoked;
        bool is_conflict;
    } cases[] = {
        {.refuse = true, .is_conflict = true},      {.refuse = false},
        {.refuse = true, .is_other_subject = true}, {.refuse = true, .is_same_key = true},
        {.refuse = true, .is_over = true},          {.refuse = true, .is_revoked = true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct writer_kit *kit = *state;
        struct write_order orders[2] = {writer_kit_issued(1), writer_kit_issued(2)};
        struct store_certificate *first = &orders[0].certificate;
        struct store_certificate *second = &orders[1].certificate;
        memcpy(second->device, first->device, sizeof second->device);
        orders[1].refuse_duplicate = cases[i].refuse;
        if (!cases[i].is_other_subject) {
            memcpy(second->subject_hash, first->subject_hash, SHA256_LEN);
        }
        if (cases[i].is_same_key) {
            memcpy(second->spki_hash, first->spki_hash, SHA256_LEN);
            orders[1].has_key_record = true;
            memcpy(orders[1].key_serial, first->serial, SERIAL_LEN);
        }
        if (cases[i].is_over) {
            first->not_after = orders[1].now;
        }
        if (cases[i].is_revoked) {
            first->status = CERTIFICATE_REVOKED;
        }
        struct writer_kit_batch batch = writer_kit_together(kit, orders, 2);
        assert_int_equal(batch.by_code[ERR_OK], cases[i].is_conflict ? 1 : 2);
        assert_int_equal(batch.by_code[ERR_CONFLICT], cases[i].is_conflict ? 1 : 0);
        if (cases[i].is_conflict) {
            assert_string_equal(batch.last_failure.text,
                                "the subject got a certificate for another key in the meantime");
        }
        writer_kit_done(&orders[0]);
        writer_kit_done(&orders[1]);
        writer_kit_teardown(state);
        writer_kit_setup(state);
    }
}

static void a_certificate_of_unknown_origin_is_not_written(void **state)
{
    struct writer_kit *kit = *state;
    static const uint8_t bad[] = {0, ORIGIN_ADMINISTRATOR + 1};
    for (size_t i = 0; i < 2; i++) {
        struct write_order order = writer_kit_issued(1);
        order.certificate.origin = bad[i];
        writer_kit_refused(kit, &order, ERR_INTERNAL, "a certificate of unknown origin");
        writer_kit_done(&order);
    }
    assert_int_equal(writer_kit_counts(kit).certificates, 0);
}

static struct store_crl crl_of(uint8_t ca, uint64_t number, size_t len)
{
    struct store_crl crl = {
        .issuer = {ca},
        .number = number,
        .this_update = KIT_NOW,
        .next_update = KIT_NOW + 86400,
        .entries = 7,
    };
    assert_int_equal(buf_reserve(&crl.der, len, NULL), ERR_OK);
    memset(crl.der.data, (int)number, len);
    crl.der.len = len;
    return crl;
}

static void the_newest_crl_of_each_ca_is_kept(void **state)
{
    struct writer_kit *kit = *state;
    static const struct {
        uint8_t ca;
        uint64_t number;
        bool is_conflict;
    } steps[] = {{1, 5, false}, {2, 1, false}, {1, 5, true},
                 {1, 4, true},  {1, 7, false}, {2, 2, false}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct store_crl crl = crl_of(steps[i].ca, steps[i].number, 100);
        struct write_order order = {.kind = WRITE_CRL, .now = KIT_NOW, .crl = &crl};
        if (steps[i].is_conflict) {
            writer_kit_refused(kit, &order, ERR_CONFLICT, "that of the present one 5");
        } else {
            writer_kit_write(kit, &order);
            struct store_crl got = {0};
            assert_int_equal(store_find_crl(kit->store, crl.issuer, &got, NULL), ERR_OK);
            assert_int_equal(got.number, crl.number);
            assert_int_equal(got.this_update, crl.this_update);
            assert_int_equal(got.next_update, crl.next_update);
            assert_int_equal(got.entries, 7);
            assert_true(view_equal(buf_view(&got.der), buf_view(&crl.der)));
            store_crl_done(&got);
        }
        store_crl_done(&crl);
    }
    assert_int_equal(count_of(kit, TABLE_CRLS), 2);
}

static void a_crl_has_a_size_that_can_be_read_back(void **state)
{
    struct writer_kit *kit = *state;
    struct store_crl crl = crl_of(1, 1, LIMIT_CRL_LEN + 1);
    struct write_order order = {.kind = WRITE_CRL, .now = KIT_NOW, .crl = &crl};
    char text[ERR_TEXT_LEN];
    snprintf(text, sizeof text, "a CRL of %d octets; allowed: 1 to %d", LIMIT_CRL_LEN + 1,
             LIMIT_CRL_LEN);
    writer_kit_refused(kit, &order, ERR_LIMIT, text);
    crl.der.len = 0;
    writer_kit_refused(kit, &order, ERR_LIMIT, "a CRL of 0 octets");
    crl.der.len = LIMIT_CRL_LEN;
    writer_kit_write(kit, &order);
    crl.number++;
    writer_kit_write(kit, &order);
    struct store_crl got = {0};
    assert_int_equal(store_find_crl(kit->store, crl.issuer, &got, NULL), ERR_OK);
    assert_true(view_equal(buf_view(&got.der), buf_view(&crl.der)));
    store_crl_done(&got);
    store_crl_done(&crl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WRITER_KIT(a_revoked_certificate_is_revoked_wherever_it_is_found),
        WITH_WRITER_KIT(a_certificate_is_revoked_once),
        WITH_WRITER_KIT(a_damaged_certificate_cannot_be_revoked),
        WITH_WRITER_KIT(the_present_certificate_is_superseded_when_asked_for),
        WITH_WRITER_KIT(a_revoked_certificate_is_not_superseded),
        WITH_WRITER_KIT(a_superseded_certificate_that_is_revoked_leaves_the_sweep),
        WITH_WRITER_KIT(a_damaged_present_certificate_stops_one_device_only),
        WITH_WRITER_KIT(duplicates_are_looked_for_in_the_same_transaction),
        WITH_WRITER_KIT(a_certificate_of_unknown_origin_is_not_written),
        WITH_WRITER_KIT(the_newest_crl_of_each_ca_is_kept),
        WITH_WRITER_KIT(a_crl_has_a_size_that_can_be_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
