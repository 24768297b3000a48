// SPDX-License-Identifier: Apache-2.0
// Counting devices by the end of their present certificate. Only keys are looked at: an index's key
// has all that counts, and no certificate is read.
#include <string.h>

#include "ra/store/store_write.h"

// The octets behind the CA in a key of TABLE_REVOKED are a key of TABLE_DUE: notAfter and serial.
static struct view due_key_of(struct view revoked_key)
{
    bool is_whole = revoked_key.len > SHA256_LEN;
    return is_whole ? view_of(revoked_key.data + SHA256_LEN, revoked_key.len - SHA256_LEN)
                    : VIEW_EMPTY;
}

// As LMDB compares.
static bool is_before(struct view a, const struct record_key *b)
{
    size_t shorter = a.len < b->len ? a.len : b->len;
    int order = memcmp(a.data, b->octets, shorter);
    return order != 0 ? order < 0 : a.len < b->len;
}

// Goes through the keys that end before the last edge, of which there is one for each span.
static enum err_code count_devices(const struct store_txn *txn, struct store_span *spans,
                                   size_t count, struct err *err)
{
    struct store_range range = {.table = TABLE_DUE};
    record_key_at(spans[count - 1].until, VIEW_EMPTY, &range.until);
    CLEANUP(store_walk_end) struct store_walk walk = {0};
    size_t at = 0;
    struct record_key edge;
    record_key_at(spans[0].until, VIEW_EMPTY, &edge);
    for (store_walk_first(txn, &range, &walk); walk.is_there; store_walk_next(&walk)) {
        while (at + 1 < count && !is_before(walk.key, &edge)) {
            at++;
            record_key_at(spans[at].until, VIEW_EMPTY, &edge);
        }
        spans[at].devices++;
    }
    return store_walk_result(&walk, "counting devices", err);
}

static void count_revoked_key(struct store_span *spans, size_t count, struct view key)
{
    struct record_key edge;
    for (size_t i = 0; i < count; i++) {
        record_key_at(spans[i].until, VIEW_EMPTY, &edge);
        if (is_before(key, &edge)) {
            spans[i].revoked++;
            return;
        }
    }
}

// Revoked certificates are few, and most are no device's present one any more.
static enum err_code count_revoked(const struct store_txn *txn, struct store_span *spans,
                                   size_t count, struct err *err)
{
    const struct store_range all = {.table = TABLE_REVOKED};
    CLEANUP(store_walk_end) struct store_walk walk = {0};
    for (store_walk_first(txn, &all, &walk); walk.is_there; store_walk_next(&walk)) {
        struct view serial = VIEW_EMPTY;
        struct view key = due_key_of(walk.key);
        enum err_code code =
            key.len > 0 ? store_txn_get(txn, TABLE_DUE, key, &serial, err) : ERR_NOT_FOUND;
        if (code == ERR_OK) {
            count_revoked_key(spans, count, key);
        } else if (code != ERR_NOT_FOUND) {
            return code;
        }
    }
    return store_walk_result(&walk, "counting revoked certificates", err);
}

enum err_code store_count_due(struct store *store, struct store_span *spans, size_t count,
                              struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        spans[i].devices = 0;
        spans[i].revoked = 0;
    }
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code == ERR_OK && count > 0) {
        code = count_devices(&txn, spans, count, err);
    }
    return code == ERR_OK && count > 0 ? count_revoked(&txn, spans, count, err) : code;
}
