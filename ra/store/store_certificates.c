// SPDX-License-Identifier: Apache-2.0
// Certificates inside a transaction: the record, its indexes, and what the rest of a device's or a
// CA's certificates have to do with it.
#include <string.h>

#include "conf/base/wire.h"
#include "ra/store/store_write.h"

static const char sequence_name[] = "sequence";

static enum err_code read_sequence(const struct store_txn *txn, uint64_t *ret_sequence,
                                   struct err *err)
{
    struct view value = VIEW_EMPTY;
    enum err_code code = store_txn_get(txn, TABLE_META, view_of_text(sequence_name), &value, err);
    if (code == ERR_NOT_FOUND) {
        *ret_sequence = 0;
        return ERR_OK;
    }
    if (code != ERR_OK) {
        return code;
    }
    struct wire_reader reader = wire_read(value);
    uint64_t sequence = wire_get_u64(&reader);
    if (!wire_is_complete(&reader)) {
        return err_set(err, ERR_IO, "the sequence number in the store is damaged");
    }
    *ret_sequence = sequence;
    return ERR_OK;
}

static void put_sequence(struct store_txn *txn, uint64_t sequence)
{
    struct err err = {0};
    struct buf octets = {0};
    struct wire_writer writer = wire_write(&octets);
    wire_put_u64(&writer, sequence);
    if (wire_finish(&writer, &err) != ERR_OK) {
        store_txn_fail(txn, &err);
    }
    store_txn_put(txn, TABLE_META, view_of_text(sequence_name), buf_view(&octets));
    buf_done(&octets);
}

static enum err_code get_octets(const struct store_txn *txn, const uint8_t serial[SERIAL_LEN],
                                struct view *ret_octets, struct err *err)
{
    return store_txn_get(txn, TABLE_CERTIFICATES, view_of(serial, SERIAL_LEN), ret_octets, err);
}

enum err_code store_get_certificate(const struct store_txn *txn, const uint8_t serial[SERIAL_LEN],
                                    struct record_certificate *ret_record, struct err *err)
{
    struct view octets = VIEW_EMPTY;
    enum err_code code = get_octets(txn, serial, &octets, err);
    return code == ERR_OK ? record_get_certificate(octets, ret_record, err) : code;
}

enum err_code store_get_head(const struct store_txn *txn, const uint8_t serial[SERIAL_LEN],
                             struct record_certificate *ret_head, struct err *err)
{
    struct view octets = VIEW_EMPTY;
    enum err_code code = get_octets(txn, serial, &octets, err);
    return code == ERR_OK ? record_get_head(octets, ret_head, err) : code;
}

static enum err_code check_index(struct view serial, struct err *err)
{
    return serial.len == SERIAL_LEN ? ERR_OK
                                    : err_set(err, ERR_IO, "an index of the store is damaged");
}

// What an index names must be there.
static enum err_code must_be_there(enum err_code code, struct err *err)
{
    return code == ERR_NOT_FOUND
               ? err_set(err, ERR_IO, "an index of the store names a missing certificate")
               : code;
}

enum err_code store_get_indexed(const struct store_txn *txn, struct view serial,
                                struct record_certificate *ret_record, struct err *err)
{
    enum err_code code = check_index(serial, err);
    return code == ERR_OK
               ? must_be_there(store_get_certificate(txn, serial.data, ret_record, err), err)
               : code;
}

static enum err_code get_newest(const struct store_txn *txn, const struct store_range *range,
                                uint8_t ret_serial[SERIAL_LEN], struct err *err)
{
    static const char what[] = "looking for the newest certificate";
    CLEANUP(store_walk_end) struct store_walk walk = {0};
    store_walk_last(txn, range, &walk);
    if (!walk.is_there) {
        enum err_code code = store_walk_result(&walk, what, err);
        return code != ERR_OK ? code : err_set(err, ERR_NOT_FOUND, "%s: there is none", what);
    }
    enum err_code code = check_index(walk.value, err);
    if (code == ERR_OK) {
        memcpy(ret_serial, walk.value.data, SERIAL_LEN);
    }
    return code;
}

enum err_code store_get_newest_of_key(const struct store_txn *txn,
                                      const uint8_t spki_hash[SHA256_LEN],
                                      uint8_t ret_serial[SERIAL_LEN], struct err *err)
{
    struct record_key prefix;
    record_prefix_of_key(spki_hash, &prefix);
    struct store_range range = store_range_of(TABLE_BY_KEY, &prefix);
    return get_newest(txn, &range, ret_serial, err);
}

enum err_code store_get_newest_of_device(const struct store_txn *txn, const char *device,
                                         uint8_t ret_serial[SERIAL_LEN], struct err *err)
{
    struct record_key prefix;
    record_prefix_of_device(device, &prefix);
    struct store_range range = store_range_of(TABLE_BY_DEVICE, &prefix);
    return get_newest(txn, &range, ret_serial, err);
}

enum err_code store_get_present(const struct store_txn *txn, const char *device,
                                struct record_certificate *ret_head, struct err *err)
{
    uint8_t serial[SERIAL_LEN];
    enum err_code code = store_get_newest_of_device(txn, device, serial, err);
    return code == ERR_OK ? must_be_there(store_get_head(txn, serial, ret_head, err), err) : code;
}

enum err_code store_get_last_expiry(const struct store_txn *txn, const uint8_t issuer[SHA256_LEN],
                                    int64_t *ret_not_after, struct err *err)
{
    struct view octets = VIEW_EMPTY;
    enum err_code code =
        store_txn_get(txn, TABLE_ISSUERS, view_of(issuer, SHA256_LEN), &octets, err);
    return code == ERR_OK ? record_get_last_expiry(octets, ret_not_after, err) : code;
}

// Its indexes' keys are made of what never changes.
static void put_changed(struct store_txn *txn, const struct record_certificate *head)
{
    struct err err = {0};
    struct buf record = {0};
    struct view octets = VIEW_EMPTY;
    enum err_code code = get_octets(txn, head->certificate.serial, &octets, &err);
    if (code == ERR_OK) {
        code = record_replace_head(octets, head, &record, &err);
    }
    if (code != ERR_OK) {
        store_txn_fail(txn, &err);
    }
    store_txn_put(txn, TABLE_CERTIFICATES, view_of(head->certificate.serial, SERIAL_LEN),
                  buf_view(&record));
    buf_done(&record);
}

static void put_superseded(struct store_txn *txn, const struct record_certificate *head,
                           int64_t superseded_at)
{
    struct record_certificate changed = *head;
    if (head->certificate.status != CERTIFICATE_VALID || head->certificate.superseded_at != 0) {
        return;
    }
    changed.certificate.superseded_at = superseded_at;
    put_changed(txn, &changed);
    struct view serial = view_of(head->certificate.serial, SERIAL_LEN);
    struct record_key key;
    record_key_at(superseded_at, serial, &key);
    store_txn_put(txn, TABLE_SUPERSEDED, record_key_view(&key), serial);
}

static void put_revocation(struct store_txn *txn, const struct store_certificate *certificate)
{
    struct err err = {0};
    struct buf record = {0};
    struct store_revocation revocation = {
        .revoked_at = certificate->revoked_at,
        .reason = certificate->revocation_reason,
    };
    memcpy(revocation.serial, certificate->serial, SERIAL_LEN);
    if (record_put_revocation(&revocation, &record, &err) != ERR_OK) {
        store_txn_fail(txn, &err);
    }
    struct record_key key;
    record_key_revoked(certificate->issuer, certificate->not_after,
                       view_of(certificate->serial, SERIAL_LEN), &key);
    store_txn_put(txn, TABLE_REVOKED, record_key_view(&key), buf_view(&record));
    buf_done(&record);
}

void store_put_revoked(struct store_txn *txn, const struct record_certificate *head, int64_t now,
                       uint8_t reason)
{
    struct record_certificate changed = *head;
    changed.certificate.status = CERTIFICATE_REVOKED;
    changed.certificate.revoked_at = now;
    changed.certificate.revocation_reason = reason;
    put_changed(txn, &changed);
    put_revocation(txn, &changed.certificate);
    if (head->certificate.superseded_at != 0) {
        struct record_key key;
        record_key_at(head->certificate.superseded_at,
                      view_of(head->certificate.serial, SERIAL_LEN), &key);
        store_txn_remove(txn, TABLE_SUPERSEDED, record_key_view(&key));
    }
}

// What there is before a certificate is added.
struct surroundings {
    uint64_t sequence; // the last one given
    bool has_present;
    struct record_certificate present; // the device's, head only
    bool has_last_expiry;
    int64_t last_expiry; // of the issuer
};

static enum err_code look_around(const struct store_txn *txn,
                                 const struct store_certificate *certificate,
                                 struct surroundings *ret_around, struct err *err)
{
    struct surroundings around = {0};
    enum err_code code = read_sequence(txn, &around.sequence, err);
    if (code != ERR_OK) {
        return code;
    }
    code = store_get_present(txn, certificate->device, &around.present, err);
    around.has_present = code == ERR_OK;
    if (code != ERR_OK && code != ERR_NOT_FOUND) {
        return code;
    }
    code = store_get_last_expiry(txn, certificate->issuer, &around.last_expiry, err);
    around.has_last_expiry = code == ERR_OK;
    if (code != ERR_OK && code != ERR_NOT_FOUND) {
        return code;
    }
    *ret_around = around;
    return ERR_OK;
}

static void put_record(struct store_txn *txn, const struct store_certificate *certificate,
                       uint64_t sequence)
{
    struct err err = {0};
    struct buf record = {0};
    if (record_put_certificate(certificate, sequence, &record, &err) != ERR_OK) {
        store_txn_fail(txn, &err);
    }
    store_txn_put(txn, TABLE_CERTIFICATES, view_of(certificate->serial, SERIAL_LEN),
                  buf_view(&record));
    buf_done(&record);
}

static void put_indexes(struct store_txn *txn, const struct store_certificate *certificate,
                        uint64_t sequence)
{
    static const struct {
        enum store_table table;
        void (*make_key)(const struct store_certificate *, uint64_t, struct record_key *);
    } indexes[] = {
        {TABLE_BY_ISSUE, record_key_by_issue},
        {TABLE_BY_DEVICE, record_key_by_device},
        {TABLE_BY_KEY, record_key_by_key},
    };
    for (size_t i = 0; i < sizeof indexes / sizeof indexes[0]; i++) {
        struct record_key key;
        indexes[i].make_key(certificate, sequence, &key);
        store_txn_put(txn, indexes[i].table, record_key_view(&key),
                      view_of(certificate->serial, SERIAL_LEN));
    }
}

static enum store_table due_table_of(const struct store_certificate *certificate)
{
    return certificate->kind == CERTIFICATE_OF_SERVER ? TABLE_DUE_SERVERS : TABLE_DUE;
}

// The device's present certificate is the newest by time: one that was issued while the clock was
// wrong, later than now, stays it.
static void put_due(struct store_txn *txn, const struct store_certificate *certificate,
                    const struct surroundings *around)
{
    const struct store_certificate *present = &around->present.certificate;
    struct record_key key;
    if (around->has_present) {
        if (present->issued_at > certificate->issued_at) {
            return;
        }
        record_key_at(present->not_after, view_of(present->serial, SERIAL_LEN), &key);
        store_txn_remove(txn, due_table_of(present), record_key_view(&key));
    }
    struct view serial = view_of(certificate->serial, SERIAL_LEN);
    record_key_at(certificate->not_after, serial, &key);
    store_txn_put(txn, due_table_of(certificate), record_key_view(&key), serial);
}

static void put_last_expiry(struct store_txn *txn, const struct store_certificate *certificate)
{
    struct err err = {0};
    struct buf record = {0};
    if (record_put_last_expiry(certificate->not_after, &record, &err) != ERR_OK) {
        store_txn_fail(txn, &err);
    }
    store_txn_put(txn, TABLE_ISSUERS, view_of(certificate->issuer, SHA256_LEN), buf_view(&record));
    buf_done(&record);
}

enum err_code store_add_certificate(struct store_txn *txn,
                                    const struct store_certificate *certificate,
                                    int64_t superseded_at, struct err *err)
{
    struct surroundings around;
    enum err_code code = look_around(txn, certificate, &around, err);
    if (code != ERR_OK) {
        return code;
    }
    uint64_t sequence = around.sequence + 1;
    put_sequence(txn, sequence);
    put_record(txn, certificate, sequence);
    put_indexes(txn, certificate, sequence);
    put_due(txn, certificate, &around);
    if (around.has_present && superseded_at != 0) {
        put_superseded(txn, &around.present, superseded_at);
    }
    if (!around.has_last_expiry || certificate->not_after > around.last_expiry) {
        put_last_expiry(txn, certificate);
    }
    return ERR_OK;
}
