// SPDX-License-Identifier: Apache-2.0
#include "kit/kit.h"

#include "ra/store/store_write.h"
#include "ra/writer_kit.h"

#define DAY  86400
#define HOUR 3600 // every request of the kit waits so long

static void queue(struct writer_kit *kit, unsigned number)
{
    struct write_order order = {
        .kind = WRITE_PENDING_NEW,
        .now = (int64_t)KIT_NOW + number,
        .pending = store_kit_pending(number),
        .max_pending = 1000,
        .max_per_source = 1000,
    };
    writer_kit_write(kit, &order);
    writer_kit_done(&order);
}

// Numbers first, first + 2, ... superseded by the odd ones after them, one a second.
static void issue_superseded(struct writer_kit *kit, unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char device[STORE_DEVICE_LEN];
        snprintf(device, sizeof device, "phone%u", first + i);
        writer_kit_issue(kit, first + 2 * i, device, true);
        writer_kit_issue(kit, first + 2 * i + 1, device, true);
    }
}

static uint64_t count_of(struct writer_kit *kit, enum store_table table)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    uint64_t count = 0;
    assert_int_equal(store_txn_begin_read(kit->store, &txn, NULL), ERR_OK);
    assert_int_equal(store_count_table(&txn, table, &count, NULL), ERR_OK);
    return count;
}

static void an_empty_store_has_nothing_to_sweep(void **state)
{
    struct writer_kit *kit = *state;
    struct write_sweep swept = writer_kit_sweep(kit, KIT_NOW,
                                                (struct write_sweep){.revoke_superseded_sec = 1,
                                                                     .limit = 1,
                                                                     .ret_expired_pending = 5,
                                                                     .ret_revoked = 5,
                                                                     .ret_dropped = 5,
                                                                     .ret_has_more = true});
    assert_int_equal(swept.ret_expired_pending, 0);
    assert_int_equal(swept.ret_revoked, 0);
    assert_int_equal(swept.ret_dropped, 0);
    assert_false(swept.ret_has_more);
}

static void expired_requests_are_forgotten_in_steps(void **state)
{
    struct writer_kit *kit = *state;
    enum { COUNT = 7, LIMIT = 3 };
    for (unsigned i = 0; i < COUNT + 2; i++) {
        queue(kit, i);
    }
    // At this moment number COUNT - 1 has just expired.
    static const int64_t now = KIT_NOW + COUNT - 1 + HOUR;
    static const unsigned steps[] = {3, 3, 1, 0};
    for (size_t i = 0; i < 4; i++) {
        struct write_sweep swept = writer_kit_sweep(kit, now, (struct write_sweep){.limit = LIMIT});
        assert_int_equal(swept.ret_expired_pending, steps[i]);
        assert_int_equal(swept.ret_has_more, i < 2);
    }
    assert_int_equal(writer_kit_counts(kit).pending, 2);
    assert_int_equal(writer_kit_counts(kit).transactions, 2);
    static const enum store_table indexes[] = {TABLE_PENDING_BY_AGE, TABLE_PENDING_BY_EXPIRY,
                                               TABLE_PENDING_BY_SOURCE};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(count_of(kit, indexes[i]), 2);
    }
}

static void a_limit_that_is_just_enough_leaves_no_more(void **state)
{
    struct writer_kit *kit = *state;
    queue(kit, 1);
    queue(kit, 2);
    struct write_sweep swept =
        writer_kit_sweep(kit, KIT_NOW + DAY, (struct write_sweep){.limit = 2});
    assert_int_equal(swept.ret_expired_pending, 2);
    assert_false(swept.ret_has_more);
}

static void approved_requests_expire_like_others(void **state)
{
    struct writer_kit *kit = *state;
    struct store_pending pending = store_kit_pending(1);
    struct write_order approval = {.kind = WRITE_PENDING_APPROVE, .now = KIT_NOW};
    memcpy(approval.pending.id, pending.id, sizeof pending.id);
    queue(kit, 1);
    writer_kit_write(kit, &approval);
    struct write_sweep swept =
        writer_kit_sweep(kit, KIT_NOW + DAY, (struct write_sweep){.limit = 2});
    assert_int_equal(swept.ret_expired_pending, 1);
    assert_int_equal(writer_kit_counts(kit).pending, 0);
    assert_int_equal(writer_kit_counts(kit).transactions, 0);
    store_pending_done(&pending);
}

static void superseded_certificates_are_revoked_in_steps(void **state)
{
    struct writer_kit *kit = *state;
    enum { COUNT = 5, FIRST_AT = KIT_NOW + 11 };
    issue_superseded(kit, 10, COUNT); // superseded at FIRST_AT, + 2, + 4, + 6, + 8
    const struct write_sweep what = {.revoke_superseded_sec = DAY, .limit = 2};
    struct write_sweep swept = writer_kit_sweep(kit, FIRST_AT + DAY - 1, what);
    assert_int_equal(swept.ret_revoked, 0);
    assert_false(swept.ret_has_more);
    static const unsigned steps[] = {2, 2, 0};
    for (size_t i = 0; i < 3; i++) {
        swept = writer_kit_sweep(kit, FIRST_AT + DAY + 7, what);
        assert_int_equal(swept.ret_revoked, steps[i]);
        assert_int_equal(swept.ret_has_more, i == 0);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        struct store_certificate old = writer_kit_find(kit, 10 + 2 * i);
        struct store_certificate new = writer_kit_find(kit, 10 + 2 * i + 1);
        bool is_revoked = i < 4;
        assert_int_equal(old.status, is_revoked ? CERTIFICATE_REVOKED : CERTIFICATE_VALID);
        assert_int_equal(old.revoked_at, is_revoked ? FIRST_AT + DAY + 7 : 0);
        assert_int_equal(old.revocation_reason, is_revoked ? 4 : 0);
        assert_int_equal(old.superseded_at, FIRST_AT + 2 * i);
        assert_int_equal(new.status, CERTIFICATE_VALID);
        store_certificate_done(&old);
        store_certificate_done(&new);
    }
    assert_int_equal(writer_kit_counts(kit).revoked, 4);
    assert_int_equal(count_of(kit, TABLE_SUPERSEDED), 1);
}

static void superseded_certificates_stay_valid_unless_asked_for(void **state)
{
    struct writer_kit *kit = *state;
    issue_superseded(kit, 10, 2);
    struct write_sweep swept =
        writer_kit_sweep(kit, KIT_NOW + 300 * DAY, (struct write_sweep){.limit = 10});
    assert_int_equal(swept.ret_revoked, 0);
    assert_int_equal(count_of(kit, TABLE_SUPERSEDED), 2);
}

static void superseded_certificates_that_are_over_are_left_alone(void **state)
{
    struct writer_kit *kit = *state;
    issue_superseded(kit, 10, 2); // number 10 is over KIT_NOW + 10 and a year
    const struct write_sweep what = {.revoke_superseded_sec = DAY, .limit = 10};
    struct write_sweep swept = writer_kit_sweep(kit, KIT_NOW + 10 + 365 * DAY, what);
    assert_int_equal(swept.ret_revoked, 1);
    assert_int_equal(count_of(kit, TABLE_SUPERSEDED), 0);
    struct store_certificate over = writer_kit_find(kit, 10);
    assert_int_equal(over.status, CERTIFICATE_VALID);
    store_certificate_done(&over);
}

// Of three CAs, the last of which has the highest octets there are.
static void entries_of_crls_are_dropped_in_steps(void **state)
{
    struct writer_kit *kit = *state;
    enum { COUNT = 12 };
    for (unsigned i = 0; i < COUNT; i++) {
        struct write_order order = writer_kit_issued(i);
        memset(order.certificate.issuer, i % 3 == 2 ? 0xFF : (int)(i % 3), SHA256_LEN);
        order.certificate.not_after = KIT_NOW + (i / 3) * DAY; // 0 to 3 days
        writer_kit_write(kit, &order);
        writer_kit_done(&order);
        writer_kit_revoke(kit, i, KIT_NOW);
    }
    // All of 0 days are over for longer, those of 1 day for just as long.
    const struct write_sweep what = {.keep_revoked_sec = DAY, .limit = 2};
    struct write_sweep swept = writer_kit_sweep(kit, KIT_NOW + 2 * DAY, what);
    assert_int_equal(swept.ret_dropped, 2);
    assert_true(swept.ret_has_more);
    swept = writer_kit_sweep(kit, KIT_NOW + 2 * DAY, what);
    assert_int_equal(swept.ret_dropped, 1);
    assert_false(swept.ret_has_more);
    assert_int_equal(writer_kit_counts(kit).revoked, 9);
    swept = writer_kit_sweep(kit, KIT_NOW + 2 * DAY, what);
    assert_int_equal(swept.ret_dropped, 0);
    swept = writer_kit_sweep(kit, KIT_NOW + 9 * DAY,
                             (struct write_sweep){.keep_revoked_sec = DAY, .limit = 100});
    assert_int_equal(swept.ret_dropped, 9);
    assert_int_equal(writer_kit_counts(kit).revoked, 0);
    struct store_certificate still = writer_kit_find(kit, 0);
    assert_int_equal(still.status, CERTIFICATE_REVOKED);
    store_certificate_done(&still);
}

// What one kind reaches its limit with does not shorten another's turn.
static void each_kind_has_a_limit_of_its_own(void **state)
{
    struct writer_kit *kit = *state;
    for (unsigned i = 0; i < 3; i++) {
        queue(kit, i);
    }
    issue_superseded(kit, 10, 3);
    for (unsigned i = 0; i < 2; i++) {
        struct write_order order = writer_kit_issued(100 + i);
        memset(order.certificate.issuer, (int)i, SHA256_LEN);
        order.certificate.not_after = KIT_NOW;
        writer_kit_write(kit, &order);
        writer_kit_done(&order);
        writer_kit_revoke(kit, 100 + i, KIT_NOW);
    }
    struct write_sweep swept = writer_kit_sweep(
        kit, KIT_NOW + 10 * DAY, (struct write_sweep){.revoke_superseded_sec = DAY, .limit = 2});
    assert_int_equal(swept.ret_expired_pending, 2);
    assert_int_equal(swept.ret_revoked, 2);
    assert_int_equal(swept.ret_dropped, 2);
    assert_true(swept.ret_has_more);
}

static void put_raw(struct writer_kit *kit, enum store_table table, struct view key,
                    struct view value)
{
    struct store_txn txn = {0};
    assert_int_equal(store_txn_begin_write(kit->store, &txn, NULL), ERR_OK);
    store_txn_put(&txn, table, key, value);
    assert_int_equal(store_txn_commit(&txn, NULL), ERR_OK);
}

static void a_damaged_record_is_told_and_does_not_stop_the_other_kinds(void **state)
{
    static const struct {
        enum store_table table;
        const char *value;
        size_t len;
        const char *text;
    } cases[] = {
        {TABLE_PENDING_BY_EXPIRY, "x", 1, "an index of the store is damaged"},
        {TABLE_PENDING_BY_EXPIRY, "01234567890123456789012345678901", SHA256_LEN,
         "an index of the store names a missing request"},
        {TABLE_SUPERSEDED, "x", 1, "an index of the store is damaged"},
        {TABLE_SUPERSEDED, "0123456789012345", SERIAL_LEN,
         "an index of the store names a missing certificate"},
        {TABLE_REVOKED, "x", 1, "an index of the store is damaged"}, // its key is
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct writer_kit *kit = *state;
        queue(kit, 1);
        issue_superseded(kit, 10, 1);
        put_raw(kit, cases[i].table, view_of("\0", 1), view_of(cases[i].value, cases[i].len));
        struct write_sweep sweep = {.revoke_superseded_sec = DAY, .limit = 9};
        struct write_order order = {
            .kind = WRITE_SWEEP, .now = KIT_NOW + 10 * DAY, .sweep = &sweep};
        writer_kit_refused(kit, &order, ERR_IO, cases[i].text);
        assert_int_equal(sweep.ret_expired_pending, cases[i].table != TABLE_PENDING_BY_EXPIRY);
        assert_int_equal(sweep.ret_revoked, cases[i].table != TABLE_SUPERSEDED);
        assert_int_equal(writer_kit_counts(kit).pending, 1 - sweep.ret_expired_pending);
        writer_kit_teardown(state);
        writer_kit_setup(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WRITER_KIT(an_empty_store_has_nothing_to_sweep),
        WITH_WRITER_KIT(expired_requests_are_forgotten_in_steps),
        WITH_WRITER_KIT(a_limit_that_is_just_enough_leaves_no_more),
        WITH_WRITER_KIT(approved_requests_expire_like_others),
        WITH_WRITER_KIT(superseded_certificates_are_revoked_in_steps),
        WITH_WRITER_KIT(superseded_certificates_stay_valid_unless_asked_for),
        WITH_WRITER_KIT(superseded_certificates_that_are_over_are_left_alone),
        WITH_WRITER_KIT(entries_of_crls_are_dropped_in_steps),
        WITH_WRITER_KIT(each_kind_has_a_limit_of_its_own),
        WITH_WRITER_KIT(a_damaged_record_is_told_and_does_not_stop_the_other_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
