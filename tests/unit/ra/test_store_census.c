// SPDX-License-Identifier: Apache-2.0
// Counting devices by the end of their present certificate, without reading a certificate.
#include "ra/writer_kit.h"

#define DAY   ((int64_t)86400)
#define SPANS 4

static void issue(struct writer_kit *kit, unsigned number, const char *device, int64_t not_after)
{
    struct write_order order = writer_kit_issued(number);
    snprintf(order.certificate.device, sizeof order.certificate.device, "%s", device);
    order.certificate.not_after = not_after;
    writer_kit_write(kit, &order);
    writer_kit_done(&order);
}

// Up to KIT_NOW, to a day later, to two days later, and on.
static void assert_counts(struct writer_kit *kit, const uint64_t devices[SPANS],
                          const uint64_t revoked[SPANS])
{
    struct err err = {0};
    struct store_span spans[SPANS] = {
        {.until = KIT_NOW, .devices = 77, .revoked = 77},
        {.until = KIT_NOW + DAY},
        {.until = KIT_NOW + 2 * DAY},
        {.until = INT64_MAX},
    };
    if (store_count_due(kit->store, spans, SPANS, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    for (size_t i = 0; i < SPANS; i++) {
        assert_int_equal(spans[i].devices, devices[i]);
        assert_int_equal(spans[i].revoked, revoked[i]);
    }
}

static void nobody_in_an_empty_store(void **state)
{
    static const uint64_t none[SPANS];
    assert_counts(*state, none, none);
    assert_int_equal(store_count_due(((struct writer_kit *)*state)->store, NULL, 0, NULL), ERR_OK);
}

static void spans_begin_where_the_one_before_ends(void **state)
{
    static const uint64_t none[SPANS];
    struct writer_kit *kit = *state;
    issue(kit, 1, "a", KIT_NOW - 1);
    issue(kit, 2, "b", KIT_NOW);
    issue(kit, 3, "c", KIT_NOW + DAY - 1);
    issue(kit, 4, "d", KIT_NOW + DAY);
    issue(kit, 5, "e", KIT_NOW + 2 * DAY);
    issue(kit, 6, "f", KIT_NOW + 9999 * DAY);
    issue(kit, 7, "g", -5);
    assert_counts(kit, (const uint64_t[]){2, 2, 1, 2}, none);
}

static void only_the_present_certificate_counts(void **state)
{
    static const uint64_t none[SPANS];
    struct writer_kit *kit = *state;
    issue(kit, 1, "a", KIT_NOW - 1);
    assert_counts(kit, (const uint64_t[]){1, 0, 0, 0}, none);
    issue(kit, 2, "a", KIT_NOW + 2 * DAY);
    assert_counts(kit, (const uint64_t[]){0, 0, 0, 1}, none);
    writer_kit_revoke(kit, 1, KIT_NOW); // the old one
    assert_counts(kit, (const uint64_t[]){0, 0, 0, 1}, none);
}

static void revoked_ones_are_told_apart(void **state)
{
    struct writer_kit *kit = *state;
    issue(kit, 1, "a", KIT_NOW + 1);
    issue(kit, 2, "b", KIT_NOW + 2);
    issue(kit, 3, "c", KIT_NOW + 3 * DAY);
    writer_kit_revoke(kit, 1, KIT_NOW);
    writer_kit_revoke(kit, 3, KIT_NOW);
    assert_counts(kit, (const uint64_t[]){0, 2, 0, 1}, (const uint64_t[]){0, 1, 0, 1});
    issue(kit, 4, "a", KIT_NOW + 3 * DAY); // enrolled anew
    assert_counts(kit, (const uint64_t[]){0, 1, 0, 2}, (const uint64_t[]){0, 0, 0, 1});
}

// What a probe writes is in nobody's way, and the store opens with it.
static void a_probe_changes_nothing(void **state)
{
    struct writer_kit *kit = *state;
    issue(kit, 1, "a", KIT_NOW + 1);
    struct store_counts before = writer_kit_counts(kit);
    for (int i = 0; i < 20; i++) {
        struct write_order order = {.kind = WRITE_PROBE, .now = KIT_NOW};
        writer_kit_write(kit, &order);
    }
    struct store_counts after = writer_kit_counts(kit);
    assert_int_equal(after.certificates, before.certificates);
    assert_int_equal(after.transactions, before.transactions);
    assert_in_range(after.used_octets, before.used_octets, before.used_octets + 30 * 4096);
    writer_stop(kit->writer);
    store_close(kit->store);
    assert_int_equal(store_open(kit->directory, 8 * STORE_KIT_OCTETS, &kit->store, NULL), ERR_OK);
    assert_int_equal(writer_start(kit->store, &kit->writer, NULL), ERR_OK);
    assert_int_equal(writer_kit_counts(kit).certificates, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WRITER_KIT(nobody_in_an_empty_store),
        WITH_WRITER_KIT(spans_begin_where_the_one_before_ends),
        WITH_WRITER_KIT(only_the_present_certificate_counts),
        WITH_WRITER_KIT(revoked_ones_are_told_apart),
        WITH_WRITER_KIT(a_probe_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
