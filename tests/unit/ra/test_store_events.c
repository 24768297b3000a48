// SPDX-License-Identifier: Apache-2.0
// The history in one transaction: ids, filters, order, bounds.
#include "kit/kit.h"

#include "ra/store/store_events.h"
#include "ra/writer_kit.h"

#define MANY 64

struct seen {
    uint64_t ids[MANY];
    unsigned count;
    unsigned limit; // 0 = all
    struct store_event last;
};

static bool see(const struct store_event *event, void *context)
{
    struct seen *seen = context;
    assert_true(seen->count < MANY);
    seen->ids[seen->count++] = event->id;
    seen->last = *event;
    return seen->count != seen->limit;
}

static struct store_txn begin(struct writer_kit *kit)
{
    struct store_txn txn = {0};
    assert_int_equal(store_txn_begin_write(kit->store, &txn, NULL), ERR_OK);
    return txn;
}

// The writer of the kit sleeps, so this thread may write.
static void add(struct writer_kit *kit, const struct store_event *events, size_t count)
{
    struct store_txn txn = begin(kit);
    for (size_t i = 0; i < count; i++) {
        store_add_event(&txn, &events[i]);
    }
    assert_int_equal(txn.new_events, count);
    assert_int_equal(txn.lost_events, 0);
    assert_int_equal(store_txn_commit(&txn, NULL), ERR_OK);
}

static struct seen list(struct writer_kit *kit, const struct store_event_filter *filter,
                        uint64_t after)
{
    struct seen seen = {0};
    assert_int_equal(store_list_events(kit->store, filter, after, see, &seen, NULL), ERR_OK);
    return seen;
}

static struct seen list_back(struct writer_kit *kit, const struct store_event_filter *filter)
{
    struct seen seen = {0};
    assert_int_equal(store_list_events_back(kit->store, filter, see, &seen, NULL), ERR_OK);
    return seen;
}

static const struct store_event_filter all = {0};

static uint64_t count_of(struct writer_kit *kit, enum store_table table)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    uint64_t count = 0;
    assert_int_equal(store_txn_begin_read(kit->store, &txn, NULL), ERR_OK);
    assert_int_equal(store_count_table(&txn, table, &count, NULL), ERR_OK);
    return count;
}

static void an_empty_history_lists_nothing(void **state)
{
    struct writer_kit *kit = *state;
    const struct store_event_filter phone = {.device = "001A00000001", .common_name = "x"};
    assert_int_equal(list(kit, &all, 0).count, 0);
    assert_int_equal(list_back(kit, &all).count, 0);
    assert_int_equal(list(kit, &phone, 5).count, 0);
}

static void an_event_comes_back_as_it_was(void **state)
{
    struct writer_kit *kit = *state;
    struct store_event event = store_kit_event(3);
    add(kit, &event, 1);
    struct seen seen = list(kit, &all, 0);
    assert_int_equal(seen.count, 1);
    event.id = (uint64_t)event.at;
    store_kit_assert_same_event(&event, &seen.last);
    assert_int_equal(writer_kit_counts(kit).events, 1);
}

// Of one moment, or of a clock that was set back: ids only grow, times stay what they are.
static void ids_grow_in_the_order_of_writing(void **state)
{
    struct writer_kit *kit = *state;
    static const int64_t times[] = {1000, 1000, 1000, 400, 2000, -5, 0};
    static const uint64_t ids[] = {1000, 1001, 1002, 1003, 2000, 2001, 2002};
    for (size_t i = 0; i < 7; i++) {
        struct store_event event = store_kit_event(1);
        event.at = times[i];
        add(kit, &event, 1);
    }
    struct seen seen = list(kit, &all, 0);
    assert_int_equal(seen.count, 7);
    assert_memory_equal(seen.ids, ids, sizeof ids);
    assert_int_equal(seen.last.at, 0);
    seen = list_back(kit, &all);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(seen.ids[i], ids[6 - i]);
    }
}

static void a_page_begins_behind_an_id_whether_it_is_there_or_not(void **state)
{
    struct writer_kit *kit = *state;
    static const struct {
        uint64_t after;
        unsigned count;
    } rows[] = {{0, 3}, {99, 3}, {100, 2}, {150, 2}, {200, 1}, {300, 0}, {UINT64_MAX, 0}};
    const struct store_event_filter phone = {.device = "001A00000001"};
    for (int64_t i = 1; i <= 3; i++) {
        struct store_event event = store_kit_event(1);
        event.at = i * 100;
        add(kit, &event, 1);
    }
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(list(kit, &all, rows[i].after).count, rows[i].count);
        assert_int_equal(list(kit, &phone, rows[i].after).count, rows[i].count);
    }
    struct seen two = {.limit = 2};
    assert_int_equal(store_list_events(kit->store, &all, 0, see, &two, NULL), ERR_OK);
    assert_int_equal(two.count, 2);
}

// Phone 1 three times (once with a CN only), phone 2 twice, somebody unknown once.
static void add_mixed(struct writer_kit *kit)
{
    struct store_event events[6] = {
        store_kit_event(1), store_kit_event(2), store_kit_event(1),
        store_kit_event(1), store_kit_event(2), store_kit_event(9),
    };
    for (int i = 0; i < 6; i++) {
        events[i].at = i + 1;
    }
    snprintf(events[2].device, sizeof events[2].device, "otherwise known");
    memset(events[3].serial, 9, SERIAL_LEN);
    events[5].mac[0] = '\0';
    events[5].device[0] = '\0';
    events[5].common_name[0] = '\0';
    add(kit, events, 6);
}

static void filters_let_through_what_is_exactly_the_same(void **state)
{
    struct writer_kit *kit = *state;
    static const uint8_t nines[SERIAL_LEN] = {9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};
    static const struct {
        struct store_event_filter filter;
        unsigned count;
        uint64_t ids[3];
    } rows[] = {
        {{.device = "001A00000001"}, 2, {1, 4}},
        {{.device = "001A00000002"}, 2, {2, 5}},
        {{.device = "001A0000000"}, 0, {0}},
        {{.device = ""}, 0, {0}},
        {{.common_name = "CP-8841-SEP001A00000001"}, 3, {1, 3, 4}},
        {{.common_name = "CP-8841-SEP"}, 0, {0}},
        {{.device = "001A00000001", .common_name = "CP-8841-SEP001A00000001"}, 2, {1, 4}},
        {{.device = "001A00000001", .common_name = "CP-8841-SEP001A00000002"}, 0, {0}},
        {{.device = "001A00000001", .common_name = "CP-8841-SEP001A00000001", .is_either = true},
         3,
         {1, 3, 4}},
        {{.device = "001A00000002", .common_name = "nobody", .is_either = true}, 2, {2, 5}},
        {{.device = "nobody", .common_name = "CP-8841-SEP001A00000002", .is_either = true},
         2,
         {2, 5}},
        {{.serial = nines}, 1, {4}},
    };
    add_mixed(kit);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen seen = list(kit, &rows[i].filter, 0);
        struct seen back = list_back(kit, &rows[i].filter);
        assert_int_equal(seen.count, rows[i].count);
        assert_int_equal(back.count, rows[i].count);
        for (unsigned k = 0; k < seen.count; k++) {
            assert_int_equal(seen.ids[k], rows[i].ids[k]);
            assert_int_equal(back.ids[seen.count - 1 - k], rows[i].ids[k]);
        }
    }
}

static void a_removed_event_leaves_nothing_behind(void **state)
{
    struct writer_kit *kit = *state;
    struct record_key key;
    add_mixed(kit);
    struct store_txn txn = begin(kit);
    for (uint64_t id = 1; id <= 7; id++) { // the last one is not there
        record_key_event(id, &key);
        store_remove_event(&txn, &key);
    }
    assert_int_equal(store_txn_commit(&txn, NULL), ERR_OK);
    assert_int_equal(count_of(kit, TABLE_EVENTS), 0);
    assert_int_equal(count_of(kit, TABLE_EVENTS_BY_NAME), 0);
    assert_int_equal(count_of(kit, TABLE_EVENTS_MINOR), 0);
}

static uint32_t trim(struct writer_kit *kit, uint64_t max, uint32_t most)
{
    uint32_t removed = 0;
    struct store_txn txn = begin(kit);
    assert_int_equal(store_trim_events(&txn, max, most, &removed, NULL), ERR_OK);
    assert_int_equal(store_txn_commit(&txn, NULL), ERR_OK);
    return removed;
}

static void the_oldest_go_a_few_at_a_time(void **state)
{
    struct writer_kit *kit = *state;
    for (unsigned i = 1; i <= 10; i++) {
        struct store_event event = store_kit_event(i);
        event.at = i;
        event.kind = EVENT_ISSUED;
        add(kit, &event, 1);
    }
    assert_int_equal(trim(kit, 10, 100), 0);
    assert_int_equal(trim(kit, 4, 4), 4);
    assert_int_equal(list(kit, &all, 0).ids[0], 5);
    assert_int_equal(trim(kit, 4, 100), 2);
    assert_int_equal(trim(kit, 4, 100), 0);
    assert_int_equal(list(kit, &all, 0).ids[0], 7);
    assert_int_equal(trim(kit, 0, 100), 4);
    assert_int_equal(count_of(kit, TABLE_EVENTS_BY_NAME), 0);
    assert_int_equal(trim(kit, 0, 100), 0);
}

// A flood of refusals makes the history forget refusals, not what was issued.
static void what_anybody_can_cause_gets_half_of_the_history(void **state)
{
    struct writer_kit *kit = *state;
    for (unsigned i = 1; i <= 20; i++) {
        struct store_event event = store_kit_event(i);
        event.at = i;
        event.kind = i <= 5 ? EVENT_ISSUED : i % 2 == 0 ? EVENT_REFUSED : EVENT_REPEATED;
        add(kit, &event, 1);
    }
    assert_int_equal(trim(kit, 12, 100), 9);
    struct seen seen = list(kit, &all, 0);
    assert_int_equal(seen.count, 11);
    assert_int_equal(seen.ids[4], 5);
    assert_int_equal(seen.ids[5], 15);
    assert_int_equal(count_of(kit, TABLE_EVENTS_MINOR), 6);
}

static void put(struct writer_kit *kit, enum store_table table, struct view key, struct view value)
{
    struct store_txn txn = begin(kit);
    store_txn_put(&txn, table, key, value);
    assert_int_equal(store_txn_commit(&txn, NULL), ERR_OK);
}

static void an_index_entry_without_an_event_is_passed_over(void **state)
{
    struct writer_kit *kit = *state;
    struct record_key prefix;
    struct record_key key;
    const struct store_event_filter phone = {.device = "001A00000001"};
    struct store_event event = store_kit_event(1);
    add(kit, &event, 1);
    record_prefix_of_event_device("001A00000001", &prefix);
    record_key_event_of(&prefix, 5, &key);
    put(kit, TABLE_EVENTS_BY_NAME, record_key_view(&key), VIEW_EMPTY);
    assert_int_equal(list(kit, &phone, 0).count, 1);
    assert_int_equal(list_back(kit, &phone).count, 1);
}

static void a_damaged_event_is_an_error_and_can_be_removed(void **state)
{
    struct writer_kit *kit = *state;
    struct err err = {0};
    struct seen seen = {0};
    struct record_key key;
    record_key_event(7, &key);
    put(kit, TABLE_EVENTS, record_key_view(&key), view_of("\x02garbage", 8));
    assert_int_equal(store_list_events(kit->store, &all, 0, see, &seen, &err), ERR_IO);
    assert_string_equal(err.text, "an event's record in the store is damaged");
    assert_int_equal(trim(kit, 0, 10), 1);
    assert_int_equal(list(kit, &all, 0).count, 0);
}

// The newest key decides about the next id: one that is none loses events, not orders.
static void a_damaged_key_loses_events_and_nothing_else(void **state)
{
    struct writer_kit *kit = *state;
    put(kit, TABLE_EVENTS, view_of("\xff\xff", 2), view_of("x", 1));
    writer_kit_issue(kit, 1, "001A00000001", false);
    assert_int_equal(writer_kit_counts(kit).certificates, 1);
    assert_int_equal(writer_take_lost_events(kit->writer), 1);
    assert_int_equal(writer_take_lost_events(kit->writer), 0);
}

static void texts_are_cut_between_characters(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *cut; // to 5 octets
    } rows[] = {
        {"", ""},
        {"abcd", "abcd"},
        {"abcde", "abcd"},
        {"abc\xc3\xa4", "abc"},
        {"ab\xc3\xa4z", "ab\xc3\xa4"},
        {"\xf0\x9f\x93\x9e"
         "1",
         "\xf0\x9f\x93\x9e"},
        {"1\xf0\x9f\x93\x9e", "1"},
        {"\x80\x80\x80\x80\x80\x80", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char cut[5];
        store_event_text(cut, sizeof cut, rows[i].text);
        assert_string_equal(cut, rows[i].cut);
    }
}

static void words_are_cut_behind_a_word(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *cut; // to 12 octets
    } rows[] = {
        {"", ""},
        {"eleven char", "eleven char"},
        {"fits by name and key", "fits by ..."},
        {"fits by nam and key", "fits by ..."},
        {"a bcdefghijklmn", "a ..."},
        {"noblanksatallhere", "noblanks..."},
        {"noblank\xc3\xa4zzzzzz", "noblank..."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char cut[12];
        store_event_words(cut, sizeof cut, rows[i].text);
        assert_string_equal(cut, rows[i].cut);
    }
}

static void a_device_is_its_mac_else_its_cn(void **state)
{
    (void)state;
    char long_name[STORE_NAME_LEN];
    struct store_event event = {0};
    store_event_name_device(&event, "001A2B3C4D5E", "phone");
    assert_string_equal(event.device, "001A2B3C4D5E");
    store_event_name_device(&event, "", "phone");
    assert_string_equal(event.device, "phone");
    assert_string_equal(event.mac, "");
    store_event_name_device(&event, "", "CP-8841-SEP001a2b3c4d5f");
    assert_string_equal(event.device, "001A2B3C4D5F");
    assert_string_equal(event.mac, "001A2B3C4D5F");
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    store_event_name_device(&event, "", long_name); // its certificates have another name
    assert_string_equal(event.device, "");
    assert_string_equal(event.common_name, long_name);
}

static void every_event_has_a_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EVENT_KIND_MAX; i++) {
        assert_in_range(strlen(store_event_name((enum event_kind)i)), 2, 20);
    }
    for (unsigned i = 0; i < EVENT_AUTHORITY_MAX; i++) {
        assert_non_null(store_event_authority_name((enum event_authority)i));
    }
    assert_string_equal(store_event_name(EVENT_KIND_MAX), "?");
    assert_string_equal(store_event_authority_name(EVENT_AUTHORITY_MAX), "?");
    assert_string_equal(store_revocation_name(1), "keyCompromise");
    assert_string_equal(store_revocation_name(7), "?");
    assert_string_equal(store_revocation_name(1000), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WRITER_KIT(an_empty_history_lists_nothing),
        WITH_WRITER_KIT(an_event_comes_back_as_it_was),
        WITH_WRITER_KIT(ids_grow_in_the_order_of_writing),
        WITH_WRITER_KIT(a_page_begins_behind_an_id_whether_it_is_there_or_not),
        WITH_WRITER_KIT(filters_let_through_what_is_exactly_the_same),
        WITH_WRITER_KIT(a_removed_event_leaves_nothing_behind),
        WITH_WRITER_KIT(the_oldest_go_a_few_at_a_time),
        WITH_WRITER_KIT(what_anybody_can_cause_gets_half_of_the_history),
        WITH_WRITER_KIT(an_index_entry_without_an_event_is_passed_over),
        WITH_WRITER_KIT(a_damaged_event_is_an_error_and_can_be_removed),
        WITH_WRITER_KIT(a_damaged_key_loses_events_and_nothing_else),
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(words_are_cut_behind_a_word),
        cmocka_unit_test(a_device_is_its_mac_else_its_cn),
        cmocka_unit_test(every_event_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
