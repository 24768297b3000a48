// SPDX-License-Identifier: Apache-2.0
#include "ra/store/store_txn.h"

#include <errno.h>

#define HEAD_PAGES      2  // of LMDB's file
#define BEGIN_TRIES_MAX 64 // each lost to more than one commit, that is to milliseconds of sleep

static MDB_val val_of(struct view octets)
{
    return (MDB_val){.mv_size = octets.len, .mv_data = (void *)(uintptr_t)octets.data};
}

static int begin_once(MDB_env *env, MDB_txn **ret_mdb)
{
    int status = mdb_txn_begin(env, NULL, MDB_RDONLY, ret_mdb);
    if (status == MDB_READERS_FULL) {
        int dead = 0;
        mdb_reader_check(env, &dead);
        status = mdb_txn_begin(env, NULL, MDB_RDONLY, ret_mdb);
    }
    return status;
}

// LMDB has two head pages, used by turns. A reader that is put to sleep between choosing one and
// copying it may wake up to find the next but one transaction there, perhaps not synced yet. When
// no such transaction shows after the copy, the copy is what it says it is.
static bool is_overtaken(MDB_env *env, MDB_txn *mdb)
{
    MDB_envinfo info = {0};
    mdb_env_info(env, &info);
    return info.me_last_txnid >= mdb_txn_id(mdb) + HEAD_PAGES;
}

static int begin_read(MDB_env *env, MDB_txn **ret_mdb)
{
    if (env == NULL) {
        return MDB_PANIC;
    }
    for (int tries = 0; tries < BEGIN_TRIES_MAX; tries++) {
        MDB_txn *mdb = NULL;
        int status = begin_once(env, &mdb);
        if (status != 0) {
            return status;
        }
        if (!is_overtaken(env, mdb)) {
            *ret_mdb = mdb;
            return 0;
        }
        mdb_txn_abort(mdb);
    }
    return EBUSY;
}

enum err_code store_txn_begin_read(struct store *store, struct store_txn *ret_txn, struct err *err)
{
    MDB_txn *mdb = NULL;
    pthread_rwlock_rdlock(&store->gate);
    int status = begin_read(store->env, &mdb);
    if (status != 0) {
        pthread_rwlock_unlock(&store->gate);
        return store_env_error(err, status, "beginning to read the store");
    }
    *ret_txn = (struct store_txn){.store = store, .mdb = mdb};
    return ERR_OK;
}

void store_txn_end_read(struct store_txn *txn)
{
    if (txn->mdb != NULL) {
        mdb_txn_abort(txn->mdb);
        pthread_rwlock_unlock(&txn->store->gate);
        txn->mdb = NULL;
    }
}

enum err_code store_txn_begin_write(struct store *store, struct store_txn *ret_txn, struct err *err)
{
    enum err_code code = store_env_heal(store, err);
    if (code != ERR_OK) {
        return code;
    }
    MDB_txn *mdb = NULL;
    int status = mdb_txn_begin(store->env, NULL, 0, &mdb);
    if (status != 0) {
        return store_env_error(err, status, "beginning to write the store");
    }
    *ret_txn = (struct store_txn){.store = store, .mdb = mdb};
    return ERR_OK;
}

static void fail_with(struct store_txn *txn, int status, const char *what)
{
    struct err failure = {0};
    store_env_error(&failure, status, what);
    store_txn_fail(txn, &failure);
    txn->is_map_full = status == MDB_MAP_FULL;
}

enum err_code store_txn_commit(struct store_txn *take_txn, struct err *err)
{
    if (take_txn->failure.code == ERR_OK) {
        int status = mdb_txn_commit(take_txn->mdb);
        take_txn->mdb = NULL;
        if (status != 0) {
            fail_with(take_txn, status, "committing to the store");
        }
    }
    store_txn_abort(take_txn);
    return take_txn->failure.code == ERR_OK
               ? ERR_OK
               : err_set(err, take_txn->failure.code, "%s", take_txn->failure.text);
}

void store_txn_abort(struct store_txn *take_txn)
{
    if (take_txn->mdb != NULL) {
        mdb_txn_abort(take_txn->mdb);
        take_txn->mdb = NULL;
    }
}

enum err_code store_txn_begin_part(struct store_txn *txn, struct store_txn *ret_part,
                                   struct err *err)
{
    MDB_txn *mdb = NULL;
    int status = mdb_txn_begin(txn->store->env, txn->mdb, 0, &mdb);
    if (status != 0) {
        return store_env_error(err, status, "beginning a part of a transaction");
    }
    *ret_part = (struct store_txn){.store = txn->store, .mdb = mdb, .failure = txn->failure};
    return ERR_OK;
}

void store_txn_end_part(struct store_txn *txn, struct store_txn *take_part, bool is_kept)
{
    if (is_kept && take_part->failure.code == ERR_OK) {
        int status = mdb_txn_commit(take_part->mdb);
        take_part->mdb = NULL;
        if (status != 0) {
            fail_with(take_part, status, "keeping a part of a transaction");
        }
    }
    store_txn_abort(take_part);
    if (take_part->failure.code != ERR_OK && txn->failure.code == ERR_OK) {
        txn->failure = take_part->failure;
        txn->is_map_full = take_part->is_map_full;
    }
}

void store_txn_fail(struct store_txn *txn, const struct err *failure)
{
    if (txn->failure.code == ERR_OK) {
        txn->failure = *failure;
    }
}

enum err_code store_txn_get(const struct store_txn *txn, enum store_table table, struct view key,
                            struct view *ret_value, struct err *err)
{
    MDB_val key_val = val_of(key);
    MDB_val value = {0};
    int status = mdb_get(txn->mdb, txn->store->tables[table], &key_val, &value);
    if (status != 0) {
        return store_env_error(err, status, store_env_table_name(table));
    }
    *ret_value = view_of(value.mv_data, value.mv_size);
    return ERR_OK;
}

void store_txn_put(struct store_txn *txn, enum store_table table, struct view key,
                   struct view value)
{
    if (txn->failure.code != ERR_OK) {
        return;
    }
    MDB_val key_val = val_of(key);
    MDB_val value_val = val_of(value);
    int status = mdb_put(txn->mdb, txn->store->tables[table], &key_val, &value_val, 0);
    if (status != 0) {
        fail_with(txn, status, store_env_table_name(table));
    }
}

void store_txn_remove(struct store_txn *txn, enum store_table table, struct view key)
{
    if (txn->failure.code != ERR_OK) {
        return;
    }
    MDB_val key_val = val_of(key);
    int status = mdb_del(txn->mdb, txn->store->tables[table], &key_val, NULL);
    if (status != 0 && status != MDB_NOTFOUND) {
        fail_with(txn, status, store_env_table_name(table));
    }
}
