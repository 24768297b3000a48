// SPDX-License-Identifier: Apache-2.0
// The device list: who is on it, and orders that change it.
#include "kit/kit.h"

#include "ra/store/store_write.h"
#include "ra/writer_kit.h"

#define MAC_A "00AAAAAAAAAA"
#define MAC_B "00BBBBBBBBBB"
#define MAC_C "00CCCCCCCCCC"

static struct write_order put_order(const struct store_device *devices, size_t count)
{
    return (struct write_order){
        .kind = WRITE_DEVICES, .now = KIT_NOW, .devices = devices, .device_count = count};
}

static void put(struct writer_kit *kit, const struct store_device *devices, size_t count)
{
    struct write_order order = put_order(devices, count);
    writer_kit_write(kit, &order);
}

static uint64_t count_of(struct writer_kit *kit, enum store_table table)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    uint64_t count = 0;
    assert_int_equal(store_txn_begin_read(kit->store, &txn, NULL), ERR_OK);
    assert_int_equal(store_count_table(&txn, table, &count, NULL), ERR_OK);
    return count;
}

static void a_device_is_found_by_mac_else_by_serial_number(void **state)
{
    struct writer_kit *kit = *state;
    const struct store_device devices[] = {
        store_kit_device(MAC_A, "FCH1"),
        store_kit_device(MAC_B, NULL),
        store_kit_device(NULL, "FCH3"),
    };
    put(kit, devices, 3);
    static const struct {
        const char *mac;
        const char *serial_number;
        int entry;  // that is told; -1 = none
        bool is_on; // the list
    } cases[] = {
        {MAC_A, "FCH1", 0, true},
        {MAC_A, "", 0, true},
        {"", "FCH1", 0, true},
        {MAC_A, "FCH9", 0, false}, // the MAC with another serial number
        {MAC_C, "FCH1", 0, false}, // the serial number with another MAC
        {MAC_B, "", 1, true},
        {MAC_B, "FCH9", 1, true},
        {MAC_B, "FCH1", 1, true}, // by MAC if there is an entry for it
        {MAC_C, "FCH3", 2, true},
        {"", "FCH3", 2, true},
        {MAC_C, "", -1, false},
        {"", "FCH9", -1, false},
        {MAC_C, "FCH9", -1, false},
        {"", "", -1, false},
        {"00AAAAAAAAAAA", "FCH1", -1, false}, // longer than a MAC
        {MAC_A, "FCH1FCH1FCH1FCH1FCH1FCH1FCH1FCH1", -1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct store_device got = store_kit_device("FFFFFFFFFFFF", "before");
        struct store_device expected = {0};
        if (cases[i].entry >= 0) {
            expected = devices[cases[i].entry];
        }
        assert_int_equal(
            store_find_listed(kit->store, cases[i].mac, cases[i].serial_number, &got, NULL),
            cases[i].is_on ? ERR_OK : ERR_NOT_FOUND);
        store_kit_assert_same_device(&expected, &got);
    }
    assert_int_equal(writer_kit_counts(kit).devices, 3);
}

static void an_entry_for_the_same_device_is_replaced(void **state)
{
    struct writer_kit *kit = *state;
    struct store_device first[] = {store_kit_device(MAC_A, "FCH1"), store_kit_device(NULL, "FCH2")};
    struct store_device second[] = {store_kit_device(MAC_A, "FCH3"),
                                    store_kit_device(NULL, "FCH2")};
    struct store_device got = {0};
    snprintf(second[0].note, sizeof second[0].note, "moved");
    snprintf(second[1].model, sizeof second[1].model, "DP-9841");
    put(kit, first, 2);
    put(kit, second, 2);
    assert_int_equal(store_find_listed(kit->store, "", "FCH1", &got, NULL), ERR_NOT_FOUND);
    assert_string_equal(got.mac, "");
    assert_int_equal(store_find_listed(kit->store, "", "FCH3", &got, NULL), ERR_OK);
    store_kit_assert_same_device(&second[0], &got);
    assert_int_equal(store_find_listed(kit->store, "", "FCH2", &got, NULL), ERR_OK);
    store_kit_assert_same_device(&second[1], &got);
    put(kit, first, 1); // the number that became free is taken again
    assert_int_equal(store_find_listed(kit->store, MAC_A, "FCH1", &got, NULL), ERR_OK);
    assert_int_equal(writer_kit_counts(kit).devices, 2);
    assert_int_equal(count_of(kit, TABLE_DEVICES_BY_NUMBER), 2);
    struct store_device without = store_kit_device(MAC_A, NULL);
    put(kit, &without, 1);
    assert_int_equal(count_of(kit, TABLE_DEVICES_BY_NUMBER), 1);
}

static void two_devices_with_one_serial_number_are_a_conflict(void **state)
{
    static const struct {
        const char *names[3][2]; // MAC and serial number; {NULL, NULL} = no more
        const char *text;        // NULL = no conflict
    } cases[] = {
        // FCH1 is that of MAC_A, FCH2 that of MAC_B, FCH3 that of no MAC.
        {{{MAC_C, "FCH1"}}, "the devices " MAC_C " and " MAC_A " have the same serial number FCH1"},
        {{{MAC_C, "FCH9"}, {NULL, "FCH2"}}, "the devices FCH2 and " MAC_B " have the same serial"},
        {{{MAC_C, "FCH3"}}, "the devices " MAC_C " and FCH3 have the same serial number FCH3"},
        {{{MAC_C, "FCH9"}, {NULL, "FCH9"}}, "have the same serial number FCH9"},
        {{{MAC_A, "FCH2"}}, "have the same serial number FCH2"},
        {{{MAC_A, "FCH2"}, {MAC_B, "FCH1"}}, NULL}, // they swap
        {{{MAC_C, "FCH1"}, {MAC_A, "FCH9"}}, NULL}, // it moves
        {{{MAC_C, "FCH9"}, {MAC_C, "FCH8"}}, NULL}, // the last counts
        {{{MAC_C, "FCH1"}, {MAC_C, "FCH8"}}, NULL}, // even if the first would be a conflict
        {{{MAC_A, "FCH2"}, {MAC_A, "FCH1"}}, NULL}, // the same again
        {{{MAC_A, NULL}, {NULL, "FCH1"}}, NULL},    // MAC_A gives its number away
        {{{MAC_C, "FCH8"}, {MAC_C, "FCH1"}}, "have the same serial number FCH1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct writer_kit *kit = *state;
        const struct store_device before[] = {store_kit_device(MAC_A, "FCH1"),
                                              store_kit_device(MAC_B, "FCH2"),
                                              store_kit_device(NULL, "FCH3")};
        struct store_device devices[3];
        size_t count = 0;
        put(kit, before, 3);
        while (count < 3 &&
               (cases[i].names[count][0] != NULL || cases[i].names[count][1] != NULL)) {
            devices[count] = store_kit_device(cases[i].names[count][0], cases[i].names[count][1]);
            count++;
        }
        struct write_order order = put_order(devices, count);
        if (cases[i].text == NULL) {
            writer_kit_write(kit, &order);
            struct store_device got = {0};
            const struct store_device *last = &devices[count - 1];
            assert_int_equal(
                store_find_listed(kit->store, last->mac, last->serial_number, &got, NULL), ERR_OK);
            store_kit_assert_same_device(last, &got);
        } else {
            writer_kit_refused(kit, &order, ERR_CONFLICT, cases[i].text);
            struct store_device got = {0};
            for (size_t j = 0; j < 3; j++) { // nothing of it was written
                assert_int_equal(
                    store_find_listed(kit->store, "", before[j].serial_number, &got, NULL), ERR_OK);
                store_kit_assert_same_device(&before[j], &got);
            }
            assert_int_equal(writer_kit_counts(kit).devices, 3);
            assert_int_equal(count_of(kit, TABLE_DEVICES_BY_NUMBER), 3);
        }
        writer_kit_teardown(state);
        writer_kit_setup(state);
    }
}

static void a_refused_list_takes_nobody_else_of_its_batch_along(void **state)
{
    struct writer_kit *kit = *state;
    struct store_device good = store_kit_device(MAC_A, "FCH1");
    struct store_device bad[] = {store_kit_device(MAC_B, "FCH2"), store_kit_device(MAC_C, "FCH1")};
    struct store_device also_good = store_kit_device(MAC_C, "FCH3");
    struct write_order orders[] = {writer_kit_issued(1), put_order(&good, 1), put_order(bad, 2),
                                   put_order(&also_good, 1), writer_kit_issued(2)};
    struct writer_kit_batch batch = writer_kit_together(kit, orders, 5);
    assert_int_equal(batch.by_code[ERR_OK], 4);
    assert_int_equal(batch.by_code[ERR_CONFLICT], 1);
    assert_int_equal(writer_kit_counts(kit).devices, 2);
    assert_int_equal(writer_kit_counts(kit).certificates, 2);
    struct store_device got = {0};
    assert_int_equal(store_find_listed(kit->store, MAC_B, "", &got, NULL), ERR_NOT_FOUND);
    writer_kit_done(&orders[0]);
    writer_kit_done(&orders[4]);
}

static void an_entry_needs_a_name(void **state)
{
    struct writer_kit *kit = *state;
    struct store_device devices[] = {store_kit_device(MAC_A, NULL), store_kit_device(NULL, NULL)};
    struct write_order order = put_order(devices, 2);
    writer_kit_refused(kit, &order, ERR_INTERNAL, "needs a MAC or a serial number");
    assert_int_equal(writer_kit_counts(kit).devices, 0);
}

static void a_device_is_removed_by_mac_else_by_serial_number(void **state)
{
    struct writer_kit *kit = *state;
    const struct store_device devices[] = {
        store_kit_device(MAC_A, "FCH1"), store_kit_device(MAC_B, "FCH2"),
        store_kit_device(NULL, "FCH3"), store_kit_device(MAC_C, NULL)};
    static const char *const names[][2] = {
        {MAC_A, NULL}, {NULL, "FCH2"}, {NULL, "FCH3"}, {MAC_C, "FCH9"}};
    put(kit, devices, 4);
    for (size_t i = 0; i < 4; i++) {
        struct store_device named = store_kit_device(names[i][0], names[i][1]);
        struct write_order order = {
            .kind = WRITE_DEVICE_REMOVE, .now = KIT_NOW, .devices = &named, .device_count = 1};
        writer_kit_write(kit, &order);
        assert_int_equal(writer_kit_counts(kit).devices, 3 - i);
        writer_kit_refused(kit, &order, ERR_NOT_FOUND, "there is no such device on the list");
    }
    assert_int_equal(count_of(kit, TABLE_DEVICES_BY_NUMBER), 0);
    struct store_device nameless = store_kit_device(NULL, NULL);
    struct write_order order = {
        .kind = WRITE_DEVICE_REMOVE, .now = KIT_NOW, .devices = &nameless, .device_count = 1};
    writer_kit_refused(kit, &order, ERR_NOT_FOUND, "there is no such device on the list");
}

struct seen {
    char keys[8][1 + STORE_NUMBER_LEN];
    unsigned count;
    unsigned limit;
};

static bool see(const struct store_device *device, void *context)
{
    struct seen *seen = context;
    assert_true(seen->count < 8);
    bool has_mac = device->mac[0] != '\0';
    snprintf(seen->keys[seen->count++], sizeof seen->keys[0], "%c%s", has_mac ? 'M' : 'S',
             has_mac ? device->mac : device->serial_number);
    return seen->count < seen->limit;
}

static void devices_are_listed_in_pages(void **state)
{
    struct writer_kit *kit = *state;
    const struct store_device devices[] = {
        store_kit_device(NULL, "FCH3"), store_kit_device(MAC_B, "FCH2"),
        store_kit_device(MAC_A, "FCH1"), store_kit_device(NULL, "ZZZ"),
        store_kit_device(NULL, "FCH3333333333333333333333333333")}; // the longest there is
    static const char *const sorted[] = {"M" MAC_A, "M" MAC_B, "SFCH3",
                                         "SFCH3333333333333333333333333333", "SZZZ"};
    put(kit, devices, 5);
    struct seen pages = {.limit = 2};
    const char *after = NULL;
    for (unsigned page = 0; page < 4; page++) {
        assert_int_equal(store_list_devices(kit->store, after, see, &pages, NULL), ERR_OK);
        pages.limit += 2;
        after = pages.keys[pages.count - 1];
    }
    assert_int_equal(pages.count, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_string_equal(pages.keys[i], sorted[i]);
    }
    static const struct {
        const char *after;
        unsigned count;
    } lists[] = {
        {"", 5},  {"M", 5},     {"M" MAC_A, 4}, {"M00B", 4},
        {"S", 3}, {"SFCH3", 2}, {"SZZZ", 0},    {"SFCH33333333333333333333333333333333333333", 1},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct seen seen = {.limit = 8};
        assert_int_equal(store_list_devices(kit->store, lists[i].after, see, &seen, NULL), ERR_OK);
        assert_int_equal(seen.count, lists[i].count);
    }
}

// So many that the map must grow in the middle of the order.
static void a_hundred_thousand_devices_come_in_one_order_twice(void **state)
{
    enum { COUNT = 100000 };
    struct writer_kit *kit = *state;
    struct store_device *devices = calloc(COUNT, sizeof *devices);
    assert_non_null(devices);
    for (unsigned i = 0; i < COUNT; i++) {
        char mac[13];
        char number[16];
        snprintf(mac, sizeof mac, "%012X", i * 2654435761U); // in no order
        snprintf(number, sizeof number, "FCH%u", i);
        devices[i] = store_kit_device(mac, number);
    }
    uint64_t first_octets = writer_kit_counts(kit).map_octets;
    for (unsigned round = 0; round < 2; round++) {
        put(kit, devices, COUNT);
        assert_true(writer_kit_counts(kit).map_octets > first_octets);
        assert_int_equal(writer_kit_counts(kit).devices, COUNT);
        assert_int_equal(count_of(kit, TABLE_DEVICES_BY_NUMBER), COUNT);
    }
    memcpy(devices[COUNT - 1].serial_number, devices[0].serial_number, STORE_NUMBER_LEN);
    struct write_order order = put_order(devices, COUNT);
    writer_kit_refused(kit, &order, ERR_CONFLICT, "have the same serial number FCH0");
    assert_int_equal(count_of(kit, TABLE_DEVICES_BY_NUMBER), COUNT);
    free(devices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WRITER_KIT(a_device_is_found_by_mac_else_by_serial_number),
        WITH_WRITER_KIT(an_entry_for_the_same_device_is_replaced),
        WITH_WRITER_KIT(two_devices_with_one_serial_number_are_a_conflict),
        WITH_WRITER_KIT(a_refused_list_takes_nobody_else_of_its_batch_along),
        WITH_WRITER_KIT(an_entry_needs_a_name),
        WITH_WRITER_KIT(a_device_is_removed_by_mac_else_by_serial_number),
        WITH_WRITER_KIT(devices_are_listed_in_pages),
        WITH_WRITER_KIT(a_hundred_thousand_devices_come_in_one_order_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
