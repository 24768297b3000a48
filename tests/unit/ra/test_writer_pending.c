// SPDX-License-Identifier: Apache-2.0
// Waiting requests: how they come, are decided about, and go.
#include "kit/kit.h"

#include "ra/writer_kit.h"

#define HOUR 3600 // every request of the kit waits so long

static struct write_order pending_order(unsigned number)
{
    return (struct write_order){
        .kind = WRITE_PENDING_NEW,
        .now = (int64_t)KIT_NOW + number,
        .pending = store_kit_pending(number),
        .max_pending = 100,
        .max_per_source = 100,
    };
}

static void queue(struct writer_kit *kit, unsigned number)
{
    struct write_order order = pending_order(number);
    writer_kit_write(kit, &order);
    writer_kit_done(&order);
}

// WRITE_PENDING_APPROVE or WRITE_PENDING_DENY for request number `number`.
static struct write_order decision(enum write_kind kind, unsigned number)
{
    struct store_pending pending = store_kit_pending(number);
    struct write_order order = {.kind = kind, .now = (int64_t)KIT_NOW + number + 10};
    memcpy(order.pending.id, pending.id, sizeof pending.id);
    store_pending_done(&pending);
    return order;
}

static void decide(struct writer_kit *kit, enum write_kind kind, unsigned number)
{
    struct write_order order = decision(kind, number);
    writer_kit_write(kit, &order);
}

static enum transaction_state state_of(struct writer_kit *kit, unsigned number)
{
    uint8_t key[SHA256_LEN];
    struct store_transaction transaction = {0};
    store_kit_hash("transaction", number, key);
    enum err_code code = store_find_transaction(kit->store, key, &transaction, NULL);
    assert_true(code == ERR_OK || code == ERR_NOT_FOUND);
    return transaction.state;
}

static bool is_waiting(struct writer_kit *kit, unsigned number)
{
    uint8_t key[SHA256_LEN];
    struct store_pending pending = {0};
    store_kit_hash("transaction", number, key);
    enum err_code code = store_find_pending(kit->store, key, &pending, NULL);
    assert_true(code == ERR_OK || code == ERR_NOT_FOUND);
    store_pending_done(&pending);
    return code == ERR_OK;
}

struct seen {
    unsigned numbers[16];
    unsigned count;
    unsigned limit;
};

static bool see(const struct store_pending *pending, void *context)
{
    struct seen *seen = context;
    assert_true(seen->count < 16);
    seen->numbers[seen->count++] = (unsigned)(pending->created_at - KIT_NOW);
    assert_int_equal(pending->csr.len, STORE_KIT_DER_LEN);
    return seen->count < seen->limit;
}

static struct seen listed(struct writer_kit *kit, unsigned limit)
{
    struct seen seen = {.limit = limit};
    assert_int_equal(store_list_pending(kit->store, see, &seen, NULL), ERR_OK);
    return seen;
}

static void a_waiting_request_is_found_by_key_and_by_id(void **state)
{
    struct writer_kit *kit = *state;
    struct write_order order = pending_order(1);
    struct store_pending got = {0};
    queue(kit, 2);
    writer_kit_write(kit, &order);
    assert_int_equal(store_find_pending(kit->store, order.pending.key, &got, NULL), ERR_OK);
    store_kit_assert_same_pending(&order.pending, &got);
    store_pending_done(&got);
    char lower[PENDING_ID_LEN] = "";
    for (size_t i = 0; order.pending.id[i] != '\0'; i++) {
        bool is_letter = order.pending.id[i] >= 'A';
        lower[i] = (char)(order.pending.id[i] | (is_letter ? 0x20 : 0));
    }
    assert_int_equal(store_find_pending_id(kit->store, lower, &got, NULL), ERR_OK);
    store_kit_assert_same_pending(&order.pending, &got);
    store_pending_done(&got);
    static const char *const bad[] = {"", "00", "0000000000", "00000000001", "xyz0000000"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(store_find_pending_id(kit->store, bad[i], &got, NULL), ERR_NOT_FOUND);
    }
    struct store_transaction transaction = {0};
    assert_int_equal(store_find_transaction(kit->store, order.pending.key, &transaction, NULL),
                     ERR_OK);
    assert_int_equal(transaction.state, TRANSACTION_PENDING);
    assert_int_equal(transaction.changed_at, order.now);
    assert_memory_equal(transaction.csr_hash, order.pending.csr_hash, SHA256_LEN);
    writer_kit_done(&order);
}

static void the_oldest_is_listed_first(void **state)
{
    struct writer_kit *kit = *state;
    static const unsigned numbers[] = {3, 1, 4, 2};
    for (size_t i = 0; i < 4; i++) {
        queue(kit, numbers[i]);
    }
    struct seen seen = listed(kit, 16);
    assert_int_equal(seen.count, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(seen.numbers[i], i + 1);
    }
    assert_int_equal(listed(kit, 2).count, 2);
    assert_int_equal(writer_kit_counts(kit).pending, 4);
}

static void one_transaction_waits_once(void **state)
{
    struct writer_kit *kit = *state;
    struct write_order orders[2] = {pending_order(1), pending_order(1)};
    struct writer_kit_batch batch = writer_kit_together(kit, orders, 2);
    assert_int_equal(batch.by_code[ERR_OK], 1);
    assert_int_equal(batch.by_code[ERR_CONFLICT], 1);
    assert_string_equal(batch.last_failure.text, "the transaction waits already");
    decide(kit, WRITE_PENDING_APPROVE, 1);
    writer_kit_refused(kit, &orders[0], ERR_CONFLICT, "the transaction waits already");
    assert_int_equal(writer_kit_counts(kit).pending, 1);
    writer_kit_done(&orders[0]);
    writer_kit_done(&orders[1]);
}

static void an_expired_request_makes_room_for_the_same_transaction(void **state)
{
    struct writer_kit *kit = *state;
    queue(kit, 1);
    struct write_order again = pending_order(1);
    again.now = KIT_NOW + 1 + HOUR;
    again.pending.created_at = again.now;
    again.pending.expires_at = again.now + HOUR;
    again.max_pending = 1;
    again.max_per_source = 1;
    memset(again.pending.csr_hash, 9, SHA256_LEN);
    again.now--;
    writer_kit_refused(kit, &again, ERR_CONFLICT, "the transaction waits already");
    again.now++;
    writer_kit_write(kit, &again);
    struct store_pending got = {0};
    assert_int_equal(store_find_pending(kit->store, again.pending.key, &got, NULL), ERR_OK);
    store_kit_assert_same_pending(&again.pending, &got);
    assert_int_equal(listed(kit, 16).count, 1); // nothing of the first is left in an index
    struct write_sweep swept =
        writer_kit_sweep(kit, again.now + HOUR, (struct write_sweep){.limit = 10});
    assert_int_equal(swept.ret_expired_pending, 1);
    assert_int_equal(listed(kit, 16).count, 0);
    store_pending_done(&got);
    writer_kit_done(&again);
}

static void an_issued_transaction_waits_only_as_it_was_seen(void **state)
{
    struct writer_kit *kit = *state;
    struct write_order issued = writer_kit_issued(1);
    struct write_order order = pending_order(1);
    writer_kit_write(kit, &issued);
    writer_kit_refused(kit, &order, ERR_CONFLICT, "got a certificate in the meantime");
    order.replaces_transaction = true;
    writer_kit_refused(kit, &order, ERR_CONFLICT, "got a certificate in the meantime");
    memcpy(order.replaced_serial, issued.certificate.serial, SERIAL_LEN);
    writer_kit_write(kit, &order);
    assert_int_equal(state_of(kit, 1), TRANSACTION_PENDING);
    writer_kit_done(&issued);
    writer_kit_done(&order);
}

static void limits_hold_for_a_source_and_for_all(void **state)
{
    struct writer_kit *kit = *state;
    static const struct {
        const char *source;
        uint32_t max_pending;
        uint32_t max_per_source;
        const char *text; // NULL = it goes
    } steps[] = {
        {"192.0.2.1", 9, 0, "0 requests of 192.0.2.1 wait already; allowed: 0"},
        {"192.0.2.1", 0, 9, "0 requests wait already; allowed: 0"},
        {"192.0.2.1", 9, 2, NULL},
        {"192.0.2.1", 9, 2, NULL},
        {"192.0.2.1", 9, 2, "2 requests of 192.0.2.1 wait already; allowed: 2"},
        {"192.0.2.10", 9, 2, NULL}, // whose name begins like the other's
        {"192.0.2.10", 9, 2, NULL},
        {"192.0.2.10", 9, 2, "2 requests of 192.0.2.10 wait already; allowed: 2"},
        {"192.0.2.3", 4, 2, "4 requests wait already; allowed: 4"},
        {"192.0.2.3", 5, 2, NULL},
        {"192.0.2.1", 9, 3, NULL},
    };
    unsigned waiting = 0;
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct write_order order = pending_order(i);
        snprintf(order.pending.source, sizeof order.pending.source, "%s", steps[i].source);
        order.max_pending = steps[i].max_pending;
        order.max_per_source = steps[i].max_per_source;
        if (steps[i].text != NULL) {
            writer_kit_refused(kit, &order, ERR_LIMIT, steps[i].text);
        } else {
            writer_kit_write(kit, &order);
            waiting++;
        }
        assert_int_equal(is_waiting(kit, i), steps[i].text == NULL);
        assert_int_equal(writer_kit_counts(kit).pending, waiting);
        writer_kit_done(&order);
    }
}

static void of_one_batch_only_as_many_wait_as_may(void **state)
{
    struct writer_kit *kit = *state;
    struct write_order orders[5];
    for (unsigned i = 0; i < 5; i++) {
        orders[i] = pending_order(i);
        orders[i].max_per_source = 3;
    }
    struct writer_kit_batch batch = writer_kit_together(kit, orders, 5);
    assert_int_equal(batch.by_code[ERR_OK], 3);
    assert_int_equal(batch.by_code[ERR_LIMIT], 2);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(is_waiting(kit, i), i < 3);
        writer_kit_done(&orders[i]);
    }
}

static void no_two_waiting_requests_have_one_id(void **state)
{
    struct writer_kit *kit = *state;
    struct write_order order = pending_order(1);
    writer_kit_write(kit, &order);
    order.pending.key[SHA256_LEN - 1] ^= 1;
    writer_kit_refused(kit, &order, ERR_LIMIT, "another request");
    assert_int_equal(writer_kit_counts(kit).pending, 1);
    assert_int_equal(writer_kit_counts(kit).transactions, 1);
    writer_kit_done(&order);
}

static void a_request_must_have_a_size_that_can_be_read_back(void **state)
{
    struct writer_kit *kit = *state;
    struct write_order order = pending_order(1);
    static const uint8_t big[LIMIT_CSR_LEN + 1];
    buf_done(&order.pending.csr);
    writer_kit_refused(kit, &order, ERR_LIMIT, "a request of 0 octets; allowed: 1 to 16384");
    assert_int_equal(buf_copy(view_of(big, sizeof big), &order.pending.csr, NULL), ERR_OK);
    writer_kit_refused(kit, &order, ERR_LIMIT, "a request of 16385 octets");
    order.pending.csr.len = LIMIT_CSR_LEN;
    writer_kit_write(kit, &order);
    assert_true(is_waiting(kit, 1));
    writer_kit_done(&order);
}

static void an_approved_request_is_issued_once(void **state)
{
    struct writer_kit *kit = *state;
    struct write_order orders[2] = {writer_kit_issued(1), writer_kit_issued(2)};
    memcpy(orders[1].certificate.transaction_key, orders[0].certificate.transaction_key,
           SHA256_LEN);
    memcpy(orders[1].certificate.csr_hash, orders[0].certificate.csr_hash, SHA256_LEN);
    orders[0].is_from_pending = true;
    orders[1].is_from_pending = true;
    writer_kit_refused(kit, &orders[0], ERR_CONFLICT, "the request does not wait any more");
    queue(kit, 1);
    writer_kit_refused(kit, &orders[0], ERR_CONFLICT, "is not approved");
    decide(kit, WRITE_PENDING_APPROVE, 1);
    struct store_pending got = {0};
    assert_int_equal(
        store_find_pending(kit->store, orders[0].certificate.transaction_key, &got, NULL), ERR_OK);
    assert_true(got.is_approved);
    store_pending_done(&got);
    assert_int_equal(state_of(kit, 1), TRANSACTION_PENDING);

    struct writer_kit_batch batch = writer_kit_together(kit, orders, 2);
    assert_int_equal(batch.by_code[ERR_OK], 1);
    assert_int_equal(batch.by_code[ERR_CONFLICT], 1);
    assert_false(is_waiting(kit, 1));
    assert_int_equal(state_of(kit, 1), TRANSACTION_ISSUED);
    assert_int_equal(listed(kit, 16).count, 0);
    assert_int_equal(writer_kit_counts(kit).certificates, 1);
    writer_kit_done(&orders[0]);
    writer_kit_done(&orders[1]);
}

static void an_approval_is_for_the_request_that_was_shown(void **state)
{
    struct writer_kit *kit = *state;
    struct write_order order = writer_kit_issued(1);
    queue(kit, 1);
    decide(kit, WRITE_PENDING_APPROVE, 1);
    order.is_from_pending = true;
    order.certificate.csr_hash[0] ^= 1;
    writer_kit_refused(kit, &order, ERR_CONFLICT, "is another one");
    assert_true(is_waiting(kit, 1));
    order.certificate.csr_hash[0] ^= 1;
    writer_kit_write(kit, &order);
    writer_kit_done(&order);
}

static void what_was_issued_otherwise_does_not_wait_any_more(void **state)
{
    struct writer_kit *kit = *state;
    struct write_order order = writer_kit_issued(1); // with a challenge, say
    queue(kit, 1);
    writer_kit_write(kit, &order);
    assert_false(is_waiting(kit, 1));
    assert_int_equal(state_of(kit, 1), TRANSACTION_ISSUED);
    assert_int_equal(writer_kit_counts(kit).pending, 0);
    writer_kit_done(&order);
}

static void a_refused_issue_leaves_the_request_waiting(void **state)
{
    struct writer_kit *kit = *state;
    struct write_order order = writer_kit_issued(1);
    queue(kit, 1);
    decide(kit, WRITE_PENDING_APPROVE, 1);
    order.is_from_pending = true;
    order.is_one_time = true; // a challenge that does not exist: the last guard
    writer_kit_refused(kit, &order, ERR_CONFLICT, "the challenge does not exist");
    assert_true(is_waiting(kit, 1));
    assert_int_equal(state_of(kit, 1), TRANSACTION_PENDING);
    writer_kit_done(&order);
}

static void a_denied_request_leaves_a_denied_transaction(void **state)
{
    struct writer_kit *kit = *state;
    queue(kit, 1);
    queue(kit, 2);
    struct write_order denial = decision(WRITE_PENDING_DENY, 1);
    writer_kit_write(kit, &denial);
    assert_false(is_waiting(kit, 1));
    assert_int_equal(state_of(kit, 1), TRANSACTION_DENIED);
    assert_int_equal(state_of(kit, 2), TRANSACTION_PENDING);
    assert_int_equal(listed(kit, 16).count, 1);
    struct store_pending pending = store_kit_pending(1);
    struct store_transaction transaction = {0};
    assert_int_equal(store_find_transaction(kit->store, pending.key, &transaction, NULL), ERR_OK);
    assert_int_equal(transaction.changed_at, denial.now);
    assert_memory_equal(transaction.csr_hash, pending.csr_hash, SHA256_LEN);
    writer_kit_refused(kit, &denial, ERR_NOT_FOUND, "there is no such waiting request");
    struct write_order issue = writer_kit_issued(1);
    issue.is_from_pending = true;
    writer_kit_refused(kit, &issue, ERR_CONFLICT, "does not wait any more");
    writer_kit_done(&issue);
    store_pending_done(&pending);
}

static void each_request_is_decided_about_once_and_in_time(void **state)
{
    struct writer_kit *kit = *state;
    static const enum write_kind decisions[] = {WRITE_PENDING_APPROVE, WRITE_PENDING_DENY};
    queue(kit, 1);
    queue(kit, 2);
    for (size_t i = 0; i < 2; i++) {
        struct write_order late = decision(decisions[i], 1);
        late.now = KIT_NOW + 1 + HOUR;
        writer_kit_refused(kit, &late, ERR_NOT_FOUND, "there is no such waiting request");
        struct write_order unknown = decision(decisions[i], 3);
        writer_kit_refused(kit, &unknown, ERR_NOT_FOUND, "there is no such waiting request");
        snprintf(unknown.pending.id, sizeof unknown.pending.id, "nonsense");
        writer_kit_refused(kit, &unknown, ERR_NOT_FOUND, "there is no such waiting request");
    }
    decide(kit, WRITE_PENDING_APPROVE, 1);
    for (size_t i = 0; i < 2; i++) {
        struct write_order again = decision(decisions[i], 1);
        writer_kit_refused(kit, &again, ERR_CONFLICT, "is approved already");
    }
    // Two administrators at once.
    struct write_order both[2] = {decision(WRITE_PENDING_DENY, 2),
                                  decision(WRITE_PENDING_APPROVE, 2)};
    struct writer_kit_batch batch = writer_kit_together(kit, both, 2);
    assert_int_equal(batch.by_code[ERR_OK], 1);
    assert_int_equal(batch.by_code[ERR_NOT_FOUND], 1);
    assert_int_equal(state_of(kit, 2), TRANSACTION_DENIED);
}

static void a_denied_transaction_may_wait_again(void **state)
{
    struct writer_kit *kit = *state;
    queue(kit, 1);
    decide(kit, WRITE_PENDING_DENY, 1);
    queue(kit, 1);
    assert_int_equal(state_of(kit, 1), TRANSACTION_PENDING);
    assert_true(is_waiting(kit, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WRITER_KIT(a_waiting_request_is_found_by_key_and_by_id),
        WITH_WRITER_KIT(the_oldest_is_listed_first),
        WITH_WRITER_KIT(one_transaction_waits_once),
        WITH_WRITER_KIT(an_expired_request_makes_room_for_the_same_transaction),
        WITH_WRITER_KIT(an_issued_transaction_waits_only_as_it_was_seen),
        WITH_WRITER_KIT(limits_hold_for_a_source_and_for_all),
        WITH_WRITER_KIT(of_one_batch_only_as_many_wait_as_may),
        WITH_WRITER_KIT(no_two_waiting_requests_have_one_id),
        WITH_WRITER_KIT(a_request_must_have_a_size_that_can_be_read_back),
        WITH_WRITER_KIT(an_approved_request_is_issued_once),
        WITH_WRITER_KIT(an_approval_is_for_the_request_that_was_shown),
        WITH_WRITER_KIT(what_was_issued_otherwise_does_not_wait_any_more),
        WITH_WRITER_KIT(a_refused_issue_leaves_the_request_waiting),
        WITH_WRITER_KIT(a_denied_request_leaves_a_denied_transaction),
        WITH_WRITER_KIT(each_request_is_decided_about_once_and_in_time),
        WITH_WRITER_KIT(a_denied_transaction_may_wait_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
