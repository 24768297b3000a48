// SPDX-License-Identifier: Apache-2.0
// Requests that wait for an administrator, inside a transaction and for readers.
#include "ra/store/store_write.h"

void store_pending_done(struct store_pending *pending)
{
    buf_done(&pending->csr);
    *pending = (struct store_pending){0};
}

enum err_code store_get_pending(const struct store_txn *txn, const uint8_t key[SHA256_LEN],
                                struct store_pending *ret_pending, struct err *err)
{
    struct view octets = VIEW_EMPTY;
    enum err_code code = store_txn_get(txn, TABLE_PENDING, view_of(key, SHA256_LEN), &octets, err);
    return code == ERR_OK ? record_get_pending(octets, ret_pending, err) : code;
}

enum err_code store_get_pending_by_id(const struct store_txn *txn, const char *id,
                                      struct store_pending *ret_pending, struct err *err)
{
    struct view octets = VIEW_EMPTY;
    enum err_code code = store_get_by_id(txn, TABLE_PENDING, id, &octets, err);
    return code == ERR_OK ? record_get_pending(octets, ret_pending, err) : code;
}

enum err_code store_count_source(const struct store_txn *txn, const char *source, uint32_t most,
                                 uint32_t *ret_count, struct err *err)
{
    struct record_key prefix;
    record_prefix_of_source(source, &prefix);
    struct store_range range = store_range_of(TABLE_PENDING_BY_SOURCE, &prefix);
    CLEANUP(store_walk_end) struct store_walk walk = {0};
    uint32_t count = 0;
    store_walk_first(txn, &range, &walk);
    while (walk.is_there && count < most) {
        count++;
        store_walk_next(&walk);
    }
    enum err_code code = store_walk_result(&walk, "counting waiting requests", err);
    if (code == ERR_OK) {
        *ret_count = count;
    }
    return code;
}

// Where the indexes name a request.
struct places {
    struct record_key by_age;
    struct record_key by_expiry;
    struct record_key by_source;
};

static struct places places_of(const struct store_pending *pending)
{
    struct places places;
    struct view name = view_of(pending->key, SHA256_LEN);
    record_key_at(pending->created_at, name, &places.by_age);
    record_key_at(pending->expires_at, name, &places.by_expiry);
    record_key_by_source(pending, &places.by_source);
    return places;
}

void store_put_pending(struct store_txn *txn, const struct store_pending *pending)
{
    struct err err = {0};
    struct buf record = {0};
    struct view name = view_of(pending->key, SHA256_LEN);
    struct places places = places_of(pending);
    if (record_put_pending(pending, &record, &err) != ERR_OK) {
        store_txn_fail(txn, &err);
    }
    store_txn_put(txn, TABLE_PENDING, name, buf_view(&record));
    store_txn_put(txn, TABLE_PENDING_BY_AGE, record_key_view(&places.by_age), name);
    store_txn_put(txn, TABLE_PENDING_BY_EXPIRY, record_key_view(&places.by_expiry), name);
    store_txn_put(txn, TABLE_PENDING_BY_SOURCE, record_key_view(&places.by_source), name);
    buf_done(&record);
}

void store_remove_pending(struct store_txn *txn, const struct store_pending *pending)
{
    struct places places = places_of(pending);
    store_txn_remove(txn, TABLE_PENDING, view_of(pending->key, SHA256_LEN));
    store_txn_remove(txn, TABLE_PENDING_BY_AGE, record_key_view(&places.by_age));
    store_txn_remove(txn, TABLE_PENDING_BY_EXPIRY, record_key_view(&places.by_expiry));
    store_txn_remove(txn, TABLE_PENDING_BY_SOURCE, record_key_view(&places.by_source));
}

enum err_code store_find_pending(struct store *store, const uint8_t key[SHA256_LEN],
                                 struct store_pending *ret_pending, struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    return code == ERR_OK ? store_get_pending(&txn, key, ret_pending, err) : code;
}

enum err_code store_find_pending_id(struct store *store, const char *id,
                                    struct store_pending *ret_pending, struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    return code == ERR_OK ? store_get_pending_by_id(&txn, id, ret_pending, err) : code;
}

static enum err_code get_indexed(const struct store_txn *txn, struct view key,
                                 struct store_pending *ret_pending, struct err *err)
{
    if (key.len != SHA256_LEN) {
        return err_set(err, ERR_IO, "an index of the store is damaged");
    }
    enum err_code code = store_get_pending(txn, key.data, ret_pending, err);
    return code == ERR_NOT_FOUND
               ? err_set(err, ERR_IO, "an index of the store names a missing request")
               : code;
}

enum err_code store_list_pending(struct store *store, store_visit_pending *visit, void *context,
                                 struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code != ERR_OK) {
        return code;
    }
    const struct store_range all = {.table = TABLE_PENDING_BY_AGE};
    CLEANUP(store_walk_end) struct store_walk walk = {0};
    bool goes_on = true;
    for (store_walk_first(&txn, &all, &walk); walk.is_there && goes_on; store_walk_next(&walk)) {
        struct store_pending pending = {0};
        code = get_indexed(&txn, walk.value, &pending, err);
        if (code != ERR_OK) {
            return code;
        }
        goes_on = visit(&pending, context);
        store_pending_done(&pending);
    }
    return store_walk_result(&walk, "listing waiting requests", err);
}
