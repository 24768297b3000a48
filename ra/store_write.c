// SPDX-License-Identifier: Apache-2.0
#include "ra/store_write.h"

#include "conf/base/wire.h"
#include "ra/record.h"

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

static enum err_code next_sequence(struct store_txn *txn, uint64_t *ret_sequence, struct err *err)
{
    uint64_t last = 0;
    enum err_code code = read_sequence(txn, &last, err);
    if (code != ERR_OK) {
        return code;
    }
    struct buf octets = {0};
    struct wire_writer writer = wire_write(&octets);
    wire_put_u64(&writer, last + 1);
    code = wire_finish(&writer, err);
    if (code == ERR_OK) {
        store_txn_put(txn, TABLE_META, view_of_text(sequence_name), buf_view(&octets));
        *ret_sequence = last + 1;
    }
    buf_done(&octets);
    return code;
}

static void put_indexes(struct store_txn *txn, const struct store_certificate *certificate,
                        uint64_t sequence)
{
    static const struct {
        enum store_table table;
        void (*make_key)(const struct store_certificate *, uint64_t, struct record_key *);
    } indexes[] = {
        {TABLE_BY_ISSUE, record_key_by_issue},
        {TABLE_BY_EXPIRY, record_key_by_expiry},
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

void store_put_certificate(struct store_txn *txn, const struct store_certificate *certificate)
{
    struct err err = {0};
    struct buf record = {0};
    uint64_t sequence = 0;
    enum err_code code = next_sequence(txn, &sequence, &err);
    if (code == ERR_OK) {
        code = record_put_certificate(certificate, sequence, &record, &err);
    }
    if (code == ERR_OK) {
        store_txn_put(txn, TABLE_CERTIFICATES, view_of(certificate->serial, SERIAL_LEN),
                      buf_view(&record));
        put_indexes(txn, certificate, sequence);
    } else {
        store_txn_fail(txn, &err);
    }
    buf_done(&record);
}

void store_put_transaction(struct store_txn *txn, const struct store_transaction *transaction)
{
    struct err err = {0};
    struct buf record = {0};
    if (record_put_transaction(transaction, &record, &err) == ERR_OK) {
        store_txn_put(txn, TABLE_TRANSACTIONS, view_of(transaction->key, SHA256_LEN),
                      buf_view(&record));
    } else {
        store_txn_fail(txn, &err);
    }
    buf_done(&record);
}

void store_put_challenge(struct store_txn *txn, const struct store_challenge *challenge)
{
    struct err err = {0};
    struct buf record = {0};
    if (record_put_challenge(challenge, &record, &err) == ERR_OK) {
        store_txn_put(txn, TABLE_CHALLENGES, view_of(challenge->hash, SHA256_LEN),
                      buf_view(&record));
    } else {
        store_txn_fail(txn, &err);
    }
    buf_done(&record);
}
