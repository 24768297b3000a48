// SPDX-License-Identifier: Apache-2.0
// What orders leave in the history, and events without an order: queue, bounds, a full disk.
#include "kit/kit.h"

#include "ra/store/writer_events.h"
#include "ra/writer_kit.h"

#define MANY 32

// A store that is full after some thousand events, at the latest after so many rounds.
#define SMALL_OCTETS (1u << 20)
#define PER_ROUND    100
#define ROUNDS_MAX   200

struct seen {
    struct store_event events[MANY];
    unsigned count;
};

static bool see(const struct store_event *event, void *context)
{
    struct seen *seen = context;
    assert_true(seen->count < MANY);
    seen->events[seen->count++] = *event;
    return true;
}

static bool see_newest(const struct store_event *event, void *context)
{
    *(struct store_event *)context = *event;
    return false;
}

static struct seen history(struct writer_kit *kit)
{
    static const struct store_event_filter all = {0};
    struct seen seen = {0};
    assert_int_equal(store_list_events(kit->store, &all, 0, see, &seen, NULL), ERR_OK);
    return seen;
}

static const struct store_event *last(const struct seen *seen)
{
    assert_true(seen->count > 0);
    return &seen->events[seen->count - 1];
}

static void an_issued_certificate_is_an_event(void **state)
{
    struct writer_kit *kit = *state;
    static const struct {
        enum certificate_origin origin;
        bool is_renewal;
        enum event_kind kind;
        const char *authority;
        const char *words;
    } rows[] = {
        {ORIGIN_CHALLENGE, false, EVENT_ISSUED, "challenge", ""},
        {ORIGIN_MIC, false, EVENT_ISSUED, "MIC", ""},
        {ORIGIN_APPROVAL, false, EVENT_ISSUED, "approval", ""},
        {ORIGIN_ADMINISTRATOR, false, EVENT_ISSUED, "administrator", ""},
        {ORIGIN_MIC, true, EVENT_RENEWED, "renewal", "renews 07070707070707070707070707070707"},
    };
    for (unsigned i = 0; i < 5; i++) {
        struct write_order order = writer_kit_issued(i);
        order.certificate.origin = rows[i].origin;
        order.peer = i == 3 ? NULL : "192.0.2.7";
        memset(order.certificate.renews, rows[i].is_renewal ? 7 : 0, SERIAL_LEN);
        writer_kit_write(kit, &order);
        struct seen seen = history(kit);
        const struct store_event *event = last(&seen);
        assert_int_equal(seen.count, i + 1);
        assert_int_equal(event->kind, rows[i].kind);
        assert_int_equal(event->at, ((int64_t)KIT_NOW + i) * STORE_US_PER_SEC);
        assert_string_equal(store_event_authority_name(event->authority), rows[i].authority);
        assert_memory_equal(event->serial, order.certificate.serial, SERIAL_LEN);
        assert_string_equal(event->device, order.certificate.device);
        assert_string_equal(event->common_name, order.certificate.common_name);
        assert_string_equal(event->mac, order.certificate.mac);
        assert_string_equal(event->model, "CP-8841");
        assert_string_equal(event->peer, i == 3 ? "" : "192.0.2.7");
        assert_string_equal(event->words, rows[i].words);
        writer_kit_done(&order);
    }
}

static void a_lost_race_is_no_event(void **state)
{
    struct writer_kit *kit = *state;
    writer_kit_issue(kit, 1, "001A00000001", false);
    struct write_order order = writer_kit_issued(1);
    writer_kit_refused(kit, &order, ERR_CONFLICT, "certificate in the meantime");
    writer_kit_done(&order);
    assert_int_equal(history(kit).count, 1);
}

static void a_challenge_is_told_by_its_id_only(void **state)
{
    struct writer_kit *kit = *state;
    struct write_order order = {
        .kind = WRITE_CHALLENGE_NEW, .now = KIT_NOW, .challenge = store_kit_challenge(1)};
    char expected[STORE_WORDS_LEN];
    writer_kit_write(kit, &order);
    snprintf(expected, sizeof expected, "one-time challenge %s, 2 uses, until ",
             order.challenge.id);
    struct seen seen = history(kit);
    assert_int_equal(last(&seen)->kind, EVENT_CHALLENGE_MADE);
    assert_int_equal(last(&seen)->authority, EVENT_BY_ADMINISTRATOR);
    assert_string_equal(last(&seen)->device, "001A2B3C4D5E");
    assert_string_equal(last(&seen)->common_name, "CP-8841-SEP001A2B3C4D5E");
    assert_memory_equal(last(&seen)->words, expected, strlen(expected));
    // The certificate that it authorises names it, too.
    struct write_order issued = writer_kit_issued(1);
    issued.is_one_time = true;
    memcpy(issued.certificate.challenge_hash, order.challenge.hash, SHA256_LEN);
    writer_kit_write(kit, &issued);
    writer_kit_done(&issued);
    seen = history(kit);
    snprintf(expected, sizeof expected, "one-time challenge %s", order.challenge.id);
    assert_string_equal(last(&seen)->words, expected);
    // Revoked once, told once.
    order.kind = WRITE_CHALLENGE_REVOKE;
    writer_kit_write(kit, &order);
    writer_kit_write(kit, &order);
    seen = history(kit);
    assert_int_equal(seen.count, 3);
    assert_int_equal(last(&seen)->kind, EVENT_CHALLENGE_REVOKED);
    assert_string_equal(last(&seen)->words, expected);
}

static void what_becomes_of_a_waiting_request_is_told(void **state)
{
    struct writer_kit *kit = *state;
    static const enum write_kind decisions[] = {WRITE_PENDING_APPROVE, WRITE_PENDING_DENY};
    static const enum event_kind kinds[] = {EVENT_APPROVED, EVENT_DENIED};
    for (unsigned i = 0; i < 2; i++) {
        char words[STORE_WORDS_LEN];
        struct write_order order = {
            .kind = WRITE_PENDING_NEW,
            .now = KIT_NOW,
            .pending = store_kit_pending(i),
            .max_pending = 10,
            .max_per_source = 10,
        };
        writer_kit_write(kit, &order);
        struct seen seen = history(kit);
        snprintf(words, sizeof words, "request %s", order.pending.id);
        assert_int_equal(last(&seen)->kind, EVENT_PENDING);
        assert_string_equal(last(&seen)->reason, "not_listed");
        assert_string_equal(last(&seen)->peer, "192.0.2.1");
        assert_string_equal(last(&seen)->words, words);
        order.kind = decisions[i];
        writer_kit_write(kit, &order);
        seen = history(kit);
        assert_int_equal(last(&seen)->kind, kinds[i]);
        assert_int_equal(last(&seen)->authority, EVENT_BY_ADMINISTRATOR);
        assert_string_equal(last(&seen)->device, order.pending.mac);
        assert_string_equal(last(&seen)->words, words);
        writer_kit_done(&order);
    }
    writer_kit_sweep(kit, KIT_NOW + 4000, (struct write_sweep){.limit = 10});
    struct seen seen = history(kit);
    assert_int_equal(seen.count, 5);
    assert_int_equal(last(&seen)->kind, EVENT_PENDING_EXPIRED);
    assert_int_equal(last(&seen)->authority, EVENT_BY_SERVER);
}

// Nobody knows who waits without a challenge, until an administrator says so.
static void who_waits_without_a_proof_is_told_as_a_claim(void **state)
{
    struct writer_kit *kit = *state;
    static const struct {
        enum pending_reason reason;
        enum write_kind decision;
        bool is_claimed[2]; // while it waits, then
    } rows[] = {
        {PENDING_UNAUTHENTICATED, WRITE_PENDING_APPROVE, {true, false}},
        {PENDING_UNAUTHENTICATED, WRITE_PENDING_DENY, {true, true}},
        {PENDING_UNLISTED, WRITE_PENDING_DENY, {false, false}},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct write_order order = {
            .kind = WRITE_PENDING_NEW,
            .now = KIT_NOW,
            .pending = store_kit_pending(i),
            .max_pending = 10,
            .max_per_source = 10,
        };
        order.pending.reason = rows[i].reason;
        writer_kit_write(kit, &order);
        struct seen seen = history(kit);
        assert_int_equal(last(&seen)->is_claimed, rows[i].is_claimed[0]);
        order.kind = rows[i].decision;
        writer_kit_write(kit, &order);
        seen = history(kit);
        assert_int_equal(last(&seen)->is_claimed, rows[i].is_claimed[1]);
        writer_kit_done(&order);
    }
}

static void revocations_are_told_with_whose_and_why(void **state)
{
    struct writer_kit *kit = *state;
    writer_kit_issue(kit, 1, "001A00000001", false);
    writer_kit_revoke(kit, 1, KIT_NOW + 9);
    struct seen seen = history(kit);
    assert_int_equal(last(&seen)->kind, EVENT_REVOKED);
    assert_int_equal(last(&seen)->at, ((int64_t)KIT_NOW + 9) * STORE_US_PER_SEC);
    assert_string_equal(last(&seen)->reason, "keyCompromise");
    assert_int_equal(last(&seen)->authority, EVENT_BY_ADMINISTRATOR);
    assert_string_equal(last(&seen)->device, "001A00000001");
    assert_string_equal(last(&seen)->common_name, "CP-8841-SEP001A00000001");
    writer_kit_issue(kit, 2, "phone", true);
    writer_kit_issue(kit, 3, "phone", true);
    writer_kit_sweep(kit, KIT_NOW + 100,
                     (struct write_sweep){.limit = 10, .revoke_superseded_sec = 10});
    seen = history(kit);
    assert_int_equal(seen.count, 5);
    assert_string_equal(last(&seen)->reason, "superseded");
    assert_int_equal(last(&seen)->authority, EVENT_BY_SERVER);
    assert_string_equal(last(&seen)->device, "phone");
}

static void a_removed_device_is_told(void **state)
{
    struct writer_kit *kit = *state;
    const struct store_device device = store_kit_device("001A2B3C4D5E", "FCH2133E8B9");
    struct write_order order = {
        .kind = WRITE_DEVICES, .now = KIT_NOW, .devices = &device, .device_count = 1};
    writer_kit_write(kit, &order);
    assert_int_equal(history(kit).count, 0);
    order.kind = WRITE_DEVICE_REMOVE;
    writer_kit_write(kit, &order);
    struct seen seen = history(kit);
    assert_int_equal(last(&seen)->kind, EVENT_UNLISTED);
    assert_string_equal(last(&seen)->device, "001A2B3C4D5E");
    assert_string_equal(last(&seen)->words, "serial number FCH2133E8B9");
}

static void events_ride_along_with_the_next_order(void **state)
{
    struct writer_kit *kit = *state;
    struct store_event event = store_kit_event(1);
    writer_add_event(kit->writer, &event);
    writer_kit_issue(kit, 2, "001A00000002", false); // in this transaction at the latest
    writer_kit_issue(kit, 3, "001A00000003", false);
    struct seen seen = history(kit);
    assert_int_equal(seen.count, 3);
    assert_int_equal(writer_take_lost_events(kit->writer), 0);
}

static void what_waits_at_the_end_is_written(void **state)
{
    struct writer_kit *kit = *state;
    for (unsigned i = 0; i < 5; i++) {
        struct store_event event = store_kit_event(i);
        writer_add_event(kit->writer, &event);
    }
    writer_stop(kit->writer);
    assert_int_equal(history(kit).count, 5);
    assert_int_equal(writer_start(kit->store, &kit->writer, NULL), ERR_OK);
}

// While a transaction runs nothing is taken from the queue, so it fills up: the rest is counted.
static void a_flood_is_bounded_and_counted(void **state)
{
    struct writer_kit *kit = *state;
    struct writer_kit_batch batch = {
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
        .is_held = true,
        .open = 1,
    };
    struct write_order first = {.kind = WRITE_DEVICES, .done = writer_kit_hold, .owner = &batch};
    writer_submit(kit->writer, &first);
    pthread_mutex_lock(&batch.mutex);
    while (!batch.is_waiting) {
        pthread_cond_wait(&batch.changed, &batch.mutex);
    }
    pthread_mutex_unlock(&batch.mutex);
    for (unsigned i = 0; i < EVENT_QUEUE_MAX + 100; i++) {
        struct store_event event = store_kit_event(i);
        writer_add_event(kit->writer, &event);
    }
    writer_lose_event(kit->writer);
    pthread_mutex_lock(&batch.mutex);
    batch.is_held = false;
    pthread_cond_broadcast(&batch.changed);
    while (batch.open > 0) {
        pthread_cond_wait(&batch.changed, &batch.mutex);
    }
    pthread_mutex_unlock(&batch.mutex);
    assert_int_equal(writer_take_lost_events(kit->writer), 101);
    writer_kit_issue(kit, 1, "001A00000001", false);
    assert_int_equal(writer_kit_counts(kit).events, EVENT_QUEUE_MAX + 1);
    assert_int_equal(writer_take_lost_events(kit->writer), 0);
}

static void the_history_stays_within_its_bound(void **state)
{
    struct writer_kit *kit = *state;
    writer_limit_events(kit->writer, 10);
    for (unsigned i = 0; i < 25; i++) {
        writer_kit_issue(kit, i, "phone", false);
        assert_in_range(writer_kit_counts(kit).events, 1, 10);
    }
    struct seen seen = history(kit);
    assert_int_equal(seen.count, 10);
    assert_int_equal(last(&seen)->at, ((int64_t)KIT_NOW + 24) * STORE_US_PER_SEC);
    assert_int_equal(writer_kit_counts(kit).certificates, 25);
}

static void a_sweep_forgets_old_events_and_those_too_many(void **state)
{
    struct writer_kit *kit = *state;
    for (unsigned i = 0; i < 20; i++) {
        writer_kit_issue(kit, i, "phone", false);
    }
    struct write_sweep swept =
        writer_kit_sweep(kit, KIT_NOW + 1000, (struct write_sweep){.limit = 10, .ret_events = 7});
    assert_int_equal(swept.ret_events, 0);
    // Numbers 0 to 4 are longer ago.
    swept = writer_kit_sweep(kit, KIT_NOW + 1000,
                             (struct write_sweep){.limit = 3, .keep_events_sec = 995});
    assert_int_equal(swept.ret_events, 3);
    assert_true(swept.ret_has_more);
    swept = writer_kit_sweep(kit, KIT_NOW + 1000,
                             (struct write_sweep){.limit = 3, .keep_events_sec = 995});
    assert_int_equal(swept.ret_events, 2);
    assert_false(swept.ret_has_more);
    struct seen seen = history(kit);
    assert_int_equal(seen.count, 15);
    assert_int_equal(seen.events[0].at, ((int64_t)KIT_NOW + 5) * STORE_US_PER_SEC);
    swept =
        writer_kit_sweep(kit, KIT_NOW + 1000, (struct write_sweep){.limit = 10, .max_events = 4});
    assert_int_equal(swept.ret_events, 10);
    assert_true(swept.ret_has_more);
    swept =
        writer_kit_sweep(kit, KIT_NOW + 1000, (struct write_sweep){.limit = 10, .max_events = 4});
    assert_int_equal(swept.ret_events, 1);
    assert_false(swept.ret_has_more);
    assert_int_equal(writer_kit_counts(kit).events, 4);
}

// Events come along with orders; when there is no room for them the orders are written alone.
static void a_full_map_loses_events_and_no_orders(void **state)
{
    struct writer_kit *kit = *state;
    char *directory = kit_path(kit->folder, "small");
    struct writer_kit small = {0};
    uint64_t lost = 0;
    assert_int_equal(store_open(directory, SMALL_OCTETS, &small.store, NULL), ERR_OK);
    assert_int_equal(writer_start(small.store, &small.writer, NULL), ERR_OK);
    for (unsigned round = 0; round < ROUNDS_MAX && lost == 0; round++) {
        for (unsigned i = 0; i < PER_ROUND; i++) {
            struct store_event event = store_kit_event(i);
            writer_add_event(small.writer, &event);
        }
        struct write_order nothing = {.kind = WRITE_DEVICES, .now = KIT_NOW};
        writer_kit_write(&small, &nothing);
        lost = writer_take_lost_events(small.writer);
    }
    assert_in_range(lost, 1, PER_ROUND);
    struct store_event newest = {0};
    static const struct store_event_filter all = {0};
    assert_int_equal(store_list_events_back(small.store, &all, see_newest, &newest, NULL), ERR_OK);
    assert_int_equal(newest.kind, EVENT_REFUSED);
    writer_stop(small.writer);
    store_close(small.store);
    free(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WRITER_KIT(an_issued_certificate_is_an_event),
        WITH_WRITER_KIT(a_lost_race_is_no_event),
        WITH_WRITER_KIT(a_challenge_is_told_by_its_id_only),
        WITH_WRITER_KIT(what_becomes_of_a_waiting_request_is_told),
        WITH_WRITER_KIT(who_waits_without_a_proof_is_told_as_a_claim),
        WITH_WRITER_KIT(revocations_are_told_with_whose_and_why),
        WITH_WRITER_KIT(a_removed_device_is_told),
        WITH_WRITER_KIT(events_ride_along_with_the_next_order),
        WITH_WRITER_KIT(what_waits_at_the_end_is_written),
        WITH_WRITER_KIT(a_flood_is_bounded_and_counted),
        WITH_WRITER_KIT(the_history_stays_within_its_bound),
        WITH_WRITER_KIT(a_sweep_forgets_old_events_and_those_too_many),
        WITH_WRITER_KIT(a_full_map_loses_events_and_no_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
