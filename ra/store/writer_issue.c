// SPDX-License-Identifier: Apache-2.0
// WRITE_ISSUED: everything that was decided on before the certificate was made must still be true.
#include <string.h>

#include "ra/store/writer_events.h"
#include "ra/store/writer_orders.h"

// What the guards found and the puts need.
struct findings {
    struct store_challenge challenge; // is_one_time
    struct store_pending pending;     // waits under the same key
    bool has_pending;
};

static void findings_done(struct findings *findings)
{
    store_pending_done(&findings->pending);
}

enum err_code writer_or_missing(enum err_code code)
{
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code check_record(const struct store_certificate *certificate, struct err *err)
{
    size_t len = certificate->der.len;
    if (len == 0 || len > LIMIT_CERT_LEN) {
        return err_set(err, ERR_LIMIT, "a certificate of %zu octets; allowed: 1 to %d", len,
                       LIMIT_CERT_LEN);
    }
    if (certificate->origin < ORIGIN_CHALLENGE || certificate->origin > ORIGIN_ADMINISTRATOR) {
        return err_set(err, ERR_INTERNAL, "a certificate of unknown origin %d",
                       (int)certificate->origin);
    }
    return ERR_OK;
}

enum err_code writer_check_issued(const struct store_transaction *stored,
                                  const struct write_order *order, struct err *err)
{
    bool is_as_seen = order->replaces_transaction &&
                      memcmp(stored->serial, order->replaced_serial, SERIAL_LEN) == 0;
    return is_as_seen
               ? ERR_OK
               : err_set(err, ERR_CONFLICT, "the transaction got a certificate in the meantime");
}

static enum err_code check_pending(const struct store_txn *txn, const struct write_order *order,
                                   struct findings *findings, struct err *err)
{
    enum err_code code =
        store_get_pending(txn, order->certificate.transaction_key, &findings->pending, err);
    findings->has_pending = code == ERR_OK;
    if (!order->is_from_pending) {
        return writer_or_missing(code);
    }
    if (code != ERR_OK) {
        return code == ERR_NOT_FOUND
                   ? err_set(err, ERR_CONFLICT, "the request does not wait any more")
                   : code;
    }
    if (!findings->pending.is_approved) {
        return err_set(err, ERR_CONFLICT, "the request %s is not approved", findings->pending.id);
    }
    return memcmp(findings->pending.csr_hash, order->certificate.csr_hash, SHA256_LEN) == 0
               ? ERR_OK
               : err_set(err, ERR_CONFLICT, "the request %s is another one", findings->pending.id);
}

static enum err_code check_transaction(const struct store_txn *txn, const struct write_order *order,
                                       struct findings *findings, struct err *err)
{
    struct store_transaction stored = {0};
    enum err_code code =
        store_get_transaction(txn, order->certificate.transaction_key, &stored, err);
    if (code != ERR_OK && code != ERR_NOT_FOUND) {
        return code;
    }
    if (stored.state == TRANSACTION_ISSUED) {
        code = writer_check_issued(&stored, order, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return stored.state == TRANSACTION_PENDING || order->is_from_pending
               ? check_pending(txn, order, findings, err)
               : ERR_OK;
}

static enum err_code check_serial(const struct store_txn *txn, const struct write_order *order,
                                  struct err *err)
{
    struct view octets = VIEW_EMPTY;
    enum err_code code = store_txn_get(
        txn, TABLE_CERTIFICATES, view_of(order->certificate.serial, SERIAL_LEN), &octets, err);
    return code == ERR_OK ? err_set(err, ERR_CONFLICT, "the serial number is in use already")
                          : writer_or_missing(code);
}

// What was decided about the key (whose it is, whether this is a repeat) must still be true.
static enum err_code check_key(const struct store_txn *txn, const struct write_order *order,
                               struct err *err)
{
    uint8_t serial[SERIAL_LEN];
    enum err_code code = store_get_newest_of_key(txn, order->certificate.spki_hash, serial, err);
    if (code != ERR_OK) {
        return writer_or_missing(code);
    }
    bool is_as_seen = order->has_key_record && memcmp(serial, order->key_serial, SERIAL_LEN) == 0;
    return is_as_seen ? ERR_OK
                      : err_set(err, ERR_CONFLICT, "the key got a certificate in the meantime");
}

static enum err_code check_duplicate(const struct store_txn *txn, const struct write_order *order,
                                     struct err *err)
{
    struct record_certificate present = {0};
    enum err_code code = store_get_present(txn, order->certificate.device, &present, err);
    if (code != ERR_OK) {
        return writer_or_missing(code);
    }
    const struct store_certificate *other = &present.certificate;
    bool is_live = other->status == CERTIFICATE_VALID && order->now < other->not_after;
    bool is_same_subject =
        memcmp(other->subject_hash, order->certificate.subject_hash, SHA256_LEN) == 0;
    bool is_same_key = memcmp(other->spki_hash, order->certificate.spki_hash, SHA256_LEN) == 0;
    return is_live && is_same_subject && !is_same_key
               ? err_set(err, ERR_CONFLICT,
                         "the subject got a certificate for another key in the meantime")
               : ERR_OK;
}

static enum err_code check_challenge(const struct store_txn *txn, const struct write_order *order,
                                     struct store_challenge *ret_challenge, struct err *err)
{
    struct store_challenge stored = {0};
    enum err_code code = store_get_challenge(txn, order->certificate.challenge_hash, &stored, err);
    if (code == ERR_NOT_FOUND) {
        return err_set(err, ERR_CONFLICT, "the challenge does not exist");
    }
    if (code != ERR_OK) {
        return code;
    }
    if (stored.is_revoked) {
        return err_set(err, ERR_CONFLICT, "the challenge %s was revoked", stored.id);
    }
    if (stored.uses_left == 0) {
        return err_set(err, ERR_CONFLICT, "the challenge %s was used up", stored.id);
    }
    if (order->now >= stored.expires_at) {
        return err_set(err, ERR_CONFLICT, "the challenge %s has expired", stored.id);
    }
    *ret_challenge = stored;
    return ERR_OK;
}

static enum err_code check_all(const struct store_txn *txn, const struct write_order *order,
                               struct findings *findings, struct err *err)
{
    enum err_code code = check_record(&order->certificate, err);
    if (code == ERR_OK) {
        code = check_transaction(txn, order, findings, err);
    }
    if (code == ERR_OK) {
        code = check_serial(txn, order, err);
    }
    if (code == ERR_OK) {
        code = check_key(txn, order, err);
    }
    if (code == ERR_OK && order->refuse_duplicate) {
        code = check_duplicate(txn, order, err);
    }
    if (code == ERR_OK && order->is_one_time) {
        code = check_challenge(txn, order, &findings->challenge, err);
    }
    return code;
}

static void put_transaction(struct store_txn *txn, const struct write_order *order)
{
    struct store_transaction transaction = {
        .state = TRANSACTION_ISSUED,
        .changed_at = order->now,
    };
    memcpy(transaction.key, order->certificate.transaction_key, SHA256_LEN);
    memcpy(transaction.csr_hash, order->certificate.csr_hash, SHA256_LEN);
    memcpy(transaction.serial, order->certificate.serial, SERIAL_LEN);
    store_put_transaction(txn, &transaction);
}

enum err_code writer_put_issued(struct store_txn *txn, const struct write_order *order,
                                struct err *err)
{
    CLEANUP(findings_done) struct findings findings = {0};
    enum err_code code = check_all(txn, order, &findings, err);
    if (code == ERR_OK) {
        code = store_add_certificate(txn, &order->certificate, order->supersedes ? order->now : 0,
                                     err);
    }
    if (code != ERR_OK) {
        return code;
    }
    put_transaction(txn, order);
    if (order->is_one_time) {
        findings.challenge.uses_left--;
        findings.challenge.last_used_at = order->now;
        store_put_challenge(txn, &findings.challenge);
    }
    if (findings.has_pending) {
        store_remove_pending(txn, &findings.pending);
    }
    writer_note_issued(txn, order);
    return ERR_OK;
}
