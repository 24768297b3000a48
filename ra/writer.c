// SPDX-License-Identifier: Apache-2.0
#include "ra/writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ra/record.h"
#include "ra/store_write.h"

struct writer {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t mutex; // guards what follows
    pthread_cond_t wakeup;
    struct write_order *first;
    struct write_order **end; // where the next order is hung up
    bool is_stopping;
};

// ERR_OK when `code` is ERR_NOT_FOUND: what is asked for may be missing.
static enum err_code or_missing(enum err_code code)
{
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code check_size(const struct write_order *order, struct err *err)
{
    size_t len = order->certificate.der.len;
    return len > 0 && len <= LIMIT_CERT_LEN
               ? ERR_OK
               : err_set(err, ERR_LIMIT, "a certificate of %zu octets; allowed: 1 to %d", len,
                         LIMIT_CERT_LEN);
}

static enum err_code check_transaction(const struct store_txn *txn, const struct write_order *order,
                                       struct err *err)
{
    struct store_transaction stored = {0};
    enum err_code code =
        store_get_transaction(txn, order->certificate.transaction_key, &stored, err);
    if (code != ERR_OK) {
        return or_missing(code);
    }
    bool is_as_seen = order->replaces_transaction &&
                      memcmp(stored.serial, order->replaced_serial, SERIAL_LEN) == 0;
    if (stored.state == TRANSACTION_ISSUED && !is_as_seen) {
        return err_set(err, ERR_CONFLICT, "the transaction got a certificate in the meantime");
    }
    return ERR_OK;
}

static enum err_code check_serial(const struct store_txn *txn, const struct write_order *order,
                                  struct err *err)
{
    struct store_certificate stored = {0};
    enum err_code code = store_get_certificate(txn, order->certificate.serial, &stored, err);
    if (code == ERR_OK) {
        store_certificate_done(&stored);
        return err_set(err, ERR_CONFLICT, "the serial number is in use already");
    }
    return or_missing(code);
}

// What was decided about the key (whose it is, whether this is a repeat) must still be true.
static enum err_code check_key(const struct store_txn *txn, const struct write_order *order,
                               struct err *err)
{
    struct store_certificate stored = {0};
    enum err_code code = store_get_newest_of_key(txn, order->certificate.spki_hash, &stored, err);
    if (code != ERR_OK) {
        return or_missing(code);
    }
    bool is_as_seen =
        order->has_key_record && memcmp(stored.serial, order->key_serial, SERIAL_LEN) == 0;
    store_certificate_done(&stored);
    return is_as_seen ? ERR_OK
                      : err_set(err, ERR_CONFLICT, "the key got a certificate in the meantime");
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

static enum err_code put_issued(struct store_txn *txn, const struct write_order *order,
                                struct err *err)
{
    const struct store_certificate *certificate = &order->certificate;
    struct store_challenge challenge = {0};
    enum err_code code = check_size(order, err);
    if (code == ERR_OK) {
        code = check_transaction(txn, order, err);
    }
    if (code == ERR_OK) {
        code = check_serial(txn, order, err);
    }
    if (code == ERR_OK) {
        code = check_key(txn, order, err);
    }
    if (code == ERR_OK && order->is_one_time) {
        code = check_challenge(txn, order, &challenge, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    struct store_transaction transaction = {
        .state = TRANSACTION_ISSUED,
        .changed_at = order->now,
    };
    memcpy(transaction.key, certificate->transaction_key, SHA256_LEN);
    memcpy(transaction.csr_hash, certificate->csr_hash, SHA256_LEN);
    memcpy(transaction.serial, certificate->serial, SERIAL_LEN);
    store_put_certificate(txn, certificate);
    store_put_transaction(txn, &transaction);
    if (order->is_one_time) {
        challenge.uses_left--;
        challenge.last_used_at = order->now;
        store_put_challenge(txn, &challenge);
    }
    return ERR_OK;
}

static enum err_code put_new_challenge(struct store_txn *txn, const struct write_order *order,
                                       struct err *err)
{
    char id[CHALLENGE_ID_LEN];
    struct store_challenge stored = {0};
    record_challenge_id(order->challenge.hash, id);
    enum err_code code = store_get_challenge_by_id(txn, id, &stored, err);
    if (code == ERR_OK) {
        return err_set(err, ERR_EXISTS, "there is a challenge %s already", id);
    }
    if (code != ERR_NOT_FOUND) {
        return code;
    }
    store_put_challenge(txn, &order->challenge);
    return ERR_OK;
}

static enum err_code put_revoked_challenge(struct store_txn *txn, const struct write_order *order,
                                           struct err *err)
{
    struct store_challenge challenge = {0};
    enum err_code code = store_get_challenge_by_id(txn, order->challenge.id, &challenge, err);
    if (code == ERR_NOT_FOUND) {
        return err_set(err, ERR_NOT_FOUND, "there is no such challenge");
    }
    if (code != ERR_OK) {
        return code;
    }
    challenge.is_revoked = true;
    store_put_challenge(txn, &challenge);
    return ERR_OK;
}

static enum err_code put_order(struct store_txn *txn, const struct write_order *order,
                               struct err *err)
{
    switch (order->kind) {
    case WRITE_ISSUED:
        return put_issued(txn, order, err);
    case WRITE_CHALLENGE_NEW:
        return put_new_challenge(txn, order, err);
    case WRITE_CHALLENGE_REVOKE:
        return put_revoked_challenge(txn, order, err);
    }
    return err_set(err, ERR_INTERNAL, "an order of unknown kind %d", (int)order->kind);
}

static enum err_code try_batch(struct store *store, struct write_order *batch,
                               bool *ret_is_map_full, struct err *err)
{
    struct store_txn txn = {0};
    *ret_is_map_full = false;
    enum err_code code = store_txn_begin_write(store, &txn, err);
    if (code != ERR_OK) {
        return code;
    }
    for (struct write_order *order = batch; order != NULL; order = order->next) {
        order->result = (struct err){0};
        if (put_order(&txn, order, &order->result) == ERR_OK) {
            order->result = (struct err){0}; // a guard's look-up may have left ERR_NOT_FOUND
        }
    }
    code = store_txn_commit(&txn, err);
    *ret_is_map_full = txn.is_map_full;
    return code;
}

static enum err_code write_batch(struct store *store, struct write_order *batch, struct err *err)
{
    bool is_map_full = false;
    enum err_code code = try_batch(store, batch, &is_map_full, err);
    while (is_map_full) {
        code = store_env_grow(store, err);
        if (code != ERR_OK) {
            return code;
        }
        code = try_batch(store, batch, &is_map_full, err);
    }
    return code;
}

// `done` may free the order, so nothing of it is touched after the call.
static void answer(struct write_order *batch, const struct err *failure)
{
    while (batch != NULL) {
        struct write_order *order = batch;
        struct err result = failure != NULL ? *failure : order->result;
        batch = order->next;
        order->done(order, result.code, &result);
    }
}

static struct write_order *take_batch(struct writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    while (writer->first == NULL && !writer->is_stopping) {
        pthread_cond_wait(&writer->wakeup, &writer->mutex);
    }
    struct write_order *batch = writer->first;
    writer->first = NULL;
    writer->end = &writer->first;
    pthread_mutex_unlock(&writer->mutex);
    return batch;
}

static void *run(void *context)
{
    struct writer *writer = context;
    for (;;) {
        struct write_order *batch = take_batch(writer);
        if (batch == NULL) {
            return NULL;
        }
        struct err err = {0};
        if (write_batch(writer->store, batch, &err) == ERR_OK) {
            answer(batch, NULL);
            continue;
        }
        // Readers need a usable environment now; the next batch would come too late for them, and
        // tries again whatever comes of this.
        if (store_env_heal(writer->store, NULL) != ERR_OK) {
            err_prefix(&err, "the store cannot be opened again");
        }
        answer(batch, &err);
    }
}

static int start_thread(struct writer *writer)
{
    int status = pthread_mutex_init(&writer->mutex, NULL);
    if (status != 0) {
        return status;
    }
    status = pthread_cond_init(&writer->wakeup, NULL);
    if (status != 0) {
        pthread_mutex_destroy(&writer->mutex);
        return status;
    }
    status = pthread_create(&writer->thread, NULL, run, writer);
    if (status != 0) {
        pthread_cond_destroy(&writer->wakeup);
        pthread_mutex_destroy(&writer->mutex);
    }
    return status;
}

enum err_code writer_start(struct store *store, struct writer **ret_writer, struct err *err)
{
    struct writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for the writer");
    }
    writer->store = store;
    writer->end = &writer->first;
    int status = start_thread(writer);
    if (status != 0) {
        free(writer);
        return err_set(err, ERR_IO, "cannot start the writer thread: %s", strerror(status));
    }
    *ret_writer = writer;
    return ERR_OK;
}

void writer_stop(struct writer *writer)
{
    if (writer == NULL) {
        return;
    }
    pthread_mutex_lock(&writer->mutex);
    writer->is_stopping = true;
    pthread_cond_signal(&writer->wakeup);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    pthread_cond_destroy(&writer->wakeup);
    pthread_mutex_destroy(&writer->mutex);
    free(writer);
}

void writer_submit(struct writer *writer, struct write_order *order)
{
    order->next = NULL;
    pthread_mutex_lock(&writer->mutex);
    *writer->end = order;
    writer->end = &order->next;
    pthread_cond_signal(&writer->wakeup);
    pthread_mutex_unlock(&writer->mutex);
}

struct waiter {
    pthread_mutex_t mutex; // guards what follows
    pthread_cond_t answered;
    bool is_answered;
    struct err answer;
};

static void wake_waiter(struct write_order *order, enum err_code code, const struct err *err)
{
    struct waiter *waiter = order->owner;
    pthread_mutex_lock(&waiter->mutex);
    waiter->answer = *err;
    waiter->answer.code = code;
    waiter->is_answered = true;
    pthread_cond_signal(&waiter->answered);
    pthread_mutex_unlock(&waiter->mutex);
}

enum err_code writer_submit_and_wait(struct writer *writer, struct write_order *order,
                                     struct err *err)
{
    struct waiter waiter = {
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .answered = PTHREAD_COND_INITIALIZER,
    };
    order->done = wake_waiter;
    // cppcheck-suppress autoVariables ; this call does not return before the writer is done with it
    order->owner = &waiter;
    writer_submit(writer, order);
    pthread_mutex_lock(&waiter.mutex);
    while (!waiter.is_answered) {
        pthread_cond_wait(&waiter.answered, &waiter.mutex);
    }
    pthread_mutex_unlock(&waiter.mutex);
    pthread_cond_destroy(&waiter.answered);
    pthread_mutex_destroy(&waiter.mutex);
    return waiter.answer.code == ERR_OK
               ? ERR_OK
               : err_set(err, waiter.answer.code, "%s", waiter.answer.text);
}
