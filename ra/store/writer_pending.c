// SPDX-License-Identifier: Apache-2.0
// Orders about requests that wait for an administrator. A transaction is PENDING exactly as long as
// a waiting request stands under its key.
#include <string.h>

#include "ra/store/writer_events.h"
#include "ra/store/writer_orders.h"

void writer_forget_pending(struct store_txn *txn, const struct store_pending *pending)
{
    store_remove_pending(txn, pending);
    store_txn_remove(txn, TABLE_TRANSACTIONS, view_of(pending->key, SHA256_LEN));
}

static bool is_over(const struct store_pending *pending, int64_t now)
{
    return now >= pending->expires_at;
}

static enum err_code check_waiting(struct store_txn *txn, const struct write_order *order,
                                   struct err *err)
{
    CLEANUP(store_pending_done) struct store_pending waiting = {0};
    enum err_code code = store_get_pending(txn, order->pending.key, &waiting, err);
    if (code != ERR_OK) {
        return code == ERR_NOT_FOUND
                   ? err_set(err, ERR_IO, "a transaction names a waiting request that is missing")
                   : code;
    }
    if (!is_over(&waiting, order->now)) {
        return err_set(err, ERR_CONFLICT, "the transaction waits already");
    }
    writer_forget_pending(txn, &waiting);
    return ERR_OK;
}

static enum err_code check_transaction(struct store_txn *txn, const struct write_order *order,
                                       struct err *err)
{
    struct store_transaction stored = {0};
    enum err_code code = store_get_transaction(txn, order->pending.key, &stored, err);
    if (code != ERR_OK) {
        return writer_or_missing(code);
    }
    if (stored.state == TRANSACTION_PENDING) {
        return check_waiting(txn, order, err);
    }
    return stored.state == TRANSACTION_ISSUED ? writer_check_issued(&stored, order, err) : ERR_OK;
}

static enum err_code check_counts(const struct store_txn *txn, const struct write_order *order,
                                  struct err *err)
{
    uint64_t all = 0;
    uint32_t of_source = 0;
    enum err_code code = store_count_table(txn, TABLE_PENDING, &all, err);
    if (code == ERR_OK && all >= order->max_pending) {
        return err_set(err, ERR_LIMIT, "%llu requests wait already; allowed: %u",
                       (unsigned long long)all, order->max_pending);
    }
    if (code == ERR_OK) {
        code =
            store_count_source(txn, order->pending.source, order->max_per_source, &of_source, err);
    }
    if (code == ERR_OK && of_source >= order->max_per_source) {
        return err_set(err, ERR_LIMIT, "%u requests of %s wait already; allowed: %u", of_source,
                       order->pending.source, order->max_per_source);
    }
    return code;
}

// Whoever approves by ID must get what was shown to him. A client can choose its transactionID, so
// it can, with patience, make a key that begins like another's.
static enum err_code check_id(const struct store_txn *txn, const struct store_pending *pending,
                              struct err *err)
{
    CLEANUP(store_pending_done) struct store_pending other = {0};
    char id[PENDING_ID_LEN];
    record_pending_id(pending->key, id);
    enum err_code code = store_get_pending_by_id(txn, id, &other, err);
    return code == ERR_OK ? err_set(err, ERR_LIMIT, "another request %s waits already", id)
                          : writer_or_missing(code);
}

static enum err_code check_size(const struct store_pending *pending, struct err *err)
{
    size_t len = pending->csr.len;
    return len > 0 && len <= LIMIT_CSR_LEN
               ? ERR_OK
               : err_set(err, ERR_LIMIT, "a request of %zu octets; allowed: 1 to %d", len,
                         LIMIT_CSR_LEN);
}

static void put_transaction(struct store_txn *txn, const struct store_pending *pending,
                            enum transaction_state state, int64_t now)
{
    struct store_transaction transaction = {.state = state, .changed_at = now};
    memcpy(transaction.key, pending->key, SHA256_LEN);
    memcpy(transaction.csr_hash, pending->csr_hash, SHA256_LEN);
    store_put_transaction(txn, &transaction);
}

enum err_code writer_put_pending(struct store_txn *txn, const struct write_order *order,
                                 struct err *err)
{
    const struct store_pending *pending = &order->pending;
    enum err_code code = check_size(pending, err);
    if (code == ERR_OK) {
        code = check_transaction(txn, order, err);
    }
    if (code == ERR_OK) {
        code = check_id(txn, pending, err);
    }
    if (code == ERR_OK) {
        code = check_counts(txn, order, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    store_put_pending(txn, pending);
    put_transaction(txn, pending, TRANSACTION_PENDING, order->now);
    writer_note_pending(txn, EVENT_PENDING, pending, order->now);
    return ERR_OK;
}

// One that an administrator can still decide about.
static enum err_code get_undecided(const struct store_txn *txn, const struct write_order *order,
                                   struct store_pending *ret_pending, struct err *err)
{
    enum err_code code = store_get_pending_by_id(txn, order->pending.id, ret_pending, err);
    if (code == ERR_NOT_FOUND || (code == ERR_OK && is_over(ret_pending, order->now))) {
        return err_set(err, ERR_NOT_FOUND, "there is no such waiting request");
    }
    return code == ERR_OK && ret_pending->is_approved
               ? err_set(err, ERR_CONFLICT, "the request %s is approved already", ret_pending->id)
               : code;
}

enum err_code writer_approve_pending(struct store_txn *txn, const struct write_order *order,
                                     struct err *err)
{
    CLEANUP(store_pending_done) struct store_pending pending = {0};
    enum err_code code = get_undecided(txn, order, &pending, err);
    if (code == ERR_OK) {
        pending.is_approved = true;
        store_put_pending(txn, &pending);
        writer_note_pending(txn, EVENT_APPROVED, &pending, order->now);
    }
    return code;
}

enum err_code writer_deny_pending(struct store_txn *txn, const struct write_order *order,
                                  struct err *err)
{
    CLEANUP(store_pending_done) struct store_pending pending = {0};
    enum err_code code = get_undecided(txn, order, &pending, err);
    if (code == ERR_OK) {
        store_remove_pending(txn, &pending);
        put_transaction(txn, &pending, TRANSACTION_DENIED, order->now);
        writer_note_pending(txn, EVENT_DENIED, &pending, order->now);
    }
    return code;
}
