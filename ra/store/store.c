// SPDX-License-Identifier: Apache-2.0
// The look-ups of the store's read side: each call is one short read transaction; whatever it
// returns is copied out of the map before the transaction ends.
#include "ra/store/store.h"

#include <string.h>

#include "ra/store/store_write.h"

enum err_code store_open(const char *directory, uint64_t max_octets, struct store **ret_store,
                         struct err *err)
{
    const struct store_options options = {
        .directory = directory,
        .max_octets = max_octets,
        .first_octets = STORE_FIRST_OCTETS,
    };
    return store_env_open(&options, ret_store, err);
}

void store_close(struct store *store)
{
    store_env_close(store);
}

void store_certificate_done(struct store_certificate *certificate)
{
    buf_done(&certificate->der);
    *certificate = (struct store_certificate){0};
}

void store_crl_done(struct store_crl *crl)
{
    buf_done(&crl->der);
    *crl = (struct store_crl){0};
}

enum err_code store_find_serial(struct store *store, const uint8_t serial[SERIAL_LEN],
                                struct store_certificate *ret_certificate, struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    struct record_certificate record = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code == ERR_OK) {
        code = store_get_certificate(&txn, serial, &record, err);
    }
    if (code == ERR_OK) {
        *ret_certificate = record.certificate;
    }
    return code;
}

static enum err_code get_newest(const struct store_txn *txn, const uint8_t serial[SERIAL_LEN],
                                struct store_certificate *ret_certificate, struct err *err)
{
    struct record_certificate record = {0};
    enum err_code code = store_get_indexed(txn, view_of(serial, SERIAL_LEN), &record, err);
    if (code == ERR_OK) {
        *ret_certificate = record.certificate;
    }
    return code;
}

enum err_code store_find_key(struct store *store, const uint8_t spki_hash[SHA256_LEN],
                             struct store_certificate *ret_certificate, struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    uint8_t serial[SERIAL_LEN];
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code == ERR_OK) {
        code = store_get_newest_of_key(&txn, spki_hash, serial, err);
    }
    return code == ERR_OK ? get_newest(&txn, serial, ret_certificate, err) : code;
}

enum err_code store_find_device(struct store *store, const char *device,
                                struct store_certificate *ret_certificate, struct err *err)
{
    if (strnlen(device, STORE_DEVICE_LEN) == STORE_DEVICE_LEN) {
        return err_set(err, ERR_NOT_FOUND, "no device has a name that long");
    }
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    uint8_t serial[SERIAL_LEN];
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code == ERR_OK) {
        code = store_get_newest_of_device(&txn, device, serial, err);
    }
    return code == ERR_OK ? get_newest(&txn, serial, ret_certificate, err) : code;
}

enum err_code store_find_transaction(struct store *store, const uint8_t key[SHA256_LEN],
                                     struct store_transaction *ret_transaction, struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    return code == ERR_OK ? store_get_transaction(&txn, key, ret_transaction, err) : code;
}

enum err_code store_find_challenge(struct store *store, const uint8_t hash[SHA256_LEN],
                                   struct store_challenge *ret_challenge, struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    return code == ERR_OK ? store_get_challenge(&txn, hash, ret_challenge, err) : code;
}

enum err_code store_find_crl(struct store *store, const uint8_t issuer[SHA256_LEN],
                             struct store_crl *ret_crl, struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    return code == ERR_OK ? store_get_crl(&txn, issuer, ret_crl, err) : code;
}

enum err_code store_find_last_expiry(struct store *store, const uint8_t issuer[SHA256_LEN],
                                     int64_t *ret_not_after, struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    return code == ERR_OK ? store_get_last_expiry(&txn, issuer, ret_not_after, err) : code;
}

enum err_code store_count(struct store *store, struct store_counts *ret_counts, struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    struct store_counts counts = {.max_octets = store->max_octets};
    const struct {
        enum store_table table;
        uint64_t *records;
    } parts[] = {
        {TABLE_CERTIFICATES, &counts.certificates}, {TABLE_TRANSACTIONS, &counts.transactions},
        {TABLE_CHALLENGES, &counts.challenges},     {TABLE_PENDING, &counts.pending},
        {TABLE_DEVICES, &counts.devices},           {TABLE_DUE, &counts.enrolled},
        {TABLE_REVOKED, &counts.revoked},           {TABLE_EVENTS, &counts.events},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && code == ERR_OK; i++) {
        code = store_count_table(&txn, parts[i].table, parts[i].records, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    MDB_stat stat = {0};
    MDB_envinfo info = {0};
    mdb_env_stat(store->env, &stat);
    mdb_env_info(store->env, &info);
    counts.used_octets = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
    counts.map_octets = info.me_mapsize;
    *ret_counts = counts;
    return ERR_OK;
}
