// SPDX-License-Identifier: Apache-2.0
// The thread, its queue and its batches; what an order does: ra/store/writer_orders.h.
#include "ra/store/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/base/clock.h"
#include "ra/store/writer_events.h"
#include "ra/store/writer_orders.h"

#define EVENTS_EVERY_US INT64_C(1000000) // how often events alone are worth an fsync
#define TRIM_PER_EVENT  2                // oldest events that go with a new one, if it is time...
#define TRIM_AT_ONCE    16               // ...and so many more with any

struct writer {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t mutex; // guards what follows
    pthread_cond_t wakeup;
    struct write_order *first;
    struct write_order **end; // where the next order is hung up
    struct event_queue events;
    bool is_stopping;
    // The thread's own.
    struct event_queue written_events; // those of the present batch
    int64_t next_events_us;            // of the monotonic clock: when events may be written alone
    // Anybody's.
    _Atomic uint64_t lost_events;
    _Atomic uint32_t max_events;
};

// What one transaction writes.
struct batch {
    struct write_order *orders; // NULL = none
    const struct event_queue *events;
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
        [WRITE_PROBE] = writer_probe,
    };
    if ((size_t)order->kind < sizeof kinds / sizeof kinds[0]) {
        return kinds[order->kind](txn, order, err);
    }
    return err_set(err, ERR_INTERNAL, "an order of unknown kind %d", (int)order->kind);
}

// What cannot be forgotten now is the next sweep's, which also tells why.
static void forget_oldest_events(struct writer *writer, struct store_txn *txn)
{
    uint32_t removed = 0;
    if (txn->new_events > 0) {
        (void)!store_trim_events(txn, writer->max_events,
                                 TRIM_AT_ONCE + TRIM_PER_EVENT * txn->new_events, &removed, NULL);
    }
}

static enum err_code try_batch(struct writer *writer, const struct batch *batch,
                               bool *ret_is_map_full, struct err *err)
{
    struct store_txn txn = {0};
    *ret_is_map_full = false;
    enum err_code code = store_txn_begin_write(writer->store, &txn, err);
    if (code != ERR_OK) {
        return code;
    }
    if (batch->events != NULL) {
        event_queue_write(batch->events, &txn); // those were answered already
    }
    for (struct write_order *order = batch->orders; order != NULL; order = order->next) {
        order->result = (struct err){0};
        if (put_order(&txn, order, &order->result) == ERR_OK) {
            order->result = (struct err){0}; // a guard's look-up may have left ERR_NOT_FOUND
        }
    }
    forget_oldest_events(writer, &txn);
    code = store_txn_commit(&txn, err);
    *ret_is_map_full = txn.is_map_full;
    if (code == ERR_OK) {
        writer->lost_events += txn.lost_events;
    }
    return code;
}

static enum err_code write_batch(struct writer *writer, const struct batch *batch, struct err *err)
{
    bool is_map_full = false;
    enum err_code code = try_batch(writer, batch, &is_map_full, err);
    while (is_map_full) {
        code = store_env_grow(writer->store, err);
        if (code != ERR_OK) {
            return code;
        }
        code = try_batch(writer, batch, &is_map_full, err);
    }
    return code;
}

// Orders must not fail for events that came along: they are given up, and the orders tried alone.
static enum err_code write_all(struct writer *writer, struct write_order *orders, struct err *err)
{
    const struct event_queue *events = &writer->written_events;
    const struct batch all = {.orders = orders, .events = events};
    enum err_code code = write_batch(writer, &all, err);
    if (code == ERR_OK || events->count == 0) {
        return code;
    }
    writer->lost_events += events->count;
    if (orders == NULL) {
        return code;
    }
    const struct batch alone = {.orders = orders};
    return write_batch(writer, &alone, err);
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

// Under the lock: until an order comes, or until it is time for the events that are there.
static void wait_for_work(struct writer *writer)
{
    const struct timespec until = {
        .tv_sec = (time_t)(writer->next_events_us / STORE_US_PER_SEC),
        .tv_nsec = (long)(writer->next_events_us % STORE_US_PER_SEC) * 1000,
    };
    if (writer->events.count > 0) {
        pthread_cond_timedwait(&writer->wakeup, &writer->mutex, &until);
    } else {
        pthread_cond_wait(&writer->wakeup, &writer->mutex);
    }
}

static bool is_work(const struct writer *writer)
{
    return writer->first != NULL || writer->is_stopping ||
           (writer->events.count > 0 && clock_monotonic_us() >= writer->next_events_us);
}

// The events go to `written_events`. NULL with no events there: it is time to end.
static struct write_order *take_orders(struct writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    while (!is_work(writer)) {
        wait_for_work(writer);
    }
    struct write_order *orders = writer->first;
    writer->first = NULL;
    writer->end = &writer->first;
    struct event_queue events = writer->events;
    writer->events = writer->written_events;
    writer->events.count = 0;
    writer->written_events = events;
    pthread_mutex_unlock(&writer->mutex);
    return orders;
}

static void *run(void *context)
{
    struct writer *writer = context;
    for (;;) {
        struct write_order *orders = take_orders(writer);
        bool has_events = writer->written_events.count > 0;
        if (orders == NULL && !has_events) {
            return NULL;
        }
        struct err err = {0};
        enum err_code code = write_all(writer, orders, &err);
        if (has_events) {
            writer->next_events_us = clock_monotonic_us() + EVENTS_EVERY_US;
        }
        if (code == ERR_OK) {
            answer(orders, NULL);
            continue;
        }
        // Readers need a usable environment now; the next batch would come too late for them, and
        // tries again whatever comes of this.
        if (store_env_heal(writer->store, NULL) != ERR_OK) {
            err_prefix(&err, "the store cannot be opened again");
        }
        answer(orders, &err);
    }
}

// The events' time is one of the monotonic clock.
static int init_wakeup(pthread_cond_t *wakeup)
{
    pthread_condattr_t attributes;
    int status = pthread_condattr_init(&attributes);
    if (status == 0) {
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        status = pthread_cond_init(wakeup, &attributes);
        pthread_condattr_destroy(&attributes);
    }
    return status;
}

static int start_thread(struct writer *writer)
{
    int status = pthread_mutex_init(&writer->mutex, NULL);
    if (status != 0) {
        return status;
    }
    status = init_wakeup(&writer->wakeup);
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

static void writer_free(struct writer *writer)
{
    event_queue_done(&writer->events);
    event_queue_done(&writer->written_events);
    free(writer);
}

static enum err_code make_queues(struct writer *writer, struct err *err)
{
    enum err_code code = event_queue_new(&writer->events, err);
    return code == ERR_OK ? event_queue_new(&writer->written_events, err) : code;
}

enum err_code writer_start(struct store *store, struct writer **ret_writer, struct err *err)
{
    struct writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for the writer");
    }
    enum err_code code = make_queues(writer, err);
    if (code != ERR_OK) {
        writer_free(writer);
        return code;
    }
    writer->store = store;
    writer->end = &writer->first;
    writer->max_events = WRITER_EVENTS_MAX;
    int status = start_thread(writer);
    if (status != 0) {
        writer_free(writer);
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
    writer_free(writer);
}

void writer_add_event(struct writer *writer, const struct store_event *event)
{
    pthread_mutex_lock(&writer->mutex);
    bool is_taken = event_queue_add(&writer->events, event);
    if (writer->events.count == 1) {
        pthread_cond_signal(&writer->wakeup); // it has to look at the clock from now on
    }
    pthread_mutex_unlock(&writer->mutex);
    if (!is_taken) {
        writer_lose_event(writer);
    }
}

void writer_lose_event(struct writer *writer)
{
    writer->lost_events++;
}

uint64_t writer_take_lost_events(struct writer *writer)
{
    return atomic_exchange(&writer->lost_events, 0);
}

void writer_limit_events(struct writer *writer, uint32_t max_events)
{
    writer->max_events = max_events;
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
