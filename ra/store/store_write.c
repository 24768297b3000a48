// SPDX-License-Identifier: Apache-2.0
// Transactions, challenges and CRLs inside a transaction, and what all tables share.
#include "ra/store/store_write.h"

#include "conf/base/hex.h"

enum err_code store_get_crl(const struct store_txn *txn, const uint8_t issuer[SHA256_LEN],
                            struct store_crl *ret_crl, struct err *err)
{
    struct view octets = VIEW_EMPTY;
    enum err_code code = store_txn_get(txn, TABLE_CRLS, view_of(issuer, SHA256_LEN), &octets, err);
    return code == ERR_OK ? record_get_crl(octets, ret_crl, err) : code;
}

enum err_code store_get_transaction(const struct store_txn *txn, const uint8_t key[SHA256_LEN],
                                    struct store_transaction *ret_transaction, struct err *err)
{
    struct view octets = VIEW_EMPTY;
    enum err_code code =
        store_txn_get(txn, TABLE_TRANSACTIONS, view_of(key, SHA256_LEN), &octets, err);
    return code == ERR_OK ? record_get_transaction(octets, ret_transaction, err) : code;
}

enum err_code store_get_challenge(const struct store_txn *txn, const uint8_t hash[SHA256_LEN],
                                  struct store_challenge *ret_challenge, struct err *err)
{
    struct view octets = VIEW_EMPTY;
    enum err_code code =
        store_txn_get(txn, TABLE_CHALLENGES, view_of(hash, SHA256_LEN), &octets, err);
    return code == ERR_OK ? record_get_challenge(octets, ret_challenge, err) : code;
}

enum err_code store_get_by_id(const struct store_txn *txn, enum store_table table, const char *id,
                              struct view *ret_value, struct err *err)
{
    struct record_key prefix = {.len = RECORD_ID_OCTETS};
    if (hex_decode(id, prefix.octets, prefix.len) != (ssize_t)prefix.len) {
        return err_set(err, ERR_NOT_FOUND, "an ID is %d hexadecimal digits", CHALLENGE_ID_LEN - 1);
    }
    struct store_range range = store_range_of(table, &prefix);
    CLEANUP(store_walk_end) struct store_walk walk = {0};
    store_walk_first(txn, &range, &walk);
    if (walk.is_there) {
        *ret_value = walk.value;
        return ERR_OK;
    }
    enum err_code code = store_walk_result(&walk, "looking for an ID", err);
    return code != ERR_OK ? code : err_set(err, ERR_NOT_FOUND, "nothing has this ID");
}

enum err_code store_get_challenge_by_id(const struct store_txn *txn, const char *id,
                                        struct store_challenge *ret_challenge, struct err *err)
{
    struct view octets = VIEW_EMPTY;
    enum err_code code = store_get_by_id(txn, TABLE_CHALLENGES, id, &octets, err);
    return code == ERR_OK ? record_get_challenge(octets, ret_challenge, err) : code;
}

enum err_code store_count_table(const struct store_txn *txn, enum store_table table,
                                uint64_t *ret_records, struct err *err)
{
    MDB_stat stat = {0};
    int status = mdb_stat(txn->mdb, txn->store->tables[table], &stat);
    if (status != 0) {
        return store_env_error(err, status, "counting the store's records");
    }
    *ret_records = stat.ms_entries;
    return ERR_OK;
}

void store_put_transaction(struct store_txn *txn, const struct store_transaction *transaction)
{
    struct err err = {0};
    struct buf record = {0};
    if (record_put_transaction(transaction, &record, &err) != ERR_OK) {
        store_txn_fail(txn, &err);
    }
    store_txn_put(txn, TABLE_TRANSACTIONS, view_of(transaction->key, SHA256_LEN),
                  buf_view(&record));
    buf_done(&record);
}

void store_put_challenge(struct store_txn *txn, const struct store_challenge *challenge)
{
    struct err err = {0};
    struct buf record = {0};
    if (record_put_challenge(challenge, &record, &err) != ERR_OK) {
        store_txn_fail(txn, &err);
    }
    store_txn_put(txn, TABLE_CHALLENGES, view_of(challenge->hash, SHA256_LEN), buf_view(&record));
    buf_done(&record);
}

void store_put_crl(struct store_txn *txn, const struct store_crl *crl)
{
    struct err err = {0};
    struct buf record = {0};
    if (record_put_crl(crl, &record, &err) != ERR_OK) {
        store_txn_fail(txn, &err);
    }
    store_txn_put(txn, TABLE_CRLS, view_of(crl->issuer, SHA256_LEN), buf_view(&record));
    buf_done(&record);
}
