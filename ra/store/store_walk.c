// SPDX-License-Identifier: Apache-2.0
#include "ra/store/store_walk.h"

#include <string.h>

struct store_range store_range_of(enum store_table table, const struct record_key *prefix)
{
    struct store_range range = {.table = table, .from = *prefix, .until = *prefix};
    record_prefix_follow(&range.until);
    return range;
}

// As LMDB compares.
static bool is_before(struct view a, struct view b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.data, b.data, shorter);
    return order != 0 ? order < 0 : a.len < b.len;
}

static bool is_in_range(const struct store_range *range, struct view key)
{
    bool is_early = range->from.len > 0 && is_before(key, record_key_view(&range->from));
    bool is_late = range->until.len > 0 && !is_before(key, record_key_view(&range->until));
    return !is_early && !is_late;
}

static void go(struct store_walk *walk, const struct record_key *to, MDB_cursor_op operation)
{
    MDB_val key = {0};
    MDB_val value = {0};
    if (to != NULL) {
        key = (MDB_val){.mv_size = to->len, .mv_data = (void *)(uintptr_t)to->octets};
    }
    walk->status = mdb_cursor_get(walk->cursor, &key, &value, operation);
    walk->key = view_of(key.mv_data, key.mv_size);
    walk->value = view_of(value.mv_data, value.mv_size);
    walk->is_there = walk->status == 0 && is_in_range(&walk->range, walk->key);
}

static bool begin(const struct store_txn *txn, const struct store_range *range,
                  struct store_walk *ret_walk)
{
    *ret_walk = (struct store_walk){.range = *range};
    ret_walk->status =
        mdb_cursor_open(txn->mdb, txn->store->tables[range->table], &ret_walk->cursor);
    return ret_walk->status == 0;
}

void store_walk_first(const struct store_txn *txn, const struct store_range *range,
                      struct store_walk *ret_walk)
{
    if (!begin(txn, range, ret_walk)) {
        return;
    }
    if (range->from.len == 0) {
        go(ret_walk, NULL, MDB_FIRST);
    } else {
        go(ret_walk, &ret_walk->range.from, MDB_SET_RANGE);
    }
}

void store_walk_last(const struct store_txn *txn, const struct store_range *range,
                     struct store_walk *ret_walk)
{
    if (!begin(txn, range, ret_walk)) {
        return;
    }
    if (range->until.len > 0) {
        go(ret_walk, &ret_walk->range.until, MDB_SET_RANGE);
        if (ret_walk->status == 0) {
            go(ret_walk, NULL, MDB_PREV);
            return;
        }
    }
    if (ret_walk->status == 0 || ret_walk->status == MDB_NOTFOUND) {
        go(ret_walk, NULL, MDB_LAST);
    }
}

void store_walk_next(struct store_walk *walk)
{
    go(walk, NULL, MDB_NEXT);
}

void store_walk_back(struct store_walk *walk)
{
    go(walk, NULL, MDB_PREV);
}

enum err_code store_walk_result(const struct store_walk *walk, const char *what, struct err *err)
{
    return walk->status == 0 || walk->status == MDB_NOTFOUND
               ? ERR_OK
               : store_env_error(err, walk->status, what);
}

void store_walk_end(struct store_walk *walk)
{
    if (walk->cursor != NULL) {
        mdb_cursor_close(walk->cursor);
        walk->cursor = NULL;
    }
}
