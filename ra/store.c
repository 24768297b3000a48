// SPDX-License-Identifier: Apache-2.0
// The read side of the store: each call is one short read transaction; whatever it returns is
// copied out of the map before the transaction ends.
#include "ra/store.h"

#include <string.h>

#include "conf/base/hex.h"
#include "ra/record.h"
#include "ra/store_write.h"

DEFINE_CLEANUP(MDB_cursor *, mdb_cursor_close);

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

static enum err_code get_record(const struct store_txn *txn, const uint8_t serial[SERIAL_LEN],
                                struct record_certificate *ret_record, struct err *err)
{
    struct view octets = VIEW_EMPTY;
    enum err_code code =
        store_txn_get(txn, TABLE_CERTIFICATES, view_of(serial, SERIAL_LEN), &octets, err);
    return code == ERR_OK ? record_get_certificate(octets, ret_record, err) : code;
}

enum err_code store_get_certificate(const struct store_txn *txn, const uint8_t serial[SERIAL_LEN],
                                    struct store_certificate *ret_certificate, struct err *err)
{
    struct record_certificate record = {0};
    enum err_code code = get_record(txn, serial, &record, err);
    if (code == ERR_OK) {
        *ret_certificate = record.certificate;
    }
    return code;
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

static int open_cursor(const struct store_txn *txn, enum store_table table, MDB_cursor **ret_cursor)
{
    return mdb_cursor_open(txn->mdb, txn->store->tables[table], ret_cursor);
}

static MDB_val val_of(struct view octets)
{
    return (MDB_val){.mv_size = octets.len, .mv_data = (void *)(uintptr_t)octets.data};
}

static bool has_prefix(const MDB_val *key, struct view prefix)
{
    return key->mv_size >= prefix.len && view_equal(view_of(key->mv_data, prefix.len), prefix);
}

enum err_code store_get_challenge_by_id(const struct store_txn *txn, const char *id,
                                        struct store_challenge *ret_challenge, struct err *err)
{
    uint8_t octets[CHALLENGE_ID_OCTETS];
    if (hex_decode(id, octets, sizeof octets) != (ssize_t)sizeof octets) {
        return err_set(err, ERR_NOT_FOUND, "a challenge's ID is %d hexadecimal digits",
                       CHALLENGE_ID_LEN - 1);
    }
    CLEANUP(cleanup_mdb_cursor_close) MDB_cursor *cursor = NULL;
    MDB_val key = val_of(view_of(octets, sizeof octets));
    MDB_val value = {0};
    int status = open_cursor(txn, TABLE_CHALLENGES, &cursor);
    if (status == 0) {
        status = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    }
    if (status == 0 && !has_prefix(&key, view_of(octets, sizeof octets))) {
        status = MDB_NOTFOUND;
    }
    if (status != 0) {
        return store_env_error(err, status, "looking for a challenge by its ID");
    }
    return record_get_challenge(view_of(value.mv_data, value.mv_size), ret_challenge, err);
}

// Where to look in an index, from the newest to the oldest.
struct walk {
    enum store_table table;
    struct record_key prefix; // empty = the whole table
    struct record_key before; // begin with the last key before this one; empty = the last key
};

// Sets the walk to what begins with `prefix`: it begins before the next possible prefix.
static void walk_prefix(struct walk *walk, enum store_table table)
{
    walk->table = table;
    walk->before = walk->prefix;
    for (size_t i = walk->before.len; i-- > 0;) {
        if (++walk->before.octets[i] != 0) {
            return;
        }
    }
    walk->before.len = 0; // all FF: nothing comes after
}

static int walk_first(MDB_cursor *cursor, const struct walk *walk, MDB_val *key, MDB_val *value)
{
    if (walk->before.len == 0) {
        return mdb_cursor_get(cursor, key, value, MDB_LAST);
    }
    *key = val_of(record_key_view(&walk->before));
    int status = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (status == MDB_NOTFOUND) {
        return mdb_cursor_get(cursor, key, value, MDB_LAST);
    }
    return status == 0 ? mdb_cursor_get(cursor, key, value, MDB_PREV) : status;
}

static enum err_code get_indexed(const struct store_txn *txn, const MDB_val *serial,
                                 struct store_certificate *ret_certificate, struct err *err)
{
    if (serial->mv_size != SERIAL_LEN) {
        return err_set(err, ERR_IO, "an index of the store is damaged");
    }
    enum err_code code = store_get_certificate(txn, serial->mv_data, ret_certificate, err);
    return code == ERR_NOT_FOUND
               ? err_set(err, ERR_IO, "an index of the store names a missing certificate")
               : code;
}

struct visitor {
    store_visit_certificate *visit;
    void *context;
};

static enum err_code visit_all(const struct store_txn *txn, const struct walk *walk,
                               const struct visitor *visitor, struct err *err)
{
    CLEANUP(cleanup_mdb_cursor_close) MDB_cursor *cursor = NULL;
    MDB_val key = {0};
    MDB_val serial = {0};
    int status = open_cursor(txn, walk->table, &cursor);
    if (status == 0) {
        status = walk_first(cursor, walk, &key, &serial);
    }
    bool go_on = true;
    while (status == 0 && go_on && has_prefix(&key, record_key_view(&walk->prefix))) {
        struct store_certificate certificate = {0};
        enum err_code code = get_indexed(txn, &serial, &certificate, err);
        if (code != ERR_OK) {
            return code;
        }
        go_on = visitor->visit(&certificate, visitor->context);
        store_certificate_done(&certificate);
        status = mdb_cursor_get(cursor, &key, &serial, MDB_PREV);
    }
    return status == 0 || status == MDB_NOTFOUND
               ? ERR_OK
               : store_env_error(err, status, "listing certificates");
}

static enum err_code get_newest(const struct store_txn *txn, const struct walk *walk,
                                struct store_certificate *ret_certificate, struct err *err)
{
    CLEANUP(cleanup_mdb_cursor_close) MDB_cursor *cursor = NULL;
    MDB_val key = {0};
    MDB_val serial = {0};
    int status = open_cursor(txn, walk->table, &cursor);
    if (status == 0) {
        status = walk_first(cursor, walk, &key, &serial);
    }
    if (status == 0 && !has_prefix(&key, record_key_view(&walk->prefix))) {
        status = MDB_NOTFOUND;
    }
    return status == 0 ? get_indexed(txn, &serial, ret_certificate, err)
                       : store_env_error(err, status, "looking for the newest certificate");
}

static enum err_code find_newest(struct store *store, const struct walk *walk,
                                 struct store_certificate *ret_certificate, struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    return code == ERR_OK ? get_newest(&txn, walk, ret_certificate, err) : code;
}

static struct walk walk_key(const uint8_t spki_hash[SHA256_LEN])
{
    struct walk walk;
    record_prefix_of_key(spki_hash, &walk.prefix);
    walk_prefix(&walk, TABLE_BY_KEY);
    return walk;
}

enum err_code store_get_newest_of_key(const struct store_txn *txn,
                                      const uint8_t spki_hash[SHA256_LEN],
                                      struct store_certificate *ret_certificate, struct err *err)
{
    struct walk walk = walk_key(spki_hash);
    return get_newest(txn, &walk, ret_certificate, err);
}

enum err_code store_find_serial(struct store *store, const uint8_t serial[SERIAL_LEN],
                                struct store_certificate *ret_certificate, struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    return code == ERR_OK ? store_get_certificate(&txn, serial, ret_certificate, err) : code;
}

enum err_code store_find_key(struct store *store, const uint8_t spki_hash[SHA256_LEN],
                             struct store_certificate *ret_certificate, struct err *err)
{
    struct walk walk = walk_key(spki_hash);
    return find_newest(store, &walk, ret_certificate, err);
}

// False for a name that is too long to be any device's.
static bool walk_device(const char *device, struct walk *ret_walk)
{
    if (strnlen(device, STORE_DEVICE_LEN) == STORE_DEVICE_LEN) {
        return false;
    }
    record_prefix_of_device(device, &ret_walk->prefix);
    walk_prefix(ret_walk, TABLE_BY_DEVICE);
    return true;
}

enum err_code store_find_device(struct store *store, const char *device,
                                struct store_certificate *ret_certificate, struct err *err)
{
    struct walk walk;
    if (!walk_device(device, &walk)) {
        return err_set(err, ERR_NOT_FOUND, "no device has a name that long");
    }
    return find_newest(store, &walk, ret_certificate, err);
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

static int count_table(const struct store_txn *txn, enum store_table table, uint64_t *ret_entries)
{
    MDB_stat stat = {0};
    int status = mdb_stat(txn->mdb, txn->store->tables[table], &stat);
    *ret_entries = stat.ms_entries;
    return status;
}

enum err_code store_count(struct store *store, struct store_counts *ret_counts, struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code != ERR_OK) {
        return code;
    }
    struct store_counts counts = {.max_octets = store->max_octets};
    const struct {
        enum store_table table;
        uint64_t *entries;
    } parts[] = {
        {TABLE_CERTIFICATES, &counts.certificates}, {TABLE_TRANSACTIONS, &counts.transactions},
        {TABLE_CHALLENGES, &counts.challenges},     {TABLE_PENDING, &counts.pending},
        {TABLE_DEVICES, &counts.devices},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        int status = count_table(&txn, parts[i].table, parts[i].entries);
        if (status != 0) {
            return store_env_error(err, status, "counting the store's records");
        }
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

static enum err_code begin_after(const struct store_txn *txn, const uint8_t *serial,
                                 struct record_key *ret_before, struct err *err)
{
    struct record_certificate record = {0};
    enum err_code code = get_record(txn, serial, &record, err);
    if (code == ERR_OK) {
        record_key_by_issue(&record.certificate, record.sequence, ret_before);
        store_certificate_done(&record.certificate);
    }
    return code;
}

enum err_code store_list_certificates(struct store *store, const uint8_t *after_serial,
                                      store_visit_certificate *visit, void *context,
                                      struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    struct walk walk = {.table = TABLE_BY_ISSUE};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code == ERR_OK && after_serial != NULL) {
        code = begin_after(&txn, after_serial, &walk.before, err);
    }
    const struct visitor visitor = {.visit = visit, .context = context};
    return code == ERR_OK ? visit_all(&txn, &walk, &visitor, err) : code;
}

enum err_code store_list_device(struct store *store, const char *device,
                                store_visit_certificate *visit, void *context, struct err *err)
{
    struct walk walk;
    if (!walk_device(device, &walk)) {
        return ERR_OK;
    }
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    const struct visitor visitor = {.visit = visit, .context = context};
    return code == ERR_OK ? visit_all(&txn, &walk, &visitor, err) : code;
}

static enum err_code visit_challenges(MDB_cursor *cursor, store_visit_challenge *visit,
                                      void *context, struct err *err)
{
    MDB_val key = {0};
    MDB_val value = {0};
    int status = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (status == 0) {
        struct store_challenge challenge = {0};
        enum err_code code =
            record_get_challenge(view_of(value.mv_data, value.mv_size), &challenge, err);
        if (code != ERR_OK || !visit(&challenge, context)) {
            return code;
        }
        status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    return status == MDB_NOTFOUND ? ERR_OK : store_env_error(err, status, "listing challenges");
}

enum err_code store_list_challenges(struct store *store, store_visit_challenge *visit,
                                    void *context, struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code != ERR_OK) {
        return code;
    }
    CLEANUP(cleanup_mdb_cursor_close) MDB_cursor *cursor = NULL;
    int status = open_cursor(&txn, TABLE_CHALLENGES, &cursor);
    return status == 0 ? visit_challenges(cursor, visit, context, err)
                       : store_env_error(err, status, "listing challenges");
}
