// SPDX-License-Identifier: Apache-2.0
// Walking a table in the order of its keys, forwards or backwards. Private to the store's own
// modules (and their tests).
#pragma once

#include "ra/store/record_key.h"
#include "ra/store/store_txn.h"

// The records of a table with keys from `from` (empty = the first) to before `until` (empty = to
// the last).
struct store_range {
    enum store_table table;
    struct record_key from;
    struct record_key until;
};
// What begins with `prefix`.
struct store_range store_range_of(enum store_table table, const struct record_key *prefix);

// A place in a range. `key` and `value` lie in the map: they live no longer than the transaction,
// or its next put. A walk is over before its transaction puts or removes anything.
struct store_walk {
    struct store_range range;
    MDB_cursor *cursor;
    int status;    // LMDB's
    bool is_there; // at a record of the range
    struct view key;
    struct view value;
};

// Goes to the first or the last record of a range, or to none: store_walk_result() says why.
void store_walk_first(const struct store_txn *txn, const struct store_range *range,
                      struct store_walk *ret_walk);
void store_walk_last(const struct store_txn *txn, const struct store_range *range,
                     struct store_walk *ret_walk);
void store_walk_next(struct store_walk *walk);
void store_walk_back(struct store_walk *walk);
// ERR_OK as long as nothing failed, `what` says what for ("listing challenges"). Errors: ERR_IO,
// ERR_NOMEM.
enum err_code store_walk_result(const struct store_walk *walk, const char *what,
                                struct err *err) MUST_CHECK;
void store_walk_end(struct store_walk *walk);
