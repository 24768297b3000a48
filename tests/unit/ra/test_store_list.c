// SPDX-License-Identifier: Apache-2.0
// Due lists, what CRLs list, and when a CA's last certificate is over.
#include "kit/kit.h"

#include "ra/store/store_write.h"
#include "ra/writer_kit.h"

#define DAY 86400

struct seen {
    unsigned numbers[64];
    unsigned count;
    unsigned limit;
    struct store_due last;
};

static bool see(const struct store_certificate *certificate, void *context)
{
    struct seen *seen = context;
    assert_true(seen->count < 64);
    memcpy(&seen->numbers[seen->count++], certificate->serial + 1, sizeof(unsigned));
    memcpy(seen->last.serial, certificate->serial, SERIAL_LEN);
    seen->last.not_after = certificate->not_after;
    assert_int_equal(certificate->der.len, STORE_KIT_DER_LEN);
    return seen->count < seen->limit;
}

static struct seen due(struct writer_kit *kit, int64_t from, int64_t until)
{
    struct seen seen = {.limit = 64};
    struct err err = {0};
    if (store_list_due(kit->store, from, until, NULL, see, &seen, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    return seen;
}

static struct seen due_ever(struct writer_kit *kit)
{
    return due(kit, INT64_MIN, INT64_MAX);
}

static void issue(struct writer_kit *kit, unsigned number, const char *device, int64_t not_after)
{
    struct write_order order = writer_kit_issued(number);
    snprintf(order.certificate.device, sizeof order.certificate.device, "%s", device);
    order.certificate.not_after = not_after;
    writer_kit_write(kit, &order);
    writer_kit_done(&order);
}

static void due_is_listed_by_time_from_and_until(void **state)
{
    struct writer_kit *kit = *state;
    static const struct {
        const char *device;
        int64_t not_after;
    } issued[] = {{"b", KIT_NOW + 3 * DAY},
                  {"a", KIT_NOW + 1 * DAY},
                  {"d", KIT_NOW + 2 * DAY},
                  {"c", KIT_NOW + 2 * DAY},
                  {"e", -DAY}};
    for (unsigned i = 0; i < 5; i++) {
        issue(kit, i, issued[i].device, issued[i].not_after);
    }
    static const struct {
        int64_t from;
        int64_t until;
        unsigned count;
        unsigned first;
    } lists[] = {
        {INT64_MIN, INT64_MAX, 5, 4},
        {INT64_MIN, 0, 1, 4},
        {KIT_NOW, KIT_NOW + 1 * DAY, 0, 0}, // until is excluded
        {KIT_NOW, KIT_NOW + 1 * DAY + 1, 1, 1},
        {KIT_NOW + 1 * DAY, KIT_NOW + 3 * DAY, 3, 1}, // from is included
        {KIT_NOW + 1 * DAY + 1, KIT_NOW + 4 * DAY, 3, 2},
        {KIT_NOW + 4 * DAY, INT64_MAX, 0, 0},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct seen seen = due(kit, lists[i].from, lists[i].until);
        assert_int_equal(seen.count, lists[i].count);
        assert_true(seen.count == 0 || seen.numbers[0] == lists[i].first);
    }
}

static void due_continues_behind_an_entry_even_if_that_is_gone(void **state)
{
    struct writer_kit *kit = *state;
    enum { COUNT = 10, PAGE = 3 };
    for (unsigned i = 0; i < COUNT; i++) {
        char device[] = {(char)('a' + i), '\0'};
        issue(kit, i, device, KIT_NOW + DAY + i / 4); // some at the same time
    }
    struct seen pages = {.limit = PAGE};
    assert_int_equal(store_list_due(kit->store, KIT_NOW, INT64_MAX, NULL, see, &pages, NULL),
                     ERR_OK);
    issue(kit, COUNT, "c", KIT_NOW + 9 * DAY); // the last one of the page is renewed meanwhile
    while (pages.count == pages.limit) {
        struct store_due last = pages.last;
        pages.limit += PAGE;
        assert_int_equal(store_list_due(kit->store, KIT_NOW, INT64_MAX, &last, see, &pages, NULL),
                         ERR_OK);
    }
    assert_int_equal(pages.count, COUNT + 1);
    for (unsigned i = 0; i <= COUNT; i++) {
        assert_int_equal(pages.numbers[i], i);
    }
    // An entry before `from` does not lead the list back to before it.
    const struct store_due early = {.not_after = 0};
    struct seen seen = {.limit = 64};
    assert_int_equal(
        store_list_due(kit->store, KIT_NOW + 2 * DAY, INT64_MAX, &early, see, &seen, NULL), ERR_OK);
    assert_int_equal(seen.count, 1);
}

static void only_the_newest_certificate_of_a_device_is_due(void **state)
{
    struct writer_kit *kit = *state;
    issue(kit, 1, "a", KIT_NOW + 1 * DAY);
    issue(kit, 2, "b", KIT_NOW + 2 * DAY);
    issue(kit, 3, "a", KIT_NOW + 3 * DAY);
    issue(kit, 4, "a", KIT_NOW + 1 * DAY); // even when it ends earlier
    struct seen seen = due_ever(kit);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.numbers[0], 4);
    assert_int_equal(seen.numbers[1], 2);
    assert_int_equal(writer_kit_counts(kit).enrolled, 2);
    assert_int_equal(writer_kit_counts(kit).certificates, 4);
    writer_kit_revoke(kit, 4, KIT_NOW);
    seen = due_ever(kit);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.numbers[0], 4);
    issue(kit, 5, "a", KIT_NOW + 5 * DAY);
    seen = due_ever(kit);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.numbers[0], 2);
    assert_int_equal(seen.numbers[1], 5);
}

static void what_a_wrong_clock_issued_later_stays_the_newest(void **state)
{
    struct writer_kit *kit = *state;
    struct write_order order = writer_kit_issued(1);
    order.certificate.issued_at = KIT_NOW + 100 * DAY;
    writer_kit_write(kit, &order);
    struct write_order next = writer_kit_issued(2);
    memcpy(next.certificate.device, order.certificate.device, sizeof next.certificate.device);
    writer_kit_write(kit, &next);
    struct seen seen = due_ever(kit);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.numbers[0], 1);
    struct store_certificate newest = {0};
    assert_int_equal(store_find_device(kit->store, order.certificate.device, &newest, NULL),
                     ERR_OK);
    assert_memory_equal(newest.serial, order.certificate.serial, SERIAL_LEN);
    store_certificate_done(&newest);
    writer_kit_done(&order);
    writer_kit_done(&next);
}

static void renewals_in_one_batch_leave_one_due(void **state)
{
    struct writer_kit *kit = *state;
    enum { COUNT = 6 };
    struct write_order orders[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        orders[i] = writer_kit_issued(i);
        snprintf(orders[i].certificate.device, STORE_DEVICE_LEN, "%s", i % 2 == 0 ? "a" : "b");
        orders[i].certificate.issued_at = KIT_NOW;
        orders[i].supersedes = true;
    }
    struct writer_kit_batch batch = writer_kit_together(kit, orders, COUNT);
    assert_int_equal(batch.by_code[ERR_OK], COUNT);
    struct seen seen = due_ever(kit);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.numbers[0], 4);
    assert_int_equal(seen.numbers[1], 5);
    for (unsigned i = 0; i < COUNT; i++) {
        struct store_certificate got = writer_kit_find(kit, i);
        assert_int_equal(got.superseded_at, i < 4 ? KIT_NOW + i + 2 : 0);
        store_certificate_done(&got);
        writer_kit_done(&orders[i]);
    }
}

struct revoked {
    unsigned numbers[64];
    unsigned count;
    unsigned limit;
};

static bool see_revoked(const struct store_revocation *revocation, void *context)
{
    struct revoked *revoked = context;
    assert_true(revoked->count < 64);
    memcpy(&revoked->numbers[revoked->count++], revocation->serial + 1, sizeof(unsigned));
    assert_int_equal(revocation->revoked_at, KIT_NOW + 5);
    assert_int_equal(revocation->reason, 1);
    return revoked->count < revoked->limit;
}

static struct revoked revoked_at(struct writer_kit *kit, const uint8_t *issuer, int64_t now,
                                 int64_t keep_sec)
{
    struct revoked revoked = {.limit = 64};
    assert_int_equal(
        store_list_revoked(kit->store, issuer, now, keep_sec, see_revoked, &revoked, NULL), ERR_OK);
    return revoked;
}

// Three CAs, the middle one with the highest octets an issuer can have but the last.
static void issue_kind(struct writer_kit *kit, unsigned number, const char *device,
                       enum certificate_kind kind)
{
    struct write_order order = writer_kit_issued(number);
    snprintf(order.certificate.device, sizeof order.certificate.device, "%s", device);
    order.certificate.kind = kind;
    order.certificate.not_after = KIT_NOW + (int64_t)number * DAY;
    writer_kit_write(kit, &order);
    writer_kit_done(&order);
}

static void assert_numbers(const struct seen *seen, unsigned count, const unsigned *numbers)
{
    assert_int_equal(seen->count, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(seen->numbers[i], numbers[i]);
    }
}

static struct seen servers(struct writer_kit *kit, int64_t from, int64_t until)
{
    struct seen seen = {.limit = 64};
    assert_int_equal(store_list_servers(kit->store, from, until, see, &seen, NULL), ERR_OK);
    return seen;
}

// A name is what its newest certificate is.
static void servers_have_a_list_of_their_own(void **state)
{
    struct writer_kit *kit = *state;
    issue_kind(kit, 1, "phone", CERTIFICATE_OF_PHONE);
    issue_kind(kit, 2, "server", CERTIFICATE_OF_SERVER);
    issue_kind(kit, 3, "server", CERTIFICATE_OF_SERVER);
    issue_kind(kit, 4, "other", CERTIFICATE_OF_SERVER);
    struct seen seen = servers(kit, INT64_MIN, INT64_MAX);
    assert_numbers(&seen, 2, (const unsigned[]){3, 4});
    seen = servers(kit, KIT_NOW + 3 * DAY + 1, KIT_NOW + 4 * DAY);
    assert_numbers(&seen, 0, NULL);
    seen = due_ever(kit);
    assert_numbers(&seen, 1, (const unsigned[]){1});
    issue_kind(kit, 5, "other", CERTIFICATE_OF_PHONE);
    seen = servers(kit, INT64_MIN, INT64_MAX);
    assert_numbers(&seen, 1, (const unsigned[]){3});
    seen = due_ever(kit);
    assert_numbers(&seen, 2, (const unsigned[]){1, 5});
    struct store_counts counts = {0};
    assert_int_equal(store_count(kit->store, &counts, NULL), ERR_OK);
    assert_int_equal(counts.enrolled, 2);
}

static void names_are_found_by_their_beginning(void **state)
{
    struct writer_kit *kit = *state;
    static const char *const names[] = {"001A00000001", "001A00000002", "001B00000001", "pv.one",
                                        "pv.one",       "pv.oneself",   "\xFF"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        issue_kind(kit, i, names[i], i == 4 ? CERTIFICATE_OF_SERVER : CERTIFICATE_OF_PHONE);
    }
    static const struct {
        const char *prefix;
        unsigned limit;
        unsigned count;
        unsigned numbers[3];
    } rows[] = {
        {"001A", 64, 2, {0, 1}},   {"001A", 1, 1, {0}},     {"00", 64, 3, {0, 1, 2}},
        {"pv.one", 64, 2, {4, 5}}, {"pv.ones", 64, 1, {5}}, {"PV", 64, 0, {0}},
        {"", 64, 0, {0}},          {"\xFF", 64, 1, {6}},    {"001A000000010", 64, 0, {0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen seen = {.limit = rows[i].limit};
        assert_int_equal(store_list_prefix(kit->store, rows[i].prefix, see, &seen, NULL), ERR_OK);
        assert_numbers(&seen, rows[i].count, rows[i].numbers);
    }
    char long_name[2 * STORE_DEVICE_LEN];
    memset(long_name, 'x', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    struct seen seen = {.limit = 64};
    assert_int_equal(store_list_prefix(kit->store, long_name, see, &seen, NULL), ERR_OK);
    assert_int_equal(seen.count, 0);
}

static void a_crl_lists_one_cas_certificates_that_are_not_over_for_long(void **state)
{
    struct writer_kit *kit = *state;
    static const uint8_t issuers[3][SHA256_LEN] = {
        {[SHA256_LEN - 1] = 0xFE}, {[SHA256_LEN - 1] = 0xFF}, {[SHA256_LEN - 2] = 1}};
    for (unsigned i = 0; i < 12; i++) {
        struct write_order order = writer_kit_issued(i);
        memcpy(order.certificate.issuer, issuers[i % 3], SHA256_LEN);
        order.certificate.not_after = KIT_NOW + (12 - i) * DAY; // the newest ends first
        writer_kit_write(kit, &order);
        writer_kit_done(&order);
        if (i < 9) {
            writer_kit_revoke(kit, i, KIT_NOW + 5);
        }
    }
    struct revoked revoked = revoked_at(kit, issuers[1], KIT_NOW, 0);
    assert_int_equal(revoked.count, 3); // 1, 4, 7, in the order of notAfter
    assert_int_equal(revoked.numbers[0], 7);
    assert_int_equal(revoked.numbers[1], 4);
    assert_int_equal(revoked.numbers[2], 1);
    // Number 7 ends at 5 days.
    assert_int_equal(revoked_at(kit, issuers[1], KIT_NOW + 5 * DAY, 0).count, 3);
    assert_int_equal(revoked_at(kit, issuers[1], KIT_NOW + 5 * DAY + 1, 0).count, 2);
    assert_int_equal(revoked_at(kit, issuers[1], KIT_NOW + 5 * DAY + 1, 1).count, 3);
    assert_int_equal(revoked_at(kit, issuers[1], KIT_NOW + 100 * DAY, 0).count, 0);
    assert_int_equal(revoked_at(kit, issuers[0], KIT_NOW, 0).count, 3);
    assert_int_equal(revoked_at(kit, issuers[2], KIT_NOW, 0).count, 3);
    static const uint8_t unknown[SHA256_LEN] = {9};
    assert_int_equal(revoked_at(kit, unknown, KIT_NOW, 0).count, 0);
    struct revoked cut = {.limit = 2};
    assert_int_equal(
        store_list_revoked(kit->store, issuers[1], KIT_NOW, 0, see_revoked, &cut, NULL), ERR_OK);
    assert_int_equal(cut.count, 2);
    assert_int_equal(writer_kit_counts(kit).revoked, 9);
}

static void the_last_expiry_of_a_ca_only_grows(void **state)
{
    struct writer_kit *kit = *state;
    static const int64_t ends[] = {5 * DAY, 3 * DAY, 9 * DAY, 9 * DAY, 8 * DAY};
    static const int64_t last[] = {5 * DAY, 5 * DAY, 9 * DAY, 9 * DAY, 9 * DAY};
    struct store_certificate some = store_kit_certificate(0);
    int64_t got = 0;
    assert_int_equal(store_find_last_expiry(kit->store, some.issuer, &got, NULL), ERR_NOT_FOUND);
    for (unsigned i = 0; i < 5; i++) {
        issue(kit, i, "a", KIT_NOW + ends[i]);
        assert_int_equal(store_find_last_expiry(kit->store, some.issuer, &got, NULL), ERR_OK);
        assert_int_equal(got, KIT_NOW + last[i]);
    }
    some.issuer[0] ^= 1;
    assert_int_equal(store_find_last_expiry(kit->store, some.issuer, &got, NULL), ERR_NOT_FOUND);
    store_certificate_done(&some);
}

// Puts octets behind the writer's back, which is idle.
static void put_raw(struct writer_kit *kit, enum store_table table, struct view key,
                    struct view value)
{
    struct store_txn txn = {0};
    assert_int_equal(store_txn_begin_write(kit->store, &txn, NULL), ERR_OK);
    store_txn_put(&txn, table, key, value);
    assert_int_equal(store_txn_commit(&txn, NULL), ERR_OK);
}

static bool never_pending(const struct store_pending *pending, void *context)
{
    (void)pending;
    (void)context;
    fail();
    return false;
}

static bool never_device(const struct store_device *device, void *context)
{
    (void)device;
    (void)context;
    fail();
    return false;
}

static void damaged_records_are_never_misread(void **state)
{
    struct writer_kit *kit = *state;
    static const uint8_t name[SHA256_LEN] = {1};
    struct store *store = kit->store;
    struct view key = view_of(name, SHA256_LEN);
    struct view bad = view_of("\2\0", 2);
    static const enum store_table tables[] = {TABLE_PENDING,    TABLE_PENDING_BY_AGE, TABLE_DEVICES,
                                              TABLE_CRLS,       TABLE_ISSUERS,        TABLE_DUE,
                                              TABLE_DUE_SERVERS};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        put_raw(kit, tables[i], key, bad);
    }
    struct record_key revoked;
    record_key_revoked(name, KIT_NOW, view_of(name, SERIAL_LEN), &revoked);
    put_raw(kit, TABLE_REVOKED, record_key_view(&revoked), bad);
    put_raw(kit, TABLE_DEVICES, view_of_text("MAABBCCDDEEFF"), bad);

    struct store_pending pending = {0};
    struct store_device device = {0};
    struct store_crl crl = {0};
    int64_t last = 0;
    struct revoked none = {.limit = 64};
    struct seen nobody = {.limit = 64};
    struct err err = {0};
    assert_int_equal(store_find_pending(store, name, &pending, &err), ERR_IO);
    assert_string_equal(err.text, "a waiting request's record in the store is damaged");
    assert_int_equal(store_find_pending_id(store, "0100000000", &pending, &err), ERR_IO);
    assert_int_equal(store_list_pending(store, never_pending, NULL, &err), ERR_IO);
    assert_string_equal(err.text, "an index of the store is damaged");
    assert_int_equal(store_find_listed(store, "AABBCCDDEEFF", "", &device, &err), ERR_IO);
    assert_string_equal(err.text, "a device's record in the store is damaged");
    assert_int_equal(store_list_devices(store, NULL, never_device, NULL, &err), ERR_IO);
    assert_int_equal(store_find_crl(store, name, &crl, &err), ERR_IO);
    assert_string_equal(err.text, "a CRL's record in the store is damaged");
    assert_int_equal(store_find_last_expiry(store, name, &last, &err), ERR_IO);
    assert_string_equal(err.text, "an issuer's record in the store is damaged");
    assert_int_equal(store_list_revoked(store, name, KIT_NOW, 0, see_revoked, &none, &err), ERR_IO);
    assert_string_equal(err.text, "a revocation's record in the store is damaged");
    assert_int_equal(store_list_due(store, INT64_MIN, INT64_MAX, NULL, see, &nobody, &err), ERR_IO);
    assert_string_equal(err.text, "an index of the store is damaged");
    assert_int_equal(store_list_servers(store, INT64_MIN, INT64_MAX, see, &nobody, &err), ERR_IO);
    put_raw(kit, TABLE_BY_DEVICE, view_of_text("abc"), bad);
    assert_int_equal(store_list_prefix(store, "ab", see, &nobody, &err), ERR_IO);
    assert_string_equal(err.text, "an index of the store is damaged");
}

static void indexes_that_name_what_is_missing_are_errors(void **state)
{
    struct writer_kit *kit = *state;
    static const uint8_t name[SHA256_LEN] = {1};
    put_raw(kit, TABLE_PENDING_BY_AGE, view_of_text("time"), view_of(name, SHA256_LEN));
    put_raw(kit, TABLE_DEVICES_BY_NUMBER, view_of_text("FCH1"), view_of_text("MAABBCCDDEEFF"));
    put_raw(kit, TABLE_DUE, view_of(name, 8 + SERIAL_LEN), view_of(name, SERIAL_LEN));
    struct store_device device = {0};
    struct seen nobody = {.limit = 64};
    struct err err = {0};
    assert_int_equal(store_list_pending(kit->store, never_pending, NULL, &err), ERR_IO);
    assert_non_null(strstr(err.text, "names a missing request"));
    assert_int_equal(store_find_listed(kit->store, "", "FCH1", &device, &err), ERR_IO);
    assert_non_null(strstr(err.text, "names a missing device"));
    assert_int_equal(store_list_due(kit->store, INT64_MIN, INT64_MAX, NULL, see, &nobody, &err),
                     ERR_IO);
    assert_non_null(strstr(err.text, "names a missing certificate"));
}

static void an_empty_store_has_nothing_to_list(void **state)
{
    struct writer_kit *kit = *state;
    static const uint8_t issuer[SHA256_LEN];
    struct store_crl crl = {0};
    assert_int_equal(due_ever(kit).count, 0);
    assert_int_equal(revoked_at(kit, issuer, KIT_NOW, DAY).count, 0);
    assert_int_equal(store_list_pending(kit->store, never_pending, NULL, NULL), ERR_OK);
    assert_int_equal(store_list_devices(kit->store, NULL, never_device, NULL, NULL), ERR_OK);
    assert_int_equal(store_list_devices(kit->store, "", never_device, NULL, NULL), ERR_OK);
    assert_int_equal(store_find_crl(kit->store, issuer, &crl, NULL), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WRITER_KIT(due_is_listed_by_time_from_and_until),
        WITH_WRITER_KIT(due_continues_behind_an_entry_even_if_that_is_gone),
        WITH_WRITER_KIT(only_the_newest_certificate_of_a_device_is_due),
        WITH_WRITER_KIT(what_a_wrong_clock_issued_later_stays_the_newest),
        WITH_WRITER_KIT(renewals_in_one_batch_leave_one_due),
        WITH_WRITER_KIT(servers_have_a_list_of_their_own),
        WITH_WRITER_KIT(names_are_found_by_their_beginning),
        WITH_WRITER_KIT(a_crl_lists_one_cas_certificates_that_are_not_over_for_long),
        WITH_WRITER_KIT(the_last_expiry_of_a_ca_only_grows),
        WITH_WRITER_KIT(damaged_records_are_never_misread),
        WITH_WRITER_KIT(indexes_that_name_what_is_missing_are_errors),
        WITH_WRITER_KIT(an_empty_store_has_nothing_to_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
