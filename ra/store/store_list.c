// SPDX-License-Identifier: Apache-2.0
// The lists of the store's read side: each call walks an index inside one read transaction.
#include <string.h>

#include "ra/store/store_write.h"

struct visitor {
    store_visit_certificate *visit;
    void *context;
};

// From where the walk is, as `step` goes, what the index names.
static enum err_code visit_indexed(const struct store_txn *txn, struct store_walk *walk,
                                   void (*step)(struct store_walk *), const struct visitor *visitor,
                                   struct err *err)
{
    bool goes_on = true;
    for (; walk->is_there && goes_on; step(walk)) {
        struct record_certificate record = {0};
        enum err_code code = store_get_indexed(txn, walk->value, &record, err);
        if (code != ERR_OK) {
            return code;
        }
        goes_on = visitor->visit(&record.certificate, visitor->context);
        store_certificate_done(&record.certificate);
    }
    return store_walk_result(walk, "listing certificates", err);
}

static enum err_code list_newest_first(const struct store_txn *txn, const struct store_range *range,
                                       const struct visitor *visitor, struct err *err)
{
    CLEANUP(store_walk_end) struct store_walk walk = {0};
    store_walk_last(txn, range, &walk);
    return visit_indexed(txn, &walk, store_walk_back, visitor, err);
}

enum err_code store_list_certificates(struct store *store, const uint8_t *after_serial,
                                      store_visit_certificate *visit, void *context,
                                      struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    struct store_range range = {.table = TABLE_BY_ISSUE};
    const struct visitor visitor = {.visit = visit, .context = context};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code == ERR_OK && after_serial != NULL) {
        struct record_certificate head = {0};
        code = store_get_head(&txn, after_serial, &head, err);
        record_key_by_issue(&head.certificate, head.sequence, &range.until);
    }
    return code == ERR_OK ? list_newest_first(&txn, &range, &visitor, err) : code;
}

enum err_code store_list_device(struct store *store, const char *device,
                                store_visit_certificate *visit, void *context, struct err *err)
{
    if (strnlen(device, STORE_DEVICE_LEN) == STORE_DEVICE_LEN) {
        return ERR_OK; // no device has a name that long
    }
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    struct record_key prefix;
    record_prefix_of_device(device, &prefix);
    struct store_range range = store_range_of(TABLE_BY_DEVICE, &prefix);
    const struct visitor visitor = {.visit = visit, .context = context};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    return code == ERR_OK ? list_newest_first(&txn, &range, &visitor, err) : code;
}

static enum err_code list_range(struct store *store, const struct store_range *range,
                                const struct visitor *visitor, struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code != ERR_OK) {
        return code;
    }
    CLEANUP(store_walk_end) struct store_walk walk = {0};
    store_walk_first(&txn, range, &walk);
    return visit_indexed(&txn, &walk, store_walk_next, visitor, err);
}

enum err_code store_list_due(struct store *store, int64_t from, int64_t until,
                             const struct store_due *after, store_visit_certificate *visit,
                             void *context, struct err *err)
{
    struct store_range range = {.table = TABLE_DUE};
    record_key_at(from, VIEW_EMPTY, &range.from);
    record_key_at(until, VIEW_EMPTY, &range.until);
    if (after != NULL && after->not_after >= from) {
        record_key_at(after->not_after, view_of(after->serial, SERIAL_LEN), &range.from);
        record_key_follow(&range.from);
    }
    const struct visitor visitor = {.visit = visit, .context = context};
    return list_range(store, &range, &visitor, err);
}

enum err_code store_list_servers(struct store *store, int64_t from, int64_t until,
                                 store_visit_certificate *visit, void *context, struct err *err)
{
    struct store_range range = {.table = TABLE_DUE_SERVERS};
    record_key_at(from, VIEW_EMPTY, &range.from);
    record_key_at(until, VIEW_EMPTY, &range.until);
    const struct visitor visitor = {.visit = visit, .context = context};
    return list_range(store, &range, &visitor, err);
}

// The newest certificate of the device that the walk is at, and on to the next device.
static enum err_code visit_device(const struct store_txn *txn, struct store_walk *walk,
                                  const struct visitor *visitor, bool *ret_goes_on, struct err *err)
{
    struct record_certificate record = {0};
    uint8_t serial[SERIAL_LEN];
    enum err_code code = store_get_indexed(txn, walk->value, &record, err);
    if (code != ERR_OK) {
        return code;
    }
    struct store_range next = walk->range;
    record_prefix_of_device(record.certificate.device, &next.from);
    record_prefix_follow(&next.from);
    code = store_get_newest_of_device(txn, record.certificate.device, serial, err);
    store_certificate_done(&record.certificate);
    if (code == ERR_OK) {
        code = store_get_indexed(txn, view_of(serial, SERIAL_LEN), &record, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    *ret_goes_on = visitor->visit(&record.certificate, visitor->context);
    store_certificate_done(&record.certificate);
    store_walk_end(walk);
    store_walk_first(txn, &next, walk);
    return ERR_OK;
}

enum err_code store_list_prefix(struct store *store, const char *prefix,
                                store_visit_certificate *visit, void *context, struct err *err)
{
    if (prefix[0] == '\0' || strnlen(prefix, STORE_DEVICE_LEN) == STORE_DEVICE_LEN) {
        return ERR_OK; // no device has a name that long
    }
    struct record_key key;
    record_key_of(view_of_text(prefix), &key);
    const struct store_range range = store_range_of(TABLE_BY_DEVICE, &key);
    const struct visitor visitor = {.visit = visit, .context = context};
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code != ERR_OK) {
        return code;
    }
    CLEANUP(store_walk_end) struct store_walk walk = {0};
    bool goes_on = true;
    store_walk_first(&txn, &range, &walk);
    while (walk.is_there && goes_on && code == ERR_OK) {
        code = visit_device(&txn, &walk, &visitor, &goes_on, err);
    }
    return code == ERR_OK ? store_walk_result(&walk, "looking for names", err) : code;
}

enum err_code store_list_revoked(struct store *store, const uint8_t issuer[SHA256_LEN], int64_t now,
                                 int64_t keep_sec, store_visit_revocation *visit, void *context,
                                 struct err *err)
{
    struct record_key prefix;
    record_key_of(view_of(issuer, SHA256_LEN), &prefix);
    struct store_range range = store_range_of(TABLE_REVOKED, &prefix);
    record_key_revoked(issuer, now - keep_sec, VIEW_EMPTY, &range.from);
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code != ERR_OK) {
        return code;
    }
    CLEANUP(store_walk_end) struct store_walk walk = {0};
    bool goes_on = true;
    for (store_walk_first(&txn, &range, &walk); walk.is_there && goes_on; store_walk_next(&walk)) {
        struct store_revocation revocation = {0};
        code = record_get_revocation(walk.value, &revocation, err);
        if (code != ERR_OK) {
            return code;
        }
        goes_on = visit(&revocation, context);
    }
    return store_walk_result(&walk, "listing revoked certificates", err);
}

enum err_code store_list_challenges(struct store *store, store_visit_challenge *visit,
                                    void *context, struct err *err)
{
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code != ERR_OK) {
        return code;
    }
    const struct store_range all = {.table = TABLE_CHALLENGES};
    CLEANUP(store_walk_end) struct store_walk walk = {0};
    bool goes_on = true;
    for (store_walk_first(&txn, &all, &walk); walk.is_there && goes_on; store_walk_next(&walk)) {
        struct store_challenge challenge = {0};
        code = record_get_challenge(walk.value, &challenge, err);
        if (code != ERR_OK) {
            return code;
        }
        goes_on = visit(&challenge, context);
    }
    return store_walk_result(&walk, "listing challenges", err);
}
