// SPDX-License-Identifier: Apache-2.0
// The thread, its queue and its batches; what an order does: ra/store/writer_orders.h.
#include "ra/store/writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ra/store/writer_orders.h"

struct writer {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t mutex; // guards what follows
    pthread_cond_t wakeup;
    struct write_order *first;
    struct write_order **end; // where the next order is hung up
    bool is_stopping;
};

static enum err_code put_order(struct store_txn *txn, const struct write_order *order,
                               struct err *err)
{
    static enum err_code (*const kinds[])(struct store_txn *, const struct write_order *,
                                          struct err *) = {
        [WRITE_ISSUED] = writer_put_issued,
        [WRITE_CHALLENGE_NEW] = writer_put_challenge,
        [WRITE_CHALLENGE_REVOKE] = writer_revoke_challenge,
        [WRITE_PENDING_NEW] = writer_put_pending,
        [WRITE_PENDING_APPROVE] = writer_approve_pending,
        [WRITE_PENDING_DENY] = writer_deny_pending,
        [WRITE_REVOKE] = writer_revoke,
        [WRITE_CRL] = writer_put_crl,
        [WRITE_DEVICES] = writer_put_devices,
        [WRITE_DEVICE_REMOVE] = writer_remove_device,
        [WRITE_SWEEP] = writer_sweep,
    };
    if ((size_t)order->kind < sizeof kinds / sizeof kinds[0]) {
        return kinds[order->kind](txn, order, err);
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
