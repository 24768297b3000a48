// SPDX-License-Identifier: Apache-2.0
// Transactions on the store's environment, with a sticky status. Private to the store's own
// modules (and their tests).
#pragma once

#include "ra/store/store_env.h"

// One transaction; {0} is none. The first failing put makes every further one a no-op, and the
// commit an abort that returns the failure.
struct store_txn {
    struct store *store;
    MDB_txn *mdb;
    struct err failure;
    bool is_map_full;     // the failure is a full map: growing it may help
    uint32_t new_events;  // that were added to the history
    uint32_t lost_events; // that could not be
};

// Any thread, one read transaction at a time on each. Errors: ERR_IO, ERR_NOMEM, ERR_BUSY (more
// than STORE_READERS_MAX).
enum err_code store_txn_begin_read(struct store *store, struct store_txn *ret_txn,
                                   struct err *err) MUST_CHECK;
void store_txn_end_read(struct store_txn *txn);

// Writer thread only. Opens the environment again first if a failure has made it unusable.
enum err_code store_txn_begin_write(struct store *store, struct store_txn *ret_txn,
                                    struct err *err) MUST_CHECK;
// Consumes the transaction, whatever it returns; only `failure` and `is_map_full` are left in it.
// ERR_OK: it is on disk. Errors: ERR_FULL, ERR_IO, ERR_NOMEM; then nothing of it can be read.
enum err_code store_txn_commit(struct store_txn *take_txn, struct err *err) MUST_CHECK;
void store_txn_abort(struct store_txn *take_txn);

// Begins a part of a write transaction that can be undone alone. Until its end the whole must not
// be used. Errors: ERR_IO, ERR_NOMEM.
enum err_code store_txn_begin_part(struct store_txn *txn, struct store_txn *ret_part,
                                   struct err *err) MUST_CHECK;
// Consumes the part: what it has put becomes the whole's, or is undone. A failure in it becomes
// the whole's, too.
void store_txn_end_part(struct store_txn *txn, struct store_txn *take_part, bool is_kept);

// Notes the first failure of a transaction for its commit.
void store_txn_fail(struct store_txn *txn, const struct err *failure);

// The value under `key`; lives no longer than the transaction, or its next put.
// Errors: ERR_NOT_FOUND, ERR_IO.
enum err_code store_txn_get(const struct store_txn *txn, enum store_table table, struct view key,
                            struct view *ret_value, struct err *err) MUST_CHECK;
// Puts, replacing what stands under `key`; failures are sticky.
void store_txn_put(struct store_txn *txn, enum store_table table, struct view key,
                   struct view value);
// Removes what stands under `key`, if anything does; failures are sticky.
void store_txn_remove(struct store_txn *txn, enum store_table table, struct view key);
